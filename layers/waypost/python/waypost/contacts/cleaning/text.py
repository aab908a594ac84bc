"""Text in one Unicode form, without invisible characters. Used before any other cleaning."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

EMPTY_MARKERS: Final = frozenset(
    {
        "", "-", "--", "---", "—", "——", "/", "\\", "\\n", ".", "?", "？", "n/a", "na", "#n/a", "#null!", "#ref!", "#value!", "#name?", "#div/0!", "#num!", "#error!", "null", "(null)", "nil",
        "none", "nan", "undefined", "empty", "(empty)", "(空)", "空", "无", "暂无", "没有", "未填", "未填写", "未知", "不详", "待补充", "0000-00-00", "1900/1/0",
    }
)  # fmt: skip
"""What files write for a missing value; compared in lower case and without spaces around."""

_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0e"
    "\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
)
"""Formatting that shows nothing and can turn text around. Joiners (200C, 200D) stay: names and emoji need them."""

_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_SPACES: Final = re.compile(r"\s{2,}")
_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_UNUSUAL: Final = re.compile(r"[^\x20-\x7e\u4e00-\u9fff]|\s{2}")
"""Whether there is anything to look at: most cells are plain ASCII or Chinese, and both are done already."""

_WIDE: Final = {0xFF01 + offset: 0x21 + offset for offset in range(94)} | {0x3000: 0x20}
_WIDE_ALPHANUMERIC: Final = {
    wide: narrow for wide, narrow in _WIDE.items() if chr(narrow).isalnum() or narrow == 0x20
}  # fmt: skip


def plain(text: str) -> str:
    """``text`` in NFC, on one line, trimmed, without control and invisible characters.

    Full-width letters, digits and spaces become half-width; full-width punctuation stays, because Chinese is written
    with it. A tab or a line break becomes a space.
    """
    if not _UNUSUAL.search(text):
        return text.strip()
    text = _SURROGATES.sub("", _INVISIBLE.sub("", text))
    text = _CONTROL.sub(" ", text).translate(_WIDE_ALPHANUMERIC)
    return _SPACES.sub(" ", unicodedata.normalize("NFC", text)).strip()


def half_width(text: str) -> str:
    """``plain`` text with every full-width form of an ASCII character as that character: for addresses and numbers."""
    text = plain(text)
    return text if text.isascii() else text.translate(_WIDE)


def is_empty(text: str, further: Iterable[str] = ()) -> bool:
    """Whether plain text is a marker of emptiness."""
    if len(text) > 12 and not further:
        return False
    folded = text.casefold()
    return folded in EMPTY_MARKERS or folded in further
