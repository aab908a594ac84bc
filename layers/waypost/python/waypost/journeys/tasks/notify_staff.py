"""Notify members of staff about the contact of a journey. Called by notify_staff."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from waypost.contacts.channels import Channel, channel_named
from waypost.contacts.ports import ContactStore
from waypost.contacts.profile import Contact
from waypost.errors import ContactNotFound, EnrolmentNotFound, InvalidInput
from waypost.events.history import EVER, EventHistory, since_under
from waypost.journeys.enrolment import Enrolment
from waypost.journeys.ports import EnrolmentStore
from waypost.journeys.superseding import refuse_superseded
from waypost.sending.occasion import JourneyStep, StaffNotice
from waypost.sending.request import SendRequest, SendResult
from waypost.sending.send_message import STAFF as OWNER
from waypost.sending.send_message import SendMessage
from waypost.staff.directory import Member, StaffDirectory
from waypost.staff.relations import RELATION_EVENTS, STAFF, Relation, relations

Target = Literal["linked", "managers", "everyone_who_added", "first_who_added"]
"""Whom a notice goes to, seen from the contact: who the event is linked to, who is above them, all who added it, the first who did."""

TARGETS: Final[tuple[Target, ...]] = get_args(Target)
MOST_NOTIFIED: Final = 50
"""Members that one step notifies; a department or a chain that is longer is cut, by the order of the rule."""
_BY_WEIGHT: Final = ("sent", "deferred", "unknown", "rejected", "skipped")


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifyStaff:
    """Finds who is to be notified and sends each of them the journey's message, at most once for this visit to the step."""

    contacts: ContactStore
    enrolments: EnrolmentStore
    history: EventHistory
    staff: StaffDirectory
    sender: SendMessage

    def notify(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """``{outcome, reason, notified}``: the best of what became of the notices, and each with its ``member``.

        The payload has ``message`` and one of ``to`` (a ``Target``), ``member``, ``department`` and ``queue``. Where nobody is found,
        ``outcome`` is ``skipped`` and ``reason`` says why; so for a contact of the
        journey's hold-out. Raises ContactNotFound, EnrolmentNotFound, HopSuperseded, and InvalidInput
        for a target that does not exist.
        """
        step = JourneyStep.from_payload(payload)
        contact = self.contacts.load(step.contact_id)
        if contact is None:
            raise ContactNotFound(f"contact {step.contact_id} does not exist")
        enrolment = self.enrolments.load(step.contact_id, step.enrolment_id)
        if enrolment is None:
            raise EnrolmentNotFound(f"enrolment {step.enrolment_id} does not exist")
        refuse_superseded(enrolment, payload)
        if enrolment.held_out:
            return {"outcome": "skipped", "reason": "held_out", "notified": []}
        members, missing = self._members(payload, contact, enrolment, step)
        sent = [(member, self._send(payload, step, member)) for member in members[:MOST_NOTIFIED]]
        if not sent:
            return {"outcome": "skipped", "reason": missing, "notified": []}
        best = min((result for _, result in sent), key=lambda result: _BY_WEIGHT.index(result.outcome))
        return {
            "outcome": best.outcome,
            "reason": best.reason,
            "notified": [{"member": member.id, **result.to_dict()} for member, result in sent],
        }

    def _send(self, payload: Mapping[str, Any], step: JourneyStep, member: Member) -> SendResult:
        channel: Channel | None = channel_named(payload["channel"]) if payload.get("channel") else None
        occasion = StaffNotice(
            member.contact_id,
            notice=f"{step.journey}/{payload['message']}",
            about=f"{step.enrolment_id}/{step.state}/{step.occurrence}",
            urgent=bool(payload.get("urgent", False)),
            shown_for=step.contact_id,
            enrolment_id=step.enrolment_id,
        )
        return self.sender.send(SendRequest(occasion, f"{step.journey}/{payload['message']}", channel=channel))

    def _members(
        self, payload: Mapping[str, Any], contact: Contact, enrolment: Enrolment, step: JourneyStep
    ) -> tuple[list[Member], str]:
        """Who is to be notified, each once, and why it is nobody if it is nobody."""
        match payload:
            case {"member": str(member)}:
                return [self.staff.member(member, "member")], ""
            case {"department": str(department)}:
                return self.staff.in_department(department), "department_empty"
            case {"queue": str(queue)}:
                found = self.staff.from_queue(queue, f"{step.enrolment_id}/{step.state}/{step.occurrence}")
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
                levels = int(payload.get("levels", MOST_NOTIFIED))
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
