"""The short cuts for e-mail addresses and Chinese numbers answer what the libraries answer."""

import phonenumbers
import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from waypost.contacts import cleaning
from waypost.contacts.cleaning import Unusable

LOCALS = st.text("abz09.+-_!'", min_size=1, max_size=66)
DOMAINS = st.sampled_from(
    [
        "example.com",
        "qq.com",
        "例子.中国",
        "müller.de",
        "-a.com",
        "a..com",
        "a.test",
        "b.local",
        "1.2",
        "localhost",
        "ex ample.com",
        "xn--zzzz.com",
        "a" * 64 + ".com",
    ]
)


@given(LOCALS, DOMAINS)
def test_an_email_address_is_judged_as_the_library_judges_it(local: str, domain: str) -> None:
    try:
        checked = validate_email(f"{local}@{domain}", check_deliverability=False, allow_smtputf8=False).ascii_email
    except EmailNotValidError:
        checked = None
    found = cleaning.email(f"{local}@{domain}")
    assert (None if isinstance(found, Unusable) else found) == checked


@pytest.mark.parametrize("text", ["a@mail.test", "a@office.local", "a@x.invalid", "a@1.2.onion", "a@xn--zzzz.com"])
def test_names_under_which_no_mail_arrives_are_refused(text: str) -> None:
    assert isinstance(cleaning.email(text), Unusable)


@given(
    st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), st.sampled_from(["{}", "+86{}", "86{}", "0086{}", "+86 {}", "{}"])
)
def test_a_chinese_mobile_is_judged_as_phonenumbers_judges_it(digits: str, form: str) -> None:
    parsed = phonenumbers.parse(form.format(digits), "CN")
    expected = f"+86{digits}" if phonenumbers.is_valid_number(parsed) else None
    if expected is None and form.startswith("+"):
        expected = f"+86{digits}" if phonenumbers.is_possible_number(parsed) else None
    found = cleaning.phone(form.format(digits))
    assert (None if isinstance(found, Unusable) else found) == expected


def test_every_prefix_is_judged_as_phonenumbers_judges_it() -> None:
    for prefix in range(13000, 20000):
        number = f"{prefix}123456"
        valid = phonenumbers.is_valid_number(phonenumbers.parse(number, "CN"))
        assert isinstance(cleaning.phone(number), str) == valid


@pytest.mark.parametrize(
    "text",
    [
        "１３８００１３８０００",
        "138-0013-8000",
        "+86 138 0013 8000",
        "(+86)13800138000",
        "138\u200b00138000",
        "0086-13800138000",
    ],
)
def test_a_chinese_number_may_be_written_in_many_ways(text: str) -> None:
    assert cleaning.phone(text) == "+8613800138000"


@given(st.text(max_size=60))
def test_no_text_makes_an_address_fail(text: str) -> None:
    assert isinstance(cleaning.email(text), (str, Unusable))
    assert isinstance(cleaning.phone(text), (str, Unusable))


@pytest.mark.parametrize(
    ("number", "country"),
    [("+8613800138000", "CN"), ("+14155552671", "US"), ("+85291234567", "HK"), ("+800123", ""), ("x", "")],
)
def test_a_number_tells_its_country(number: str, country: str) -> None:
    assert cleaning.country_of(number) == country
