"""Where a message stands in the project, by the name or path that a person gives. Used by ``waypost message``."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.project import Project
from local.problems import LocalError
from waypost.authoring.authored_files import FileReader
from waypost.authoring.brands import brands_under
from waypost.authoring.forbidden_words import lists_of
from waypost.authoring.messages import MessageFolder
from waypost.authoring.problems import InvalidJourney, Problem, unknown
from waypost.authoring.sending_policy import SENDING_RULES, SendingRules
from waypost.authoring.yaml_reading import UnclearYamlError, read_yaml
from waypost.intake.declared_replies import FOLDER


@dataclass(frozen=True, slots=True)
class PlacedMessage:
    """One message folder of a project. ``journey`` is the journey it belongs to, or the folder of the replies."""

    path: Path
    journey: str
    sending: SendingRules
    statemachines: Path

    @property
    def id(self) -> str:
        """The id in the catalogue of messages."""
        return f"{self.journey}/{self.path.name}"

    def read(self) -> tuple[dict[str, Any] | None, list[Problem]]:
        """The published form, or what is wrong; problems name files as the current folder sees them."""
        return MessageFolder(
            self.path,
            self.statemachines / "look",
            self.sending.default_locale,
            shown,
            lists_of(self.statemachines),
            brands_under(self.statemachines),
            self._brand_of_journey(),
        ).read()

    def trigger(self) -> str:
        """The type of the event that starts its journey, "" where none does or the file cannot be read."""
        trigger = self._manifest().get("trigger")
        event = trigger.get("event") if isinstance(trigger, dict) else None
        return event if isinstance(event, str) else ""

    def _brand_of_journey(self) -> str:
        """The brand of its journey, "" where it names none or one that is not declared, which the journey's own checks report."""
        brand = self._manifest().get("brand")
        return brand if isinstance(brand, str) and brand in brands_under(self.statemachines) else ""

    def _manifest(self) -> dict[str, Any]:
        """What ``journey.yaml`` says, unchecked; {} where there is none or it cannot be read."""
        try:
            manifest = read_yaml(self.statemachines / "journeys" / self.journey / "journey.yaml")
        except (OSError, UnclearYamlError):
            return {}
        return manifest if isinstance(manifest, dict) else {}


def shown(path: Path) -> str:
    """A path as a terminal in the current folder opens it."""
    near = path.resolve().is_relative_to(Path.cwd())
    return os.path.relpath(path) if near else str(path)


def message_called(given: str, project: Project) -> PlacedMessage:
    """The message of a folder's path, or of its id (``new-user-nurture/welcome``). Raises LocalError."""
    found = list(_messages(project))
    path = Path(given)
    if path.is_dir():
        place = next((each for each in found if each.resolve() == path.resolve()), None)
        if place is None:
            raise LocalError(
                f"{given} is no message of this project",
                "a message is a folder in a journey's messages/, or in replies/",
            )
    else:
        names = {_id(each): each for each in found}
        place = names.get(given)
        if place is None:
            raise LocalError(unknown(given, names, "unknown message"), "give <journey>/<message>, or the folder's path")
    return PlacedMessage(place, _owner(place), sending_rules(project), project.statemachines)


def sending_rules(project: Project) -> SendingRules:
    """What sending.yaml says. Raises LocalError when it is wrong."""
    reader = FileReader(project.statemachines)
    rules = reader.declared(project.statemachines / "sending.yaml", SENDING_RULES)
    try:
        reader.raise_problems()
    except InvalidJourney as wrong:
        raise LocalError(str(wrong), "correct sending.yaml first") from None
    return rules or SENDING_RULES()


def _messages(project: Project) -> Iterator[Path]:
    yield from (path.parent for path in sorted(project.journeys.glob("*/messages/*/message.yaml")))
    yield from (path.parent for path in sorted(project.statemachines.glob(f"{FOLDER}/*/message.yaml")))


def _id(folder: Path) -> str:
    return f"{_owner(folder)}/{folder.name}"


def _owner(folder: Path) -> str:
    """The name of the journey, or of the folder of the replies."""
    return folder.parents[1].name if folder.parent.name == "messages" else folder.parent.name
