"""Pauses that end by time, and what the sweeper makes good."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from tests.fakes.effects import CRASH_MODES, Crash, CrashMode
from tests.fakes.world import CONTACT, World, event, pause_payload, send_request
from waypost import ids
from waypost.channels.answers import RefusedForNow
from waypost.clock import format_instant, parse_instant
from waypost.errors import ContactNotFound, RetryableError, TemporarilyUnavailable
from waypost.journeys.enrolment import Enrolment, Failure
from waypost.journeys.ports import SHARDS
from waypost.journeys.sweep_journeys import GRACE, MOST_ATTEMPTS, SweepReport
from waypost.journeys.timers import minute_of
from waypost.reports.journey_graph import JourneyGraph, Step, Way
from waypost.sending.request import SendRequest

ELAPSED = {"outcome": "elapsed"}
NOTHING = SweepReport()


def timer(world: World) -> dict[str, object]:
    """What the timer of the one contact who has parked calls with."""
    (enrolment,) = world.enrolments
    assert enrolment.pause is not None
    minute = format_instant(minute_of(enrolment.pause.due_at))
    return {"minute": minute, "shard": ids.shard_of(enrolment.contact_id, SHARDS)}


def test_a_schedule_resumes_the_journey_at_its_time(world: World, enrolment: Enrolment) -> None:
    pause = world.park(enrolment, {"for": "2d"})
    world.fire_next()
    assert world.clock() == parse_instant("2027-03-03T02:00:00Z")
    assert world.answers[pause] == ELAPSED


def test_a_timer_that_fires_twice_starts_the_hop_again_until_it_is_taken(world: World, enrolment: Enrolment) -> None:
    world.park(enrolment, {"for": "2d"})
    world.fire_next(sets_out=False)
    assert world.resume_journey.resume(timer(world)) == {"resumed": 1}
    assert len(world.machines) == 1
    world.set_out()
    assert world.resume_journey.resume(timer(world)) == {"already_over": 1}


def test_a_timer_that_fires_after_an_event_changes_nothing(world: World, enrolment: Enrolment) -> None:
    pause = world.park(enrolment, {"for": "2d", "or": {"event": "survey_answered"}})
    fires = timer(world)
    world.route(event("survey_answered", world.clock()))
    world.clock.advance(days=2)
    assert world.resume_journey.resume(fires) == {"already_over": 1}
    assert world.resume_journey.resume_one(CONTACT, enrolment.enrolment_id) == "already_over"
    assert world.answers[pause]["outcome"] == "event"


def test_a_timer_that_fires_too_early_is_booked_again(world: World, enrolment: Enrolment) -> None:
    pause = world.park(enrolment, {"for": "2d"})
    world.schedules.booked.clear()
    assert world.resume_journey.resume(timer(world)) == {"not_due": 1}
    assert pause not in world.answers
    assert len(world.schedules) == 1


def test_a_timer_of_nothing_resumes_nothing(world: World) -> None:
    assert world.resume_journey.resume({"minute": format_instant(world.clock()), "shard": 0}) == {}
    assert world.resume_journey.resume_one(CONTACT, "n-1") == "already_over"


def test_many_who_are_due_at_the_same_minute_are_paced_and_the_rest_is_for_a_later_call(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("waypost.journeys.resume_journey.BATCH", 4)
    monkeypatch.setattr("waypost.journeys.resume_journey.MOST_AT_ONCE", 8)
    contacts = [f"c-{number}" for number in range(800) if ids.shard_of(f"c-{number}", SHARDS) == 3][:19]
    for contact in contacts:
        world.have_contact(contact, identities={})
        world.park(world.have_enrolment(contact), {"for": "2d"})
    assert len(world.schedules) == 1
    calls = 0
    while len(world.schedules):
        before = len(world.machines)
        world.fire_next()
        calls += 1
        assert len(world.machines) - before <= 8
    assert (calls, len(world.machines), world.machines.calls) == (3, 19, 19)
    assert world.naps[:2] == [4 / 300, 4 / 300]


def test_a_pause_is_postponed_when_its_message_is_deferred_once_more(world: World, enrolment: Enrolment) -> None:
    world.clock.set("2027-03-01T23:30:00+08:00")
    request = send_request(enrolment, "welcome", state="welcome")
    world.send(enrolment, "welcome")
    pause = world.park(enrolment, {"for": "2h"})
    assert world.stored(enrolment).due_at == parse_instant("2027-03-02T10:00:00+08:00")
    world.email.answers = [RefusedForNow("TooManyRequestsException")] * 6
    world.fire_next()  # 08:00, throttled for some minutes
    world.fire_next()  # throttled for some more
    world.fire_next()  # sent
    sent_at = world.clock()
    assert parse_instant("2027-03-02T08:00:00+08:00") < sent_at < parse_instant("2027-03-02T10:00:00+08:00")
    assert world.ledger[request.message_key].state == "accepted"
    world.fire_next()
    assert world.clock() == parse_instant("2027-03-02T10:00:00+08:00")
    assert pause not in world.answers
    row = world.stored(enrolment)
    assert row.position == "parked"
    # a schedule fires at a whole second
    assert row.due_at is not None
    assert timedelta() <= sent_at + timedelta(hours=2) - row.due_at < timedelta(seconds=1)
    world.fire_next()
    assert world.clock() >= row.due_at
    assert world.answers[pause] == ELAPSED
    assert len(world.schedules) == 0


def test_a_pause_until_a_time_of_day_is_not_postponed_without_need(world: World, enrolment: Enrolment) -> None:
    pause = world.park(enrolment, {"until": {"day": 3, "at": "10:00"}})
    world.enrolments.hold_until(CONTACT, enrolment.enrolment_id, world.clock() + timedelta(hours=9))
    world.fire_next()
    assert world.answers[pause] == ELAPSED


def test_a_postponed_pause_may_still_be_ended_by_its_event(world: World, enrolment: Enrolment) -> None:
    pause = world.park(enrolment, {"for": "2h", "or": {"event": "survey_answered"}})
    world.enrolments.hold_until(CONTACT, enrolment.enrolment_id, world.clock() + timedelta(hours=9))
    world.fire_next()
    assert len(world.schedules) == 1
    world.route(event("survey_answered", world.clock()))
    assert world.answers[pause]["outcome"] == "event"


def test_a_contact_who_lost_the_date_meanwhile_is_resumed_with_that_outcome(world: World) -> None:
    world.have_contact(attributes={"birthday": "2027-03-03"}, version=1)
    enrolment = world.have_enrolment()
    pause = world.park(enrolment, {"until": {"date": "birthday", "at": "10:00"}})
    world.have_contact(attributes={}, version=2)
    world.fire_next()
    assert world.answers[pause] == {"outcome": "no_date"}


@pytest.mark.parametrize(
    ("until", "before", "after", "expected"),
    [
        ({"date": "ends_on", "days": -1, "at": "10:00"}, "2027-03-07", "2027-03-17", "2027-03-16T10:00+08:00"),
        ({"date": "ends_on", "hours": -36}, "2027-03-07", "2027-03-17T12:00:00Z", "2027-03-16T08:00+08:00"),
        ({"anniversary": "ends_on", "at": "10:00"}, "1990-03-07", "1990-02-20", "2028-02-20T10:00+08:00"),
        ({"anniversary": "ends_on", "at": "10:00"}, "1990-03-07", "1992-02-29", "2028-02-29T10:00+08:00"),
    ],
)
def test_a_date_that_was_changed_unseen_is_read_once_more_at_resume(
    until: dict[str, object], before: str, after: str, expected: str
) -> None:
    world = World()
    world.have_contact(attributes={"ends_on": before}, version=1)
    enrolment = world.have_enrolment()
    pause = world.park(enrolment, {"until": until})
    world.have_contact(attributes={"ends_on": after}, version=2)
    world.fire_next()
    assert pause not in world.answers
    world.fire_next()
    assert world.clock() == parse_instant(expected.replace("+", ":00+"))
    assert world.answers[pause] == ELAPSED
    assert len(world.schedules) == 0


def test_an_old_glance_at_a_contact_moves_no_pause(world: World) -> None:
    old = world.have_contact(attributes={"ends_on": "2027-03-27"}, version=1)
    world.have_contact(attributes={"ends_on": "2027-03-07"}, version=2)
    pause = world.park(world.have_enrolment(), {"until": {"date": "ends_on", "at": "10:00"}})
    world.contacts.old_glances[CONTACT] = old
    world.fire_next()
    assert world.answers[pause] == ELAPSED
    assert len(world.schedules) == 0


# The sweeper


def test_with_everything_in_order_the_sweeper_finds_nothing(world: World, enrolment: Enrolment) -> None:
    world.send(enrolment, "welcome")
    world.park(enrolment, {"for": "2d"})
    world.clock.advance(days=1)
    assert world.sweep() == NOTHING
    world.fire_next()
    assert world.sweep() == NOTHING
    world.close(enrolment)
    world.clock.advance(days=1)
    assert world.sweep() == NOTHING


def test_a_pause_whose_schedule_got_lost_is_resumed(world: World, enrolment: Enrolment) -> None:
    pause = world.park(enrolment, {"for": "2d"})
    world.schedules.booked.clear()
    world.clock.advance(days=2)
    world.clock.now += GRACE
    assert world.sweep() == NOTHING, "a schedule may be that late"
    world.clock.advance(seconds=1)
    assert world.sweep() == SweepReport(overdue_pauses=1)
    assert world.answers[pause] == ELAPSED
    assert world.sweep() == NOTHING


@pytest.mark.parametrize("mode", CRASH_MODES)
@pytest.mark.parametrize("effect", ["enrolments.save", "machines.start"])
def test_a_resume_that_crashed_for_good_is_made_good(effect: str, mode: CrashMode) -> None:
    world = World()
    world.have_contact()
    pause = world.park(world.have_enrolment(), {"for": "2d"})
    world.clock.advance(days=2)
    world.effects.crash_on, world.effects.mode = effect, mode
    (parked,) = world.enrolments
    asks = pause_payload(parked.setting_out(world.clock()), "Until later", **{"for": "2d"})

    def timer_and_hop() -> None:
        world.resume_journey.resume(timer(world))
        world.pause_journey.ask(asks)

    with pytest.raises((Crash, RetryableError)):
        timer_and_hop()
    world.clock.advance(hours=1)
    report = world.sweep()
    assert report.overdue_pauses + report.lost_hops == 1
    assert world.answers[pause] == ELAPSED
    assert world.sweep() == NOTHING


@pytest.mark.parametrize("mode", CRASH_MODES)
@pytest.mark.parametrize(
    ("happening", "effect"),
    [
        ("survey_answered", "enrolments.save"),
        ("survey_answered", "machines.start"),
        ("left_us", "enrolments.save"),
        ("left_us", "machines.start"),
    ],
)
def test_a_router_that_crashed_for_good_leaves_no_journey_parked_for_ever(
    happening: str, effect: str, mode: CrashMode
) -> None:
    world = World()
    world.have_contact()
    pause = world.park(world.have_enrolment(), {"for": "2d", "or": {"event": "survey_answered"}})
    world.effects.crash_on, world.effects.mode = effect, mode
    with pytest.raises((Crash, RetryableError)):
        world.route_events.route(event(happening, world.clock()))
    world.schedules.booked.clear()
    world.clock.advance(days=2, hours=1)
    world.sweep()
    assert pause in world.answers


def test_a_hop_that_died_is_given_out_again_from_where_it_came(world: World, enrolment: Enrolment) -> None:
    world.park(enrolment, {"for": "2d"})
    world.fire_next()
    first = world.walking(enrolment)
    world.clock.now += GRACE
    assert world.sweep() == NOTHING, "a hop may still walk"
    world.clock.advance(seconds=1)
    assert world.sweep() == SweepReport(lost_hops=1)
    again = world.stored(enrolment)
    assert again.hop.id != first.hop.id
    assert again.execution_input()["hop"]["at"] == "Until later"
    assert world.sweep() == NOTHING


def test_a_first_hop_that_was_never_started_is_given_out_by_the_sweep(world: World) -> None:
    world.effects.crash_on, world.effects.mode = "machines.start", "before"
    with pytest.raises(Crash):
        world.route_events.route(event("registered", world.clock(), "e-1"))
    assert len(world.machines) == 0
    world.clock.advance(hours=1)
    assert world.sweep() == SweepReport(lost_hops=1)
    assert len(world.machines) == 1


def test_a_hop_that_dies_every_time_ends_the_journey_as_failed(world: World, enrolment: Enrolment) -> None:
    world.park(enrolment, {"for": "2d"})
    world.fire_next()
    reports = []
    for _ in range(MOST_ATTEMPTS):
        world.walking(enrolment)
        world.clock.advance(hours=1)
        reports.append(world.sweep())
    lost = SweepReport(lost_hops=1)
    assert reports == [lost] * (MOST_ATTEMPTS - 1) + [SweepReport(journeys_given_up=1)]
    ended = world.stored(enrolment)
    assert (ended.status, ended.outcome) == ("ended", "failed")
    assert ended.failure is not None
    assert (ended.failure.state, ended.failure.error) == ("Until later", "HopDied")
    (emitted,) = [each for each in world.queue.events.values() if each.type == "journey_ended"]
    assert emitted.properties["error"] == "HopDied"
    assert world.sweep() == NOTHING


def test_a_hop_that_is_interrupted_every_time_ends_the_journey_with_the_state_and_the_error(
    world: World, enrolment: Enrolment
) -> None:
    world.park(enrolment, {"for": "2d"})
    world.fire_next()
    for _ in range(MOST_ATTEMPTS):
        world.close(world.walking(enrolment), "interrupted", state="Thank them", error="States.Timeout", cause="")
        world.clock.advance(hours=1)
        world.sweep()
    assert world.stored(enrolment).failure == Failure("Thank them", "States.Timeout", f"(tried {MOST_ATTEMPTS} times)")


def failure_of_what_gets_nowhere(world: World, enrolment: Enrolment, *, walks: bool = True) -> Failure:
    """The failure of a journey whose hop gets nowhere, as often as the sweep gives it out."""
    for _ in range(MOST_ATTEMPTS):
        if walks:
            world.walking(enrolment)
        world.clock.advance(hours=1)
        world.sweep()
    failure = world.stored(enrolment).failure
    assert failure is not None
    return failure


def test_a_hop_that_died_as_a_whole_says_where_it_may_have_been_and_where_its_end_is_found(
    world: World, enrolment: Enrolment
) -> None:
    steps = tuple(Step(name, "task") for name in ("Count", "Sort", "Add", "Look up", "Ask", "Thank", "Note"))
    names = ["Until later", *(step.name for step in steps)]
    ways = tuple(Way(before, after) for before, after in pairwise(names))
    start = Step("Until later", "pause")
    world.graphs[enrolment.journey] = JourneyGraph(enrolment.journey, 1, start.name, (start, *steps), ways)
    world.park(enrolment, {"for": "2d"})
    world.fire_next()
    failure = failure_of_what_gets_nowhere(world, enrolment)
    last = ids.execution_name(enrolment.journey, world.stored(enrolment).hop.id)
    assert (failure.state, failure.error) == ("Until later", "HopDied")
    assert "'Count', 'Sort', 'Add', 'Look up', 'Ask', 'Thank' and 1 more may follow there" in failure.cause
    assert f'/aws/vendedlogs/states/<stage>-journeys for "{last}"' in failure.cause
    for end in ("ExecutionTimedOut: five minutes", "put a Pause between", "States.DataLimitExceeded", "States.Runtime"):
        assert end in failure.cause
    assert last in world.machines


def test_a_first_hop_that_died_as_a_whole_in_a_journey_that_is_not_deployed_any_more(
    world: World, enrolment: Enrolment
) -> None:
    failure = failure_of_what_gets_nowhere(world, enrolment)
    assert (failure.state, failure.error) == ("", "HopDied")
    assert failure.cause.startswith("the way since the start of the journey was begun 5 times and never came to")
    assert "deployed version" not in failure.cause


def test_a_hop_that_no_execution_takes_is_told_from_one_that_died(world: World, enrolment: Enrolment) -> None:
    world.clock.advance(hours=1)
    failure = failure_of_what_gets_nowhere(world, enrolment, walks=False)
    last = ids.execution_name(enrolment.journey, world.stored(enrolment).hop.id)
    assert failure.error == "HopNeverBegan"
    assert f'"{last}"' in failure.cause
    assert "five minutes" not in failure.cause


def test_what_interrupted_a_hop_that_then_went_on_is_not_why_a_later_one_died(
    world: World, enrolment: Enrolment
) -> None:
    world.close(world.walking(enrolment), "interrupted", state="Thank them", error="States.Timeout", cause="")
    world.clock.advance(hours=1)
    world.sweep()
    world.park(enrolment, {"for": "2d"})
    assert world.stored(enrolment).failure is None
    world.fire_next()
    assert failure_of_what_gets_nowhere(world, enrolment).error == "HopDied"


def test_one_pause_that_cannot_be_resumed_does_not_keep_the_others_waiting(
    world: World, enrolment: Enrolment, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = world.have_enrolment("c-gone")
    world.have_contact("c-gone", identities={})
    world.park(stranger, {"for": "1d"})
    start = world.machines.start

    def refuses(machine: str, name: str, given: Mapping[str, Any]) -> None:
        if given["contact_id"] == "c-gone":
            raise TemporarilyUnavailable("the machine takes nothing")
        start(machine, name, given)

    monkeypatch.setattr(world.machines, "start", refuses)
    pause = world.park(enrolment, {"for": "1d"})
    claimed = send_request(enrolment, "welcome", state="welcome")
    world.ledger.claim(claimed, channel="email", claim_id="claim-1", at=world.clock(), local_time="", touches=None)
    world.schedules.booked.clear()
    world.clock.advance(days=3)
    with pytest.raises(TemporarilyUnavailable):
        world.sweep_journeys.sweep()
    world.set_out()
    assert world.answers[pause] == ELAPSED
    assert world.ledger[claimed.message_key].state == "unknown"


def test_a_hop_of_a_contact_who_is_gone_ends_no_pause_whose_time_depends_on_them(world: World) -> None:
    stranger = world.have_enrolment("c-gone", anchor_at=world.clock() + timedelta(days=1))
    world.have_contact("c-gone", identities={})
    world.park(stranger, {"for": "1d"})
    world.enrolments.hold_until("c-gone", stranger.enrolment_id, world.clock() + timedelta(days=9))
    world.contacts.items.pop("c-gone")
    world.clock.advance(days=3)
    begins = pause_payload(world.stored(stranger).setting_out(world.clock()), "Until later", **{"for": "1d"})
    with pytest.raises(ContactNotFound):
        world.pause_journey.ask(begins)
    assert world.stored(stranger).position == "parked"


def test_a_timer_writes_nothing_and_the_hop_ends_its_pause_as_it_takes_the_row(
    world: World, enrolment: Enrolment
) -> None:
    world.park(enrolment, {"for": "2d"})
    parked = world.stored(enrolment)
    world.fire_next(sets_out=False)
    assert world.stored(enrolment) == parked
    world.set_out()
    taken = world.stored(enrolment)
    assert taken.revision == parked.revision + 1
    assert (taken.position, taken.trail[-1].end) == ("running", "elapsed")
    assert taken.hop.taken_by


def test_of_doubled_hops_that_a_timer_started_one_walks(world: World, enrolment: Enrolment) -> None:
    world.park(enrolment, {"for": "2d"})
    world.clock.advance(days=2)
    hop = world.stored(enrolment).setting_out(world.clock())
    first, second = (pause_payload(hop, "Until later", double, **{"for": "2d"}) for double in (0, 1))
    assert world.pause_journey.ask(first) == {"status": "over", "result": ELAPSED}
    assert world.pause_journey.ask(second) == {"status": "parked"}
    assert world.pause_journey.ask(first) == {"status": "over", "result": ELAPSED}, "its answer was lost"


def test_a_hop_that_comes_before_its_time_or_from_another_place_ends_no_pause(
    world: World, enrolment: Enrolment
) -> None:
    world.park(enrolment, {"for": "2d"})
    parked = world.stored(enrolment)
    early = pause_payload(parked.setting_out(world.clock()), "Until later", **{"for": "2d"})
    assert world.pause_journey.ask(early) == {"status": "parked"}
    world.clock.advance(days=2)
    other = pause_payload(parked, "Until later", **{"for": "2d"})
    assert world.pause_journey.ask(other) == {"status": "parked"}, "the hop that has parked it is over"
    assert world.stored(enrolment) == parked


def test_a_claim_that_cannot_be_given_up_now_is_given_up_by_the_next_sweep(world: World, enrolment: Enrolment) -> None:
    requests = [send_request(enrolment, state, state=state) for state in ("welcome", "survey")]
    for number, request in enumerate(requests):
        claim = {"channel": "email", "claim_id": f"claim-{number}", "local_time": ""}
        world.ledger.claim(request, at=world.clock(), touches=None, **claim)
    world.park(enrolment, {"for": "9d"})
    world.clock.advance(hours=1)
    world.effects.crash_on, world.effects.mode = "ledger.give_up_claim", "refused"
    with pytest.raises(TemporarilyUnavailable):
        world.sweep_journeys.sweep()
    assert sorted(world.ledger.states().values()) == ["claimed", "unknown"]
    assert world.sweep() == SweepReport(unknown_messages=1)


def test_a_claim_nobody_answered_for_becomes_unknown_and_is_counted(world: World, enrolment: Enrolment) -> None:
    request = send_request(enrolment, "welcome", state="welcome")
    world.effects.crash_on, world.effects.mode = "email.send", "after"
    with pytest.raises(Crash):
        world.send_message.send(request)
    world.park(enrolment, {"for": "9d"})
    world.clock.now += GRACE
    assert world.sweep() == NOTHING
    world.clock.advance(seconds=1)
    assert world.sweep() == SweepReport(unknown_messages=1)
    assert world.ledger[request.message_key].state == "unknown"
    assert world.sweep() == NOTHING
    assert world.send_message.send(replace(request, visit=None)).outcome == "unknown"
    assert world.email.calls.total() == 1


def died_while_sending(world: World, enrolment: Enrolment) -> SendRequest:
    """The request of a hop that died between its claim and the provider's answer, and whose failure nothing catches."""
    request = send_request(world.walking(enrolment), "welcome", state="welcome", fails_hop=True)
    world.effects.crash_on, world.effects.mode = "email.send", "after"
    with pytest.raises(Crash):
        world.send_message.send(request)
    return request


