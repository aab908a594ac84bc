"""Forgets the deduplication ids of FIFO queues in the order of their end. Used by the emulator process.

SQS knows an id for five minutes. MiniStack copies all that a queue knows for every message that comes in: with a crowd of some
thousand contacts that is more work than the messages themselves.
"""

import time
from typing import Any

from ministack.services import sqs

from local.cloud.ministack_corrections.replacing import Function, replace


def forget_in_order() -> None:
    """Make the queues of this process drop from the front what has ended: ids are noted in the order in which they end."""

    def in_order(_: Function) -> Function:
        return prune

    replace(sqs, "_prune_dedup", in_order)


def prune(queue: dict[str, Any]) -> None:
    """Drop the ids of a queue that have ended."""
    now, known = time.time(), queue["dedup_cache"]
    while known:
        first = next(iter(known))
        if known[first]["expire"] > now:
            return
        del known[first]
