"""The records of addresses in DynamoDB: one item each, under the address's digest."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from botocore.exceptions import ClientError

from waypost.aws import table
from waypost.aws.translation import translates_errors
from waypost.clock import format_instant, parse_instant
from waypost.contacts.address_record import AddressRecord
from waypost.contacts.channels import Address

_SK: Final = "record"
_WITHDRAWN: Final = "withdrawn/"
"""The prefix of the attribute that holds when a topic was withdrawn: one each, so that no write reads before."""


@translates_errors
@dataclass(frozen=True, slots=True)
class DynamoAddressRecords:
    """AddressRecords on the contacts table."""

    client: Any
    table_name: str

    def of(self, addresses: Collection[Address]) -> dict[str, AddressRecord]:
        """See AddressRecords. One BatchGetItem, a read unit for each address."""
        if not addresses:
            return {}
        keys = {(_pk(address.digest), _SK): address.digest for address in addresses}
        items = table.batch_get(self.client, self.table_name, keys)
        return {keys[item["pk"], _SK]: _record(item) for item in items}

    def suppress(self, digest: str, *, channel: str, reason: str, at: datetime) -> None:
        """See AddressRecords. One write."""
        self._write(digest, "suppressed_at", at, {"channel": channel, "suppression": reason})

    def withdraw(self, digest: str, *, channel: str, topic: str, at: datetime) -> None:
        """See AddressRecords. One write."""
        self._write(digest, f"{_WITHDRAWN}{topic}", at, {"channel": channel})

    def lift(self, digest: str, *, channel: str, at: datetime, by: str, reason: str) -> None:
        """See AddressRecords. One write; the record keeps the latest lift, the timeline every one."""
        self._write(digest, "lifted_at", at, {"channel": channel, "lifted_by": by, "lifted_for": reason})

    def _write(self, digest: str, stamp: str, at: datetime, beside: Mapping[str, str]) -> None:
        """Set what is reported ``at`` an instant, unless a later report is stored."""
        names = ["stamp", *beside]
        try:
            self.client.update_item(
                TableName=self.table_name,
                Key=table.key(_pk(digest), _SK),
                UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in names),
                ConditionExpression="attribute_not_exists(#stamp) OR #stamp < :stamp",
                ExpressionAttributeNames={"#stamp": stamp} | {f"#{name}": name for name in beside},
                ExpressionAttributeValues=table.dump_item(
                    {":stamp": format_instant(at)} | {f":{name}": value for name, value in beside.items()}
                ),
            )
        except ClientError as error:
            if table.error_code(error) != table.CONDITION_FAILED:
                raise


def _pk(digest: str) -> str:
    return f"address#{digest}"


def _record(item: Mapping[str, Any]) -> AddressRecord:
    def instant(name: str) -> datetime | None:
        return parse_instant(item[name]) if name in item else None

    return AddressRecord(
        suppression=item.get("suppression", ""),
        suppressed_at=instant("suppressed_at"),
        lifted_at=instant("lifted_at"),
        withdrawn={
            name.removeprefix(_WITHDRAWN): parse_instant(at) for name, at in item.items() if name.startswith(_WITHDRAWN)
        },
    )
