"""Who watches what, and what was reported of products, on DynamoDB as moto has it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from waypost.aws.watches import DynamoProductStates, DynamoWatches
from waypost.products.states import Offer, ProductState
from waypost.products.watching import Watch

NOW = datetime(2027, 3, 1, tzinfo=UTC)
WATCH = Watch("price", NOW, NOW + timedelta(days=90))


def test_a_watch_is_kept_by_contact_and_by_product_until_it_is_dropped(dynamodb: Any, table: str) -> None:
    watches = DynamoWatches(dynamodb, table)
    watches.keep("c-1", {"serum": WATCH, "tea": WATCH}, added=["serum", "tea"])
    watches.keep("c-2", {"serum": WATCH}, added=["serum"])
    assert watches.of_contact("c-1") == {"serum": WATCH, "tea": WATCH}
    assert watches.watchers("serum", after=None, most=10) == ([("c-1", WATCH), ("c-2", WATCH)], None)

    watches.keep("c-1", {"tea": WATCH}, dropped=["serum"])
    watches.keep("c-2", {}, dropped=["serum"])
    assert (watches.of_contact("c-1"), watches.of_contact("c-2")) == ({"tea": WATCH}, {})
    assert watches.watchers("serum", after=None, most=10) == ([], None)


def test_who_watches_is_read_page_by_page(dynamodb: Any, table: str) -> None:
    watches = DynamoWatches(dynamodb, table)
    for number in range(5):
        watches.keep(f"c-{number}", {"serum": WATCH}, added=["serum"])
    first, after = watches.watchers("serum", after=None, most=3)
    second, _ = watches.watchers("serum", after=after, most=3)
    assert [contact for contact, _ in [*first, *second]] == [f"c-{number}" for number in range(5)]


def test_both_rows_end_by_themselves(dynamodb: Any, table: str) -> None:
    longer = Watch("all", NOW, NOW + timedelta(days=100))
    DynamoWatches(dynamodb, table).keep("c-1", {"serum": WATCH, "tea": longer}, added=["serum", "tea"])
    ends = {item["pk"]["S"]: int(item["expires_at"]["N"]) for item in dynamodb.scan(TableName=table)["Items"]}
    assert ends == {
        "product#serum": int(WATCH.until.timestamp()),
        "product#tea": int(longer.until.timestamp()),
        "contact#c-1": int(longer.until.timestamp()),
    }


def test_of_two_reports_at_the_same_time_one_is_first(dynamodb: Any, table: str) -> None:
    states = DynamoProductStates(dynamodb, table)
    first = ProductState(Offer(159), Offer(199), NOW, "run-1")
    second = ProductState(Offer(149, in_stock=False), Offer(159), NOW + timedelta(hours=1), "run-2")
    assert states.put("serum", first, instead_of=None)
    assert not states.put("serum", second, instead_of=None)
    assert states.put("serum", second, instead_of=first)
    assert not states.put("serum", first, instead_of=first)
    assert states.read(["serum", "tea", "serum"]) == {"serum": second}
    assert states.read([]) == {}
