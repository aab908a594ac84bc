"""Numbers and yes or no as people write them. Called by declared attributes."""

import re
from typing import Final

from waypost.contacts.cleaning.outcome import Unusable
from waypost.contacts.cleaning.text import half_width

_PLAIN: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[+-]?[0-9]{1,2})?", re.IGNORECASE)
_GROUPED: Final = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")
_GROUPED_BY_SPACE: Final = re.compile(r"[+-]?[0-9]{1,3}(?:[ ' ][0-9]{3})+(?:\.[0-9]+)?")
_CHINESE_UNIT: Final = re.compile(r"([+-]?[0-9]+(?:\.[0-9]+)?)([万亿])")
_CURRENCY: Final = re.compile(r"[$€£¥￥₩₽元块]|\b(?:rmb|cny|usd|eur|gbp|jpy|hkd|twd|nt\$)\b", re.IGNORECASE)
_DECIMAL_COMMA: Final = re.compile(r"[+-]?[0-9]+,[0-9]{1,2}|[+-]?[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+")

_LONGEST: Final = 40
_MOST_DIGITS: Final = 38  # what DynamoDB keeps of a number
_UNITS: Final = {"万": 10_000, "亿": 100_000_000}

_NO_NUMBER: Final = Unusable("should be a number, for example 1234.5")
_MONEY: Final = Unusable("should be a number without currency; the currency belongs into an attribute of its own")
_COMMA: Final = Unusable("should have a point before the decimals, for example 1234.5")
_TOO_LONG: Final = Unusable(f"should be a number of at most {_MOST_DIGITS} digits")

YES: Final = frozenset(
    {
        "true",
        "t",
        "yes",
        "y",
        "1",
        "on",
        "是",
        "有",
        "对",
        "真",
        "已",
        "同意",
        "已同意",
        "接受",
        "允许",
        "√",
        "✓",
        "✔",
        "已订阅",
        "订阅",
    }
)
NO: Final = frozenset(
    {
        "false",
        "f",
        "no",
        "n",
        "0",
        "off",
        "否",
        "无",
        "没有",
        "错",
        "假",
        "未",
        "不",
        "不是",
        "不同意",
        "未同意",
        "拒绝",
        "不接受",
        "不允许",
        "×",
        "✗",
        "✘",
        "x",
        "未订阅",
        "退订",
        "已退订",
    }
)


def number(text: str) -> int | float | Unusable:
    """A number: ``1,234.50``, full-width digits, ``1.2万`` and ``3e2`` are read, money and decimal commas refused.

    A whole number becomes an int, also when it is written ``12.0``.
    """
    if len(text) > _LONGEST:
        return _NO_NUMBER
    written = half_width(text).replace("，", ",")
    if _CURRENCY.search(written):
        return _MONEY
    factor = 1
    if found := _CHINESE_UNIT.fullmatch(written):
        written, factor = found[1], _UNITS[found[2]]
    if _GROUPED.fullmatch(written):
        written = written.replace(",", "")
    elif _GROUPED_BY_SPACE.fullmatch(written):
        written = re.sub("[ ' ]", "", written)
    elif not _PLAIN.fullmatch(written):
        return _COMMA if _DECIMAL_COMMA.fullmatch(written) else _NO_NUMBER
    return _value(written, factor)


def _value(written: str, factor: int) -> int | float | Unusable:
    if sum(character.isdigit() for character in written) > _MOST_DIGITS:
        return _TOO_LONG
    if written.lstrip("+-").isdigit():
        return int(written) * factor
    value = float(written) * factor
    if factor != 1:
        value = round(value, 6)
    return int(value) if value.is_integer() and abs(value) < 1e15 else value


def boolean(text: str) -> bool | Unusable:
    """Yes or no: 是/否, yes/no, true/false, 1/0, √/×."""
    word = half_width(text).casefold()
    if word in YES:
        return True
    return False if word in NO else Unusable("should be yes or no (是 or 否)")
