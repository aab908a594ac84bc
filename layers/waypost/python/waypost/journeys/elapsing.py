"""When the Pause of a parked contact is over by time, and what happens when that is later than it was. Used by timers, hops and events."""

from datetime import datetime
from zoneinfo import ZoneInfo

from waypost.contacts.ports import ContactStore
from waypost.contacts.profile import Contact
from waypost.contacts.zones import zone_of
from waypost.errors import ContactNotFound, InvalidInput
from waypost.journeys.enrolment import Enrolment
from waypost.journeys.pause import Pause, due_at
from waypost.journeys.ports import EnrolmentStore, Timers
from waypost.journeys.timers import book_timer


def stored_due_at(enrolment: Enrolment, pause: Pause, contacts: ContactStore, default_zone: ZoneInfo) -> datetime:
    """``present_due_at`` of a contact that is read only if it matters. Raises ContactNotFound."""
    if not _is_held_up(enrolment, pause):
        return pause.due_at
    contact = contacts.load(enrolment.contact_id)
    if contact is None:
        raise ContactNotFound(f"contact {enrolment.contact_id} does not exist")
    return present_due_at(enrolment, pause, contact, default_zone)


def present_due_at(enrolment: Enrolment, pause: Pause, contact: Contact, default_zone: ZoneInfo) -> datetime:
    """When the Pause is over: later than it was parked for when a deferred message of this journey goes out later."""
    if not _is_held_up(enrolment, pause):
        return pause.due_at
    try:
        return due_at(
            pause.spec,
            parked_at=pause.parked_at,
            enrolled_at=enrolment.enrolled_at,
            anchor_at=enrolment.anchor_at,
            zone=zone_of(contact, default_zone),
            attributes=contact.attributes,
        )
    except InvalidInput:  # the contact has lost the date since it was parked: what was booked then still holds
        return pause.due_at


def _is_held_up(enrolment: Enrolment, pause: Pause) -> bool:
    return enrolment.anchor_at is not None and enrolment.anchor_at > pause.parked_at


def postpone(
    enrolment: Enrolment, due_at: datetime, *, enrolments: EnrolmentStore, timers: Timers, now: datetime
) -> bool:
    """Have a parked contact wait until ``due_at``; False when the row was changed since it was read."""
    after = enrolment.postponed(due_at)
    book_timer(timers, after, now=now)  # first: after the write this minute does not list the row again
    return due_at == enrolment.due_at or enrolments.save(after)
