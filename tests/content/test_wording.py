"""How values read in a language and zone; the data are those of CLDR."""

from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency

from lints import cldr
from waypost.content.wording import STYLES, Reader, UnreadableValueError

SHANGHAI, NEW_YORK = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")
NIGHT = "2026-11-28T20:05:00.000Z"
"""The 29th in Shanghai, the 28th in New York."""


@pytest.mark.parametrize(
    ("reader", "value", "shown"),
    [
        (Reader("zh-CN", SHANGHAI), NIGHT, "2026年11月29日 04:05"),
        (Reader("zh-TW", SHANGHAI), NIGHT, "2026年11月29日 上午4:05"),
        (Reader("en", NEW_YORK), NIGHT, "November 28, 2026, 3:05\u202fPM"),
        (Reader("en-GB", SHANGHAI), "2026-11-28T20:05:00+00:00", "29 November 2026, 04:05"),
        (Reader("de"), "2026-11-28T20:05:00Z", "28. November 2026, 20:05"),
        (Reader("zh-CN"), ["茶", "书", "琴"], "茶、书、琴"),
        (Reader("en"), ["tea", "books"], "tea, books"),
        (Reader("ar"), ["a", "b"], "a وb"),
        (Reader("en"), [1, None, True], "1, yes"),
        (Reader("zh-Hans"), False, "否"),
        (Reader("en"), 1e20, "100000000000000000000"),
        (Reader("en"), 5.0, "5"),
        (Reader("en"), 0.1, "0.1"),
        (Reader("en"), Decimal("19.90"), "19.90"),
        (Reader("en"), 3, "3"),
        (Reader("en"), "2026-11-28", "2026-11-28"),
        (Reader("en"), "--05-21", "May 21"),
        (Reader("zh-CN"), "--05-21", "5月21日"),
        (Reader("en"), "--13-40", "--13-40"),
        (Reader("en"), "2026-02-30T10:00:00Z", "2026-02-30T10:00:00Z"),
        (Reader("en"), 0.1 + 0.2, "0.3"),
        (Reader("en"), 19.900000000000002, "19.9"),
        (Reader("en"), 3 * 1.1, "3.3"),
        (Reader("en"), 1234567.891, "1234567.891"),
        (Reader("en"), -1e-7, "-0.0000001"),
        (Reader("en"), "order 2026-11-28T20:05", "order 2026-11-28T20:05"),
        (Reader("en"), None, ""),
    ],
)
def test_a_value_is_printed_as_people_read_it(reader: Reader, value: Any, shown: str) -> None:
    assert reader.shown(value) == shown


@pytest.mark.parametrize("value", [{"a": 1}, object(), [{"a": 1}]])
def test_what_nobody_can_read_is_not_printed(value: Any) -> None:
    with pytest.raises(UnreadableValueError):
        Reader("en").shown(value)


def test_a_truth_value_needs_words_of_the_language() -> None:
    with pytest.raises(UnreadableValueError, match="is true or false"):
        Reader("sw").shown(value=True)


@pytest.mark.parametrize(
    ("reader", "given", "shown"),
    [
        (Reader("zh-CN"), (1234.5, "CNY"), "¥1,234.50"),
        (Reader("en"), ("1234.5", "CNY"), "CN¥1,234.50"),
        (Reader("en"), (1234.5, "USD"), "$1,234.50"),
        (Reader("de"), (1234.5, "EUR"), "1.234,50\u00a0€"),
        (Reader("ja"), (1234.5, "JPY"), "￥1,235"),
        (Reader("en-IN"), (1234567, "INR"), "₹12,34,567.00"),
        (Reader("en"), (-3, "USD"), "-$3.00"),
        (Reader("en"), (3, "XAU"), "XAU\u00a03.00"),
        (Reader("en"), (Decimal("0.005"), "KWD"), "KWD\u00a00.005"),
    ],
)
def test_money_has_the_signs_and_digits_of_its_currency(reader: Reader, given: tuple[Any, str], shown: str) -> None:
    assert reader.money(*given) == shown


