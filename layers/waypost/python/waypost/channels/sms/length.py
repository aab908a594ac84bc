"""How many parts an SMS takes, which is what carriers bill. Used when a message is published.

Source: 3GPP TS 23.038 (the 7-bit default alphabet and its extension table) and TS 23.040 (concatenation header).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED: Final = frozenset("\f^{}\\[~]|€")  # each takes two places

TYPOGRAPHIC: Final[Mapping[str, str]] = {
    "‘": "'", "’": "'", "‚": ",", "‛": "'", "′": "'", "`": "'", "´": "'", "“": '"', "”": '"', "„": '"', "″": '"', "«": '"', "»": '"',
    "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "―": "-", "−": "-", "…": "...", "•": "-", "·": "-", "×": "x", "→": "->",
    "\u00a0": " ", "\u2009": " ", "\u202f": " ", "\u200b": "", "\u00ad": "", "\t": " ", "№": "No.", "™": "(TM)", "©": "(C)", "®": "(R)",
}  # fmt: skip
"""Characters that a word processor puts in, and what says the same in GSM-7."""

MOST_PARTS: Final = 10
"""What AWS End User Messaging accepts (its text limit is 1,600 characters), and far more than anybody reads."""


@dataclass(frozen=True, slots=True)
class SmsLength:
    """``units`` are septets in GSM-7 and 16-bit units in UCS-2; ``parts`` is what is billed."""

    encoding: Literal["GSM-7", "UCS-2"]
    units: int
    parts: int


def typographic(text: str) -> dict[str, str]:
    """What alone keeps the text out of GSM-7, each with its way out; empty where the text is in it, or needs UCS-2 anyway."""
    foreign = dict.fromkeys(letter for letter in text if letter not in _BASIC and letter not in _EXTENDED)
    return {letter: TYPOGRAPHIC[letter] for letter in foreign} if foreign.keys() <= TYPOGRAPHIC.keys() else {}


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
