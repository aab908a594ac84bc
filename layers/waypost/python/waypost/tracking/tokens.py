"""Signed tokens in the links of our messages. Made when a message is sent, read by the pages behind the links.

A token is good for one purpose: each purpose signs with a prefix of its own. An unsubscribe token never expires: someone who
digs out a two-year-old mail must still be able to unsubscribe with one click, and the only thing it can do is end messages to
the person who holds it. The others carry when they were made. Tokens carry ids, never an address or a name.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from waypost.errors import InvalidInput
from waypost.events.secret_keys import SHORTEST_KEY, key_problem, read_keys

_UNSUBSCRIBE: Final = b"waypost unsubscribe 1."
_SIGNATURE_LENGTH: Final = 16  # bytes: half of SHA-256, the least that RFC 2104 section 5 allows
_listed: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
_LONGEST_TOKEN: Final = 4096
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
    return signed(
        [asked.contact_id, asked.journey, asked.message_key, asked.channel, asked.topic, asked.address],
        key,
        purpose=_UNSUBSCRIBE,
    )


def verify(token: str, keys: Iterable[str]) -> Unsubscription | None:
    """What the token asks for, or None unless one of the keys signed it."""
    fields = fields_of(token, keys, purpose=_UNSUBSCRIBE)
    if fields is None or not 5 <= len(fields) <= 6:  # signed by us, but in a later form
        return None
    return Unsubscription(*fields)


def signed(fields: Sequence[Any], key: str, *, purpose: bytes) -> str:
    """A token of these fields, texts, numbers and None, that is good for this purpose alone."""
    content = encoded(_listed(fields).encode())
    return f"{content}.{encoded(signature(content.encode(), key, purpose=purpose))}"


def fields_of(token: str, keys: Iterable[str], *, purpose: bytes) -> list[Any] | None:
    """The fields of a token, or None unless one of the keys signed it for this purpose."""
    found = _TOKEN.fullmatch(token[:_LONGEST_TOKEN])
    if not found:
        return None
    content, given = found[1], found[2].encode()
    signatures = (encoded(signature(content.encode(), key, purpose=purpose)) for key in keys)
    if not any(hmac.compare_digest(each.encode(), given) for each in signatures):
        return None
    try:
        fields = json.loads(decoded(content))
    except (ValueError, TypeError):
        return None
    return fields if isinstance(fields, list) else None


def signature(content: bytes, key: str, *, purpose: bytes, length: int = _SIGNATURE_LENGTH) -> bytes:
    """``length`` bytes by which the holder of the key recognizes what it signed for this purpose."""
    return hmac.digest(key.encode(), purpose + content, hashlib.sha256)[:length]


def encoded(raw: bytes) -> str:
    """Bytes as base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """The inverse of ``encoded``. Raises ValueError."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
