"""What the shop last reported of a product: its price, and whether it can be bought. Written by UpdateProducts, read at sending."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol, Self

from waypost.codec import JsonForm
from waypost.products.catalogue import Catalogue, Product


@dataclass(frozen=True, slots=True)
class Offer(JsonForm):
    """A product as it is offered: its price in the catalogue's currency, and whether it can be bought."""

    price: float
    in_stock: bool = True
    published: bool = True

    @property
    def available(self) -> bool:
        """Whether it can be bought now."""
        return self.published and self.in_stock

    @classmethod
    def of(cls, product: Product) -> Self:
        """As the catalogue was deployed."""
        return cls(product.price, product.in_stock, product.published)

    def same_as(self, other: Self) -> bool:
        """Whether nobody who watches the product could tell them apart."""
        return (self.price, self.available) == (other.price, other.available)


@dataclass(frozen=True, slots=True)
class ProductState(JsonForm):
    """The ``offer`` that the shop reported ``at`` an instant, in which ``run``, and the one ``before`` it."""

    offer: Offer
    before: Offer
    at: datetime
    run: str


class StateReader(Protocol):
    """Gives what was reported of products."""

    def read(self, products: Sequence[str]) -> dict[str, ProductState]:
        """Of those of which anything was reported; at most a hundred. Raises RetryableError."""
        ...


class StateStore(StateReader, Protocol):
    """Keeps what was reported of products."""

    def put(self, product_id: str, state: ProductState, *, instead_of: ProductState | None) -> bool:
        """Keep it if ``instead_of`` (None: nothing) is what is kept; False when another report was first. Raises RetryableError."""
        ...


class NothingReported:
    """A StateReader that knows nothing."""

    @staticmethod
    def read(products: Sequence[str]) -> dict[str, ProductState]:
        """See StateReader."""
        del products
        return {}


def as_reported(product: Product, reported: Mapping[str, ProductState]) -> Product:
    """The product with the price and stock that was reported of it, or as the catalogue has it."""
    state = reported.get(product.id)
    if state is None:
        return product
    offer = state.offer
    return replace(product, price=offer.price, in_stock=offer.in_stock, published=offer.published)


def offer_of(product_id: str, state: ProductState | None, catalogue: Catalogue) -> Offer:
    """What is known of the product's offer now."""
    return state.offer if state else Offer.of(catalogue.products[product_id])
