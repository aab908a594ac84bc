"""Which members of staff added a contact, and when: read from the contact's events. Used by the notices of journeys."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from waypost.contacts.profile import LINKED
from waypost.events.history import RecordedEvent
from waypost.staff.directory import Member, StaffDirectory

ADDED: Final = "staff_added_contact"
REMOVED: Final = "staff_removed_contact"
"""The end of a relation, by either side."""
STAFF: Final = LINKED
"""The property of an event that names a member: by id, mail address or the address on a channel."""
RELATION_EVENTS: Final = (ADDED, REMOVED)


@dataclass(frozen=True, slots=True)
class Relation:
    """A member who has the contact among their customers, since ``added_at``."""

    member: Member
    added_at: datetime


def relations(events: Iterable[RecordedEvent], directory: StaffDirectory) -> list[Relation]:
    """The relations that stand, the first one first; ``events`` are the contact's, in any order.

    Added twice, the first time counts; added again after a removal, the new time does. Those who have left the directory count
    no more.
    """
    found: dict[str, Relation] = {}
    for event in sorted(events, key=lambda each: (each.occurred_at, each.id)):
        member = directory.known_as(event.properties.get(STAFF))
        if member is None:
            continue
        if event.type == REMOVED:
            found.pop(member.id, None)
        elif event.type == ADDED:
            found.setdefault(member.id, Relation(member, event.occurred_at))
    return sorted(found.values(), key=lambda each: (each.added_at, each.member.id))
