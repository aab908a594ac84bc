"""What the domain needs from whoever keeps contacts."""

from collections.abc import Mapping
from typing import Protocol

from waypost.contacts.profile import Contact


class ContactStore(Protocol):
    """Keeps contacts and the identities that lead to them."""

    def resolve(self, identities: Mapping[str, str]) -> dict[str, str]:
        """The contact id each known identity leads to, by kind; unknown ones are absent. Read consistently."""
        ...

    def load(self, contact_id: str) -> Contact | None:
        """The contact, read consistently, or None."""
        ...

    def save(self, contact: Contact, *, claim: Mapping[str, str]) -> bool:
        """Write the contact and the identities it claims, all or nothing.

        ``contact.version`` is the version read (0: new); the stored one becomes one more. False when another writer
        changed the contact or took one of the identities first: read again and decide again.
        """
        ...
