"""Reads the contacts of many rows at once: a row that changes nothing costs a fiftieth of two reads. Used by import_part."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from waypost.contacts.identity.merge import Merge
from waypost.contacts.ports import BulkContactStore
from waypost.contacts.profile import Contact


@dataclass(slots=True)
class ReadAhead:
    """A ContactStore in front of another: a cache that returns what ``prepare`` has read once.

    It may be stale, which is safe: a save is conditional on the version, and after a refused one the contact is read from
    the store itself. Without ``writes`` (a dry run) nothing is saved; what would have been saved is kept in memory, so that
    later rows see it.
    """

    store: BulkContactStore
    writes: bool = True
    _owners: dict[tuple[str, str], str | None] = field(default_factory=dict)
    _contacts: dict[str, Contact | None] = field(default_factory=dict)
    _pretended: dict[str, Contact] = field(default_factory=dict)
    _claimed: dict[tuple[str, str], str] = field(default_factory=dict)

    def prepare(self, identities: Iterable[Mapping[str, str]]) -> None:
        """Read what these rows will need, and drop what was read for earlier ones."""
        asked = list(identities)
        self._owners, self._contacts = {}, {}
        for given, owners in zip(asked, self.store.resolve_many(asked), strict=True):
            for pair in given.items():
                self._owners[pair] = owners.get(pair[0])
        wanted = {owner for owner in self._owners.values() if owner}
        found = self.store.load_many(wanted)
        self._contacts = {contact_id: found.get(contact_id) for contact_id in wanted}

    def resolve(self, identities: Mapping[str, str]) -> dict[str, str]:
        """See ContactStore."""
        pretended = {
            kind: self._claimed[kind, value] for kind, value in identities.items() if (kind, value) in self._claimed
        }
        asked = {kind: value for kind, value in identities.items() if kind not in pretended}
        if all(pair in self._owners for pair in asked.items()):
            known = {kind: self._owners.pop((kind, value)) for kind, value in asked.items()}
            return {kind: owner for kind, owner in known.items() if owner} | pretended
        return self.store.resolve(asked) | pretended

    def load(self, contact_id: str) -> Contact | None:
        """See ContactStore."""
        while (pretended := self._pretended.get(contact_id)) is not None:
            if not pretended.merged_into:
                return pretended
            contact_id = pretended.merged_into
        if contact_id in self._contacts:
            return self._contacts.pop(contact_id)
        return self.store.load(contact_id)

    def save(self, contact: Contact, *, claim: Mapping[str, str], counting: str = "") -> bool:
        """See ContactStore."""
        if not self.writes:
            self._pretended[contact.contact_id] = replace(contact, version=contact.version + 1)
            self._claimed |= dict.fromkeys(claim.items(), contact.contact_id)
            return True
        self._contacts.pop(contact.contact_id, None)
        return self.store.save(contact, claim=claim, counting=counting)

    def merge(self, merge: Merge) -> bool:
        """See ContactStore."""
        if not self.writes:
            for contact in (merge.result, merge.tombstone):
                self._pretended[contact.contact_id] = replace(contact, version=contact.version + 1)
            return True
        self._contacts.clear()
        return self.store.merge(merge)

    def release(self, kind: str, value: str, contact_id: str) -> None:
        """See ContactStore."""
        if self.writes:
            self.store.release(kind, value, contact_id)

    def has_counted(self, contact_id: str, event_id: str) -> bool:
        """See ContactStore."""
        return self.store.has_counted(contact_id, event_id)

    def merges(self, contact_id: str) -> list[Merge]:
        """See ContactStore."""
        return self.store.merges(contact_id)

    def unmerge(self, merge: Merge, survivor: Contact, absorbed: Contact, *, rewritten: Sequence[Merge] = ()) -> bool:
        """See ContactStore."""
        return self.store.unmerge(merge, survivor, absorbed, rewritten=rewritten)
