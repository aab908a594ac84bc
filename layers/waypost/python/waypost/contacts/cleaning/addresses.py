"""E-mail addresses and phone numbers in their one spelling. Called by the receivers and by imports."""

import re
from functools import lru_cache
from typing import Final

from waypost.contacts.cleaning.outcome import Cleaned, Unusable
from waypost.contacts.cleaning.text import half_width

HOME_REGION: Final = "CN"
"""The country of a phone number written without one, when the contact's locale names no country."""

_LONGEST_EMAIL: Final = 254  # RFC 5321 through RFC 3696 erratum 1690
_LONGEST_LOCAL_PART: Final = 64
_LOCAL_PART: Final = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
"""A dot-atom of RFC 5322 in ASCII and lower case: what SES takes before the @, and e-mail-validator too."""

_LONGEST_PHONE: Final = 40
_ID_WITH_NUMBER: Final = re.compile(r"[A-Za-z_]+[0-9]")
"""``user13800138000`` is a name in some system, and may be any person's number or none."""

_CHINESE_MOBILE: Final = re.compile(r"(?:\+?86|0086)?[ \-]*(1[3-9](?:[ \-]?[0-9]){9})")

_MOBILE_IN_CHINA: Final = re.compile(r"\+861[3-9][0-9]{9}")

_TRUNCATED_MOBILE: Final = re.compile(r"\+861[3-9](?![0-9]{9}$)")
"""A Chinese mobile number without all its 11 digits, which by its length could be a land line of nowhere."""

_NO_EMAIL: Final = Unusable("should be an e-mail address, for example name@example.com")
_NO_DOMAIN: Final = Unusable("should be an e-mail address whose domain exists")
_NO_PHONE: Final = Unusable("should be a phone number with its country code, for example +8613800138000")


def email(text: str) -> Cleaned:
    """An e-mail address in lower case, its domain in ASCII (IDNA 2008). SES takes no other local parts than ASCII.

    Names that can receive no mail (RFC 6761: ``.test``, ``.invalid``, ``.local`` …) are refused. Whether the
    domain really takes mail is not asked: that would be a look-up in the network for each address.
    """
    local, at, domain = half_width(text).lower().rpartition("@")
    if not at or len(local) > _LONGEST_LOCAL_PART or len(domain) > _LONGEST_EMAIL or not _LOCAL_PART.fullmatch(local):
        return _NO_EMAIL
    cleaned = _domain(domain)
    if isinstance(cleaned, Unusable):
        return cleaned
    address = f"{local}@{cleaned}"
    return address if len(address) <= _LONGEST_EMAIL else _NO_EMAIL


def user_id(text: str) -> str:
    """A sender's own id of a person. One that is an e-mail address is spelled as one, any other keeps its spelling.

    A log-in form takes ``Ann@Example.com`` today and ``ann@example.com`` tomorrow; as two people, she would get everything twice.
    """
    address = email(text) if "@" in text else text
    return text if isinstance(address, Unusable) else address


@lru_cache(maxsize=10_000)
def _domain(text: str) -> Cleaned:
    """The domain in ASCII. Kept, because most people have their mail at one of a few domains."""
    # needed only where an address is read
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415

    if text.isascii() and "." not in text:
        return _NO_EMAIL
    try:
        # the whole of RFC 5321's length is checked by the caller, with the real local part
        checked = validate_email(f"a@{text}", check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        return _NO_EMAIL if text.isascii() else _NO_DOMAIN
    return checked.ascii_domain


def phone(text: str, *, region: str = HOME_REGION) -> Cleaned:
    """A phone number in E.164 (``+8613800138000``).

    A number with a country code has to be possible; one without is read as a number of ``region`` and has to be valid
    there, because a wrong guess would send a message to a stranger.
    """
    if len(text) > _LONGEST_PHONE:
        return _NO_PHONE
    text = half_width(text)
    if _ID_WITH_NUMBER.match(text):
        return _NO_PHONE
    if region == "CN" and (mobile := _CHINESE_MOBILE.fullmatch(text)):
        number = mobile[1].replace(" ", "").replace("-", "")
        if _is_valid_in_china(number[:5]):
            return f"+86{number}"
    return _any_phone(text, region)


@lru_cache(maxsize=10_000)
def _is_valid_in_china(prefix: str) -> bool:
    """Whether every number that starts with these five digits is a valid mobile number, by phonenumbers' metadata.

    A prefix is looked at once, so that the million rows of a file do not each cost 30 µs.
    """
    import phonenumbers  # noqa: PLC0415 - 10 % of a cold start, and most events carry no phone number

    numbers = (phonenumbers.parse(f"{prefix}{rest}", "CN") for rest in ("000000", "999999"))
    return all(phonenumbers.is_valid_number(number) for number in numbers)


def _any_phone(text: str, region: str) -> Cleaned:
    import phonenumbers  # noqa: PLC0415 - 10 % of a cold start, and most events carry no phone number

    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return _NO_PHONE
    international = text.startswith("+")
    if not (phonenumbers.is_possible_number(number) if international else phonenumbers.is_valid_number(number)):
        return _NO_PHONE
    found = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return _NO_PHONE if _TRUNCATED_MOBILE.match(found) else found


@lru_cache(maxsize=10_000)
def takes_texts(number: str) -> bool:
    """Whether an E.164 number may take text messages: not one known to be a land line or a service number.

    Where land lines and mobiles share their numbers (the United States), every number may. Source: phonenumbers' metadata.
    """
    if _MOBILE_IN_CHINA.fullmatch(number):
        return True
    import phonenumbers  # noqa: PLC0415 - see above

    kind = phonenumbers.PhoneNumberType
    try:
        found = phonenumbers.number_type(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return True  # no number in the world's plan: its kind is unknown
    return found not in {
        kind.FIXED_LINE,
        kind.TOLL_FREE,
        kind.PREMIUM_RATE,
        kind.SHARED_COST,
        kind.UAN,
        kind.VOICEMAIL,
    }


def country_of(number: str) -> str:
    """The country of an E.164 number (ISO 3166, ``CN``), or "" when the number belongs to none."""
    if number.startswith("+861"):
        return "CN"
    import phonenumbers  # noqa: PLC0415 - see above

    try:
        country = phonenumbers.region_code_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return ""
    return country if country and country.isalpha() else ""
