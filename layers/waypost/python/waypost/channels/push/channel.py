"""Push messages: a title and a text per locale, and where a tap leads."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from waypost.channels.contract import ChannelPlugin
from waypost.content.link_rewriting import LinkRewriter
from waypost.content.render import Filler

MOST_BYTES: Final = 3_000
"""Title, text and link together, in UTF-8. Apple and Firebase take 4,096 bytes of payload; the rest is for its form and the tags.

Sources: https://developer.apple.com/documentation/usernotifications/generating-a-remote-notification and
https://firebase.google.com/docs/cloud-messaging/customize-messages/set-message-type
"""


@dataclass(frozen=True, slots=True)
class RenderedPush:
    """A push message ready to send; ``link`` is what a tap opens, "" for the app itself. ``title`` is one line."""

    title: str
    text: str
    link: str


class Push(ChannelPlugin[RenderedPush]):
    """Push messages. The templates are ``title``, ``text`` and ``link``."""

    def fill(self, templates: Mapping[str, str], filler: Filler) -> RenderedPush:
        """See ChannelPlugin."""
        return RenderedPush(
            title=filler.required(" ".join(filler.text(templates["title"]).split())),
            text=filler.required(filler.text(templates["text"]).strip()),
            link=filler.text(templates["link"]).strip(),
        )

    def tracked(self, content: RenderedPush, links: LinkRewriter) -> RenderedPush:
        """See ChannelPlugin. A link into the app is none of the web and stays."""
        return replace(content, link=links.shortened(content.link))

    def marked(self, content: RenderedPush, mark: str) -> RenderedPush:
        """See ChannelPlugin."""
        return replace(content, title=f"{mark}{content.title}")

    def over_limit(self, content: RenderedPush) -> str:
        """See ChannelPlugin."""
        size = len(f"{content.title}{content.text}{content.link}".encode())
        return "" if size <= MOST_BYTES else f"takes {size:,} bytes; at most {MOST_BYTES:,} can be sent"


CHANNEL: Final = Push("push")
