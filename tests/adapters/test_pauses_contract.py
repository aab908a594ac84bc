"""What every PauseStore must do."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from tests.adapters.stores import Stores
from tests.fakes.clock import FakeClock
from waypost.journeys.pause import Pause

ELAPSED = {"outcome": "elapsed"}
EVENT = {"outcome": "event", "event": {"id": "e-1", "properties": {"total": 1.5}}}


def pause(clock: FakeClock, name: str = "p-1", **changes: Any) -> Pause:
    fields: dict[str, Any] = {
        "contact_id": "c-1",
        "enrolment_id": "n-1",
        "pause_id": name,
        "journey": "nurture",
        "state": "Until day 3",
        "token": "token-1",
        "spec": {"until": {"day": 3, "at": "10:00"}},
        "due_at": clock() + timedelta(days=2),
        "parked_at": clock(),
        "waits_for": {"event": "survey_answered", "where": {"property": "total", "at_least": 1}},
    }
    return Pause(**fields | changes)


def test_a_parked_pause_comes_back_as_it_was(stores: Stores, clock: FakeClock) -> None:
    assert stores.pauses.park(pause(clock)) == pause(clock)
    assert stores.pauses.load("c-1", "n-1", "p-1") == pause(clock)
    assert stores.pauses.load("c-1", "n-1", "p-2") is None


def test_all_pauses_of_an_enrolment_are_found_and_no_others(stores: Stores, clock: FakeClock) -> None:
    for name, enrolment in (("p-1", "n-1"), ("p-2", "n-1"), ("p-3", "n-12")):
        stores.pauses.park(pause(clock, name, enrolment_id=enrolment))
    assert {each.pause_id for each in stores.pauses.of_enrolment("c-1", "n-1")} == {"p-1", "p-2"}
    assert stores.pauses.of_enrolment("c-2", "n-1") == []


def test_parking_again_keeps_the_first_times_and_the_newest_token(stores: Stores, clock: FakeClock) -> None:
    first = stores.pauses.park(pause(clock))
    clock.advance(hours=1)
    again = stores.pauses.park(pause(clock, token="token-2"))
    assert again == replace(first, token="token-2")
    assert stores.pauses.load("c-1", "n-1", "p-1") == again


def test_parking_a_pause_that_is_over_gives_its_end_with_the_newest_token(stores: Stores, clock: FakeClock) -> None:
    parked = stores.pauses.park(pause(clock))
    stores.pauses.settle(parked, end="event", outcome=EVENT, at=clock())
    again = stores.pauses.park(pause(clock, token="token-2"))
    assert (again.status, again.outcome, again.token) == ("event", EVENT, "token-2")
    stored = stores.pauses.load("c-1", "n-1", "p-1")
    assert stored is not None
    assert (stored.status, stored.outcome, stored.signalled) == ("event", EVENT, False)


def test_the_first_to_settle_wins(stores: Stores, clock: FakeClock) -> None:
    parked = stores.pauses.park(pause(clock))
    settled = stores.pauses.settle(parked, end="event", outcome=EVENT, at=clock())
    assert (settled.status, settled.outcome, settled.ended_at) == ("event", EVENT, clock())
    clock.advance(hours=1)
    assert stores.pauses.settle(parked, end="elapsed", outcome=ELAPSED, at=clock()) == settled


def test_settling_with_an_old_token_in_hand_gives_back_the_newest(stores: Stores, clock: FakeClock) -> None:
    parked = stores.pauses.park(pause(clock))
    stores.pauses.park(pause(clock, token="token-2"))
    assert stores.pauses.settle(parked, end="elapsed", outcome=ELAPSED, at=clock()).token == "token-2"


def test_a_waiting_pause_can_be_postponed_and_an_ended_one_cannot(stores: Stores, clock: FakeClock) -> None:
    parked = stores.pauses.park(pause(clock))
    later = parked.due_at + timedelta(hours=8)
    assert stores.pauses.postpone(parked, later)
    stored = stores.pauses.load("c-1", "n-1", "p-1")
    assert stored == replace(parked, due_at=later)
    assert stores.pauses.park(pause(clock)).due_at == later
    stores.pauses.settle(parked, end="elapsed", outcome=ELAPSED, at=clock())
    assert not stores.pauses.postpone(parked, later + timedelta(hours=1))
    stored = stores.pauses.load("c-1", "n-1", "p-1")
    assert stored is not None
    assert stored.due_at == later


def references(stores: Stores, clock: FakeClock, **until: float) -> list[str]:
    before = clock() + timedelta(**until)
    return sorted(each["pause_id"] for each in stores.pauses.overdue(before))


def test_overdue_pauses_are_found_until_their_journey_has_been_told(stores: Stores, clock: FakeClock) -> None:
    parked = stores.pauses.park(pause(clock))
    assert references(stores, clock, days=1) == []
    assert references(stores, clock, days=2) == []
    assert references(stores, clock, days=2, seconds=1) == ["p-1"]
    settled = stores.pauses.settle(parked, end="elapsed", outcome=ELAPSED, at=clock())
    assert references(stores, clock, days=3) == ["p-1"]
    stores.pauses.mark_signalled(settled)
    assert references(stores, clock, days=3) == []
    stored = stores.pauses.load("c-1", "n-1", "p-1")
    assert stored == replace(settled, signalled=True)


def test_an_overdue_reference_leads_back_to_the_pause(stores: Stores, clock: FakeClock) -> None:
    parked = stores.pauses.park(pause(clock))
    (found,) = stores.pauses.overdue(clock() + timedelta(days=3))
    assert dict(found) == parked.reference()


def test_overdue_pauses_of_many_contacts_are_all_found(stores: Stores, clock: FakeClock) -> None:
    for number in range(40):
        stores.pauses.park(pause(clock, f"p-{number}", contact_id=f"c-{number}"))
    assert len(references(stores, clock, days=3)) == 40


def test_a_postponed_pause_is_overdue_later(stores: Stores, clock: FakeClock) -> None:
    parked = stores.pauses.park(pause(clock))
    stores.pauses.postpone(parked, parked.due_at + timedelta(days=1))
    assert references(stores, clock, days=2, hours=12) == []
    assert references(stores, clock, days=3, seconds=1) == ["p-1"]
