"""What every EventHistory must do."""

from datetime import timedelta

from tests.adapters.stores import Stores
from tests.fakes.clock import FakeClock
from tests.fakes.world import event
from waypost.events.history import KeptEvent

HOUR = timedelta(hours=1)


def test_events_come_back_oldest_first_by_their_own_time(stores: Stores, clock: FakeClock) -> None:
    now = clock()
    for hours in (2, 0, 1):
        stores.history.record("c-1", event("page_viewed", now + hours * HOUR, f"e-{hours}", n=hours), routed_at=now)
    assert [(each.id, each.properties) for each in stores.history.since("c-1", now)] == [
        ("e-0", {"n": 0}),
        ("e-1", {"n": 1}),
        ("e-2", {"n": 2}),
    ]


def test_since_includes_the_instant_itself_and_nothing_before(stores: Stores, clock: FakeClock) -> None:
    now = clock()
    for hours in (0, 1, 2):
        stores.history.record("c-1", event("page_viewed", now + hours * HOUR, f"e-{hours}"), routed_at=now)
    assert [each.id for each in stores.history.since("c-1", now + HOUR)] == ["e-1", "e-2"]


def test_only_the_types_asked_for_come_back(stores: Stores, clock: FakeClock) -> None:
    now = clock()
    for number, kind in enumerate(("order_placed", "page_viewed", "cart_updated")):
        stores.history.record("c-1", event(kind, now + number * HOUR), routed_at=now)
    found = stores.history.since("c-1", now, types=["order_placed", "cart_updated"])
    assert [each.type for each in found] == ["order_placed", "cart_updated"]


def test_recording_an_event_again_changes_nothing(stores: Stores, clock: FakeClock) -> None:
    now = clock()
    stores.history.record("c-1", event("order_placed", now, "e-1", total=0.1), routed_at=now)
    stores.history.record("c-1", event("order_placed", now, "e-1", total=9), routed_at=now + HOUR)
    (recorded,) = stores.history.since("c-1", now)
    assert (recorded.properties, recorded.routed_at) == ({"total": 0.1}, now)


def test_many_events_at_once_are_kept_as_one_by_one(stores: Stores, clock: FakeClock) -> None:
    now = clock()
    many = [
        KeptEvent(f"c-{number % 3}", event("imported", now, f"e-{number:02d}", n=number), now, 1)
        for number in range(60)
    ]
    stores.history.record_many(many)
    stores.history.record("c-0", event("imported", now, "e-00", n=-1), routed_at=now + HOUR)
    for contact in range(3):
        found = stores.history.since(f"c-{contact}", now)
        assert [each.properties["n"] for each in found] == list(range(contact, 60, 3))
        assert {each.routed_at for each in found} == {now}


def test_two_events_of_one_moment_are_both_kept(stores: Stores, clock: FakeClock) -> None:
    now = clock()
    for name in ("e-1", "e-2"):
        stores.history.record("c-1", event("order_placed", now, name), routed_at=now)
    assert [each.id for each in stores.history.since("c-1", now)] == ["e-1", "e-2"]


def test_an_event_is_routed_once_it_is_marked_for_this_contact(stores: Stores, clock: FakeClock) -> None:
    happened = event("order_placed", clock(), "e-1")
    stores.history.record("c-1", happened, routed_at=clock())
    assert not stores.history.is_routed(["c-1"], "e-1")
    decisions = [{"journey": "nurture", "reason": "enrolled", "enrolment_id": None}]
    stores.history.mark_routed("c-1", happened, at=clock(), decisions=decisions)
    stores.history.mark_routed("c-1", happened, at=clock(), decisions=[])
    assert stores.history.is_routed(["c-1"], "e-1")
    assert stores.history.is_routed([f"c-{number}" for number in range(150, 0, -1)], "e-1"), "one id of many"
    assert not stores.history.is_routed(["c-2"], "e-1")
    assert not stores.history.is_routed(["c-1", "c-2"], "e-2")


def test_contacts_do_not_see_each_others_events(stores: Stores, clock: FakeClock) -> None:
    stores.history.record("c-1", event("order_placed", clock()), routed_at=clock())
    assert stores.history.since("c-2", clock()) == []


def test_an_event_is_corrected_where_it_is(stores: Stores, clock: FakeClock) -> None:
    now = clock()
    stores.history.record("c-1", event("message_clicked", now, "e-1", link="one"), routed_at=now)
    (found,) = stores.history.since("c-1", now)
    stores.history.correct("c-1", found, becomes="message_scanned", properties={"link": "one", "was": found.type})
    (corrected,) = stores.history.since("c-1", now, types=["message_scanned"])
    assert (corrected.id, corrected.occurred_at, corrected.routed_at) == (found.id, now, now)
    assert corrected.properties == {"link": "one", "was": "message_clicked"}
    assert stores.history.since("c-1", now, types=["message_clicked"]) == []


def test_an_event_that_is_gone_stays_gone(stores: Stores, clock: FakeClock) -> None:
    now = clock()
    stores.history.record("c-1", event("message_clicked", now, "e-1"), routed_at=now)
    (found,) = stores.history.since("c-1", now)
    stores.history.correct("c-2", found, becomes="message_scanned", properties={})
    assert stores.history.since("c-2", now) == []
