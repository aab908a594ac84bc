"""What WeChat says of followers, as events. It comes to the account's callback address (``callbacks``).

Sources: https://developers.weixin.qq.com/doc/service/guide/product/message/Receiving_event_pushes.html and
.../Receiving_standard_messages.html
"""

from collections.abc import Mapping
from typing import Any, Final

from waypost.channels.contract import Happened, NoticeReader, Replied, Reported
from waypost.channels.wechat.callbacks import EVENT, TAPS, UNFOLLOWED, of_templates
from waypost.tencent.callbacks import created_at

_SCENE: Final = "qrscene_"
_MOST_TEXT: Final = 1_600
_ACCEPTED: Final = frozenset({"accept", "acceptWithAlert", "acceptWithAudio", "acceptWithForcePush"})


def read_event(detail: Mapping[str, Any]) -> Happened | Reported | None:
    """See NoticeReader. None for events that say nothing of the follower's will, such as where somebody is."""
    if (result := _result(detail)) is not None:
        return result
    event, properties = _meaning(detail["document"])
    if not event:
        return None
    return Happened(
        event=event,
        address=_address(detail),
        properties={"account": detail["account"], **properties},
        occurred_at=created_at(detail["document"]),
    )


def _result(detail: Mapping[str, Any]) -> Reported | None:
    """What became of a message; None for anything else, and where WeChat does not say of which.

    It has no id for a template message with a ``client_msg_id``, as all of ours are.
    """
    document = detail["document"]
    event = str(document.get("Event", "")).lower()
    reported: Mapping[str, Any] = document
    if event == "subscribe_msg_sent_event":
        reported = next(iter(of_templates(document)), {})
        code, word = str(reported.get("ErrorCode", "")), str(reported.get("ErrorStatus", ""))
        arrived, blocked = code == "0", False
        word = word if arrived else f"{code} {word}".strip()
    elif event == "templatesendjobfinish":
        word = str(document.get("Status", ""))
        arrived, blocked = word == "success", "user block" in word
    else:
        return None
    message_id = str(reported.get("MsgID", ""))
    if message_id in {"", "0"}:
        return None
    failure = {"reason": word, **({"suppression": "blocked"} if blocked else {})}
    return Reported(
        event="message_delivered" if arrived else "message_failed",
        provider_word=word or "success",
        provider_message_id=message_id,
        tags={},
        occurred_at=created_at(document),
        properties={} if arrived else failure,
        recipient=_address(detail),
        untagged=True,
    )


def _meaning(document: Mapping[str, Any]) -> tuple[str, Mapping[str, str]]:
    """The type of the event and its properties; the type is "" where there is none."""
    kind, key = str(document["MsgType"]), str(document.get("EventKey") or "")
    meaning: tuple[str, Mapping[str, str]] = ("", {})
    match "" if kind != "event" else str(document.get("Event", "")).lower():
        case "":
            text = str(document.get("Content") or document.get("Recognition") or "")
            meaning = "wechat_message_received", {"text": text[:_MOST_TEXT], "kind": kind}
        case "subscribe":
            meaning = "wechat_followed", {"scene": key.removeprefix(_SCENE)}
        case "unsubscribe":
            meaning = "wechat_unfollowed", {}
        case "scan":
            meaning = "wechat_scanned", {"scene": key}
        case "view" | "view_miniprogram":
            meaning = "wechat_link_opened", {"key": key}
        case "templatesendjobfinish":
            status, message_id = str(document.get("Status", "")), str(document.get("MsgID", ""))
            meaning = "wechat_template_finished", {"status": status, "provider_message_id": message_id}
        case "subscribe_msg_popup_event":
            # a refusal is no event, because there is nothing to take back
            agreed = (each for each in of_templates(document) if each.get("SubscribeStatusString") in _ACCEPTED)
            if template := str(next(agreed, {}).get("TemplateId", "")):
                meaning = "wechat_subscription_accepted", {"template": template}
        case tap if tap in TAPS:
            meaning = "wechat_menu_clicked", {"key": key}
    return meaning


def read_unfollowed(detail: Mapping[str, Any]) -> Replied:
    """See NoticeReader: who unfollows wants no marketing from the account any more."""
    return Replied(
        sender=_address(detail),
        text="unsubscribe",
        wish="opt_out",
        reply_id="",
        occurred_at=created_at(detail["document"]),
    )


def _address(detail: Mapping[str, Any]) -> str:
    return f"{detail['account']}:{detail['document']['FromUserName']}"


SOURCES: Final[Mapping[str, NoticeReader]] = {EVENT: read_event, UNFOLLOWED: read_unfollowed}
