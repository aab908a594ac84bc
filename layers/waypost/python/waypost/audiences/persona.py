"""Counts the values of a segment's contacts in every dimension, so that the counts of slices add up. Used by the slices of an audience."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from waypost.audiences.sketches import TopCounter
from waypost.codec import JsonForm
from waypost.contacts.channels import CHANNELS, declared_channels
from waypost.contacts.profile import IMPUTED
from waypost.segments.calendar import age_at, day_of
from waypost.segments.dependencies import reads
from waypost.segments.reads import Reads
from waypost.segments.subject import Subject
from waypost.segments.vocabulary import Rule

DIMENSIONS: Final = (
    "age", "gender", "city", "level", "lifecycle", "channel", "activity", "tenure", "tag", "rfm_segment", "rfm_r", "rfm_f",
    "rfm_m",
)  # fmt: skip
"""The dimensions of a persona. A contact has one value in each, but several tags and channels, or none: ``UNKNOWN``."""

SEVERAL: Final = frozenset({"tag", "channel"})
"""The dimensions in which a contact may have several values."""

UNKNOWN: Final = ""

PERSONA_READS: Final = Reads(
    attributes=frozenset(
        {
            "age",
            "birthday",
            "gender",
            "city",
            "level",
            IMPUTED,
            *(each.address.name for each in declared_channels().values()),
        }
    ),
    tags=frozenset({"*"}),
    metrics=frozenset({"rfm_segment", "rfm_r", "rfm_f", "rfm_m"}),
    consents=frozenset(CHANNELS),
    lifecycle=True,
    identities=True,
    suppressions=True,
    any_event=True,
)
"""The parts of a profile that the dimensions read; of events only the first and last day, never the history."""

_AGES: Final = ((18, "<18"), (25, "18-24"), (35, "25-34"), (45, "35-44"), (55, "45-54"), (65, "55-64"), (131, "65+"))
_DAYS: Final = ((7, "7d"), (30, "30d"), (90, "90d"), (180, "180d"), (365, "365d"))
_LONGER: Final = "more"
NEVER: Final = "never"
"""The activity of a contact who has never done anything itself, such as one that came with a file."""
_DONE_TO: Final = frozenset({
    "contact_imported", "contact_updated", "contacts_merged", "contacts_unmerged", "alias_added", "tag_added", "tag_removed",
    "segment_entered", "segment_left", "lifecycle_changed", "points_earned", "points_spent", "group_joined", "group_left",
    "journey_requested", "journey_ended", "message_accepted", "message_delivered", "message_bounced", "message_complained",
    "message_failed",
})  # fmt: skip
"""Events that are no activity of the contact: something was done to it, or sent to it."""

_ASKED_BY: Final[Mapping[str, frozenset[str]]] = {
    "age": frozenset({"age", "birthday"}),
    "gender": frozenset({"gender"}),
    "city": frozenset({"city", "province"}),
    "level": frozenset({"level"}),
}
"""The attributes that decide a dimension."""

_RFM: Final = ("rfm_segment", "rfm_r", "rfm_f", "rfm_m")
_ADDRESSES: Final = frozenset(each.address.name for each in declared_channels().values())

CLASSES: Final[Mapping[str, tuple[str, ...]]] = {
    "age": (*(label for _, label in _AGES), UNKNOWN),
    "activity": (*(label for _, label in _DAYS), _LONGER, NEVER),
    "tenure": (*(label for _, label in _DAYS), _LONGER),
    "rfm_r": ("1", "2", "3", "4", "5", UNKNOWN),
    "rfm_f": ("1", "2", "3", "4", "5", UNKNOWN),
    "rfm_m": ("1", "2", "3", "4", "5", UNKNOWN),
    "channel": (*CHANNELS, UNKNOWN),
}
"""The dimensions whose values have an order of their own; the others are shown by size."""


@dataclass(slots=True)
class Tally(JsonForm):
    """The number of contacts, and in each dimension the number of contacts with each value."""

    contacts: int = 0
    dimensions: dict[str, TopCounter] = field(default_factory=lambda: {name: TopCounter() for name in DIMENSIONS})

    def add(self, subject: Subject) -> None:
        """Count a contact, of which ``PERSONA_READS`` must be known."""
        self.contacts += 1
        for dimension, value in traits(subject):
            self.dimensions[dimension].add(value)

    def merge(self, other: Self) -> None:
        """Add the counts of another part of the contacts."""
        self.contacts += other.contacts
        for name, counter in other.dimensions.items():
            self.dimensions[name].merge(counter)


def traits(subject: Subject) -> Iterator[tuple[str, str]]:
    """The contact's values in all dimensions."""
    attributes, metrics = own_attributes(subject), subject.metrics
    yield "age", age_class(age_of(subject))
    yield "gender", _text(attributes.get("gender"))
    yield "city", _text(attributes.get("city"))
    yield "level", _text(attributes.get("level"))
    yield "lifecycle", subject.lifecycle
    yield "activity", _days_class(_days_since_seen(subject)) or NEVER
    yield "tenure", _days_class((subject.now - subject.created_at).days if subject.created_at else None)
    yield "rfm_segment", _text(metrics.get("rfm_segment"))
    for name in ("rfm_r", "rfm_f", "rfm_m"):
        yield name, _text(metrics.get(name))
    yield from (("channel", name) for name in reachable_on(subject) or (UNKNOWN,))
    yield from (("tag", name) for name in subject.tags)


