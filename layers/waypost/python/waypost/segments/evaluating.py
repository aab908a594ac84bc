"""Whether a contact is in a segment, right now. Called by evaluate_segment from a journey's branch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from waypost.clock import Clock
from waypost.contacts.ports import ContactStore
from waypost.errors import ContactNotFound, EnrolmentNotFound
from waypost.events.history import EventHistory
from waypost.journeys.matching import history_for, holds, subject_of
from waypost.journeys.ports import EnrolmentStore
from waypost.journeys.step import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentEvaluator:
    """Evaluates a rule for the contact of a journey."""

    contacts: ContactStore
    enrolments: EnrolmentStore
    history: EventHistory
    clock: Clock

    def evaluate(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """``{member: bool}`` for the payload's ``rule``; ``property`` reads the event that started the journey."""
        step, rule = Step.from_payload(payload), payload["rule"]
        contact = self.contacts.load(step.contact_id)
        if contact is None:
            raise ContactNotFound(f"contact {step.contact_id} does not exist")
        enrolment = self.enrolments.load(step.contact_id, step.enrolment_id)
        if enrolment is None:
            raise EnrolmentNotFound(f"enrolment {step.enrolment_id} does not exist")
        subject = subject_of(
            contact,
            now=self.clock(),
            properties=enrolment.trigger.properties,
            trigger=enrolment.trigger.properties,
            history=history_for(rule, contact, self.history),
        )
        return {"member": holds(rule, subject)}
