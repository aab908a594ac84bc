"""What is bought with what, on DynamoDB as moto has it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from waypost.aws.product_sales import DynamoProductSales
from waypost.products.sales import KEPT, Sales

NOW = datetime(2027, 3, 1, tzinfo=UTC)
COUNTED = Sales(
    {"serum": [("cream", 9), ("tea", 2)], "cream": [("serum", 9)]},
    {"all": [("serum", 11)], "category/skin care": [("cream", 9)]},
)


def test_what_was_kept_is_read(dynamodb: Any, table: str) -> None:
    sales = DynamoProductSales(dynamodb, table)
    sales.keep(COUNTED, at=NOW)
    assert sales.read(["serum", "gone"], ["all", "tag/none"], now=NOW) == Sales(
        {"serum": COUNTED.partners["serum"]}, {"all": COUNTED.best["all"]}
    )
    assert sales.read([], [], now=NOW) == Sales()


def test_the_next_night_replaces_and_what_it_does_not_count_ends_by_itself(dynamodb: Any, table: str) -> None:
    sales = DynamoProductSales(dynamodb, table)
    sales.keep(COUNTED, at=NOW)
    tomorrow = NOW + timedelta(days=1)
    sales.keep(Sales({"serum": [("tea", 3)]}, {}), at=tomorrow)
    assert sales.read(["serum"], ["all"], now=tomorrow).partners == {"serum": [("tea", 3)]}
    assert sales.read(["serum", "cream"], ["all"], now=NOW + KEPT) == Sales({"serum": [("tea", 3)]}, {})


def test_a_large_catalogue_is_kept_whole(dynamodb: Any, table: str) -> None:
    sales = DynamoProductSales(dynamodb, table)
    many = {f"p-{number}": [("serum", number + 1)] for number in range(120)}
    sales.keep(Sales(many, {}), at=NOW)
    assert sales.read(list(many)[:60], [], now=NOW).partners == dict(list(many.items())[:60])
