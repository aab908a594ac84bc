"""Which links of a message were followed just now, in DynamoDB: an item for each message and minute, which expires."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from waypost.aws import table
from waypost.aws.translation import translates_errors

_KEPT: Final = timedelta(days=1)


@translates_errors
@dataclass(frozen=True, slots=True)
class DynamoRecentClicks:
    """RecentClicks on the contacts table: one write for each click. An item has an attribute for each link of the message."""

    client: Any
    table_name: str

    def note(self, contact_id: str, message_key: str, *, link: int, at: datetime) -> Mapping[int, datetime]:
        """See RecentClicks."""
        answer = self.client.update_item(
            TableName=self.table_name,
            Key=table.key(f"clicks#{contact_id}", f"{message_key}#{at:%Y-%m-%dT%H:%M}"),
            UpdateExpression="SET #link = :at, #expires_at = :expires_at",
            ExpressionAttributeNames={"#link": f"link{link}", "#expires_at": "expires_at"},
            ExpressionAttributeValues=table.dump_item(
                {":at": int(at.timestamp()), ":expires_at": int((at + _KEPT).timestamp())}
            ),
            ReturnValues="ALL_NEW",
        )
        item = table.load_item(answer["Attributes"])
        return {
            int(name.removeprefix("link")): datetime.fromtimestamp(int(value), UTC)
            for name, value in item.items()
            if name.startswith("link")
        }
