"""What Alibaba Cloud posts: receipts (SmsReport) and replies (SmsUp), JSON arrays without a signature.

What proves the caller is the address, which ends in ``callback_key`` of the channel's secret. Source:
https://help.aliyun.com/zh/sms/developer-reference/configure-delivery-receipts-1 and .../smsup-http
"""

import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from waypost import ids
from waypost.channels.callback_contract import (
    JSON,
    CallbackAnswer,
    CallbackNotice,
    CallbackRefused,
    CallbackRequest,
)

RECEIPT: Final = "aliyun.sms"
REPLY: Final = "aliyun.sms.reply"
TAKEN: Final = '{"code":0,"msg":"ok"}'
SHORTEST_KEY: Final = 24
"""Characters of a key that nobody guesses."""
_MOST_OF_AN_ITEM: Final = 20_000
"""Characters. The longest fields are a reply of some hundred characters and 255 of ours."""


def receive(request: CallbackRequest, secret: Mapping[str, Any], *, now: datetime) -> CallbackAnswer | CallbackRefused:
    """See CallbackReader. An item with ``content`` is a reply, one with ``success`` a receipt."""
    del now
    key = str(secret.get("callback_key") or "")
    if len(key) < SHORTEST_KEY or not hmac.compare_digest(request.account.encode(), key.encode()):
        return CallbackRefused("the address does not end in the callback_key")
    if request.method != "POST":
        return CallbackAnswer(text=TAKEN, content_type=JSON)
    try:
        content = json.loads(request.body)
    except (ValueError, RecursionError):
        content = [None]
    items = content if isinstance(content, list) else [content]
    found = [_notice(item) for item in items]
    notices = [each for each in found if each is not None]
    return CallbackAnswer(text=TAKEN, content_type=JSON, notices=notices, unreadable=len(found) - len(notices))


def _notice(item: object) -> CallbackNotice | None:
    if not isinstance(item, dict) or not item.get("phone_number"):
        return None
    text = json.dumps(item, sort_keys=True)
    if len(text) > _MOST_OF_AN_ITEM:
        return None
    if "content" in item:
        return CallbackNotice(source=REPLY, notice_id=ids.digest(REPLY, text), detail=item)
    if "success" in item and item.get("biz_id"):
        reported = [
            str(item.get(name, "")) for name in ("biz_id", "phone_number", "success", "err_code", "report_time")
        ]
        return CallbackNotice(source=RECEIPT, notice_id=ids.digest(RECEIPT, *reported), detail=item)
    return None
