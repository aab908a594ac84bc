"""What the domain needs of the store of contacts."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Final, Protocol

from waypost.contacts.identity.merge import Merge
from waypost.contacts.profile import Contact

LONGEST_WRITE: Final = timedelta(minutes=15)
"""From claiming an identity to storing its contact: no call of a function lasts longer."""


class ContactStore(Protocol):
    """Stores contacts, the identities that lead to them and the records of their merges."""

    def resolve(self, identities: Mapping[str, str]) -> dict[str, str]:
        """The contact id each known identity leads to, by kind; unknown ones are absent. Read consistently.

        The contact may have been merged into another since; ``load`` finds it under its old id.
        """
        ...

    def load(self, contact_id: str) -> Contact | None:
        """The contact, read consistently, or None; of one that was merged away, the contact it is part of now."""
        ...

    def save(self, contact: Contact, *, claim: Mapping[str, str], counting: str = "") -> bool:
        """Write the contact and the identities it claims, all or nothing; of a new one, its identities first, strongest first.

        ``contact.version`` is the version read (0: new); the stored one becomes one more. False when another writer
        changed the contact or took one of the identities first: read again and decide again. ``counting`` notes in the
        same write that the points of the event of this id are counted; False when they were.

        So an identity may lead to a contact that is not stored yet: its writer is about to store it, or has died. It is stored
        by an event of the identity that it is named by; others wait, and ``release`` what nobody comes for.
        """
        ...

    def release(self, kind: str, value: str, contact_id: str) -> None:
        """Let an identity lead nowhere again if its contact was not stored within ``LONGEST_WRITE``."""
        ...

    def has_counted(self, contact_id: str, event_id: str) -> bool:
        """Whether the points of this event were counted under this very contact id."""
        ...

    def merge(self, merge: Merge) -> bool:
        """Write the survivor's profile, the tombstone and the record, all or nothing; recent messages count together.

        False when one of the two contacts has changed since it was read: read again and decide again.
        """
        ...

    def merges(self, contact_id: str) -> list[Merge]:
        """The merges of which this contact was the survivor, undone ones too, oldest first; read consistently."""
        ...

    def unmerge(self, merge: Merge, survivor: Contact, absorbed: Contact, *, rewritten: Sequence[Merge] = ()) -> bool:
        """Write both contacts and the record of the undone merge, all or nothing, and the later records it changes.

        False when the survivor has changed since it was read: read again and decide again.
        """
        ...


class GlancedContactStore(ContactStore, Protocol):
    """The store itself, which also answers at half the price; what stands in front of it to record or check need not."""

    def glance(self, contact_id: str) -> Contact | None:
        """Like ``load``, as the contact was within the last seconds, for half the units; not to guard a send by."""
        ...


class BulkContactStore(ContactStore, Protocol):
    """A ContactStore that reads many at once: a file's rows ask for the same as an event, a hundred times over."""

    def resolve_many(self, identities: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
        """``resolve`` for each, in order."""
        ...

    def load_many(self, contact_ids: Collection[str]) -> dict[str, Contact]:
        """The contacts by the id asked for, read consistently; unknown ones are absent."""
        ...
