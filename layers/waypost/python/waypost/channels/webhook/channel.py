"""Messages of a webhook: a JSON object per locale, whose texts are templates."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from waypost.channels.contract import ChannelPlugin
from waypost.content.render import Filler

MOST_BYTES: Final = 64 * 1024
"""Of the content as JSON; receivers commonly take a megabyte, and the envelope is small."""


@dataclass(frozen=True, slots=True)
class RenderedWebhook:
    """The content of a webhook message: a JSON object."""

    content: Mapping[str, Any]


class Webhook(ChannelPlugin[RenderedWebhook]):
    """Messages of a webhook. The only template, ``content``, is the authored JSON text."""

    def fill(self, templates: Mapping[str, str], filler: Filler) -> RenderedWebhook:
        """See ChannelPlugin. A text that is nothing when it is filled in stays, as ""."""
        return RenderedWebhook(filled(json.loads(templates["content"]), filler))

    def over_limit(self, content: RenderedWebhook) -> str:
        """See ChannelPlugin."""
        size = len(json.dumps(content.content, ensure_ascii=False).encode())
        return "" if size <= MOST_BYTES else f"takes {size:,} bytes; at most {MOST_BYTES:,} can be sent"


def filled(value: Any, filler: Filler) -> Any:
    """The value with every text in it filled in; names of members stay as they are written. Raises MessageNotRenderable.

    Texts are filled in one by one, so that a value with a quote in it cannot add members of its own.
    """
    match value:
        case str():
            return filler.text(value)
        case list():
            return [filled(each, filler) for each in value]
        case dict():
            return {name: filled(each, filler) for name, each in value.items()}
        case _:
            return value


CHANNEL: Final = Webhook("webhook")
