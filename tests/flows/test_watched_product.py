"""A shop reports a lower price: who watches the product gets one message of the shipped journey, and nobody else does."""

from typing import Any, Final

import pytest

from local.cloud.local_cloud import LocalCloud
from local.running.operation_runs import run_operation
from tests.flows.steps import accepted, by_day, decided, introduce, rows

pytestmark = pytest.mark.flow

PEOPLE: Final = ("price-watches", "price-stopped", "price-other")


def happens(cloud: LocalCloud, name: str, kind: str, product_id: str) -> None:
    accepted(cloud.tracking.track(name, kind, {"product_id": product_id}, at=cloud.clock.now()))


def report(cloud: LocalCloud, **product: Any) -> dict[str, Any]:
    answer = run_operation(cloud.access.to_dict(), "update-products", {"products": [product]})
    cloud.time.settle()
    return answer


def heard(cloud: LocalCloud) -> dict[str, list[tuple[str, str]]]:
    """Each contact's messages and how they ended."""
    return {name: [(each.message, each.outcome) for each in decided(cloud, name)] for name in PEOPLE}


def test_one_report_reaches_who_watches_and_a_repeated_one_nobody(cloud: LocalCloud) -> None:
    by_day(cloud)
    for name in PEOPLE:
        introduce(cloud, name)
    cloud.time.settle()
    happens(cloud, "price-watches", "product_watched", "earbuds")
    happens(cloud, "price-stopped", "product_watched", "earbuds")
    happens(cloud, "price-stopped", "product_unwatched", "earbuds")
    happens(cloud, "price-other", "product_watched", "charger-65")
    cloud.time.settle()

    answer = report(cloud, id="earbuds", price=499)
    assert (answer["taken"], answer["changed"], answer["notified"]) == (1, 1, 1)
    expected = {"price-watches": [("price-dropped", "sent")], "price-stopped": [], "price-other": []}
    assert heard(cloud) == expected

    again = report(cloud, id="earbuds", price=499)
    assert (again["changed"], again["notified"]) == (0, 0)
    assert heard(cloud) == expected
    types = [row["type"] for row in rows(cloud, "price-watches", "event").values()]
    assert types.count("watched_product_changed") == 1


def test_a_product_that_nobody_sells_is_named_and_stops_no_other(cloud: LocalCloud) -> None:
    products = [{"id": "no-such", "price": 1}, {"id": "tea-250", "in_stock": False}]
    answer = run_operation(cloud.access.to_dict(), "update-products", {"products": products})
    assert (answer["taken"], answer["rejected"], answer["rejections"][0]["product"]) == (1, 1, "no-such")
