"""What WeCom posts about customers and the members who serve them. The address ends in the company's id.

Passwords stand in the channel's secret: ``callback_token`` and ``encoding_key``; WeCom encrypts every callback. Source:
https://developer.work.weixin.qq.com/document/path/92130
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, assert_never

from waypost.channels.callback_contract import AtOnce, CallbackAnswer, CallbackNotice, CallbackRefused, CallbackRequest
from waypost.channels.wecom.welcome import CODE, UNTIL, WITHIN
from waypost.tencent.callbacks import SUCCESS, Callback, CallbackKeys, NotGenuine, created_at, echo, read

CUSTOMER: Final = "wecom.customer"
_CUSTOMERS_CHANGED: Final = "change_external_contact"
_LONGEST: Final = 256
"""Characters of a field; a State has 30 at most."""
_KEPT: Final = (
    "FromUserName", "CreateTime", "Event", "ChangeType", "UserID", "ExternalUserID", "State", "Source", "FailReason"
)  # fmt: skip
"""What is kept of a callback. A WelcomeCode is good for 20 seconds, and must not be found later."""


def receive(request: CallbackRequest, secret: Mapping[str, Any], *, now: datetime) -> CallbackAnswer | CallbackRefused:
    """See CallbackReader."""
    keys = CallbackKeys(
        owner=request.account,
        token=str(secret.get("callback_token") or ""),
        encoding_key=str(secret.get("encoding_key") or ""),
    )
    if not keys.encoding_key:
        return CallbackRefused("the encoding key of WeCom's callbacks is not set")
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
            return _taken(found, now)
        case _:
            assert_never(found)


def _taken(callback: Callback, now: datetime) -> CallbackAnswer:
    """What concerns no customer, such as the company's list of tags, is answered and left."""
    document = callback.document
    if document.get("Event") != _CUSTOMERS_CHANGED:
        return CallbackAnswer(text=SUCCESS)
    if not (document.get("ExternalUserID") and document.get("ChangeType")):
        return CallbackAnswer(text=SUCCESS, unreadable=1)
    kept = {name: str(document[name])[:_LONGEST] for name in _KEPT if name in document}
    notice = CallbackNotice(source=CUSTOMER, notice_id=callback.occurrence, detail={"document": kept})
    code = str(document.get("WelcomeCode") or "")
    if not code:
        return CallbackAnswer(text=SUCCESS, notices=[notice])
    until = (created_at(document) or now) + WITHIN
    given = {CODE: code, UNTIL: str(int(until.timestamp()))}
    return CallbackAnswer(text=SUCCESS, notices=[notice], at_once=AtOnce(notice=notice, given=given, within=WITHIN))
