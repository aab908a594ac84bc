"""The order in which a message's channels are tried for a contact. Its policy: ``switch_channel_after``. Used by the sender."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Annotated, Final

from waypost.contacts.channels import Channel, declared_channels
from waypost.contacts.profile import Contact
from waypost.sending.ledger import Touch
from waypost.sending.policy import Between, SendingPolicy, Setting

SWITCH_AFTER: Final[Setting[int | None]] = Setting(
    "switch_channel_after", form=Annotated[int, Between(2, 100)] | None, default=None, load=lambda value: value
)
"""Messages unopened in a row after which the channels come first on which nobody can be seen to read; None for never."""
ENGAGED: Final = ("message_opened", "message_clicked")


def channel_order(
    channels: Sequence[Channel], contact: Contact, touches: Iterable[Touch], policy: SendingPolicy
) -> tuple[Channel, ...]:
    """The channels as the message names them, or those that report no openings first while too many were not opened."""
    after = policy.of(SWITCH_AFTER)
    if after is None or len(channels) < 2 or unopened(contact, touches) < after:
        return tuple(channels)
    return tuple(sorted(channels, key=_shows_readers))


def unopened(contact: Contact, touches: Iterable[Touch]) -> int:
    """Messages since the day of the contact's last opening or click, on channels that report openings."""
    engaged = max((contact.seen[kind][1] for kind in ENGAGED if kind in contact.seen), default=date.min)
    return sum(touch.at.date() > engaged for touch in touches if _shows_readers(touch.channel))


def _shows_readers(name: str) -> bool:
    channel = declared_channels().get(Channel(name))
    return channel is not None and "opened" in channel.reports
