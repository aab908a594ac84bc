"""What an event reads and writes, counted on the real stores: the contact's past must not make it dearer."""

import base64
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Self

from benchmarks.request_units import item_size, read_units
from tests.adapters.stores import Stores, dynamo_stores, in_nurture
from tests.adapters.test_lives_on_dynamodb import world_on
from tests.fakes.clock import FakeClock
from tests.fakes.world import CONTACT, World, event, send_request
from waypost.journeys.enrolment import TriggerEvent
from waypost.journeys.ports import EntryTerms
from waypost.sending.ledger import Decision

COUNTED = ("GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems")


class Counting:
    """Watches a client: how often each operation was called, and the units of what was read."""

    def __init__(self, client: Any) -> None:
        self.calls: Counter[str] = Counter()
        self.read_units = 0.0
        self._client = client
        client.meta.events.register("after-call.dynamodb", self._count, unique_id="counting")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.meta.events.unregister("after-call.dynamodb", unique_id="counting")

    def _count(self, model: Any, parsed: Mapping[str, Any], **_: Any) -> None:
        self.calls[model.name] += 1
        items = parsed.get("Items", [parsed["Item"]] if "Item" in parsed else [])
        items = [*items, *(item for found in parsed.get("Responses", {}).values() for item in found)]
        if model.name in COUNTED[:3]:
            each = model.name == "BatchGetItem"
            self.read_units += read_units([item_size(in_transit(item)) for item in items], consistent=True, each=each)


def in_transit(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item as it travels: binary values in Base64."""
    return {
        name: {"B": base64.b64encode(value["B"]).decode()} if "B" in value else value for name, value in item.items()
    }


def pass_through(stores: Stores, world: World, journeys: int) -> None:
    """The contact has been in so many journeys, each with a message."""
    for number in range(journeys):
        trigger = TriggerEvent(
            f"e-past-{number}", "registered", world.clock() - timedelta(days=30), {"coupon": "GLOW15"}
        )
        passage = in_nurture(f"n-past-{number}", CONTACT, trigger, trigger.occurred_at)
        assert stores.enrolments.open(passage, EntryTerms(one_at_a_time=False)) is None
        request = send_request(passage, "welcome", state="welcome")
        stores.ledger.skip(
            request,
            decision=Decision(trigger.occurred_at, "2027-01-30T10:00:00+08:00", "skipped", "no_consent", "email"),
        )
        assert stores.enrolments.end(replace(passage, revision=1).ended("completed", trigger.occurred_at))


def routed(dynamodb: Any, table: str, journeys: int, *events: str) -> tuple[Counter[str], float]:
    """What these events cost a contact who is in a journey and has so many behind."""
    stores = dynamo_stores(dynamodb, table)
    world = world_on(stores, "answers")
    world.route(event("registered", world.clock(), coupon="GLOW15"))
    pass_through(stores, world, journeys)
    with Counting(dynamodb) as counting:
        for kind in events:
            world.clock.advance(days=1)
            world.route(event(kind, world.clock()))
    return counting.calls, counting.read_units


def test_an_event_costs_as_much_after_a_hundred_journeys_as_after_none(
    dynamodb: Any, two_tables: tuple[str, str], clock: FakeClock
) -> None:
    fresh, experienced = two_tables
    events = ("page_viewed", "survey_answered", "left_us")
    assert routed(dynamodb, experienced, 100, *events) == routed(dynamodb, fresh, 0, *events)
