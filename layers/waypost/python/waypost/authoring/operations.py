"""Finds the operations in ``statemachines/operations/``: machines that a marketer or a schedule starts. Used by discovery.

An operation is a folder with ``operation.yaml`` (what it is for, an example of its input, its schedule) and
``definition.asl.yaml``. Its tasks name functions as journeys do, ``${SplitImport}`` for ``functions/split_import``;
``${FilesBucket}`` stands for the bucket of files.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import Field

from waypost.authoring.authored_files import FileReader
from waypost.authoring.graph import called_function, scopes
from waypost.authoring.problems import Authored
from waypost.authoring.tasks import TRANSIENT_ERRORS
from waypost.policies.policy_form import LocalTime

FILES_BUCKET: Final = "FilesBucket"
STARTS_JOURNEYS: Final = "start-journey"
"""The operation that time starts for the journeys with a schedule or a date as trigger."""
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_PLACEHOLDER: Final = re.compile(r"\$\{([^}]*)\}")
_S3: Final = re.compile(r":s3:(\w+)$")
_LONGEST_TASK: Final = 900  # seconds; Lambda's own limit


class OperationSchedule(Authored):
    """When an operation starts by itself: every day, or every week ``on`` a day, ``at`` a time in the default time zone, or every full hour.

    ``only_if`` makes the schedule exist only where something asks for it: ``hourly_segments`` are saved segments with
    ``refresh: hourly``.
    """

    every: Literal["day", "week", "hour"]
    on: Weekday | None = None
    at: LocalTime | None = None
    input: dict[str, Any] = Field(default_factory=dict)
    only_if: Literal["hourly_segments"] | None = None

    def is_needed(self, sections: Mapping[str, Mapping[str, Any]]) -> bool:
        """Whether what is declared asks for this schedule."""
        if self.only_if is None:
            return True
        return any(segment.get("refresh") == "hourly" for segment in sections.get("segments", {}).values())


class OperationManifest(Authored):
    """``operation.yaml``."""

    description: str
    owner: str
    example: dict[str, Any] = Field(default_factory=dict)
    schedules: dict[str, OperationSchedule] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OperationFolder:
    """An operation that passed every check; ``definition`` still has its placeholders."""

    name: str
    path: Path
    manifest: OperationManifest
    definition: dict[str, Any]
    functions: tuple[str, ...]

    def with_journeys(self, schedules: Mapping[str, OperationSchedule]) -> "OperationFolder":
        """The operation that starts journeys, with the schedules of those that time starts, by journey; any other as it is."""
        if self.name != STARTS_JOURNEYS:
            return self
        together = {**self.manifest.schedules, **schedules}
        return replace(self, manifest=self.manifest.model_copy(update={"schedules": together}))

    def with_needed_schedules(self, sections: Mapping[str, Mapping[str, Any]]) -> "OperationFolder":
        """The operation without the schedules that nothing declared asks for."""
        kept = {name: each for name, each in self.manifest.schedules.items() if each.is_needed(sections)}
        return replace(self, manifest=self.manifest.model_copy(update={"schedules": kept}))

    @property
    def uses_files(self) -> bool:
        """Whether it reads or writes the bucket of files itself."""
        return f"${{{FILES_BUCKET}}}" in json.dumps(self.definition)

    @property
    def file_actions(self) -> tuple[str, ...]:
        """What it does with the bucket itself, by the names of IAM (``ListBucket``), sorted.

        Source: Step Functions Developer Guide, "IAM policies for using Distributed Map states".
        """
        called = {
            str(part.get("Resource", ""))
            for scope in scopes(self.definition)
            for state in scope.states.values()
            for part in (state, state.get("ItemReader", {}), state.get("ResultWriter", {}))
        }
        return tuple(sorted({each for name in called if (found := _S3.search(name)) for each in _actions(found[1])}))

    @property
    def has_distributed_map(self) -> bool:
        """Whether it starts child executions of itself."""
        return any(
            state.get("ItemProcessor", {}).get("ProcessorConfig", {}).get("Mode") == "DISTRIBUTED"
            for scope in scopes(self.definition)
            for state in scope.states.values()
        )


def _actions(call: str) -> tuple[str, ...]:
    """What IAM asks for a call of S3 by a machine: ``listObjectsV2`` needs ``ListBucket``."""
    match call:
        case "listObjectsV2":
            return ("ListBucket",)
        case "putObject":
            return ("AbortMultipartUpload", "GetObject", "ListMultipartUploadParts", "PutObject")
        case _:
            return (call[0].upper() + call[1:],)


def operations(reader: FileReader, *, shipped: Path | None = None) -> list[OperationFolder]:
    """Read the operations of the project and those in the folder ``shipped``, by name.

    What is wrong with one is added to the reader's problems; an own operation may not take the name of a shipped one.
    """
    own = reader.root / "operations"
    found = [_operation(reader, path) for path in reader.folders(own)]
    if shipped is not None and shipped.resolve() != own.resolve():
        product = FileReader(shipped.parent, reader.problems)
        for path in product.folders(shipped):
            if (own / path.name).exists():
                reader.add(own / path.name, "", "is the name of an operation that Waypost ships; choose another")
            found.append(_operation(product, path))
    return sorted((each for each in found if each is not None), key=lambda operation: operation.name)


def _operation(reader: FileReader, path: Path) -> OperationFolder | None:
    before = len(reader.problems)
    if not _NAME.fullmatch(path.name) or len(path.name) > 50:
        reader.add(path, "", "expected a folder name of at most 50 characters in lower case, such as import-contacts")
    manifest = reader.model(path / "operation.yaml", OperationManifest)
    file = path / "definition.asl.yaml"
    definition = reader.value(file)
    if definition is not None:
        reader.extend(file, _problems(definition))
    if len(reader.problems) > before or manifest is None or definition is None:
        return None
    named = sorted({name for name in _PLACEHOLDER.findall(json.dumps(definition)) if name != FILES_BUCKET})
    return OperationFolder(path.name, path, manifest, _augmented(definition), tuple(named))


def _problems(definition: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(definition, dict) or not isinstance(definition.get("States"), dict):
        yield "States", "expected a state machine: StartAt and States"
        return
    if definition.get("StartAt") not in definition["States"]:
        yield "StartAt", f"expected the name of a state, got {definition.get('StartAt')!r}"
        return
    if not definition.get("Comment"):
        yield "Comment", "is missing; it is what a marketer reads first in the console"


def _augmented(definition: dict[str, Any]) -> dict[str, Any]:
    """A copy in which every function call has ``Retry`` and ``TimeoutSeconds``, unless it has its own."""
    copy: dict[str, Any] = json.loads(json.dumps(definition))
    for scope in scopes(copy):
        for state in scope.states.values():
            if called_function(state) is not None or "${" in str(state.get("Resource", "")):
                state.setdefault("TimeoutSeconds", _LONGEST_TASK)
                state.setdefault("Retry", _retry())
    return copy


def _retry() -> list[dict[str, Any]]:
    return [
        {
            "ErrorEquals": list(TRANSIENT_ERRORS),
            "IntervalSeconds": 2,
            "MaxAttempts": 6,
            "BackoffRate": 2,
            "MaxDelaySeconds": 60,
            "JitterStrategy": "FULL",
        }
    ]
