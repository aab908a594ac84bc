"""Finds the functions in ``functions/`` and reads their ``function.yaml``. Used by the synth and by the checks of definitions.

A function is a folder: ``handler.py``, ``event.json`` (a sample) and ``function.yaml``, which says who calls it and what it
may touch; a task of journeys has ``payload.py`` too, with the Pydantic model of what a definition passes to it. Adding a
function is adding its folder. The file grants rights by the name of the API action, so that a role can be compared with
what the code calls.
"""

import importlib.util
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from waypost.authoring.authored_files import FileReader
from waypost.authoring.payloads import Payload
from waypost.authoring.problems import Authored, InvalidJourney, Problem, unknown
from waypost.authoring.product import PRODUCT
from waypost.durations import parse_duration
from waypost.settings import Settings

FUNCTIONS: Final = PRODUCT / "functions"
"""The functions of Waypost itself."""
NOT_DEPLOYED: Final = ("__pycache__", "event.json", "function.yaml", "payload.py")
"""Files of a function's folder that only the synth and the tests read."""

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)+")
_LONGEST: Final = 900  # seconds; Lambda's own limit
_SETTINGS: Final = tuple(sorted(field.name for field in fields(Settings)))

Caller = Literal[
    "api",
    "channel_notices",
    "contacts_stream",
    "deferred_messages",
    "destination_queues",
    "events_queue",
    "every_hour",
    "person_syncs",
    "schedules",
]
WITHOUT_WAITING: Final[frozenset[Caller]] = frozenset({"every_hour", "schedules"})
"""Callers that do not wait for the answer: what fails at every attempt is kept in the queue of undelivered calls."""
HANDS_OUT_AGAIN: Final[frozenset[Caller]] = frozenset(
    {"channel_notices", "contacts_stream", "deferred_messages", "destination_queues", "events_queue", "person_syncs"}
)
"""Callers that hand out the same again for hours when a call fails, so the function has an alarm for its errors."""


def _seconds(text: str) -> str:
    if parse_duration(text).total_seconds() > _LONGEST:
        raise ValueError(f"expected at most 15m, got {text!r}")
    return text


def _setting(name: str) -> str:
    if name not in _SETTINGS:
        raise ValueError(unknown(name, _SETTINGS, "unknown setting"))
    return name


Prefix = Annotated[str, Field(pattern=r"^([a-z0-9-]+/)+$")]
Keys = Annotated[str, Field(pattern=r"^[a-z]+#\*$")]
Route = Annotated[str, Field(pattern=r"^(GET|HEAD|POST|PUT|DELETE) /\S*$")]
Secret = Literal["channels", "destinations", "links", "webhooks"]
Asked = Literal["codes", "people", "results", "staff"]
"""What providers are asked for beside sending: codes that people scan, what they know of a person, results of messages that
members of staff send, and who these are."""


class Reads(Authored):
    """What the function reads. ``contacts`` are actions on the tables of contacts and of profiles; ``keys`` limits them to
    these partition keys of contacts.

    ``due`` is an index of contacts, ``profiles`` the scan of all profiles; ``files`` are prefixes in the bucket of files.
    """

    contacts: list[Literal["BatchGetItem", "DescribeTable", "GetItem", "Query"]] = Field(default_factory=list)
    keys: Keys | None = None
    due: list[Literal["Query"]] = Field(default_factory=list)
    profiles: list[Literal["Scan"]] = Field(default_factory=list)
    files: list[Prefix] = Field(default_factory=list)
    secrets: list[Secret] = Field(default_factory=list)


class Writes(Authored):
    """What the function writes. ``keys`` limits the actions on contacts to these partition keys.

    ``files`` are written in one call; ``uploads`` are also written in parts, ``tagged_files`` also with tags.
    """

    contacts: list[Literal["BatchWriteItem", "ConditionCheckItem", "DeleteItem", "PutItem", "UpdateItem"]] = Field(
        default_factory=list
    )
    keys: Keys | None = None
    files: list[Prefix] = Field(default_factory=list)
    uploads: list[Prefix] = Field(default_factory=list)
    tagged_files: list[Prefix] = Field(default_factory=list)


Throttle = Literal["requests_per_second", "pages_per_second"]
"""Choices of a deployment (``infra/deployment.py``): what senders may post in a second, what people may open."""


