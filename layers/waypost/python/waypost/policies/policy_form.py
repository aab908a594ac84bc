"""The settings of the sending policy as people write them: checked, published, and written again. Used by the synth and change_policy.

The form of a setting is its guard's declaration; pydantic checks what is written by it.
"""

import re
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import time
from types import UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, create_model

from waypost.contacts.channels import CHANNELS, Channel
from waypost.errors import InvalidInput
from waypost.sending.policy import SEND_WITHIN_HOURS, Between, SendingPolicy
from waypost.sending.policy_in_force import all_settings

_LOCAL_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


_SPELLED_TIME: Final = re.compile(r"(\d{1,2})(?:[:.：h]?([0-5]\d))?(?::[0-5]\d)?\s*([ap]\.?m\.?)?")


def local_time(text: str) -> str:
    """Pydantic's view of a local wall-clock time, ``HH:MM``."""
    if not _LOCAL_TIME.fullmatch(text):
        meant = _meant_time(text)
        raise ValueError(
            f"expected a local time such as 09:00 or 21:30, got {text!r}" + (f"; write {meant!r}" if meant else "")
        )
    return text


def _as_time(value: Any) -> Any:
    """A number, which YAML reads where an author left out the minutes, fails as the text it was."""
    return local_time(str(value)) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _meant_time(text: str) -> str:
    """The time that another spelling probably means: ``9:00``, ``9am``, ``21.30``; else empty."""
    found = _SPELLED_TIME.fullmatch(text.strip().lower())
    if found is None:
        return ""
    hour, minute, half = int(found[1]), int(found[2] or 0), found[3] or ""
    if half:
        hour = hour % 12 + (12 if half.startswith("p") else 0)
    return f"{hour:02d}:{minute:02d}" if hour < 24 and minute < 60 else ""


LocalTime = Annotated[str, BeforeValidator(_as_time), AfterValidator(local_time)]


def checked_form(form: Any, base: type[BaseModel]) -> Any:
    """The form of a setting as pydantic checks it; what comes out of the check is the guard's own type."""
    if form in {time, Channel}:
        return Annotated[LocalTime, AfterValidator(time.fromisoformat)] if form is time else Literal[CHANNELS]
    if isinstance(form, type) and is_dataclass(form):
        return _checked_dataclass(form, base)
    origin, arguments = get_origin(form), get_args(form)
    if origin is Annotated:
        bounds = [Field(ge=each.least, le=each.most) for each in form.__metadata__ if isinstance(each, Between)]
        return Annotated[checked_form(arguments[0], base), *bounds]
    if origin is tuple:  # written as a list
        return Annotated[list[checked_form(arguments[0], base)], AfterValidator(tuple)]  # type: ignore[misc]
    if origin in {Union, UnionType}:
        return Union[tuple(checked_form(each, base) for each in arguments)]  # noqa: UP007 - its members are not known here
    return origin[tuple(checked_form(each, base) for each in arguments)] if origin is not None else form


def _checked_dataclass(form: type[Any], base: type[BaseModel]) -> Any:
    types = get_type_hints(form, include_extras=True)
    names = [each.name for each in fields(form)]
    model = create_model(  # type: ignore[call-overload]  # its fields are not known here
        form.__name__,
        __base__=base,
        **{
            each.name: (
                checked_form(types[each.name], base),
                Field(default=... if each.default is MISSING else each.default, alias=each.metadata.get("authored")),
            )
            for each in fields(form)
        },
    )
    return Annotated[model, AfterValidator(lambda checked: form(**{name: getattr(checked, name) for name in names}))]


def published(value: Any) -> Any:
    """A setting as JSON."""
    match value:
        case time():
            return value.isoformat("minutes")
        case Mapping():
            return {name: published(each) for name, each in value.items()}
        case list() | tuple():
            return [published(each) for each in value]
        case _ if is_dataclass(value):
            return {each.name: published(getattr(value, each.name)) for each in fields(value)}
        case _:
            return value


class _Given(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


_CHANGES: Final[type[_Given]] = create_model(
    "Changes",
    __base__=_Given,
    send_within_hours=(Annotated[int, Field(ge=SEND_WITHIN_HOURS.least, le=SEND_WITHIN_HOURS.most)], 72),
    **{  # type: ignore[call-overload]
        each.name: (checked_form(each.form, _Given), Field(default=each.default))
        for each in all_settings()
        if not each.operated
    },
)
SECTIONS: Final = tuple(_CHANGES.model_fields)
"""What a change of the policy may name."""


def read_changes(given: Any, field: str) -> dict[str, Any]:
    """The sections that were written, in their published form. Raises InvalidInput naming the field."""
    if not isinstance(given, Mapping) or not given:
        raise InvalidInput(field, f"should be an object with sections of the policy: {', '.join(SECTIONS)}")
    try:
        checked = _CHANGES.model_validate(given)
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        raise InvalidInput(".".join([field, *_path(detail["loc"], given)]), _reason(detail)) from None
    return {name: published(getattr(checked, name)) for name in SECTIONS if name in checked.model_fields_set}


def _path(location: tuple[int | str, ...], value: Any) -> list[str]:
    """The location without the names of the members of unions."""
    path = []
    for index, part in enumerate(location):
        is_key = isinstance(value, Mapping) and (part in value or index == len(location) - 1)
        is_place = isinstance(value, list) and isinstance(part, int) and part < len(value)
        if is_key or is_place:
            path.append(str(part))
            value = value.get(part) if isinstance(value, Mapping) else value[int(part)]
    return path


def _reason(detail: Any) -> str:
    match detail["type"]:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            return "there is no such field" + (f"; there are {', '.join(SECTIONS)}" if len(detail["loc"]) == 1 else "")
        case "value_error":
            return str(detail["ctx"]["error"])
        case _:
            return f"{detail['msg'][0].lower()}{detail['msg'][1:]}, got {detail['input']!r:.60}"


def as_written(policy: SendingPolicy) -> dict[str, Any]:
    """A policy as people write it, every section with its value."""
    sections = {setting.name: _written(policy.of(setting)) for setting in all_settings() if not setting.operated}
    return {SEND_WITHIN_HOURS.name: policy.send_within_hours, **sections}


def _written(value: Any) -> Any:
    match value:
        case time():
            return value.isoformat("minutes")
        case Mapping():
            return {name: _written(each) for name, each in value.items()}
        case list() | tuple():
            return [_written(each) for each in value]
        case _ if is_dataclass(value):
            return {
                each.metadata.get("authored", each.name): _written(getattr(value, each.name)) for each in fields(value)
            }
        case _:
            return value
