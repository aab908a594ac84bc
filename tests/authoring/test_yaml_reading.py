"""YAML without its surprises."""

from pathlib import Path
from typing import Any

import pytest

from waypost.authoring.yaml_reading import UnclearYamlError, read_yaml


def read(folder: Path, text: str) -> Any:
    path = folder / "file.yaml"
    path.write_text(text, encoding="utf-8")
    return read_yaml(path)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("at: 10:00", {"at": "10:00"}),
        ("at: 08:00", {"at": "08:00"}),
        ("day: 2027-03-01", {"day": "2027-03-01"}),
        ("or: on", {"or": "on"}),
        ("on: no", {"on": "no"}),
        ("code: 0755", {"code": "0755"}),
        ("- 12\n- -3\n- 1.5\n- true\n- null\n- ~\n-", [12, -3, 1.5, True, None, None, None]),
        ("a: &x {b: 1}\nc: {<<: *x, d: 2}", {"a": {"b": 1}, "c": {"b": 1, "d": 2}}),
        ("1: one", {"1": "one"}),
        ("", None),
    ],
)
def test_a_value_is_what_it_looks_like(tmp_path: Path, text: str, value: Any) -> None:
    assert read(tmp_path, text) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: 1\nb: 2\na: 3", "line 3: 'a' is here twice"),
        ("a: [1\nb: 2", "line 2: "),
        ("? [1, 2]\n: x", "line 1: a key must be plain text"),
        ("a: !!python/object:os.system x", "line 1: could not determine a constructor"),
        ("a: !!timestamp 2027-03-01", "not plain data"),
        ("a: {% $x %}", "line 1: found character '%' that cannot start any token; put the value in quotes"),
        ("a:\n\tb: 1", "line 2: found character '\\t' that cannot start any token; indent with spaces"),
        ("a:\n    b: 1\n  c: 2", "line 3: expected <block end>"),
        (
            "a: 1\nb: {{ name }} hi\nc: 2",
            "line 2: expected <block end>, but found '<scalar>'; put the value in quotes, it begins with {{ or {%",
        ),
        ("a: {{ name }}", "line 1: a key must be plain text; put the value in quotes, it begins with {{ or {%"),
        (
            "a: {% if name %}hi{% endif %}",
            "line 1: found character '%' that cannot start any token; put the value in quotes, it begins",
        ),
        ('a: "x" y', "line 1: expected <block end>, but found '<scalar>'; does the indentation"),
        ("a: b: c", "line 1: mapping values are not allowed here; is the indentation right"),
    ],
)
def test_what_has_no_one_meaning_is_refused_with_its_line(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(UnclearYamlError) as caught:
        read(tmp_path, text)
    assert str(caught.value).startswith(reason)


def test_what_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    path.write_bytes(b"a: \xff")
    with pytest.raises(UnclearYamlError, match="not UTF-8 text: invalid start byte at byte 3"):
        read_yaml(path)


def _bomb(leaf: str, layer: str) -> str:
    """A few lines of aliases of aliases, each nine times the one before."""
    lines = [f"a0: &a0 {leaf}"]
    lines += [f"a{n}: &a{n} {layer.format(', '.join([f'*a{n - 1}'] * 9))}" for n in range(1, 12)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (_bomb("[x, y]", "[{}]"), "stands for more than 200,000 values"),
        (_bomb("{k: 1}", "{{list: [{}]}}"), "stands for more than 200,000 values"),
        (_bomb("{k: 1}", "{{<<: [{}]}}"), "merges more than 200,000 values"),
        ("a: &a [*a]", "stands for more than 200,000 values"),
        ("a: " + "[" * 5_000 + "]" * 5_000, "nested too deeply"),
    ],
    ids=["lists", "mappings", "merges", "itself", "depth"],
)
def test_a_file_that_stands_for_more_than_it_shows_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(UnclearYamlError, match=reason):
        read(tmp_path, text)


def test_an_alias_used_often_is_fine(tmp_path: Path) -> None:
    assert read(tmp_path, "a: &a [1, 2]\nb: [*a, *a, *a]")["b"] == [[1, 2]] * 3


def test_a_file_that_nobody_can_have_written_is_refused_before_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "segment.yaml"
    file.write_text("- a\n" * 260_000, encoding="utf-8")

    with pytest.raises(UnclearYamlError, match="1,040,000 bytes; expected at most 1,000,000"):
        read_yaml(file)
