"""Text, numbers, yes and no."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.contacts.cleaning import Unusable
from waypost.contacts.cleaning.numbers import boolean, number
from waypost.contacts.cleaning.text import half_width, is_empty, plain


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  王\u200b小\ufeff明 ", "王小明"),
        ("ＡＢＣ１２３　好，的！", "ABC123 好，的！"),
        ("e\u0301", "é"),
        ("a\u202egnp.exe\u202c", "agnp.exe"),
        ("line\r\nbreak\ttab", "line break tab"),
        ("nul\0byte", "nul byte"),
        ("\u200f\u061cعربي", "عربي"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("\ud800half", "half"),
    ],
)
def test_text_is_what_people_see(text: str, expected: str) -> None:
    assert plain(text) == expected


@given(st.text(max_size=200))
def test_tidying_twice_changes_nothing_more(text: str) -> None:
    once = plain(text)
    assert plain(once) == once
    assert half_width(half_width(text)) == half_width(text)
    assert not any(character < " " for character in once)
    once.encode()


def test_full_width_punctuation_is_narrowed_only_where_an_address_or_number_is_meant() -> None:
    assert plain("你好，世界（中国）") == "你好，世界（中国）"
    assert half_width("ｍｅｉ＠ｅｘａｍｐｌｅ．ｃｏｍ") == "mei@example.com"


@pytest.mark.parametrize(
    "text", ["", "-", "N/A", "n/a", "NULL", "null", "None", "无", "暂无", "——", "#N/A", "0000-00-00"]
)
def test_a_marker_of_emptiness_says_nothing(text: str) -> None:
    assert is_empty(text)


def test_a_name_is_no_marker_of_emptiness() -> None:
    assert not is_empty("无忌")
    assert is_empty("未绑定", ("未绑定",))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12", 12), ("-3.50", -3.5), ("1,234,567.8", 1234567.8), ("１２３．５", 123.5), ("1 234", 1234), ("1.2万", 12000), ("3亿", 300000000),
        ("12.0", 12), ("+7", 7), (".5", 0.5), ("3e2", 300), ("１，２３４", 1234), ("1'234", 1234),
    ],
)  # fmt: skip
def test_a_number_is_read_as_people_write_it(text: str, expected: float) -> None:
    found = number(text)
    assert found == expected
    assert isinstance(found, int) == isinstance(expected, int)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "¥12",
        "12元",
        "12 USD",
        "$5",
        "1,5",
        "1.234,5",
        "12,34",
        "1/2",
        "0x10",
        "nan",
        "inf",
        "12a",
        "1" * 39,
        "१२",
        "--1",
        "1e999",
    ],
)
def test_money_and_doubtful_numbers_are_refused(text: str) -> None:
    assert isinstance(number(text), Unusable)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("是", True),
        ("否", False),
        ("Yes", True),
        ("no", False),
        ("TRUE", True),
        ("０", False),
        ("1", True),
        ("√", True),
        ("×", False),
        ("已退订", False),
    ],
)
def test_yes_and_no_have_many_words(text: str, expected: bool) -> None:
    assert boolean(text) is expected


@pytest.mark.parametrize("text", ["", "maybe", "2", "是否"])
def test_what_is_neither_yes_nor_no_is_refused(text: str) -> None:
    assert isinstance(boolean(text), Unusable)


@given(st.text(max_size=60))
def test_no_text_makes_a_number_fail(text: str) -> None:
    assert isinstance(number(text), (int, float, Unusable))
    assert isinstance(boolean(text), (bool, Unusable))
