"""The one envelope in which everything that happens travels, from the webhook to the report."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from waypost import ids
from waypost.codec import JsonForm

IDENTITY_KINDS: Final[tuple[str, ...]] = (
    "user_id", "anonymous_id", "unionid", "external_userid", "openid", "email", "phone",
)  # fmt: skip
"""Kinds of identity, strongest first: the first one present names a new contact and orders its events.

``openid`` is spelled ``<account>:<openid>``: WeChat gives a person another one in each official account and each mini
program; ``unionid`` is the same in all accounts of one company. ``external_userid`` is WeCom's.
"""

OWN_SOURCE: Final = "waypost"
"""The source of the product's own events; those of a provider add its name (``waypost.ses``)."""

WRITE_KEY_SOURCE: Final = "segment"
"""The source of what came with a write key, which a browser shows to everybody, about the browser's own person."""

UNPROVEN_SOURCE: Final = "segment.unproven"
"""The source of what came with a write key about a person of whom nothing shows that it is the visitor."""

SERVER_KEY_SOURCE: Final = "segment.server"
"""The source of what came with a server key, which only the company's own programs hold; other sources sign what they send."""


@dataclass(frozen=True, slots=True)
class Event(JsonForm):
    """Something that happened to a contact.

    ``type`` is snake_case and past tense (``order_placed``). ``contact`` maps identity kinds to normalised values; it
    also carries ``contact_id`` when the sender knows it. ``occurred_at`` is the sender's time, ``received_at`` ours.
    ``profile`` holds attribute changes that came with the event (Segment traits), already cleaned. ``cause`` is what of ours
    brought the event about (``caused_by_event``, ``caused_by_step``); "" when it came from outside.
    """

    id: str
    type: str
    contact: dict[str, str]
    occurred_at: datetime
    received_at: datetime
    source: str
    properties: dict[str, Any] = field(default_factory=dict)
    profile: dict[str, Any] = field(default_factory=dict)
    correlation_id: str = ""
    cause: str = ""

    @property
    def is_our_own(self) -> bool:
        """Whether Waypost itself made the event, and no webhook: a stranger must not be able to report for a provider."""
        return self.source == OWN_SOURCE or self.source.startswith(f"{OWN_SOURCE}.")

    @property
    def is_unproven(self) -> bool:
        """Whether a stranger may have made the event in this person's name: it changes no address that is known."""
        return self.source == UNPROVEN_SOURCE

    @property
    def group(self) -> str:
        """What keeps one contact's events in order: its contact id, or the id its strongest identity would give it."""
        if known := self.contact.get("contact_id"):
            return known
        kind = next(kind for kind in IDENTITY_KINDS if kind in self.contact)
        return ids.contact_id(kind, self.contact[kind])


def caused_by_event(event_id: str) -> str:
    """The ``cause`` of what followed from an event."""
    return f"event:{event_id}" if event_id else ""


def caused_by_step(enrolment_id: str, place: str) -> str:
    """The ``cause`` of what a step of a journey did; ``place`` is where the step stands in the passage (``step_place``)."""
    return f"step:{enrolment_id}/{place}"
