"""How other systems' webhooks become events, ``statemachines/contacts/sources/<source>.yaml``, checked. Used by declaring.

``waypost.intake.source_mapping`` runs the published form, ``waypost.intake.sender_schemes`` checks the signatures.
"""

import re
from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from waypost.authoring.authored_files import FileReader
from waypost.authoring.problems import Authored, unknown
from waypost.authoring.sending_policy import TimeZone
from waypost.events.envelope import IDENTITY_KINDS, OWN_SOURCE
from waypost.events.names import attribute_name, event_type

FOLDER: Final = "contacts/sources"
SCHEMES: Final = ("standard_webhooks", "shopify", "youzan", "dingtalk", "bearer")
FORMS: Final = (
    "text", "trim", "lower", "upper", "number", "whole", "boolean", "list", "date", "instant", "seconds", "milliseconds",
)  # fmt: skip
_TAKEN: Final = ("segment", OWN_SOURCE)
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_PATH: Final = re.compile(r"([^.\[\]\s]+)(\[(\d+|\*)\])*(\.[^.\[\]]+(\[(\d+|\*)\])*)*")
_KINDS_OF_VALUE: Final = ("path", "first_of", "join", "constant", "each")
_SUITS: Final = {
    "path": {"as", "map", "otherwise", "default", "prefix", "zone", "format"},
    "first_of": {"as", "map", "otherwise", "default", "prefix", "zone", "format"},
    "join": {"with", "default"},
    "constant": set[str](),
    "each": {"values"},
}


def _path(text: str) -> str:
    if not _PATH.fullmatch(text):
        raise ValueError(f"expected a path such as customer.email, line_items[0].sku or header.x-topic, got {text!r}")
    return text


def _format(text: str) -> str:
    try:
        datetime.strptime(datetime(2030, 1, 2, 3, 4, 5).strftime(text), text)  # noqa: DTZ001, DTZ007 - only the pattern
    except ValueError:
        raise ValueError(f"expected a pattern of strptime such as %Y%m%d%H%M%S, got {text!r}") from None
    if "%" not in text:
        raise ValueError(f"expected a pattern of strptime such as %Y%m%d%H%M%S, got {text!r}")
    return text


