"""Reads JSON that everything behind us can store: refuses what JSON parsers disagree on. Called by the receivers.

Refused besides malformed JSON: duplicate keys, NaN and Infinity, numbers DynamoDB cannot hold, NUL characters, lone
surrogates, empty keys, and deep nesting (RFC 8259 leaves these to implementations; DynamoDB nests 32 levels).
"""

import json
import math
from collections.abc import Iterator
from typing import Any, Final

from waypost.intake.request_outcome import MOST_PROBLEMS_SHOWN, Problem, Refused, refuse

MAX_DEPTH: Final = 24
MAX_DIGITS: Final = 38
MAX_MAGNITUDE: Final = 1e126
MIN_MAGNITUDE: Final = 1e-130
_SHOWN_KEY_LENGTH: Final = 60


def read_object(body: bytes) -> dict[str, Any] | Refused:
    """The JSON object in ``body``, or a refusal with every problem found (400)."""
    try:
        document = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_float,
            parse_constant=_no_constant,
        )
    except UnicodeDecodeError:
        return refuse(400, "body", "should be UTF-8")
    except json.JSONDecodeError as error:
        return refuse(400, "body", f"should be JSON: {error.msg} at line {error.lineno}, column {error.colno}")
    except ValueError as error:
        return refuse(400, "body", str(error))
    except RecursionError:
        return refuse(400, "body", f"should be nested at most {MAX_DEPTH} levels deep")
    if not isinstance(document, dict):
        return refuse(400, "body", "should be a JSON object")
    problems: list[Problem] = []
    for problem in _problems(document, "", 1):
        problems.append(problem)
        if len(problems) == MOST_PROBLEMS_SHOWN:
            break
    return Refused(status=400, problems=problems) if problems else document


def size(value: Any) -> int:
    """The bytes of a JSON value in its shortest UTF-8 form."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"should not have the key {_shown(repeated)} twice in one object")
    return members


def _integer(text: str) -> int:
    if len(text.lstrip("-")) > MAX_DIGITS:
        raise ValueError(f"should have no number of more than {MAX_DIGITS} digits")
    return int(text)


def _float(text: str) -> float:
    number = float(text)
    if math.isinf(number) or abs(number) >= MAX_MAGNITUDE or 0 < abs(number) < MIN_MAGNITUDE:
        raise ValueError("should have no number beyond 1e126 or closer to zero than 1e-130")
    return number


def _no_constant(name: str) -> float:
    raise ValueError(f"should not contain {name}, which is not JSON")


def _problems(value: Any, path: str, depth: int) -> Iterator[Problem]:
    match value:
        case str():
            if reason := _text_problem(value):
                yield Problem(path, reason)
        case dict() | list() if depth > MAX_DEPTH:
            yield Problem(path, f"should be nested at most {MAX_DEPTH} levels deep")
        case dict():
            for key, member in value.items():
                where = f"{path}.{_shown(key)}" if path else _shown(key)
                if reason := _text_problem(key):
                    yield Problem(where, f"the key {reason}")
                if not key:
                    yield Problem(path or "body", "should have no empty key")
                yield from _problems(member, where, depth + 1)
        case list():
            for index, element in enumerate(value):
                yield from _problems(element, f"{path}[{index}]", depth + 1)


def _text_problem(text: str) -> str:
    if "\0" in text:
        return "should contain no NUL character"
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        return "should contain no half of a surrogate pair"
    return ""


def _shown(key: str) -> str:
    """A key as part of a path: short, and printable everywhere."""
    short = key if len(key) <= _SHOWN_KEY_LENGTH else key[:_SHOWN_KEY_LENGTH] + "..."
    return short.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")
