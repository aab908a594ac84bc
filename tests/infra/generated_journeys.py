"""Journeys made by the hundred, as long as real ones, to see where a deployment ends. Used by tests of the limits."""

from pathlib import Path
from typing import Any

import yaml

TASKS: dict[str, dict[str, Any]] = {
    "SendMessage": {"message": "offer"},
    "UpdateContact": {"add_tags": ["called"]},
    "EvaluateSegment": {"rule": {"attribute": "city", "equals": "Shanghai"}},
}
COMBINATIONS = (("SendMessage",), ("SendMessage", "UpdateContact"), ("UpdateContact", "EvaluateSegment"), tuple(TASKS))
"""Which tasks a journey calls besides Pause: an account's roles must not grow with its journeys."""


def write_journeys(statemachines: Path, count: int, *, days: int = 8) -> list[str]:
    """Write ``count`` journeys of ``days`` pauses, each followed by the journey's tasks. Return their names."""
    names = [f"generated-{number:03}" for number in range(count)]
    for number, name in enumerate(names):
        folder = statemachines / "journeys" / name
        message = folder / "messages" / "offer"
        message.mkdir(parents=True)
        _dump(message / "message.yaml", {"kind": "marketing", "topic": "offers", "channels": ["sms"]})
        (message / "sms.zh-CN.txt").write_text("【Shop】An offer for you. 拒收请回复R\n", encoding="utf-8")
        _dump(folder / "journey.yaml", _manifest(number))
        _dump(folder / "definition.asl.yaml", _definition(COMBINATIONS[number % len(COMBINATIONS)], days))
    return names


def _dump(path: Path, content: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")


def _manifest(number: int) -> dict[str, Any]:
    return {
        "scenario": "generated",
        "description": "One of many.",
        "owner": "tests",
        "trigger": {"event": f"order_placed_{number}"},
        "version": 1,
    }


def _definition(tasks: tuple[str, ...], days: int) -> dict[str, Any]:
    steps = [
        (f"Day {day}, {label}", function, payload)
        for day in range(1, days + 1)
        for label, function, payload in (
            ("until ten", "PauseJourney", {"until": {"day": day, "at": "10:00"}}),
            *((f"then {task}", task, TASKS[task]) for task in tasks),
        )
    ]
    states = {
        name: {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke" + (".waitForTaskToken" if function == "PauseJourney" else ""),
            "Arguments": {
                "FunctionName": f"${{{function}}}",
                "Payload": {**payload, "context": "{% $states.context %}"},
            },
            **({"Next": steps[index + 1][0]} if index + 1 < len(steps) else {"End": True}),
        }
        for index, (name, function, payload) in enumerate(steps)
    }
    return {"Comment": "One of many.", "QueryLanguage": "JSONata", "StartAt": steps[0][0], "States": states}
