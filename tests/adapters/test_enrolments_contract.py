"""What every EnrolmentStore must do."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.adapters.stores import Stores
from tests.fakes.clock import FakeClock
from tests.fakes.enrolments import FakeEnrolments
from waypost import ids
from waypost.aws.enrolment_row import ended_sk
from waypost.journeys.enrolment import Enrolment, EnrolmentOutcome, Failure, TriggerEvent, first_hop
from waypost.journeys.pause import Pause
from waypost.journeys.ports import NEVER, SHARDS, DueEnrolment, EntryTerms
from waypost.sending.occasion import HopVisit

ONE = EntryTerms(one_at_a_time=True)
DAY = timedelta(days=1)


def enrolment(clock: FakeClock, occasion: str = "once", contact: str = "c-1", **changes: Any) -> Enrolment:
    journey = str(changes.get("journey", "nurture"))
    fields: dict[str, Any] = {
        "enrolment_id": ids.enrolment_id(journey, contact, occasion),
        "contact_id": contact,
        "journey": journey,
        "version": 1,
        "trigger": TriggerEvent(f"e-{occasion}", "registered", clock(), {"coupon": "GLOW15", "total": 9.5}),
        "enrolled_at": clock(),
        "correlation_id": "r-1",
    }
    fields |= {"hop": first_hop(fields["enrolment_id"], clock()), "due_at": clock()}
    return Enrolment(**fields | changes)


def stored(stores: Stores, known: Enrolment) -> Enrolment:
    found = stores.enrolments.load(known.contact_id, known.enrolment_id)
    assert found is not None
    return found


def end(stores: Stores, known: Enrolment, outcome: EnrolmentOutcome, clock: FakeClock) -> bool:
    return stores.enrolments.end(stored(stores, known).ended(outcome, clock()))


def parked(known: Enrolment, clock: FakeClock, **until: float) -> Enrolment:
    """The contact at a Pause."""
    due = clock() + timedelta(**until)
    row = {"at": "Until day 3", "input": {"interest": "beauty"}, "variables": {"round_number": 1}}
    waits_for = {"event": "survey_answered", "where": {"property": "total", "at_least": 1}}
    pause = Pause("p-1", "Until day 3", 1, {"for": "2d"}, due, clock(), row=row, waits_for=waits_for)
    return known.parked(pause)


def leaving_event(clock: FakeClock, name: str = "e-order") -> TriggerEvent:
    return TriggerEvent(name, "order_placed", clock(), {"coupon": "GLOW15"})


def test_an_opened_enrolment_comes_back_as_it_was(stores: Stores, clock: FakeClock) -> None:
    opened = enrolment(clock)
    assert stores.enrolments.open(opened, ONE) is None
    assert stored(stores, opened) == replace(opened, revision=1)
    assert stores.enrolments.unfinished("c-1") == [replace(opened, revision=1)]
    assert stores.enrolments.unfinished("c-2") == []
    assert stores.enrolments.load("c-1", "n-unknown") is None


def test_all_enrolments_of_a_contact_are_found_whatever_became_of_them(stores: Stores, clock: FakeClock) -> None:
    several = EntryTerms(one_at_a_time=False)
    first, second = enrolment(clock, "first"), enrolment(clock, "second", journey="win-back")
    for each in (first, second, enrolment(clock, contact="c-2")):
        stores.enrolments.open(each, several)
    end(stores, first, "completed", clock)
    found = {each.journey: (each.status, each.outcome) for each in stores.enrolments.of_contact("c-1")}
    assert found == {"nurture": ("ended", "completed"), "win-back": ("active", None)}
    assert stores.enrolments.of_contact("c-3") == []


def test_opening_for_the_same_event_again_is_no_refusal(stores: Stores, clock: FakeClock) -> None:
    terms = EntryTerms(one_at_a_time=True, exclusive_group="onboarding", audience_limit=1)
    first = enrolment(clock, exclusive_group="onboarding")
    assert stores.enrolments.open(first, terms) is None
    clock.advance(hours=1)
    assert stores.enrolments.open(enrolment(clock, exclusive_group="onboarding", trigger=first.trigger), terms) is None
    assert stored(stores, first) == replace(first, revision=1)


def test_the_same_occasion_by_another_event_is_refused(stores: Stores, clock: FakeClock) -> None:
    stores.enrolments.open(enrolment(clock), ONE)
    again = enrolment(clock, trigger=TriggerEvent("e-other", "registered", clock()))
    assert stores.enrolments.open(again, ONE) == "enrolled_before"


def test_a_second_enrolment_waits_for_the_end_of_the_first(stores: Stores, clock: FakeClock) -> None:
    first = enrolment(clock, "one")
    assert stores.enrolments.open(first, ONE) is None
    assert stores.enrolments.open(enrolment(clock, "two"), ONE) == "already_in_journey"
    assert stores.enrolments.save(stored(stores, first).left("goal", leaving_event(clock)))
    assert stores.enrolments.open(enrolment(clock, "three"), ONE) == "already_in_journey"
    assert end(stores, first, "goal", clock)
    assert stores.enrolments.open(enrolment(clock, "four"), ONE) is None


def test_without_the_one_at_a_time_rule_several_are_open_together(stores: Stores, clock: FakeClock) -> None:
    several = EntryTerms(one_at_a_time=False)
    assert stores.enrolments.open(enrolment(clock, "order=1"), several) is None
    assert stores.enrolments.open(enrolment(clock, "order=2"), several) is None
    assert len(stores.enrolments.unfinished("c-1")) == 2


@pytest.mark.parametrize(("days_later", "refusal"), [(29, "enrolled_before"), (30, None), (31, None)])
def test_re_entry_is_possible_when_the_earlier_enrolment_is_old_enough(
    stores: Stores, clock: FakeClock, days_later: int, refusal: str | None
) -> None:
    first = enrolment(clock, "one")
    stores.enrolments.open(first, ONE)
    clock.now += DAY
    end(stores, first, "completed", clock)
    clock.now = first.enrolled_at + days_later * DAY
    terms = EntryTerms(one_at_a_time=True, not_since=clock() - 30 * DAY)
    assert stores.enrolments.open(enrolment(clock, "two"), terms) == refusal


def test_re_entry_after_a_time_still_waits_for_the_end_of_the_first(stores: Stores, clock: FakeClock) -> None:
    stores.enrolments.open(enrolment(clock, "one"), ONE)
    clock.now += 31 * DAY
    terms = EntryTerms(one_at_a_time=True, not_since=clock() - 30 * DAY)
    assert stores.enrolments.open(enrolment(clock, "two"), terms) == "already_in_journey"


def test_never_is_never_also_when_the_row_of_the_earlier_enrolment_is_gone(
    request: pytest.FixtureRequest, stores: Stores, clock: FakeClock
) -> None:
    never, first = EntryTerms(one_at_a_time=True, not_since=NEVER), enrolment(clock)
    assert stores.enrolments.open(first, never) is None
    end(stores, first, "completed", clock)
    if isinstance(stores.enrolments, FakeEnrolments):
        stores.enrolments.past.clear()
    else:
        place = {"pk": {"S": "contact#c-1"}, "sk": {"S": ended_sk(first.enrolment_id)}}
        request.getfixturevalue("dynamodb").delete_item(TableName=request.getfixturevalue("table"), Key=place)
    assert stores.enrolments.load("c-1", first.enrolment_id) is None
    clock.now += 1000 * DAY
    assert stores.enrolments.open(enrolment(clock), never) == "enrolled_before"


@pytest.mark.parametrize(("days_later", "refusal"), [(29, "enrolled_before"), (31, None)])
def test_who_entered_once_enters_again_when_the_journey_allows_that_later(
    stores: Stores, clock: FakeClock, days_later: int, refusal: str | None
) -> None:
    first = enrolment(clock)
    stores.enrolments.open(first, EntryTerms(one_at_a_time=True, not_since=NEVER))
    clock.now += days_later * DAY
    after_a_month = EntryTerms(one_at_a_time=True, not_since=clock() - 30 * DAY)
    assert stores.enrolments.open(enrolment(clock, "e-2"), after_a_month) == "already_in_journey"
    assert end(stores, first, "completed", clock)
    assert stores.enrolments.open(enrolment(clock, "e-2"), after_a_month) == refusal
    assert stores.enrolments.open(enrolment(clock, "e-3"), ONE) == ("already_in_journey" if refusal is None else None)


def test_a_glance_shows_an_open_enrolment_and_no_ended_one(stores: Stores, clock: FakeClock) -> None:
    known = enrolment(clock)
    assert stores.enrolments.glance("c-1", known.enrolment_id) is None
    stores.enrolments.open(known, ONE)
    assert stores.enrolments.glance("c-1", known.enrolment_id) == stored(stores, known)
    end(stores, known, "completed", clock)
    assert stores.enrolments.glance("c-1", known.enrolment_id) is None


def test_an_exclusive_group_holds_one_journey_per_contact(stores: Stores, clock: FakeClock) -> None:
    terms = EntryTerms(one_at_a_time=True, exclusive_group="onboarding")
    first = enrolment(clock, journey="nurture", exclusive_group="onboarding")
    other = enrolment(clock, journey="welcome_back", exclusive_group="onboarding")
    assert stores.enrolments.open(first, terms) is None
    assert stores.enrolments.open(other, terms) == "exclusive_group_taken"
    assert stores.enrolments.load("c-1", other.enrolment_id) is None
    elsewhere = enrolment(clock, journey="welcome_back", contact="c-2", exclusive_group="onboarding")
    assert stores.enrolments.open(elsewhere, terms) is None
    end(stores, first, "completed", clock)
    assert stores.enrolments.open(other, terms) is None


def test_a_refused_enrolment_holds_nothing(stores: Stores, clock: FakeClock) -> None:
    terms = EntryTerms(one_at_a_time=True, exclusive_group="onboarding")
    stores.enrolments.open(enrolment(clock, exclusive_group="onboarding"), terms)
    stores.enrolments.open(enrolment(clock, journey="welcome_back", exclusive_group="onboarding"), terms)
    assert stores.enrolments.open(enrolment(clock, journey="welcome_back"), ONE) is None


def test_an_audience_limit_counts_contacts_of_one_version(stores: Stores, clock: FakeClock) -> None:
    trial = EntryTerms(one_at_a_time=True, audience_limit=2)
    assert stores.enrolments.open(enrolment(clock, contact="c-1"), trial) is None
    assert stores.enrolments.open(enrolment(clock, contact="c-2"), trial) is None
    assert stores.enrolments.open(enrolment(clock, contact="c-3"), trial) == "audience_limit_reached"
    assert stores.enrolments.load("c-3", ids.enrolment_id("nurture", "c-3", "once")) is None
    assert stores.enrolments.open(enrolment(clock, contact="c-3", version=2), trial) is None


def test_the_first_reason_in_the_order_of_the_terms_is_given(stores: Stores, clock: FakeClock) -> None:
    terms = EntryTerms(one_at_a_time=True, exclusive_group="onboarding", audience_limit=1)
    stores.enrolments.open(enrolment(clock, "one", exclusive_group="onboarding"), terms)
    assert stores.enrolments.open(enrolment(clock, "two", exclusive_group="onboarding"), terms) == "already_in_journey"


def test_what_becomes_of_an_enrolment_is_stored(stores: Stores, clock: FakeClock) -> None:
    opened = enrolment(clock)
    stores.enrolments.open(opened, ONE)
    visit = HopVisit(opened.hop.id, "x-1")
    steps: list[Callable[[Enrolment], Enrolment]] = [
        lambda now: now.taken(visit, clock()),
        lambda now: parked(now, clock, days=2),
        lambda now: now.postponed(clock() + timedelta(days=3), None),
        lambda now: now.resumed("event", {"outcome": "event", "event": {"id": "e-9", "total": 1.5}}, clock()),
        lambda now: now.given_again(clock()),
        lambda now: now.left("goal", leaving_event(clock)),
    ]
    for step in steps:
        now = stored(stores, opened)
        after = step(now)
        assert stores.enrolments.save(after)
        assert stored(stores, opened) == replace(after, revision=now.revision + 1)
        assert stores.enrolments.unfinished("c-1") == [stored(stores, opened)]


def test_of_two_who_read_the_same_only_one_writes(stores: Stores, clock: FakeClock) -> None:
    opened = enrolment(clock)
    stores.enrolments.open(opened, ONE)
    read = stored(stores, opened)
    assert stores.enrolments.save(read.left("goal", leaving_event(clock)))
    assert not stores.enrolments.save(parked(read, clock, days=2))
    assert not stores.enrolments.end(read.ended("completed", clock()))
    assert (stored(stores, opened).status, stored(stores, opened).position) == ("leaving", "running")
    stores.enrolments.hold_until("c-1", opened.enrolment_id, clock())
    assert not stores.enrolments.save(parked(replace(read, revision=2), clock, days=2))


def test_an_enrolment_that_was_never_opened_cannot_be_saved(stores: Stores, clock: FakeClock) -> None:
    assert not stores.enrolments.save(enrolment(clock))
    assert stores.enrolments.of_contact("c-1") == []


def test_an_enrolment_ends_once_and_for_good(stores: Stores, clock: FakeClock) -> None:
    opened = enrolment(clock)
    stores.enrolments.open(opened, ONE)
    failed = stored(stores, opened).ended("failed", clock(), Failure("Say hello", "UnknownMessage", "because"))
    assert stores.enrolments.end(failed)
    ended = stored(stores, opened)
    assert (ended.status, ended.outcome, ended.ended_at, ended.failure) == (
        "ended",
        "failed",
        clock(),
        Failure("Say hello", "UnknownMessage", "because"),
    )
    for again in (failed, ended):
        assert not stores.enrolments.end(replace(again, outcome="completed"))
        assert not stores.enrolments.save(replace(again, status="active"))
    assert stored(stores, opened) == ended
    assert stores.enrolments.unfinished("c-1") == []
    assert stores.enrolments.of_contact("c-1") == [ended]


def due(stores: Stores, *, since: datetime | None, until: datetime) -> list[DueEnrolment]:
    return [each for shard in range(SHARDS) for each in stores.enrolments.find_due(shard, since=since, until=until)]


def note(stores: Stores, known: Enrolment, at: datetime) -> DueEnrolment:
    stores.enrolments.note_due(known.contact_id, known.enrolment_id, at)
    return DueEnrolment(known.contact_id, known.enrolment_id, at)


def test_who_was_noted_is_found_between_two_times(stores: Stores, clock: FakeClock) -> None:
    opened, began, at = enrolment(clock), clock(), clock() + 2 * DAY
    first, second = note(stores, opened, began), note(stores, opened, at)
    assert note(stores, opened, at) == second
    assert due(stores, since=None, until=began) == [first]
    assert due(stores, since=None, until=at - timedelta(milliseconds=1)) == [first]
    assert due(stores, since=at - timedelta(minutes=1), until=at) == [second]
    assert due(stores, since=None, until=at) == [first, second]
    assert due(stores, since=at, until=at + DAY) == []


def test_of_what_was_noted_the_rows_that_run_or_are_overdue_are_unsettled(stores: Stores, clock: FakeClock) -> None:
    several, now = EntryTerms(one_at_a_time=False), clock()
    runs, waits, overdue, over = (enrolment(clock, name) for name in ("runs", "waits", "overdue", "over"))
    for each in (runs, waits, overdue, over):
        stores.enrolments.open(each, several)
    stores.enrolments.save(parked(stored(stores, waits), clock, days=2))
    stores.enrolments.save(parked(stored(stores, overdue), clock, minutes=1))
    end(stores, over, "completed", clock)
    noted = [note(stores, each, now) for each in (runs, waits, overdue, over, runs)]
    found = stores.enrolments.unsettled([*noted, note(stores, enrolment(clock, "never opened"), now)], now + DAY)
    assert sorted(each.enrolment_id for each in found) == sorted([runs.enrolment_id, overdue.enrolment_id])
    assert stores.enrolments.unsettled([], now) == []


def test_the_sweep_remembers_how_far_it_came(stores: Stores, clock: FakeClock) -> None:
    assert stores.enrolments.swept_until() is None
    for at in (clock(), clock() + DAY):
        stores.enrolments.mark_swept(at)
        assert stores.enrolments.swept_until() == at


def test_many_who_are_due_are_found_in_order_and_from_any_place_on(stores: Stores, clock: FakeClock) -> None:
    for number in range(30):
        note(stores, enrolment(clock, str(number)), clock() + timedelta(minutes=number // 3))
    shard, until = ids.shard_of("c-1", SHARDS), clock() + DAY
    found = list(stores.enrolments.find_due(shard, since=None, until=until))
    assert len({each.enrolment_id for each in found}) == 30
    assert [each.due_at for each in found] == sorted(each.due_at for each in found)
    for index in (0, 13, 29):
        rest = stores.enrolments.find_due(shard, since=None, until=until, after=found[index])
        assert list(rest) == found[index + 1 :]
    other = (shard + 1) % SHARDS
    assert list(stores.enrolments.find_due(other, since=None, until=until)) == []


def test_ending_an_old_enrolment_again_does_not_free_what_a_newer_one_holds(stores: Stores, clock: FakeClock) -> None:
    terms = EntryTerms(one_at_a_time=True, exclusive_group="onboarding")
    first = enrolment(clock, "one", exclusive_group="onboarding")
    stores.enrolments.open(first, terms)
    end(stores, first, "completed", clock)
    stores.enrolments.open(enrolment(clock, "two", exclusive_group="onboarding"), terms)
    end(stores, first, "completed", clock)
    assert stores.enrolments.open(enrolment(clock, "three"), ONE) == "already_in_journey"
    other = enrolment(clock, journey="welcome_back", exclusive_group="onboarding")
    assert stores.enrolments.open(other, terms) == "exclusive_group_taken"


def test_the_latest_deferred_message_is_the_anchor(stores: Stores, clock: FakeClock) -> None:
    opened = enrolment(clock)
    stores.enrolments.open(opened, ONE)
    for hours in (5, 9, 7):
        stores.enrolments.hold_until("c-1", opened.enrolment_id, clock() + timedelta(hours=hours))
    held = stores.enrolments.load("c-1", opened.enrolment_id)
    assert held is not None
    assert held.anchor_at == clock() + timedelta(hours=9)
    stores.enrolments.hold_until("c-1", "n-unknown", clock())
    assert stores.enrolments.load("c-1", "n-unknown") is None
