"""The template variable ``products``. Used by the sender, for messages that ask for products."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from waypost.content.locale import choose_locale
from waypost.errors import InvalidInput
from waypost.products.catalogue import Catalogue, Product
from waypost.products.purchases import Purchases, bought_since, products_in
from waypost.products.recommending import latest_first, recommend
from waypost.products.sales import MOST_SEEDS, NothingCounted, SalesReader
from waypost.products.states import NothingReported, StateReader, as_reported

LOOKED_BACK: Final = timedelta(days=730)
SPARE: Final = 8
"""Products that are ranked beside those that are wanted, for those that turn out to be sold out."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a message asks for: so many ``related`` products, and at least ``at_least`` of them or it is not sent.

    ``tag``: only products that have it.
    """

    related: int
    at_least: int = 0
    tag: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductVariables:
    """The template variable ``products``; the names of products are chosen among locales as messages are."""

    catalogue: Catalogue
    purchases: Purchases
    sales: SalesReader = field(default_factory=NothingCounted)
    states: StateReader = field(default_factory=NothingReported)

    def of(
        self,
        wanted: Wanted,
        *,
        event: Mapping[str, Any],
        partitions: Sequence[str],
        now: datetime,
        locale: str | None,
        default_locale: str,
    ) -> dict[str, Any]:
        """``{"cart": […], "related": […], "currency"}`` for the event that started the journey.

        What is related goes with the products of the event; with those that the contact bought last where it names none that the
        catalogue knows. ``partitions`` are the contact's. Raises InvalidInput when fewer than ``at_least`` are related, and RetryableError.
        """

        cart = products_in(event)
        known = [self.catalogue.products[id_] for id_ in cart if id_ in self.catalogue.products]
        bought = bought_since(now - LOOKED_BACK, self.purchases, partitions)
        ranked = recommend(
            self.catalogue,
            [product.id for product in known] or latest_first(bought),
            sales=self.sales,
            now=now,
            count=wanted.related + SPARE,
            without=bought,
            tag=wanted.tag,
        )
        reported = self.states.read(
            [product.id for product in [*known[:MOST_SEEDS], *(each.product for each in ranked)]]
        )
        offered = [replace(each, product=as_reported(each.product, reported)) for each in ranked]
        related = [each for each in offered if each.product.available][: wanted.related]
        if len(related) < wanted.at_least:
            raise InvalidInput("products.related", f"has {len(related)} instead of at least {wanted.at_least} products")

        def shown(product: Product) -> dict[str, Any]:
            return product.to_dict(product.names[choose_locale(locale, product.names, default_locale)])

        return {
            "cart": [shown(as_reported(product, reported)) for product in known],
            "related": [{**shown(each.product), "reason": each.reason, "times": each.times} for each in related],
            "currency": self.catalogue.currency,
        }
