"""Whole lives of a contact, with a crash at every single write, in every way; what comes out must not differ.

The fakes keep every write in order. Each life is played once without a crash when the tests are collected; then each of
its writes becomes four tests: the process dies before the write, or after it; the write is done but its answer gets
lost; the service refuses it. The call that crashed is delivered again, as AWS does.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.fakes.effects import CRASH_MODES, CrashMode
from tests.fakes.published_journeys import Published, journey, published
from tests.fakes.world import CONTACT, Play, Step, World, event
from tests.segments.kept_rules import lifecycle, saved, tag_system
from waypost.channels.answers import Answer, RefusedForNow, RefusedMessage, Unclear
from waypost.clock import parse_instant
from waypost.events.envelope import Event
from waypost.events.listening import Listening
from waypost.journeys.sweep_journeys import SweepReport

MORNING = parse_instant("2027-03-01T10:00:00+08:00")
LATE_EVENING = parse_instant("2027-03-01T23:30:00+08:00")

BODY: tuple[Step, ...] = (
    ("send", "welcome", {}),
    ("pause", "Until day 3 at ten", {"until": {"day": 3, "at": "10:00"}}),
    ("send", "survey", {}),
    ("pause", "Until day 5 or an answer", {"until": {"day": 5, "at": "10:00"}, "or": {"event": "survey_answered"}}),
    ("send", "reminder", {}),
    ("pause", "Three hours", {"for": "3h"}),
)
AFTER: tuple[Step, ...] = (("send", "order_confirmation", {}),)


def signed_up(at: datetime, **more: Any) -> Event:
    profile = {
        "email": "lin@example.com",
        "phone": "+8613800000001",
        "name": "Lin",
        "locale": "en",
        "consent": {"email": True, "sms": True},
        "tags": ["new"],
        **more,
    }
    contact = {"user_id": "u-1", "anonymous_id": "a-1", "email": "lin@example.com"}
    return event("registered", at, contact=contact, profile=profile, coupon="GLOW15")


def a_reader_who_is_a_customer() -> tuple[Event, ...]:
    """A visitor signs up with a mail address, is known to the shop as a customer, and on the second day says so."""
    profile = signed_up(MORNING).profile
    address = {"email": "lin@example.com"}
    return (
        event("registered", MORNING, contact=address, profile=profile, coupon="GLOW15"),
        event("points_earned", days(0.5), contact={"user_id": "u-1"}, profile={"level": 2}, points=7),
        event("points_earned", days(2), contact={"user_id": "u-1", **address}, points=1),
    )


@dataclass(frozen=True, kw_only=True)
class Life:
    """What happens to a contact, and the trail it leaves; ``prepare`` may change the world before it begins.

    ``maintained`` are the rules that are kept true: segments, tags, lifecycle. ``pauses`` is how Pauses ended that no hop walks from.
    """

    events: tuple[Event, ...]
    trail: str
    pauses: str | None = None
    body: tuple[Step, ...] = BODY
    after: tuple[Step, ...] = AFTER
    published: Published = field(default_factory=published)
    maintained: Mapping[str, Any] = field(default_factory=dict)
    prepare: Callable[[World], object] | None = None

    def play(self, crash_at: int | None = None, mode: CrashMode = "before") -> tuple[World, Play]:
        world = World(published=self.published, **self.maintained)
        world.clock.now = self.events[0].occurred_at
        world.effects.crash_at, world.effects.mode = crash_at, mode
        if self.prepare is not None:
            self.prepare(world)
        play = Play(world, body=self.body, after=self.after)
        play.to_the_end(self.events)
        return world, play


def days(count: float) -> datetime:
    return MORNING + timedelta(days=count)


def instead(position: int, *steps: Step) -> tuple[Step, ...]:
    """The usual body with these steps put in."""
    return (*BODY[:position], *steps, *BODY[position:])


def last(state: str, payload: Mapping[str, Any], *ways: str) -> Step:
    """A Pause behind which nothing is left to do on these ways."""
    row = {"at": state, "input": {}, "variables": {}, "nothing_behind": list(ways)}
    return "pause", state, {**payload, "row": row}


def answered(count: int, answer: Answer) -> Callable[[World], object]:
    """The mail provider gives this answer first."""
    return lambda world: world.email.answers.extend([answer] * count)


def dated(at: datetime, renews_on: str | None) -> Event:
    """The date that the contact waits for becomes another one."""
    return event("identified", at, profile={"renews_on": renews_on})


RENEWAL: Step = ("pause", "renewal", {"until": {"date": "renews_on", "days": -2, "at": "10:00"}})
ANSWER: Step = ("event", "survey_answered", {"interest": "beauty"})
LEAVE: Step = ("event", "left_us", {})
DELIVERED: Step = ("report", "welcome", {"type": "message_delivered", "channel": "email"})
BOUNCED: Step = ("report", "welcome", {"type": "message_bounced", "channel": "email", "bounce_type": "transient"})
DAY_3, DAY_5, HOURS = "Until day 3 at ten", "Until day 5 or an answer", "Three hours"

NEWCOMERS = {"property": "segment", "equals": "newcomers"}
MAINTAINED = {
    "segments": saved(newcomers={"not": {"event": "order_placed"}}, answered={"event": "survey_answered"}),
    "tags": tag_system(new=None, keen={"segment": "answered", "within": "30d"}),
    "lifecycle": lifecycle(("active", ["lead"], {"tag": "keen"}), ("lead", [], {"not": {"tag": "keen"}})),
}
"""A stage that builds on a tag that builds on a segment."""

UNREAD = Listening(quiet=frozenset({"tag_added", "tag_removed", "lifecycle_changed"}))

LIVES = {
    "concludes_what_nothing_reads": Life(
        events=(signed_up(MORNING), event("survey_answered", days(3)), event("order_placed", days(3.1))),
        published=published(
            journey(
                trigger={"kind": "event", "event": "segment_entered", "where": NEWCOMERS},
                exit_on=[{"event": "segment_left", "where": NEWCOMERS}],
                goal=None,
            )
        ),
        maintained={**MAINTAINED, "listening": UNREAD},
        trail="welcome sent, day 3 elapsed, survey sent, day 5 event, reminder sent, hours JourneyExited,"
        " order_confirmation sent",
    ),
    "enters_and_leaves_segments": Life(
        events=(signed_up(MORNING), event("survey_answered", days(3)), event("order_placed", days(3.1))),
        published=published(
            journey(
                trigger={"kind": "event", "event": "segment_entered", "where": NEWCOMERS},
                exit_on=[{"event": "segment_left", "where": NEWCOMERS}],
                goal=None,
            )
        ),
        maintained=MAINTAINED,
        trail="welcome sent, day 3 elapsed, survey sent, day 5 event, reminder sent, hours JourneyExited,"
        " order_confirmation sent",
    ),
    "never_answers": Life(
        events=(signed_up(LATE_EVENING),),
        trail="welcome deferred, day 3 elapsed, survey sent, day 5 elapsed, reminder sent, hours elapsed",
    ),
    "puts_the_date_off_and_then_nearer": Life(
        events=(signed_up(MORNING, renews_on="2027-03-12"), dated(days(1), "2027-03-20"), dated(days(2), "2027-03-09")),
        body=(RENEWAL, ("send", "reminder", {})),
        trail="renewal elapsed, reminder sent",
    ),
    "moves_abroad_and_puts_the_date_into_the_past": Life(
        events=(
            signed_up(MORNING, renews_on="2027-03-12"),
            event("identified", days(1), profile={"timezone": "America/New_York"}),
            dated(days(2.6), "2027-03-02"),
        ),
        body=(RENEWAL, ("send", "reminder", {})),
        trail="renewal past, reminder sent",
    ),
    "takes_the_date_back": Life(
        events=(signed_up(MORNING, renews_on="2027-03-12"), dated(days(2), None)),
        body=(RENEWAL, ("send", "reminder", {})),
        trail="renewal no_date, reminder sent",
    ),
    "answers": Life(
        events=(signed_up(MORNING), event("survey_answered", days(3), interest="beauty")),
        trail="welcome sent, day 3 elapsed, survey sent, day 5 event, reminder sent, hours elapsed",
    ),
    "answers_before_the_journey_waits": Life(
        events=(signed_up(MORNING),),
        body=instead(3, ANSWER),
        trail="welcome sent, day 3 elapsed, survey sent, day 5 event, reminder sent, hours elapsed",
    ),
    "answers_once_to_two_questions": Life(
        events=(signed_up(MORNING), event("survey_answered", days(3))),
        body=(
            ("pause", "first", {"for": "9d", "or": {"event": "survey_answered"}}),
            ("pause", "second", {"for": "2d", "or": {"event": "survey_answered"}}),
        ),
        trail="first event, second elapsed",
    ),
    "orders": Life(
        events=(signed_up(MORNING), event("order_placed", days(4.1), coupon="GLOW15")),
        trail="welcome sent, day 3 elapsed, survey sent, day 5 elapsed, reminder sent, hours GoalReached,"
        " order_confirmation sent",
    ),
    "orders_before_a_deferred_message": Life(
        events=(
            signed_up(LATE_EVENING),
            event("order_placed", LATE_EVENING + timedelta(minutes=9), coupon="GLOW15"),
        ),
        trail="welcome deferred, day 3 GoalReached, order_confirmation sent",
    ),
    "leaves": Life(
        events=(signed_up(MORNING), event("left_us", days(1))), after=(), trail="welcome sent, day 3 JourneyExited"
    ),
    "leaves_with_nothing_left_to_do": Life(
        events=(signed_up(LATE_EVENING), event("left_us", LATE_EVENING + timedelta(minutes=9))),
        body=(("send", "welcome", {}), last(DAY_3, {"until": {"day": 3, "at": "10:00"}}, "JourneyExited")),
        trail="welcome deferred",
        pauses=f"{DAY_3}: left",
    ),
    "reaches_the_goal_with_nothing_left_to_do": Life(
        events=(signed_up(MORNING), event("order_placed", days(1), coupon="GLOW15")),
        body=(("send", "welcome", {}), last(DAY_3, {"until": {"day": 3, "at": "10:00"}}, "GoalReached")),
        after=(),
        trail="welcome sent",
        pauses=f"{DAY_3}: left",
    ),
    "ends_by_time_with_nothing_left_to_do": Life(
        events=(signed_up(MORNING),),
        body=(("send", "welcome", {}), last(HOURS, {"for": "3h"}, "over")),
        trail="welcome sent",
        pauses=f"{HOURS}: elapsed",
    ),
    "waits_longer_with_nothing_left_to_do": Life(
        events=(signed_up(MORNING, renews_on="2027-03-12"), dated(days(1), "2027-03-20"), dated(days(2), "2027-03-09")),
        body=(("send", "welcome", {}), last(*RENEWAL[1:], "over")),
        trail="welcome sent",
        pauses="renewal: elapsed",
    ),
    "leaves_before_the_journey_waits": Life(
        events=(signed_up(MORNING),),
        body=instead(3, LEAVE),
        trail="welcome sent, day 3 elapsed, survey sent, day 5 JourneyExited, order_confirmation sent",
    ),
    "unsubscribes": Life(
        events=(signed_up(MORNING), event("unsubscribed", days(1), channel="sms", topic="nurture")),
        trail="welcome sent, day 3 elapsed, survey skipped, day 5 elapsed, reminder sent, hours elapsed",
    ),
    "delivery_is_reported": Life(
        events=(signed_up(MORNING),),
        body=instead(1, DELIVERED, BOUNCED),
        trail="welcome sent, day 3 elapsed, survey sent, day 5 elapsed, reminder sent, hours elapsed",
    ),
    "is_capped": Life(
        events=(signed_up(MORNING),),
        published=published(sending={"frequency_cap": {"count": 1, "hours": 60}}),
        trail="welcome sent, day 3 elapsed, survey deferred, day 5 elapsed, reminder deferred, hours elapsed",
    ),
    "is_throttled": Life(
        events=(signed_up(MORNING),),
        prepare=answered(7, RefusedForNow("TooManyRequestsException")),
        trail="welcome deferred, day 3 elapsed, survey sent, day 5 elapsed, reminder sent, hours elapsed",
    ),
    "waits_for_a_message_that_waits_again": Life(
        events=(signed_up(LATE_EVENING),),
        body=(("send", "welcome", {}), ("pause", HOURS, {"for": "2h"}), ("send", "survey", {})),
        prepare=answered(6, RefusedForNow("TooManyRequestsException")),
        trail="welcome deferred, hours elapsed, survey sent",
    ),
    "is_rejected": Life(
        events=(signed_up(MORNING),),
        prepare=answered(1, RefusedMessage("MessageRejected")),
        trail="welcome rejected, day 3 elapsed, survey sent, day 5 elapsed, reminder sent, hours elapsed",
    ),
    "is_unclear": Life(
        events=(signed_up(MORNING),),
        prepare=answered(1, Unclear("http_500")),
        trail="welcome unknown, day 3 elapsed, survey sent, day 5 elapsed, reminder sent, hours elapsed",
    ),
    "ends_with_a_deferred_message": Life(
        events=(signed_up(LATE_EVENING),), body=(("send", "welcome", {}),), trail="welcome deferred"
    ),
    "earns_and_spends_points": Life(
        events=(
            signed_up(MORNING),
            event("points_earned", days(1), points=30),
            event("points_spent", days(2), points=12),
            event("points_earned", days(2.1), contact={"user_id": "u-1", "phone": "+8613800000009"}, points=5),
        ),
        trail="welcome sent, day 3 elapsed, survey sent, day 5 elapsed, reminder sent, hours elapsed",
    ),
    "turns_out_to_be_a_known_contact": Life(
        events=(*a_reader_who_is_a_customer(), event("survey_answered", days(3), interest="beauty")),
        trail="welcome sent, day 3 elapsed, survey sent, day 5 event, reminder sent, hours elapsed",
    ),
    "turns_out_to_have_ordered": Life(
        events=(
            event("order_placed", days(1), contact={"user_id": "u-1"}, coupon="GLOW15"),
            *a_reader_who_is_a_customer(),
        ),
        trail="welcome sent, day 3 GoalReached, order_confirmation sent",
    ),
    "enters_two_journeys": Life(
        events=(signed_up(MORNING),),
        body=(("send", "welcome", {}), ("pause", "day", {"for": "1d"}), ("send", "survey", {})),
        published=published(
            journey(re_entry={"kind": "always", "seconds": None, "property": None}),
            journey("members", exclusive_group="members", audience_limit=1, priority=5),
            journey("late_members", exclusive_group="members", priority=1),
        ),
        trail="welcome sent, day elapsed, survey sent",
    ),
}
STATES = {"day 3": DAY_3, "day 5": DAY_5, "hours": HOURS}


EXPECTED = {name: each.play() for name, each in LIVES.items()}


def cases() -> list[Any]:
    """Every write of every life, in every mode; lives that begin alike share the writes they have in common."""
    found, seen = [], set[tuple[str, ...]]()
    for name, (world, _) in EXPECTED.items():
        for index, effect in enumerate(world.effects.log):
            history = tuple(world.effects.log[: index + 1])
            if history in seen:
                continue
            seen.add(history)
            found += [pytest.param(name, index, mode, id=f"{name}-{index:03d}-{effect}-{mode}") for mode in CRASH_MODES]
    return found


def facts(world: World, play: Play) -> dict[str, Any]:
    """What must be the same with and without a crash, but for what a provider says of a message it never got."""
    notices = {event_id for _, event_id in world.history.routed if event_id.startswith("e-email_")}
    return {
        "contacts": {key: world.contacts[key].to_dict() | {"version": 0} for key in world.contacts.items},
        "executions": world.machines.executions,
        "enrolments": {each.enrolment_id: (each.status, each.outcome) for each in world.enrolments},
        "pauses": {each.enrolment_id: [(past.state, past.end) for past in each.trail] for each in world.enrolments},
        "routed": _without_versions({event_id for _, event_id in world.history.routed} - notices),
        "queued": _without_versions(world.queue.events),
        "recorded": _without_versions({place.partition("#")[2] for _, place in world.history.events} - notices),
        "published": _without_versions({each.id for _, each in world.bus.published} - notices),
        "steps": {name: [step.rpartition(": ")[0] for step in trail] for name, trail in play.trail.items()},
    }


def _without_versions(event_ids: Iterable[str]) -> list[str]:
    """The ids, with each merge counted, and not how often its contacts had been written until then."""
    return sorted("contacts-merged" if each.startswith("contacts-merged-") else each for each in set(event_ids))


@pytest.mark.parametrize("name", LIVES)
def test_a_life_without_a_crash_leaves_its_trail_and_nothing_open(name: str) -> None:
    world, play = EXPECTED[name]
    steps = [step.rsplit(" ", 1) for step in LIVES[name].trail.split(", ")]
    trail = [f"{STATES.get(state, state)}: {outcome}" for state, outcome in steps]
    assert play.trail == {each.enrolment_id: trail for each in world.enrolments}
    assert len(play.trail) == len(world.enrolments) > 0
    assert {each.status for each in world.enrolments} == {"ended"}
    if LIVES[name].pauses is not None:
        (enrolment,) = world.enrolments
        assert ", ".join(f"{past.state}: {past.end}" for past in enrolment.trail) == LIVES[name].pauses
        assert len(world.machines.executions) == 1, "no hop walks where nothing is left to do"
    assert not any(row.state in {"claimed", "deferred"} for row in world.ledger)
    assert all(row.decisions for row in world.ledger)


@pytest.mark.parametrize("name", ["enters_and_leaves_segments", "concludes_what_nothing_reads"])
def test_a_life_with_segments_ends_with_all_of_them_true(name: str) -> None:
    world, _ = EXPECTED[name]
    (contact,) = (world.contacts[key] for key in world.contacts.items)
    assert (set(contact.segments), set(contact.tags)) == ({"answered"}, {"new", "keen"})
    assert contact.lifecycle == "active"


def test_what_nothing_reads_is_stored_with_the_profile_it_changes_and_differs_in_nothing_else() -> None:
    (routed, _), (quiet, _) = EXPECTED["enters_and_leaves_segments"], EXPECTED["concludes_what_nothing_reads"]
    unread = set(routed.queue.events) - set(quiet.queue.events)
    assert {routed.queue.events[event_id].type for event_id in unread} == {"tag_added", "lifecycle_changed"}
    assert set(quiet.queue.events) < set(routed.queue.events)

    def stored(world: World) -> dict[str, Any]:
        return {
            each.id: (each.type, each.occurred_at, each.properties) for each in world.history.since(CONTACT, MORNING)
        }

    assert stored(quiet) == stored(routed)
    (one,), (other,) = (
        [world.contacts[key].to_dict() | {"version": 0} for key in world.contacts.items] for world in (quiet, routed)
    )
    assert one == other


@pytest.mark.parametrize(("name", "index", "mode"), cases())
def test_a_crash_at_any_write_changes_nothing(name: str, index: int, mode: CrashMode) -> None:
    expected_world, expected_play = EXPECTED[name]
    world, play = LIVES[name].play(crash_at=index, mode=mode)
    assert world.effects.crashed

    assert facts(world, play) == facts(expected_world, expected_play)
    unknown = 0
    for key, expected in ((row.message_key, row) for row in expected_world.ledger):
        row = world.ledger[key]
        if row.state != expected.state:
            assert row.state == "unknown"
            unknown += 1
        calls = world.email.risky_calls(key) + world.sms.risky_calls(key)
        assert calls <= 1
        if row.state in {"accepted", "delivered", "bounced"}:
            assert calls == 1
        assert row.decisions
    assert len(world.ledger.rows) == len(expected_world.ledger.rows)
    assert unknown <= 1, "one crash can leave at most one message in doubt"
    world.clock.advance(days=2)
    assert world.sweep() == SweepReport()
