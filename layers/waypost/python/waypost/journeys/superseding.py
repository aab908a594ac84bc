"""Refuse the tasks of a hop that no longer holds its enrolment. Used by the tasks of journeys."""

from collections.abc import Mapping
from typing import Any

from waypost.errors import HopSuperseded
from waypost.journeys.enrolment import Enrolment
from waypost.sending.occasion import HopVisit


def refuse_superseded(enrolment: Enrolment, payload: Mapping[str, Any]) -> None:
    """Raises HopSuperseded unless the task's execution is the one that may walk."""
    visit = HopVisit.from_payload(payload)
    if not enrolment.held_by(visit):
        raise HopSuperseded(f"hop {visit.hop_id} is not the one that walks")
