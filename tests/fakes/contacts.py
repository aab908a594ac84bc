"""A ContactStore in memory."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from tests.fakes.effects import Effects, effect
from waypost.contacts.identity.merge import Merge
from waypost.contacts.profile import Contact
from waypost.sending.ledger import (
    Touches,
)


class FakeContacts:
    """A ContactStore; ``touches`` are its fellow ledger's."""

    label = "contacts"

    def __init__(self, effects: Effects | None = None) -> None:
        self.effects = effects or Effects()
        self.items: dict[str, str] = {}
        self.identities: dict[tuple[str, str], str] = {}
        self.counted: set[tuple[str, str]] = set()
        self.merge_records: dict[str, str] = {}
        self.touches: dict[str, Touches] = {}
        self.before_save: Callable[[], object] | None = None
        self.between: Callable[[], object] = lambda: None
        """Called between the writes of a new contact, where others may come."""
        self.old_glances: dict[str, Contact] = {}
        """Contacts as an eventually consistent read still sees them."""
        self.abandoned: Callable[[str, str], bool] = lambda *_: False
        """Whether an identity was claimed so long ago that its writer is dead."""

    def __contains__(self, contact_id: object) -> bool:
        return contact_id in self.items

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, contact_id: str) -> Contact:
        return Contact.from_dict(json.loads(self.items[contact_id]))

    def put(self, contact: Contact) -> Contact:
        """Have this contact, with its identities, without an effect."""
        stored = replace(contact, version=contact.version + 1)
        self.items[contact.contact_id] = json.dumps(stored.to_dict())
        for kind, values in contact.identities.items():
            self.identities.update({(kind, value): contact.contact_id for value in values})
        return stored

    def resolve(self, identities: Mapping[str, str]) -> dict[str, str]:
        """See ContactStore."""
        return {
            kind: self.identities[kind, value] for kind, value in identities.items() if (kind, value) in self.identities
        }

    def living(self) -> list[Contact]:
        """The contacts that are neither part of another one nor there for tests."""
        found = (self[contact_id] for contact_id in self.items)
        return [contact for contact in found if not (contact.merged_into or contact.test)]

    def load(self, contact_id: str) -> Contact | None:
        """See ContactStore."""
        item = self.items.get(contact_id)
        contact = Contact.from_dict(json.loads(item)) if item else None
        return self.load(contact.merged_into) if contact and contact.merged_into else contact

    def glance(self, contact_id: str) -> Contact | None:
        """See GlancedContactStore. What a test put into ``old_glances`` is seen instead."""
        return self.old_glances.get(contact_id) or self.load(contact_id)

    def save(self, contact: Contact, *, claim: Mapping[str, str], counting: str = "") -> bool:
        """See ContactStore. ``before_save`` lets a test put another writer first."""
        if self.before_save is not None:
            other, self.before_save = self.before_save, None
            other()
        if contact.version == 0:
            for kind, value in claim.items():
                if not self.claim(contact, kind, value):
                    return False
                self.between()
            claim = {}
        return self.effects.run(
            "contacts.save", lambda: self._write(contact, claim=claim, counting=counting), lost=None, refused=None
        )

    @effect
    def claim(self, /, contact: Contact, kind: str, value: str) -> bool:
        """Let an identity lead to a contact that is about to be stored."""
        if self.identities.get((kind, value), contact.contact_id) not in contact.partitions:
            return False
        self.identities[kind, value] = contact.contact_id
        return True

    def _write(self, contact: Contact, *, claim: Mapping[str, str], counting: str) -> bool:
        """Write the contact and what it claims, all or nothing."""
        if not self._is_as_read(contact) or (contact.contact_id, counting) in self.counted:
            return False
        if any(self.identities.get(pair, contact.contact_id) not in contact.partitions for pair in claim.items()):
            return False
        self._store(contact)
        self.identities.update(dict.fromkeys(claim.items(), contact.contact_id))
        if counting:
            self.counted.add((contact.contact_id, counting))
        return True

    @effect
    def release(self, kind: str, value: str, contact_id: str) -> None:
        """See ContactStore."""
        if (
            self.abandoned(kind, value)
            and contact_id not in self.items
            and self.identities.get((kind, value)) == contact_id
        ):
            del self.identities[kind, value]

    def has_counted(self, contact_id: str, event_id: str) -> bool:
        """See ContactStore."""
        return (contact_id, event_id) in self.counted

    @effect
    def merge(self, merge: Merge) -> bool:
        """See ContactStore."""
        if not (self._is_as_read(merge.result) and self._is_as_read(merge.tombstone)):
            return False
        self._store(merge.result)
        self._store(merge.tombstone)
        self._keep_record(merge)
        survivor, absorbed = (self._touches_of(each) for each in (merge.survivor, merge.absorbed))
        if absorbed.recent:
            self._put_touches(merge.survivor, survivor.together_with(absorbed))
        self._put_touches(merge.absorbed, absorbed)
        return True

    def merges(self, contact_id: str) -> list[Merge]:
        """See ContactStore."""
        found = [Merge.from_dict(json.loads(record)) for record in self.merge_records.values()]
        ours = [each for each in found if each.survivor.contact_id == contact_id]
        return sorted(ours, key=lambda each: (each.at, len(each.result.absorbed)))

    @effect
    def unmerge(self, merge: Merge, survivor: Contact, absorbed: Contact, *, rewritten: Sequence[Merge] = ()) -> bool:
        """See ContactStore."""
        if not (self._is_as_read(survivor) and self._is_as_read(absorbed)):
            return False
        self._store(survivor)
        self._store(absorbed)
        for each in (merge, *rewritten):
            self._keep_record(each)
        both = self._touches_of(survivor)
        self._put_touches(survivor, both)
        self._put_touches(absorbed, replace(self._touches_of(absorbed), recent=both.recent))
        return True

    def _is_as_read(self, contact: Contact) -> bool:
        item = self.items.get(contact.contact_id)
        return (json.loads(item)["version"] if item else 0) == contact.version

    def _store(self, contact: Contact) -> None:
        self.items[contact.contact_id] = json.dumps(contact.to_dict() | {"version": contact.version + 1})

    def _keep_record(self, merge: Merge) -> None:
        self.merge_records[merge.merge_id] = json.dumps(merge.to_dict())

    def _touches_of(self, contact: Contact) -> Touches:
        return self.touches.get(contact.contact_id, Touches())

    def _put_touches(self, contact: Contact, touches: Touches) -> None:
        self.touches[contact.contact_id] = replace(touches, version=touches.version + 1)


class FakeBulkContacts(FakeContacts):
    """A BulkContactStore."""

    def resolve_many(self, identities: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
        """See BulkContactStore."""
        return [self.resolve(each) for each in identities]

    def load_many(self, contact_ids: Collection[str]) -> dict[str, Contact]:
        """See BulkContactStore."""
        return {each: contact for each in contact_ids if (contact := self.load(each)) is not None}
