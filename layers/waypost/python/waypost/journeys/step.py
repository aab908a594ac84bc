"""Where in a journey a task was called from, read off the Step Functions context. Used by every task's handler."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Step:
    """One visit to one state of one execution.

    ``occurrence`` tells the visits of a state in a loop apart; a retry of the same visit keeps it.
    """

    contact_id: str
    enrolment_id: str
    journey: str
    execution: str
    state: str
    occurrence: int = 1
    correlation_id: str = ""

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Self:
        """The step of a task's payload, which passes the whole ASL context as ``context``."""
        context = payload["context"]
        given = context["Execution"]["Input"]
        return cls(
            contact_id=given["contact_id"],
            enrolment_id=given["enrolment_id"],
            journey=given["journey"],
            execution=context["Execution"]["Name"],
            state=context["State"]["Name"],
            occurrence=int(payload.get("occurrence", 1)),
            correlation_id=given.get("correlation_id", ""),
        )
