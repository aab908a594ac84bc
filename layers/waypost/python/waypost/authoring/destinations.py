"""The systems that receive events, ``statemachines/contacts/destinations/<name>.yaml``, checked. Used by declaring."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from waypost.authoring.authored_files import FileReader
from waypost.authoring.problems import Authored, unknown
from waypost.authoring.retention import EventPattern
from waypost.authoring.rules import Rule, Where, dump_rule
from waypost.http.addresses import problem_with

FOLDER: Final = "contacts/destinations"
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST_NAME: Final = 30  # an SQS queue's name has 80 characters, and the stage is in it
_HEADER: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
_ROOTS: Final = (
    "id", "type", "contact_id", "contact", "occurred_at", "received_at", "source", "properties", "profile",
    "correlation_id", "attributes",
)  # fmt: skip
_NESTED: Final = ("contact", "properties", "profile", "attributes")
_PATH: Final = re.compile(r"[A-Za-z0-9_\-]+(\.[^.\s]+)*")


class Constant(Authored):
    """The same value for every event."""

    constant: str | int | float | bool


def _path(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    root, _, rest = value.partition(".")
    if root not in _ROOTS:
        raise ValueError(unknown(root, _ROOTS, "unknown part of an event"))
    if not _PATH.fullmatch(value) or bool(rest) > (root in _NESTED) or (root == "attributes" and not rest):
        raise ValueError(
            f"expected a path such as properties.order_id, contact.email or attributes.city, got {value!r}"
        )
    return value


def _url(text: str) -> str:
    if problem := problem_with(text):
        raise ValueError(f"{problem}, got {text!r}")
    return text


class ApiKey(Authored):
    """A header with a key; the key itself is in Secrets Manager."""

    api_key: Annotated[str, Field(pattern=f"^{_HEADER.pattern}$")]


class DestinationFile(Authored):
    """One file. ``timeout_seconds`` and ``concurrency`` belong to signed webhooks, ``per_second`` to API keys."""

    description: str
    owner: str
    url: Annotated[str, AfterValidator(_url)]
    events: list[EventPattern] = Field(default_factory=list)
    called: bool = False
    where: Where | None = None
    fields: dict[str, Annotated[str | Constant, AfterValidator(_path)]] = Field(default_factory=dict)
    auth: Literal["standard_webhooks"] | ApiKey = "standard_webhooks"
    timeout_seconds: Annotated[int, Field(ge=1, le=30)] = 20
    concurrency: Annotated[int, Field(ge=2, le=100)] = 5
    per_second: Annotated[int, Field(ge=1, le=300)] = 50
    enabled: bool = True

    @field_validator("where")
    @classmethod
    def _looks_at_properties(cls, where: Rule | None) -> Rule | None:
        for word in _conditions(dump_rule(where)):
            if word != "property":
                raise ValueError(f"{word!r} looks at the contact; here only properties of the event can be asked for")
        return where

    @model_validator(mode="after")
    def _suits_its_kind(self) -> Self:
        if not self.events and not self.called:
            raise ValueError("events: expected one at least, or called: true for one that journeys call")
        if self.called and self.auth != "standard_webhooks":
            raise ValueError("called: only a receiver of signed webhooks can be called; leave auth out")
        if self.auth == "standard_webhooks":
            return self
        if self.where is not None:
            event_pattern(dump_rule(self.where))
        for name, path in self.fields.items():
            if isinstance(path, str) and path.startswith("attributes."):
                raise ValueError(
                    f"fields.{name}: with an API key AWS sends the event itself and cannot read the contact; "
                    "leave the field out, or use auth: standard_webhooks"
                )
        return self

    def published(self) -> dict[str, Any]:
        """The form that deliver_event and the stack read."""
        return {
            "kind": "standard_webhooks" if self.auth == "standard_webhooks" else "api_key",
            "header": None if self.auth == "standard_webhooks" else self.auth.api_key,
            "url": self.url,
            "events": list(self.events),
            "called": self.called,
            "where": dump_rule(self.where),
            "fields": {
                name: path if isinstance(path, str) else path.model_dump() for name, path in self.fields.items()
            },
            "timeout_seconds": self.timeout_seconds,
            "concurrency": self.concurrency,
            "per_second": self.per_second,
            "description": self.description,
        }


def destinations(reader: FileReader) -> dict[str, Any]:
    """The section ``destinations``: those that are enabled, by name."""
    found: dict[str, Any] = {}
    for path in reader.files(reader.root / FOLDER):
        if not _NAME.fullmatch(path.stem) or len(path.stem) > _LONGEST_NAME:
            reader.add(path, "", f"expected a file name of at most {_LONGEST_NAME} characters, such as crm.yaml")
        file = reader.model(path, DestinationFile)
        if file is not None and file.enabled:
            found[path.stem] = file.published()
    return found


def event_pattern(where: Mapping[str, Any] | None) -> dict[str, Any]:
    """A rule over properties as EventBridge understands it: ``{"total": [{"numeric": [">=", 5]}]}``.

    EventBridge compares what it finds literally, so only conditions that mean the same there are taken. Raises
    ValueError that names the one that does not.
    """
    match where:
        case None:
            return {}
        case {"all": rules}:
            merged: dict[str, Any] = {}
            for rule in rules:
                for name, condition in event_pattern(rule).items():
                    if name in merged:
                        raise ValueError(f"{name!r} is asked for twice; {_SIGNED_CAN}")
                    merged[name] = condition
            return merged
        case {"property": str(name)} if "." not in name and len(where) == 2:
            [(operator, wanted)] = [pair for pair in where.items() if pair[0] != "property"]
            if (condition := _condition(operator, wanted)) is not None:
                return {name: condition}
            raise ValueError(f"{name}: EventBridge has no {operator!r} that means the same; {_SIGNED_CAN}")
        case _:
            raise ValueError(f"EventBridge can only ask that all of some properties have certain values; {_SIGNED_CAN}")


_SIGNED_CAN: Final = "auth: standard_webhooks takes every rule"


def _condition(operator: str, wanted: Any) -> list[Any] | None:
    match operator, wanted:
        case "equals", str() | bool():
            return [wanted]
        case "in", list() if all(isinstance(each, str) for each in wanted):
            return list(wanted)
        case "starts_with", str():
            return [{"prefix": wanted}]
        case (("at_least" | "at_most" | "more_than" | "less_than"), int() | float()):
            sign = {"at_least": ">=", "at_most": "<=", "more_than": ">", "less_than": "<"}[operator]
            return [{"numeric": [sign, wanted]}]
        case "equals", int() | float():
            return [{"numeric": ["=", wanted]}]
        case _:
            return None


def _conditions(rule: Mapping[str, Any] | None) -> Iterator[str]:
    """The key words of the rule's conditions."""
    match rule:
        case None:
            return
        case {"all": rules} | {"any": rules}:
            for each in rules:
                yield from _conditions(each)
        case {"not": inner}:
            yield from _conditions(inner)
        case _:
            yield "property" if "property" in rule else next(iter(rule))
