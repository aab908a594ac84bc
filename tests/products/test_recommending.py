"""What is recommended for which products, in which order and why."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.fakes.products import FakeProductSales
from waypost.products.catalogue import Catalogue, CountingRule, Product
from waypost.products.recommending import latest_first, recommend
from waypost.products.sales import MOST_BEST, MOST_PARTNERS, Sales, groups_of, sales_of
from waypost.products.together import Together

NOW = datetime(2027, 3, 1, tzinfo=UTC)


def shop(**products: dict[str, Any]) -> Catalogue:
    """A catalogue that counts purchases."""
    made = {name: Product(name, {"en": name}, 5, **fields) for name, fields in products.items()}
    return Catalogue("CNY", made, CountingRule(timedelta(days=180), 2))


SHOP = shop(
    serum={"category": "skin", "tags": frozenset({"beauty"}), "related": ("mask",)},
    mask={"category": "skin"},
    cream={"category": "skin", "tags": frozenset({"beauty"})},
    toner={"category": "skin"},
    brush={"category": "tools", "tags": frozenset({"beauty"})},
    tea={"category": "tea"},
    mug={"category": "kitchen"},
)


def sales(*orders: tuple[list[str], int], catalogue: Catalogue = SHOP, at: datetime = NOW) -> FakeProductSales:
    """What the night has counted of these orders."""
    together = Together()
    for order, times in orders:
        together.add(order, catalogue.products, times=times)
    kept = FakeProductSales()
    kept.keep(sales_of(together, catalogue), at=at)
    return kept


def found(
    seeds: list[str], counted: FakeProductSales, *, catalogue: Catalogue = SHOP, **more: Any
) -> list[tuple[str, str, int]]:
    """What is recommended: product, reason, times."""
    recommended = recommend(catalogue, seeds, sales=counted, now=NOW, **{"count": 10, **more})
    return [(each.product.id, each.reason, each.times) for each in recommended]


COUNTED = sales((["serum", "tea"], 9), (["serum", "cream"], 4), (["mug"], 20), (["serum", "brush"], 1))


def test_each_recommendation_has_its_reason_and_the_strongest_come_first() -> None:
    assert found(["serum"], COUNTED) == [
        ("mask", "declared", 0),
        ("tea", "bought_together", 9),
        ("cream", "bought_together", 4),
        ("toner", "same_category", 0),
        ("brush", "alike", 0),
        ("mug", "best_seller", 20),
    ]


def test_a_pair_in_fewer_orders_than_the_file_asks_for_is_none() -> None:
    assert ("brush", "bought_together", 1) not in found(["serum"], COUNTED)


def test_the_orders_of_a_whole_cart_add_up() -> None:
    counted = sales((["serum", "tea"], 5), (["mug", "tea"], 4), (["serum", "cream"], 8))
    assert [each for each in found(["serum", "mug"], counted) if each[1] == "bought_together"] == [
        ("tea", "bought_together", 9),
        ("cream", "bought_together", 8),
    ]


def test_among_equals_of_a_category_what_sells_better_comes_first() -> None:
    counted = sales((["toner"], 5), (["mask"], 3))
    assert [each[0] for each in found(["cream"], counted)][:3] == ["serum", "toner", "mask"]


def test_bought_out_of_stock_and_unpublished_are_never_recommended() -> None:
    catalogue = shop(
        serum={"category": "skin", "related": ("gone", "hidden", "bought")},
        gone={"category": "skin", "in_stock": False},
        hidden={"category": "skin", "published": False},
        bought={"category": "skin"},
        cream={"category": "skin"},
    )
    counted = sales((["serum", "gone"], 9), (["hidden"], 9), (["bought"], 9), catalogue=catalogue)
    assert found(["serum"], counted, catalogue=catalogue, without=["bought"]) == [("cream", "same_category", 0)]


def test_without_a_product_to_start_from_the_best_sellers_are_shown() -> None:
    assert found([], COUNTED, count=2) == [("mug", "best_seller", 20), ("serum", "best_seller", 14)]


def test_a_tag_keeps_to_its_own_best_sellers_and_then_to_its_products() -> None:
    assert found([], COUNTED, tag="beauty") == [
        ("serum", "best_seller", 14),
        ("cream", "best_seller", 4),
        ("brush", "best_seller", 1),
    ]
    assert found([], sales(), tag="beauty") == [
        ("brush", "of_interest", 0),
        ("cream", "of_interest", 0),
        ("serum", "of_interest", 0),
    ]


def test_nothing_is_read_where_the_declared_ones_are_enough() -> None:
    counted = sales((["serum", "tea"], 9))
    assert found(["serum"], counted, count=1) == [("mask", "declared", 0)]
    assert counted.reads == 0


def test_what_was_counted_a_month_ago_is_forgotten() -> None:
    old = sales((["serum", "tea"], 9), at=NOW - timedelta(days=30))
    assert [each[1] for each in found(["serum"], old)] == ["declared", "same_category", "same_category", "alike"]


def test_what_a_product_and_a_group_keep_is_bounded() -> None:
    catalogue = shop(**{f"p-{number:03d}": {"category": "one"} for number in range(100)})
    together = Together()
    for number in range(1, 100):
        together.add(["p-000", f"p-{number:03d}"], catalogue.products, times=number + 1)
    kept = sales_of(together, catalogue)
    assert len(kept.partners["p-000"]) == MOST_PARTNERS
    assert kept.partners["p-000"][0] == ("p-099", 100)
    assert {group: len(best) for group, best in kept.best.items()} == {"all": MOST_BEST, "category/one": MOST_BEST}


def test_a_product_that_left_the_catalogue_has_no_row_and_is_in_none() -> None:
    together = Together()
    together.add(["serum", "old"], {"serum", "old"}, times=9)
    kept = sales_of(together, SHOP)
    assert kept.partners == {}
    assert kept.best == {group: [("serum", 9)] for group in groups_of(SHOP.products["serum"])}


def test_where_nothing_is_counted_nothing_is_kept() -> None:
    together = Together()
    together.add(["serum", "tea"], SHOP.products, times=9)
    assert sales_of(together, Catalogue("CNY", SHOP.products)) == Sales()


def test_what_was_bought_last_is_what_is_started_from() -> None:
    bought = {"tea": NOW, "mug": NOW - timedelta(days=1), "cream": NOW}
    assert latest_first(bought) == ["cream", "tea", "mug"]