class FunctionManifest(Authored):
    """``function.yaml``.

    ``task`` makes the function one that definitions of this kind may name (``${SendMessage}``); a task that ``waits`` is a
    Pause, authored as one with a task token; ``hops`` is for what the synth itself puts into the machines of journeys. ``called_by`` lists the other callers. ``settings`` are fields of ``waypost.settings.Settings`` beyond
    those that come with what the function touches. ``asks`` is for calls beside sending of providers that are not AWS: with the
    settings and the secrets of the channels that answer. ``throttle`` is the choice of the deployment that limits each of the
    ``routes``. ``alarms`` maps metrics that the function counts to what a value over
    zero within an hour means.
    """

    purpose: Annotated[str, Field(min_length=1, max_length=256)]
    task: Literal["hops", "journeys", "operations"] | None = None
    waits: bool = False
    called_by: list[Caller] = Field(default_factory=list)
    routes: list[Route] = Field(default_factory=list)
    throttle: Throttle = "requests_per_second"
    timeout: Annotated[str, AfterValidator(_seconds)] = "30s"
    memory: Annotated[int, Field(ge=128, le=10_240)] = 512
    reads: Reads = Field(default_factory=Reads)
    writes: Writes = Field(default_factory=Writes)
    sends: list[Literal["channels", "event_bus"]] = Field(default_factory=list)
    asks: list[Asked] = Field(default_factory=list)
    queues: list[
        Literal["destinations", "events", "events_dead_letters", "notices", "person_syncs", "rejected_items"]
    ] = Field(default_factory=list)
    schedules: list[Literal["CreateSchedule", "DeleteSchedule", "UpdateSchedule"]] = Field(default_factory=list)
    journeys: list[Literal["StartExecution"]] = Field(default_factory=list)
    operations: list[Literal["SendTaskSuccess"]] = Field(default_factory=list)
    settings: list[Annotated[str, AfterValidator(_setting)]] = Field(default_factory=list)
    alarms: dict[Annotated[str, Field(pattern=r"^[A-Z][A-Za-z]+$")], str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _has_a_caller(self) -> Self:
        if self.task is None and not self.called_by:
            raise ValueError("nothing calls it; give 'task' (journeys or operations) or 'called_by'")
        if bool(self.routes) != ("api" in self.called_by):
            raise ValueError("'routes' (such as GET /u/{token}) and 'called_by: [api]' come together")
        if self.waits and self.task != "journeys":
            raise ValueError("only a task of journeys waits; write 'task: journeys' or leave out 'waits'")
        return self

    @property
    def timeout_seconds(self) -> int:
        """The timeout in seconds."""
        return int(parse_duration(self.timeout).total_seconds())


@dataclass(frozen=True, slots=True)
class FunctionFolder:
    """A function whose folder passed every check; ``payload`` is the model of ``payload.py``, which tasks of journeys have."""

    name: str
    path: Path
    manifest: FunctionManifest
    payload: type[Payload] | None = None

    @property
    def placeholder(self) -> str:
        """Its name in a definition: ``SendMessage`` for ``send_message``."""
        return placeholder(self.name)


def placeholder(name: str) -> str:
    """The name of a function in a definition: ``SendMessage`` for ``send_message``."""
    return name.title().replace("_", "")


@cache
def discover_functions(folder: Path = FUNCTIONS) -> Mapping[str, FunctionFolder]:
    """The functions under ``folder`` by name, read once per process. Raises InvalidJourney with every problem."""
    reader = FileReader(folder)
    found = [_function(reader, path) for path in reader.folders(folder)]
    reader.raise_problems()
    return {function.name: function for function in found if function is not None}


def _function(reader: FileReader, path: Path) -> FunctionFolder | None:
    before = len(reader.problems)
    if not _NAME.fullmatch(path.name) or len(path.name) > 40:
        reader.add(path, "", "expected a verb and what it acts on, of at most 40 characters, such as send_message")
    if not (path / "handler.py").is_file():
        reader.add(path / "handler.py", "", "is missing; it holds the function 'handle'")
    manifest = reader.model(path / "function.yaml", FunctionManifest)
    if len(reader.problems) > before or manifest is None:
        return None
    payload = _payload(reader, path) if manifest.task == "journeys" else None
    return None if len(reader.problems) > before else FunctionFolder(path.name, path, manifest, payload)


def _payload(reader: FileReader, path: Path) -> type[Payload] | None:
    """The model in ``payload.py``: ``SendMessagePayload`` for ``send_message``."""
    file, name = path / "payload.py", f"{placeholder(path.name)}Payload"
    if not file.is_file():
        reader.add(file, "", f"is missing; it holds the class {name} with what a journey passes to the task")
        return None
    spec = importlib.util.spec_from_file_location(f"functions.{path.name}.payload", file)
    if spec is None or spec.loader is None:
        raise InvalidJourney([Problem(reader.shown(file), "", "cannot be loaded as a Python module")])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    model = getattr(module, name, None)
    if not (isinstance(model, type) and issubclass(model, Payload)):
        reader.add(file, name, "is missing; expected a class of this name based on waypost.authoring.payloads.Payload")
        return None
    return model
