"""Finds the journeys in ``statemachines/``, checks every file of them and says all that is wrong. Used by the synth.

Adding a journey is adding a folder; nothing else needs to know its name.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from waypost.authoring.definition import augmented, functions_called
from waypost.authoring.lint import lint
from waypost.authoring.manifest import JourneyManifest
from waypost.authoring.messages import MessageFolder
from waypost.authoring.problems import Authored, InvalidJourney, Problem, explain, is_expression, join
from waypost.authoring.sending_policy import SendingRules
from waypost.authoring.yaml_reading import UnclearYamlError, read_yaml

__all__ = ["InvalidJourney", "JourneyFolder", "Library", "Problem", "discover"]

_NAME: Final = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")
_CHANNELS: Final = ("email", "sms")
_Model = TypeVar("_Model", bound=Authored)


@dataclass(frozen=True, slots=True)
class JourneyFolder:
    """A journey that passed every check.

    ``definition`` is the state machine as it is deployed, with the placeholders (``${SendMessage}``) still in it;
    ``functions`` names those it uses, sorted. ``messages`` holds the published form of each message.
    """

    name: str
    path: Path
    manifest: JourneyManifest
    definition: dict[str, Any]
    functions: tuple[str, ...]
    messages: dict[str, dict[str, Any]]

    def published(self) -> dict[str, Any]:
        """The form the run time reads."""
        return {**self.manifest.published(self.name), "messages": self.messages}


@dataclass(frozen=True, slots=True)
class Library:
    """Everything authored: the sending policy and the journeys, sorted by name."""

    sending: SendingRules
    journeys: tuple[JourneyFolder, ...]


def discover(statemachines: Path) -> Library:
    """Read ``statemachines/`` (its ``sending.yaml`` and its ``journeys/``). Raises InvalidJourney with every problem."""
    reader = _Reader(statemachines)
    sending = reader.sending()
    journeys = [reader.journey(path, sending) for path in reader.folders(statemachines / "journeys")]
    if reader.problems:
        raise InvalidJourney(reader.problems)
    return Library(sending, tuple(journey for journey in journeys if journey is not None))


@dataclass(frozen=True, slots=True)
class _Reader:
    """Collects the problems of all files, so that an author sees them at once."""

    root: Path
    problems: list[Problem] = field(default_factory=list)

    def shown(self, path: Path) -> str:
        """A path as an author knows it, from ``statemachines/`` on."""
        return f"{self.root.name}/{path.relative_to(self.root).as_posix()}"

    def folders(self, parent: Path) -> Iterator[Path]:
        """The folders in ``parent``; hidden ones and those that start with ``_`` are left alone."""
        if parent.is_dir():
            yield from (path for path in sorted(parent.iterdir()) if path.is_dir() and path.name[0] not in "._")

    def sending(self) -> SendingRules:
        """The sending policy; without a file, the one built in."""
        path = self.root / "sending.yaml"
        return (self._model(path, SendingRules) if path.exists() else None) or SendingRules()

    def journey(self, path: Path, sending: SendingRules) -> JourneyFolder | None:
        """The journey in the folder, or None and its problems."""
        before = len(self.problems)
        if not _NAME.fullmatch(path.name) or len(path.name) > 50:
            self._add(path, "", "expected a folder name of at most 50 characters in lower case, such as win-back")
        manifest = self._manifest(path)
        messages = self._messages(path, sending)
        definition = self._value(path / "definition.asl.yaml")
        if definition is not None:
            channels = {name: message["channels"] if message else _CHANNELS for name, message in messages.items()}
            findings = lint(definition, left_early=manifest.endings if manifest else set(), messages=channels)
            self._extend(path / "definition.asl.yaml", findings)
        if len(self.problems) > before or manifest is None:
            return None
        return JourneyFolder(
            name=path.name,
            path=path,
            manifest=manifest,
            definition=augmented(definition),
            functions=functions_called(definition),
            messages={name: message for name, message in messages.items() if message is not None},
        )

    def _manifest(self, folder: Path) -> JourneyManifest | None:
        path = folder / "journey.yaml"
        manifest = self._model(path, JourneyManifest)
        if manifest is not None and manifest.name not in {None, folder.name}:
            self._add(path, "name", f"expected the name of the folder, {folder.name!r}, got {manifest.name!r}")
        return manifest

    def _messages(self, folder: Path, sending: SendingRules) -> dict[str, dict[str, Any] | None]:
        messages: dict[str, dict[str, Any] | None] = {}
        for path in self.folders(folder / "messages"):
            if not _NAME.fullmatch(path.name):
                self._add(path, "", "expected a folder name in lower case, such as welcome or beauty-coupon")
            reader = MessageFolder(path, self.root / "look", sending.default_locale, self.shown)
            messages[path.name], problems = reader.read()
            self.problems.extend(problems)
        return messages

    def _model(self, path: Path, model: type[_Model]) -> _Model | None:
        value = self._value(path)
        if value is None:
            return None
        self._extend(path, _expressions("", value))
        try:
            return model.model_validate(value)
        except ValidationError as error:
            self._extend(path, explain(error, value, model))
            return None

    def _value(self, path: Path) -> Any:
        """The content of the file; None and a problem when there is none."""
        try:
            value = read_yaml(path)
        except FileNotFoundError:
            others = [other.name for other in sorted(path.parent.glob(f"{path.name.split('.')[0]}.*"))]
            self._add(path, "", "is missing" + (f"; rename {others[0]!r}" if others else ""))
            return None
        except UnclearYamlError as error:
            self._add(path, "", str(error))
            return None
        if value is None:
            self._add(path, "", "is empty")
        return value

    def _add(self, path: Path, where: str, reason: str) -> None:
        self.problems.append(Problem(self.shown(path), where, reason))

    def _extend(self, path: Path, findings: Iterator[tuple[str, str]] | list[tuple[str, str]]) -> None:
        for where, reason in findings:
            self._add(path, where, reason)


def _expressions(path: str, value: Any) -> Iterator[tuple[str, str]]:
    """JSONata strings where nothing evaluates them."""
    if is_expression(value):
        yield path, "an expression can stand in definition.asl.yaml only"
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _expressions(f"{path}[{index}]", each)
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from _expressions(join(path, name), each)
