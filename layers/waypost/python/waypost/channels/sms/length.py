"""How many parts an SMS takes, which is what carriers bill. Used when a message is published.

Source: 3GPP TS 23.038 (the 7-bit default alphabet and its extension table) and TS 23.040 (concatenation header).
"""

import math
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
        units = len(text) + sum(letter in _EXTENDED for letter in text)
        return SmsLength("GSM-7", units, 1 if units <= 160 else math.ceil(units / 153))
    units = len(text.encode("utf-16-le")) // 2
    return SmsLength("UCS-2", units, 1 if units <= 70 else math.ceil(units / 67))
