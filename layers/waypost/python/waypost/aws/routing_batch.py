"""Routes a batch of queue messages, in order per contact, with partial failures. Used by route_events.

What can never be routed goes to the dead-letter queue at once, with its reason. What may succeed later is given back
to the queue together with everything behind it in its group, and goes to the dead-letter queue when it has been tried
``MAX_RECEIVES`` times. The queue's own limit is far higher: it counts receives of messages that only stood behind a
failed one, and would drop them untried.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aws_lambda_powertools.utilities.batch import SqsFifoPartialProcessor
from aws_lambda_powertools.utilities.batch.exceptions import SQSFifoMessageGroupCircuitBreakerError
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from waypost.aws.translation import translates_errors
from waypost.errors import FinalError, InvalidInput, WaypostError
from waypost.events.envelope import Event
from waypost.routing.route_events import Acted, Routed, RouteEvents

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


class RoutingBatch(SqsFifoPartialProcessor):
    """Powertools' FIFO processor, with a dead-letter queue that knows the reason, and with the groups side by side.

    A batch goes by rounds: the next message of every group is acted on, side by side, then all are finished together, and only then
    comes the round after. Groups are contacts, as far as the sender of an event knew: two of them may turn out to be one contact, as
    those of two invocations may. ``side_by_side`` is a ``map``; its threads are not the router's own, which would wait for themselves.
    """

    def __init__(
        self, router: RouteEvents, dead_letters: SqsDeadLetters, *, side_by_side: Callable[..., Iterable[Any]] = map
    ) -> None:
        super().__init__(skip_group_on_error=True)
        self.raise_on_entire_batch_failure = False
        self._current_group_id: str | None = None  # type: ignore[assignment]  # Powertools sets the group at hand
        self.router = router
        self.dead_letters = dead_letters
        self.side_by_side = side_by_side
        self.dead_lettered: list[tuple[str, BaseException]] = []
        self.routed: list[Routed] = []
        self._acted: dict[str, tuple[SQSRecord, Acted]] = {}
        self._ahead: dict[str, Acted | Exception] = {}

    def route(self, record: SQSRecord) -> None:
        """Take what acting on a message of the queue gave; what came before it in its group is finished."""
        outcome = self._ahead[record.message_id]
        if isinstance(outcome, Exception):
            raise outcome
        self._acted[str(record.attributes.message_group_id)] = (record, outcome)

    def _act(self, record: dict[str, Any]) -> Acted | Exception:
        try:
            return self.router.act(_event(record["body"]))
        except Exception as error:  # noqa: BLE001 - raised where its message is at hand
            return error

    def _finish(self) -> None:
        """Publish and mark all that was acted on, together, or have it delivered again."""
        waiting = dict(self._acted)
        self._acted.clear()
        try:
            self.router.finish([acted for _, acted in waiting.values()])
        except WaypostError as error:
            for group, (record, _) in waiting.items():
                self._current_group_id = group
                self.failure_handler(record, (type(error), error, error.__traceback__))
            self._current_group_id = None
            return
        self.routed += [acted.routed for _, acted in waiting.values()]

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

    def process_batch(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Route every message of an SQS event; the answer names those to be delivered again."""
        self.dead_lettered.clear()
        self.routed.clear()
        self._acted.clear()
        with self(records=batch["Records"], handler=self.route):
            for records in _rounds(batch["Records"]):
                free = [each for each in records if each["attributes"]["MessageGroupId"] not in self._failed_group_ids]
                acted = self.side_by_side(self._act, free)
                self._ahead = {each["messageId"]: outcome for each, outcome in zip(free, acted, strict=True)}
                self.records = records
                self.process()
                self._finish()
        return dict(self.response())


def _rounds(records: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """The first message of every group, then the second ones, and so on."""
    rounds: list[list[dict[str, Any]]] = []
    of_group: Counter[str] = Counter()
    for record in records:
        group = record["attributes"]["MessageGroupId"]
        if of_group[group] == len(rounds):
            rounds.append([])
        rounds[of_group[group]].append(record)
        of_group[group] += 1
    yield from rounds


def _event(body: str) -> Event:
    """Raises InvalidInput for what is no event: no retry would help."""
    try:
        value = json.loads(body)
    except ValueError as error:
        raise InvalidInput("body", f"is no JSON: {error}") from error
    return Event.from_dict(value)
