"""What is refused of JSON, and how it is named."""

import pytest

from waypost.intake.request_outcome import Refused
from waypost.intake.strict_json import MAX_DEPTH, read_object


def test_an_object_is_read_as_it_is() -> None:
    assert read_object('{"a": [1, 2.5, "中文", true, null], "b": {"c": -0}}'.encode()) == {
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
        (b'\xef\xbb\xbf{"a": 1}', "body", "JSON"),
        (b'{"a": NaN}', "body", "NaN"),
        (b'{"a": -Infinity}', "body", "Infinity"),
        (b'{"a": 1e999}', "body", "1e126"),
        (b'{"a": 1e-200}', "body", "1e-130"),
        (b'{"a": ' + b"9" * 39 + b"}", "body", "38 digits"),
        (b'{"a": ' + b"9" * 5000 + b"}", "body", "38 digits"),
        (b'{"a": 1, "a": 2}', "body", "twice"),
        (b'{"a": {"b": "x\\u0000y"}}', "a.b", "NUL"),
        (b'{"a": {"x\\u0000y": 1}}', "a.x\\0y", "NUL"),
        (b'{"a": ["\\ud800"]}', "a[0]", "surrogate"),
        (b'{"\\udfff": 1}', "\\udfff", "surrogate"),
        (b'{"a": {"": 1}}', "a", "empty key"),
        (b'{"": 1}', "body", "empty key"),
        (b'{"a":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1), ".".join("a" * MAX_DEPTH), "nested"),
        (b"[" * 100_000, "body", "nested"),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "body", "nested"),
    ],
)
def test_what_not_everything_behind_us_can_store_is_refused(body: bytes, field: str, reason: str) -> None:
    refused = read_object(body)
    assert isinstance(refused, Refused)
    assert (refused.status, refused.problems[0].field) == (400, field)
    assert reason in refused.problems[0].reason


def test_an_emoji_written_as_a_surrogate_pair_is_a_character() -> None:
    assert read_object(b'{"a": "\\ud83d\\ude00"}') == {"a": "\N{GRINNING FACE}"}


def test_every_problem_is_named_up_to_twenty() -> None:
    refused = read_object(b'{"a": [' + b",".join([b'"\\u0000"'] * 30) + b"]}")
    assert isinstance(refused, Refused)
    assert [problem.field for problem in refused.problems] == [f"a[{index}]" for index in range(20)]


def test_a_long_key_is_named_in_short() -> None:
    refused = read_object(b'{"' + b"k" * 1000 + b'": "\\u0000"}')
    assert isinstance(refused, Refused)
    assert refused.problems[0].field == "k" * 60 + "..."
