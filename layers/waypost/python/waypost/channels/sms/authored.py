"""A text message as authored: ``sms.<locale>.txt``, and ``mainland_sms`` in ``message.yaml`` for mainland China."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

from pydantic import Field

from waypost.channels.authored_contract import AuthoredChannel, Source, UnusableFile
from waypost.channels.reply_words import way_out_problem
from waypost.channels.sms.authored_mainland import WAY_OUT, MainlandSms, problem_of_value, problems, warnings
from waypost.channels.sms.authored_rcs import FIELD as RCS_FIELD
from waypost.channels.sms.authored_rcs import rcs_templates
from waypost.channels.sms.channel import (
    CHANNEL,
    MAINLAND_SIGNATURE,
    MAINLAND_TEMPLATE,
    MAINLAND_TEXT,
    MAINLAND_VALUE,
    RenderedSms,
)
from waypost.channels.sms.length import sms_length, typographic
from waypost.content.templates import TEXT

_TAG: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)


class AuthoredSms(AuthoredChannel):
    """A text message is one template; marketing says how to unsubscribe.

    Numbers of mainland China get what ``mainland_sms`` names, whatever their locale, where the provider of mainland China is deployed.
    """

    kind = "txt"
    fields: ClassVar[Mapping[str, tuple[Any, Any]]] = {
        "mainland_sms": (MainlandSms | None, Field(default=None)),
        "rcs": RCS_FIELD,
    }

    def compile(self, source: Source) -> dict[str, str]:
        """See AuthoredChannel."""
        text = source.text.strip()
        source.templates.check(source.path, "", text, TEXT)
        shown = source.templates.shown(text, TEXT)
        if reason := CHANNEL.over_limit(RenderedSms(shown)):
            raise UnusableFile(source.path, "", reason)
        language = source.locale.split("-", maxsplit=1)[0]
        if source.is_marketing and (reason := way_out_problem(language, shown, message="a marketing SMS")):
            raise UnusableFile(source.path, "", reason)
        return {"text": text, **_mainland(source), **rcs_templates(source, text)}

    def hints(self, templates: Mapping[str, str]) -> Iterator[str]:
        """Characters of a word processor that make the text longer than it looks; what a review will probably refuse."""
        yield from self.warnings({"": templates})
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

    def lacks(self, provider: str, variants: Mapping[str, Mapping[str, str]]) -> str:
        """See AuthoredChannel: mainland China takes approved templates alone."""
        if provider != "aliyun" or any(MAINLAND_TEMPLATE in templates for templates in variants.values()):
            return ""
        return "has no mainland_sms (message.yaml), the approved template without which numbers of mainland China get nothing"

    def warnings(self, variants: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
        """See AuthoredChannel: what the review of a template will probably refuse."""
        texts = {templates[MAINLAND_TEXT] for templates in variants.values() if MAINLAND_TEXT in templates}
        for text in sorted(texts):
            yield from warnings(text, is_promotional=text.endswith(WAY_OUT))


def _mainland(source: Source) -> dict[str, str]:
    """The templates of the approved text, checked. Raises UnusableFile."""
    sms: MainlandSms | None = source.fields["mainland_sms"]
    if sms is None:
        return {}
    for field, reason in problems(sms, is_marketing=source.is_marketing):
        raise UnusableFile(source.manifest, f"mainland_sms.{field}", reason)
    for name, template in sms.variables.items():
        field = f"mainland_sms.variables.{name}"
        source.templates.check(source.manifest, field, template, TEXT)
        if reason := problem_of_value(name, template, source.templates.shown(template, TEXT)):
            raise UnusableFile(source.manifest, field, reason)
    return {
        MAINLAND_SIGNATURE: sms.signature,
        MAINLAND_TEMPLATE: sms.template,
        MAINLAND_TEXT: sms.text,
        **{f"{MAINLAND_VALUE}{name}": template for name, template in sms.variables.items()},
    }


def _named(letter: str, instead: str) -> str:
    name = unicodedata.name(letter, "control character").lower()
    return (
        f"{letter} ({name}; write {instead!r})"
        if instead.strip()
        else f"{name} U+{ord(letter):04X} (write {instead!r})"
    )


AUTHORED: Final = AuthoredSms()
