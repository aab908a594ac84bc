"""What a rule is asked about: a contact at a moment, and the event at hand. Made wherever rules are evaluated.

The model holds everything a rule may look at, so that evaluating one needs no store and no clock.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from waypost.contacts.consent import Consent
from waypost.contacts.profile import Contact
from waypost.contacts.tag_system import tags_at
from waypost.contacts.zones import zone_of

History = Sequence[tuple[str, datetime, Mapping[str, Any]]]
"""(type, occurred_at, properties) of a contact's events, in any order."""

Consents = Callable[[str, str], str]
"""What a contact answered about a channel and a topic (``*``: the whole channel); ``granted`` is the only yes."""

UTC_ZONE: Final = ZoneInfo("UTC")
NOTHING: Final[Mapping[str, Any]] = {}

_TAG_STAMP: Final = "tag:"


def no_consents(_channel: str, _topic: str) -> str:
    """Of a contact that never answered."""
    return "none"


@dataclass(frozen=True, slots=True)
class Enrolled:
    """One passage of the contact through a journey, as rules see it; ``status`` and ``outcome`` as in ``Enrolment``."""

    journey: str
    status: str
    outcome: str | None
    enrolled_at: datetime


@dataclass(frozen=True, slots=True)
class Subject:
    """A contact at ``now`` (aware), and the event at hand.

    ``properties`` belong to the event at hand, ``trigger`` are the properties of the event that started the journey.
    ``history`` holds the contact's events and ``enrolments`` its passages through journeys, both in any order; callers
    fill them when ``reads(rule)`` says so. ``zone`` is the contact's own or the default one. ``segments`` are the saved
    segments the contact is in, ``tagged_at`` its tags, each with since when. ``consent_answers`` is keyed
    ``<channel>/<topic>``. ``seen`` has the first and the last day (UTC) of each event type; None: not known.
    """

    attributes: Mapping[str, Any]
    tags: frozenset[str] | set[str]
    now: datetime
    properties: Mapping[str, Any] = field(default_factory=dict)
    trigger: Mapping[str, Any] = field(default_factory=dict)
    history: History = ()
    consents: Consents = no_consents
    contact_id: str = ""
    zone: ZoneInfo = UTC_ZONE
    created_at: datetime | None = None
    identities: Mapping[str, Sequence[str]] = field(default_factory=dict)
    groups: frozenset[str] | set[str] = frozenset()
    segments: Mapping[str, datetime] = field(default_factory=dict)
    lifecycle: str = ""
    points: int = 0
    metrics: Mapping[str, Any] = field(default_factory=dict)
    suppressions: Mapping[str, str] = field(default_factory=dict)
    consent_answers: Mapping[str, Consent] = field(default_factory=dict)
    tagged_at: Mapping[str, datetime] = field(default_factory=dict)
    enrolments: Sequence[Enrolled] = ()
    seen: Mapping[str, tuple[date, date]] | None = None


class _TaggedAt(Mapping[str, datetime]):
    """Since when the contact has each of its tags, read from the profile's stamps without copying them."""

    __slots__ = ("_stamps", "_tags")

    def __init__(self, tags: frozenset[str], stamps: Mapping[str, datetime]) -> None:
        self._tags = tags
        self._stamps = stamps

    def __getitem__(self, tag: str) -> datetime:
        if tag not in self._tags:
            raise KeyError(tag)
        return self._stamps[_TAG_STAMP + tag]

    def __iter__(self) -> Iterator[str]:
        return (tag for tag in self._tags if _TAG_STAMP + tag in self._stamps)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def subject_of(
    contact: Contact,
    *,
    now: datetime,
    default_zone: ZoneInfo = UTC_ZONE,
    properties: Mapping[str, Any] | None = None,
    trigger: Mapping[str, Any] | None = None,
    history: History = (),
    enrolments: Sequence[Enrolled] = (),
) -> Subject:
    """The contact as rules see it, with the event at hand and the event that started the journey.

    ``default_zone`` (that of the sending policy) stands in for a contact's missing or unknown zone.
    """
    tags = tags_at(contact, now)
    return Subject(
        attributes=contact.attributes,
        tags=tags,
        now=now,
        properties=properties or NOTHING,
        trigger=trigger or NOTHING,
        history=history,
        consents=contact.consent,
        contact_id=contact.contact_id,
        zone=zone_of(contact, default_zone),
        created_at=contact.created_at,
        identities=contact.identities,
        groups=contact.groups,
        segments=contact.segments,
        lifecycle=contact.lifecycle,
        points=contact.points,
        metrics=contact.metrics,
        suppressions=contact.closed,
        consent_answers=contact.consents,
        tagged_at=_TaggedAt(tags, contact.attributes_at),
        enrolments=enrolments,
        seen=contact.seen,
    )
