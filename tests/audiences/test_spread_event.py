"""One event for everybody who waits for it: whom it reaches, how often, and how far a run has come."""

from dataclasses import dataclass, field
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.fakes.profile_scan import FakeProfileScan
from tests.fakes.published_journeys import JOURNEY, journey, published
from tests.fakes.queue import FakeQueue
from tests.fakes.world import World, event
from waypost.assembly import assemble
from waypost.audiences.spread_event import SpreadEvent
from waypost.clock import parse_instant
from waypost.contacts.profile import Contact
from waypost.errors import InvalidInput, TemporarilyUnavailable

NOW = parse_instant("2031-03-03T02:00:05.000Z")
WAITS = {"attribute": "waiting_for", "contains_property": "sku"}
REQUEST = {"run": "restock-7", "event": "back_in_stock", "properties": {"sku": "s-1"}, "rule": WAITS}


def waiting(number: int, *skus: str) -> Contact:
    return Contact(contact_id=f"c-{number:03d}", created_at=NOW, attributes={"waiting_for": list(skus)})


@dataclass
class Base:
    """Some contacts, and what spreads events among them."""

    contacts: list[Contact]
    queue: FakeQueue = field(default_factory=FakeQueue)
    fails_at: set[int] = field(default_factory=set)
    pages: Any = field(default_factory=count)

    def spread(self, **more: Any) -> dict[str, Any]:
        """Call until the run is over, again after a call that failed; the last answer."""
        answer: dict[str, Any] = REQUEST | more
        while not answer.get("done"):
            try:
                answer = self.one_call(answer)
            except TemporarilyUnavailable:
                continue
        return answer

    def one_call(self, payload: dict[str, Any], *, left: int = 0) -> dict[str, Any]:
        scan = FakeProfileScan(lambda: self.contacts, fails=self._fail)
        spread = SpreadEvent(scan=scan, queue=self.queue, default_zone=ZoneInfo("Asia/Shanghai"), clock=lambda: NOW)
        return spread.spread(payload, remaining=lambda: left)

    def _fail(self) -> None:
        if next(self.pages) in self.fails_at:
            raise TemporarilyUnavailable("Scan: throttled")

    @property
    def reached(self) -> list[str]:
        return sorted(each.contact["contact_id"] for each in self.queue.events.values())


def base(**more: Any) -> Base:
    return Base(
        [waiting(n, *(["s-1", "s-2"] if n % 3 == 0 else ["s-2"] if n % 3 == 1 else [])) for n in range(20)], **more
    )


def test_everybody_who_waits_gets_the_event_and_nobody_else() -> None:
    some = base()
    answer = some.spread()
    assert some.reached == [f"c-{n:03d}" for n in range(0, 20, 3)]
    assert (answer["read"], answer["given"], answer["done"], answer["limited"]) == (20, 7, True, False)
    given = next(iter(some.queue.events.values()))
    assert (given.type, given.properties, given.occurred_at, given.is_our_own) == (
        "back_in_stock",
        {"sku": "s-1"},
        NOW,
        False,
    )


@pytest.mark.parametrize("failing", range(12))
def test_a_run_whose_calls_fail_or_are_repeated_reaches_everybody_once(failing: int) -> None:
    some = base(fails_at={failing, failing + 1})
    some.spread()
    first = dict(some.queue.events)
    some.spread()
    assert some.queue.events == first
    assert some.reached == [f"c-{n:03d}" for n in range(0, 20, 3)]


def test_another_run_is_another_occasion() -> None:
    some = base()
    some.spread()
    some.spread(run="restock-8")
    assert len(some.queue.events) == 14


def test_no_more_contacts_than_asked_for_get_it() -> None:
    some = base()
    answer = some.spread(most=3)
    assert some.reached == ["c-000", "c-003", "c-006"]
    assert (answer["given"], answer["limited"]) == (3, True)


def test_a_call_ends_in_time_and_says_where_it_stands() -> None:
    some = base()
    first = some.one_call(dict(REQUEST))
    assert (first["done"], first["read"], first["after"]) == (False, 2, "c-001")
    assert some.one_call(first, left=900_000)["done"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"event": "Back in stock"}, "event"),
        ({"event": ""}, "event"),
        ({"event": "message_delivered"}, "event"),
        ({"event": "tag_added"}, "event"),
        ({"rule": {}}, "rule"),
        ({"rule": {"event": "order_placed"}}, "rule"),
        ({"rule": {"journey": "cart"}}, "rule"),
        ({"rule": {"attribute": "a", "equals_trigger": "b"}}, "rule"),
        ({"rule": {"attribute": "a", "contains_property": 5}}, "rule.contains_property"),
        ({"properties": []}, "properties"),
        ({"properties": {"text": "x" * 40_000}}, "properties"),
        ({"most": 0}, "most"),
        ({"most": True}, "most"),
        ({"segment": "vip"}, "segment"),
    ],
)
def test_what_is_wrong_is_refused_by_its_field_before_anybody_is_reached(change: dict[str, Any], field: str) -> None:
    some = base()
    with pytest.raises(InvalidInput) as refused:
        some.one_call(REQUEST | change)
    assert refused.value.field == field
    assert not some.queue.sent


def test_a_journey_starts_for_each_of_them_once_per_product_and_again_after_a_time() -> None:
    re_entry = {"kind": "per", "seconds": 30 * 86_400, "property": "sku"}
    trigger = {"kind": "event", "event": "back_in_stock", "where": WAITS}
    world = World(published=published(journey(trigger=trigger, re_entry=re_entry)))
    for number in range(4):
        skus = ["s-1"] if number else ["s-2"]
        who = {"user_id": f"u-{number}"}
        world.route(event("identified", world.clock(), f"e-{number}", contact=who, profile={"waiting_for": skus}))

    def restock(run: str) -> list[str]:
        spread = assemble.spread_event(world.ports, default_zone=world.default_zone)
        answer: dict[str, Any] = REQUEST | {"run": run}
        known = set(world.queue.events)
        while not answer.get("done"):
            answer = spread.spread(answer, remaining=lambda: 0)
        given = [each for name, each in world.queue.events.items() if name not in known and each.correlation_id == run]
        routed = [world.route(each) for each in given]
        return [decision["reason"] for each in routed for decision in each.decisions if decision["journey"] == JOURNEY]

    assert restock("restock-1") == ["enrolled"] * 3
    assert restock("restock-2") == ["already_in_journey"] * 3
    for enrolment in list(world.enrolments):
        world.close(enrolment)
    world.clock.advance(days=31)
    assert restock("restock-3") == ["enrolled"] * 3
