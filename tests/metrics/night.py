"""A night on fakes: the steps of refresh-contacts in the order in which the state machine calls them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from tests.fakes.profile_scan import FakeProfileScan
from tests.fakes.world import World
from waypost import ids
from waypost.assembly import assemble
from waypost.bulk.run_slice import SliceRunner
from waypost.clock import parse_instant
from waypost.contacts.profile import Contact
from waypost.events.envelope import Event
from waypost.metrics.count_purchases import CountPurchases
from waypost.metrics.declaration import MetricsDeclaration
from waypost.metrics.measuring import Measurer
from waypost.metrics.plan_refresh import PlanRefresh
from waypost.metrics.rank_customers import RankCustomers
from waypost.metrics.refresh_contacts import COUNTED, RefreshContacts
from waypost.metrics.relate_products import RelateProducts
from waypost.products.catalogue import Catalogue

ACTIVITY: dict[str, Any] = {
    "activity": {
        "weights": {"order_placed": 10, "logged_in": 1},
        "half_life_seconds": 14 * 86400,
        "window_seconds": 90 * 86400,
    }
}
RFM: dict[str, Any] = {
    "event": "order_placed",
    "where": None,
    "value": "total",
    "window_seconds": 365 * 86400,
    "segments": [{"name": "champions", "r": [4, 5], "f": [4, 5], "m": [4, 5]}, {"name": "others"}],
}


@dataclass(kw_only=True)
class Night:
    """A world with metrics, and the machine that refreshes it."""

    world: World
    metrics: Mapping[str, Any] = field(default_factory=dict)
    catalogue: Catalogue = field(default_factory=Catalogue)
    most: int = 3
    runs: int = 0

    @property
    def scan(self) -> FakeProfileScan:
        return self.world.scan

    @property
    def declaration(self) -> MetricsDeclaration:
        empty: dict[str, Any] = {"scores": {}, "rfm": None, "churn_risk": []}
        return MetricsDeclaration.from_dict({**empty, **self.metrics} if self.metrics else {})

    @property
    def measurer(self) -> Measurer:
        return assemble.measurer(self.world.ports, metrics=self.declaration, default_zone=self.world.default_zone)

    @property
    def plan_refresh(self) -> PlanRefresh:
        return assemble.plan_refresh(
            self.world.ports,
            metrics=self.declaration,
            tags=self.world.tags,
            index=self.world.index,
            segments=self.world.segments,
            catalogue=lambda: self.catalogue,
        )

    @property
    def runner(self) -> SliceRunner:
        return SliceRunner(items_per_invocation=self.most, items_per_checkpoint=1)

    @property
    def count_purchases(self) -> CountPurchases:
        counter = assemble.count_purchases(
            self.world.ports,
            metrics=self.declaration,
            default_zone=self.world.default_zone,
            catalogue=lambda: self.catalogue,
        )
        return replace(counter, runner=self.runner)

    @property
    def rank_customers(self) -> RankCustomers:
        return assemble.rank_customers(self.world.ports)

    @property
    def relate_products(self) -> RelateProducts:
        return assemble.relate_products(self.world.ports, catalogue=lambda: self.catalogue)

    @property
    def refresh_contacts(self) -> RefreshContacts:
        refresher = assemble.refresh_contacts(
            self.world.ports,
            metrics=self.declaration,
            index=self.world.index,
            tags=self.world.tags,
            default_zone=self.world.default_zone,
        )
        return replace(refresher, runner=self.runner)

    def plan(self, refresh: str = "daily") -> dict[str, Any]:
        """The first step of a new run."""
        self.runs += 1
        return self.plan_refresh.plan({"run": f"run-{self.runs}", "refresh": refresh})

    def run(self, refresh: str = "daily") -> dict[str, int]:
        """A whole run; what it counted."""
        plan = self.plan(refresh)
        ranks: dict[str, Any] = {}
        if plan["counted"]:
            for part in plan["slices"]:
                self.to_the_end(self.count_purchases.count, part)
            ranks = self.rank_customers.rank({"run": plan["run"], "of": len(plan["slices"])})
        ends = [self.to_the_end(self.refresh_contacts.refresh, {**part, "ranks": ranks}) for part in plan["slices"]]
        if plan["related"]:
            self.relate_products.relate({"run": plan["run"], "of": len(plan["slices"]), "at": plan["slices"][0]["at"]})
        return {name: sum(end["counts"][name] for end in ends) for name in COUNTED}

    @staticmethod
    def to_the_end(step: Callable[..., dict[str, Any]], part: dict[str, Any]) -> dict[str, Any]:
        """Call a step until its slice is done."""
        answer = step(part, remaining=lambda: 900_000)
        while not answer["done"]:
            answer = step(answer, remaining=lambda: 900_000)
        return answer

    def have(self, user: str, **fields: Any) -> str:
        """A contact; its id."""
        contact_id = ids.contact_id("user_id", user)
        created = parse_instant("2026-01-01T00:00:00Z")
        self.world.contacts.put(Contact(contact_id, created, identities={"user_id": [user]}, **fields))
        return contact_id

    def happens(self, user: str, kind: str, *, days: float = 0, **properties: Any) -> None:
        """An event of the contact so many days ago, routed now."""
        at = self.world.clock() - timedelta(days=days)
        name = ids.event_id(user, [kind, at, properties])
        self.world.route(Event(name, kind, {"user_id": user}, at, self.world.clock(), "test", properties=properties))

    def metrics_of(self, user: str) -> dict[str, Any]:
        """A contact's metrics without the time."""
        found = dict(self.world.contacts[ids.contact_id("user_id", user)].metrics)
        found.pop("computed_at", None)
        return found
