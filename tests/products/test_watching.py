"""Who watches what: by event, for a time, so many at most."""

from datetime import timedelta
from typing import Any

from tests.fakes.products import FakeWatches
from waypost.clock import format_instant, parse_instant
from waypost.events.envelope import Event
from waypost.products.watching import LONGEST, MOST_WATCHES, UNWATCHED, WATCHED, WATCHED_FOR, Watch, WatchKeeper

NOW = parse_instant("2031-03-03T02:00:00.000Z")


class Scene:
    """Contacts that watch, and what is kept of it."""

    def __init__(self) -> None:
        self.store, self.now = FakeWatches(), NOW

    def happens(
        self, kind: str, *partitions: str, ago: timedelta = timedelta(), what: str = "", **properties: Any
    ) -> None:
        properties |= {"for": what} if what else {}
        event = Event("e", kind, {}, self.now - ago, self.now, "shop", properties=properties)
        WatchKeeper(self.store, lambda: self.now).notice(event, partitions or ("c-1",))

    def watched(self, contact_id: str = "c-1") -> list[str]:
        """What the contact watches; the rows by product say the same."""
        of_contact = sorted(self.store.contacts.get(contact_id, {}))
        assert of_contact == sorted(id_ for id_, rows in self.store.products.items() if contact_id in rows)
        return of_contact


def test_a_product_is_watched_for_ninety_days_unless_the_event_says_until_when() -> None:
    scene = Scene()
    scene.happens(WATCHED, product_id="serum")
    scene.happens(WATCHED, product_id="tea", until=format_instant(NOW + timedelta(days=7)), what="price")
    scene.happens(WATCHED, product_id="mug", until="2099-01-01T00:00:00Z", what="stock")
    scene.happens(WATCHED, product_id="cup", until="soon", what="anything")
    assert scene.store.contacts["c-1"] == {
        "serum": Watch("all", NOW, NOW + WATCHED_FOR),
        "tea": Watch("price", NOW, NOW + timedelta(days=7)),
        "mug": Watch("stock", NOW, NOW + LONGEST),
        "cup": Watch("all", NOW, NOW + WATCHED_FOR),
    }


def test_what_is_over_when_it_comes_is_not_watched() -> None:
    scene = Scene()
    scene.happens(WATCHED, product_id="serum", ago=timedelta(days=91))
    assert scene.watched() == []


def test_a_product_is_watched_no_more_under_any_id_of_the_contact() -> None:
    scene = Scene()
    scene.happens(WATCHED, "c-1", products=["serum", "tea"])
    scene.happens(WATCHED, "c-0", product_id="serum")
    scene.happens(UNWATCHED, "c-1", "c-0", product_id="serum")
    assert (scene.watched("c-1"), scene.watched("c-0")) == (["tea"], [])


def test_an_old_event_that_comes_late_undoes_nothing_newer() -> None:
    scene = Scene()
    scene.happens(WATCHED, product_id="serum", what="price")
    scene.happens(UNWATCHED, product_id="serum", ago=timedelta(hours=1))
    scene.happens(WATCHED, product_id="serum", ago=timedelta(hours=1))
    assert scene.store.contacts["c-1"]["serum"].what == "price"


def test_a_contact_watches_fifty_products_and_another_one_takes_the_place_of_the_oldest() -> None:
    scene = Scene()
    for number in range(MOST_WATCHES + 2):
        scene.now = NOW + timedelta(minutes=number)
        scene.happens(WATCHED, product_id=f"p-{number:02d}")
    assert scene.watched() == [f"p-{number:02d}" for number in range(2, MOST_WATCHES + 2)]


def test_what_ended_makes_place() -> None:
    scene = Scene()
    scene.happens(WATCHED, product_id="serum")
    scene.now = NOW + WATCHED_FOR
    scene.happens(WATCHED, product_id="tea")
    assert scene.watched() == ["tea"]


def test_other_events_and_names_that_no_product_has_are_left_alone() -> None:
    scene = Scene()
    scene.happens("product_viewed", product_id="serum")
    scene.happens(WATCHED, product_id="x" * 65)
    scene.happens(WATCHED)
    assert scene.watched() == []
