"""Finds the journeys in ``statemachines/``, checks every file of them and says all that is wrong. Used by the synth.

Adding a journey is adding a folder; nothing else needs to know its name.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from waypost.authoring.authored_files import FileReader
from waypost.authoring.brands import brands_under
from waypost.authoring.declaring import declared
from waypost.authoring.definition import deployed, functions_called
from waypost.authoring.forbidden_words import lists_of
from waypost.authoring.functions import FUNCTIONS
from waypost.authoring.graph import scopes
from waypost.authoring.journey_graphs import graph_of
from waypost.authoring.lint import lint
from waypost.authoring.manifest import JourneyManifest, RemovedJourneys
from waypost.authoring.messages import MessageFolder
from waypost.authoring.naming import check_names
from waypost.authoring.operations import OperationFolder, operations
from waypost.authoring.problems import InvalidJourney, Problem, unknown
from waypost.authoring.replies import answers_alone, for_messages, problem_of
from waypost.authoring.segments import written_rules
from waypost.authoring.sending_policy import SENDING_RULES, SendingRules
from waypost.authoring.split_checks import NO_SPLITS
from waypost.authoring.tasks import Task, journey_tasks
from waypost.authoring.writing_out import Rules, definition_written_out, manifest_written_out
from waypost.contacts.channels import CHANNELS
from waypost.intake.declared_replies import FOLDER
from waypost.journeys.machine_versions import version_of
from waypost.reports.journey_graph import JourneyGraph

__all__ = ["InvalidJourney", "JourneyFolder", "Library", "Problem", "discover"]

NOTICE_LOCALE: Final = "en"
"""The language that every shipped notice has."""

_NAME: Final = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")
_TAKEN: Final = {FOLDER: "the folder of replies", "notices": "the folder of notices to staff"}
"""Folder names that no journey may have."""


@dataclass(frozen=True, slots=True)
class JourneyFolder:
    """A journey that passed every check.

    ``definition`` is the state machine as it is deployed, with the placeholders (``${SendMessage}``) still in it;
    ``functions`` names those it uses, sorted. ``messages`` holds the published form of each message, ``graph`` the journey
    as it was authored. ``segments`` are the rules of the saved segments that its own rules may name, once they are known.
    """

    name: str
    path: Path
    manifest: JourneyManifest
    definition: dict[str, Any]
    functions: tuple[str, ...]
    messages: dict[str, dict[str, Any]]
    graph: JourneyGraph
    segments: Rules | None = None

    @property
    def selects(self) -> Mapping[str, Any] | None:
        """The rule by which time chooses whom it starts the journey for; None where something else starts it."""
        schedule = self.manifest.schedule(self.name)
        return None if schedule is None else schedule.input["rule"]

    @property
    def machine_version(self) -> str:
        """The version of its flow: the name of its machine ends with it."""
        return version_of(self.definition, self.manifest.version)

    def published(self) -> dict[str, Any]:
        """The form the router reads."""
        manifest = {**self.manifest.published(self.name), "machine_version": self.machine_version}
        if self.segments is not None:
            manifest = manifest_written_out(manifest, self.segments)
        return manifest

    def with_segments(self, rules: Rules) -> "JourneyFolder":
        """The journey with the segments that its rules name written out."""
        return replace(self, segments=rules, definition=definition_written_out(self.definition, rules))


@dataclass(frozen=True, slots=True)
class Library:
    """Everything authored: the sending policy, the journeys and the operations by name, and the declared sections.

    ``notices`` are the messages to staff, by name, ``replies`` those that answer at once. ``removed`` says why the contacts of journeys whose folders are gone are stopped.
    """

    sending: SendingRules
    journeys: tuple[JourneyFolder, ...]
    operations: tuple[OperationFolder, ...] = ()
    notices: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    sections: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    removed: Mapping[str, str] = field(default_factory=dict)
    replies: Mapping[str, dict[str, Any]] = field(default_factory=dict)


def discover(statemachines: Path, *, functions: Path = FUNCTIONS, shipped_operations: Path | None = None) -> Library:
    """Read all that is authored under ``statemachines/``, and the operations in the folder ``shipped_operations``.

    Their definitions may call the tasks under ``functions``. Raises InvalidJourney with every problem.
    """
    library, problems = survey(statemachines, functions=functions, shipped_operations=shipped_operations)
    if problems:
        raise InvalidJourney(problems)
    return library


def survey(
    statemachines: Path, *, functions: Path = FUNCTIONS, shipped_operations: Path | None = None
) -> tuple[Library, list[Problem]]:
    """What of all that is authored passed its own checks, and every problem; what is wrong hides nothing else."""
    tasks = journey_tasks(functions)
    reader = _Reader(statemachines)
    sending = reader.sending()
    journeys = [reader.journey(path, sending, tasks) for path in reader.folders(statemachines / "journeys")]
    removed = reader.removed(statemachines / "journeys")
    notices = reader.notices(shipped_operations.parent if shipped_operations else statemachines, sending)
    replies = reader.replies(sending)
    found, sections = operations(reader, shipped=shipped_operations), declared(reader)
    sections["replies"] = for_messages(reader, sections["replies"], replies)
    read = tuple(journey for journey in journeys if journey is not None)
    check_names(reader, read, sections)
    if reader.problems:
        return Library(sending, read, tuple(found), notices, sections, replies=replies), reader.problems
    rules = written_rules(sections)
    runs = {journey.name: schedule for journey in read if (schedule := journey.manifest.schedule(journey.name))}
    with_schedules = tuple(operation.with_needed_schedules(sections).with_journeys(runs) for operation in found)
    return Library(
        sending,
        tuple(journey.with_segments(rules) for journey in read),
        with_schedules,
        notices,
        sections,
        removed,
        replies,
    ), []


@dataclass(frozen=True, slots=True)
class _Reader(FileReader):
    """Reads what is under ``statemachines/journeys/``, and the sending policy."""

    def sending(self) -> SendingRules:
        """The sending policy; without a file, the one built in."""
        path = self.root / "sending.yaml"
        return (self.model(path, SENDING_RULES) if path.exists() else None) or SENDING_RULES()

    def journey(self, path: Path, sending: SendingRules, tasks: Mapping[str, Task]) -> JourneyFolder | None:
        """The journey in the folder, or None and its problems."""
        before = len(self.problems)
        if not _NAME.fullmatch(path.name) or len(path.name) > 50:
            self.add(path, "", "expected a folder name of at most 50 characters in lower case, such as win-back")
        if path.name in _TAKEN:
            self.add(
                path, "", f"is the name of {_TAKEN[path.name]}, whose messages would have the same ids; choose another"
            )
        manifest = self._manifest(path)
        brand = (manifest.brand if manifest else None) or ""
        if brand and brand not in (known := brands_under(self.root)):
            self.add(path / "journey.yaml", "brand", unknown(brand, known, "brands.yaml has no brand"))
        messages = self._messages_in(path / "messages", sending, brand)
        for name, message in messages.items():
            if message is not None and (channel := answers_alone(message)):
                where = path / "messages" / name / "message.yaml"
                self.add(where, channel, f"only answers what somebody did at once; it belongs into {FOLDER}/")
        definition = self.value(path / "definition.asl.yaml")
        if definition is not None:
            channels = {name: message["channels"] if message else CHANNELS for name, message in messages.items()}
            left_early = manifest.endings if manifest else set()
            splits = manifest.splits if manifest else NO_SPLITS
            findings = lint(definition, tasks=tasks, left_early=left_early, messages=channels, splits=splits)
            self.extend(path / "definition.asl.yaml", findings)
            if manifest and not findings:
                self._check_steps(path / "journey.yaml", manifest, definition)
        if len(self.problems) > before or manifest is None:
            return None
        machine = deployed(definition, tasks=tasks)
        return JourneyFolder(
            name=path.name,
            path=path,
            manifest=manifest,
            definition=machine,
            functions=functions_called(machine),
            messages={name: message for name, message in messages.items() if message is not None},
            graph=graph_of(
                path.name,
                definition,
                version=manifest.version,
                description=manifest.description,
                names=manifest.step_names,
            ),
        )

    def notices(self, shipped: Path, sending: SendingRules) -> dict[str, dict[str, Any]]:
        """The messages to staff in ``notices/``: those that are shipped, and the project's own under the same names."""
        found: dict[str, dict[str, Any]] = {}
        for root in dict.fromkeys((shipped.resolve(), self.root.resolve())):
            locale = sending.default_locale if root == self.root.resolve() else NOTICE_LOCALE
            for path in self.folders(root / "notices"):
                shown = FileReader(root).shown
                words, brands = lists_of(self.root), brands_under(self.root)
                message, problems = MessageFolder(path, root / "look", locale, shown, words, brands).read()
                self.problems.extend(problems)
                if message is not None:
                    found[path.name] = message
        return found

    def replies(self, sending: SendingRules) -> dict[str, dict[str, Any]]:
        """The messages in ``replies/``, which answer what somebody did at once."""
        found = self._messages_in(self.root / FOLDER, sending)
        for name, message in found.items():
            if message is not None and (wrong := problem_of(message)) is not None:
                self.add(self.root / FOLDER / name / "message.yaml", *wrong)
        return {name: message for name, message in found.items() if message is not None}

    def removed(self, folder: Path) -> dict[str, str]:
        """Journey → why its contacts are stopped now that its folder is gone."""
        path = folder / "removed.yaml"
        file = self.declared(path, RemovedJourneys)
        for name in file.removed if file else ():
            if (folder / name).is_dir():
                self.add(path, f"removed.{name}", "its folder is there; delete the folder or this line")
        return dict(file.removed) if file else {}

    def _check_steps(self, path: Path, manifest: JourneyManifest, definition: dict[str, Any]) -> None:
        states = [name for scope in scopes(definition) for name in scope.states]
        for place, names in manifest.named_steps.items():
            for name in names:
                if name not in states:
                    self.add(path, place, unknown(name, states, "no state is called"))

    def _manifest(self, folder: Path) -> JourneyManifest | None:
        path = folder / "journey.yaml"
        manifest = self.model(path, JourneyManifest)
        if manifest is not None and manifest.name not in {None, folder.name}:
            self.add(path, "name", f"expected the name of the folder, {folder.name!r}, got {manifest.name!r}")
        return manifest

    def _messages_in(self, folder: Path, sending: SendingRules, brand: str = "") -> dict[str, dict[str, Any] | None]:
        """Each message folder in it by name; None for what is wrong. ``brand`` is the one of those that name none."""
        messages: dict[str, dict[str, Any] | None] = {}
        for path in self.folders(folder):
            if not _NAME.fullmatch(path.name):
                self.add(path, "", "expected a folder name in lower case, such as welcome or beauty-coupon")
            reader = MessageFolder(
                path,
                self.root / "look",
                sending.default_locale,
                self.shown,
                lists_of(self.root),
                brands_under(self.root),
                brand,
            )
            messages[path.name], problems = reader.read()
            self.problems.extend(problems)
        return messages
