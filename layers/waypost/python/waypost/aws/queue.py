"""The events queue: SQS FIFO, one message group per contact, one deduplication id per event. Used by the receivers."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from waypost import ids
from waypost.aws.translation import translates_errors
from waypost.errors import TemporarilyUnavailable
from waypost.events.envelope import Event

MAX_ENTRIES: Final = 10
MAX_BYTES: Final = 256 * 1024
"""Of one call. SQS takes 1 MiB since 2025, but its documentation for the China regions still says 256 KiB."""

ATTEMPTS: Final = 3

_DEDUPLICATION_ID: Final = re.compile(r"[A-Za-z0-9!-/:-@\[-`{-~]{1,128}")


@translates_errors
@dataclass(frozen=True, slots=True)
class SqsEventQueue:
    """An EventQueue on an SQS FIFO queue; ``client`` is boto3's for ``sqs``."""

    client: Any
    url: str

    def send(self, events: Sequence[Event]) -> None:
        """See EventQueue.

        What SQS refuses of a call is sent again at once, before later events, twice at most. SQS drops an event that it
        took in the last five minutes, so that a repeated request leaves one message.
        """
        send_all(self.client, self.url, [_entry(event) for event in events])


def send_all(client: Any, url: str, entries: Sequence[Mapping[str, Any]]) -> None:
    """Put messages into a queue, in this order; ``entries`` are those of SendMessageBatch without ``Id``.

    Raises TemporarilyUnavailable when SQS refuses some of them three times.
    """
    for batch in _batches(entries):
        _send_batch(client, url, batch)


def _send_batch(client: Any, url: str, batch: list[Mapping[str, Any]]) -> None:
    codes: list[str] = []
    for _ in range(ATTEMPTS):
        entries = [{"Id": str(number), **entry} for number, entry in enumerate(batch)]
        failed = client.send_message_batch(QueueUrl=url, Entries=entries).get("Failed", [])
        if not failed:
            return
        codes = sorted({str(failure.get("Code", "")) for failure in failed})
        batch = [batch[number] for number in sorted(int(failure["Id"]) for failure in failed)]
    raise TemporarilyUnavailable(f"SendMessageBatch: {len(batch)} messages refused: {', '.join(codes)}")


def _entry(event: Event) -> dict[str, str]:
    """One message; escaped to ASCII, because SQS refuses some characters that JSON allows."""
    return {
        "MessageBody": json.dumps(event.to_dict(), separators=(",", ":")),
        "MessageGroupId": event.group,
        "MessageDeduplicationId": event.id
        if _DEDUPLICATION_ID.fullmatch(event.id)
        else ids.digest(event.id, length=64),
    }


def _batches(entries: Sequence[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    batch: list[Mapping[str, Any]] = []
    size = 0
    for entry in entries:
        length = len(entry["MessageBody"])
        if batch and (len(batch) == MAX_ENTRIES or size + length > MAX_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += length
    if batch:
        yield batch


def bodies(event: Mapping[str, Any]) -> dict[str, str]:
    """The messages that Lambda hands over of a queue: body by message id."""
    return {record["messageId"]: record["body"] for record in event["Records"]}


def to_be_delivered_again(message_ids: Iterable[str]) -> dict[str, Any]:
    """A function's answer to a queue that reports failures message by message."""
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in message_ids]}
