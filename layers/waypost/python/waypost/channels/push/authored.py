"""A push message as authored: ``push.<locale>.txt``, with ``title`` and ``link`` in ``message.yaml``."""

from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final

from pydantic import AfterValidator, Field

from waypost.channels.authored_contract import AuthoredChannel, Missing, Source, UnusableFile, wrong_locale
from waypost.channels.push.channel import CHANNEL, RenderedPush
from waypost.content.templates import TEXT


def _locale(text: str) -> str:
    if reason := wrong_locale(text):
        raise ValueError(reason)
    return text


_Titles = dict[Annotated[str, AfterValidator(_locale)], Annotated[str, Field(min_length=1, max_length=120)]]


class AuthoredPush(AuthoredChannel):
    """A push message is its text, a title and what a tap opens."""

    kind = "txt"
    fields: ClassVar[Mapping[str, tuple[Any, Any]]] = {
        "title": (_Titles, Field(default_factory=dict)),
        "link": (str, Field(default="", max_length=500)),
    }

    def compile(self, source: Source) -> dict[str, str]:
        """See AuthoredChannel."""
        title, field = source.fields["title"].get(source.locale, ""), f"title.{source.locale}"
        text, link = source.text.strip(), source.fields["link"]
        if "\n" in title:
            raise UnusableFile(source.manifest, field, "has more than one line")
        source.templates.check(source.manifest, field, title, TEXT)
        source.templates.check(source.path, "", text, TEXT)
        source.templates.check(source.manifest, "link", link, TEXT)
        shown = RenderedPush(*(source.templates.shown(each, TEXT) for each in (title, text, link)))
        if reason := CHANNEL.over_limit(shown):
            raise UnusableFile(source.path, "", reason)
        return {"title": title, "text": text, "link": link}

    def missing(
        self, channel: str, fields: Mapping[str, Any], *, locales: Collection[str], default_locale: str
    ) -> Iterator[Missing]:
        """A title without its text, or a text without its title."""
        for locale in sorted(set(locales) ^ set(fields["title"])):
            if locale in locales:
                yield Missing("message.yaml", f"title.{locale}", "is missing")
            elif locale != default_locale:  # the default locale's file is asked for of every channel
                yield Missing(f"{channel}.{locale}.txt", "", "is missing: message.yaml has a title for it")


AUTHORED: Final = AuthoredPush()
