"""The product catalogue, and which products go with which. Used by the sender, for messages that ask for products.

What is related to a cart is decided here and nowhere else, the same way every time: first what the catalogue declares for
the products in it, in their order; then what is most like them (two points for the same category, one for each shared
tag, for every product in the cart), and among equals by id. What is in the cart or was bought before is never shown.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final, Protocol, Self

from waypost.content.locale import choose_locale
from waypost.errors import InvalidInput
from waypost.events.history import RecordedEvent
from waypost.published_sections import published_section

BOUGHT_WITH: Final = ("order_placed",)
"""Events that say what was bought."""
LOOKED_BACK: Final = timedelta(days=730)
_LISTS: Final = ("products", "items", "line_items")
_IDS: Final = ("product_id", "sku", "id")
_SAME_CATEGORY: Final = 2


@dataclass(frozen=True, slots=True)
class Product:
    """One product; ``names`` by locale, ``price`` in the catalogue's currency."""

    id: str
    names: Mapping[str, str]
    price: float
    category: str = ""
    image: str = ""
    url: str = ""
    tags: frozenset[str] = frozenset()
    related: tuple[str, ...] = ()

    def to_dict(self, name: str) -> dict[str, Any]:
        """What a template sees of it."""
        return {
            "id": self.id,
            "name": name,
            "price": int(self.price) if float(self.price).is_integer() else self.price,
            "category": self.category,
            "image": self.image,
            "url": self.url,
            "tags": sorted(self.tags),
        }


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a message asks for: so many ``related`` products, and at least ``at_least`` of them or it is not sent."""

    related: int
    at_least: int = 0


class Purchases(Protocol):
    """What was bought before: the part of an EventHistory that this needs."""

    def since(self, contact_id: str, instant: datetime, *, types: Sequence[str] = ()) -> list[RecordedEvent]:
        """The contact's events of these types since then."""
        ...


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All products, by id."""

    currency: str = ""
    products: Mapping[str, Product] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """From the published form; an empty one has no products."""
        products = {
            id_: Product(
                id=id_,
                names=each["name"],
                price=each["price"],
                category=each["category"],
                image=each["image"],
                url=each["url"],
                tags=frozenset(each["tags"]),
                related=tuple(each["related"]),
            )
            for id_, each in value.get("products", {}).items()
        }
        return cls(value.get("currency", ""), products)

    def related(self, cart: Sequence[str], *, without: Iterable[str] = (), count: int) -> list[Product]:
        """The ``count`` products that go best with the cart, none of which is in it or in ``without``."""
        left_out = {*cart, *without}
        in_cart = [self.products[id_] for id_ in cart if id_ in self.products]
        declared = [id_ for product in in_cart for id_ in product.related]
        chosen = [id_ for id_ in dict.fromkeys(declared) if id_ in self.products and id_ not in left_out][:count]
        if len(chosen) < count and in_cart:
            left_out.update(chosen)
            scored = [
                (-score, id_)
                for id_, product in self.products.items()
                if id_ not in left_out and (score := sum(_likeness(product, each) for each in in_cart)) > 0
            ]
            chosen += [id_ for _, id_ in sorted(scored)[: count - len(chosen)]]
        return [self.products[id_] for id_ in chosen]


def _likeness(one: Product, other: Product) -> int:
    same = bool(one.category) and one.category == other.category
    return _SAME_CATEGORY * same + len(one.tags & other.tags)


def products_in(properties: Mapping[str, Any]) -> list[str]:
    """The ids of the products that an event names, in its order.

    They stand in ``products``, ``items`` or ``line_items`` (texts, or objects with ``product_id``, ``sku`` or ``id``), or in
    ``product_id`` or ``sku`` of the event itself, where Segment's ecommerce events and our mappings put them.
    """
    found: list[str] = []
    for name in _LISTS:
        elements = properties.get(name)
        for element in elements if isinstance(elements, list) else []:
            found += _id_of(element)
    found += _id_of({name: properties.get(name) for name in ("product_id", "sku")})
    return list(dict.fromkeys(found))


def _id_of(element: Any) -> list[str]:
    if isinstance(element, Mapping):
        element = next((element[name] for name in _IDS if element.get(name) not in (None, "")), None)
    if isinstance(element, bool) or not isinstance(element, (str, int)):
        return []
    return [str(element)] if str(element) else []


def bought_since(instant: datetime, purchases: Purchases, partitions: Sequence[str]) -> dict[str, datetime]:
    """The ids of the products that a contact with these ``partitions`` bought since then, and when each was bought last."""
    found: dict[str, datetime] = {}
    for owner in partitions:
        for order in purchases.since(owner, instant, types=BOUGHT_WITH):
            for id_ in products_in(order.properties):
                found[id_] = max(order.occurred_at, found.get(id_, order.occurred_at))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductVariables:
    """The template variable ``products``; ``name_in`` chooses among locales as messages do."""

    catalogue: Catalogue
    purchases: Purchases

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

        ``partitions`` are the contact's. Raises InvalidInput when fewer than ``at_least`` are related.
        """

        cart = products_in(event)
        bought = bought_since(now - LOOKED_BACK, self.purchases, partitions)
        related = self.catalogue.related(cart, without=bought, count=wanted.related)
        if len(related) < wanted.at_least:
            raise InvalidInput("products.related", f"has {len(related)} instead of at least {wanted.at_least} products")

        def shown(product: Product) -> dict[str, Any]:
            return product.to_dict(product.names[choose_locale(locale, product.names, default_locale)])

        known = [self.catalogue.products[id_] for id_ in cart if id_ in self.catalogue.products]
        return {
            "cart": [shown(product) for product in known],
            "related": [shown(product) for product in related],
            "currency": self.catalogue.currency,
        }


@cache
def load_catalogue() -> Catalogue:
    """The products of this deployment, from the journeys layer; parsed at the first message that asks for products."""
    return Catalogue.from_dict(published_section("products"))
