"""What counts as a dispatch over a closed set, and what ends one."""

from pathlib import Path

import pytest

from lints.channels import comparisons
from lints.dispatch import ENDS, findings, in_source

HEAD = "from enum import Enum\nfrom typing import Literal, assert_never\nKind = Literal['a', 'b', 'c']\n"


def judged(body: str) -> list[tuple[str, str]]:
    """What is found in the body of a function whose subjects are all of a closed set: kind and reason."""
    source = "def act(kind):\n" + "".join(f"    {line}\n" for line in body.splitlines())
    return [(each.what, each.reason) for each in in_source("act.py", source, lambda _: "'a' | 'b' | 'c'")]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("match kind:\n    case 'a': return 1\n    case _: return 2", [("a match", "")]),
        ("match kind:\n    case 'a': return 1", [("a match", "")]),
        ("match kind:\n    case 'a': return 1\n    case _: assert_never(kind)", [("a match", ENDS)]),
        ("match kind:\n    case 'a': return 1\n    case never: assert_never(never)", [("a match", ENDS)]),
        ("match kind:  # dispatch: b and c need nothing\n    case 'a': return 1", [("a match", "b and c need nothing")]),
        ("match kind:  # dispatch: short\n    case 'a': return 1", [("a match", "")]),
        ("if kind == 'a':\n    x = 1\nelif kind == 'b':\n    x = 2\nelse:\n    x = 3", [("a ladder", "")]),
        ("if kind == 'a':\n    return 1\nif kind == 'b':\n    return 2\nreturn 3", [("a ladder", "")]),
        ("if kind == 'a':\n    return 1\nif kind in {'b', 'c'}:\n    return 2\nassert_never(kind)", [("a ladder", ENDS)]),
        ("if isinstance(kind, A):\n    return 1\nif isinstance(kind, B):\n    return 2\nreturn 3", [("a ladder", "")]),
        ("if kind == 'a':\n    return 1\nreturn 2", []),
        ("if kind == 'a':\n    return 1\nif other == 'b':\n    return 2\nreturn 3", []),
        ("if kind == 'a':\n    x = 1\nif kind == 'b':\n    x = 2", []),
    ],
)  # fmt: skip
def test_a_dispatch_ends_in_assert_never_or_says_why_not(body: str, found: list[tuple[str, str]]) -> None:
    assert judged(body) == found


def test_only_closed_sets_count(tmp_path: Path) -> None:
    source = tmp_path / "kinds.py"
    source.write_text(
        HEAD
        + "class Colour(Enum):\n    RED = 1\n    BLUE = 2\n"
        + "def of_literals(kind: Kind) -> int:\n    match kind:\n        case 'a':\n            return 1\n        case _:\n            return 2\n"
        + "def of_an_enumeration(colour: Colour) -> int:\n    match colour:\n        case Colour.RED:\n            return 1\n        case _:\n            return 2\n"
        + "def of_any_text(kind: str) -> int:\n    match kind:\n        case 'a':\n            return 1\n        case _:\n            return 2\n"
        + "def to_the_end(kind: Kind) -> int:\n    match kind:\n        case 'a' | 'b' | 'c':\n            return 1\n        case _:\n            assert_never(kind)\n"
    )
    assert [(each.line, each.members, each.reason) for each in findings([str(source)])] == [
        (8, "'a' | 'b' | 'c'", ""),
        (14, "Colour", ""),
        (26, "'a' | 'b' | 'c'", ENDS),
    ]


def test_a_channel_that_is_compared_with_a_name_is_found() -> None:
    source = (
        "if message.channel == 'email': pass\n"
        "x = 1 if 'sms' != channel else 2\n"
        "match case.channel:\n    case 'email': pass\n    case _: pass\n"
        "if kind == 'email': pass\n"
        "if channel in ('sms', 'push'): pass\n"
        "if channel == other: pass\n"
    )
    assert sorted(comparisons(source)) == [1, 2, 4, 7]
