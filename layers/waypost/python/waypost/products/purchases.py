"""What was bought: the products that an event names, and those that a contact ordered. Used by messages, guards and the nightly count."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol

from waypost.events.history import RecordedEvent

BOUGHT_WITH: Final = ("order_placed",)
"""Events that say what was bought."""
_LISTS: Final = ("products", "items", "line_items")
_IDS: Final = ("product_id", "sku", "id")


class Purchases(Protocol):
    """What was bought before: the part of an EventHistory that this needs."""

    def since(self, contact_id: str, instant: datetime, *, types: Sequence[str] = ()) -> list[RecordedEvent]:
        """The contact's events of these types since then."""
        ...


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
