"""A message as published: its kind, its topic, and a variant per channel and locale. Used by the sender and the renderer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from waypost.contacts.channels import Channel

MessageKind = Literal["marketing", "transactional"]
Priority = Literal["high", "normal"]


@dataclass(frozen=True, slots=True)
class EmailVariant:
    """A mail in one locale: three templates."""

    subject: str
    html: str
    text: str


@dataclass(frozen=True, slots=True)
class SmsVariant:
    """An SMS in one locale: a template."""

    text: str


@dataclass(frozen=True, slots=True)
class PublishedMessage:
    """A message: ``channels`` in the order they are tried; the variants are keyed by locale.

    ``products`` is what it asks of the catalogue (``{"related": 3, "at_least": 1}``), or None.
    """

    name: str
    kind: MessageKind
    topic: str
    channels: tuple[Channel, ...]
    email: Mapping[str, EmailVariant] = field(default_factory=dict)
    sms: Mapping[str, SmsVariant] = field(default_factory=dict)
    products: Mapping[str, int] | None = None
    priority: Priority = "normal"

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """From the published form."""
        variants = value["variants"]
        return cls(
            name=value["name"],
            kind=value["kind"],
            topic=value["topic"],
            channels=tuple(value["channels"]),
            email={locale: EmailVariant(**each) for locale, each in variants.get("email", {}).items()},
            sms={locale: SmsVariant(**each) for locale, each in variants.get("sms", {}).items()},
            products=value.get("products"),
            priority=value.get("priority", "normal"),
        )
