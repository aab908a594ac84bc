"""How many parts an SMS takes."""

import pytest

from waypost.channels.sms.length import SmsLength, sms_length


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
