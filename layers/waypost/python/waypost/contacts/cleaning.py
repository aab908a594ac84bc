"""One spelling for every address, locale and time zone, or the reason why there is none. Called by the receivers."""

import re
from dataclasses import dataclass
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

HOME_REGION: Final = "CN"
"""The country of a phone number written without one, when the contact's locale names no country."""

_EMAIL: Final = re.compile(
    r"(?P<local>[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*)"
    r"@(?P<domain>(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9])"
)
_LONGEST_EMAIL: Final = 254  # RFC 5321 through RFC 3696 erratum 1690
_LONGEST_LOCAL_PART: Final = 64
_LONGEST_PHONE: Final = 40
_LOCALE: Final = re.compile(
    r"(?P<language>[a-z]{2,3})(?:[-_](?P<script>[a-z]{4}))?(?:[-_](?P<region>[a-z]{2}|\d{3}))?(?:[-_.@].*)?",
    re.IGNORECASE,
)
_ZONE: Final = re.compile(r"[A-Za-z0-9_+\-/]{1,64}")
_CHINESE_SCRIPT: Final = {"CN": "Hans", "SG": "Hans", "TW": "Hant", "HK": "Hant", "MO": "Hant"}


@dataclass(frozen=True, slots=True)
class Unusable:
    """Why a value cannot be used; never quotes the value, so that it may be logged."""

    reason: str


Cleaned: TypeAlias = str | Unusable


def email(text: str) -> Cleaned:
    """An e-mail address in lower case, its domain in ASCII (IDNA). SES takes no other local parts than ASCII."""
    local, _, domain = text.strip().lower().rpartition("@")
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii")
        except UnicodeError:
            return Unusable("should be an e-mail address whose domain exists")
    address = f"{local}@{domain}"
    if len(address) > _LONGEST_EMAIL or len(local) > _LONGEST_LOCAL_PART or not _EMAIL.fullmatch(address):
        return Unusable("should be an e-mail address, for example name@example.com")
    return address


def phone(text: str, *, region: str = HOME_REGION) -> Cleaned:
    """A phone number in E.164 (``+8613800138000``).

    A number with a country code has to be possible; one without is read as a number of ``region`` and has to be valid
    there, because a wrong guess would send a message to a stranger.
    """
    import phonenumbers  # noqa: PLC0415 - 10 % of a cold start, and most events carry no phone number

    if len(text) > _LONGEST_PHONE:
        return Unusable("should be a phone number")
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return Unusable("should be a phone number with its country code, for example +8613800138000")
    international = text.strip().startswith(("+", "\uff0b"))
    if not (phonenumbers.is_possible_number(number) if international else phonenumbers.is_valid_number(number)):
        return Unusable("should be a phone number with its country code, for example +8613800138000")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def locale(text: str) -> Cleaned:
    """A BCP 47 tag of language, script and region: ``zh_CN.UTF-8`` and ``zh-Hans-CN`` become ``zh-CN``."""
    found = _LOCALE.fullmatch(text.strip())
    if not found:
        return Unusable("should be a locale, for example zh-CN")
    language, script, region = (
        found["language"].lower(),
        (found["script"] or "").title(),
        (found["region"] or "").upper(),
    )
    if language == "zh" and _CHINESE_SCRIPT.get(region) == script:
        script = ""
    return "-".join(part for part in (language, script, region) if part)


def region_of(cleaned_locale: str) -> str:
    """The country a cleaned locale names, or the home region."""
    *_, last = cleaned_locale.split("-")
    return last if len(last) == 2 and last.isupper() else HOME_REGION


def time_zone(text: str) -> Cleaned:
    """An IANA time zone (``Asia/Shanghai``) this system knows."""
    name = text.strip()
    try:
        usable = bool(_ZONE.fullmatch(name)) and bool(ZoneInfo(name).key)
    except (KeyError, ValueError, OSError):  # unknown name, path outside the database, name of a folder
        usable = False
    return name if usable else Unusable("should be an IANA time zone, for example Asia/Shanghai")
