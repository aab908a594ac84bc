"""Reads JSON and leaves out what not everything behind us can store or JSON parsers disagree on. Called by the receivers.

Left out, with a warning: duplicate keys, NaN and Infinity, numbers DynamoDB cannot hold, NUL characters, lone
surrogates, empty keys, and deep nesting (RFC 8259 leaves these to implementations; DynamoDB nests 32 levels).
"""

import json
import math
import re
from dataclasses import dataclass, field
from typing import Any, Final

from waypost.intake.request_outcome import Problem, Refused, refuse

MAX_DEPTH: Final = 24
MAX_DIGITS: Final = 38
MAX_MAGNITUDE: Final = 1e126
MIN_MAGNITUDE: Final = 1e-130
_SHOWN_KEY_LENGTH: Final = 60
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Document:
    """A JSON object in which everything can be stored; ``left_out`` names what was taken out or replaced, and why."""

    content: dict[str, Any]
    left_out: list[Problem] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Unstorable:
    """Stands where a value was that is left out."""

    reason: str


def read_object(body: bytes) -> Document | Refused:
    """The JSON object in ``body``, without what cannot be stored. Refused (400) is only what is no JSON object at all.

    A byte order mark before it is passed over, as RFC 8259 (8.1) permits: .NET and PHP programs write one.
    """
    try:
        document = json.loads(
            body.decode("utf-8-sig"),
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_float,
            parse_constant=_no_constant,
        )
    except UnicodeDecodeError:
        return refuse(400, "body", "should be UTF-8")
    except json.JSONDecodeError as error:
        return refuse(400, "body", f"should be JSON: {error.msg} at line {error.lineno}, column {error.colno}")
    except RecursionError:
        return refuse(400, "body", f"should be nested at most {MAX_DEPTH} levels deep")
    if not isinstance(document, dict):
        return refuse(400, "body", "should be a JSON object")
    left_out: list[Problem] = []
    _storable(document, "", 1, left_out)
    return Document(document, left_out)


def size(value: Any) -> int:
    """The bytes of a JSON value in its shortest UTF-8 form."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        keys = [key for key, _ in pairs]
        members |= {
            key: _Unstorable("stands twice in one object, so nobody knows which is meant")
            for key in members
            if keys.count(key) > 1
        }
    return members


def _integer(text: str) -> int | _Unstorable:
    if len(text.lstrip("-")) > MAX_DIGITS:
        return _Unstorable(f"should be a number of at most {MAX_DIGITS} digits")
    return int(text)


def _float(text: str) -> float | _Unstorable:
    number = float(text)
    if math.isinf(number) or abs(number) >= MAX_MAGNITUDE or 0 < abs(number) < MIN_MAGNITUDE:
        return _Unstorable("should be no number beyond 1e126 or closer to zero than 1e-130")
    return number


def _no_constant(name: str) -> _Unstorable:
    return _Unstorable(f"is {name}, which is not JSON")


def _storable(value: Any, path: str, depth: int, left_out: list[Problem]) -> Any:
    """``value`` with what cannot be stored taken out, in place: a member is removed, an element of a list is null."""
    match value:
        case str():
            return _text(value, path, left_out)
        case _Unstorable(reason):
            left_out.append(Problem(path, reason))
        case dict() | list() if depth > MAX_DEPTH:
            left_out.append(Problem(path, f"should be nested at most {MAX_DEPTH} levels deep"))
            return _Unstorable("")
        case dict():
            _keep_members(value, path, depth, left_out)
        case list():
            for index, element in enumerate(value):
                kept = _storable(element, f"{path}[{index}]", depth + 1, left_out)
                if kept is not element or isinstance(kept, _Unstorable):
                    value[index] = None if isinstance(kept, _Unstorable) else kept
    return value


def _keep_members(value: dict[str, Any], path: str, depth: int, left_out: list[Problem]) -> None:
    for key, member in list(value.items()):
        where = f"{path}.{_shown(key)}" if path else _shown(key)
        if reason := _key_problem(key):
            left_out.append(Problem(where if key else path or "body", reason))
            del value[key]
        elif isinstance(kept := _storable(member, where, depth + 1, left_out), _Unstorable):
            del value[key]
        elif kept is not member:
            value[key] = kept


def _text(text: str, path: str, left_out: list[Problem]) -> str:
    """The text, with U+FFFD for each character that cannot be stored: an identity with one of these identifies nobody."""
    if "\0" not in text and (text.isascii() or not _SURROGATE.search(text)):
        return text
    reason = "should contain no NUL character" if "\0" in text else "should contain no half of a surrogate pair"
    left_out.append(Problem(path, f"{reason}; U+FFFD stands for it"))
    return _SURROGATE.sub("\ufffd", text.replace("\0", "\ufffd"))


def _key_problem(key: str) -> str:
    if not key:
        return "should have no empty key"
    if "\0" in key:
        return "the key should contain no NUL character"
    if not key.isascii() and _SURROGATE.search(key):
        return "the key should contain no half of a surrogate pair"
    return ""


def _shown(key: str) -> str:
    """A key as part of a path: short, and printable everywhere."""
    short = key if len(key) <= _SHOWN_KEY_LENGTH else key[:_SHOWN_KEY_LENGTH] + "..."
    return short.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")
