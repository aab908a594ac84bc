"""What every AddressRecords must do."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from tests.adapters.stores import Stores
from tests.fakes.clock import FakeClock
from waypost.contacts.address_record import AddressRecord
from waypost.contacts.channels import Address, Channel

LIN, MEI = (Address(Channel("email"), "email", f"{name}@example.com") for name in ("lin", "mei"))


def test_of_an_address_that_nothing_was_reported_of_nothing_is_known(stores: Stores) -> None:
    assert stores.addresses.of([LIN]) == {}
    assert stores.addresses.of([]) == {}


def test_the_latest_report_is_kept_whatever_comes_first(stores: Stores, clock: FakeClock) -> None:
    now = clock()
    for day, reason in ((2, "complaint"), (3, "hard_bounce"), (1, "complaint"), (3, "complaint")):
        stores.addresses.suppress(LIN.digest, channel="email", reason=reason, at=now + timedelta(days=day))
    found = stores.addresses.of([LIN, MEI])
    assert found == {LIN.digest: AddressRecord("hard_bounce", now + timedelta(days=3))}


def test_withdrawals_are_kept_by_topic_beside_a_suppression(stores: Stores, clock: FakeClock) -> None:
    now = clock()
    later = now + timedelta(minutes=1)
    for topic, at in (("*", later), ("新品", now), ("*", now)):
        stores.addresses.withdraw(MEI.digest, channel="email", topic=topic, at=at)
    stores.addresses.suppress(MEI.digest, channel="email", reason="complaint", at=now)
    found = stores.addresses.of([LIN, MEI])
    assert found == {MEI.digest: AddressRecord("complaint", now, withdrawn={"*": later, "新品": now})}


def test_a_lift_holds_against_what_was_reported_before(stores: Stores, clock: FakeClock) -> None:
    now = clock()
    stores.addresses.suppress(LIN.digest, channel="email", reason="hard_bounce", at=now)
    stores.addresses.lift(LIN.digest, channel="email", at=now + timedelta(days=2), by="lin.chen", reason="full")
    stores.addresses.lift(LIN.digest, channel="email", at=now + timedelta(days=1), by="lin.chen", reason="older")
    stores.addresses.suppress(LIN.digest, channel="email", reason="hard_bounce", at=now + timedelta(days=1))
    assert stores.addresses.of([LIN])[LIN.digest].closed == ""
    stores.addresses.suppress(LIN.digest, channel="email", reason="complaint", at=now + timedelta(days=3))
    assert stores.addresses.of([LIN])[LIN.digest].closed == "complaint"


def test_a_right_is_counted_up_by_events_and_down_by_messages(stores: Stores, clock: FakeClock) -> None:
    addresses, now = stores.addresses, clock()
    for event_id in ("e-1", "e-2", "e-1"):
        addresses.grant_right(LIN.digest, "t", event_id=event_id, at=now)
    assert addresses.take_right(LIN.digest, "t", "m-1", now=now)
    assert addresses.take_right(LIN.digest, "t", "m-1", now=now)
    [record] = addresses.of([LIN]).values()
    assert (record.rights["t"].left, record.rights["t"].until, set(record.rights["t"].taken)) == (1, None, {"m-1"})
    addresses.give_back_right(LIN.digest, "t", "m-1")
    addresses.give_back_right(LIN.digest, "t", "m-1")
    assert addresses.of([LIN])[LIN.digest].rights["t"].left == 2
    addresses.end_right(LIN.digest, "t")
    assert not addresses.take_right(LIN.digest, "t", "m-2", now=now)
    assert not addresses.take_right(LIN.digest, "another", "m-2", now=now)


def test_a_right_with_a_time_ends_and_is_opened_by_newer_acts_alone(stores: Stores, clock: FakeClock) -> None:
    addresses, now = stores.addresses, clock()
    until = now + timedelta(minutes=1)
    addresses.open_right(LIN.digest, "w", messages=1, at=now, until=until)
    assert addresses.take_right(LIN.digest, "w", "m-1", now=now)
    addresses.open_right(LIN.digest, "w", messages=1, at=now, until=until)
    assert not addresses.take_right(LIN.digest, "w", "m-2", now=now)
    later = now + timedelta(seconds=1)
    addresses.open_right(LIN.digest, "w", messages=1, at=later, until=until)
    assert not addresses.take_right(LIN.digest, "w", "m-2", now=until)
    assert addresses.take_right(LIN.digest, "w", "m-2", now=later)


def test_many_callers_at_once_count_no_more_than_there_is(stores: Stores, clock: FakeClock) -> None:
    for number in range(5):
        stores.addresses.grant_right(LIN.digest, "t", event_id=f"e-{number}", at=clock())
    with ThreadPoolExecutor(16) as pool:
        taken = pool.map(
            lambda key: stores.addresses.take_right(LIN.digest, "t", key, now=clock()), map(str, range(40))
        )
        assert sum(taken) == 5


def test_a_right_that_is_known_late_counts_what_went_out_since_the_act(stores: Stores, clock: FakeClock) -> None:
    addresses, began = stores.addresses, clock()
    addresses.open_right(LIN.digest, "act", messages=3, at=began, until=began + timedelta(minutes=1))
    addresses.open_right(LIN.digest, "message", messages=5, at=began, until=began + timedelta(hours=48))
    assert addresses.take_right(LIN.digest, "act", "m-0", now=began)
    clock.advance(seconds=5)
    wrote = clock()
    for name, key in (("act", "m-1"), ("message", "m-2"), ("message", "m-3")):
        clock.advance(seconds=1)
        assert addresses.take_right(LIN.digest, name, key, now=clock())
    addresses.grant_right(LIN.digest, "template", event_id="e-1", at=wrote)
    assert addresses.take_right(LIN.digest, "template", "m-4", now=clock())
    addresses.open_right(LIN.digest, "message", messages=5, at=wrote, until=wrote + timedelta(hours=48))
    assert addresses.of([LIN])[LIN.digest].rights["message"].left == 2


def test_what_is_noted_of_a_right_does_not_grow_for_ever(stores: Stores, clock: FakeClock) -> None:
    for number in range(260):
        clock.advance(minutes=1)
        stores.addresses.grant_right(LIN.digest, "t", event_id=f"e-{number}", at=clock())
        assert stores.addresses.take_right(LIN.digest, "t", f"m-{number}", now=clock())
    right = stores.addresses.of([LIN])[LIN.digest].rights["t"]
    assert right.left == 0
    assert "m-259" in right.taken
