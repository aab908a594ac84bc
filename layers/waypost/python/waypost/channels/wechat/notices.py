"""WeChat reports nothing to the event bus: what it says comes to the account's callback address."""

from collections.abc import Mapping
from typing import Final

from waypost.channels.contract import NoticeReader

SOURCES: Final[Mapping[str, NoticeReader]] = {}
