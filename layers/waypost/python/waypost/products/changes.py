"""What a report of the shop changes for who watches a product. Used by UpdateProducts and NotifyWatchers."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, assert_never

from waypost.codec import JsonForm
from waypost.products.states import Offer
from waypost.products.watching import Watched

CHANGED: Final = "watched_product_changed"
"""The event of each contact that watches the product."""

ChangeKind = Literal["price_dropped", "back_in_stock", "price_raised", "out_of_stock"]


@dataclass(frozen=True, slots=True)
class ProductChange(JsonForm):
    """One change of one product, in the ``run`` that reported it ``at`` an instant."""

    run: str
    product_id: str
    change: ChangeKind
    price: float
    old_price: float
    at: datetime

    def concerns(self, watched: Watched) -> bool:
        """Whether who watches this of the product hears of it. What is over concerns everybody who may have heard of it."""
        match self.change:
            case "price_dropped":
                return watched != "stock"
            case "back_in_stock":
                return watched != "price"
            case "price_raised" | "out_of_stock":
                return True
            case _:
                assert_never(self.change)

    def properties(self) -> dict[str, Any]:
        """Those of the event; ``drop_percent`` is how much less than before, in whole percent."""
        drop = round(100 * (1 - self.price / self.old_price)) if self.price < self.old_price else 0
        return {
            "product_id": self.product_id,
            "change": self.change,
            "price": self.price,
            "old_price": self.old_price,
            "drop_percent": drop,
        }


def change_of(before: Offer, after: Offer) -> ChangeKind | None:
    """What has changed for who watches; None: nothing. A product that comes back at another price is back."""
    match before.available, after.available:
        case False, True:
            return "back_in_stock"
        case True, False:
            return "out_of_stock"
        case True, True if after.price != before.price:
            return "price_dropped" if after.price < before.price else "price_raised"
        case _:
            return None