def test_numbers_are_grouped_and_rounded() -> None:
    assert Reader("en").number(1234567.891, 2) == "1,234,567.89"
    assert Reader("fr").number("1234,5".replace(",", ".")) == "1\u202f234,5"
    assert Reader("hi").number(12345678) == "1,23,45,678"
    assert Reader("en").number(5.0) == "5"


@pytest.mark.parametrize("value", ["soon", "", "12,5", "1e9", True, float("nan"), None, [1], "9" * 40])
def test_what_is_no_number_is_no_amount(value: Any) -> None:
    with pytest.raises(UnreadableValueError):
        Reader("en").money(value, "CNY")


@pytest.mark.parametrize("value", ["soon", "2026-13-01", "20261128", 20261128, None, ["2026-11-28"], "0000-01-01"])
def test_what_is_no_date_has_no_day(value: Any) -> None:
    with pytest.raises(UnreadableValueError, match="is no date"):
        Reader("en").written_date(value)


@pytest.mark.parametrize("value", [None, ""])
def test_what_is_missing_says_how_to_ask_for_it(value: Any) -> None:
    with pytest.raises(UnreadableValueError, match=r"is no date; what may be missing is asked for first: {% if"):
        Reader("en").written_date(value)
    with pytest.raises(UnreadableValueError, match=r"is no number; what may be missing has a default\(0\)"):
        Reader("en").number(value)


def test_a_style_or_currency_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UnreadableValueError, match="full, long, medium, short"):
        Reader("en").written_date("2026-11-28", "tiny")
    with pytest.raises(UnreadableValueError, match="such as CNY"):
        Reader("en").money(5, "yuan")


def test_the_files_are_what_the_locked_babel_knows() -> None:
    for name, content in cldr.files():
        assert (cldr.FOLDER / name).read_text(encoding="utf-8") == cldr.written(content), f"make texts: {name}"


@pytest.mark.parametrize(
    "name", ["zh", "zh_Hant", "en", "en_GB", "de", "fr", "ja", "ko", "ru", "hi", "pt", "ar", "vi", "th"]
)
def test_dates_and_money_are_written_as_babel_writes_them(name: str) -> None:
    reader, locale = Reader(name.replace("_", "-"), SHANGHAI), Locale.parse(name)
    day = date(2026, 11, 29)
    for style in STYLES:
        assert reader.written_date(NIGHT, style) == format_date(day, style, locale)
    for currency, sign in cldr.wording(locale)["signs"].items():
        assert sign in reader.money("1234567.25", currency)
        assert reader.money("1234567.25", currency) == format_currency(
            Decimal("1234567.25"), currency, locale=locale, numbering_system="latn"
        )


@pytest.mark.parametrize(
    ("locale", "style", "shown"),
    [
        ("en", "long", "May 21"),
        ("en", "full", "May 21"),
        ("en", "short", "5/21"),
        ("en-GB", "long", "21 May"),
        ("de", "long", "21. Mai"),
        ("de", "short", "21.05."),
        ("zh-CN", "long", "5月21日"),
        ("zh-CN", "full", "5月21日"),
        ("ja", "long", "5月21日"),
        ("ko", "long", "5월 21일"),
        ("fr", "long", "21 mai"),
        ("es", "long", "21 de mayo"),
        ("hu", "long", "május 21."),
        ("ru", "long", "21 мая"),
    ],
)
def test_a_birthday_without_its_year_is_a_day_and_a_month(locale: str, style: str, shown: str) -> None:
    assert Reader(locale).written_date("--05-21", style) == shown
    assert Reader(locale).written_datetime("--05-21", style) == shown


@pytest.mark.parametrize("locale", sorted(file.stem for file in cldr.FOLDER.glob("*.json") if file.stem != "digits"))
def test_no_language_shows_a_year_that_nobody_gave(locale: str) -> None:
    for style in STYLES:
        shown = Reader(locale).written_date("--02-29", style)
        assert "2000" not in shown
        assert shown.strip() == shown


@pytest.mark.parametrize("value", ["--13-45", "--02-30", "--5-21"])
def test_a_day_that_no_year_has_is_no_date(value: str) -> None:
    with pytest.raises(UnreadableValueError):
        Reader("en").written_date(value)
    with pytest.raises(UnreadableValueError):
        Reader("en").written_time("--05-21")
