"""Reads an authored YAML file as plain JSON values. Used by the readers of manifests, definitions and messages.

Plain YAML 1.1 surprises authors: ``at: 10:00`` becomes 600, ``on`` becomes true, a repeated key silently replaces the
first. Here a value is what it looks like (the core schema of YAML 1.2), and a repeated key is refused.
"""

import json
import re
from pathlib import Path
from typing import Any, Final

import yaml

_IMPLICIT: Final = (
    ("tag:yaml.org,2002:bool", re.compile(r"true|True|TRUE|false|False|FALSE"), "tTfF"),
    ("tag:yaml.org,2002:null", re.compile(r"~|null|Null|NULL|"), ["~", "n", "N", ""]),
    ("tag:yaml.org,2002:int", re.compile(r"[-+]?(?:0|[1-9][0-9]*)"), "-+0123456789"),
    ("tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]+\.[0-9]+(?:[eE][-+]?[0-9]+)?"), "-+0123456789"),
    ("tag:yaml.org,2002:merge", re.compile(r"<<"), "<"),
)


MOST_VALUES: Final = 200_000
"""Values in a file once its aliases are written out: a few lines of aliases of aliases can stand for billions."""


LARGEST_FILE: Final = 1_000_000
"""Bytes of an authored file. People write kilobytes; reading much more takes minutes, and whatever made it is no author."""


class UnclearYamlError(ValueError):
    """The text is not YAML that means one thing; says the line and why."""


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - as pyyaml declares it

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                template = _TEMPLATE_ADVICE if isinstance(key, yaml.MappingNode) else ""
                raise UnclearYamlError(f"line {key.start_mark.line + 1}: a key must be plain text{template}")
            if key.value in seen:
                raise UnclearYamlError(f"line {key.start_mark.line + 1}: {key.value!r} is here twice")
            seen.add(key.value)
        return super().construct_mapping(node, deep)

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        super().flatten_mapping(node)
        if len(node.value) > MOST_VALUES:
            raise UnclearYamlError(f"line {node.start_mark.line + 1}: merges more than {MOST_VALUES:,} values")


for _tag, _pattern, _first in _IMPLICIT:
    _Loader.add_implicit_resolver(_tag, re.compile(rf"(?:{_pattern.pattern})\Z"), list(_first))


def read_yaml(path: Path) -> Any:
    """The content of the file as dicts, lists, text, numbers, booleans and None. Raises UnclearYamlError."""
    if (size := path.stat().st_size) > LARGEST_FILE:
        raise UnclearYamlError(f"has {size:,} bytes; expected at most {LARGEST_FILE:,} in a file written by hand")
    try:
        value = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - the loader is a SafeLoader
        _check_aliases(value)
        return json.loads(json.dumps(value, allow_nan=False))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        if look_alike := _look_alike(path.read_text(encoding="utf-8"), line):
            raise UnclearYamlError(look_alike) from None
        problem = error.problem or error.context or ""
        if number := _bare_template(path.read_text(encoding="utf-8"), line):
            raise UnclearYamlError(f"line {number}: {problem}{_TEMPLATE_ADVICE}") from None
        raise UnclearYamlError(f"line {line}: {_advice(problem)}") from None
    except yaml.YAMLError as error:
        raise UnclearYamlError(f"not YAML: {error}") from None
    except UnicodeDecodeError as error:
        raise UnclearYamlError(f"not UTF-8 text: {error.reason} at byte {error.start}") from None
    except UnclearYamlError:
        raise
    except (TypeError, ValueError) as error:
        raise UnclearYamlError(f"not plain data: {error}") from None
    except RecursionError:
        raise UnclearYamlError("nested too deeply") from None


def _check_aliases(value: Any) -> None:
    if _written_out(value, {}) > MOST_VALUES:
        raise UnclearYamlError(f"stands for more than {MOST_VALUES:,} values with its aliases written out")


def _written_out(value: Any, known: dict[int, int]) -> int:
    """How many values this stands for; an alias is looked at once, however often it is used."""
    if not isinstance(value, (dict, list)):
        return 1
    if id(value) not in known:
        known[id(value)] = MOST_VALUES + 1  # what contains itself has no end
        inner = value.values() if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(_written_out(each, known) for each in inner)
    return known[id(value)]


_LOOK_ALIKES: Final = {
    "：": "':' and a space", "，": "','", "“": "'\"'", "”": "'\"'", "‘": "a straight quote", "’": "a straight quote",
    "［": "'['", "］": "']'", "｛": "'{'", "｝": "'}'", "－": "'-'", "＃": "'#'", "\u3000": "a space", "\u00a0": "a space",
}  # fmt: skip
"""Characters that look like those of YAML, and what to write."""

_KEY_WITH_LOOK_ALIKE: Final = re.compile(r"[\s\u3000\u00a0]*(?:[-－][\s\u3000\u00a0]*)?[\"“]?[\w .-]+[\"”]?\s*(：)")
_IN_FRONT: Final = re.compile(r"\s*([\u3000\u00a0－＃“”‘’［｛])")
_AS_A_VALUE: Final = re.compile(r"[^\"'#]*:\s*([“‘［｛])")


def _look_alike(text: str, last: int) -> str:
    """The first line up to ``last`` where a character that only looks like one of YAML took its place; else empty."""
    for number, line in enumerate(text.splitlines()[:last], 1):
        for pattern in (_KEY_WITH_LOOK_ALIKE, _IN_FRONT, _AS_A_VALUE):
            if found := pattern.match(line):
                return f"line {number}: {found[1]!r} is not a character of YAML; write {_LOOK_ALIKES[found[1]]}"
    return ""


_TEMPLATE_ADVICE: Final = "; put the value in quotes, it begins with {{ or {%"
_BARE_TEMPLATE: Final = re.compile(r"\s*(?:- )?(?:[\w .-]+:\s+)?\{[{%]")


def _bare_template(text: str, last: int) -> int:
    """The last line up to ``last``, at most one before it, whose value is a template without quotes; else 0."""
    lines = text.splitlines()[:last]
    return next(
        (number for number in (last, last - 1) if 0 < number <= len(lines) and _BARE_TEMPLATE.match(lines[number - 1])),
        0,
    )


def _advice(problem: str) -> str:
    """What the parser says, and what it usually means."""
    advice = {
        "'\\t' that cannot start": "indent with spaces, not with tabs",
        "that cannot start any token": "put the value in quotes",
        "expected <block end>": "does the indentation fit the lines above?",
        "mapping values are not allowed": "is the indentation right, and text with a colon in quotes?",
    }
    hint = next((hint for sign, hint in advice.items() if sign in problem), None)
    return f"{problem}; {hint}" if hint else problem
