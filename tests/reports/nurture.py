"""The graph of a small journey and what is kept of a contact in it, for the tests of its pictures."""

from collections.abc import Mapping
from typing import Any

from waypost.authoring.journey_graphs import graph_of
from waypost.journeys.enrolment import Enrolment

BODY = "Body"


def task(function: str, *, then: str = "", **payload: Any) -> dict[str, Any]:
    after = {"Next": then} if then else {"End": True}
    return {"Type": "Task", "Arguments": {"FunctionName": f"${{{function}}}", "Payload": payload}, **after}


DEFINITION = {
    "StartAt": BODY,
    "States": {
        BODY: {
            "Type": "Parallel",
            "Branches": [
                {
                    "StartAt": "Welcome",
                    "States": {
                        "Welcome": task("SendMessage", then="Wait", message="welcome"),
                        "Wait": task("PauseJourney", then="Answered?"),
                        "Answered?": {
                            "Type": "Choice",
                            "Choices": [{"Condition": "{% $answered %}", "Next": "Tag"}],
                            "Default": "Which?",
                        },
                        "Tag": task("UpdateContact", then="Thank"),
                        "Thank": task("SendMessage", then="Wait again", message="thank"),
                        "Which?": {
                            "Type": "Choice",
                            "Choices": [{"Condition": "{% $vip %}", "Next": "Look up"}],
                            "Default": "Remind",
                        },
                        "Look up": task("EvaluateSegment", then="Remind"),
                        "Remind": task("SendMessage", then="Wait again", message="remind"),
                        "Wait again": task("PauseJourney"),
                    },
                }
            ],
            "Catch": [
                {"ErrorEquals": ["GoalReached"], "Next": "Confirm"},
                {"ErrorEquals": ["JourneyExited"], "Next": "Left"},
            ],
            "End": True,
        },
        "Confirm": task("SendMessage", message="confirm"),
        "Left": {"Type": "Succeed"},
    },
}
GRAPH = graph_of("nurture", DEFINITION, version=1, description="Welcomes people.")
"""Between Wait and Remind there are two ways: with a look-up and without."""


def enrolment(**changes: Any) -> Enrolment:
    """An enrolment that waits at its first pause, with these fields changed."""
    return Enrolment.from_dict(enrolment_row(**changes))


def enrolment_row(**changes: Any) -> dict[str, Any]:
    return {
        "sk": "enrolment#n-1",
        "enrolment_id": "n-1",
        "contact_id": "c-1",
        "journey": "nurture",
        "version": 1,
        "trigger": {"id": "e-1", "type": "registered", "occurred_at": "2031-03-03T01:00:00.000Z", "properties": {}},
        "enrolled_at": "2031-03-03T01:00:00.000Z",
        "hop": {"id": "h-1", "attempt": 1, "at": "2031-03-03T01:00:00.000Z", "taken_by": "x"},
        "due_at": "2031-03-05T02:00:00.000Z",
        "position": "parked",
        "pause": pause("Wait", "2031-03-03T01:00:00.000Z", "2031-03-05T02:00:00.000Z"),
        **changes,
    }


def pause(state: str, parked_at: str, due_at: str, **more: Any) -> dict[str, Any]:
    spec = {"pause_id": f"p-{state}", "state": state, "occurrence": 1, "spec": {}, "row": {}}
    return {**spec, "parked_at": parked_at, "due_at": due_at, **more}


def past(state: str, parked_at: str, ended_at: str, *, end: str = "elapsed") -> dict[str, Any]:
    times = {"parked_at": parked_at, "due_at": ended_at, "ended_at": ended_at}
    return {"state": state, "occurrence": 1, **times, "end": end, "awaited": "", "event_id": ""}


def message(state: str, at: str, *, outcome: str = "sent", reason: str = "every_guard_allowed") -> dict[str, Any]:
    decision = {"at": at, "local_time": at, "outcome": outcome, "reason": reason, "channel": "email"}
    return {
        "sk": f"message#{state}",
        "message_key": f"m-{state}",
        "occasion": {
            "kind": "journey_step",
            "contact_id": "c-1",
            "enrolment_id": "n-1",
            "journey": "nurture",
            "state": state,
        },
        "message": f"nurture/{state.lower()}",
        "state": "accepted" if outcome == "sent" else outcome,
        "decisions": [decision],
    }


def updated(step: str, at: str) -> dict[str, Any]:
    because = {"by": "journey", "journey": "nurture", "step": step}
    return {"sk": f"event#{at}#e-{step}", "type": "contact_updated", "occurred_at": at, "properties": because}


PROFILE = {
    "sk": "profile",
    "contact_id": "c-1",
    "created_at": "2031-03-03T01:00:00.000Z",
    "attributes": {"timezone": "Asia/Shanghai", "first_name": "Mei", "email": "mei@example.com"},
    "attributes_at": {},
    "identities": {"email": ["mei@example.com"]},
    "tags": [],
    "consents": {},
    "suppressions": {},
    "version": 1,
}


class Items:
    """A contact's items, in memory."""

    def __init__(self, *rows: Mapping[str, Any]) -> None:
        self._rows = rows

    def everything(self, contact_id: str) -> list[Mapping[str, Any]]:
        return list(self._rows) if contact_id == "c-1" else []
