"""Which language of several a reader gets. Used wherever something is written in more than one.

A language is chosen by script before region, as readers do: who reads ``zh-HK`` reads ``zh-TW``, not ``zh-CN``.
Source: UTS 35, "Likely Subtags" and "Language Matching"; the data are CLDR's (``lints/cldr.py``).
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any, Final, NamedTuple

_SUBTAG: Final = re.compile(r"[A-Za-z0-9]+")
_END: Final = re.compile(r"[.@,;]")
"""Where a tag ends in ``zh_TW.UTF-8``, ``sr_RS@latin`` and ``zh-HK,zh;q=0.9``."""

_SPOKEN: Final[Mapping[str, str]] = {
    "yue": "zh", "wuu": "zh", "nan": "zh", "hak": "zh", "gan": "zh", "hsn": "zh", "nb": "no", "nn": "no",
}  # fmt: skip
"""Languages whose readers read another one's writing. Source: CLDR, "languageMatching"."""

_OLD_TAGS: Final[Mapping[str, str]] = {"zh-chs": "zh-Hans", "zh-cht": "zh-Hant"}
_AT_MODIFIERS: Final[Mapping[str, str]] = {"latin": "Latn", "cyrillic": "Cyrl"}


class Tag(NamedTuple):
    """A language tag, completed: ``zh-HK`` is written in ``Hant``, ``zh`` most likely in ``Hans`` of ``CN``."""

    language: str
    script: str
    region: str

    @property
    def writing(self) -> str:
        """The language whose writing it is."""
        return _SPOKEN.get(self.language, self.language)


def choose_locale(wanted: str | None, available: Collection[str], default: str) -> str:
    """The locale to use: the wanted one, else the nearest in its language, else the default, else the first.

    Script goes before region, then the region's relatives (``zh-MO`` takes ``zh-HK`` before ``zh-TW``), then the default. Upper
    and lower case, ``_`` and older tags (``iw``, ``zh-CHT``) make no difference.
    """
    choices = sorted(available)
    for text in (wanted, default):
        found = _nearest(_completed(text or ""), choices, default)
        if found:
            return found
    return choices[0]


def _nearest(wanted: Tag, choices: Iterable[str], default: str) -> str:
    """The nearest choice in the language; empty when there is none."""
    tags = [(choice, _completed(choice)) for choice in choices]
    of_the_language = [(choice, tag) for choice, tag in tags if wanted.language and tag.writing == wanted.writing]
    if not of_the_language:
        return ""
    return min(of_the_language, key=lambda pair: (*_distance(wanted, pair[1], pair[0]), pair[0] != default, pair[0]))[0]


def _distance(wanted: Tag, tag: Tag, choice: str) -> tuple[bool, bool, int]:
    names_region = re.search(r"-([A-Z]{2}|\d{3})$", choice) is not None
    if tag.region == wanted.region:
        region = 0
    elif names_region and _related(wanted, tag):
        region = 1
    else:
        region = 3 if names_region else 2
    return tag.script != wanted.script, tag.language != wanted.language, region


def _related(one: Tag, other: Tag) -> bool:
    """Whether the regions write alike: one inherits from the other, or both from a third."""
    return bool({*_line(one)} & {*_line(other)})


def _line(tag: Tag) -> Iterable[str]:
    """The tag and what it inherits from, without the language itself."""
    parents = _matching()["parents"]
    name = f"{tag.language}-{tag.region}"
    with_script = f"{tag.language}-{tag.script}-{tag.region}"
    while name or with_script:
        yield name or with_script
        name = parents.get(with_script) or parents.get(name) or ""
        with_script = name


@cache
def _completed(text: str) -> Tag:
    """The tag of any spelling; what it leaves out is the most likely. Without a language nothing is in it."""
    modifier = text.partition("@")[2].lower()
    subtags = _SUBTAG.findall(_END.split(text.strip(), maxsplit=1)[0])
    if subtags[:1] == ["b"]:  # Android's b+zh+Hant+HK
        del subtags[0]
    old = _OLD_TAGS.get("-".join(subtags[:2]).lower())
    subtags = [*old.split("-"), *subtags[2:]] if old else subtags
    language = subtags[0].lower() if subtags else ""
    if not re.fullmatch(r"[a-z]{2,3}", language):
        return Tag("", "", "")
    script, region = _AT_MODIFIERS.get(modifier, ""), ""
    for subtag in subtags[1:]:
        if re.fullmatch(r"[A-Za-z]{4}", subtag):
            script = script or subtag.title()
        elif re.fullmatch(r"[A-Za-z]{2}|\d{3}", subtag):
            region = region or subtag.upper()
        elif re.fullmatch(r"r[A-Z]{2}", subtag):  # Android's zh-rTW
            region = region or subtag[1:]
        elif re.fullmatch(r"[a-z]{3}", subtag.lower()) and not (script or region):
            language = subtag.lower()  # zh-yue, zh-cmn
    return _with_the_likely(*_current(language, script), region)


def _current(language: str, script: str) -> tuple[str, str]:
    """The code of today for a language, and the script that an older one meant."""
    alias, _, meant = str(_matching()["aliases"].get(language, language)).partition("-")
    return alias, script or (meant if len(meant) == 4 else "")


def _with_the_likely(language: str, script: str, region: str) -> Tag:
    likely = _matching()["likely"]
    spoken = likely.get(_SPOKEN.get(language, language), ("", ""))
    of_language = likely.get(language, spoken)
    script = script or likely.get(f"{language}-{region}", of_language)[0]
    if not region:
        region = of_language[1] if script == of_language[0] else likely.get(f"{language}-{script}", ("", ""))[1]
    return Tag(language, script, region)


@cache
def _matching() -> Mapping[str, Any]:
    return _read("matching")


def _read(name: str) -> Mapping[str, Any]:
    content: Mapping[str, Any] = json.loads(_file(name).read_text(encoding="utf-8"))
    return content


def _file(name: str) -> Any:
    return resources.files("waypost.content").joinpath("cldr", f"{name}.json")


@cache
def wording_of(locale: str) -> Mapping[str, Any]:
    """How the nearest language that CLDR describes writes dates, lists and money; English where none is near."""
    return _read(choose_locale(locale, _described(), "en"))


@cache
def _described() -> tuple[str, ...]:
    folder = resources.files("waypost.content").joinpath("cldr")
    names = (each.name.removesuffix(".json") for each in folder.iterdir())
    return tuple(sorted(name for name in names if name not in {"matching", "digits"}))


@cache
def digits_of(currency: str) -> int:
    """How many digits an amount in the currency has after its point."""
    digits: int = _read("digits").get(currency, 2)
    return digits
