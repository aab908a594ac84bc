"""The contact that a person names, by its id or any one identity. Used by what operators start and by the commands."""

from collections.abc import Mapping
from typing import Any, Final

from waypost.contacts import cleaning
from waypost.contacts.cleaning import Cleaned, Unusable
from waypost.contacts.ports import ContactStore
from waypost.contacts.profile import Contact
from waypost.errors import ContactNotFound, InvalidInput
from waypost.events.envelope import IDENTITY_KINDS

LONGEST_TEXT: Final = 500


def read_name(given: Any, field: str) -> Mapping[str, str]:
    """``{user_id: …}`` as it is looked up. Raises InvalidInput naming the field."""
    known = ("contact_id", *IDENTITY_KINDS)
    if not isinstance(given, dict) or len(given) != 1 or next(iter(given)) not in known:
        raise InvalidInput(field, f"should be an object with one of {', '.join(known)}")
    ((kind, value),) = given.items()
    if not isinstance(value, str) or not value.strip():
        raise InvalidInput(f"{field}.{kind}", "should be text")
    match _as_stored(kind, value):
        case Unusable(reason):
            raise InvalidInput(f"{field}.{kind}", reason)
        case cleaned:
            return {kind: cleaned}


def _as_stored(kind: str, text: str) -> Cleaned:
    """An identity in the spelling in which contacts have it."""
    text = text.strip()
    return {"email": cleaning.email, "phone": cleaning.phone, "user_id": cleaning.user_id}.get(kind, str)(text)


def find_by_any(contacts: ContactStore, text: str) -> str | None:
    """The id of the contact that has the text as an identity of any kind, in any spelling; None when there is none.

    Kinds that say most come first. A value that an older release stored as it came is found as well.
    """
    for spelled in (_spellings(text), dict.fromkeys(IDENTITY_KINDS, text)):
        found = contacts.resolve(spelled)
        if (kind := next((kind for kind in IDENTITY_KINDS if kind in found), None)) is not None:
            return found[kind]
    return None


def _spellings(text: str) -> dict[str, str]:
    """What the text is as each kind of identity, without the kinds that it cannot be."""
    found = {kind: _as_stored(kind, text) for kind in IDENTITY_KINDS}
    return {kind: value for kind, value in found.items() if value and not isinstance(value, Unusable)}


def find_named(contacts: ContactStore, who: Mapping[str, str], field: str) -> Contact:
    """The contact of this id or identity. Raises ContactNotFound naming the field."""
    ((kind, value),) = who.items()
    contact_id: str | None = value if kind == "contact_id" else contacts.resolve(who).get(kind)
    contact = None if contact_id is None else contacts.load(contact_id)
    if contact is None:
        raise ContactNotFound(f"{field}: no contact is known by this {kind}")
    return contact


def read_text(request: Mapping[str, Any], name: str) -> str:
    """A field of free text, empty where it is missing. Raises InvalidInput."""
    value = request.get(name) or ""
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise InvalidInput(name, f"should be text of at most {LONGEST_TEXT} characters")
    return value
