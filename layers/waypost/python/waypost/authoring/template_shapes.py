"""What a template may count on: for each value its kind, and whether it is there for every contact. Used by the guards."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, assert_never

Kind = Literal["any", "text", "mapping", "record", "list"]


@dataclass(frozen=True, slots=True)
class Shape:
    """A value as the check of templates sees it.

    ``sure`` means that it is there for every contact. A ``record`` has the ``fields`` and no others, a ``mapping`` may have
    any; a ``list`` holds ``element`` and has at least one when it is ``filled``; of ``any`` value nothing is known. ``path``
    is how the template names it, empty for what it computes.
    """

    kind: Kind = "any"
    sure: bool = True
    path: str = ""
    fields: Mapping[str, "Shape"] = field(default_factory=dict)
    element: "Shape | None" = None
    filled: bool = False

    def at(self, path: str) -> "Shape":
        """The same value under another name."""
        return replace(self, path=path)

    def member(self, name: str) -> "Shape | None":
        """The value under the name; None when a record has no such field."""
        path = f"{self.path}.{name}" if self.path else ""
        match self.kind:
            case "record":
                found = self.fields.get(name)
                return None if found is None else replace(found, path=path or found.path)
            case "any" | "text" | "mapping" | "list":
                return Shape(sure=False, path=path)
            case _:
                assert_never(self.kind)

    def item(self, index: int | None) -> "Shape":
        """The element at ``index``, or at any place."""
        path = f"{self.path}[{'' if index is None else index}]"
        found = self.element or Shape()
        first = self.kind == "list" and self.filled and index in {0, -1}
        return replace(found, path=path, sure=found.sure and first)

    def each(self, name: str) -> "Shape":
        """What a loop over it calls ``name``."""
        return replace(self.element or Shape(), path=name)


COMPUTED = Shape("text")
"""What a template computes: text, a number, a truth value."""


def either(one: Shape, other: Shape) -> Shape:
    """What may be the one or the other."""
    if one.kind == other.kind == "record":
        fields = {
            name: either(one.fields[name], other.fields[name]) for name in one.fields.keys() & other.fields.keys()
        }
        return Shape("record", one.sure and other.sure, fields=fields)
    if one.kind == other.kind == "list":
        elements = [each for each in (one.element, other.element) if each is not None]
        element = either(*elements) if len(elements) == 2 else next(iter(elements), None)
        return Shape("list", one.sure and other.sure, element=element, filled=one.filled and other.filled)
    kind: Kind = one.kind if one.kind == other.kind else "any"
    return Shape(kind, one.sure and other.sure)


def record(**fields: Shape) -> Shape:
    """A mapping with these fields and no others."""
    return Shape("record", fields=fields)


UNSURE = Shape(sure=False)
"""Something that a contact, an event or a product may have."""

_PROPERTIES = Shape("mapping")

EVENT = record(
    id=COMPUTED,
    type=COMPUTED,
    occurred_at=COMPUTED,
    properties=_PROPERTIES,
    left_on=record(
        id=UNSURE,
        type=UNSURE,
        occurred_at=Shape(sure=False),
        properties=_PROPERTIES,
    ),
)
_OF_PRODUCT: Mapping[str, Shape] = {
    "id": COMPUTED,
    "name": COMPUTED,
    "price": COMPUTED,
    "tags": Shape("list", element=COMPUTED),
    "category": UNSURE,
    "image": UNSURE,
    "url": UNSURE,
}
PRODUCT = record(**_OF_PRODUCT)
RECOMMENDED = record(**_OF_PRODUCT, reason=COMPUTED, times=COMPUTED)
COUPON = record(
    code=COMPUTED,
    pool=COMPUTED,
    label=COMPUTED,
    benefit=record(kind=COMPUTED, amount=UNSURE, percent=UNSURE, gift=UNSURE, currency=UNSURE, **{"from": UNSURE}),
    issued_at=COMPUTED,
    expires_at=COMPUTED,
)
"""The variable ``coupon`` of a message that speaks of one."""
ROOT_SHAPES: Mapping[str, Shape] = {
    "contact": Shape("mapping"),
    "event": EVENT,
    "journey": record(name=COMPUTED),
    "message": record(name=COMPUTED, channel=COMPUTED),
    "links": record(
        unsubscribe=COMPUTED,
        preferences=COMPUTED,
        survey=COMPUTED,
        confirm_consent=COMPUTED,
        approval=COMPUTED,
        task=COMPUTED,
        task_in_group=COMPUTED,
    ),
}
"""The variables of every message by name; ``contact.id`` is the one attribute that every contact has."""


def products(at_least: int) -> Shape:
    """The variable ``products`` of a message that insists on so many related ones."""
    return record(
        currency=COMPUTED,
        related=Shape("list", element=RECOMMENDED, filled=at_least > 0),
        cart=Shape("list", element=PRODUCT),
    )


LOOP = record(
    index=COMPUTED, index0=COMPUTED, revindex=COMPUTED, revindex0=COMPUTED, first=COMPUTED, last=COMPUTED, length=COMPUTED,
    depth=COMPUTED, depth0=COMPUTED, previtem=UNSURE, nextitem=UNSURE,
)  # fmt: skip
"""The variable ``loop``. Source: https://docs.rs/minijinja/latest/minijinja/syntax/index.html#-for-"""
