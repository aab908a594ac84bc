"""A SalesStore in memory."""

from collections.abc import Sequence
from datetime import datetime

from waypost.products.sales import KEPT, Counted, Sales


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
