"""SNS reports nothing of a push message to the event bus: what became of one stands only in its delivery log.

Source: https://docs.aws.amazon.com/sns/latest/dg/sns-msg-status.html
"""

from collections.abc import Mapping
from typing import Final

from waypost.channels.contract import NoticeReader

SOURCES: Final[Mapping[str, NoticeReader]] = {}
