"""Inboxes in DynamoDB: under an address's digest a counter, and ``SLOTS`` slots over which the messages go round.

Used by the channel ``inbox`` and by its feed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, get_args

from waypost.aws import table
from waypost.aws.translation import translates_errors
from waypost.channels.calls import AwsService, FailedCall
from waypost.channels.inbox.box import SLOTS, Act, KeptMessage
from waypost.clock import format_instant, parse_instant

_COUNTER: Final = "counter"
_SLOT: Final = "slot#"
_ACTS: Final[tuple[Act, ...]] = get_args(Act)


@dataclass(frozen=True, slots=True)
class DynamoInboxWriter:
    """An InboxWriter on the contacts table."""

    service: AwsService
    table_name: str

    def next_number(self, digest: str, *, until: datetime) -> int | FailedCall:
        """See InboxWriter. One write."""
        answer = self.service.call(
            lambda client: client.update_item(
                TableName=self.table_name,
                Key=table.key(_pk(digest), _COUNTER),
                UpdateExpression="SET #expires_at = :until ADD #number :one",
                ExpressionAttributeNames={"#number": "number", "#expires_at": "expires_at"},
                ExpressionAttributeValues=table.dump_item({":one": 1, ":until": int(until.timestamp())}),
                ReturnValues="UPDATED_NEW",
            )
        )
        return int(answer["Attributes"]["number"]["N"]) if isinstance(answer, Mapping) else answer

    def keep(self, digest: str, message: KeptMessage) -> str | FailedCall:
        """See InboxWriter. One write; a message that came fifty later is not overwritten."""
        answer = self.service.call(
            lambda client: client.put_item(
                TableName=self.table_name,
                Item=_key(digest, message) | table.dump_item(_content(message)),
                ConditionExpression="attribute_not_exists(#number) OR #number < :number OR #expires_at <= :now",
                ExpressionAttributeNames={"#number": "number", "#expires_at": "expires_at"},
                ExpressionAttributeValues=table.dump_item(
                    {":number": message.number, ":now": int(message.sent_at.timestamp())}
                ),
            )
        )
        return str(answer["ResponseMetadata"].get("RequestId", "")) if isinstance(answer, Mapping) else answer


@translates_errors
@dataclass(frozen=True, slots=True)
class DynamoInboxReader:
    """An InboxReader on the contacts table."""

    client: Any
    table_name: str

    def messages(self, digest: str, *, consistent: bool) -> Sequence[KeptMessage]:
        """See InboxReader. One query, of fifty small items at most."""
        items = table.query(self.client, self.table_name, pk=_pk(digest), prefix=_SLOT, ConsistentRead=consistent)
        return [_message(item) for item in items]

    def note(self, digest: str, message: KeptMessage, act: Act, *, at: datetime) -> None:
        """See InboxReader. One write."""
        table.written(
            self.client,
            {
                "TableName": self.table_name,
                "Key": _key(digest, message),
                "UpdateExpression": "SET #act = if_not_exists(#act, :at)",
                "ConditionExpression": "#number = :number",
                "ExpressionAttributeNames": {"#act": f"{act}_at", "#number": "number"},
                "ExpressionAttributeValues": table.dump_item({":at": format_instant(at), ":number": message.number}),
            },
        )


def _pk(digest: str) -> str:
    return f"inbox#{digest}"


def _key(digest: str, message: KeptMessage) -> table.Item:
    return table.key(_pk(digest), f"{_SLOT}{message.number % SLOTS:02}")


def _content(message: KeptMessage) -> dict[str, Any]:
    return {
        "number": message.number,
        "user_id": message.user_id,
        "title": message.title,
        "text": message.text,
        "link": message.link,
        "unsubscribe_url": message.unsubscribe_url,
        "tags": message.tags,
        "sent_at": format_instant(message.sent_at),
        "expires_at": int(message.expires_at.timestamp()),
    }


def _message(item: Mapping[str, Any]) -> KeptMessage:
    return KeptMessage(
        number=item["number"],
        user_id=item["user_id"],
        title=item["title"],
        text=item["text"],
        link=item["link"],
        unsubscribe_url=item["unsubscribe_url"],
        tags=item["tags"],
        sent_at=parse_instant(item["sent_at"]),
        expires_at=datetime.fromtimestamp(item["expires_at"], UTC),
        done={act: parse_instant(item[f"{act}_at"]) for act in _ACTS if f"{act}_at" in item},
    )
