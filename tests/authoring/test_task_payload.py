"""What a journey may say of a task for staff: one target, one deadline, words of a bounded length, one escalation."""

from typing import Any

import pytest
from pydantic import ValidationError

from functions.assign_task.payload import AssignTaskPayload

GIVEN: dict[str, Any] = {
    "context": "{% $states.context %}",
    "task": "service-call",
    "to": "linked",
    "title": {"zh-CN": "回访", "en": "Call"},
    "within": "1d",
}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"title": "Call", "text": "Ask about the parcel"},
        {"title": "{% $title %}", "text": {"en": "Ask"}},
        {"within": None, "working_hours": 1},
        {"within": "{% $deadline %}"},
        {"escalate": {"to": "managers", "levels": 2}},
        {"escalate": {"queue": "service"}, "urgent": True, "occurrence": "{% $round_number %}"},
    ],
)
def test_what_a_task_may_say(more: dict[str, Any]) -> None:
    AssignTaskPayload.model_validate({name: each for name, each in (GIVEN | more).items() if each is not None})


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"working_hours": 4}, "expected one deadline"),
        ({"within": None}, "expected one deadline"),
        ({"within": 4}, "expected a duration"),
        ({"within": "91d"}, "at most 90d"),
        ({"within": None, "working_hours": 0}, "greater than 0"),
        ({"to": None}, "expected exactly one of to, member"),
        ({"queue": "service"}, "expected exactly one of to, member"),
        ({"title": "x" * 121}, "at most 120"),
        ({"title": {}}, "at least 1 item"),
        ({"text": {"en": "x" * 2_001}}, "at most 2000"),
        ({"escalate": {}}, "expected exactly one of to: managers"),
        ({"escalate": {"to": "managers", "queue": "service"}}, "expected exactly one of to: managers"),
        ({"escalate": {"queue": "service", "levels": 2}}, "'levels' goes with"),
    ],
)
def test_what_is_no_task_is_refused_with_the_reason(more: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        AssignTaskPayload.model_validate({name: each for name, each in (GIVEN | more).items() if each is not None})
