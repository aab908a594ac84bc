"""What is bought with what, in DynamoDB: a row for each product and for each group of best sellers, all written anew every night."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from waypost.aws import table
from waypost.aws.translation import translates_errors
from waypost.batches import batched
from waypost.products.sales import KEPT, Counted, Sales

_PARTNERS: Final = "bought_together"
_BEST: Final = "best_sellers"
_IN_ONE_WRITE: Final = 25


def product_pk(product_id: str) -> str:
    """The partition of a product."""
    return f"product#{product_id}"


def group_pk(group: str) -> str:
    """The partition of a group of products."""
    return f"products#{group}"


@translates_errors
@dataclass(frozen=True, slots=True)
class DynamoProductSales:
    """SalesStore on the contacts table."""

    client: Any
    table_name: str

    def read(self, products: Sequence[str], groups: Sequence[str], *, now: datetime) -> Sales:
        """See SalesReader. One call for all, half a read unit a row: what was counted last night is the same in every copy."""
        names = {product_pk(id_): id_ for id_ in products} | {group_pk(group): group for group in groups}
        keys = [table.key(product_pk(id_), _PARTNERS) for id_ in products]
        keys += [table.key(group_pk(group), _BEST) for group in groups]
        if not keys:
            return Sales()
        found = table.batch_get_of(self.client, {self.table_name: keys}, ConsistentRead=False)[self.table_name]
        fresh = [item for item in found if item["expires_at"] > now.timestamp()]
        return Sales(
            partners={names[item["pk"]]: _counted(item) for item in fresh if item["sk"] == _PARTNERS},
            best={names[item["pk"]]: _counted(item) for item in fresh if item["sk"] == _BEST},
        )

    def keep(self, sales: Sales, *, at: datetime) -> None:
        """See SalesStore."""
        ends = int((at + KEPT).timestamp())
        for some in batched(list(_rows(sales, ends)), _IN_ONE_WRITE):
            table.batch_put(self.client, self.table_name, some)


def _rows(sales: Sales, ends: int) -> Iterator[table.Item]:
    for id_, counted in sales.partners.items():
        yield _row(product_pk(id_), _PARTNERS, counted, ends)
    for group, counted in sales.best.items():
        yield _row(group_pk(group), _BEST, counted, ends)


def _row(pk: str, sk: str, counted: Counted, ends: int) -> table.Item:
    ids, times = [id_ for id_, _ in counted], [number for _, number in counted]
    return table.key(pk, sk) | table.dump_item({"ids": ids, "times": times, "expires_at": ends})


def _counted(item: Mapping[str, Any]) -> Counted:
    return list(zip(item["ids"], item["times"], strict=True))
