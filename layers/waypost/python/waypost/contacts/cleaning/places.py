"""Locales and time zones in their one spelling. Called by the receivers and by imports."""

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final
from zoneinfo import ZoneInfo

from waypost.contacts.cleaning.addresses import HOME_REGION
from waypost.contacts.cleaning.outcome import Cleaned, Unusable
from waypost.contacts.cleaning.text import half_width

_LOCALE: Final = re.compile(
    r"(?P<language>[a-z]{2,3})(?:[-_](?P<script>[a-z]{4}))?(?:[-_](?P<region>[a-z]{2}|\d{3}))?(?:[-_.@].*)?",
    re.IGNORECASE,
)
_ZONE: Final = re.compile(r"[A-Za-z0-9_+\-/]{1,64}")
_USUAL_ZONE: Final = re.compile(r"[A-Z][a-z]+(?:/[A-Z][a-z]+(?:_[A-Z][a-z]+)*)+")
"""A name that is spelled as IANA spells names, so that no file system finds another file by it."""

_OFFSET: Final = re.compile(
    r"(?:UTC|GMT)? ?(?P<sign>[+\-\N{MINUS SIGN}])(?P<hours>\d{1,2})(?::?(?P<minutes>\d{2}))?", re.IGNORECASE
)
_FIXED_ZONES: Final = {
    "-09:30": "Pacific/Marquesas", "+03:30": "Asia/Tehran", "+04:30": "Asia/Kabul", "+05:30": "Asia/Kolkata",
    "+05:45": "Asia/Kathmandu", "+06:30": "Asia/Yangon", "+08:45": "Australia/Eucla", "+09:30": "Australia/Darwin",
}  # fmt: skip
"""Zones that are always so far from UTC, by no whole hours."""

_CHINESE_ZONES: Final = {
    "北京时间": "Asia/Shanghai", "北京時間": "Asia/Shanghai", "中国标准时间": "Asia/Shanghai", "中國標準時間": "Asia/Shanghai",
    "香港时间": "Asia/Hong_Kong", "香港時間": "Asia/Hong_Kong", "澳门时间": "Asia/Macau", "澳門時間": "Asia/Macau",
    "台北时间": "Asia/Taipei", "台北時間": "Asia/Taipei", "臺北時間": "Asia/Taipei",
}  # fmt: skip
"""What forms and members' lists in Chinese call the zones in which Chinese is written."""

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


@lru_cache(maxsize=1000)
def time_zone(text: str) -> Cleaned:
    """An IANA time zone (``Asia/Shanghai``) this system knows, of its name in any case, a distance from UTC, Windows' name or 北京时间.

    ``UTC+8``, ``GMT+08:00`` and ``+0800`` are a zone without summer time that is so far from UTC all year (``Etc/GMT-8``).
    """
    name = half_width(text)
    if _USUAL_ZONE.fullmatch(name) and _is_zone(name):
        return name  # without the table of all names: most programs send this one
    folded = name.casefold().replace(" ", "_")
    return (
        _iana_zones().get(folded)
        or _zone_at(name)
        or _windows_zones().get(folded)
        or _CHINESE_ZONES.get(name)
        or (name if _is_zone(name) else Unusable("should be a time zone, for example Asia/Shanghai or UTC+8"))
    )


def _zone_at(text: str) -> str:
    """The zone at a fixed distance from UTC, "" for a text that names none, or a distance without such a zone."""
    found = _OFFSET.fullmatch(text)
    if found is None:
        return ""
    hours, minutes, sign = int(found["hours"]), int(found["minutes"] or 0), found["sign"].replace("\N{MINUS SIGN}", "-")
    if minutes:
        return _FIXED_ZONES.get(f"{sign}{hours:02}:{minutes:02}", "")
    if not hours:
        return "Etc/UTC"
    reverse = "-" if sign == "+" else "+"  # POSIX counts to the west
    return _iana_zones().get(f"etc/gmt{reverse}{hours}", "")


@cache
def _iana_zones() -> Mapping[str, str]:
    """The names of zones by the same in small letters. A file system may find a name in another case; the name is then wrong."""
    names = files("tzdata").joinpath("zones").read_text("utf-8").split()
    return {name.casefold(): name for name in names}


@cache
def _windows_zones() -> Mapping[str, str]:
    """IANA's zones by Windows' names in small letters; see the head of the table for its source."""
    lines = files(__package__).joinpath("windows_zones.tsv").read_text("utf-8").splitlines()
    pairs = (line.split("\t") for line in lines if line and not line.startswith("#"))
    return {windows.casefold().replace(" ", "_"): iana for windows, iana in pairs}


def _is_zone(name: str) -> bool:
    try:
        return bool(_ZONE.fullmatch(name)) and bool(ZoneInfo(name).key)
    except (KeyError, ValueError, OSError):  # unknown name, path outside the database, name of a folder
        return False
