"""What the nightly count found out of the products, row by row. Written by RelateProducts, read by messages that ask for products."""

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

from waypost.products.catalogue import Catalogue, Product
from waypost.products.together import Together

Counted = Sequence[tuple[str, int]]
"""Products and how often, most often first, equals by id."""

MOST_PARTNERS: Final = 20
"""Of a product; a message shows twelve at most."""
MOST_BEST: Final = 30
"""Best sellers of a group: enough that most contacts have not bought them all."""
MOST_GROUPS: Final = 2_000
"""Categories and tags that have their best sellers, those that sell most."""
MOST_SEEDS: Final = 20
"""Products from which is recommended: two rows for each, of the hundred that one call reads."""
KEPT: Final = timedelta(days=30)
"""After so many days without a count nothing is said of what is bought together."""

ALL: Final = "all"
"""The group of all products."""


def category_group(category: str) -> str:
    """The group of a category's products."""
    return f"category/{category}"


def tag_group(tag: str) -> str:
    """The group of the products with a tag."""
    return f"tag/{tag}"


def groups_of(product: Product) -> Iterator[str]:
    """The groups of best sellers that a product belongs to."""
    yield ALL
    if product.category:
        yield category_group(product.category)
    yield from map(tag_group, sorted(product.tags))


@dataclass(frozen=True, slots=True)
class Sales:
    """What is known of some products and groups: ``partners`` by product, ``best`` by group."""

    partners: Mapping[str, Counted] = field(default_factory=dict)
    best: Mapping[str, Counted] = field(default_factory=dict)


class SalesReader(Protocol):
    """Gives what was counted last night."""

    def read(self, products: Sequence[str], groups: Sequence[str], *, now: datetime) -> Sales:
        """What is known of these; nothing of what was counted more than ``KEPT`` ago. Raises RetryableError."""
        ...


class SalesStore(SalesReader, Protocol):
    """Keeps what was counted."""

    def keep(self, sales: Sales, *, at: datetime) -> None:
        """Put these rows in the place of those before; the rows of other products and groups stay. Raises RetryableError."""
        ...


class NothingCounted:
    """A SalesReader that knows nothing, where no purchases are counted."""

    @staticmethod
    def read(products: Sequence[str], groups: Sequence[str], *, now: datetime) -> Sales:
        """See SalesReader."""
        del products, groups, now
        return Sales()


def sales_of(together: Together, catalogue: Catalogue) -> Sales:
    """The rows of what was counted: of each product the partners it has most orders with, of each group what sells best."""
    counting = catalogue.counting
    if counting is None:
        return Sales()
    partners = {
        id_: kept
        for id_, found in together.partners().items()
        if id_ in catalogue.products
        and (kept := _most((each for each in found if each[1] >= counting.at_least and each[0] in catalogue.products), MOST_PARTNERS))
    }  # fmt: skip
    groups: dict[str, list[tuple[str, int]]] = {}
    for id_, times in together.sold.items():
        if id_ in catalogue.products:
            for group in groups_of(catalogue.products[id_]):
                groups.setdefault(group, []).append((id_, times))
    largest = sorted(groups, key=lambda group: (-sum(times for _, times in groups[group]), group))[:MOST_GROUPS]
    return Sales(partners, {group: _most(groups[group], MOST_BEST) for group in largest})


def _most(found: Iterable[tuple[str, int]], count: int) -> Counted:
    return heapq.nsmallest(count, found, key=lambda each: (-each[1], each[0]))
