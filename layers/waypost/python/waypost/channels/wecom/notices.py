"""What WeCom says of customers and members, as events of the customer, and what became of messages that members send.

The first comes to the callback address (``callbacks``), the second is asked (``results``). Source: https://developer.work.weixin.qq.com/document/path/92130
"""

from collections.abc import Mapping
from typing import Any, Final

from waypost.channels.contract import Happened, NoticeReader, Reported
from waypost.channels.wecom.callbacks import CUSTOMER
from waypost.clock import parse_instant
from waypost.staff.relations import ADDED, REMOVED, STAFF
from waypost.tencent.callbacks import created_at

TASK: Final = "wecom.task"
SENT: Final = "sent"
WITHDRAWN: Final = "withdrawn"
FAILED: Final = frozenset({"not_a_friend", "had_another", WITHDRAWN})
"""The member is no friend of the customer; the customer has had as many of these messages as they may get; it was not sent."""

_ADDED_BY_CUSTOMER: Final = "contact_added_staff"
"""A customer added a member who lets everybody: the member has not confirmed it yet."""


def read_customer(detail: Mapping[str, Any]) -> Happened | None:
    """See NoticeReader. None for a change that this release does not know."""
    document = detail["document"]
    state = {"state": str(document.get("State", ""))}
    change, properties = "", dict[str, str]()
    match document["ChangeType"]:
        case "add_external_contact":
            change, properties = ADDED, state
        case "add_half_external_contact":
            change, properties = _ADDED_BY_CUSTOMER, state
        case "edit_external_contact":
            change = "staff_edited_contact"
        case "del_external_contact":
            change, properties = REMOVED, {"by": "staff"}
        case "del_follow_user":
            change, properties = REMOVED, {"by": "contact"}
        case "transfer_fail":
            change, properties = "staff_transfer_failed", {"reason": str(document.get("FailReason", ""))}
    if not change:
        return None
    return Happened(
        event=change,
        address=document["ExternalUserID"],
        properties={STAFF: str(document.get("UserID", "")), **properties},
        occurred_at=created_at(document),
    )


def read_task(detail: Mapping[str, Any]) -> Reported:
    """See NoticeReader. To fail closes no address: another member may serve the customer. Raises ValueError for another word."""
    word, happened_at = str(detail["word"]), detail.get("at")
    if word != SENT and word not in FAILED:
        raise ValueError(f"a task of WeCom does not end as {word!r}")
    return Reported(
        event="message_delivered" if word == SENT else "message_failed",
        provider_word=word,
        provider_message_id=detail["message_id"],
        tags=detail["tags"],
        occurred_at=parse_instant(happened_at) if happened_at else None,
        properties={STAFF: str(detail.get("member", "")), **({} if word == SENT else {"reason": word})},
    )


SOURCES: Final[Mapping[str, NoticeReader]] = {CUSTOMER: read_customer, TASK: read_task}
