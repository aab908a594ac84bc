"""A message as published: its kind, its topic, and a variant per channel and locale. Used by the sender and the renderer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from waypost.contacts.channels import Channel

MessageKind = Literal["marketing", "transactional"]
Priority = Literal["high", "normal"]


@dataclass(frozen=True, slots=True)
class PublishedMessage:
    """A message: ``channels`` in the order they are tried; ``variants`` has the named templates by channel and locale.

    ``products`` is what it asks of the catalogue (``{"related": 3, "at_least": 1}``), or None. ``tracked``: its links and its opening
    are recorded.
    """

    name: str
    kind: MessageKind
    topic: str
    channels: tuple[Channel, ...]
    variants: Mapping[Channel, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)
    products: Mapping[str, int] | None = None
    priority: Priority = "normal"
    tracked: bool = True

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """From the published form."""
        return cls(
            name=value["name"],
            kind=value["kind"],
            topic=value["topic"],
            channels=tuple(value["channels"]),
            variants=value["variants"],
            products=value.get("products"),
            priority=value.get("priority", "normal"),
            tracked=value.get("tracked", True),
        )
