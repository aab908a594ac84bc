"""One spelling for addresses, locales and zones."""

import pytest

from tests.contacts.people import addresses, contact
from waypost.contacts import cleaning
from waypost.contacts.channels import Channel
from waypost.contacts.cleaning import Unusable
from waypost.intake.traits import read_traits


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" Mei.Li@Example.COM\n", "mei.li@example.com"),
        ("a+tag@mail.example.cn", "a+tag@mail.example.cn"),
        ("kontakt@müller.de", "kontakt@xn--mller-kva.de"),
        ("me@例子.中国", "me@xn--fsqu00a.xn--fiqs8s"),
    ],
)
def test_an_email_address_is_written_in_lower_case_and_ascii(text: str, expected: str) -> None:
    assert cleaning.email(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mei",
        "mei@",
        "@example.com",
        "mei@localhost",
        "Mei <mei@example.com>",
        "a@b@example.com",
        "a..b@example.com",
        ".a@example.com",
        "mei@exa mple.com",
        "梅@example.com",
        "a@" + "x" * 64 + ".com",
        "a" * 65 + "@example.com",
        "a@" + "b." * 130 + "com",
        "a@\u2024.com",
        "a@" + "ü" * 100 + ".de",
        "a@ex\u0000ample.com",
    ],
)
def test_what_no_mail_can_reach_is_no_email_address(text: str) -> None:
    assert isinstance(cleaning.email(text), Unusable)


@pytest.mark.parametrize(
    ("text", "region", "expected"),
    [
        ("+86 138-0013-8000", "CN", "+8613800138000"),
        ("13800138000", "CN", "+8613800138000"),
        ("008613800138000", "CN", "+8613800138000"),
        ("\uff0b8613800138000", "US", "+8613800138000"),
        ("(415) 555-2671", "US", "+14155552671"),
        ("+15555550100", "CN", "+15555550100"),
    ],
)
def test_a_phone_number_is_written_in_e164(text: str, region: str, expected: str) -> None:
    assert cleaning.phone(text, region=region) == expected


@pytest.mark.parametrize("text", ["", "n/a", "12345", "+", "+999999999999999999", "14155552671", "1" * 5000])
def test_a_number_whose_country_can_only_be_guessed_wrongly_is_refused(text: str) -> None:
    assert isinstance(cleaning.phone(text), Unusable)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("zh_CN.UTF-8", "zh-CN"),
        ("zh-Hans-CN", "zh-CN"),
        ("zh-hant-tw", "zh-TW"),
        ("zh-Hant-CN", "zh-Hant-CN"),
        ("EN", "en"),
        ("en-US-u-hc-h12", "en-US"),
        ("es-419", "es-419"),
    ],
)
def test_a_locale_is_written_as_language_script_and_region(text: str, expected: str) -> None:
    assert cleaning.locale(text) == expected


@pytest.mark.parametrize("text", ["", "C", "POSIX", "english", "中文", "zh CN"])
def test_what_names_no_language_is_no_locale(text: str) -> None:
    assert isinstance(cleaning.locale(text), Unusable)


def test_the_region_of_a_locale_reads_phone_numbers() -> None:
    assert [cleaning.region_of(locale) for locale in ("en-US", "zh", "es-419", "")] == ["US", "CN", "CN", "CN"]


def test_a_time_zone_has_to_exist() -> None:
    assert cleaning.time_zone(" Asia/Shanghai ") == "Asia/Shanghai"
    for text in ("", "Mars/Phobos", "America", "../../etc/passwd", "GMT+8 (Beijing)", "/etc/localtime", "a\0b"):
        assert isinstance(cleaning.time_zone(text), Unusable)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("+8613800138000", True),
        ("+8617412345678", True),
        ("+861062345678", False),
        ("+864008208820", False),
        ("+868008208820", False),
        ("+864155552671", False),
        ("+14155552671", True),
        ("+18005551234", False),
        ("+442079460018", False),
        ("+447911123456", True),
        ("+85221234567", False),
        ("+85291234567", True),
        ("+886223456789", False),
        ("+390612345678", False),
        ("+4915112345678", True),
        ("+88235561234", True),
        ("nonsense", True),
    ],
)
def test_a_land_line_or_a_service_number_takes_no_texts(number: str, expected: bool) -> None:
    assert cleaning.takes_texts(number) is expected


def test_a_land_line_is_kept_and_is_no_address_for_texts() -> None:
    traits = read_traits({"phone": "010-62345678"}, "traits")
    assert traits.identities == {"phone": "+861062345678"}
    assert [each.field for each in traits.warnings] == ["traits.phone"]
    known = contact("c-1", attributes=traits.profile)
    assert known.addresses(Channel("sms")) == ()
    assert addresses(contact("c-1", attributes={"phone": "+8613800138000"}), "sms") == ["+8613800138000"]
    assert not read_traits({"phone": "13800138000"}, "traits").warnings
