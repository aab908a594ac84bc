"""A small journey that is valid, and ways to break it."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from waypost.authoring.discovery import InvalidJourney, JourneyFolder, discover

CONTEXT = "{% $states.context %}"
INVOKE = "arn:aws:states:::lambda:invoke"

MANIFEST: dict[str, Any] = {
    "name": "win-back",
    "scenario": "win back",
    "description": "Brings a contact back.",
    "owner": "growth team",
    "trigger": {"event": "subscription_cancelled"},
    "exit_on": [{"event": "unsubscribed"}],
    "goal": {"event": "order_placed", "where": {"coupon": "BACK10"}},
}


def task(function: str, **payload: Any) -> dict[str, Any]:
    """A state's type, resource and arguments."""
    resource = f"{INVOKE}.waitForTaskToken" if function == "PauseJourney" else INVOKE
    arguments = {"FunctionName": f"${{{function}}}", "Payload": {"context": CONTEXT, **payload}}
    return {"Type": "Task", "Resource": resource, "Arguments": arguments}


DEFINITION: dict[str, Any] = {
    "QueryLanguage": "JSONata",
    "StartAt": "Win the contact back",
    "States": {
        "Win the contact back": {
            "Type": "Parallel",
            "Branches": [
                {
                    "StartAt": "Day 1, sorry to see you go",
                    "States": {
                        "Day 1, sorry to see you go": {
                            **task("SendMessage", message="sorry"),
                            "Next": "Two days later",
                        },
                        "Two days later": {**task("PauseJourney", **{"for": "2d"}), "End": True},
                    },
                }
            ],
            "Catch": [
                {"ErrorEquals": ["GoalReached"], "Next": "Thank you, order received"},
                {"ErrorEquals": ["JourneyExited"], "Next": "Finished"},
            ],
            "Next": "Finished",
        },
        "Thank you, order received": {**task("SendMessage", message="thanks"), "Next": "Finished"},
        "Finished": {"Type": "Succeed"},
    },
}

MESSAGES = {
    "sorry": {
        "message.yaml": "kind: marketing\ntopic: offers\nchannels: [sms]\n",
        "sms.zh-CN.txt": "【店】期待再见 回T退订",
    },
    "thanks": {"message.yaml": "kind: transactional\ntopic: orders\nchannels: [sms]\n", "sms.zh-CN.txt": "【店】谢谢"},
}


def states(definition: dict[str, Any]) -> dict[str, Any]:
    """The states of the body."""
    inner: dict[str, Any] = definition["States"]["Win the contact back"]["Branches"][0]["States"]
    return inner


def write(
    root: Path,
    *,
    name: str = "win-back",
    manifest: Callable[[dict[str, Any]], None] = lambda _: None,
    definition: Callable[[dict[str, Any]], None] = lambda _: None,
) -> Path:
    """Write the journey under ``root``/statemachines, after the changes, and return that folder."""
    written_manifest, written_definition = copy.deepcopy(MANIFEST), copy.deepcopy(DEFINITION)
    written_manifest["name"] = name
    manifest(written_manifest)
    definition(written_definition)
    folder = root / "statemachines" / "journeys" / name
    folder.mkdir(parents=True)
    for file, content in (("journey.yaml", written_manifest), ("definition.asl.yaml", written_definition)):
        (folder / file).write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")
    for message, files in MESSAGES.items():
        (folder / "messages" / message).mkdir(parents=True)
        for file, text in files.items():
            (folder / "messages" / message / file).write_text(text, encoding="utf-8")
    return root / "statemachines"


def discovered(statemachines: Path) -> JourneyFolder:
    """The only journey there is."""
    [journey] = discover(statemachines).journeys
    return journey


def problems(statemachines: Path) -> list[str]:
    """What is wrong, a line each; nothing for what is valid."""
    try:
        discover(statemachines)
    except InvalidJourney as error:
        return str(error).splitlines()
    return []
