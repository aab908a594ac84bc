"""Access tokens of providers in DynamoDB, where the table's key encrypts them. Used by the providers of WeChat and WeCom."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from waypost.aws import table
from waypost.aws.translation import translates_errors
from waypost.clock import format_instant, parse_instant
from waypost.tencent.access_tokens import AccessToken

_SK: Final = "access_token"
_KEPT: Final = timedelta(days=1)
"""How long after its end a token's item may lie about."""


@translates_errors
@dataclass(frozen=True, slots=True)
class DynamoAccessTokens:
    """A TokenStore on the contacts table: an item for each account, with its token and the lease of who gets the next one."""

    client: Any
    table_name: str

    def load(self, name: str) -> AccessToken | None:
        """See TokenStore."""
        answer = self.client.get_item(TableName=self.table_name, Key=_key(name), ConsistentRead=True)
        item = table.load_item(answer["Item"]) if "Item" in answer else {}
        return AccessToken(item["token"], parse_instant(item["ends_at"])) if "token" in item else None

    def lease(self, name: str, *, seen: AccessToken | None, now: datetime, until: datetime) -> bool:
        """See TokenStore. A write repeated after a lost answer finds the lease taken: it ends by itself within seconds."""
        values = {":now": format_instant(now), ":until": format_instant(until)}
        if seen is None:
            same = "attribute_not_exists(#version)"
        else:
            same, values = "#version = :version", values | {":version": seen.version}
        return table.written(
            self.client,
            {
                "TableName": self.table_name,
                "Key": _key(name),
                "UpdateExpression": "SET #leased_until = :until",
                "ConditionExpression": f"{same} AND (attribute_not_exists(#leased_until) OR #leased_until <= :now)",
                "ExpressionAttributeNames": {"#version": "version", "#leased_until": "leased_until"},
                "ExpressionAttributeValues": table.dump_item(values),
            },
        )

    def save(self, name: str, token: AccessToken) -> None:
        """See TokenStore."""
        item = {
            "token": token.text,
            "version": token.version,
            "ends_at": format_instant(token.expires_at),
            "expires_at": int((token.expires_at + _KEPT).timestamp()),
        }
        self.client.put_item(TableName=self.table_name, Item=_key(name) | table.dump_item(item))

    def release(self, name: str) -> None:
        """See TokenStore."""
        self.client.update_item(
            TableName=self.table_name,
            Key=_key(name),
            UpdateExpression="REMOVE #leased_until",
            ExpressionAttributeNames={"#leased_until": "leased_until"},
        )


def _key(name: str) -> table.Item:
    return table.key(f"token#{name}", _SK)
