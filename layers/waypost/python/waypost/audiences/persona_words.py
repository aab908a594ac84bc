"""What the dimensions of a persona and their values are called. Used by the card's page; translations are in the catalogues."""

from collections.abc import Mapping
from typing import Final

from waypost.audiences.persona import NEVER, UNKNOWN
from waypost.audiences.persona_card import OTHERS, Names, clean
from waypost.contacts.channels import Channel, declared_channels
from waypost.contacts.tag_system import load_tag_system
from waypost.pages.texts import Texts, gettext_noop
from waypost.published_sections import published_section

TITLES: Final[Mapping[str, str]] = {
    "age": gettext_noop("Age"),
    "gender": gettext_noop("Gender"),
    "city": gettext_noop("City"),
    "level": gettext_noop("Member level"),
    "lifecycle": gettext_noop("Lifecycle"),
    "channel": gettext_noop("Reachable on"),
    "activity": gettext_noop("Last active"),
    "tenure": gettext_noop("Known for"),
    "tag": gettext_noop("Top tags"),
    "rfm_segment": gettext_noop("RFM group"),
    "rfm_r": gettext_noop("R recency"),
    "rfm_f": gettext_noop("F frequency"),
    "rfm_m": gettext_noop("M monetary"),
}

_DAYS: Final = {
    "7d": gettext_noop("≤ 7 days"),
    "30d": gettext_noop("8–30 days"),
    "90d": gettext_noop("31–90 days"),
    "180d": gettext_noop("91–180 days"),
    "365d": gettext_noop("181–365 days"),
    "more": gettext_noop("over a year"),
    NEVER: gettext_noop("never active"),
}
VALUES: Final[Mapping[str, Mapping[str, str]]] = {
    "age": {
        "<18": gettext_noop("under 18"),
        "18-24": "18–24",
        "25-34": "25–34",
        "35-44": "35–44",
        "45-54": "45–54",
        "55-64": "55–64",
        "65+": gettext_noop("65 and over"),
    },
    "gender": {
        "female": gettext_noop("female"),
        "male": gettext_noop("male"),
        "unknown": gettext_noop("not stated"),
    },
    "lifecycle": {
        "lead": gettext_noop("lead"),
        "new": gettext_noop("new customer"),
        "active": gettext_noop("active"),
        "mature": gettext_noop("mature"),
        "dormant": gettext_noop("dormant"),
        "churned": gettext_noop("churned"),
    },
    "channel": {
        "wechat": gettext_noop("WeChat"),
        "wecom": gettext_noop("WeCom"),
        UNKNOWN: gettext_noop("no channel"),
    },
    "activity": _DAYS,
    "tenure": _DAYS,
}
"""What the product's own values are called; a company's own (cities, tags, levels) stand as they are."""


def declared_names() -> Names:
    """What tags.yaml and metrics.yaml call tags, stages of life and RFM groups."""
    metrics = published_section("metrics")
    stages = {str(each["stage"]): each["names"] for each in (metrics.get("lifecycle") or {}).get("stages", ())}
    groups = (metrics.get("rfm") or {}).get("segments", ())
    return {
        "tag": {name: tag.names for name, tag in load_tag_system().tags.items()},
        "lifecycle": stages,
        "rfm_segment": {str(each["name"]): each["names"] for each in groups},
    }


def label(dimension: str, value: str, words: Texts, names: Names) -> str:
    """What a value is called on the card: as it is declared, or in the product's own words."""
    if declared := names.get(dimension, {}).get(value, {}).get(words.language):
        return clean(declared)
    if value == OTHERS:
        return words.gettext("others")
    if dimension == "channel" and (channel := declared_channels().get(Channel(value))):
        return channel.names[words.language]
    own = VALUES.get(dimension, {}).get(value)
    return value if own is None else words.gettext(own)
