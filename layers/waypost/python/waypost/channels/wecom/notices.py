"""What WeCom says of customers and members, as events of the customer. It comes to the callback address (``callbacks``).

WeCom reports nothing of messages. Source: https://developer.work.weixin.qq.com/document/path/92130
"""

from collections.abc import Mapping
from typing import Any, Final

from waypost.channels.contract import Happened, NoticeReader
from waypost.channels.wecom.callbacks import CUSTOMER
from waypost.staff.relations import ADDED, REMOVED, STAFF
from waypost.tencent.callbacks import created_at

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


SOURCES: Final[Mapping[str, NoticeReader]] = {CUSTOMER: read_customer}
