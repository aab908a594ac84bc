"""The members of staff who came in without a deployment, in DynamoDB: one row, packed, that is replaced as a whole."""

import json
import zlib
from dataclasses import dataclass
from typing import Any, Final

from waypost.aws import table
from waypost.aws.translation import translates_errors
from waypost.errors import InvalidInput
from waypost.staff.live_directory import LiveStaff

_KEY: Final = table.key("staff#directory", "current")
LARGEST: Final = 350_000
"""Bytes of the packed lists; an item may have 400 KB."""


@translates_errors
@dataclass(frozen=True, slots=True)
class DynamoLiveStaff:
    """LiveStaffStore on the contacts table."""

    client: Any
    table_name: str

    def load(self) -> LiveStaff:
        """See LiveStaffStore. Eventually consistent: half the price, for a reader that looks once a minute."""
        return self._read(consistently=False)

    def newest(self) -> LiveStaff:
        """See LiveStaffStore."""
        return self._read(consistently=True)

    def _read(self, *, consistently: bool) -> LiveStaff:
        answer = self.client.get_item(TableName=self.table_name, Key=_KEY, ConsistentRead=consistently)
        if "Item" not in answer:
            return LiveStaff()
        return LiveStaff.from_dict(json.loads(zlib.decompress(answer["Item"]["packed"]["B"])))

    def put(self, live: LiveStaff) -> bool:
        """See LiveStaffStore. A write repeated after a lost answer finds its own revision, and what it wrote."""
        packed = zlib.compress(json.dumps(live.to_dict(), ensure_ascii=False, sort_keys=True).encode(), 9)
        if len(packed) > LARGEST:
            raise InvalidInput("members", f"the directory takes {len(packed):,} bytes; at most {LARGEST:,} can be kept")
        is_next = table.written(
            self.client,
            {
                "TableName": self.table_name,
                "Key": _KEY,
                "UpdateExpression": "SET #packed = :packed, #revision = :revision",
                "ConditionExpression": "attribute_not_exists(pk) OR #revision = :before",
                "ExpressionAttributeNames": {"#packed": "packed", "#revision": "revision"},
                "ExpressionAttributeValues": table.dump_item(
                    {":packed": packed, ":revision": live.revision, ":before": live.revision - 1}
                ),
            },
        )
        return is_next or self.newest() == live
