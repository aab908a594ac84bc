"""Names of Chinese provinces and cities, however they are written, as the names of GB/T 2260. Called by declared attributes.

The table is ``regions.tsv`` beside this module, with its source.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Final

from waypost.contacts.cleaning.orders import Division
from waypost.contacts.cleaning.outcome import Unusable
from waypost.contacts.cleaning.text import half_width

_LONGEST: Final = 100
_NOT_IN_A_NAME: Final = re.compile(r"[\s'’`·.,，、/\\|_\-—>]+")
_SUFFIXES: Final = {
    "province": ("sheng", "province", "shi", "city", "municipality", "autonomousregion"),
    "city": ("shi", "city"),
}
_DISTRICT: Final = re.compile(r"[\u4e00-\u9fff]{1,12}")
_FAR: Final = {"81": "Asia/Hong_Kong", "82": "Asia/Macau", "71": "Asia/Taipei"}
_UNKNOWN: Final = {
    "province": Unusable("should be a province of China, for example 浙江省"),
    "city": Unusable("should be a city of China, for example 杭州市"),
}


@dataclass(frozen=True, slots=True)
class Region:
    """A province, or a city or what stands at its level; ``code`` has six digits (GB/T 2260)."""

    code: str
    name: str
    short: str
    level: Division

    @property
    def province_code(self) -> str:
        """The code of the province this is in, or is."""
        return f"{self.code[:2]}0000"

    @property
    def time_zone(self) -> str:
        """The IANA zone in official use there."""
        return _FAR.get(self.code[:2], "Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class _Level:
    """The regions of one level: by code, and by every spelling that means only one; ``shared`` mean several."""

    by_code: dict[str, Region]
    by_spelling: dict[str, Region]
    shared: dict[str, tuple[Region, ...]]


@lru_cache(maxsize=10_000)
def region(text: str, level: Division, *, within: str = "") -> Region | Unusable:
    """The province or the city that ``text`` names; ``within`` (a province's code) decides between cities of one spelling.

    A city may stand behind its province and before its district: ``浙江省杭州市``, ``浙江/杭州/西湖区``.
    """
    if len(text) > _LONGEST:
        return _UNKNOWN[level]
    spelled = _key(text)
    known = _levels()[level]
    if found := known.by_spelling.get(spelled):
        return found
    if several := known.shared.get(spelled):
        inside = [each for each in several if each.province_code == within]
        if inside:
            return inside[0]
        names = "、".join(each.name for each in several)
        return Unusable(f"is the spelling of more than one {level} ({names}); write it in Chinese")
    return _joined(spelled, level) or _UNKNOWN[level]


def province_of(city: Region) -> Region:
    """The province a city is in."""
    return _levels()["province"].by_code[city.province_code]


def _joined(spelled: str, level: Division) -> Region | None:
    """What is written as province, city and district in one."""
    for province, rest in _beginnings(spelled, "province"):
        cities = [
            (city, left) for city, left in _beginnings(rest, "city") if city.province_code == province.code
        ]  # fmt: skip
        for city, left in cities:
            if not left or _DISTRICT.fullmatch(left):
                return province if level == "province" else city
        if level == "province" and spelled.startswith(province.name) and _DISTRICT.fullmatch(rest):
            return province
    if level == "city":
        for city, left in _beginnings(spelled, "city"):
            if left and spelled.startswith(city.name) and _DISTRICT.fullmatch(left):
                return city
    return None


def _beginnings(spelled: str, level: Division) -> Iterator[tuple[Region, str]]:
    """Every region with whose name or short name the text begins, longest first, and what follows."""
    known = _levels()[level].by_spelling
    for length in range(min(len(spelled), 12), 1, -1):
        beginning = spelled[:length]
        if (found := known.get(beginning)) and not beginning.isascii():
            yield found, spelled[length:]


def _key(text: str) -> str:
    return _NOT_IN_A_NAME.sub("", half_width(text).casefold())


@cache
def _levels() -> dict[str, _Level]:
    """The table, read at first use: only those who clean regions pay for it."""
    levels: dict[str, _Level] = {"province": _Level({}, {}, {}), "city": _Level({}, {}, {})}
    level: Division = "province"
    for line in resources.files(__package__).joinpath("regions.tsv").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            level = "city" if line == "# cities" else level
            continue
        code, name, short, others = line.split("\t")
        _add(levels[level], Region(code, name, short, level), [name, short, *filter(None, others.split("|"))])
    return levels


def _add(known: _Level, region: Region, spellings: list[str]) -> None:
    known.by_code[region.code] = region
    if region.level == "province":
        spellings += [
            region.code,
            region.code[:2],
            f"CN-{region.code[:2]}",
            f"CN-{spellings[2]}",
            f"{region.short}省",
            f"{region.short}市",
        ]
    else:
        spellings += [region.code, region.code[:4], f"{region.short}市", f"{region.short}州", f"{region.short}地区"]
    spellings += [
        f"{spelling}{suffix}"
        for spelling in spellings
        if spelling.isascii() and len(spelling) > 3
        for suffix in _SUFFIXES[region.level]
    ]
    for spelling in dict.fromkeys(map(_key, spellings)):
        other = known.by_spelling.get(spelling)
        if other is None and spelling not in known.shared:
            known.by_spelling[spelling] = region
        elif other != region:
            known.shared[spelling] = (*known.shared.get(spelling, (other,) if other else ()), region)
            known.by_spelling.pop(spelling, None)
