"""The ids of accepted webhooks, in the contacts table. Used by the webhook receiver."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from waypost.aws import table
from waypost.aws.translation import translates_errors
from waypost.clock import real_now

KEPT_FOR: Final = timedelta(days=1)
"""Far longer than a signature is young enough to be accepted (five minutes)."""


@translates_errors
@dataclass(frozen=True, slots=True)
class DynamoWebhookLog:
    """A WebhookLog on the contacts table. Expiry is a security matter, so it goes by the real clock."""

    client: Any
    table_name: str
    clock: Callable[[], datetime] = real_now

    def has(self, source: str, webhook_id: str) -> bool:
        """See WebhookLog. An item that TTL has not tidied up yet counts as gone."""
        answer = self.client.get_item(TableName=self.table_name, Key=_key(source, webhook_id), ConsistentRead=True)
        return "Item" in answer and int(answer["Item"]["expires_at"]["N"]) > self.clock().timestamp()

    def add(self, source: str, webhook_id: str) -> None:
        """See WebhookLog."""
        expires_at = int((self.clock() + KEPT_FOR).timestamp())
        self.client.put_item(
            TableName=self.table_name, Item=_key(source, webhook_id) | table.dump_item({"expires_at": expires_at})
        )


def _key(source: str, webhook_id: str) -> table.Item:
    return table.key(f"webhook#{source}#{webhook_id}", "webhook")
