"""The links to the pages on which people say what they want. Made by send_message, read by serve_page.

A link of preferences or of a survey names a message and is short enough for a text; one that confirms consent carries what is
asked. All say when they were made and are good for a limited time: who holds one can change what its contact wants.
"""

import binascii
import hmac
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from waypost.tracking.tokens import decoded, encoded, fields_of, signature, signed

PageKind = Literal["preferences", "survey", "confirm"]

LIVES: Final[Mapping[PageKind, timedelta]] = {
    "preferences": timedelta(days=90),
    "survey": timedelta(days=60),
    "confirm": timedelta(days=7),
}
"""How long a link is good after its message was sent."""

_CONFIRM: Final = b"waypost confirm consent 1."
_SHORT: Final[Mapping[str, bytes]] = {"preferences": b"waypost preferences 1.", "survey": b"waypost survey 1."}
_PACKED: Final = struct.Struct(">12s12sI")
_SIGNATURE: Final = 10  # bytes: 80 bits, the least that RFC 2104 section 5 allows


@dataclass(frozen=True, slots=True)
class PageLink:
    """Whose page it is, and of which message; ``made_at`` is when that was sent."""

    contact_id: str
    message_key: str
    made_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRequest:
    """What a link asks to confirm: marketing about ``topic`` to one address of ``channel``.

    ``address`` is the digest of where the message went, ``requested_by`` the id of the event that asked, ``text_version`` names
    the text that was agreed to there.
    """

    link: PageLink
    channel: str
    address: str
    topic: str
    requested_by: str = ""
    text_version: str = ""


def short_token(kind: Literal["preferences", "survey"], link: PageLink, key: str) -> str:
    """The token of 51 characters for a page of this kind."""
    contact, message = (bytes.fromhex(each[2:]) for each in (link.contact_id, link.message_key))
    content = _PACKED.pack(contact, message, int(link.made_at.timestamp()))
    return encoded(content + signature(content, key, purpose=_SHORT[kind], length=_SIGNATURE))


def read_short(kind: Literal["preferences", "survey"], token: str, keys: Iterable[str]) -> PageLink | None:
    """What the token says, or None unless one of the keys signed it for this kind."""
    try:
        raw = decoded(token)
    except (ValueError, binascii.Error):
        return None
    content, given = raw[:-_SIGNATURE], raw[-_SIGNATURE:]
    proofs = [signature(content, key, purpose=_SHORT[kind], length=_SIGNATURE) for key in keys]
    if len(content) != _PACKED.size or not any(hmac.compare_digest(proof, given) for proof in proofs):
        return None
    contact, message, made = _PACKED.unpack(content)
    return PageLink(f"c-{contact.hex()}", f"m-{message.hex()}", datetime.fromtimestamp(made, UTC))


def confirm_token(asked: ConsentRequest, key: str) -> str:
    """The token of a link that confirms this."""
    link = asked.link
    return signed(
        [
            link.contact_id,
            link.message_key,
            int(link.made_at.timestamp()),
            asked.channel,
            asked.address,
            asked.topic,
            asked.requested_by,
            asked.text_version,
        ],
        key,
        purpose=_CONFIRM,
    )


def read_confirm(token: str, keys: Iterable[str]) -> ConsentRequest | None:
    """What the token asks to confirm, or None unless one of the keys signed it."""
    fields = fields_of(token, keys, purpose=_CONFIRM)
    if fields is None or len(fields) != 8:
        return None
    contact_id, message_key, made, channel, address, topic, requested_by, version = fields
    link = PageLink(str(contact_id), str(message_key), datetime.fromtimestamp(int(made), UTC))
    return ConsentRequest(
        link=link, channel=channel, address=address, topic=topic, requested_by=requested_by, text_version=version
    )


def is_over(kind: PageKind, link: PageLink, *, now: datetime) -> bool:
    """Whether the link is no longer good; ``now`` is the real time."""
    return now - link.made_at > LIVES[kind]