@pytest.mark.parametrize("leaves", [False, True])
def test_what_a_dead_hop_claimed_becomes_unknown_and_is_counted_with_the_hop(
    world: World, enrolment: Enrolment, leaves: bool
) -> None:
    request = died_while_sending(world, enrolment)
    if leaves:
        world.route(event("left_us", world.clock()))
    world.clock.now += GRACE
    assert world.sweep() == NOTHING
    world.clock.advance(seconds=1)
    assert world.sweep() == SweepReport(lost_hops=1, unknown_messages=1)
    assert world.ledger[request.message_key].state == "unknown"
    assert world.sweep() == NOTHING


@pytest.mark.parametrize("mode", CRASH_MODES)
def test_a_sweep_that_crashes_at_what_a_dead_hop_claimed_leaves_it_to_the_next(mode: CrashMode) -> None:
    world = World()
    world.have_contact()
    request = died_while_sending(world, world.have_enrolment())
    world.clock.advance(hours=1)
    world.effects.crash_on, world.effects.mode = "ledger.give_up_claim", mode
    world.sweep()
    assert world.ledger[request.message_key].state == "unknown"
    assert len(world.ledger[request.message_key].decisions) == 1


def test_what_a_hop_claimed_that_is_given_up_or_fails_or_is_stopped_becomes_unknown() -> None:
    def given_up(world: World, enrolment: Enrolment) -> None:
        row = world.stored(enrolment)
        world.enrolments.put(replace(row, hop=replace(row.hop, attempt=MOST_ATTEMPTS)))
        world.clock.advance(hours=1)
        assert world.sweep() == SweepReport(journeys_given_up=1, unknown_messages=1)

    def fails(world: World, enrolment: Enrolment) -> None:
        world.clock.advance(seconds=1)
        world.close(enrolment, "failed", state="welcome", error="Lambda.Unknown")

    def is_stopped(world: World, enrolment: Enrolment) -> None:
        world.clock.advance(seconds=1)
        who, journey = {"contact_id": CONTACT}, enrolment.journey
        request = {"action": "stop", "contact": who, "journey": journey, "reason": "asked", "by": "ops"}
        world.stop_journey.act(request)

    for ends in (given_up, fails, is_stopped):
        world = World()
        world.have_contact()
        enrolment = world.have_enrolment()
        request = died_while_sending(world, enrolment)
        ends(world, enrolment)
        assert world.stored(enrolment).status == "ended"
        assert world.ledger[request.message_key].state == "unknown"


def test_a_report_can_be_written_down() -> None:
    assert SweepReport(overdue_pauses=1, lost_hops=2, journeys_given_up=3, unknown_messages=4).to_dict() == {
        "overdue_pauses": 1,
        "lost_hops": 2,
        "journeys_given_up": 3,
        "unknown_messages": 4,
        "released": 0,
    }
