"""What WeChat and WeCom post to our address: is it theirs, is it new, and what does it say. Used by the receiver of callbacks.

In clear mode only the token, a timestamp and a nonce are signed, and the body by nothing but TLS; in safe mode the body is
encrypted and signed. An account that has an encoding key takes encrypted ones alone. Sources:
https://developers.weixin.qq.com/doc/service/guide/dev/push/ and https://developer.work.weixin.qq.com/document/path/90930
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from xml.sax.saxutils import escape

from waypost import ids
from waypost.http import encrypted_callback
from waypost.tencent.xml_document import MOST_BYTES, NoDocument, read_xml

TOLERANCE: Final = timedelta(minutes=5)
"""How far a signed timestamp may lie from now. The providers have no such rule; they repeat a callback within 15 seconds."""
ANSWERED_WITHIN: Final = timedelta(seconds=5)
"""Then the provider calls again, three times, and shows the follower an error."""
SUCCESS: Final = "success"
"""The answer that asks for no repetition and shows the follower nothing."""
_NOT_IN_XML: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML document may hold, not even escaped. Source: https://www.w3.org/TR/xml/#charsets"""


@dataclass(frozen=True, slots=True)
class CallbackKeys:
    """What an account's callbacks are checked with. ``owner`` is its app id or corp id; no ``encoding_key`` is clear mode."""

    owner: str
    token: str = field(repr=False)
    encoding_key: str = field(default="", repr=False)

    @property
    def problem(self) -> str:
        """Why nothing can be checked with them; "" when it can."""
        if not self.token:
            return "the callback token of the account is not set"
        if self.encoding_key and encrypted_callback.key_of(self.encoding_key) is None:
            return f"an encoding key has {encrypted_callback.KEY_LENGTH} characters of base64"
        return ""


@dataclass(frozen=True, slots=True)
class Callback:
    """A genuine callback. ``document`` is what it says, by the provider's own names."""

    document: Mapping[str, Any]

    @property
    def occurrence(self) -> str:
        """The same for a repetition: from the message's id, or from who did what when.

        The providers name the follower and the second; what happened is added, because two things happen within a second.
        """
        document = self.document
        if message_id := document.get("MsgId"):
            return ids.digest("callback", str(document.get("ToUserName", "")), str(message_id))
        names = (
            "ToUserName",
            "FromUserName",
            "CreateTime",
            "Event",
            "EventKey",
            "ChangeType",
            "ExternalUserID",
            "UserID",
        )
        return ids.digest("callback", *(str(document.get(name, "")) for name in names), _further(document))


@dataclass(frozen=True, slots=True)
class NotGenuine:
    """The request is not the provider's, is too old or cannot be read; ``reason`` holds nothing of it."""

    reason: str


def echo(keys: CallbackKeys, query: Mapping[str, str], *, now: datetime) -> str | NotGenuine:
    """The answer to the check by GET, by which a provider asks whether the address is ours."""
    text = query.get("echostr", "")
    if "msg_signature" not in query:
        problem = _unsigned(keys, query, query.get("signature", ""), now=now)
        return NotGenuine(problem) if problem else text
    if problem := _unsigned(keys, query, query["msg_signature"], text, now=now):
        return NotGenuine(problem)
    plain = _unsealed(keys, text)
    return (
        NotGenuine("echostr is not encrypted for this account") if plain is None else plain.decode("utf-8", "replace")
    )


def read(keys: CallbackKeys, query: Mapping[str, str], body: bytes, *, now: datetime) -> Callback | NotGenuine:
    """The callback in a POST; its body is XML or JSON, in clear or encrypted."""
    if len(body) > MOST_BYTES:
        return NotGenuine(f"the body has more than {MOST_BYTES:,} bytes")
    try:
        if not keys.encoding_key:
            problem = _unsigned(keys, query, query.get("signature", ""), now=now)
            return NotGenuine(problem) if problem else Callback(_document(body))
        ciphertext = str(_document(body).get("Encrypt", ""))
        if not ciphertext:
            return NotGenuine("the body is not encrypted, and this account's callbacks are")
        if problem := _unsigned(keys, query, query.get("msg_signature", ""), ciphertext, now=now):
            return NotGenuine(problem)
        plain = _unsealed(keys, ciphertext)
        return NotGenuine("the body is not encrypted for this account") if plain is None else Callback(_document(plain))
    except NoDocument as error:
        return NotGenuine(f"the body {error}")


def reply(keys: CallbackKeys, document: str, *, now: datetime, nonce: str) -> str:
    """An answer that the follower sees, as the account's callbacks are: as it is, or encrypted."""
    key = encrypted_callback.key_of(keys.encoding_key)
    if key is None:
        return document
    timestamp = str(int(now.timestamp()))
    ciphertext = encrypted_callback.seal(document.encode(), key=key, owner=keys.owner)
    return as_xml(
        {
            "Encrypt": ciphertext,
            "MsgSignature": encrypted_callback.signature(keys.token, timestamp, nonce, ciphertext),
            "TimeStamp": int(timestamp),
            "Nonce": nonce,
        }
    )


def as_xml(content: Mapping[str, Any]) -> str:
    """The content as the providers write XML: ``{"Image": {"MediaId": "m-1"}}`` has an element in an element.

    Characters that XML has no room for are left out.
    """
    return f"<xml>{_elements(content)}</xml>"


def _elements(content: Mapping[str, Any]) -> str:
    return "".join(
        f"<{name}>{_elements(value) if isinstance(value, Mapping) else escape(_NOT_IN_XML.sub('', str(value)))}</{name}>"
        for name, value in content.items()
    )


def created_at(document: Mapping[str, Any]) -> datetime | None:
    """When a callback's event happened, to the second; None where it does not say."""
    text = str(document.get("CreateTime", ""))
    return datetime.fromtimestamp(int(text), tz=UTC) if text.isascii() and text.isdigit() and len(text) == 10 else None


def _unsigned(keys: CallbackKeys, query: Mapping[str, str], given: str, *signed: str, now: datetime) -> str:
    """Why the request is not signed, or too old to be taken; "" when it is neither."""
    if keys.problem:
        return keys.problem
    timestamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
    if not (given and timestamp and encrypted_callback.is_signed(given, keys.token, timestamp, nonce, *signed)):
        return "the signature is not the provider's"
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 10):
        return "the timestamp is no number of seconds"
    if abs(now - datetime.fromtimestamp(int(timestamp), tz=UTC)) > TOLERANCE:
        return "the timestamp is more than five minutes from now"
    return ""


def _unsealed(keys: CallbackKeys, ciphertext: str) -> bytes | None:
    key = encrypted_callback.key_of(keys.encoding_key)
    return None if key is None else encrypted_callback.unseal(ciphertext, key=key, owner=keys.owner)


def _document(body: bytes) -> dict[str, Any]:
    """Raises NoDocument. A mini program chooses between XML and JSON in its console."""
    if not body.lstrip().startswith(b"{"):
        return read_xml(body)
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        raise NoDocument("is no JSON") from None
    return content if isinstance(content, dict) else {}


def _further(document: Mapping[str, Any]) -> str:
    """What tells several results of one second apart: of templates, of tasks."""
    named = {
        name: document[name]
        for name in ("MsgID", "SubscribeMsgPopupEvent", "SubscribeMsgChangeEvent", "SubscribeMsgSentEvent", "List")
        if name in document
    }
    return json.dumps(named, sort_keys=True, ensure_ascii=False)
