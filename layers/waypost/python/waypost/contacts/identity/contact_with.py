"""The contact with one identity, stored with nothing else if it is new. Called by what cannot wait for the router."""

from datetime import datetime
from typing import Final

from waypost import ids
from waypost.contacts.ports import ContactStore
from waypost.contacts.profile import Contact, with_identities
from waypost.errors import ConcurrentUpdate

ATTEMPTS: Final = 3


def contact_with(kind: str, value: str, *, contacts: ContactStore, at: datetime, now: datetime) -> Contact:
    """The contact; a new one is named by the identity, which it has had since ``at``. An event that is applied later finds it.

    Raises ConcurrentUpdate when the identity leads to a contact that another writer has not stored yet.
    """
    for _ in range(ATTEMPTS):
        known = contacts.resolve({kind: value}).get(kind)
        if known is not None and (contact := contacts.load(known)) is not None:
            return contact
        new = Contact(contact_id=ids.contact_id(kind, value), created_at=now)
        if known in {None, new.contact_id}:
            contacts.save(with_identities(new, {kind: value}, at=at), claim={kind: value})
    raise ConcurrentUpdate(f"this {kind} leads to a contact which is not stored")
