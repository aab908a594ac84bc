"""The night counts what is ordered together, in the pass that reads the orders for the ranks."""

from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.world import World
from tests.metrics.night import RFM, Night
from waypost.bulk.pages import BaseSize
from waypost.events.history import RecordedEvent
from waypost.metrics.refresh import SLICES
from waypost.products.catalogue import Catalogue, CountingRule, Product

SHOP = Catalogue(
    "CNY",
    {id_: Product(id_, {"en": id_}, 5, category="all of it") for id_ in ("serum", "cream", "tea")},
    CountingRule(timedelta(days=180), 2),
)


def night(catalogue: Catalogue = SHOP, **metrics: Any) -> Night:
    """A night with orders: serum and cream three times, one of them long ago; tea alone once."""
    found = Night(world=World(), metrics=metrics, catalogue=catalogue)
    for user in ("u-1", "u-2", "u-3"):
        found.have(user)
    for user, days, products in (
        ("u-1", 3, ["serum", "cream"]),
        ("u-1", 200, ["serum", "cream"]),
        ("u-2", 1, ["cream", "serum", "of another shop"]),
        ("u-2", 2, ["tea"]),
        ("u-3", 2, []),
    ):
        found.happens(user, "order_placed", days=days, products=products, total=100)
    return found


def kept(of: Night) -> tuple[dict[str, Any], dict[str, Any]]:
    """The rows: partners by product, best sellers by group."""
    sales = of.world.product_sales
    return (
        {id_: row for id_, (_, row) in sales.partners.items()},
        {group: row for group, (_, row) in sales.best.items()},
    )


EXPECTED = (
    {"serum": [("cream", 2)], "cream": [("serum", 2)]},
    {group: [("cream", 2), ("serum", 2), ("tea", 1)] for group in ("all", "category/all of it")},
)


@pytest.mark.parametrize("metrics", [{}, {"rfm": RFM}], ids=["alone", "with the ranks"])
def test_the_orders_of_the_window_are_counted(metrics: dict[str, Any]) -> None:
    counted = night(**metrics)
    counted.run()
    assert kept(counted) == EXPECTED
    assert ("rfm_frequency" in counted.metrics_of("u-1")) == bool(metrics)


def test_all_slices_together_count_the_same() -> None:
    counted = night()
    counted.scan.counted = BaseSize(items=3 * SLICES.items, bytes=0)
    counted.run()
    assert kept(counted) == EXPECTED


def test_ranks_and_products_take_one_read_of_a_customers_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = night(rfm=RFM)
    [part] = counted.plan()["slices"]
    asked: list[str] = []
    since = counted.world.history.since

    def watched(contact_id: str, *args: Any, **more: Any) -> list[RecordedEvent]:
        asked.append(contact_id)
        return since(contact_id, *args, **more)

    monkeypatch.setattr(counted.world.history, "since", watched)
    counted.to_the_end(counted.count_purchases.count, part)
    assert len(asked) == len(set(asked)) == 3


def test_no_purchase_is_counted_where_the_catalogue_does_not_ask_for_it() -> None:
    counted = night(Catalogue("CNY", SHOP.products))
    assert counted.plan()["slices"] == []
    counted = night(Catalogue("CNY", SHOP.products), rfm=RFM)
    counted.run()
    assert kept(counted) == ({}, {})


def test_the_hour_counts_no_purchases() -> None:
    plan = night(rfm=RFM).plan("hourly")
    assert (plan["counted"], plan["related"]) == (False, False)
