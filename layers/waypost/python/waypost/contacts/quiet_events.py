"""Store events that nothing reads with the profile they change, as if they had been routed. Used where the product makes events."""

from collections.abc import Iterable
from datetime import datetime

from waypost.contacts.profile import Contact, with_event
from waypost.events.envelope import Event
from waypost.events.history import EventHistory


def with_stored(contact: Contact, events: Iterable[Event], *, history: EventHistory, routed_at: datetime) -> Contact:
    """The contact with these events applied, for the write that makes its version the next one; they are stored before it.

    All attempts of one call must give them the same time, so that they store the same rows.
    """
    version = contact.version + 1
    for event in events:
        history.record(contact.contact_id, event, routed_at=routed_at, version=version)
        contact = with_event(contact, event)
    return contact
