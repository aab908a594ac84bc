"""The links by which we learn who opened and clicked what. Made by send_message, read by follow_link.

A mail's link holds its signed target, so that nothing is stored and nothing read when it is followed; a text's link must be short, so its
targets stand in the message's row of the ledger. Neither leads anywhere that the message's sender did not choose.
"""

import binascii
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from waypost.content.link_rewriting import Link, TrackedMessage
from waypost.tracking.tokens import decoded, encoded, fields_of, signature, signed

LIFE: Final = timedelta(days=400)
"""How long a link leads on after its message was sent: as long as the row of a message is kept at least."""

_LINK: Final = b"waypost link 1."
_PIXEL: Final = b"waypost pixel 1."
_SHORT: Final = b"waypost short link 1."
_ID_BYTES: Final = 12
_KEY_BYTES: Final = 6
"""Of the message key in a short link: with the contact's id it names one of the contact's messages."""

_SHORT_SIGNATURE: Final = 10  # bytes: 80 bits, the least that RFC 2104 section 5 allows


@dataclass(frozen=True, slots=True)
class FollowedLink:
    """What a link says: of which message, which link of it."""

    message: TrackedMessage
    link: Link


@dataclass(frozen=True, slots=True)
class ShortLink:
    """What a short link says; ``key_prefix`` is how the message's key begins."""

    contact_id: str
    key_prefix: str
    index: int


@dataclass(frozen=True, slots=True)
class SignedLinks:
    """A LinkMaker: the links of one message under ``api_url``, signed with ``key``, the first of ``tokens.link_keys``."""

    api_url: str
    key: str
    message: TrackedMessage

    @property
    def own_pages(self) -> str:
        """See LinkMaker."""
        return f"{self.api_url.rstrip('/')}/"

    def link(self, link: Link) -> str:
        """See LinkMaker."""
        fields = [*_fields(self.message), link.index, link.name, link.target]
        return f"{self.own_pages}r/{signed(fields, self.key, purpose=_LINK)}"

    def short_link(self, index: int) -> str:
        """See LinkMaker."""
        contact, key = (bytes.fromhex(each[2:]) for each in (self.message.contact_id, self.message.message_key))
        content = contact + key[:_KEY_BYTES] + bytes([index])
        proof = signature(content, self.key, purpose=_SHORT, length=_SHORT_SIGNATURE)
        return f"{self.own_pages}r/{encoded(content + proof)}"

    def pixel(self) -> str:
        """See LinkMaker."""
        return f"{self.own_pages}o/{signed(_fields(self.message), self.key, purpose=_PIXEL)}"


def read_link(token: str, keys: Iterable[str]) -> FollowedLink | None:
    """What the token of a mail's link says, or None unless one of the keys signed it."""
    fields = fields_of(token, keys, purpose=_LINK)
    if fields is None or len(fields) != _MESSAGE_FIELDS + 3:
        return None
    return FollowedLink(_message(fields), Link(*fields[_MESSAGE_FIELDS:]))


def read_pixel(token: str, keys: Iterable[str]) -> TrackedMessage | None:
    """The message that was opened, or None unless one of the keys signed it."""
    fields = fields_of(token, keys, purpose=_PIXEL)
    return None if fields is None or len(fields) != _MESSAGE_FIELDS else _message(fields)


def read_short_link(token: str, keys: Iterable[str]) -> ShortLink | None:
    """What the token of a text's link says, or None unless one of the keys signed it."""
    try:
        raw = decoded(token)
    except (ValueError, binascii.Error):
        return None
    content, given = raw[:-_SHORT_SIGNATURE], raw[-_SHORT_SIGNATURE:]
    proofs = [signature(content, key, purpose=_SHORT, length=_SHORT_SIGNATURE) for key in keys]
    is_ours = any(hmac.compare_digest(each, given) for each in proofs)
    if not is_ours or len(content) != _ID_BYTES + _KEY_BYTES + 1:
        return None
    return ShortLink(f"c-{content[:_ID_BYTES].hex()}", f"m-{content[_ID_BYTES:-1].hex()}", content[-1])


def is_over(message: TrackedMessage, *, now: datetime) -> bool:
    """Whether the links of this message lead nowhere any more; ``now`` is the real time."""
    return now - message.sent_at > LIFE


_MESSAGE_FIELDS: Final = 7


def _fields(message: TrackedMessage) -> list[str | int]:
    return [
        message.contact_id,
        message.message_key,
        message.channel,
        message.journey,
        message.message,
        int(message.sent_at.timestamp()),
        message.staff,
    ]


def _message(fields: list[str | int]) -> TrackedMessage:
    contact_id, message_key, channel, journey, message, sent, staff = fields[:_MESSAGE_FIELDS]
    return TrackedMessage(
        str(contact_id),
        str(message_key),
        str(channel),
        str(journey),
        str(message),
        datetime.fromtimestamp(int(sent), UTC),
        str(staff),
    )
