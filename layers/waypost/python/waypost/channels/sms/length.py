"""How many parts an SMS takes, which is what carriers bill. Used when a message is published.

Source: 3GPP TS 23.038 (the 7-bit default alphabet and its extension table) and TS 23.040 (concatenation header).
"""

from dataclasses import dataclass
from typing import Final, Literal

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED: Final = frozenset("\f^{}\\[~]|€")  # each takes two places

MOST_PARTS: Final = 10
"""What AWS End User Messaging accepts (its text limit is 1,600 characters), and far more than anybody reads."""


@dataclass(frozen=True, slots=True)
class SmsLength:
    """``units`` are septets in GSM-7 and 16-bit units in UCS-2; ``parts`` is what is billed."""

    encoding: Literal["GSM-7", "UCS-2"]
    units: int
    parts: int


def sms_length(text: str) -> SmsLength:
    """The length of ``text`` as an SMS: one part of 160 (70) units, or several of 153 (67)."""
    if all(letter in _BASIC or letter in _EXTENDED for letter in text):
        return _length("GSM-7", [1 + (letter in _EXTENDED) for letter in text], alone=160, joined=153)
    return _length("UCS-2", [1 + (letter > "\uffff") for letter in text], alone=70, joined=67)


def _length(encoding: Literal["GSM-7", "UCS-2"], sizes: list[int], *, alone: int, joined: int) -> SmsLength:
    """A letter of two units is never cut: one that does not fit into a part begins the next."""
    units = sum(sizes)
    if units <= alone:
        return SmsLength(encoding, units, 1)
    parts, left = 1, joined
    for size in sizes:
        if size > left:
            parts, left = parts + 1, joined
        left -= size
    return SmsLength(encoding, units, parts)
