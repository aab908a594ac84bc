"""What an inbox holds, and where all inboxes are kept. Written by the channel's provider, read by the feed.

An inbox is a ring: message n lies in slot n of ``SLOTS``, so that it never holds more, whatever is sent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal, Protocol

from waypost.channels.calls import FailedCall

SLOTS: Final = 50
LIFE: Final = timedelta(days=30)
"""How long a message is shown."""
COUNTED_FOR: Final = 3 * LIFE
"""How long an inbox without new messages remembers its last number: until TTL has surely removed every message of it."""

Act = Literal["seen", "dismissed"]
"""What a reader can do with a message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptMessage:
    """A message in an inbox; ``number`` counts from 1. ``tags`` are those of the message, ``unsubscribe_url`` is "" for what is no marketing."""

    number: int
    user_id: str
    title: str
    text: str
    link: str
    unsubscribe_url: str
    tags: Mapping[str, str]
    sent_at: datetime
    expires_at: datetime
    done: Mapping[Act, datetime] = field(default_factory=dict)

    @property
    def message_key(self) -> str:
        """The key under which it was sent."""
        return self.tags["message_key"]


class InboxWriter(Protocol):
    """Keeps messages. Each call is made once, and what fails is a value."""

    def next_number(self, digest: str, *, until: datetime) -> int | FailedCall:
        """The next number of the inbox of this address; it is remembered until then."""
        ...

    def keep(self, digest: str, message: KeptMessage) -> str | FailedCall:
        """Put the message into its slot, over an older one; the id that the store gives to the call."""
        ...


class InboxReader(Protocol):
    """Reads inboxes, and notes what their readers did."""

    def messages(self, digest: str, *, consistent: bool) -> Sequence[KeptMessage]:
        """What is in the inbox of this address, in any order, with what is over or dismissed. Raises TemporarilyUnavailable."""
        ...

    def note(self, digest: str, message: KeptMessage, act: Act, *, at: datetime) -> None:
        """Note that it was done, unless the slot has another message by now. Raises TemporarilyUnavailable."""
        ...
