"""What every AddressRecords must do."""

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
