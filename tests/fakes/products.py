"""What is known of products in memory: sales, reports of the shop, who watches them."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from waypost.products.sales import KEPT, Counted, Sales
from waypost.products.states import ProductState
from waypost.products.watching import Watch


class FakeProductSales:
    """What was counted, with the instant at which each row was kept."""

    def __init__(self) -> None:
        self.partners: dict[str, tuple[datetime, Counted]] = {}
        self.best: dict[str, tuple[datetime, Counted]] = {}
        self.reads = 0

    def read(self, products: Sequence[str], groups: Sequence[str], *, now: datetime) -> Sales:
        """See SalesReader."""
        self.reads += 1
        return Sales(_fresh(self.partners, products, now), _fresh(self.best, groups, now))

    def keep(self, sales: Sales, *, at: datetime) -> None:
        """See SalesStore."""
        self.partners |= {id_: (at, counted) for id_, counted in sales.partners.items()}
        self.best |= {group: (at, counted) for group, counted in sales.best.items()}


def _fresh(rows: dict[str, tuple[datetime, Counted]], names: Sequence[str], now: datetime) -> dict[str, Counted]:
    return {name: rows[name][1] for name in names if name in rows and rows[name][0] + KEPT > now}


class FakeProductStates:
    """What was reported of each product; ``busy`` are products of which another report comes first, so often."""

    def __init__(self) -> None:
        self.states: dict[str, ProductState] = {}
        self.busy: dict[str, int] = {}

    def read(self, products: Sequence[str]) -> dict[str, ProductState]:
        """See StateReader."""
        return {id_: self.states[id_] for id_ in products if id_ in self.states}

    def put(self, product_id: str, state: ProductState, *, instead_of: ProductState | None) -> bool:
        """See StateStore."""
        if self.busy.get(product_id, 0):
            self.busy[product_id] -= 1
            return False
        if self.states.get(product_id) != instead_of:
            return False
        self.states[product_id] = state
        return True


class FakeWatches:
    """Who watches what; the two kinds of rows apart, as they are stored."""

    def __init__(self) -> None:
        self.contacts: dict[str, dict[str, Watch]] = {}
        self.products: dict[str, dict[str, Watch]] = {}

    def of_contact(self, contact_id: str) -> dict[str, Watch]:
        """See WatchStore."""
        return dict(self.contacts.get(contact_id, {}))

    def keep(
        self, contact_id: str, watches: Mapping[str, Watch], *, added: Sequence[str] = (), dropped: Sequence[str] = ()
    ) -> None:
        """See WatchStore."""
        for id_ in added:
            self.products.setdefault(id_, {})[contact_id] = watches[id_]
        for id_ in dropped:
            self.products.get(id_, {}).pop(contact_id, None)
        self.contacts[contact_id] = dict(watches)

    def watchers(
        self, product_id: str, *, after: str | None, most: int
    ) -> tuple[Sequence[tuple[str, Watch]], str | None]:
        """See WatchStore."""
        found = sorted((id_, each) for id_, each in self.products.get(product_id, {}).items() if id_ > (after or ""))
        return found[:most], found[most - 1][0] if len(found) > most else None
