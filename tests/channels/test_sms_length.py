"""How many parts an SMS takes."""

import pytest

from waypost.channels.sms.length import TYPOGRAPHIC, SmsLength, sms_length, typographic


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", SmsLength("GSM-7", 0, 1)),
        ("a" * 160, SmsLength("GSM-7", 160, 1)),
        ("a" * 161, SmsLength("GSM-7", 161, 2)),
        ("a" * 306, SmsLength("GSM-7", 306, 2)),
        ("a" * 307, SmsLength("GSM-7", 307, 3)),
        ("€" * 80, SmsLength("GSM-7", 160, 1)),
        ("€" * 81, SmsLength("GSM-7", 162, 2)),
        ("é ñ ü @ £ Ω\n", SmsLength("GSM-7", 12, 1)),
        ("ê", SmsLength("UCS-2", 1, 1)),
        ("路" * 70, SmsLength("UCS-2", 70, 1)),
        ("路" * 71, SmsLength("UCS-2", 71, 2)),
        ("路" * 135, SmsLength("UCS-2", 135, 3)),
        ("🙂" * 35, SmsLength("UCS-2", 70, 1)),
        ("🙂" * 36, SmsLength("UCS-2", 72, 2)),
        ("a" * 152 + "€" + "a" * 152, SmsLength("GSM-7", 306, 3)),
        ("a" * 151 + "€" + "a" * 153, SmsLength("GSM-7", 306, 2)),
        ("路" * 66 + "🙂" + "路" * 66, SmsLength("UCS-2", 134, 3)),
        ("路" * 65 + "🙂" + "路" * 67, SmsLength("UCS-2", 134, 2)),
    ],
)
def test_the_alphabet_decides_how_much_fits(text: str, length: SmsLength) -> None:
    assert sms_length(text) == length


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("don't", {}),
        ("don’t", {"’": "'"}),
        ("10 – 12 Uhr…", {"–": "-", "…": "..."}),
        ("no\u00a0break", {"\u00a0": " "}),
        ("Être là, c’est tout", {}),
        ("您好’", {}),
        ("don’t 🙂", {}),
    ],
)
def test_what_alone_keeps_a_text_out_of_the_short_alphabet_is_found(text: str, found: dict[str, str]) -> None:
    assert typographic(text) == found


def test_what_stands_instead_is_in_the_short_alphabet() -> None:
    assert all(sms_length(letter).encoding == "UCS-2" for letter in TYPOGRAPHIC)
    assert all(sms_length(instead).encoding == "GSM-7" for instead in TYPOGRAPHIC.values())
