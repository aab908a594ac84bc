"""Coupons in DynamoDB: a row in the contact's partition, one for each code, and the stock of a pool in sixteen shards.

An issue is one transaction of three or four rows; no key is written by more than a sixteenth of a pool's issues.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, assert_never

from botocore.exceptions import ClientError

from waypost.aws import table
from waypost.aws.translation import translates_errors
from waypost.clock import format_instant, parse_instant
from waypost.coupons.codes import code_digest, shard_of_code
from waypost.coupons.coupon import KEPT, WAITS, Added, Coupon, FreeCode, Recorded, Usage
from waypost.coupons.pool import SHARDS, CodeSource
from waypost.errors import ConcurrentUpdate

_HELD: Final = "coupon#"
_FREE: Final = "free#"
_CODE: Final = "code"
_COUNT: Final = "count#"


@translates_errors
@dataclass(frozen=True, slots=True)
class DynamoCoupons:
    """CouponStore on the contacts table."""

    client: Any
    table_name: str

    def held(self, contact_ids: Sequence[str]) -> list[Coupon]:
        """See CouponStore."""
        found = [
            _coupon(item)
            for contact_id in contact_ids
            for item in table.query(self.client, self.table_name, pk=table.contact_pk(contact_id), prefix=_HELD)
        ]
        return sorted(found, key=lambda each: (each.issued_at, each.slot))

    def free(self, pool: str, shard: int, *, most: int, now: datetime) -> list[FreeCode]:
        """See CouponStore."""
        answer = self.client.query(**self._free_codes(pool, shard, now), Limit=most)
        found = [table.load_item(item) for item in answer["Items"]]
        if not found and "LastEvaluatedKey" in answer:  # those before have ended
            pages = self.client.get_paginator("query").paginate(**self._free_codes(pool, shard, now))
            found = [table.load_item(item) for page in pages for item in page["Items"]][:most]
        return [FreeCode(each["code"], _instant(each.get("valid_until"))) for each in found]

    def issued(self, pool: str, shard: int) -> int:
        """See CouponStore."""
        answer = self.client.get_item(TableName=self.table_name, Key=_stock(pool, shard), ConsistentRead=True)
        return int(table.load_item(answer.get("Item", {})).get("issued", 0))

    def count_free(self, pool: str, *, now: datetime) -> int:
        """See CouponStore."""
        paginator = self.client.get_paginator("query")
        return sum(
            page["Count"]
            for shard in range(SHARDS)
            for page in paginator.paginate(**self._free_codes(pool, shard, now), Select="COUNT")
        )

    def count_issued(self, pool: str) -> int:
        """See CouponStore."""
        keys = [(_pool_pk(pool, shard), "stock") for shard in range(SHARDS)]
        return sum(int(item.get("issued", 0)) for item in table.batch_get(self.client, self.table_name, keys))

    def add(self, pool: str, code: FreeCode, *, at: datetime) -> Added:
        """See CouponStore. The code's own row comes first; a crash before its place in the stock is mended by adding it again."""
        ends = {} if code.valid_until is None else {"valid_until": format_instant(code.valid_until)}
        kept = int(((code.valid_until or at + WAITS) + KEPT).timestamp())
        row = {"code": code.code, **ends, "expires_at": kept}
        pk = code_pk(code.code)
        is_new = table.put_once(self.client, self.table_name, pk, _CODE, {**row, "pool": pool, "taken": "free"})
        if not is_new:
            answer = self.client.get_item(TableName=self.table_name, Key=table.key(pk, _CODE), ConsistentRead=True)
            there = table.load_item(answer.get("Item", {}))
            if there.get("pool") != pool or there.get("taken") != "free":
                return "taken"
        free = f"{_FREE}{code_digest(code.code)}"
        table.put_once(self.client, self.table_name, _pool_pk(pool, shard_of_code(code.code)), free, row)
        return "added" if is_new else "there"

    def record(self, coupon: Coupon, *, codes: CodeSource, shard: int, share: int | None) -> Recorded:
        """See CouponStore."""
        parts = [
            self._put(table.contact_pk(coupon.contact_id), held_key(coupon.slot), coupon),
            self._take_code(coupon, codes),
            self._count(coupon, shard, "issued"),
            *self._take_stock(coupon, codes, shard, share),
        ]
        try:
            self.client.transact_write_items(TransactItems=parts)
        except ClientError as error:
            if table.error_code(error) != table.TRANSACTION_CANCELED:
                raise
            table.is_lost_race(error)  # raises where it can never be written
            failed = _conditions(error)
            if not failed:
                return "busy"
            slot_taken, code_taken, *_ = failed
            if slot_taken:
                return "held"
            if code_taken and codes == "imported":  # a row of a code that was issued already
                self.client.delete_item(TableName=self.table_name, Key=_free_key(coupon.pool, shard, coupon.code))
            return "code_taken" if code_taken else "used_up"
        return "issued"

    def find(self, code: str) -> Coupon | None:
        """See CouponStore."""
        answer = self.client.get_item(
            TableName=self.table_name, Key=table.key(code_pk(code), _CODE), ConsistentRead=True
        )
        item = table.load_item(answer.get("Item", {}))
        return _coupon(item) if item.get("taken") == "issued" else None

    def redeem(self, coupon: Coupon, *, at: datetime, event_id: str) -> bool:
        """See CouponStore."""
        parts = [
            self._redeem_row(table.key(code_pk(coupon.code), _CODE), at, event_id),
            self._redeem_row(table.key(table.contact_pk(coupon.contact_id), held_key(coupon.slot)), at, event_id),
            self._count(coupon, shard_of_code(coupon.code), "redeemed"),
        ]
        try:
            self.client.transact_write_items(TransactItems=parts)
        except ClientError as error:
            if table.error_code(error) != table.TRANSACTION_CANCELED:
                raise
            table.is_lost_race(error)  # raises where it can never be written
            found = self.find(coupon.code)
            if found is None or not found.redeemed_by:
                raise ConcurrentUpdate(f"coupon of {coupon.pool}: another writer was at one of its rows") from error
            return found.redeemed_by == event_id
        return True

    def usage(self, pool: str) -> Usage:
        """See CouponStore."""
        counted: dict[str, int] = {}
        for shard in range(SHARDS):
            for item in table.query(self.client, self.table_name, pk=_pool_pk(pool, shard), prefix=_COUNT):
                for name, value in item.items():
                    if name.partition("/")[0] in {"issued", "redeemed"}:
                        counted[name] = counted.get(name, 0) + int(value)
        journeys = sorted({name.partition("/")[2] for name in counted} - {""})
        return Usage(
            counted.get("issued", 0),
            counted.get("redeemed", 0),
            {each: (counted.get(f"issued/{each}", 0), counted.get(f"redeemed/{each}", 0)) for each in journeys},
        )

    def _redeem_row(self, key: table.Item, at: datetime, event_id: str) -> dict[str, Any]:
        return {
            "Update": {
                "TableName": self.table_name,
                "Key": key,
                "UpdateExpression": "SET redeemed_at = :at, redeemed_by = :by",
                "ConditionExpression": "attribute_exists(pk) AND attribute_not_exists(redeemed_by)",
                "ExpressionAttributeValues": table.dump_item({":at": format_instant(at), ":by": event_id}),
            }
        }

    def _free_codes(self, pool: str, shard: int, now: datetime) -> dict[str, Any]:
        return {
            "TableName": self.table_name,
            "KeyConditionExpression": "pk = :pk AND begins_with(sk, :prefix)",
            "FilterExpression": "attribute_not_exists(valid_until) OR valid_until > :now",
            "ExpressionAttributeValues": table.dump_item(
                {":pk": _pool_pk(pool, shard), ":prefix": _FREE, ":now": format_instant(now)}
            ),
            "ConsistentRead": True,
        }

    def _put(self, pk: str, sk: str, coupon: Coupon, **further: Any) -> dict[str, Any]:
        item = table.key(pk, sk) | table.dump_item({**_stored(coupon), **further})
        return {
            "Put": {
                "TableName": self.table_name,
                "Item": item,
                "ConditionExpression": "attribute_not_exists(pk)",
            }
        }

    def _take_code(self, coupon: Coupon, codes: CodeSource) -> dict[str, Any]:
        pk = code_pk(coupon.code)
        match codes:
            case "generated":
                return self._put(pk, _CODE, coupon, taken="issued")
            case "imported":
                values = {**_stored(coupon), "taken": "issued"}
                return {
                    "Update": {
                        "TableName": self.table_name,
                        "Key": table.key(pk, _CODE),
                        "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in values),
                        "ConditionExpression": "#taken = :free AND #pool = :pool",
                        "ExpressionAttributeNames": {f"#{name}": name for name in values},
                        "ExpressionAttributeValues": table.dump_item(
                            {f":{name}": value for name, value in values.items()} | {":free": "free"}
                        ),
                    }
                }
            case _:
                assert_never(codes)

    def _take_stock(self, coupon: Coupon, codes: CodeSource, shard: int, share: int | None) -> list[dict[str, Any]]:
        match codes:
            case "imported":
                return [
                    {
                        "Delete": {
                            "TableName": self.table_name,
                            "Key": _free_key(coupon.pool, shard, coupon.code),
                            "ConditionExpression": "attribute_exists(pk)",
                        }
                    }
                ]
            case "generated":
                if share is None:
                    return []
                return [
                    {
                        "Update": {
                            "TableName": self.table_name,
                            "Key": _stock(coupon.pool, shard),
                            "UpdateExpression": "ADD issued :one",
                            "ConditionExpression": "attribute_not_exists(issued) OR issued < :share",
                            "ExpressionAttributeValues": table.dump_item({":one": 1, ":share": share}),
                        }
                    }
                ]
            case _:
                assert_never(codes)

    def _count(self, coupon: Coupon, shard: int, name: str) -> dict[str, Any]:
        """Count by the day on which validity ends: what ended unredeemed is the difference of the days that are over."""
        day = format_instant(coupon.valid_until)[:10]
        return {
            "Update": {
                "TableName": self.table_name,
                "Key": table.key(_pool_pk(coupon.pool, shard), f"{_COUNT}{day}"),
                "UpdateExpression": "SET expires_at = :ends ADD #count :one, #by_journey :one",
                "ExpressionAttributeNames": {"#count": name, "#by_journey": f"{name}/{coupon.journey}"},
                "ExpressionAttributeValues": table.dump_item({":one": 1, ":ends": _ends(coupon)}),
            }
        }


