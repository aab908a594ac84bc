"""A push message as authored: ``push.<locale>.txt``, with ``title`` and ``link`` in ``message.yaml``."""

from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field

from waypost.channels.authored_contract import (
    AuthoredChannel,
    LocaleName,
    Missing,
    Source,
    UnusableFile,
    missing_by_locale,
)
from waypost.channels.push.channel import CHANNEL, RenderedPush
from waypost.content.templates import TEXT

_Titles = dict[LocaleName, Annotated[str, Field(min_length=1, max_length=120)]]


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
        file = f"{channel}.{{locale}}.{self.kind}"
        return missing_by_locale("title", fields["title"], locales=locales, file=file, default_locale=default_locale)


AUTHORED: Final = AuthoredPush()
