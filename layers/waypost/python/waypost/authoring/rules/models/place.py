"""locale, region: the language a contact reads, the province or city it lives in."""

import re
from typing import Annotated, ClassVar, Final

from pydantic import AfterValidator

from waypost.authoring.problems import Authored, is_expression
from waypost.authoring.rules.documentation import Says
from waypost.authoring.rules.registry import model
from waypost.authoring.rules.values import (
    Names,
)
from waypost.contacts.cleaning.regions import Region, region

_LANGUAGE: Final = re.compile("[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8})*")
"""The form of a language tag (RFC 5646): a language of two or three letters, then script, region and the like."""


_CHINESE: Final = re.compile("[\u4e00-\u9fff]+")


def _language_tags(names: object) -> object:
    for name in names if isinstance(names, list) else [names]:
        if not is_expression(name) and not _LANGUAGE.fullmatch(str(name)):
            raise ValueError(f"expected a language tag such as zh, zh-CN or en, got {name!r}")
    return names


@model("locale")
class LocaleRule(Authored):
    """The contact reads this language, in any region and script unless one is named."""

    SAYS: ClassVar[tuple[Says, ...]] = (
        Says(
            "place",
            "locale",
            "reads this language: `zh` is also `zh-CN` and `zh-Hans`",
            "{ locale: zh }",
            "A list means any of them. `zh-CN` is not `zh-TW`; `zh_CN` is the same as `zh-CN`.",
        ),
    )

    locale: Annotated[Names, AfterValidator(_language_tags)]


def _known_regions(names: object) -> object:
    for name in names if isinstance(names, list) else [names]:
        found = (
            [region(name, "province"), region(name, "city")]
            if isinstance(name, str) and _CHINESE.fullmatch(name)
            else []
        )
        if found and not any(isinstance(each, Region) for each in found):
            raise ValueError(f"{name!r} is no province or city of China; write for example 浙江, 杭州 or Hangzhou")
    return names


@model("region")
class RegionRule(Authored):
    """The contact lives in this province or city of China, or in any of a list."""

    SAYS: ClassVar[tuple[Says, ...]] = (
        Says(
            "place",
            "region",
            "lives in this province or city: by the attributes `city` and `province`",
            "{ region: 上海 }",
            "However either is spelled (上海, 上海市, Shanghai). A city is in its province too: 杭州 is in 浙江. Names from elsewhere compare as text.",
        ),
        Says("place", "region: [a, b]", "lives in any of these", "{ region: [江苏, 浙江, 上海] }"),
    )

    region: Annotated[Names, AfterValidator(_known_regions)]
