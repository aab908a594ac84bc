"""What is left out of JSON, what is refused, and how both are named."""

from typing import Any

import pytest

from waypost.intake.request_outcome import Refused
from waypost.intake.strict_json import MAX_DEPTH, Document, read_object


def read(body: bytes) -> Document:
    document = read_object(body)
    assert isinstance(document, Document)
    return document


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_byte_order_mark_before_the_object_is_passed_over(mark: bytes) -> None:
    assert read_object(mark + '{"a": "中文"}'.encode()) == Document({"a": "中文"})


def test_a_second_byte_order_mark_is_no_json() -> None:
    assert isinstance(read_object(b"\xef\xbb\xbf\xef\xbb\xbf{}"), Refused)


def test_an_object_is_read_as_it_is() -> None:
    assert read('{"a": [1, 2.5, "中文", true, null], "b": {"c": -0}}'.encode()).content == {
        "a": [1, 2.5, "中文", True, None],
        "b": {"c": 0},
    }


@pytest.mark.parametrize(
    ("body", "field", "reason"),
    [
        (b"", "body", "JSON"),
        (b"{", "body", "JSON"),
        (b"{'a': 1}", "body", "JSON"),
        (b"[]", "body", "object"),
        (b'"text"', "body", "object"),
        (b"\xff\xfe{}", "body", "UTF-8"),
        (b"[" * 100_000, "body", "nested"),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "body", "nested"),
    ],
)
def test_what_is_no_json_object_is_refused(body: bytes, field: str, reason: str) -> None:
    refused = read_object(body)
    assert isinstance(refused, Refused)
    assert (refused.status, refused.problems[0].field) == (400, field)
    assert reason in refused.problems[0].reason


def nested(levels: int) -> Any:
    return {} if levels == 0 else {"a": nested(levels - 1)}


@pytest.mark.parametrize(
    ("member", "kept", "field", "reason"),
    [
        (b'"a": NaN', {}, "a", "NaN"),
        (b'"a": -Infinity', {}, "a", "Infinity"),
        (b'"a": 1e999', {}, "a", "1e126"),
        (b'"a": 1e-200', {}, "a", "1e-130"),
        (b'"a": ' + b"9" * 39, {}, "a", "38 digits"),
        (b'"a": ' + b"9" * 5000, {}, "a", "38 digits"),
        (b'"a": 1, "a": 2', {}, "a", "twice"),
        (b'"a": {"b": 1, "b": 1, "c": 2}', {"a": {"c": 2}}, "a.b", "twice"),
        (b'"a": [1, NaN, 3]', {"a": [1, None, 3]}, "a[1]", "NaN"),
        (b'"a": {"b": "x\\u0000y"}', {"a": {"b": "x\ufffdy"}}, "a.b", "NUL"),
        (b'"a": {"x\\u0000y": 1}', {"a": {}}, "a.x\\0y", "NUL"),
        (b'"a": ["\\ud800"]', {"a": ["\ufffd"]}, "a[0]", "surrogate"),
        (b'"a": "cut \\ud83d"', {"a": "cut \ufffd"}, "a", "surrogate"),
        (b'"\\udfff": 1', {}, "\\udfff", "surrogate"),
        (b'"a": {"": 1}', {"a": {}}, "a", "empty key"),
        (b'"": 1', {}, "body", "empty key"),
        (
            b'"a":' + b'{"a":' * MAX_DEPTH + b"1" + b"}" * MAX_DEPTH,
            nested(MAX_DEPTH - 1),
            ".".join("a" * MAX_DEPTH),
            "nested",
        ),
    ],
)
def test_what_not_everything_behind_us_can_store_is_left_out(
    member: bytes, kept: dict[str, Any], field: str, reason: str
) -> None:
    document = read(b'{"fine": "\xe4\xb8\xad", ' + member + b"}")
    assert document.content == {"fine": "中"} | kept
    assert [problem.field for problem in document.left_out] == [field]
    assert reason in document.left_out[0].reason


def test_an_emoji_written_as_a_surrogate_pair_is_a_character() -> None:
    assert read(b'{"a": "\\ud83d\\ude00"}').content == {"a": "\N{GRINNING FACE}"}


def test_every_problem_is_named() -> None:
    document = read(b'{"a": [' + b",".join([b'"\\u0000"'] * 30) + b"]}")
    assert [problem.field for problem in document.left_out] == [f"a[{index}]" for index in range(30)]


def test_a_long_key_is_named_in_short() -> None:
    document = read(b'{"' + b"k" * 1000 + b'": "\\u0000"}')
    assert document.left_out[0].field == "k" * 60 + "..."
