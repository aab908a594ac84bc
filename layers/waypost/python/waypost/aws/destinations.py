"""What delivering to other systems keeps and reads in AWS, and the batches it comes in. Used by deliver_event."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, assert_never

from waypost import ids
from waypost.aws import table
from waypost.aws.secrets import SecretsManagerSecret
from waypost.aws.translation import translates_errors
from waypost.clock import format_instant, parse_instant, real_now
from waypost.destinations.deliver_event import Delivered, DeliverEvent, GivenUp, NotWanted, Outcome, TryAgain
from waypost.destinations.ports import DestinationStates
from waypost.errors import FinalError, RetryableError, WaypostError

KNOWN_FOR: Final = timedelta(minutes=1)
"""How long a destination that is not disabled is believed to be so, without looking again."""
OUR_OWN_PAUSE: Final = timedelta(seconds=30)
REASON_LIMIT: Final = 1000  # characters
_STATE: Final = "state"


@translates_errors
@dataclass(frozen=True, slots=True)
class DynamoDestinationStates:
    """DestinationStates on the contacts table: one item for each destination that is disabled."""

    client: Any
    table_name: str

    def disabled_since(self, destination: str, url: str) -> datetime | None:
        """See DestinationStates."""
        answer = self.client.get_item(TableName=self.table_name, Key=_key(destination), ConsistentRead=True)
        item = table.load_item(answer["Item"]) if "Item" in answer else None
        return parse_instant(item["disabled_at"]) if item and item["url_hash"] == _hash(url) else None

    def disable(self, destination: str, url: str, *, at: datetime) -> None:
        """See DestinationStates. The URL may hold a token, so only its hash is kept."""
        item = {"disabled_at": format_instant(at), "url_hash": _hash(url), "reason": "410 Gone"}
        self.client.put_item(TableName=self.table_name, Item=_key(destination) | table.dump_item(item))

    def enable(self, destination: str) -> None:
        """See DestinationStates."""
        self.client.delete_item(TableName=self.table_name, Key=_key(destination))


@dataclass(slots=True)
class RememberedStates:
    """DestinationStates that looks again after a minute, so that not every delivery pays for a read."""

    states: DestinationStates
    clock: Callable[[], datetime] = real_now
    _known: dict[tuple[str, str], tuple[datetime, datetime | None]] = field(default_factory=dict, init=False)

    def disabled_since(self, destination: str, url: str) -> datetime | None:
        """See DestinationStates."""
        now = self.clock()
        known = self._known.get((destination, url))
        if known is None or now - known[0] >= KNOWN_FOR:
            known = (now, self.states.disabled_since(destination, url))
            self._known[destination, url] = known
        return known[1]

    def disable(self, destination: str, url: str, *, at: datetime) -> None:
        """See DestinationStates."""
        self.states.disable(destination, url, at=at)
        self._known.clear()

    def enable(self, destination: str) -> None:
        """See DestinationStates."""
        self.states.enable(destination)
        self._known.clear()


@dataclass(slots=True)
class SecretsManagerDestinations:
    """DestinationSecrets: one secret for each destination, ``<prefix><name>``."""

    client: Any
    prefix: str
    _secrets: dict[str, SecretsManagerSecret] = field(default_factory=dict, init=False)

    def read(self, destination: str) -> Mapping[str, Any]:
        """See DestinationSecrets."""
        if destination not in self._secrets:
            self._secrets[destination] = SecretsManagerSecret(self.client, f"{self.prefix}{destination}")
        return self._secrets[destination].read()


@translates_errors
@dataclass(frozen=True, slots=True)
class DestinationQueues:
    """The queue of each destination, and its dead letters; both are found by the name of the queue."""

    client: Any
    queue_prefix: str

    def destination(self, queue_arn: str) -> str:
        """Whose queue this is."""
        return queue_arn.rsplit(":", 1)[-1].removeprefix(self.queue_prefix)

    def hide(self, destination: str, receipt: str, pause: timedelta) -> None:
        """Let a message come back after ``pause``."""
        url = self._url(f"{self.queue_prefix}{destination}")
        seconds = max(1, round(pause.total_seconds()))
        self.client.change_message_visibility(QueueUrl=url, ReceiptHandle=receipt, VisibilityTimeout=seconds)

    def give_up(self, destination: str, body: str, reason: str) -> None:
        """Put a message into the dead letters, with the reason."""
        self.client.send_message(
            QueueUrl=self._url(f"{self.queue_prefix}{destination}-dead-letters"),
            MessageBody=body,
            MessageAttributes={
                "destination": {"DataType": "String", "StringValue": destination},
                "reason": {"DataType": "String", "StringValue": reason[:REASON_LIMIT]},
            },
        )

    def _url(self, name: str) -> str:
        return str(self.client.get_queue_url(QueueName=name)["QueueUrl"])


@dataclass(slots=True, kw_only=True)
class DeliveryBatch:
    """Delivers a batch of one destination's queue; ``outcomes`` has what became of each message."""

    deliverer: DeliverEvent
    queues: DestinationQueues
    outcomes: list[tuple[str, str, Outcome]] = field(default_factory=list, init=False)

    def process(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to SQS: the messages that are to come back, each hidden for as long as it should be."""
        self.outcomes.clear()
        records: Sequence[Mapping[str, Any]] = event["Records"]
        return {"batchItemFailures": [failure for record in records for failure in self._delivered(record)]}

    def _delivered(self, record: Mapping[str, Any]) -> list[dict[str, str]]:
        destination = self.queues.destination(record["eventSourceARN"])
        outcome = self._outcome(destination, record)
        self.outcomes.append((destination, record["messageId"], outcome))
        return [] if self._is_settled(destination, record, outcome) else [{"itemIdentifier": record["messageId"]}]

    def _is_settled(self, destination: str, record: Mapping[str, Any], outcome: Outcome) -> bool:
        """Whether the message may leave the queue.

        One that can be neither hidden nor set aside now comes back after the queue's own time: an error here would bring
        back the whole batch, and what was delivered of it would be posted again.
        """
        match outcome:
            case Delivered() | NotWanted():
                return True
            case GivenUp(reason=reason):
                with suppress(WaypostError):
                    self.queues.give_up(destination, record["body"], reason)
                    return True
                return False
            case TryAgain(pause=pause):
                with suppress(WaypostError):
                    self.queues.hide(destination, record["receiptHandle"], pause)
                return False
            case _:
                assert_never(outcome)

    def _outcome(self, destination: str, record: Mapping[str, Any]) -> Outcome:
        attempt = int(record["attributes"]["ApproximateReceiveCount"])
        try:
            detail = json.loads(record["body"])["detail"]
            return self.deliverer.deliver(destination, detail, attempt=attempt)
        except RetryableError as error:
            return TryAgain(str(error), OUR_OWN_PAUSE)
        except (FinalError, KeyError, TypeError, ValueError) as error:
            return GivenUp(f"{type(error).__name__}: {error}")


def _key(destination: str) -> table.Item:
    return table.key(f"destination#{destination}", _STATE)


def _hash(url: str) -> str:
    return ids.digest("url", url)
