"""AddressRecords in memory."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from threading import Lock

from tests.fakes.effects import Effects, effect
from waypost.contacts.address_record import AddressRecord, Right
from waypost.contacts.channels import Address


class FakeAddressRecords:
    """AddressRecords, by digest."""

    label = "addresses"

    def __init__(self, effects: Effects | None = None) -> None:
        self.effects = effects or Effects()
        self.records: dict[str, AddressRecord] = {}
        self.granted: set[tuple[str, str]] = set()
        self.opened: dict[tuple[str, str], datetime] = {}
        self._lock = Lock()

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

    @effect
    def grant_right(self, digest: str, name: str, *, event_id: str, at: datetime) -> None:
        """See AddressRecords."""
        with self._lock:
            if (digest, event_id) not in self.granted:
                self.granted.add((digest, event_id))
                right = self._right(digest, name)
                self._put(digest, name, replace(right, left=right.left + 1))

    @effect
    def open_right(self, digest: str, name: str, *, messages: int, at: datetime, until: datetime) -> None:
        """See AddressRecords."""
        with self._lock:
            if self.opened.get((digest, name), at) < at or (digest, name) not in self.opened:
                self.opened[digest, name] = at
                ending = [each for each in self.records.get(digest, AddressRecord()).rights.values() if each.until]
                used = sum(taken_at >= at for each in ending for taken_at in each.taken.values())
                opened = replace(self._right(digest, name), left=max(messages - used, 0), until=until)
                self._put(digest, name, opened)

    @effect
    def take_right(self, digest: str, name: str, message_key: str, *, now: datetime) -> bool:
        """See AddressRecords."""
        with self._lock:
            right = self._right(digest, name)
            if message_key in right.taken:
                return True
            if right.left < 1 or not right.is_open(now):
                return False
            self._put(digest, name, replace(right, left=right.left - 1, taken={**right.taken, message_key: now}))
            return True

    @effect
    def give_back_right(self, digest: str, name: str, message_key: str) -> None:
        """See AddressRecords."""
        right = self._right(digest, name)
        if message_key in right.taken:
            taken = {key: at for key, at in right.taken.items() if key != message_key}
            self._put(digest, name, replace(right, left=right.left + 1, taken=taken))

    @effect
    def end_right(self, digest: str, name: str) -> None:
        """See AddressRecords."""
        if name in self.records.get(digest, AddressRecord()).rights:
            self._put(digest, name, replace(self._right(digest, name), left=0))

    def _right(self, digest: str, name: str) -> Right:
        return self.records.get(digest, AddressRecord()).rights.get(name, Right())

    def _put(self, digest: str, name: str, right: Right) -> None:
        known = self.records.get(digest, AddressRecord())
        self.records[digest] = replace(known, rights={**known.rights, name: right})
