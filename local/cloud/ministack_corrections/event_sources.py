"""Lambda's event source mappings: how batches of queues and streams come to a function. Applied by ``install``."""

# ruff: noqa: SLF001 -- this file works inside MiniStack on purpose; the version is pinned

import time
from typing import Any

from ministack.services import lambda_svc, sqs

from local.cloud.ministack_corrections.replacing import Function, replace

FIFO_CONCURRENCY = 4
"""Batches of one FIFO queue in flight at once; a group is never in two of them."""
LOOK_AGAIN_SECONDS = 0.002
"""Real seconds until the next look at the queues after one that found nothing."""
REDELIVERY_SECONDS = 1.0
"""Real seconds until a message that was not processed comes back, instead of the queue's visibility timeout."""
GATHERING_SECONDS = 2.0
"""Real seconds between two batches of a stream whose mapping gathers for a while, instead of its window."""


def correct() -> None:
    """Apply the corrections of this service."""
    _look_again_soon()
    _process_fifo_groups_side_by_side()
    _bring_unprocessed_messages_back_soon()
    _gather_batches_of_streams()


def _look_again_soon() -> None:
    """Lambda polls a queue all the time; MiniStack rests for 50 ms after any write to a table, and a message waits for that."""
    lambda_svc._ESM_IDLE_WAKE_GAP_SECONDS = LOOK_AGAIN_SECONDS


def _process_fifo_groups_side_by_side() -> None:
    """Lambda works on as many message groups at once as it can; MiniStack does one batch at a time.

    Safe here: ``_collect_fifo`` does not hand out a group that has a message in flight.
    """

    def several(original: Function) -> Function:
        def concurrency(mapping: Any, function: Any, config: Any, queue: Any = None) -> Any:
            return FIFO_CONCURRENCY if (queue or {}).get("is_fifo") else original(mapping, function, config, queue)

        return concurrency

    replace(lambda_svc, "_sqs_esm_concurrency", several)


def _bring_unprocessed_messages_back_soon() -> None:
    """A message that was not processed returns after a second; minutes of a visibility timeout teach nothing here."""

    def soon(original: Function) -> Function:
        def run(mapping: Any, function: Any, event: Any, batch: Any, queue_url: Any, queue_name: Any) -> None:
            original(mapping, function, event, batch, queue_url, queue_name)
            with sqs._queues_lock:
                kept = {message["id"] for message in sqs._get_q(queue_url)["messages"]}
                for message in batch:
                    if message["id"] in kept:
                        message["visible_at"] = min(message["visible_at"], time.time() + REDELIVERY_SECONDS)

        return run

    replace(lambda_svc, "_run_sqs_batch", soon)


def _gather_batches_of_streams() -> None:
    """A stream is read once in its batching window; MiniStack calls the function for every few records it finds.

    What a stream still holds does not count as work under way: nothing that happens to a contact waits for it.
    """

    def gathering(original: Function) -> Function:
        def poll() -> bool:
            before = dict(lambda_svc._dynamodb_stream_positions._data)
            processed = original()
            for key, mapping in list(lambda_svc._esms._data.items()):
                moved = lambda_svc._dynamodb_stream_positions._data.get(key) != before.get(key)
                if moved and mapping.get("MaximumBatchingWindowInSeconds"):
                    lambda_svc._esm_backoff_until._data[key] = time.time() + GATHERING_SECONDS
            return bool(processed)

        return poll

    replace(lambda_svc, "_poll_dynamodb_streams", gathering)
