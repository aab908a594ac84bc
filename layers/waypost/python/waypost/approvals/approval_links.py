"""The links by which a request is decided: signed for one request and one member. Made by the sender, read by the page."""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Iterable
from typing import Final

_PURPOSE: Final = b"waypost approval 1."
_SIGNATURE_LENGTH: Final = 32
_LONGEST: Final = 512
_TOKEN: Final = re.compile(r"([\w-]+)\.([\w-]+)", re.ASCII)


def approval_url(api_url: str, key: str, *, approval_id: str, member: str) -> str:
    """The address of the page on which this member decides; ``member`` is the id under which the ledger knows them."""
    content = _encode(json.dumps([approval_id, member], separators=(",", ":")).encode())
    return f"{api_url.rstrip('/')}/a/{content}.{_encode(_signature(content, key))}"


def read_token(token: str, keys: Iterable[str]) -> tuple[str, str] | None:
    """The request and the member of a token that one of the keys signed, else None. When it ends the request itself says."""
    found = _TOKEN.fullmatch(token) if len(token) <= _LONGEST else None
    if not found:
        return None
    content, given = found[1], found[2].encode()
    if not any(hmac.compare_digest(_encode(_signature(content, key)).encode(), given) for key in keys):
        return None
    approval_id, member = json.loads(base64.urlsafe_b64decode(content + "=" * (-len(content) % 4)))
    return approval_id, member


def _signature(content: str, key: str) -> bytes:
    return hmac.digest(key.encode(), _PURPOSE + content.encode(), hashlib.sha256)[:_SIGNATURE_LENGTH]


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