def own_attributes(subject: Subject) -> Mapping[str, Any]:
    """The contact's attributes without those that an import has filled with a statistic: they say nothing of the contact."""
    imputed = subject.attributes.get(IMPUTED)
    if not imputed:
        return subject.attributes
    return {name: value for name, value in subject.attributes.items() if name not in imputed}


def sketch(subject: Subject) -> dict[str, Any]:
    """A few attributes of a contact, for a sample: none that names or addresses anybody."""
    attributes = own_attributes(subject)
    found = {
        "gender": _text(attributes.get("gender")),
        "age": age_class(age_of(subject)),
        "city": _text(attributes.get("city")),
        "level": _text(attributes.get("level")),
        "lifecycle": subject.lifecycle,
    }
    return (
        {"contact_id": subject.contact_id}
        | {name: value for name, value in found.items() if value}
        | {"tags": sorted(subject.tags)[:5]}
    )


def age_of(subject: Subject) -> int | None:
    """The age in full years today, in the contact's zone and as rules count it, by the birthday or else by the attribute ``age``."""
    attributes = own_attributes(subject)
    born = day_of(attributes.get("birthday"), subject.zone)
    if born is not None:
        return age_at(born, subject.now.astimezone(subject.zone).date())
    age = attributes.get("age")
    return int(age) if isinstance(age, (int, float)) and not isinstance(age, bool) and 0 <= age < 1000 else None


def asked_by(published: Rule | None) -> dict[str, frozenset[str] | None]:
    """The dimensions that a rule's own conditions are about, with the values it names; None is any value.

    That the members of a segment have what its rule asks for distinguishes nothing.
    """
    rule = reads(published)
    about: dict[str, frozenset[str] | None] = {
        dimension: None for dimension, names in _ASKED_BY.items() if not names.isdisjoint(rule.attributes)
    }
    if not rule.metrics.isdisjoint(_RFM):
        about |= dict.fromkeys(_RFM)
    if rule.lifecycle:
        about["lifecycle"] = None
    if rule.consents or rule.suppressions or not rule.attributes.isdisjoint(_ADDRESSES):
        about["channel"] = None
    if rule.events or rule.any_event:
        about["activity"] = None
    if rule.tags:
        about["tag"] = None if "*" in rule.tags else rule.tags
    if _has_word(published, "created"):
        about["tenure"] = None
    return about


def _has_word(rule: Any, word: str) -> bool:
    """Whether a condition of the rule begins with this word."""
    match rule:
        case dict():
            return word in rule or any(_has_word(each, word) for each in rule.values())
        case list():
            return any(_has_word(each, word) for each in rule)
        case _:
            return False


def age_class(age: int | None) -> str:
    """The class an age is in; ``UNKNOWN`` for none, and for one that nobody has."""
    if age is None or age < 0:
        return UNKNOWN
    return next((label for below, label in _AGES if age < below), UNKNOWN)


def reachable_on(subject: Subject) -> list[str]:
    """The channels on which marketing may reach the contact now: an address, no suppression, and a consent to a topic."""
    return [
        channel
        for channel, declared in declared_channels().items()
        if declared.address.kept(subject)
        and channel not in subject.suppressions
        and _consents_to_anything(subject, channel)
    ]


def _consents_to_anything(subject: Subject, channel: str) -> bool:
    topics = [key.partition("/")[2] for key in subject.consent_answers if key.startswith(f"{channel}/")]
    return any(subject.consents(channel, topic) == "granted" for topic in topics)


def _days_since_seen(subject: Subject) -> int | None:
    """Whole days since the last day (UTC) on which the contact itself did anything."""
    days = [last for kind, (_, last) in (subject.seen or {}).items() if kind not in _DONE_TO]
    return (subject.now.date() - max(days)).days if days else None


def _days_class(days: int | None) -> str:
    if days is None:
        return UNKNOWN
    return next((label for most, label in _DAYS if days <= most), _LONGER)


def _text(value: Any) -> str:
    """A value as the category it stands for; what has parts is none."""
    match value:
        case str():
            return value.strip()
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return f"{value:g}"
        case _:
            return UNKNOWN
