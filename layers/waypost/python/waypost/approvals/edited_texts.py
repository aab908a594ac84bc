"""A message with some of its words changed by name, for who has no files at hand. Used by publish_message."""

import html
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from waypost.errors import InvalidInput

MOST_CHANGES: Final = 20
LONGEST: Final = 4_000
"""Characters of new words."""

_HTML: Final = "html"
_PARTS: Final = ("html", "text")
"""The parts of a mail, which show the same words: they are changed together, by ``replace``."""
_TAG: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextChanges:
    """What to change in one language: ``fields`` by name (``subject``, ``title``, ``link`` …), ``replace`` words by other words.

    ``channel`` is the one to change, "" for all that have the field or the words.
    """

    locale: str
    channel: str = ""
    fields: Mapping[str, str]
    replace: Mapping[str, str]

    @classmethod
    def read(cls, request: Mapping[str, Any]) -> "TextChanges | None":
        """From a request; None where it asks for none. Raises InvalidInput."""
        fields, replace = (_texts(request.get(name), name) for name in ("fields", "replace"))
        if not fields and not replace:
            return None
        if request.get("file") is not None:
            raise InvalidInput("file", "is given, and fields or replace too; a version is a file or changed words")
        locale, channel = request.get("locale"), request.get("channel") or ""
        if not isinstance(locale, str) or not isinstance(channel, str):
            raise InvalidInput("locale", "is missing: in which language the words are, such as zh-CN")
        return cls(locale=locale, channel=channel, fields=fields, replace=replace)

    def made_in(self, published: Mapping[str, Any]) -> dict[str, Any]:
        """The published form of the message with the changes made. Raises InvalidInput for one that nothing has."""
        used: set[str] = set()
        variants: dict[str, Any] = {}
        for channel, locales in published["variants"].items():
            variants[channel] = dict(locales)
            if channel == (self.channel or channel) and self.locale in locales:
                variants[channel][self.locale] = self._changed(channel, locales[self.locale], used)
        if not any(self.locale in each for name, each in variants.items() if name == (self.channel or name)):
            known = sorted({locale for each in published["variants"].values() for locale in each})
            on = f"on {self.channel} " if self.channel else ""
            raise InvalidInput("locale", f"the message has no {self.locale!r} {on}; it has {', '.join(known)}")
        for name in (*self.fields, *self.replace):
            if name not in used:
                raise InvalidInput(*self._unused(name, variants))
        return {**published, "variants": variants}

    def _changed(self, channel: str, templates: Mapping[str, str], used: set[str]) -> dict[str, str]:
        changed = dict(templates)
        for name in _named(templates) & self.fields.keys():
            changed[name] = _with_known_tags(self.fields[name], templates[name], f"fields.{name}")
            used.add(name)
        for old, new in self.replace.items():
            found = {name for name, text in changed.items() if _pattern(old, is_html=name == _HTML).search(text)}
            if _HTML in found and "text" in changed and "text" not in found:
                raise InvalidInput(
                    f"replace.{old}", f"stands in the {channel}, and not in its text part; hand in the file"
                )
            for name in found:
                changed[name] = _replaced(changed[name], old, new, is_html=name == _HTML)
                used.add(old)
        return changed

    def _unused(self, name: str, variants: Mapping[str, Any]) -> tuple[str, str]:
        if name in self.replace:
            return (
                f"replace.{name}",
                f"no text in {self.locale} has these words; copy them from the message as it goes out",
            )
        known = {
            field
            for channel, locales in variants.items()
            if channel == (self.channel or channel)
            for field in _named(locales.get(self.locale, {}))
        }
        hint = "; words inside a mail are changed by replace" if name in _PARTS else ""
        return f"fields.{name}", f"is no field of it; there are {', '.join(sorted(known))}{hint}"


def _named(templates: Mapping[str, str]) -> Collection[str]:
    """The fields that are changed as a whole."""
    return templates.keys() - _PARTS if _HTML in templates else templates.keys()


def _pattern(words: str, *, is_html: bool) -> re.Pattern[str]:
    """The words as they stand in a template, however its lines are broken."""
    shown = html.escape(words, quote=False) if is_html else words
    return re.compile(r"\s+".join(map(re.escape, shown.split())))


def _replaced(text: str, old: str, new: str, *, is_html: bool) -> str:
    """The text with the words replaced, which stand in it once; a link may stand there several times."""
    pattern, field = _pattern(old, is_html=is_html), f"replace.{old}"
    places = [found.group() for found in pattern.finditer(text)]
    if len(places) > 1 and not old.startswith(("https://", "http://")):
        raise InvalidInput(field, f"these words stand there {len(places)} times; give more of the words around them")
    words = _with_known_tags(new, " ".join(places), field)
    return pattern.sub(lambda _: html.escape(words, quote=False) if is_html else words, text)


def _with_known_tags(new: str, old: str, field: str) -> str:
    """The new words, whose variables stand in the old ones as they are: another needs the checks that a file passes."""
    known = _TAG.findall(old)
    for tag in _TAG.findall(new):
        if tag not in known:
            raise InvalidInput(field, f"{tag} is not in the words before; a variable more takes the file")
    return new


def _texts(given: Any, name: str) -> dict[str, str]:
    if given is None:
        return {}
    if not isinstance(given, Mapping) or len(given) > MOST_CHANGES:
        raise InvalidInput(name, f"should be at most {MOST_CHANGES} texts by name")
    for key, text in given.items():
        if not str(key).strip() or not isinstance(text, str) or not text.strip() or len(text) > LONGEST:
            raise InvalidInput(f"{name}.{key}", f"should be text of at most {LONGEST:,} characters")
    return dict(given)
