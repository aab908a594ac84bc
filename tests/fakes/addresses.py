"""AddressRecords in memory."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from tests.fakes.effects import Effects, effect
from waypost.contacts.address_record import AddressRecord
from waypost.contacts.channels import Address


class FakeAddressRecords:
    """AddressRecords, by digest."""

    label = "addresses"

    def __init__(self, effects: Effects | None = None) -> None:
        self.effects = effects or Effects()
        self.records: dict[str, AddressRecord] = {}

    def of(self, addresses: Collection[Address]) -> dict[str, AddressRecord]:
        """See AddressRecords."""
        return {each.digest: self.records[each.digest] for each in addresses if each.digest in self.records}

    @effect
    def suppress(self, digest: str, *, channel: str, reason: str, at: datetime) -> None:
        """See AddressRecords."""
        known = self.records.get(digest, AddressRecord())
        if known.suppressed_at is None or known.suppressed_at < at:
            self.records[digest] = replace(known, suppression=reason, suppressed_at=at)

    @effect
    def lift(self, digest: str, *, channel: str, at: datetime, by: str, reason: str) -> None:
        """See AddressRecords."""
        known = self.records.get(digest, AddressRecord())
        if known.lifted_at is None or known.lifted_at < at:
            self.records[digest] = replace(known, lifted_at=at)

    @effect
    def withdraw(self, digest: str, *, channel: str, topic: str, at: datetime) -> None:
        """See AddressRecords."""
        known = self.records.get(digest, AddressRecord())
        newest = max(at, known.withdrawn.get(topic, at))
        self.records[digest] = replace(known, withdrawn={**known.withdrawn, topic: newest})
