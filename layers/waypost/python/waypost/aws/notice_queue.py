"""The queue of what providers report, which EventBridge fills too. Used by the receiver of callbacks."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from waypost.aws.queue import send_all
from waypost.aws.translation import translates_errors
from waypost.channels.callback_contract import CallbackNotice


@translates_errors
@dataclass(frozen=True, slots=True)
class SqsNoticeQueue:
    """A NoticeQueue on an SQS queue; ``client`` is boto3's for ``sqs``."""

    client: Any
    url: str

    def put(self, notices: Sequence[CallbackNotice]) -> None:
        """See NoticeQueue."""
        send_all(self.client, self.url, [{"MessageBody": body_of(notice)} for notice in notices])


def body_of(notice: CallbackNotice) -> str:
    """The notice in the form of an EventBridge event; escaped to ASCII, because SQS refuses some characters of JSON."""
    content = {"source": notice.source, "id": notice.notice_id, "detail": notice.detail}
    return json.dumps(content, separators=(",", ":"))
