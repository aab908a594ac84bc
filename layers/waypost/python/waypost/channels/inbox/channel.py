"""Messages of an inbox: a title and a text per locale, and where the message leads."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from waypost.channels.contract import ChannelPlugin
from waypost.content.link_rewriting import LinkRewriter
from waypost.content.render import Filler, MessageNotRenderable

MOST_BYTES: Final = 4_000
"""Title, text and link together, in UTF-8: fifty of them are shown in one answer."""

LINK: Final = re.compile(r"https?://\S+|/(?!/)\S*")
"""An address of the web, or a page of the site that shows the inbox; a script (``javascript:``) is neither."""


@dataclass(frozen=True, slots=True)
class RenderedInbox:
    """A message ready to be kept; ``link`` is what it opens, "" for nothing. ``title`` is one line."""

    title: str
    text: str
    link: str


class Inbox(ChannelPlugin[RenderedInbox]):
    """Messages of an inbox. The templates are ``title``, ``text`` and ``link``."""

    def fill(self, templates: Mapping[str, str], filler: Filler) -> RenderedInbox:
        """See ChannelPlugin."""
        link = filler.text(templates["link"]).strip()
        if link and not LINK.fullmatch(link):
            raise MessageNotRenderable(f"{filler.place}: the link is no address of the web and no path of the site")
        return RenderedInbox(
            title=filler.required(" ".join(filler.text(templates["title"]).split())),
            text=filler.required(filler.text(templates["text"]).strip()),
            link=link,
        )

    def tracked(self, content: RenderedInbox, links: LinkRewriter) -> RenderedInbox:
        """See ChannelPlugin. A path of the site stays: the site itself sees who comes."""
        return replace(content, link=links.shortened(content.link))

    def marked(self, content: RenderedInbox, mark: str) -> RenderedInbox:
        """See ChannelPlugin."""
        return replace(content, title=f"{mark}{content.title}")

    def over_limit(self, content: RenderedInbox) -> str:
        """See ChannelPlugin."""
        size = len(f"{content.title}{content.text}{content.link}".encode())
        return "" if size <= MOST_BYTES else f"takes {size:,} bytes; at most {MOST_BYTES:,} can be kept"


CHANNEL: Final = Inbox("inbox")
