"""When a parked contact's Pause is over by what is stored of the contact now. Used by the hop that ends it, and where no hop is needed."""

from datetime import datetime
from zoneinfo import ZoneInfo

from waypost.contacts.ports import ContactStore, GlancedContactStore
from waypost.contacts.profile import Contact
from waypost.errors import ContactNotFound
from waypost.journeys.enrolment import Enrolment
from waypost.journeys.pause import Pause
from waypost.journeys.pause_times import Due, due_now


def due_by_contact(
    enrolment: Enrolment, pause: Pause, *, contacts: GlancedContactStore, default_zone: ZoneInfo, now: datetime
) -> Due:
    """When the Pause is over; the row must have been read before, so that a later writer of the contact finds it as it is left.

    A glance at the contact is enough to confirm the time on the row, as if the change came a moment later; another time is only
    taken from a consistent read, because nothing would correct one that is written from an old contact. Raises ContactNotFound.
    """
    contact_id = enrolment.contact_id

    def glanced() -> Contact:
        return contacts.glance(contact_id) or loaded()

    def loaded() -> Contact:
        return load_contact(contacts, contact_id)

    due = due_now(enrolment, pause, contact=glanced, default_zone=default_zone, now=now)
    if due == Due(pause.due_at):
        return due
    return due_now(enrolment, pause, contact=loaded, default_zone=default_zone, now=now)


def load_contact(contacts: ContactStore, contact_id: str) -> Contact:
    """The contact as it is stored. Raises ContactNotFound."""
    contact = contacts.load(contact_id)
    if contact is None:
        raise ContactNotFound(f"contact {contact_id} does not exist")
    return contact
