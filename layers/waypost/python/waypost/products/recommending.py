"""Which products go with those that somebody is about to buy or bought, and why. Used by messages and ``waypost products``.

Decided here and nowhere else, the same way every time, and each with its reason: what the catalogue declares for the products, in
their order; what was ordered together with them, most orders first; what is most like them (two points for the same category, one for
each shared tag, for every one of them; among equals what sells better); what sells best. Never what is out of stock or not published.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final, Literal

from waypost.products.catalogue import Catalogue, Product
from waypost.products.sales import ALL, MOST_SEEDS, Counted, Sales, SalesReader, category_group, tag_group

Reason = Literal["declared", "bought_together", "same_category", "alike", "best_seller", "of_interest"]
"""``alike``: it shares tags. ``of_interest``: it has the tag that the message asks for, and no more is known."""

_SAME_CATEGORY: Final = 2


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A product and why it is recommended; ``times``: in how many orders it was, together with the others or, of a best seller, at all."""

    product: Product
    reason: Reason
    times: int = 0


def recommend(
    catalogue: Catalogue,
    seeds: Sequence[str],
    *,
    sales: SalesReader,
    now: datetime,
    count: int,
    without: Iterable[str] = (),
    tag: str = "",
) -> list[Recommendation]:
    """The ``count`` products that go best with the ``seeds``, none of which is among them or in ``without``; all with the ``tag``.

    What was counted is read only where the declared ones are too few. Raises RetryableError.
    """
    left_out = {*seeds, *without}
    known = [catalogue.products[id_] for id_ in seeds if id_ in catalogue.products][:MOST_SEEDS]
    offered = {
        id_: product
        for id_, product in catalogue.products.items()
        if product.available and id_ not in left_out and (not tag or tag in product.tags)
    }
    best: dict[str, Recommendation] = {}
    for each in _Ranking(offered, known, sales, now, tag).ranked():
        best.setdefault(each.product.id, each)
        if len(best) == count:
            break
    return list(best.values())


@dataclass(frozen=True, slots=True)
class _Ranking:
    """The products that are ``offered``, by the strongest reason first."""

    offered: Mapping[str, Product]
    seeds: Sequence[Product]
    sales: SalesReader
    now: datetime
    tag: str

    def ranked(self) -> Iterator[Recommendation]:
        """Every one with each reason that it has."""
        yield from self._declared()
        seller = tag_group(self.tag) if self.tag else ALL
        groups = [seller, *(category_group(seed.category) for seed in self.seeds if seed.category)]
        known = self.sales.read([seed.id for seed in self.seeds], list(dict.fromkeys(groups)), now=self.now)
        yield from self._bought_together(known)
        yield from self._alike(known)
        yield from self._counted(known.best.get(seller, ()), "best_seller")
        if self.tag:
            yield from (Recommendation(product, "of_interest") for _, product in sorted(self.offered.items()))

    def _declared(self) -> Iterator[Recommendation]:
        for seed in self.seeds:
            for id_ in seed.related:
                if id_ in self.offered:
                    yield Recommendation(self.offered[id_], "declared")

    def _bought_together(self, known: Sales) -> Iterator[Recommendation]:
        orders = Counter[str]()
        for seed in self.seeds:
            orders.update(dict(known.partners.get(seed.id, ())))
        return self._counted(sorted(orders.items(), key=lambda each: (-each[1], each[0])), "bought_together")

    def _counted(self, counted: Counted, reason: Reason) -> Iterator[Recommendation]:
        return (Recommendation(self.offered[id_], reason, times) for id_, times in counted if id_ in self.offered)

    def _alike(self, known: Sales) -> Iterator[Recommendation]:
        sold = {id_: times for counted in known.best.values() for id_, times in counted}
        scored = [
            (-score, -sold.get(id_, 0), id_)
            for id_, product in self.offered.items()
            if (score := sum(_likeness(product, seed) for seed in self.seeds)) > 0
        ]
        for _, _, id_ in sorted(scored):
            same = any(_same_category(self.offered[id_], seed) for seed in self.seeds)
            yield Recommendation(self.offered[id_], "same_category" if same else "alike")


def _same_category(one: Product, other: Product) -> bool:
    return bool(one.category) and one.category == other.category


def _likeness(one: Product, other: Product) -> int:
    return _SAME_CATEGORY * _same_category(one, other) + len(one.tags & other.tags)


def latest_first(bought: dict[str, datetime]) -> list[str]:
    """The products that were bought, the last ones first, as seeds of what is recommended."""
    return list(islice(sorted(bought, key=lambda id_: (-bought[id_].timestamp(), id_)), MOST_SEEDS))
