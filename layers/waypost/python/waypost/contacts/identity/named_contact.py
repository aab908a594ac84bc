"""Reads which contact a person means in a request: a contact id, or one of its identities. Used by operations on contacts."""

from collections.abc import Mapping
from typing import Any, Protocol

from waypost.contacts import cleaning
from waypost.contacts.cleaning import Unusable
from waypost.contacts.profile import Contact
from waypost.errors import ContactNotFound, InvalidInput
from waypost.events.envelope import IDENTITY_KINDS


class KnownContacts(Protocol):
    """What of the contact store finds one contact."""

    def resolve(self, identities: Mapping[str, str]) -> Mapping[str, str]:
        """See ContactStore."""
        ...

    def load(self, contact_id: str) -> Contact | None:
        """See ContactStore."""
        ...


def named_contact(given: Any, field: str) -> Mapping[str, str]:
    """``{contact_id: …}`` or one identity such as ``{email: …}``, cleaned. Raises InvalidInput naming the field."""
    known = ("contact_id", *IDENTITY_KINDS)
    if not isinstance(given, dict) or len(given) != 1 or next(iter(given)) not in known:
        raise InvalidInput(field, f"should be an object with one of {', '.join(known)}")
    ((kind, value),) = given.items()
    if not isinstance(value, str) or not value.strip():
        raise InvalidInput(f"{field}.{kind}", "should be text")
    match {"email": cleaning.email, "phone": cleaning.phone}.get(kind, str.strip)(value):
        case Unusable(reason):
            raise InvalidInput(f"{field}.{kind}", reason)
        case cleaned:
            return {kind: cleaned}


def find_contact(contacts: KnownContacts, who: Mapping[str, str], field: str) -> Contact:
    """The contact of this id or identity. Raises ContactNotFound naming the field."""
    ((kind, value),) = who.items()
    contact_id: str | None = value if kind == "contact_id" else contacts.resolve(who).get(kind)
    contact = None if contact_id is None else contacts.load(contact_id)
    if contact is None:
        raise ContactNotFound(f"{field}: no contact is known by this {kind}")
    return contact
