"""Ask for another journey for the contact of this one. Called by start_other_journey."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from waypost import ids
from waypost.clock import Clock
from waypost.errors import EnrolmentNotFound, InvalidInput
from waypost.events.envelope import OWN_SOURCE, Event, caused_by_step
from waypost.events.ports import EventQueue
from waypost.journeys.ports import EnrolmentStore
from waypost.journeys.published import REQUEST, PublishedJourneys
from waypost.journeys.superseding import refuse_superseded
from waypost.sending.occasion import HopVisit, JourneyStep, step_place

LARGEST_PROPERTIES: Final = 8 * 1024
"""Bytes of the properties that are handed on: the row of the other enrolment keeps them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartOtherJourney:
    """Asks the router for a journey, at most once for each visit of a step; entry, re-entry and the rest are decided there as ever."""

    journeys: PublishedJourneys
    enrolments: EnrolmentStore
    queue: EventQueue
    clock: Clock

    def start(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """``{outcome, journey}`` for the payload's ``journey`` and ``properties``, which the other reads of its trigger.

        ``requested``: the router decides, and the timeline says what; ``closed`` and ``no_such_journey``: nobody enters it; ``held_out``: the
        contact is in the hold-out of this journey. Raises EnrolmentNotFound, HopSuperseded, and InvalidInput for properties that are too large.
        """
        step = JourneyStep.from_payload(payload)
        enrolment = self.enrolments.load(step.contact_id, step.enrolment_id)
        if enrolment is None:
            raise EnrolmentNotFound(f"enrolment {step.enrolment_id} does not exist")
        refuse_superseded(enrolment, payload)
        name, properties = payload["journey"], _properties(payload)
        journey = self.journeys.by_name.get(name)
        if journey is None or journey.closed:
            return {"outcome": "closed" if journey else "no_such_journey", "journey": name}
        if enrolment.held_out:
            return {"outcome": "held_out", "journey": name}
        cause = caused_by_step(step.enrolment_id, step_place(enrolment.pauses_passed, HopVisit.from_payload(payload)))
        now = self.clock()
        because = {"journey": name, "requested_by": step.journey, "requested_step": step.state}
        event = Event(
            id="e-" + ids.digest("start_other_journey", step.enrolment_id, step.state, str(step.occurrence)),
            type=REQUEST,
            contact={"contact_id": step.contact_id},
            occurred_at=now,
            received_at=now,
            source=OWN_SOURCE,
            properties={**properties, **because},
            correlation_id=step.correlation_id,
            cause=cause,
        )
        self.queue.send([event])
        return {"outcome": "requested", "journey": name}


def _properties(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    properties = payload.get("properties") or {}
    if not isinstance(properties, Mapping):
        raise InvalidInput("properties", f"expected a mapping, got {properties!r}")
    if (size := len(json.dumps(properties).encode())) > LARGEST_PROPERTIES:
        raise InvalidInput("properties", f"has {size:,} bytes; at most {LARGEST_PROPERTIES:,} are handed on")
    return properties
