"""What goes with what, from the orders that all slices have counted. Called by relate_products, after the contacts are refreshed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from waypost.clock import parse_instant
from waypost.files.ports import Files
from waypost.metrics.count_purchases import counted
from waypost.products.catalogue import Catalogue
from waypost.products.sales import SalesStore, sales_of


@dataclass(frozen=True, slots=True, kw_only=True)
class RelateProducts:
    """Adds up what all slices have counted and stores it; doing so again writes the same rows."""

    files: Files
    sales: SalesStore
    catalogue: Callable[[], Catalogue]

    def relate(self, payload: Mapping[str, Any]) -> dict[str, int]:
        """``{run, of, at}`` → how many products have partners, how many groups have best sellers, and how far a count may be short.

        Raises InvalidInput when one of the ``of`` slices is not counted to its end, and RetryableError.
        """
        together = counted(self.files, payload["run"]).gathered(payload["of"]).found.together
        sales = sales_of(together, self.catalogue())
        self.sales.keep(sales, at=parse_instant(payload["at"]))
        return {"products": len(sales.partners), "groups": len(sales.best), "short": together.short}
