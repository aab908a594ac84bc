"""What an event writes and reads with everything that is shipped deployed: a journey that it does not concern costs it nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any, Final, cast

from benchmarks.request_units import item_size
from infra.project import ROOT
from tests.adapters.stores import dynamo_stores
from tests.adapters.test_cost_of_an_event import in_transit
from tests.fakes.contacts import FakeBulkContacts
from tests.fakes.enrolments import FakeEnrolments
from tests.fakes.history import FakeHistory
from tests.fakes.ledger import FakeLedger
from tests.fakes.published_journeys import Published
from tests.fakes.world import World, event
from waypost.authoring.discovery import discover
from waypost.authoring.publishing import published
from waypost.clock import parse_instant
from waypost.contacts.tag_system import TagSystem
from waypost.defaults import Defaults
from waypost.events.listening import Listening
from waypost.journeys.published import PublishedJourney, PublishedJourneys
from waypost.segments.lifecycle import Lifecycle
from waypost.segments.saved_segments import SavedSegment
from waypost.sending.policy import SendingPolicy

JOURNEY: Final = "new-user-nurture"
NEWCOMER: Final = {"user_id": "u-1", "email": "lin@example.com", "phone": "+8613800138001"}
STORY: Final[tuple[tuple[str, Mapping[str, Any], tuple[float, float]], ...]] = (
    ("identified", {"contact": NEWCOMER, "profile": {"consent": {"email": True}}}, (5, 7)),
    ("registered", {"source": "app"}, (6.5, 7)),
    ("page_viewed", {"path": "/"}, (4.5, 4)),
    ("survey_answered", {"interest": "beauty"}, (4.5, 4)),
    ("unsubscribed", {"channel": "email"}, (5.5, 4)),
)
"""The events, with what each of them reads and writes where no other journey is deployed, in units of rows below their size."""


@dataclass
class Metered:
    """A DynamoDB client that counts the units of what it reads and writes, taking every row for one of a unit."""

    client: Any
    read: float = 0.0
    written: float = 0.0

    def get_paginator(self, operation: str) -> Any:
        """A query of one page."""
        assert operation == "query"
        paginator = self.client.get_paginator(operation)

        def paginate(**request: Any) -> Any:
            self.read += 1 if request.get("ConsistentRead") else 0.5
            return paginator.paginate(**request)

        return SimpleNamespace(paginate=paginate)

    def __getattr__(self, name: str) -> Any:
        call = getattr(self.client, name)

        def counted(**request: Any) -> Any:
            match name:
                case "get_item":
                    self.read += 1 if request.get("ConsistentRead") else 0.5
                case "batch_get_item":
                    for wanted in request["RequestItems"].values():
                        self.read += len(wanted["Keys"]) * (1 if wanted.get("ConsistentRead") else 0.5)
                case "put_item":
                    assert item_size(in_transit(request["Item"])) <= 1024
                    self.written += 1
                case "update_item" | "delete_item":
                    self.written += 1
                case "transact_write_items":
                    self.written += 2 * len(request["TransactItems"])
                case _:
                    raise AssertionError(name)
            return call(**request)

        return counted

    def take(self) -> tuple[float, float]:
        """The units since the last take, read and written."""
        taken, self.read, self.written = (self.read, self.written), 0.0, 0.0
        return taken


@cache
def sections() -> dict[str, dict[str, Any]]:
    return published(discover(ROOT / "statemachines"))


def deployed(dynamodb: Any, table: str, *, alone: bool) -> tuple[World, Metered]:
    """What is shipped on DynamoDB, with all journeys or only one of them; segments, tags and stages are there in any case."""
    has = sections()
    metered = Metered(dynamodb)
    stores = dynamo_stores(metered, table)
    journeys = {name: each for name, each in has["journeys"].items() if name == JOURNEY or not alone}
    world = World(
        published=Published(
            defaults=Defaults.from_dict(has["defaults"]),
            policy=SendingPolicy.from_dict(has["sending"]),
            journeys=PublishedJourneys.from_dict(journeys),
            messages={},
        ),
        tags=TagSystem.from_dict(has["tags"]),
        segments={name: SavedSegment.from_dict(name, each) for name, each in has["segments"].items()},
        lifecycle=Lifecycle.from_dict(has["metrics"]["lifecycle"]),
        listening=Listening.from_dict(has["listening"]),
    )
    world.contacts = cast("FakeBulkContacts", stores.contacts)
    world.history = cast("FakeHistory", stores.history)
    world.enrolments = cast("FakeEnrolments", stores.enrolments)
    world.ledger = cast("FakeLedger", stores.ledger)
    return world, metered


def story(world: World, metered: Metered) -> list[tuple[str, tuple[float, float], list[dict[str, Any]]]]:
    """Each event with what it cost and what was decided about journeys."""
    happened = []
    world.clock.now = parse_instant("2031-03-03T02:00:00.000Z")
    for kind, says, _ in STORY:
        world.clock.advance(hours=1)
        decisions = world.route(event(kind, world.clock(), **says)).decisions
        happened.append((kind, metered.take(), decisions))
    return happened


def entry_into(journey: PublishedJourney) -> tuple[int, int]:
    """Read and write units of an entry: its past row, before and after; the note, the place, the group and the row."""
    has_place = journey.re_entry.kind != "per" or journey.re_entry.seconds is not None
    return 2, 2 + has_place + (journey.exclusive_group is not None)


def test_what_each_event_of_the_nurture_reads_and_writes(dynamodb: Any, table: str) -> None:
    costs = [(kind, cost) for kind, cost, _ in story(*deployed(dynamodb, table, alone=True))]
    assert costs == [(kind, cost) for kind, _, cost in STORY]


def test_a_journey_that_the_contact_does_not_enter_costs_an_event_nothing(
    dynamodb: Any, two_tables: tuple[str, str]
) -> None:
    alone, library = (
        story(*deployed(dynamodb, table, alone=each)) for table, each in zip(two_tables, (True, False), strict=True)
    )
    for (kind, cost, _), (_, among_all, decisions) in zip(alone, library, strict=True):
        others = [
            each["journey"] for each in decisions if each.get("reason") == "enrolled" and each["journey"] != JOURNEY
        ]
        entries = [entry_into(PublishedJourney.from_dict(sections()["journeys"][name])) for name in others]
        expected = tuple(map(sum, zip(cost, *entries, strict=True)))
        assert (kind, among_all) == (kind, expected), decisions
