"""What a journey says of its notices to staff is checked against the directory and the message."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from waypost.authoring.authored_files import FileReader
from waypost.authoring.naming import check_names

STAFF = {
    "members": {"lin.chen": {"department": "growth"}, "wei.zhang": {}},
    "queues": {"service": ["lin.chen"]},
}
MESSAGES = {"new-lead": {"kind": "transactional"}, "offer": {"kind": "marketing"}}


@dataclass
class Journey:
    """A journey folder with one step that notifies."""

    payload: dict[str, Any]
    path: Path = Path("lead")
    function: str = "NotifyStaff"
    name: str = "lead"
    messages: dict[str, dict[str, Any]] = field(default_factory=lambda: MESSAGES)

    @property
    def definition(self) -> dict[str, Any]:
        arguments = {"FunctionName": f"${{{self.function}}}", "Payload": self.payload}
        return {"StartAt": "Notify", "States": {"Notify": {"Type": "Task", "Arguments": arguments, "End": True}}}

    @property
    def selects(self) -> None:
        """See ReadJourney: an event starts it."""
        return

    def published(self) -> dict[str, Any]:
        return {}


def problems(tmp_path: Path, **payload: Any) -> list[tuple[str, str]]:
    reader = FileReader(tmp_path)
    check_names(reader, [Journey({"message": "new-lead", **payload}, tmp_path / "lead")], {"staff": STAFF})
    return [(each.field, each.reason) for each in reader.problems]


@pytest.mark.parametrize(
    "payload",
    [
        {"member": "lin.chen"},
        {"department": "growth"},
        {"queue": "service"},
        {"to": "linked"},
        {"to": "linked", "otherwise": "service"},
        {"member": "{% $member %}"},
        {"message": "{% $message %}", "to": "managers"},
    ],
)
def test_what_is_declared_is_accepted(tmp_path: Path, payload: dict[str, Any]) -> None:
    assert problems(tmp_path, **payload) == []


@pytest.mark.parametrize(
    ("payload", "where", "reason"),
    [
        ({"member": "lin.cheng"}, "member", "lin.chen"),
        ({"department": "grwth"}, "department", "growth"),
        ({"queue": "servce"}, "queue", "service"),
        ({"to": "linked", "otherwise": "servce"}, "otherwise", "unknown queue"),
        ({"message": "offer", "to": "linked"}, "message", "marketing"),
    ],
)
def test_what_nothing_declares_is_refused_with_its_field(
    tmp_path: Path, payload: dict[str, Any], where: str, reason: str
) -> None:
    ((path, why),) = problems(tmp_path, **payload)
    assert path == f"Notify.Arguments.Payload.{where}"
    assert reason in why


@pytest.mark.parametrize(
    ("payload", "found"),
    [
        ({"member": "lin.chen", "escalate": {"queue": "service"}}, ""),
        ({"to": "linked", "escalate": {"to": "managers"}}, ""),
        ({"queue": "servce"}, "Notify.Arguments.Payload.queue"),
        ({"to": "linked", "escalate": {"queue": "servce"}}, "Notify.Arguments.Payload.escalate.queue"),
        ({"to": "linked", "escalate": {"member": "wei.zang"}}, "Notify.Arguments.Payload.escalate.member"),
    ],
)
def test_a_task_and_its_escalation_name_staff_that_is_declared(
    tmp_path: Path, payload: dict[str, Any], found: str
) -> None:
    reader = FileReader(tmp_path)
    check_names(reader, [Journey(payload, tmp_path / "lead", "AssignTask")], {"staff": STAFF})
    assert [each.field for each in reader.problems] == ([found] if found else [])
