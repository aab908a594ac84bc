"""What every EnrolmentStore must do."""

from datetime import timedelta
from typing import Any

import pytest

from tests.adapters.stores import Stores
from tests.fakes.clock import FakeClock
from waypost import ids
from waypost.journeys.enrolment import Enrolment, TriggerEvent
from waypost.journeys.ports import EntryTerms

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
    return Enrolment(**fields | changes)


def leaving_event(clock: FakeClock, name: str = "e-order") -> TriggerEvent:
    return TriggerEvent(name, "order_placed", clock(), {"coupon": "GLOW15"})


def test_an_opened_enrolment_comes_back_as_it_was(stores: Stores, clock: FakeClock) -> None:
    opened = enrolment(clock)
    assert stores.enrolments.open(opened, ONE) is None
    assert stores.enrolments.load("c-1", opened.enrolment_id) == opened
    assert stores.enrolments.unfinished("c-1") == [opened]
    assert stores.enrolments.unfinished("c-2") == []
    assert stores.enrolments.load("c-1", "n-unknown") is None


def test_all_enrolments_of_a_contact_are_found_whatever_became_of_them(stores: Stores, clock: FakeClock) -> None:
    several = EntryTerms(one_at_a_time=False)
    first, second = enrolment(clock, "first"), enrolment(clock, "second", journey="win-back")
    for each in (first, second, enrolment(clock, contact="c-2")):
        stores.enrolments.open(each, several)
    stores.enrolments.end(first, outcome="completed", at=clock())
    found = {each.journey: (each.status, each.outcome) for each in stores.enrolments.of_contact("c-1")}
    assert found == {"nurture": ("ended", "completed"), "win-back": ("active", None)}
    assert stores.enrolments.of_contact("c-3") == []


def test_opening_for_the_same_event_again_is_no_refusal(stores: Stores, clock: FakeClock) -> None:
    terms = EntryTerms(one_at_a_time=True, exclusive_group="onboarding", audience_limit=1)
    first = enrolment(clock, exclusive_group="onboarding")
    assert stores.enrolments.open(first, terms) is None
    clock.advance(hours=1)
    assert stores.enrolments.open(enrolment(clock, exclusive_group="onboarding", trigger=first.trigger), terms) is None
    assert stores.enrolments.load("c-1", first.enrolment_id) == first


def test_the_same_occasion_by_another_event_is_refused(stores: Stores, clock: FakeClock) -> None:
    stores.enrolments.open(enrolment(clock), ONE)
    again = enrolment(clock, trigger=TriggerEvent("e-other", "registered", clock()))
    assert stores.enrolments.open(again, ONE) == "enrolled_before"


def test_a_second_enrolment_waits_for_the_end_of_the_first(stores: Stores, clock: FakeClock) -> None:
    first = enrolment(clock, "one")
    assert stores.enrolments.open(first, ONE) is None
    assert stores.enrolments.open(enrolment(clock, "two"), ONE) == "already_in_journey"
    stores.enrolments.leave(first, outcome="goal", event=leaving_event(clock), at=clock())
    assert stores.enrolments.open(enrolment(clock, "three"), ONE) == "already_in_journey"
    assert stores.enrolments.end(first, outcome="goal", at=clock())
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
    stores.enrolments.end(first, outcome="completed", at=clock())
    clock.now = first.enrolled_at + days_later * DAY
    terms = EntryTerms(one_at_a_time=True, not_since=clock() - 30 * DAY)
    assert stores.enrolments.open(enrolment(clock, "two"), terms) == refusal


def test_re_entry_after_a_time_still_waits_for_the_end_of_the_first(stores: Stores, clock: FakeClock) -> None:
    stores.enrolments.open(enrolment(clock, "one"), ONE)
    clock.now += 31 * DAY
    terms = EntryTerms(one_at_a_time=True, not_since=clock() - 30 * DAY)
    assert stores.enrolments.open(enrolment(clock, "two"), terms) == "already_in_journey"


def test_an_exclusive_group_holds_one_journey_per_contact(stores: Stores, clock: FakeClock) -> None:
    terms = EntryTerms(one_at_a_time=True, exclusive_group="onboarding")
    first = enrolment(clock, journey="nurture", exclusive_group="onboarding")
    other = enrolment(clock, journey="welcome_back", exclusive_group="onboarding")
    assert stores.enrolments.open(first, terms) is None
    assert stores.enrolments.open(other, terms) == "exclusive_group_taken"
    assert stores.enrolments.load("c-1", other.enrolment_id) is None
    elsewhere = enrolment(clock, journey="welcome_back", contact="c-2", exclusive_group="onboarding")
    assert stores.enrolments.open(elsewhere, terms) is None
    stores.enrolments.end(first, outcome="completed", at=clock())
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


def test_leaving_keeps_the_first_event_and_ends_for_good(stores: Stores, clock: FakeClock) -> None:
    opened = enrolment(clock)
    stores.enrolments.open(opened, ONE)
    left = stores.enrolments.leave(opened, outcome="goal", event=leaving_event(clock), at=clock())
    assert left is not None
    assert (left.status, left.outcome, left.left_on) == ("leaving", "goal", leaving_event(clock))
    again = stores.enrolments.leave(opened, outcome="exited", event=leaving_event(clock, "e-2"), at=clock())
    assert again == left
    assert stores.enrolments.unfinished("c-1") == [left]
    assert stores.enrolments.end(opened, outcome="goal", at=clock())
    assert stores.enrolments.leave(opened, outcome="exited", event=leaving_event(clock), at=clock()) is None
    assert stores.enrolments.unfinished("c-1") == []


def test_an_enrolment_ends_once(stores: Stores, clock: FakeClock) -> None:
    opened = enrolment(clock)
    stores.enrolments.open(opened, ONE)
    assert stores.enrolments.end(opened, outcome="failed", at=clock())
    assert not stores.enrolments.end(opened, outcome="completed", at=clock())
    ended = stores.enrolments.load("c-1", opened.enrolment_id)
    assert ended is not None
    assert (ended.status, ended.outcome) == ("ended", "failed")


def test_ending_an_old_enrolment_again_does_not_free_what_a_newer_one_holds(stores: Stores, clock: FakeClock) -> None:
    terms = EntryTerms(one_at_a_time=True, exclusive_group="onboarding")
    first = enrolment(clock, "one", exclusive_group="onboarding")
    stores.enrolments.open(first, terms)
    stores.enrolments.end(first, outcome="completed", at=clock())
    stores.enrolments.open(enrolment(clock, "two", exclusive_group="onboarding"), terms)
    stores.enrolments.end(first, outcome="completed", at=clock())
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
