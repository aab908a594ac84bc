"""When a webhook is tried again. Used by the deliverer.

The schedule is the one that Standard Webhooks gives as its example (Immediately, 5 seconds, 5 minutes, 30 minutes, 2, 5
and 10 hours, then longer), with the pauses after ten hours cut to eleven: a queue hides a message for twelve at most.
Thirteen attempts span three and a half days.
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md, "Deliverability and reliability"
"""

from datetime import timedelta
from typing import Final

from waypost import ids

PAUSES: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    *[timedelta(hours=11)] * 6,
)
"""After each failed attempt but the last."""

ATTEMPTS: Final = len(PAUSES) + 1
LONGEST_PAUSE: Final = timedelta(hours=11, minutes=45)
"""SQS hides a message for twelve hours at most and counts from its receipt, so the posts of a batch come off.

Source: SQS API Reference, ChangeMessageVisibility.
"""

_JITTER: Final = 0.05


def pause_after(attempt: int, webhook_id: str, *, retry_after: timedelta | None = None) -> timedelta | None:
    """How long to wait after this attempt (1: the first), or None when it was the last.

    Up to five per cent more or less, by webhook, so that what failed together does not come back together. A receiver
    that asks for more time gets it.
    """
    if attempt >= ATTEMPTS:
        return None
    pause = PAUSES[attempt - 1]
    spread = ids.share(webhook_id, str(attempt)) * 2 - 1
    return min(max(pause * (1 + _JITTER * spread), retry_after or timedelta(0)), LONGEST_PAUSE)
