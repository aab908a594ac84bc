"""Find or create the contact an event is about and apply what the event says of it. Called by the router."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from waypost import ids
from waypost.clock import Clock
from waypost.contacts.ports import ContactStore
from waypost.contacts.profile import Contact, with_event
from waypost.errors import ConcurrentUpdate, ContactNotFound, InvalidInput
from waypost.events.envelope import IDENTITY_KINDS, Event

ATTEMPTS: Final = 8


def record_on_contact(
    event: Event, *, contacts: ContactStore, is_repeated: Callable[[str], bool], clock: Clock
) -> tuple[Contact, bool]:
    """The contact the event is about, with the event applied and stored, and whether the event is a repeated one.

    ``is_repeated`` says of a contact id whether everything that follows from the event was done before: then nothing
    is written, so that an old event delivered late again cannot undo a newer one.
    An identity that nobody has yet is linked to the contact; one that belongs to somebody else is left where it is,
    and the strongest identity decides whose event this is. Raises InvalidInput for an event without any identity,
    ContactNotFound for an unknown ``contact_id`` and ConcurrentUpdate when other writers were first too many times.
    """
    identities: dict[str, str] = {kind: event.contact[kind] for kind in IDENTITY_KINDS if kind in event.contact}
    for _ in range(ATTEMPTS):
        owners = contacts.resolve(identities)
        contact = _owner(event, identities, owners, contacts=contacts, clock=clock)
        if contact.version and is_repeated(contact.contact_id):
            return contact, True
        claim = {kind: value for kind, value in identities.items() if kind not in owners}
        ours = {
            kind: value
            for kind, value in identities.items()
            if owners.get(kind, contact.contact_id) == contact.contact_id
        }
        changed = with_event(contact, replace(event, contact=ours))
        if changed == contact and not claim and contact.version:
            return contact, False
        if contacts.save(changed, claim=claim):
            return replace(changed, version=contact.version + 1), False
    raise ConcurrentUpdate(f"contact of event {event.id} changed {ATTEMPTS} times while it was written")


def _owner(
    event: Event, identities: Mapping[str, str], owners: Mapping[str, str], *, contacts: ContactStore, clock: Clock
) -> Contact:
    if given := event.contact.get("contact_id"):
        known = contacts.load(given)
        if known is None:
            raise ContactNotFound(f"event {event.id} names contact {given}, which does not exist")
        return known
    for kind in IDENTITY_KINDS:
        if kind not in owners:
            continue
        owner = contacts.load(owners[kind])
        if owner is None:
            raise ContactNotFound(f"event {event.id}: its {kind} leads to {owners[kind]}, which does not exist")
        if not _is_somebody_else(owner, identities):
            return owner
    first = next((kind for kind in IDENTITY_KINDS if kind in identities and kind not in owners), None)
    if first is None:
        raise InvalidInput("contact", f"event {event.id} names none of contact_id, {', '.join(IDENTITY_KINDS)}")
    return Contact(contact_id=ids.contact_id(first, identities[first]), created_at=clock())


def _is_somebody_else(owner: Contact, identities: Mapping[str, str]) -> bool:
    """A shared device, mailbox or phone does not make two signed-in people one."""
    user_id = identities.get("user_id")
    user_ids = owner.identities.get("user_id", [])
    return bool(user_id and user_ids and user_id not in user_ids)