def _forms(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Path = Annotated[str, AfterValidator(_path)]


class ValueForm(Authored):
    """A value that is more than a path; exactly one of ``path``, ``first_of``, ``join``, ``constant``, ``each``."""

    path: Path | None = None
    first_of: Annotated[list["Value"], Field(min_length=2)] | None = None
    join: Annotated[list["Value"], Field(min_length=2)] | None = None
    constant: str | int | float | bool | None = None
    each: Path | None = None
    values: dict[str, "Value"] | None = None
    as_: Annotated[list[Literal[FORMS]], BeforeValidator(_forms), Field(min_length=1)] | None = Field(None, alias="as")  # type: ignore[valid-type]
    map: dict[str, str | int | float | bool] | None = None
    otherwise: str | int | float | bool | None = None
    default: str | int | float | bool | None = None
    prefix: str | None = None
    with_: str | None = Field(None, alias="with")
    zone: TimeZone | None = None
    format: Annotated[str, AfterValidator(_format)] | None = None

    @model_validator(mode="after")
    def _is_one_value(self) -> Self:
        given = {name.rstrip("_") for name in self.model_fields_set}
        kinds = [kind for kind in _KINDS_OF_VALUE if kind in given]
        if len(kinds) != 1:
            raise ValueError(f"expected one of {', '.join(_KINDS_OF_VALUE)}, got {', '.join(kinds) or 'none'}")
        if wrong := sorted(given - {kinds[0]} - _SUITS[kinds[0]]):
            raise ValueError(f"{wrong[0]!r} does not go with {kinds[0]!r}")
        if "otherwise" in given and "map" not in given:
            raise ValueError("'otherwise' is for what 'map' does not have")
        if kinds[0] == "each" and not self.values:
            raise ValueError("'each' needs 'values': what to take of every element")
        return self


Value = Path | ValueForm


class Rule(Authored):
    """What a body that meets ``when`` becomes."""

    when: dict[Path, Any] = Field(default_factory=dict)
    each: Path | None = None
    type: Value
    contact: Annotated[dict[str, Value], Field(min_length=1)]
    properties: dict[str, Value] = Field(default_factory=dict)
    profile: dict[str, Value] = Field(default_factory=dict)
    occurred_at: Value | None = None
    id: Value | None = None

    @field_validator("type", mode="before")
    @classmethod
    def _type(cls, value: Any) -> Any:
        """An event type is short for a constant: no body has its event's name lying about in a field of that name."""
        if not isinstance(value, str):
            return value
        if event_type(value) != value:
            raise ValueError(
                f"expected an event type in snake_case, got {value!r}; did you mean {event_type(value)!r}?"
            )
        return {"constant": value}

    @field_validator("contact")
    @classmethod
    def _kinds(cls, contact: dict[str, Any]) -> dict[str, Any]:
        for kind in contact:
            if kind not in IDENTITY_KINDS:
                raise ValueError(unknown(kind, IDENTITY_KINDS, "unknown kind of identity"))
        return contact

    @field_validator("profile", "properties")
    @classmethod
    def _names(cls, values: dict[str, Any]) -> dict[str, Any]:
        for name in values:
            if attribute_name(name) != name:
                raise ValueError(f"expected a name in snake_case, got {name!r}; did you mean {attribute_name(name)!r}?")
        return values

    @field_validator("when")
    @classmethod
    def _conditions(cls, when: dict[str, Any]) -> dict[str, Any]:
        for path, condition in when.items():
            _check_condition(path, condition)
        return when

    @model_validator(mode="after")
    def _has_items(self) -> Self:
        published = str(self.published())
        if self.each is None and "'item." in published and "'each': '" not in published:
            raise ValueError("'item' is an element of a list; name the list in 'each'")
        return self

    def published(self) -> dict[str, Any]:
        """The form the run time reads."""
        return {
            "when": self.when,
            "each": self.each,
            "type": _plain(self.type),
            "contact": {kind: _plain(value) for kind, value in self.contact.items()},
            "properties": {name: _plain(value) for name, value in self.properties.items()},
            "profile": {name: _plain(value) for name, value in self.profile.items()},
            "occurred_at": None if self.occurred_at is None else _plain(self.occurred_at),
            "id": None if self.id is None else _plain(self.id),
        }


class HmacOptions(Authored):
    """An HMAC in a header: of the body, or of ``<timestamp>.<body>`` when ``timestamp_header`` names where that is."""

    header: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,63}$")]
    algorithm: Literal["sha256", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = ""
    timestamp_header: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,63}$")] | None = None


class HmacSignature(Authored):
    """``signature: {hmac: {…}}``."""

    hmac: HmacOptions


class SourceFile(Authored):
    """One file; its name is the last part of the address, ``/v1/webhooks/<source>``."""

    description: str
    owner: str
    signature: Literal[SCHEMES] | HmacSignature = "standard_webhooks"  # type: ignore[valid-type]
    rules: Annotated[list[Rule], Field(min_length=1)]

    def published(self) -> dict[str, Any]:
        """The form the run time reads."""
        if isinstance(self.signature, HmacSignature):
            signature: dict[str, Any] = {"scheme": "hmac", "options": self.signature.hmac.model_dump()}
        else:
            signature = {"scheme": self.signature}
        return {"signature": signature, "rules": [rule.published() for rule in self.rules]}


def sources(reader: FileReader) -> dict[str, Any]:
    """The section ``sources``: the mapping of each source, by name."""
    found: dict[str, Any] = {}
    for path in reader.files(reader.root / FOLDER):
        if not _NAME.fullmatch(path.stem) or path.stem in _TAKEN:
            reader.add(path, "", f"expected a file name such as shopify.yaml; {' and '.join(_TAKEN)} are taken")
        file = reader.model(path, SourceFile)
        if file is not None:
            found[path.stem] = file.published()
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, ValueForm):
        return value.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return value


_CONDITIONS: Final = ("exists", "contains", "not", "starts_with")


def _check_condition(path: str, condition: Any) -> None:
    match condition:
        case str() | int() | float() | bool():
            return
        case list() if condition:
            for each in condition:
                _check_condition(path, each)
        case {"not": inner, **rest} if not rest:
            _check_condition(path, inner)
        case {"exists": bool(), **rest} | {"contains": str() | int(), **rest} | {"starts_with": str(), **rest} if (
            not rest
        ):
            return
        case _:
            raise ValueError(
                f"{path}: expected a value, a list of values, or one of {', '.join(_CONDITIONS)}, got {condition!r}"
            )
