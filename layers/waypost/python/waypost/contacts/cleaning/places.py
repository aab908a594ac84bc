"""Locales and time zones in their one spelling. Called by the receivers and by imports."""

import re
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from waypost.contacts.cleaning.addresses import HOME_REGION
from waypost.contacts.cleaning.outcome import Cleaned, Unusable

_LOCALE: Final = re.compile(
    r"(?P<language>[a-z]{2,3})(?:[-_](?P<script>[a-z]{4}))?(?:[-_](?P<region>[a-z]{2}|\d{3}))?(?:[-_.@].*)?",
    re.IGNORECASE,
)
_ZONE: Final = re.compile(r"[A-Za-z0-9_+\-/]{1,64}")
_CHINESE_SCRIPT: Final = {"CN": "Hans", "SG": "Hans", "TW": "Hant", "HK": "Hant", "MO": "Hant"}


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
    return name if _is_zone(name) else Unusable("should be an IANA time zone, for example Asia/Shanghai")


@lru_cache(maxsize=1000)
def _is_zone(name: str) -> bool:
    try:
        return bool(_ZONE.fullmatch(name)) and bool(ZoneInfo(name).key)
    except (KeyError, ValueError, OSError):  # unknown name, path outside the database, name of a folder
        return False
