"""A project that can be deployed where AWS has no channel: our own, with a journey that waits in place of those that send.

Used by ``lints.templates`` and by the tests of the partition ``aws-cn``.
"""

import json
import shutil
from pathlib import Path
from typing import Any, Final

import yaml

from infra.project import ROOT, Project

_JOURNEY: Final[dict[str, Any]] = {
    "scenario": "follow up",
    "description": "Waits two days after an order.",
    "owner": "growth team",
    "trigger": {"event": "order_placed"},
}
_DEFINITION: Final[dict[str, Any]] = {
    "Comment": "Waits.",
    "QueryLanguage": "JSONata",
    "StartAt": "Wait two days",
    "States": {
        "Wait two days": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
            "Arguments": {
                "FunctionName": "${PauseJourney}",
                "Payload": {"for": "2d", "context": "{% $states.context %}"},
            },
            "End": True,
        }
    },
}


def project_in_china(folder: Path) -> Project:
    """Write the project into ``folder``."""
    content = folder / "statemachines"
    shutil.copytree(ROOT / "statemachines", content, ignore=shutil.ignore_patterns("journeys", "operations"))
    journey = content / "journeys" / "order-follow-up"
    journey.mkdir(parents=True)
    (journey / "journey.yaml").write_text(yaml.safe_dump(_JOURNEY), encoding="utf-8")
    (journey / "definition.asl.yaml").write_text(yaml.safe_dump(_DEFINITION), encoding="utf-8")
    (folder / "cdk.json").write_text(json.dumps({"context": {"partition": "aws-cn"}}), encoding="utf-8")
    return Project.at(folder)
