"""The published journeys as the functions read them: plain data from the journeys layer, parsed once per process."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from functools import cache
from importlib import resources
from typing import Any, Final, Literal, Self
from zoneinfo import ZoneInfo

from waypost.contacts.profile import Channel
from waypost.declared import PACKAGE
from waypost.errors import UnknownJourney, UnknownMessage

FILE: Final = "published.json"

Rule = Mapping[str, Any]
"""A rule in its published form, for ``waypost.segments.compile``."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """What starts a journey; of the kind ``manual`` it is the event that asks for this very journey."""

    kind: Literal["event", "manual"]
    event: str
    where: Rule | None = None


@dataclass(frozen=True, slots=True)
class EventRule:
    """An event type and the rule its properties must meet."""

    event: str
    where: Rule | None = None


@dataclass(frozen=True, slots=True)
class Goal(EventRule):
    """The event a journey works for; it counts ``within_seconds`` of enrolment, or at any time."""

    within_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class ReEntry:
    """When a contact may enter again; ``seconds`` belongs to ``after``, ``property`` to ``per``."""

    kind: Literal["never", "always", "after", "per"]
    seconds: int | None = None
    property: str | None = None


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
    """A message of a journey: ``channels`` in the order they are tried; the variants are keyed by locale.

    ``products`` is what it asks of the catalogue (``{"related": 3, "at_least": 1}``), or None.
    """

    name: str
    kind: Literal["marketing", "transactional"]
    topic: str
    channels: tuple[Channel, ...]
    email: Mapping[str, EmailVariant] = field(default_factory=dict)
    sms: Mapping[str, SmsVariant] = field(default_factory=dict)
    products: Mapping[str, int] | None = None

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
        )


@dataclass(frozen=True, slots=True)
class PublishedJourney:
    """A journey's manifest and messages."""

    name: str
    scenario: str
    description: str
    owner: str
    version: int
    trigger: Trigger
    re_entry: ReEntry
    priority: int = 0
    exclusive_group: str | None = None
    entry: Rule | None = None
    exit_on: tuple[EventRule, ...] = ()
    goal: Goal | None = None
    target: Mapping[str, Any] | None = None
    audience_limit: int | None = None
    messages: Mapping[str, PublishedMessage] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """From the published form."""
        goal = value["goal"]
        return cls(
            name=value["name"],
            scenario=value["scenario"],
            description=value["description"],
            owner=value["owner"],
            version=value["version"],
            priority=value["priority"],
            exclusive_group=value["exclusive_group"],
            trigger=Trigger(**value["trigger"]),
            entry=value["entry"],
            re_entry=ReEntry(**value["re_entry"]),
            exit_on=tuple(EventRule(**each) for each in value["exit_on"]),
            goal=None if goal is None else Goal(**goal),
            target=value["target"],
            audience_limit=value["audience_limit"],
            messages={name: PublishedMessage.from_dict(each) for name, each in value["messages"].items()},
        )


@dataclass(frozen=True, slots=True)
class FrequencyCap:
    """At most ``count`` marketing messages in any ``hours``."""

    count: int
    hours: int


@dataclass(frozen=True, slots=True)
class SendingPolicy:
    """How and when messages may go out. A window is its first local time and the first one after it."""

    default_time_zone: ZoneInfo
    default_locale: str
    windows: Mapping[Channel, tuple[time, time]]
    frequency_cap: FrequencyCap | None
    send_within_hours: int

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """From the published form."""
        cap = value["frequency_cap"]
        return cls(
            default_time_zone=ZoneInfo(value["default_time_zone"]),
            default_locale=value["default_locale"],
            windows={
                channel: (time.fromisoformat(start), time.fromisoformat(end))
                for channel, (start, end) in value["windows"].items()
            },
            frequency_cap=None if cap is None else FrequencyCap(**cap),
            send_within_hours=value["send_within_hours"],
        )


@dataclass(frozen=True, slots=True)
class Published:
    """Everything that was published together."""

    sending: SendingPolicy
    journeys: Mapping[str, PublishedJourney]

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """From the published form."""
        return cls(
            sending=SendingPolicy.from_dict(value["sending"]),
            journeys={name: PublishedJourney.from_dict(each) for name, each in value["journeys"].items()},
        )

    def triggered_by(self, event: str) -> list[PublishedJourney]:
        """The journeys this event type may start, highest priority first; equals by name."""
        started = [journey for journey in self.journeys.values() if journey.trigger.event == event]
        return sorted(started, key=lambda journey: (-journey.priority, journey.name))

    def message(self, journey: str, message: str) -> PublishedMessage:
        """A message of a journey. Raises UnknownJourney or UnknownMessage."""
        if journey not in self.journeys:
            raise UnknownJourney(journey)
        messages = self.journeys[journey].messages
        if message not in messages:
            raise UnknownMessage(f"{journey}: {message}")
        return messages[message]


@cache
def load_published() -> Published:
    """The published journeys of this deployment, from the journeys layer."""
    text = resources.files(PACKAGE).joinpath(FILE).read_text(encoding="utf-8")
    return Published.from_dict(json.loads(text))
