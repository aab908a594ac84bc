"""What is wrong with an author's file, in words the author can act on. Used by every reader of an authored file."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from waypost.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: the ``file``, the ``field`` in it (a path) and the ``reason``."""

    file: str
    field: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file}: {self.field}: {self.reason}" if self.field else f"{self.file}: {self.reason}"


class InvalidJourney(InvalidInput):
    """One or more authored files are wrong. ``problems`` has them all; the text has a line for each."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        first = problems[0]
        super().__init__(f"{first.file}: {first.field}" if first.field else first.file, first.reason)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class Authored(BaseModel):
    """The base of every model of an authored file: unknown fields are refused, values are taken as written."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    by_name: ClassVar[dict[str, type["Authored"]]] = {}

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        Authored.by_name[cls.__name__] = cls


def nearest(name: object, candidates: Iterable[str]) -> str | None:
    """The candidate that ``name`` was probably meant to be, if one is near enough."""
    spelled = {candidate.casefold(): candidate for candidate in candidates}
    close = difflib.get_close_matches(str(name).casefold(), spelled, n=1, cutoff=0.6)
    return spelled[close[0]] if close else None


def unknown(name: object, candidates: Iterable[str], what: str) -> str:
    """The reason for a name that is not one of the candidates, with the nearest one or all of them."""
    known = sorted(candidates)
    guess = nearest(name, known)
    hint = f"did you mean {guess!r}?" if guess else f"expected one of {', '.join(known) or 'none'}"
    return f"{what} {name!r}; {hint}"


def explain(error: ValidationError, value: Any, model: type[Authored] | None = None) -> Iterator[tuple[str, str]]:
    """Each error of validating ``value`` as a path in it and a reason.

    ``model`` is where the path starts; it is needed to name the field nearest to an unknown one.
    """
    for detail in error.errors(include_url=False):
        location = detail["loc"]
        yield _path(location, value), _reason(detail, _model_at(model, location[:-1]))


def is_expression(value: object) -> bool:
    """Whether ``value`` is a JSONata string, which only the run of a journey turns into a value."""
    return isinstance(value, str) and value.startswith("{%") and value.endswith("%}")


def _expression_or(value: Any, check: ValidatorFunctionWrapHandler) -> Any:
    return value if is_expression(value) else check(value)


OrExpression: Final = WrapValidator(_expression_or)
"""Marks a field that may hold a JSONata string instead of a value; the string is taken unchecked."""


def join(field: str, rest: str) -> str:
    """Two paths as one."""
    return f"{field}.{rest}" if field and rest and not rest.startswith("[") else field + rest


def _path(location: Sequence[int | str], value: Any) -> str:
    """The location without the names of union members, which are of no concern to an author."""
    path = ""
    for index, part in enumerate(location):
        is_last = index == len(location) - 1
        if isinstance(part, int):
            path += f"[{part}]"
            value = value[part] if isinstance(value, Sequence) and part < len(value) else None
        elif part in Authored.by_name or part == "[key]":
            continue
        elif isinstance(value, Mapping) and (part in value or is_last):
            path = join(path, part)
            value = value.get(part)
    return path


def _model_at(model: type[Authored] | None, location: Sequence[int | str]) -> type[Authored] | None:
    """The model that was being filled at ``location``."""
    for part in location:
        if isinstance(part, int):
            continue
        if part in Authored.by_name:
            model = Authored.by_name[part]
        elif model is not None:
            fields = {field.alias or name: field for name, field in model.model_fields.items()}
            if part not in fields:
                continue  # a key of a mapping whose values are this model
            found = list(_models_in(fields[part].annotation))
            model = found[0] if len(found) == 1 else None
    return model


def _models_in(annotation: Any) -> Iterator[type[Authored]]:
    if isinstance(annotation, type) and issubclass(annotation, Authored):
        yield annotation
    arguments = get_args(annotation)
    for argument in arguments[:1] if get_origin(annotation) is Annotated else arguments:
        yield from _models_in(argument)


_EXPECTED: Final = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}


def _reason(detail: Any, model: type[Authored] | None) -> str:
    got = f", got {_shown(detail['input'])}"
    match detail["type"]:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            fields = [] if model is None else [field.alias or name for name, field in model.model_fields.items()]
            return unknown(detail["loc"][-1], fields, "unknown field") if fields else "unknown field"
        case "value_error":
            return str(detail["ctx"]["error"])
        case "literal_error":
            guess = nearest(detail["input"], re.findall(r"'([^']*)'", detail["ctx"]["expected"]))
            return f"expected {detail['ctx']['expected']}{got}" + (f"; did you mean {guess!r}?" if guess else "")
        case kind if kind in _EXPECTED:
            return f"expected {_EXPECTED[kind]}{got}"
        case _:
            message = str(detail["msg"])
            return message[0].lower() + message[1:] + got


def _shown(value: Any) -> str:
    try:
        text = repr(value)
    except RecursionError:
        return "something nested without end"
    return text if len(text) <= 60 else text[:57] + "…"
