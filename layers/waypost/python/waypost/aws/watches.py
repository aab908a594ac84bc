"""Who watches which product, and what was reported of it, in DynamoDB.

A watch is two rows: one of the contact, with all that it watches, and one of the product for each who watches it, sorted by contact.
Both end by themselves. All rows of a product are in its partition: the fan-out of a change is a query.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from botocore.exceptions import ClientError

from waypost.aws import table
from waypost.aws.product_sales import product_pk
from waypost.aws.translation import translates_errors
from waypost.clock import format_instant
from waypost.products.states import ProductState
from waypost.products.watching import Watch, Watches

_WATCHES: Final = "watches"
_WATCHER: Final = "watcher#"
_STATE: Final = "state"
STATE_KEPT: Final = timedelta(days=400)
"""After so long without a report the catalogue's own price and stock hold again."""


@translates_errors
@dataclass(frozen=True, slots=True)
class DynamoWatches:
    """WatchStore on the contacts table."""

    client: Any
    table_name: str

    def of_contact(self, contact_id: str) -> dict[str, Watch]:
        """See WatchStore."""
        key = table.key(table.contact_pk(contact_id), _WATCHES)
        answer = self.client.get_item(TableName=self.table_name, Key=key, ConsistentRead=True)
        item = answer.get("Item")
        return dict(Watches.from_dict(table.load_item(item)).products) if item else {}

    def keep(
        self, contact_id: str, watches: Mapping[str, Watch], *, added: Sequence[str] = (), dropped: Sequence[str] = ()
    ) -> None:
        """See WatchStore. The product's rows come first: a crash leaves one too many, which the same event writes again."""
        for product_id in added:
            watch = watches[product_id]
            item = {**watch.to_dict(), "expires_at": int(watch.until.timestamp())}
            self._put(product_pk(product_id), f"{_WATCHER}{contact_id}", item)
        for product_id in dropped:
            self._delete(product_pk(product_id), f"{_WATCHER}{contact_id}")
        if watches:
            ends = max(watch.until for watch in watches.values())
            row = {**Watches(watches).to_dict(), "expires_at": int(ends.timestamp())}
            self._put(table.contact_pk(contact_id), _WATCHES, row)
        else:
            self._delete(table.contact_pk(contact_id), _WATCHES)

    def watchers(
        self, product_id: str, *, after: str | None, most: int
    ) -> tuple[Sequence[tuple[str, Watch]], str | None]:
        """See WatchStore."""
        request: dict[str, Any] = {
            "TableName": self.table_name,
            "KeyConditionExpression": "pk = :pk AND begins_with(sk, :prefix)",
            "ExpressionAttributeValues": {":pk": {"S": product_pk(product_id)}, ":prefix": {"S": _WATCHER}},
            "Limit": most,
        }
        if after is not None:
            request["ExclusiveStartKey"] = table.key(product_pk(product_id), f"{_WATCHER}{after}")
        answer = self.client.query(**request)
        found = [
            (str(item["sk"]).removeprefix(_WATCHER), Watch.from_dict(item))
            for item in map(table.load_item, answer["Items"])
        ]
        last = answer.get("LastEvaluatedKey")
        return found, str(last["sk"]["S"]).removeprefix(_WATCHER) if last else None

    def _put(self, pk: str, sk: str, item: Mapping[str, Any]) -> None:
        self.client.put_item(TableName=self.table_name, Item=table.key(pk, sk) | table.dump_item(item))

    def _delete(self, pk: str, sk: str) -> None:
        self.client.delete_item(TableName=self.table_name, Key=table.key(pk, sk))


@translates_errors
@dataclass(frozen=True, slots=True)
class DynamoProductStates:
    """StateStore on the contacts table."""

    client: Any
    table_name: str

    def read(self, products: Sequence[str]) -> dict[str, ProductState]:
        """See StateReader."""
        if not products:
            return {}
        keys = [(product_pk(id_), _STATE) for id_ in dict.fromkeys(products)]
        names = {product_pk(id_): id_ for id_ in products}
        found = table.batch_get(self.client, self.table_name, keys)
        return {names[item["pk"]]: ProductState.from_dict(item) for item in found}

    def put(self, product_id: str, state: ProductState, *, instead_of: ProductState | None) -> bool:
        """See StateStore. The run and the instant of what is kept say which it is."""
        item = {**state.to_dict(), "expires_at": int((state.at + STATE_KEPT).timestamp())}
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if instead_of is not None:
            condition = {
                "ConditionExpression": "#run = :run AND #at = :at",
                "ExpressionAttributeNames": {"#run": "run", "#at": "at"},
                "ExpressionAttributeValues": table.dump_item(
                    {":run": instead_of.run, ":at": format_instant(instead_of.at)}
                ),
            }
        try:
            self.client.put_item(
                TableName=self.table_name,
                Item=table.key(product_pk(product_id), _STATE) | table.dump_item(item),
                **condition,
            )
        except ClientError as error:
            if table.error_code(error) == table.CONDITION_FAILED:
                return False
            raise
        return True
