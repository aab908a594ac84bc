"""E-mail: three templates per locale, filled in to a subject and two bodies."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from waypost.channels.contract import ChannelPlugin
from waypost.content.link_rewriting import LinkRewriter
from waypost.content.render import Filler

MOST_BYTES: Final = 10_000_000
"""Subject and bodies together. Source: SES quotas, "Maximum message size" of the v2 API without attachments, 10 MB."""


@dataclass(frozen=True, slots=True)
class RenderedEmail:
    """A mail ready to send; ``subject`` is one line."""

    subject: str
    html: str
    text: str


class Email(ChannelPlugin[RenderedEmail]):
    """Mail. The templates are ``subject``, ``html`` and ``text``."""

    def fill(self, templates: Mapping[str, str], filler: Filler) -> RenderedEmail:
        """See ChannelPlugin."""
        return RenderedEmail(
            subject=filler.required(" ".join(filler.text(templates["subject"]).split())),
            html=filler.html(templates["html"]),
            text=filler.text(templates["text"]),
        )

    def tracked(self, content: RenderedEmail, links: LinkRewriter) -> RenderedEmail:
        """See ChannelPlugin."""
        return replace(content, html=links.html(content.html), text=links.text(content.text))

    def marked(self, content: RenderedEmail, mark: str) -> RenderedEmail:
        """See ChannelPlugin."""
        return replace(content, subject=f"{mark}{content.subject}")

    def over_limit(self, content: RenderedEmail) -> str:
        """See ChannelPlugin."""
        size = len(f"{content.subject}{content.html}{content.text}".encode())
        return "" if size <= MOST_BYTES else f"takes {size:,} bytes; at most {MOST_BYTES:,} can be sent"


CHANNEL: Final = Email("email")
