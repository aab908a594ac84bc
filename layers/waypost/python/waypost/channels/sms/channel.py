"""Text messages: one template per locale, filled in to one text."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from waypost.channels.contract import ChannelPlugin
from waypost.channels.sms.length import MOST_PARTS, sms_length
from waypost.content.render import Filler


@dataclass(frozen=True, slots=True)
class RenderedSms:
    """An SMS ready to send."""

    text: str


class Sms(ChannelPlugin[RenderedSms]):
    """Text messages. The template is ``text``."""

    def fill(self, templates: Mapping[str, str], filler: Filler) -> RenderedSms:
        """See ChannelPlugin."""
        return RenderedSms(text=filler.required(filler.text(templates["text"]).strip()))

    def over_limit(self, content: RenderedSms) -> str:
        """See ChannelPlugin."""
        length = sms_length(content.text)
        if length.parts <= MOST_PARTS:
            return ""
        return f"takes {length.parts} SMS parts ({length.encoding}); at most {MOST_PARTS} can be sent"


CHANNEL: Final = Sms("sms")
