"""A webhook's receiver reports nothing to the event bus; what it knows it sends to the webhook API, as other systems do."""

from collections.abc import Mapping
from typing import Final

from waypost.channels.contract import NoticeReader

SOURCES: Final[Mapping[str, NoticeReader]] = {}
