"""Fills what a row does not say by declared rules, and records each. Called by the cleaner.

Declared in ``statemachines/contacts/filling.yaml``, published in the section ``filling``. Nothing is guessed: a rule takes
a value derived from another one, or a declared default.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from typing import Any, Final, Literal, Self

from waypost.codec import JsonForm
from waypost.contacts.attributes import AttributeSystem
from waypost.contacts.cleaning import Unusable, country_of, region_of
from waypost.contacts.cleaning.carriers import carrier
from waypost.contacts.cleaning.regions import province_of, region
from waypost.importing.rows import Repair
from waypost.importing.statistics import STATISTICS, Statistic
from waypost.published_sections import published_section

Derivation = Literal[
    "same", "province_of_city", "zone_of_province", "zone_of_phone", "country_of_phone", "carrier_of_phone", "locale_of_country",
    "country_of_locale", "mean", "median", "most_frequent",
]  # fmt: skip
WhenKnown = Literal["keep", "replace"]

_MAIN_ZONES: Final = {"CN": "Asia/Shanghai", "DE": "Europe/Berlin", "MY": "Asia/Kuala_Lumpur"}
"""Countries with more than one zone in the IANA table, whose people all but live by one."""

_LOCALES: Final = {
    "CN": "zh-CN", "TW": "zh-TW", "HK": "zh-HK", "MO": "zh-MO", "SG": "en-SG", "US": "en-US", "GB": "en-GB", "AU": "en-AU",
    "NZ": "en-NZ", "IE": "en-IE", "JP": "ja-JP", "KR": "ko-KR", "DE": "de-DE", "AT": "de-AT", "FR": "fr-FR", "IT": "it-IT",
    "ES": "es-ES", "MX": "es-MX", "AR": "es-AR", "CL": "es-CL", "CO": "es-CO", "PT": "pt-PT", "BR": "pt-BR", "NL": "nl-NL",
    "DK": "da-DK", "SE": "sv-SE", "NO": "nb-NO", "PL": "pl-PL", "CZ": "cs-CZ", "HU": "hu-HU", "RO": "ro-RO", "GR": "el-GR",
    "RU": "ru-RU", "TR": "tr-TR", "TH": "th-TH", "VN": "vi-VN", "ID": "id-ID", "MY": "ms-MY", "SA": "ar-SA", "AE": "ar-AE",
}  # fmt: skip
"""The likely language of a country. Source: Unicode CLDR, likelySubtags (``und_XX``); countries of several are left out."""


@dataclass(frozen=True, slots=True)
class FillRule(JsonForm):
    """Gives ``attribute`` a value when the row has none.

    The value is ``value``; or ``by`` a statistic of the file, which stands in ``value`` once the file was looked at; or what ``table`` has for the attribute ``source``; or what ``by`` derives from it. ``only_if``
    maps attributes to the values (any of them) they must have. ``when_known``: whether a value that the
    contact already has is kept or replaced (for what belongs to the row's other values, like the province of a
    new city).
    """

    attribute: str
    source: str = ""
    by: Derivation = "same"
    value: Any = None
    table: Mapping[str, Any] = field(default_factory=dict)
    only_if: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    when_known: WhenKnown = "keep"

    @property
    def statistic(self) -> Statistic | None:
        """The statistic of the file that the value is, if it is one: then the value is marked as imputed."""
        return self.by if self.by in ("mean", "median", "most_frequent") else None

    @property
    def rule(self) -> str:
        """What the report calls it."""
        if self.statistic:
            return f"filled with the {self.by} of the file"
        if not self.source:
            return "filled with the default"
        return f"filled from {self.source}"

    def proposal(self, profile: Mapping[str, Any]) -> Any:
        """The value for a contact with this profile, None when the rule has none."""
        if not all(profile.get(name) in values for name, values in self.only_if.items()):
            return None
        if not self.source:
            return self.value
        given = profile.get(self.source)
        if given is None or isinstance(given, (dict, list)):
            return None
        return self.table.get(str(given)) if self.table else _DERIVATIONS[self.by](given)


@dataclass(frozen=True, slots=True)
class Filling(JsonForm):
    """The fill rules, in order; a later one may use what an earlier one filled."""

    rules: tuple[FillRule, ...] = ()

    @property
    def statistics(self) -> dict[str, Statistic]:
        """The statistics of the file that the rules ask for, by attribute."""
        return {rule.attribute: rule.statistic for rule in self.rules if rule.statistic}

    def with_statistics(self, usual: Mapping[str, Any], attributes: AttributeSystem) -> Self:
        """The rules with the statistics of a file, each as its attribute is stored; without those that do not fit it."""
        rules = []
        for rule in self.rules:
            if rule.statistic is None:
                rules.append(rule)
            elif (value := usual.get(rule.attribute)) is not None:
                declared = attributes.attributes.get(rule.attribute)
                whole = round(value) if declared and declared.whole and isinstance(value, float) else value
                fitting = declared.clean(whole) if declared else whole
                if not isinstance(fitting, Unusable):
                    rules.append(replace(rule, value=fitting))
        return replace(self, rules=tuple(rules))

    def imputed(self, filled: Mapping[str, Any]) -> list[str]:
        """The filled attributes whose value is a statistic of the file."""
        statistics = self.statistics if filled else {}
        return [name for name in filled if name in statistics]

    def fill(self, profile: dict[str, Any], repairs: list[Repair]) -> dict[str, Any]:
        """Fill ``profile`` and record it in ``repairs``; what comes back is only for contacts that have none of it."""
        filled: dict[str, Any] = {}
        if not self.rules:
            return filled
        known = dict(profile)
        for rule in self.rules:
            if rule.attribute in known:  # also when it is cleared
                continue
            value = rule.proposal(known)
            if value is None:
                continue
            known[rule.attribute] = value
            (filled if rule.when_known == "keep" else profile)[rule.attribute] = value
            repairs.append(Repair(rule.attribute, rule.rule, "", str(value)))
        return filled


def load_filling() -> Filling:
    """The published rules; none when the project declares none."""
    return _loaded()


@cache
def _loaded() -> Filling:
    return Filling.from_dict(published_section("filling"))


def _province_of_city(city: Any) -> str | None:
    found = region(str(city), "city")
    return None if isinstance(found, Unusable) else province_of(found).name


def _zone_of_province(province: Any) -> str | None:
    found = region(str(province), "province")
    return None if isinstance(found, Unusable) else found.time_zone


def _zone_of_phone(number: Any) -> str | None:
    country = country_of(str(number))
    return _MAIN_ZONES.get(country) or _only_zones().get(country)


def _country_of_locale(locale: Any) -> str | None:
    *_, last = str(locale).split("-")
    return region_of(str(locale)) if len(last) == 2 and last.isupper() else None


_DERIVATIONS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "same": lambda value: value,
    "province_of_city": _province_of_city,
    "zone_of_province": _zone_of_province,
    "zone_of_phone": _zone_of_phone,
    "country_of_phone": lambda number: country_of(str(number)) or None,
    "carrier_of_phone": lambda number: carrier(str(number)),
    "locale_of_country": lambda country: _LOCALES.get(str(country).upper()),
    "country_of_locale": _country_of_locale,
    **dict.fromkeys(STATISTICS, lambda _: None),
}


@cache
def _only_zones() -> dict[str, str]:
    """The zone of each country that has one only. Source: the IANA database's zone.tab, in the package tzdata."""
    zones: dict[str, str] = {}
    several: set[str] = set()
    for line in resources.files("tzdata.zoneinfo").joinpath("zone.tab").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        country, _, zone, *_ = line.split("\t")
        if country in zones:
            several.add(country)
        zones[country] = zone
    return {country: zone for country, zone in zones.items() if country not in several}