def held_key(slot: int) -> str:
    """The sort key of a contact's coupon."""
    return f"{_HELD}{slot:06d}"


def code_pk(code: str) -> str:
    """The partition of a code; by its digest, because a code is as good as money."""
    return f"coupon-code#{code_digest(code)}"


def _pool_pk(pool: str, shard: int) -> str:
    return f"coupons#{pool}#{shard:02d}"


def _stock(pool: str, shard: int) -> table.Item:
    return table.key(_pool_pk(pool, shard), "stock")


def _free_key(pool: str, shard: int, code: str) -> table.Item:
    return table.key(_pool_pk(pool, shard), f"{_FREE}{code_digest(code)}")


def _conditions(error: ClientError) -> list[bool]:
    """For each part, whether its own condition failed; empty when none did."""
    failed = [reason.get("Code") == table.CONDITION_FAILED_IN_PART for reason in error.response["CancellationReasons"]]
    return failed if any(failed) else []


def _stored(coupon: Coupon) -> dict[str, Any]:
    """The row of a coupon as it is issued; only a redemption writes ``redeemed_at`` and ``redeemed_by``."""
    stored = {name: value for name, value in coupon.to_dict().items() if not name.startswith("redeemed_")}
    return {**stored, "expires_at": _ends(coupon)}


def _ends(coupon: Coupon) -> int:
    return int((coupon.valid_until + KEPT + timedelta(days=1)).timestamp())


def _coupon(item: Mapping[str, Any]) -> Coupon:
    return Coupon.from_dict(
        {name: value for name, value in item.items() if name not in {"pk", "sk", "expires_at", "taken"}}
    )


def _instant(value: str | None) -> datetime | None:
    return None if value is None else parse_instant(value)
