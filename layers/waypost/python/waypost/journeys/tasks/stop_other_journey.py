"""End another journey of the contact of this one. Called by stop_other_journey."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from waypost.contacts.ports import ContactStore
from waypost.errors import ContactNotFound, EnrolmentNotFound
from waypost.journeys.enrolment import Stopped
from waypost.journeys.ports import EnrolmentStore
from waypost.journeys.stop_journey import StopJourney
from waypost.journeys.superseding import refuse_superseded
from waypost.sending.occasion import JourneyStep


@dataclass(frozen=True, slots=True, kw_only=True)
class StopOtherJourney:
    """Ends the contact's passages through a journey as an operator would; the timeline names this journey and the reason."""

    contacts: ContactStore
    enrolments: EnrolmentStore
    stop_journey: StopJourney

    def stop(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """``{outcome, journey, stopped}`` for the payload's ``journey`` and ``reason``; ``stopped`` counts the passages.

        ``stopped``, also by an earlier try of this visit; ``not_in_journey``; ``held_out``: the contact is in the hold-out of this journey.
        Raises ContactNotFound, EnrolmentNotFound, HopSuperseded and ConcurrentUpdate.
        """
        step = JourneyStep.from_payload(payload)
        enrolment = self.enrolments.load(step.contact_id, step.enrolment_id)
        if enrolment is None:
            raise EnrolmentNotFound(f"enrolment {step.enrolment_id} does not exist")
        refuse_superseded(enrolment, payload)
        name = payload["journey"]
        if enrolment.held_out:
            return {"outcome": "held_out", "journey": name, "stopped": 0}
        contact = self.contacts.load(step.contact_id)
        if contact is None:
            raise ContactNotFound(f"contact {step.contact_id} does not exist")
        why = Stopped(reason=payload["reason"], by=f"{step.journey}/{step.state}")
        stopped = self.stop_journey.stop_all(contact, name, why)
        return {"outcome": "stopped" if stopped else "not_in_journey", "journey": name, "stopped": len(stopped)}
