"""Signed tokens in the links of our messages. Made when a message is sent, read by the pages behind the links.

A token never expires: someone who digs out a two-year-old mail must still be able to unsubscribe with one click, and the
only thing a token can do is end messages to the person who holds it. It carries ids, never an address or a name.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from waypost.errors import InvalidInput
from waypost.events.secret_keys import SHORTEST_KEY, key_problem, read_keys

_PURPOSE: Final = b"waypost unsubscribe 1."
_SIGNATURE_LENGTH: Final = 16  # bytes: half of SHA-256, the least that RFC 2104 section 5 allows
_LONGEST_TOKEN: Final = 1024
_TOKEN: Final = re.compile(r"([\w-]+)\.([\w-]+)[^\w-]*", re.ASCII)
"""A token, and the full stop or bracket of a text that a mail program took for a part of the link."""


@dataclass(frozen=True, slots=True)
class Unsubscription:
    """What a token asks for: an end to ``channel``, or to one ``topic`` of it; ``message_key`` is the message it came in.

    ``address`` is the digest of where the message went; "" in links made before addresses were kept apart.
    """

    contact_id: str
    journey: str
    message_key: str
    channel: str
    topic: str | None = None
    address: str = ""


def link_keys(secret: Mapping[str, Any]) -> list[str]:
    """The keys of the link secret ``{"link_keys": ["<newest>", …]}``; a single string may stand for the list.

    The first key signs, any key verifies. An entry that is no key, such as one too short to be secret,
    is left out. Raises InvalidInput when none is left.
    """
    keys = read_keys(secret.get("link_keys"), "link_keys", key_problem).usable
    if not keys:
        raise InvalidInput("link_keys", f"should be keys of at least {SHORTEST_KEY} characters")
    return list(keys)


def sign(unsubscription: Unsubscription, key: str) -> str:
    """The token, safe in a URL: ``<content>.<signature>``, base64url without padding."""
    asked = unsubscription
    fields = [asked.contact_id, asked.journey, asked.message_key, asked.channel, asked.topic, asked.address]
    content = _encode(json.dumps(fields, separators=(",", ":")).encode())
    return f"{content}.{_encode(_signature(content, key))}"


def verify(token: str, keys: Iterable[str]) -> Unsubscription | None:
    """What the token asks for, or None unless one of the keys signed it."""
    found = _TOKEN.fullmatch(token[:_LONGEST_TOKEN])
    if not found:
        return None
    content, given = found[1], found[2].encode()
    if not any(hmac.compare_digest(_encode(_signature(content, key)).encode(), given) for key in keys):
        return None
    try:
        contact_id, journey, message_key, channel, topic, *more = json.loads(_decode(content))
    except (ValueError, TypeError):  # signed by us, but in a later form
        return None
    if len(more) > 1:  # a later form too
        return None
    return Unsubscription(contact_id, journey, message_key, channel, topic, *more)


def _signature(content: str, key: str) -> bytes:
    return hmac.digest(key.encode(), _PURPOSE + content.encode(), hashlib.sha256)[:_SIGNATURE_LENGTH]


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
