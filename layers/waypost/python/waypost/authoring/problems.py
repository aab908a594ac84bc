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
    """One thing that is wrong: the ``file``, the ``field`` in it (a path), the ``reason``, and the ``line`` where it is known (0: not)."""

    file: str
    field: str
    reason: str
    line: int = 0

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.field}: {self.reason}" if self.field else f"{place}: {self.reason}"


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


_OPERATORS: Final = {
    ">=": "at_least", "≥": "at_least", "gte": "at_least", "min": "at_least", "<=": "at_most", "≤": "at_most", "lte": "at_most",
    "max": "at_most", ">": "more_than", "gt": "more_than", "greater_than": "more_than", "above": "more_than", "<": "less_than",
    "lt": "less_than", "below": "less_than", "=": "equals", "==": "equals", "eq": "equals", "is": "equals", "!=": "not_equals",
    "<>": "not_equals", "ne": "not_equals", "neq": "not_equals", "is_not": "not_equals", "one_of": "in", "any_of": "in",
    "none_of": "not_in", "includes": "contains", "like": "contains", "regex": "matches", "begins_with": "starts_with",
}  # fmt: skip
"""Words and signs of other languages for comparisons of ours."""


def unknown(name: object, candidates: Iterable[str], what: str) -> str:
    """The reason for a name that is not one of the candidates, with the nearest one or all of them."""
    known = sorted(candidates)
    guess = _meant_operator(name, known) or nearest(name, known)
    hint = f"did you mean {guess!r}?" if guess else f"expected one of {', '.join(known) or 'none'}"
    return f"{what} {name!r}; {hint}"


def _meant_operator(name: object, known: Iterable[str]) -> str | None:
    operator = _OPERATORS.get(str(name).strip().lower(), "")
    return operator if operator in known else None


def as_written(operator: str) -> str:
    """The comparison that a sign such as ``>=`` stands for."""
    return _OPERATORS[operator]


def explain(error: ValidationError, value: Any, model: type[BaseModel] | None = None) -> Iterator[tuple[str, str]]:
    """Each error of validating ``value`` as a path in it and a reason.

    ``model`` is where the path starts; it is needed to name the field nearest to an unknown one.
    """
    for detail in error.errors(include_url=False):
        location = detail["loc"]
        at = _model_at(model, location[:-1])
        misplaced = _misplaced(location, model, at) if detail["type"] == "extra_forbidden" else ""
        yield _path(location, value), misplaced or _reason(detail, at)


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


def _model_at(model: type[BaseModel] | None, location: Sequence[int | str]) -> type[BaseModel] | None:
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


def _misplaced(location: Sequence[int | str], model: type[BaseModel] | None, at: type[BaseModel] | None) -> str:
    """Where a field belongs that is unknown here but known one level further in, or further out; else empty."""
    name = location[-1]
    if at is None or not isinstance(name, str):
        return ""
    inside = [
        field.alias or each
        for each, field in at.model_fields.items()
        if any(name in _names_of(inner) for inner in _models_in(field.annotation))
    ]
    if inside:
        return f"unknown field {name!r}; it belongs inside {' or '.join(map(repr, inside))}: indent it further"
    for depth in range(len(location) - 1):
        outer = _model_at(model, location[:depth])
        if outer is not None and outer is not at and name in _names_of(outer):
            return f"unknown field {name!r}; it belongs beside {location[depth]!r}: indent it less"
    return ""


def _names_of(model: type[BaseModel]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
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


def _reason(detail: Any, model: type[BaseModel] | None) -> str:  # noqa: PLR0911 - one case per kind of error
    got = f", got {_shown(detail['input'])}"
    match detail["type"]:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            fields = [] if model is None else [field.alias or name for name, field in model.model_fields.items()]
            return unknown(detail["loc"][-1], fields, "unknown field") if fields else "unknown field"
        case "timezone_aware":
            return f"expected an instant with its offset, such as 2031-03-03T00:00:00+08:00{got}"
        case "value_error":
            return str(detail["ctx"]["error"])
        case "literal_error":
            guess = nearest(detail["input"], re.findall(r"'([^']*)'", detail["ctx"]["expected"]))
            return f"expected {detail['ctx']['expected']}{got}" + (f"; did you mean {guess!r}?" if guess else "")
        case "list_type" if _is_word(detail["input"]):
            return f"expected a list{got}; write [{detail['input']}]"
        case kind if kind in _EXPECTED:
            return f"expected {_EXPECTED[kind]}{got}"
        case _:
            message = str(detail["msg"])
            return message[0].lower() + message[1:] + got


def _is_word(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[\w.-]+", value) is not None


def _shown(value: Any) -> str:
    try:
        text = repr(value)
    except RecursionError:
        return "something nested without end"
    return text if len(text) <= 60 else text[:57] + "…"
