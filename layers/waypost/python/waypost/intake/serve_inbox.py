"""Shows a person's inbox to the page that the person looks at, and takes what is done with its messages. Called by serve_inbox.

A page proves by a write key that it is the company's, and by ``userHash`` (``public_key``) who is signed in there. What is done is in the
queue before it is noted and answered, as every report of a provider is; done twice it is one event.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final, get_args

from pydantic import BaseModel, ConfigDict, Field

from waypost.channels.callback_contract import CallbackNotice, NoticeQueue
from waypost.channels.inbox.box import Act, InboxReader, KeptMessage
from waypost.channels.inbox.notices import SOURCE, detail_of
from waypost.clock import Clock, format_instant
from waypost.contacts.channels import Address, Channel
from waypost.contacts.cleaning import Unusable
from waypost.contacts.identity.acceptance import clean_identity
from waypost.events.envelope import UNPROVEN_SOURCE
from waypost.intake import segment_spec
from waypost.intake.field_types import GivenIdentifier, OptionalText, check
from waypost.intake.http_request import Request
from waypost.intake.request_outcome import Refused, refusal, refuse
from waypost.intake.strict_json import read_object
from waypost.intake.webhook_secrets import KnownSecrets

CHANNEL: Final = Channel("inbox")
MOST_IDS: Final = 50

_LIST: Final = "list"
_ACTS: Final[Mapping[str, Act]] = {act: act for act in get_args(Act)}
_USER: Final = "user_id"


class Visitor(BaseModel):
    """Who is signed in on the page, spelled as the calls of the Segment API spell it."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    user_id: GivenIdentifier = Field(alias="userId")
    user_hash: OptionalText = Field(default=None, alias="userHash")


@dataclass(frozen=True, slots=True)
class Inbox:
    """What a page gets: the messages that are shown, the newest first, or None after an act; and how many are unseen."""

    unseen: int
    messages: Sequence[KeptMessage] | None = None
    noted: int = 0

    def to_dict(self) -> dict[str, Any]:
        """The body of the answer."""
        if self.messages is None:
            return {"success": True, "noted": self.noted, "unseen": self.unseen}
        return {"success": True, "unseen": self.unseen, "messages": [_shown(each) for each in self.messages]}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeInbox:
    """The feed of all inboxes; ``clock`` is the one by which messages are sent and end."""

    secrets: KnownSecrets
    inboxes: InboxReader
    queue: NoticeQueue
    clock: Clock

    def answer(self, action: str, request: Request) -> Inbox | Refused:
        """``list``, or an act on the messages named in ``ids``. Raises TemporarilyUnavailable; all of it may be repeated."""
        act = _ACTS.get(action)
        if act is None and action != _LIST:
            return refuse(HTTPStatus.NOT_FOUND, "path", f"should end in {_LIST}, {' or '.join(_ACTS)}")
        body = request.body()
        document = body if isinstance(body, Refused) else read_object(body)
        if isinstance(document, Refused):
            return document
        digest = self._owner(document.content, request)
        if isinstance(digest, Refused):
            return digest
        if act is None:
            shown = self._shown(digest, consistent=False)
            return Inbox(_unseen(shown), shown)
        ids = document.content.get("ids")
        if not isinstance(ids, list) or len(ids) > MOST_IDS or not all(isinstance(each, str) for each in ids):
            return refuse(HTTPStatus.BAD_REQUEST, "ids", f"should be a list of at most {MOST_IDS} ids of messages")
        return self._take(act, digest, frozenset(ids))

    def _owner(self, given: Mapping[str, Any], request: Request) -> str | Refused:
        """The digest of the inbox that the caller has proven to be the visitor's."""
        key = segment_spec.write_key(request.header("authorization")) or given.get("writeKey")
        caller = None
        if isinstance(key, str) and key:
            caller = self.secrets.read().caller(key) or self.secrets.read_again().caller(key)
        if caller is None:
            return refuse(HTTPStatus.UNAUTHORIZED, "writeKey", "should be a write key")
        visitor = check(Visitor, given, "")
        if not isinstance(visitor, Visitor):
            return refusal(visitor)
        cleaned = clean_identity(_USER, visitor.user_id)
        if isinstance(cleaned, Unusable):
            return refuse(HTTPStatus.BAD_REQUEST, "userId", cleaned.reason)
        if caller.source(visitor.user_id, visitor.user_hash or "") == UNPROVEN_SOURCE:
            return refuse(
                HTTPStatus.FORBIDDEN, "userHash", "should be the HMAC-SHA256 of userId by a server key, in hexadecimal"
            )
        return Address(CHANNEL, _USER, cleaned).digest

    def _shown(self, digest: str, *, consistent: bool) -> list[KeptMessage]:
        """What is neither over nor dismissed, the newest first."""
        now = self.clock()
        found = self.inboxes.messages(digest, consistent=consistent)
        open_ = [each for each in found if each.expires_at > now and "dismissed" not in each.done]
        return sorted(open_, key=lambda each: each.sent_at, reverse=True)

    def _take(self, act: Act, digest: str, ids: frozenset[str]) -> Inbox:
        """What is done already, or is not in this inbox, changes nothing."""
        now, shown = self.clock(), self._shown(digest, consistent=True)
        meant = [each for each in shown if each.message_key in ids and act not in each.done]
        if meant:
            self.queue.put([_notice(act, each, at=now) for each in meant])
        for each in meant:
            self.inboxes.note(digest, each, act, at=now)
        keys = {each.message_key for each in meant}
        return Inbox(_unseen([each for each in shown if each.message_key not in keys]), noted=len(meant))


def _unseen(messages: Sequence[KeptMessage]) -> int:
    return sum("seen" not in each.done for each in messages)


def _notice(act: Act, message: KeptMessage, *, at: datetime) -> CallbackNotice:
    return CallbackNotice(
        source=SOURCE,
        notice_id=f"{message.message_key}:{act}",
        detail=detail_of(act, message.tags, at=format_instant(at)),
    )


def _shown(message: KeptMessage) -> dict[str, Any]:
    return {
        "id": message.message_key,
        "title": message.title,
        "text": message.text,
        "link": message.link,
        "unsubscribe": message.unsubscribe_url,
        "sent_at": format_instant(message.sent_at),
        "seen": "seen" in message.done,
    }
