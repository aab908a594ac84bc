"""Where messages are found by their id. Used by the sender."""

import re
from datetime import datetime
from functools import cache
from typing import Final, Protocol

from waypost.content.message import PublishedMessage
from waypost.errors import UnknownMessage
from waypost.published_sections import published_section

_ID: Final = re.compile(r"[a-z0-9_-]+(/[a-z0-9_-]+)*")


class MessageCatalogue(Protocol):
    """Every published message; the id of a journey's own message is ``<journey>/<name>``."""

    def message(self, message_id: str, began_at: datetime | None = None) -> PublishedMessage:
        """The message, as it goes to a contact whose journey began then. Raises UnknownMessage."""
        ...


class PublishedCatalogue:
    """The messages in the journeys layer, a file each: sending one parses that one."""

    @staticmethod
    def message(message_id: str, began_at: datetime | None = None) -> PublishedMessage:
        """See MessageCatalogue. A deployment has one version of a message."""
        del began_at
        return PublishedCatalogue._deployed(message_id)

    @staticmethod
    @cache
    def _deployed(message_id: str) -> PublishedMessage:
        published = published_section(section_of(message_id)) if _ID.fullmatch(message_id) else {}
        if not published:
            raise UnknownMessage(message_id)
        return PublishedMessage.from_dict(published)


def section_of(message_id: str) -> str:
    """The published section that holds the message."""
    return f"messages/{message_id}"
