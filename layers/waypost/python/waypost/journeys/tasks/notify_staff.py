"""Notify members of staff about the contact of a journey. Called by notify_staff."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from waypost.contacts.channels import Channel, channel_named
from waypost.contacts.ports import ContactStore
from waypost.errors import ContactNotFound, EnrolmentNotFound
from waypost.journeys.ports import EnrolmentStore
from waypost.journeys.superseding import refuse_superseded
from waypost.journeys.tasks.staff_targets import StaffTargets
from waypost.sending.occasion import JourneyStep, StaffNotice
from waypost.sending.request import SendOutcome, SendRequest, SendResult
from waypost.sending.send_message import SendMessage
from waypost.staff.directory import Member

BEST_FIRST: Final[tuple[SendOutcome, ...]] = ("sent", "deferred", "unknown", "rejected", "skipped")
"""The outcome of several notices is the best of theirs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifyStaff:
    """Finds who is to be notified and sends each of them the journey's message, at most once for this visit to the step."""

    contacts: ContactStore
    enrolments: EnrolmentStore
    targets: StaffTargets
    sender: SendMessage

    def notify(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """``{outcome, reason, notified}``: the best of what became of the notices, and each with its ``member``.

        The payload has ``message`` and one of ``to``, ``member``, ``department`` and ``queue`` (``StaffTargets``). Where nobody is
        found, ``outcome`` is ``skipped`` and ``reason`` says why; so for a contact of the journey's hold-out. Raises
        ContactNotFound, EnrolmentNotFound, HopSuperseded, and InvalidInput for a target that does not exist.
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
        members, missing = self.targets.members(payload, contact, enrolment, step)
        sent = [(member, self._send(payload, step, member)) for member in members]
        if not sent:
            return {"outcome": "skipped", "reason": missing, "notified": []}
        best = min((result for _, result in sent), key=lambda result: BEST_FIRST.index(result.outcome))
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
