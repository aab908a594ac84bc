"""The product catalogue as it is deployed. Used by the recommender, by the nightly count and by messages."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any, Self

from waypost.published_sections import published_section


@dataclass(frozen=True, slots=True)
class Product:
    """One product; ``names`` by locale, ``price`` in the catalogue's currency.

    One that is not ``published`` or not ``in_stock`` is never recommended.
    """

    id: str
    names: Mapping[str, str]
    price: float
    category: str = ""
    image: str = ""
    url: str = ""
    tags: frozenset[str] = frozenset()
    related: tuple[str, ...] = ()
    published: bool = True
    in_stock: bool = True

    @property
    def available(self) -> bool:
        """Whether it can be bought now."""
        return self.published and self.in_stock

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
class CountingRule:
    """Which orders the nightly count looks at, and in how many of them two products must be together to be recommended for it."""

    window: timedelta
    at_least: int


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All products, by id. ``counting`` is None where no purchases are counted."""

    currency: str = ""
    products: Mapping[str, Product] = field(default_factory=dict)
    counting: CountingRule | None = None

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
                published=each.get("published", True),
                in_stock=each.get("in_stock", True),
            )
            for id_, each in value.get("products", {}).items()
        }
        given = value.get("recommend")
        counting = CountingRule(timedelta(days=given["days"]), given["at_least"]) if given else None
        return cls(value.get("currency", ""), products, counting)


@cache
def load_catalogue() -> Catalogue:
    """The products of this deployment, from the journeys layer; parsed at the first message that asks for products."""
    return Catalogue.from_dict(published_section("products"))
