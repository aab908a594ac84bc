"""What senders posted and no event could be made of: an SQS queue that only an operator reads. Used by receive_webhook."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from waypost.aws.queue import send_all
from waypost.aws.translation import translates_errors
from waypost.clock import format_instant
from waypost.intake.request_outcome import RejectedItem

MAX_ITEM: Final = 100_000
"""Characters that are kept of an item: escaped and with its reasons it fits a message."""

_MOST_REASONS: Final = 20
_LONGEST_REASON: Final = 250


@translates_errors
@dataclass(frozen=True, slots=True)
class SqsRejectedItems:
    """RejectedItems in a queue; ``client`` is boto3's for ``sqs``."""

    client: Any
    url: str

    def keep(self, items: Sequence[RejectedItem]) -> None:
        """See RejectedItems."""
        send_all(self.client, self.url, [_entry(item) for item in items])


def _entry(item: RejectedItem) -> dict[str, Any]:
    """``{source, where, received_at, correlation_id, problems, given}``; ``given`` is the item as JSON text, cut when long."""
    reasons = [f"{problem.field}: {problem.reason}" for problem in item.problems[:_MOST_REASONS]]
    body = {
        "source": item.source,
        "where": item.where,
        "received_at": format_instant(item.received_at),
        "correlation_id": item.correlation_id,
        "problems": reasons,
        "given": json.dumps(item.given, ensure_ascii=True)[:MAX_ITEM],
    }
    return {
        "MessageBody": json.dumps(body, separators=(",", ":")),
        "MessageAttributes": {
            "source": {"DataType": "String", "StringValue": item.source},
            "reason": {"DataType": "String", "StringValue": _plain(reasons[0])},
        },
    }


def _plain(text: str) -> str:
    """A text that SQS takes as an attribute."""
    return text.encode("ascii", "backslashreplace").decode()[:_LONGEST_REASON]
