"""What WeChat posts about an account: who follows, scans, taps and writes. The address ends in the account's app id.

Passwords stand in the channel's secret: ``<app id>.token`` and, for safe mode, ``<app id>.encoding_key``. Source:
https://developers.weixin.qq.com/doc/service/guide/dev/push/
"""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, assert_never

from waypost import ids
from waypost.channels.callback_contract import AtOnce, CallbackAnswer, CallbackNotice, CallbackRefused, CallbackRequest
from waypost.channels.wechat.channel import ANSWERED_WITHIN, UNTIL
from waypost.tencent.callbacks import SUCCESS, Callback, CallbackKeys, NotGenuine, as_xml, created_at, echo, read, reply

EVENT: Final = "wechat.event"
UNFOLLOWED: Final = "wechat.unfollowed"
_LISTS: Final[Mapping[str, str]] = {
    "subscribe_msg_popup_event": "SubscribeMsgPopupEvent",
    "subscribe_msg_sent_event": "SubscribeMsgSentEvent",
}
"""The events that say something of several templates, and the element in which XML has the list."""
_MOST_TEMPLATES: Final = 5
"""A pop-up asks for three templates at most, in an official account for five."""
_LONGEST: Final = 2_048
"""Characters of a field: the longest text that a follower can write."""
TAPS: Final = frozenset({
    "click", "scancode_push", "scancode_waitmsg", "pic_sysphoto", "pic_photo_or_album", "pic_weixin", "location_select",
})  # fmt: skip
"""What opens the conversation for a minute; a tap on a link (VIEW) does not."""
_ANSWERED: Final = TAPS | {"", "subscribe", "scan"}
"""The events that a reply may answer; "" stands for a message."""


def receive(request: CallbackRequest, secret: Mapping[str, Any], *, now: datetime) -> CallbackAnswer | CallbackRefused:
    """See CallbackReader."""
    keys = CallbackKeys(
        owner=request.account,
        token=str(secret.get(f"{request.account}.token") or ""),
        encoding_key=str(secret.get(f"{request.account}.encoding_key") or ""),
    )
    found = (
        echo(keys, request.query, now=now)
        if request.method == "GET"
        else read(keys, request.query, request.body, now=now)
    )
    match found:
        case NotGenuine():
            return CallbackRefused(found.reason)
        case str():
            return CallbackAnswer(text=found)
        case Callback():
            notices = _notices(request.account, found)
            return CallbackAnswer(
                text=SUCCESS,
                notices=notices,
                unreadable=0 if notices else 1,
                at_once=_at_once(keys, found, notices, now=now),
            )
        case _:
            assert_never(found)


def _at_once(keys: CallbackKeys, callback: Callback, notices: list[CallbackNotice], *, now: datetime) -> AtOnce | None:
    """What a reply may answer; the reply goes into the answer as the callbacks come, in clear or encrypted."""
    document = callback.document
    if not notices or str(document.get("Event", "")).lower() not in _ANSWERED:
        return None
    until = (created_at(document) or now) + ANSWERED_WITHIN
    parties = {"ToUserName": document["FromUserName"], "FromUserName": document.get("ToUserName", "")}

    def write(message: Mapping[str, Any]) -> str:
        """The reply as WeChat reads it."""
        text = as_xml({**parties, "CreateTime": int(now.timestamp()), **message})
        return reply(keys, text, now=now, nonce=str(secrets.randbelow(10**10)))

    return AtOnce(notice=notices[0], given={UNTIL: str(int(until.timestamp()))}, within=ANSWERED_WITHIN, write=write)


def _notices(account: str, callback: Callback) -> list[CallbackNotice]:
    """One for what happened; an unfollow is a withdrawal too, and what WeChat says without a follower is neither."""
    document = callback.document
    if not document.get("FromUserName") or not document.get("MsgType"):
        return []
    detail = {
        "account": account,
        "document": {
            name: value[:_LONGEST] if isinstance(value, str) else value
            for name, value in document.items()
            if name not in {"ToUserName", "Encrypt"}
        },
    }
    happened = callback.occurrence
    if answers := of_templates(document):
        return [
            CallbackNotice(
                source=EVENT,
                notice_id=ids.digest(happened, str(number)),
                detail={**detail, "document": {**_who(document), "List": answer}},
            )
            for number, answer in enumerate(answers[:_MOST_TEMPLATES])
        ]
    notices = [CallbackNotice(source=EVENT, notice_id=happened, detail=detail)]
    if str(document.get("Event", "")).lower() == "unsubscribe":
        notices.append(CallbackNotice(source=UNFOLLOWED, notice_id=ids.digest(UNFOLLOWED, happened), detail=detail))
    return notices


def of_templates(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What was answered to each template of a pop-up, or became of the messages of templates.

    XML has ``List`` in an element of its own, JSON has it alone; where it is about one template, ``List`` is that one.
    """
    element = _LISTS.get(str(document.get("Event", "")))
    if element is None:
        return []
    within = document.get(element)
    found = within.get("List") if isinstance(within, dict) else document.get("List")
    if isinstance(found, dict):
        return [found]
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _who(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: document[name] for name in ("FromUserName", "CreateTime", "MsgType", "Event") if name in document}
