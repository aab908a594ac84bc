"""A text message as authored: ``sms.<locale>.txt``."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Final

from waypost.channels.authored_contract import AuthoredChannel, Source, UnusableFile
from waypost.channels.sms.channel import CHANNEL, RenderedSms
from waypost.channels.sms.length import sms_length, typographic
from waypost.content.templates import TEXT

_TAG: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)


class AuthoredSms(AuthoredChannel):
    """A text message is one template; marketing says how to unsubscribe."""

    kind = "txt"

    def compile(self, source: Source) -> dict[str, str]:
        """See AuthoredChannel."""
        text = source.text.strip()
        source.templates.check(source.path, "", text, TEXT)
        shown = source.templates.shown(text, TEXT)
        if reason := CHANNEL.over_limit(RenderedSms(shown)):
            raise UnusableFile(source.path, "", reason)
        if source.is_marketing and (reason := _way_out_problem(source.locale.split("-", maxsplit=1)[0], shown)):
            raise UnusableFile(source.path, "", reason)
        return {"text": text}

    def hints(self, templates: Mapping[str, str]) -> Iterator[str]:
        """Characters of a word processor that make the text longer than it looks."""
        text = templates["text"]
        if not (found := typographic(text)):
            return
        fixed = _TAG.sub("", text)
        plain, now = (
            sms_length(fixed.translate({ord(letter): instead for letter, instead in found.items()})),
            sms_length(fixed),
        )
        characters = ", ".join(_named(letter, instead) for letter, instead in found.items())
        parts = f", {now.parts} parts instead of {plain.parts}" if now.parts > plain.parts else ""
        yield f"has {characters}: a part holds 70 characters with it, 160 without{parts}"


def _named(letter: str, instead: str) -> str:
    name = unicodedata.name(letter, "control character").lower()
    return (
        f"{letter} ({name}; write {instead!r})"
        if instead.strip()
        else f"{name} U+{ord(letter):04X} (write {instead!r})"
    )


def _way_out_problem(language: str, shown: str) -> str:
    """Why a marketing text does not say how to unsubscribe; "" when it does, or in a language we have no words of."""
    must = "a marketing SMS must say how to unsubscribe, such as"
    if language == "zh" and not ("回" in shown and any(word in shown for word in ("退订", "退訂", "拒收"))):
        return f"{must} 拒收请回复R, 回T退订 or 回覆T退訂"
    if language == "en" and "STOP" not in shown:
        return f"{must} 'Reply STOP to opt out'"
    return ""


AUTHORED: Final = AuthoredSms()
