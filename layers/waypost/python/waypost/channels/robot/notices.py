"""Robots report nothing."""

from collections.abc import Mapping
from typing import Final

from waypost.channels.contract import NoticeReader

SOURCES: Final[Mapping[str, NoticeReader]] = {}
