"""What a shop reports of its products, and who hears of it: once, in time, and only what is still so."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.files import EVERYTHING
from tests.fakes.world import World
from waypost.assembly import assemble
from waypost.clock import format_instant
from waypost.errors import ConcurrentUpdate, InvalidInput
from waypost.events.envelope import Event
from waypost.products.catalogue import Catalogue, Product
from waypost.products.changes import ProductChange, change_of
from waypost.products.notify_watchers import EVENTS_PER_CALL, LATE, MOST, PER_PAGE
from waypost.products.states import Offer
from waypost.products.update_products import PER_CALL
from waypost.products.watching import Watch, Watched

SHOP = Catalogue(
    "CNY",
    {
        "serum": Product("serum", {"en": "Serum"}, 199),
        "tea": Product("tea", {"en": "Tea"}, 88, in_stock=False),
        **{f"p-{number}": Product(f"p-{number}", {"en": "P"}, 10) for number in range(PER_CALL + 5)},
    },
)


@dataclass
class Scene:
    """A shop that reports, and contacts that watch."""

    world: World = field(default_factory=World)
    runs: int = 0

    def report(self, *products: dict[str, Any], run: str = "", **more: Any) -> dict[str, Any]:
        """One call of update_products."""
        self.runs += 1
        updates = assemble.update_products(self.world.ports, catalogue=lambda: SHOP)
        return updates.take({"run": run or f"run-{self.runs}", "products": list(products), **more})

    def watch(self, contact_id: str, product_id: str = "serum", what: Watched = "all", *, days: int = 90) -> None:
        now = self.world.clock()
        kept = {product_id: Watch(what, now, now + timedelta(days=days))}
        self.world.watches.keep(contact_id, kept, added=[product_id])

    def notify(self, change: dict[str, Any], *, left: int = 900_000) -> list[dict[str, Any]]:
        """Call notify_watchers to the end; the answers."""
        notifying = assemble.notify_watchers(self.world.ports)
        answers = [notifying.notify(change, remaining=lambda: left)]
        while not answers[-1]["done"]:
            answers.append(notifying.notify(answers[-1], remaining=lambda: left))
        return answers

    @property
    def events(self) -> list[Event]:
        return list(self.world.queue.events.values())

    @property
    def notified(self) -> list[str]:
        return sorted(event.contact["contact_id"] for event in self.events)


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        (Offer(199), Offer(159), "price_dropped"),
        (Offer(159), Offer(199), "price_raised"),
        (Offer(199), Offer(199), None),
        (Offer(199, in_stock=False), Offer(199), "back_in_stock"),
        (Offer(199, in_stock=False), Offer(159), "back_in_stock"),
        (Offer(199, published=False), Offer(199), "back_in_stock"),
        (Offer(199), Offer(99, in_stock=False), "out_of_stock"),
        (Offer(199), Offer(199, published=False), "out_of_stock"),
        (Offer(199, in_stock=False), Offer(99, in_stock=False), None),
    ],
)
def test_what_changes_for_who_watches(before: Offer, after: Offer, change: str | None) -> None:
    assert change_of(before, after) == change


def test_a_report_is_compared_with_the_one_before_and_the_first_with_the_catalogue() -> None:
    scene = Scene()
    [dropped] = scene.report({"id": "serum", "price": 159})["changes"]
    assert (dropped["change"], dropped["price"], dropped["old_price"]) == ("price_dropped", 159, 199)
    assert scene.report({"id": "serum", "price": 159})["changes"] == []
    [raised] = scene.report({"id": "serum", "price": "179.50"})["changes"]
    assert (raised["change"], raised["price"], raised["old_price"]) == ("price_raised", 179.5, 159)
    [back] = scene.report({"id": "tea", "in_stock": True})["changes"]
    assert (back["change"], back["price"]) == ("back_in_stock", 88)


def test_a_repeated_call_answers_the_same_and_stores_nothing_twice() -> None:
    scene = Scene()
    first = scene.report({"id": "serum", "price": 159}, run="r")
    assert scene.report({"id": "serum", "price": 159}, run="r")["changes"] == first["changes"] != []


def test_a_report_that_comes_late_announces_no_old_price() -> None:
    scene = Scene()
    before = format_instant(scene.world.clock() - timedelta(minutes=5))
    scene.report({"id": "serum", "price": 189})
    late = scene.report({"id": "serum", "price": 99, "at": before})
    assert (late["taken"], late["changes"]) == (1, [])
    assert scene.world.product_states.states["serum"].offer.price == 189


def test_a_report_of_the_future_is_of_now() -> None:
    scene = Scene()
    scene.report({"id": "serum", "price": 189, "at": "2099-01-01T00:00:00Z"})
    assert scene.world.product_states.states["serum"].at == scene.world.clock()


def test_many_products_are_taken_part_by_part() -> None:
    scene = Scene()
    products = [{"id": f"p-{number}", "price": 9} for number in range(PER_CALL + 5)]
    first = scene.report(*products, run="r")
    assert (first["done"], first["taken"], len(first["changes"])) == (False, PER_CALL, PER_CALL)
    updates = assemble.update_products(scene.world.ports, catalogue=lambda: SHOP)
    rest = updates.take({**first, "notified": 3})
    assert (rest["done"], len(rest["changes"])) == (True, 5)
    assert (rest["taken"], rest["changed"], rest["notified"]) == (PER_CALL + 5, PER_CALL + 5, 3), "of the whole run"


def test_a_file_that_is_replaced_in_the_middle_is_refused() -> None:
    scene = Scene()
    files = scene.world.files.within(EVERYTHING)
    updates = assemble.update_products(scene.world.ports, catalogue=lambda: SHOP)
    rows = "".join(f"p-{number},9\n" for number in range(PER_CALL + 5))
    files.write("imports/p.csv", f"id,price\n{rows}".encode())
    first = updates.take({"run": "r", "file": "imports/p.csv"})
    files.write("imports/p.csv", b"id,price\np-1,8\n")
    with pytest.raises(InvalidInput, match="was replaced during its import"):
        updates.take(first)


def test_a_file_is_read_and_what_cannot_be_used_is_named() -> None:
    scene = Scene()
    files = scene.world.files.within(EVERYTHING)
    files.write(
        "imports/p.csv",
        "\ufeffid,price,in_stock,published\nserum,159,是,\ntea,,no,yes\ngone,1,,\nserum,x,,\nmug\n".encode(),
    )
    updates = assemble.update_products(scene.world.ports, catalogue=lambda: SHOP)
    found = updates.take({"run": "r", "file": "imports/p.csv"})
    assert ([each["change"] for each in found["changes"]], found["rejected"]) == (["price_dropped"], 3)
    assert [each["product"] for each in found["rejections"]] == ["gone", "serum", "mug"]


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ({}, "products"),
        ({"products": []}, "products"),
        ({"products": ["serum"]}, "products"),
        ({"products": [{"id": "serum"}], "file": "imports/p.csv"}, "products"),
        ({"prodcts": []}, "prodcts"),
        ({"file": "elsewhere/p.csv"}, "file"),
        ({"file": "imports/none.csv"}, "file"),
    ],
)
def test_a_request_that_means_nothing_is_refused_with_its_field(payload: dict[str, Any], field: str) -> None:
    updates = assemble.update_products(World().ports, catalogue=lambda: SHOP)
    with pytest.raises(InvalidInput) as refused:
        updates.take({"run": "r", **payload})
    assert refused.value.field == field


@pytest.mark.parametrize(
    "product",
    [
        {"id": "serum"},
        {"price": 5},
        {"id": "serum", "price": -1},
        {"id": "serum", "price": True},
        {"id": "serum", "price": float("nan")},
        {"id": "serum", "in_stock": "maybe"},
        {"id": "serum", "price": 5, "at": "yesterday"},
        {"id": "serum", "prise": 5},
        {"id": "unknown", "price": 5},
    ],
)
def test_a_report_that_cannot_be_used_stops_no_other(product: dict[str, Any]) -> None:
    found = Scene().report(product, {"id": "tea", "price": 80})
    assert (found["taken"], found["rejected"]) == (1, 1)


def test_two_reports_at_the_same_time_are_both_seen() -> None:
    scene = Scene()
    scene.world.product_states.busy["serum"] = 2
    assert len(scene.report({"id": "serum", "price": 159})["changes"]) == 1
    scene.world.product_states.busy["serum"] = 10
    with pytest.raises(ConcurrentUpdate):
        scene.report({"id": "serum", "price": 149})


def test_everybody_who_watches_hears_of_it_once_with_both_prices() -> None:
    scene = Scene()
    for contact, what in (("c-1", "all"), ("c-2", "price"), ("c-3", "stock")):
        scene.watch(contact, what=what)  # type: ignore[arg-type]
    scene.watch("c-4", "tea")
    [change] = scene.report({"id": "serum", "price": 159})["changes"]
    scene.notify(change)
    scene.notify(change)
    assert scene.notified == ["c-1", "c-2"]
    assert scene.events[0].properties == {
        "product_id": "serum", "change": "price_dropped", "price": 159, "old_price": 199, "drop_percent": 20,
    }  # fmt: skip


def test_what_is_over_is_said_to_everybody_who_may_have_heard_of_it() -> None:
    scene = Scene()
    scene.watch("c-1", what="price")
    scene.watch("c-2", what="stock")
    [change] = scene.report({"id": "serum", "in_stock": False})["changes"]
    scene.notify(change)
    assert scene.notified == ["c-1", "c-2"]


def test_who_began_to_watch_afterwards_or_watches_no_more_hears_nothing() -> None:
    scene = Scene()
    scene.watch("c-ended", days=0)
    [change] = scene.report({"id": "serum", "price": 159})["changes"]
    scene.world.clock.advance(minutes=1)
    scene.watch("c-after")
    assert scene.notify(change)[-1]["notified"] == 0


def test_a_price_that_no_longer_holds_is_not_announced() -> None:
    scene = Scene()
    scene.watch("c-1")
    [dropped] = scene.report({"id": "serum", "price": 159})["changes"]
    scene.report({"id": "serum", "price": 189})
    assert scene.notify(dropped)[-1]["outdated"] is True
    scene.report({"id": "serum", "price": 159})
    assert scene.notify(dropped)[-1] == {**scene.notify(dropped)[-1], "notified": 1, "outdated": False}


def test_what_changed_hours_ago_is_not_announced() -> None:
    scene = Scene()
    scene.watch("c-1")
    [dropped] = scene.report({"id": "serum", "price": 159})["changes"]
    scene.world.clock.advance(hours=LATE // timedelta(hours=1), minutes=1)
    assert (scene.notify(dropped)[-1]["outdated"], scene.notified) == (True, [])


def test_many_who_watch_hear_of_it_part_by_part() -> None:
    scene = Scene()
    many = EVENTS_PER_CALL + PER_PAGE + 1
    for number in range(many):
        scene.watch(f"c-{number:05d}")
    [change] = scene.report({"id": "serum", "price": 159})["changes"]
    answers = scene.notify(change)
    assert [each["notified"] for each in answers] == [EVENTS_PER_CALL, many]
    assert len(scene.notified) == len(set(scene.notified)) == many


def test_a_change_is_announced_to_a_bounded_number(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    for number in range(3):
        scene.watch(f"c-{number}")
    [change] = scene.report({"id": "serum", "price": 159})["changes"]
    answer = assemble.notify_watchers(scene.world.ports).notify(
        {"change": change, "notified": MOST - 2, "after": None}, remaining=lambda: 900_000
    )
    assert (answer["done"], answer["limited"], scene.notified) == (True, True, ["c-0", "c-1"])


def test_a_change_survives_its_way_through_the_machine() -> None:
    [change] = Scene().report({"id": "serum", "price": 159})["changes"]
    assert ProductChange.from_dict(change).to_dict() == change
