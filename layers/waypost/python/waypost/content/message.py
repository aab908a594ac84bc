"""A message as published: its kind, its topic, and a variant per channel and locale. Used by the sender and the renderer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Literal, Self

from waypost.contacts.channels import Channel

MessageKind = Literal["marketing", "transactional"]
Priority = Literal["high", "normal"]

OF_EVENT: Final = "event"
"""In ``sells``: the products that the event names that started the journey. No product has this id."""
MOST_SOLD: Final = 50
"""Products that a message is to sell; of more, the first ones are looked at."""


@dataclass(frozen=True, slots=True)
class Backups:
    """Other messages of the journey that go out instead, one after the other, of one that definitely failed.

    The last of them has to leave ``within`` of the first failure.
    """

    messages: tuple[str, ...]
    within: timedelta

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """From the published form."""
        return cls(tuple(value["messages"]), timedelta(minutes=value["minutes"]))

    def to_dict(self) -> dict[str, Any]:
        """The published form."""
        return {"messages": list(self.messages), "minutes": int(self.within / timedelta(minutes=1))}


@dataclass(frozen=True, slots=True)
class PublishedMessage:
    """A message: ``channels`` in the order they are tried; ``variants`` has the named templates by channel and locale.

    ``version`` counts the library's versions (0: the deployment's), ``approved`` says that it may go out. ``products`` is what it
    asks of the catalogue (``{"related": 3, "at_least": 1}``), or None. ``sells`` are the ids of the products that it is to sell, or
    ``OF_EVENT`` alone. ``best_hour``: it waits for the hour at which its contact reads.
    ``for_segments``: saved segments, and the message that goes to their members instead; the first that fits counts. ``coupon`` is the pool of the coupon that it speaks of, or "". ``tracked``: its links and its opening are recorded.
    ``brand`` is the one it goes out under, or "" for the deployment's own sender.
    ``backups`` go out in its place when it fails.
    """

    name: str
    kind: MessageKind
    topic: str
    channels: tuple[Channel, ...]
    variants: Mapping[Channel, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)
    products: Mapping[str, Any] | None = None
    coupon: str = ""
    sells: tuple[str, ...] = ()
    best_hour: bool = False
    for_segments: tuple[tuple[str, str], ...] = ()
    priority: Priority = "normal"
    version: int = 0
    approved: bool = True
    tracked: bool = True
    brand: str = ""
    backups: Backups | None = None

    def to_dict(self) -> dict[str, Any]:
        """The published form: what ``from_dict`` reads, and fields that are empty by default left away."""
        further = {
            "products": self.products,
            "coupon": self.coupon,
            "sells": list(self.sells),
            "best_hour": self.best_hour,
            "for_segments": [list(each) for each in self.for_segments],
            "brand": self.brand,
            "backups": self.backups and self.backups.to_dict(),
        }
        return {
            "name": self.name,
            "kind": self.kind,
            "topic": self.topic,
            "priority": self.priority,
            "channels": list(self.channels),
            "variants": {channel: dict(locales) for channel, locales in self.variants.items()},
            **({} if self.tracked else {"tracked": False}),
            **{name: value for name, value in further.items() if value},
        }

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
            coupon=value.get("coupon", ""),
            sells=tuple(value.get("sells", ())),
            best_hour=value.get("best_hour", False),
            for_segments=tuple((segment, name) for segment, name in value.get("for_segments", ())),
            priority=value.get("priority", "normal"),
            tracked=value.get("tracked", True),
            brand=value.get("brand", ""),
            backups=Backups.from_dict(value["backups"]) if value.get("backups") else None,
        )
