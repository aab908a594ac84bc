"""Journeys of one message, written into a project's folder. Used by the flows of channels."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml


def add_journey(
    journeys: Path,
    name: str,
    event: str,
    message: dict[str, Any],
    files: dict[str, str],
    *,
    before: Mapping[str, Any] | None = None,
) -> None:
    """At each such event the journey takes the step ``before``, if any, and sends the message, which has its own name."""
    folder = journeys / name / "messages" / name
    folder.mkdir(parents=True)
    manifest = {"scenario": name, "description": name, "owner": "growth team", "re_entry": "always"}
    step = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {
            "FunctionName": "${SendMessage}",
            "Payload": {"message": name, "context": "{% $states.context %}"},
        },
        "End": True,
    }
    states = {"Send it": step} if before is None else {"Before it": {**before, "Next": "Send it"}, "Send it": step}
    definition = {"Comment": name, "QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states}
    for path, content in (
        (journeys / name / "journey.yaml", {**manifest, "trigger": {"event": event}}),
        (journeys / name / "definition.asl.yaml", definition),
        (folder / "message.yaml", {"kind": "transactional", "topic": "orders", **message}),
    ):
        path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    for file, text in files.items():
        (folder / file).write_text(text, encoding="utf-8")
