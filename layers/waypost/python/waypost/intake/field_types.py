"""The field types of what senders post, and what pydantic finds wrong with them, in our words. Used by the input models."""

import copy
import re
from datetime import datetime
from typing import Annotated, Any, Final, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, StringConstraints, ValidationError, WithJsonSchema

from waypost.events.names import event_type
from waypost.intake.event_times import read_instant
from waypost.intake.request_outcome import Problem

Model = TypeVar("Model", bound=BaseModel)


def _number_as_text(value: Any) -> Any:
    """SDKs of typed languages send numeric ids as numbers."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _blank_as_none(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


def _text_as_instant(value: Any) -> datetime:
    if not isinstance(value, str):
        raise ValueError("should be an ISO 8601 time with a UTC offset, for example 2026-03-01T08:00:00Z")  # noqa: TRY004 - pydantic's contract
    return read_instant(value)


def empty_array_as_object(value: Any) -> Any:
    """PHP writes an empty map as ``[]``; null counts as absent."""
    return {} if value is None or value == [] else value


Identifier = Annotated[str, BeforeValidator(_number_as_text), StringConstraints(strip_whitespace=True, max_length=256)]
GivenIdentifier = Annotated[
    str, BeforeValidator(_number_as_text), StringConstraints(strip_whitespace=True, min_length=1, max_length=256)
]
OptionalIdentifier = Annotated[Identifier | None, BeforeValidator(_blank_as_none)]
Instant = Annotated[
    datetime, BeforeValidator(_text_as_instant), WithJsonSchema({"type": "string", "format": "date-time"})
]
OptionalInstant = Annotated[Instant | None, BeforeValidator(_blank_as_none)]
Object = Annotated[dict[str, Any], BeforeValidator(empty_array_as_object)]
OptionalText = Annotated[str | None, BeforeValidator(_blank_as_none)]
EventName = Annotated[str, AfterValidator(event_type)]


def check(model: type[Model], value: Any, where: str) -> Model | list[Problem]:
    """``value`` as a model, or all that is wrong with it; ``where`` is the path of ``value`` itself."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        return [
            Problem(_path(where, problem["loc"]), _reason(problem["type"], problem["msg"]))
            for problem in error.errors(include_url=False, include_input=False)
        ]


def usable_part(model: type[Model], given: dict[str, Any], where: str) -> tuple[Model | None, list[Problem]]:
    """``given`` as a model after what does not fit has been left out, and what that was.

    None when a field that every such item has is missing or does not fit.
    """
    problems: list[Problem] = []
    rest = given
    while True:
        try:
            return model.model_validate(rest), problems
        except ValidationError as error:
            faults = error.errors(include_url=False, include_input=False)
        named = {problem.field for problem in problems}
        found = [Problem(_path(where, fault["loc"]), _reason(fault["type"], fault["msg"])) for fault in faults]
        problems += [problem for problem in found if problem.field not in named]
        places = {_innermost(fault["loc"], rest) for fault in faults}
        if () in places:
            return None, problems
        rest = copy.deepcopy(rest)
        # the last element of a list first, so that the places of the others hold
        for *way, last in sorted(places, key=lambda place: [str(part).zfill(5) for part in place], reverse=True):
            container: Any = rest
            for part in way:
                container = container[part]
            del container[last]


def _innermost(place: tuple[int | str, ...], root: dict[str, Any]) -> tuple[int | str, ...]:
    """The place of the value that does not fit, or of the innermost one around it that is there; () if none is."""
    found: Any = root
    for depth, part in enumerate(place):
        is_there = part in found if isinstance(found, dict) else isinstance(found, list) and part in range(len(found))
        if not is_there:
            return place[:depth]
        found = found[part]
    return place


def join(where: str, name: str) -> str:
    """The path of a member of the object at ``where``."""
    return f"{where}.{name}" if where else name


def _path(where: str, location: tuple[int | str, ...]) -> str:
    for part in location:
        where = f"{where}[{part}]" if isinstance(part, int) else join(where, part)
    return where or "body"


_REASONS: Final = {
    "missing": "is required",
    "extra_forbidden": "is not a field of this format",
    "model_type": "should be an object",
    "dict_type": "should be an object",
    "model_attributes_type": "should be an object",
    "string_type": "should be text",
    "list_type": "should be a list",
}


def _reason(kind: str, message: str) -> str:
    match kind:
        case "too_long" if message.startswith("Value"):
            return re.sub(r"^Value (.*) items after validation.*", r"\1 characters", message)
        case "too_long" | "too_short":
            return re.sub(r"^\w+ (.*) after validation.*", r"\1", message)
        case _:
            return _REASONS.get(kind) or message.removeprefix("Value error, ").removeprefix("Input ")
