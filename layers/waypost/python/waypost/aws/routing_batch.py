"""Routes a batch of queue messages, in order per contact, with partial failures. Used by route_events.

What can never be routed goes to the dead-letter queue at once, with its reason. What may succeed later is given back
to the queue together with everything behind it in its group, and goes to the dead-letter queue when it has been tried
``MAX_RECEIVES`` times. The queue's own limit is far higher: it counts receives of messages that only stood behind a
failed one, and would drop them untried.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from aws_lambda_powertools.utilities.batch import SqsFifoPartialProcessor
from aws_lambda_powertools.utilities.batch.exceptions import SQSFifoMessageGroupCircuitBreakerError
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from waypost.aws.translation import translates_errors
from waypost.errors import FinalError, InvalidInput
from waypost.events.envelope import Event
from waypost.routing.route_events import Routed, RouteEvents

MAX_RECEIVES: Final = 5
REASON_LIMIT: Final = 1000  # characters


@translates_errors
@dataclass(frozen=True, slots=True)
class SqsDeadLetters:
    """The dead-letter queue, for messages we give up ourselves."""

    client: Any
    queue_url: str

    def put(self, record: SQSRecord, error: BaseException) -> None:
        """Move a message there, with the error's name and text as attributes."""
        reason = f"{type(error).__name__}: {error}"
        self.client.send_message(
            QueueUrl=self.queue_url,
            MessageBody=record.body,
            MessageGroupId=record.attributes.message_group_id,
            MessageDeduplicationId=record.message_id,
            MessageAttributes={
                "error": {"DataType": "String", "StringValue": type(error).__name__},
                "reason": {"DataType": "String", "StringValue": reason[:REASON_LIMIT]},
            },
        )


class _Group(SqsFifoPartialProcessor):
    """Powertools' FIFO processor for the messages of one group, with a dead-letter queue that knows the reason."""

    def __init__(self, router: RouteEvents, dead_letters: SqsDeadLetters) -> None:
        super().__init__(skip_group_on_error=True)
        self.raise_on_entire_batch_failure = False
        self.router = router
        self.dead_letters = dead_letters
        self.dead_lettered: list[tuple[str, BaseException]] = []
        self.routed: list[Routed] = []
        self.stopped_by: Exception | None = None

    def route(self, record: SQSRecord) -> None:
        """Route one message of the queue."""
        self.routed.append(self.router.route(_event(record.body)))

    def failure_handler(self, record: Any, exception: Any) -> Any:
        """Dead-letter what is hopeless, give back the rest."""
        error = exception[1]
        stood_behind = isinstance(error, SQSFifoMessageGroupCircuitBreakerError)
        receives = int(record.attributes.approximate_receive_count)
        hopeless = isinstance(error, FinalError) or receives >= MAX_RECEIVES
        if stood_behind or not hopeless:
            return super().failure_handler(record, exception)
        self.dead_letters.put(record, error)
        self.dead_lettered.append((record.message_id, error))
        return self.success_handler(record, None)

    def process_records(self, records: list[dict[str, Any]]) -> set[str]:
        """The ids of the messages to be delivered again."""
        try:
            with self(records=records, handler=self.route):
                self.process()
        except Exception as error:  # noqa: BLE001 - raised by the batch, when no group is at work any more
            self.stopped_by = error
            return set()
        return {str(failure["itemIdentifier"]) for failure in self.response()["batchItemFailures"]}


class RoutingBatch:
    """Routes the groups of a batch side by side, each in its order.

    Groups are contacts, as far as the sender of an event knew: two groups may turn out to be one contact, as two batches of
    two invocations may. ``side_by_side`` is a ``map``; its threads are not the router's own, which would wait for themselves.
    """

    def __init__(
        self, router: RouteEvents, dead_letters: SqsDeadLetters, *, side_by_side: Callable[..., Iterable[Any]] = map
    ) -> None:
        self.router = router
        self.dead_letters = dead_letters
        self.side_by_side = side_by_side
        self.dead_lettered: list[tuple[str, BaseException]] = []
        self.routed: list[Routed] = []
        self.exceptions: list[BaseException] = []

    def process_batch(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Route every message of an SQS event; the answer names those to be delivered again.

        Raises what the dead-letter queue raised, when every group is done: the whole batch is delivered again.
        """
        records = batch["Records"]
        by_group: dict[str, list[dict[str, Any]]] = {}
        for record in records:
            by_group.setdefault(record["attributes"]["MessageGroupId"], []).append(record)
        groups = [_Group(self.router, self.dead_letters) for _ in by_group]
        again = set().union(*self.side_by_side(_Group.process_records, groups, by_group.values()))
        self.routed = [routed for group in groups for routed in group.routed]
        self.dead_lettered = [letter for group in groups for letter in group.dead_lettered]
        self.exceptions = [error for group in groups for _, error, _ in group.exceptions if error]
        for group in groups:
            if group.stopped_by:
                raise group.stopped_by
        failures = [record["messageId"] for record in records if record["messageId"] in again]
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failures]}


def _event(body: str) -> Event:
    """Raises InvalidInput for what is no event: no retry would help."""
    try:
        value = json.loads(body)
    except ValueError as error:
        raise InvalidInput("body", f"is no JSON: {error}") from error
    return Event.from_dict(value)
