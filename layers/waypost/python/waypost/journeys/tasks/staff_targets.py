"""Which members of staff a step of a journey means. Used by the tasks that notify them and give them work."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from waypost.contacts.profile import Contact
from waypost.errors import InvalidInput
from waypost.events.history import EVER, EventHistory, since_under
from waypost.journeys.enrolment import Enrolment
from waypost.sending.occasion import JourneyStep
from waypost.sending.send_message import STAFF as OWNER
from waypost.staff.directory import Member, StaffDirectory
from waypost.staff.relations import RELATION_EVENTS, STAFF, Relation, relations

Target = Literal["linked", "managers", "everyone_who_added", "first_who_added"]
"""Whom a step means, seen from the contact: who the event is linked to, who is above them, all who added it, the first who did."""

TARGETS: Final[tuple[Target, ...]] = get_args(Target)
MOST_REACHED: Final = 50
"""Members that one step reaches; a department or a chain that is longer is cut, by the order of the rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffTargets:
    """Finds the members that a payload names: by ``to`` (a ``Target``), ``member``, ``department`` or ``queue``.

    Where that is nobody, one of the queue that ``otherwise`` names.
    """

    staff: StaffDirectory
    history: EventHistory

    def members(
        self, payload: Mapping[str, Any], contact: Contact, enrolment: Enrolment, step: JourneyStep
    ) -> tuple[list[Member], str]:
        """The members, each once, at most ``MOST_REACHED``, and why it is nobody if it is nobody.

        Raises InvalidInput for a target that does not exist.
        """
        found, missing = self._members(payload, contact, enrolment, step)
        if not found and (queue := payload.get("otherwise")):
            found, missing = self._members({"queue": queue}, contact, enrolment, step)
        return found[:MOST_REACHED], missing

    def from_queue(self, queue: str, step: JourneyStep) -> Member | None:
        """The member of a queue who gets the work of this visit to a step."""
        return self.staff.from_queue(queue, f"{step.enrolment_id}/{step.state}/{step.occurrence}")

    def _members(
        self, payload: Mapping[str, Any], contact: Contact, enrolment: Enrolment, step: JourneyStep
    ) -> tuple[list[Member], str]:
        match payload:
            case {"member": str(member)}:
                return [self.staff.member(member, "member")], ""
            case {"department": str(department)}:
                return self.staff.in_department(department), "department_empty"
            case {"queue": str(queue)}:
                found = self.from_queue(queue, step)
                return [found] if found else [], "queue_empty"
            case {"to": str(target)}:
                return self._targets(target, payload, contact, enrolment)
            case _:
                raise InvalidInput("to", f"expected one of {', '.join(TARGETS)}, or a member, department or queue")

    def _targets(
        self, target: str, payload: Mapping[str, Any], contact: Contact, enrolment: Enrolment
    ) -> tuple[list[Member], str]:
        match target:
            case "linked":
                linked = self._linked(payload, contact, enrolment)
                return [linked] if linked else [], "no_staff_linked"
            case "managers":
                linked = self._linked(payload, contact, enrolment)
                levels = int(payload.get("levels", MOST_REACHED))
                return (self.staff.managers_of(linked, levels), "no_manager") if linked else ([], "no_staff_linked")
            case "everyone_who_added":
                return [each.member for each in self._relations(contact)], "nobody_added_contact"
            case "first_who_added":
                return [each.member for each in self._relations(contact)[:1]], "nobody_added_contact"
            case _:
                raise InvalidInput("to", f"expected one of {', '.join(TARGETS)}, got {target!r}")

    def _linked(self, payload: Mapping[str, Any], contact: Contact, enrolment: Enrolment) -> Member | None:
        """The member whom the event names that started the journey, else the contact's owner."""
        named = enrolment.trigger.properties.get(payload.get("linked_by", STAFF))
        return self.staff.known_as(named) or self.staff.known_as(contact.attributes.get(OWNER))

    def _relations(self, contact: Contact) -> list[Relation]:
        events = since_under(contact.partitions, self.history, EVER, types=RELATION_EVENTS)
        return relations(events, self.staff)
