"""What of a contact a persona is made of: numbers, each with the words for much and little of it. Used by the run."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from waypost.contacts.profile import Contact
from waypost.contacts.tag_system import tags_at
from waypost.segments.index import MAY_CHANGE_ANYTHING
from waypost.segments.vocabulary import CONCLUSIONS

MOST_TAGS: Final = 8
LEAST_SHARE: Final = 0.05
"""A tag that fewer have, or that all but so few have, tells nobody apart."""


@dataclass(frozen=True, slots=True)
class Feature:
    """One number of a contact. ``much`` and ``little`` describe a cluster that has far more or less of it than others.

    No words for ``little``: having little of it describes nobody.
    """

    name: str
    of: Callable[[Contact, datetime], float]
    much: str
    little: str = ""


def _metric(name: str) -> Callable[[Contact, datetime], float]:
    return lambda contact, _now: _fading(_number(contact.metrics.get(name)))


def _number(value: Any) -> float:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return max(0.0, float(value)) if is_number else 0.0


def _fading(value: float) -> float:
    """Sums and times are spread over powers of ten; of them the order of size counts."""
    return math.log1p(value)


def _days_known(contact: Contact, now: datetime) -> float:
    return _fading(max(0, (now - contact.created_at).days))


def _days_silent(contact: Contact, now: datetime) -> float:
    """Since the last thing the contact did; of one who never did anything, since we know of it."""
    last = max((days[1] for kind, days in contact.seen.items() if _is_alive(kind)), default=None)
    days = (now - contact.created_at).days if last is None else (now.astimezone(UTC).date() - last).days
    return _fading(max(0, days))


def _is_alive(kind: str) -> bool:
    """Whether an event of this type is something the contact did."""
    return (
        kind not in CONCLUSIONS
        and kind not in MAY_CHANGE_ANYTHING
        and not kind.endswith(("_delivered", "_accepted", "_bounced"))
    )


def _variety(contact: Contact, _now: datetime) -> float:
    return float(sum(_is_alive(kind) for kind in contact.seen))


def _opens(contact: Contact, now: datetime) -> float:
    seen = [contact.seen[kind][1] for kind in ("message_opened", "message_clicked") if kind in contact.seen]
    return float(bool(seen) and (now.astimezone(UTC).date() - max(seen)).days <= 90)


BEHAVIOUR: Final[Sequence[Feature]] = (
    Feature("days_known", _days_known, "old acquaintances", "newcomers"),
    Feature("days_silent", _days_silent, "silent for long", "here lately"),
    Feature("activity", _metric("activity"), "very active", "hardly active"),
    Feature("spread", _metric("spread"), "bring others"),
    Feature("orders", _metric("rfm_frequency"), "buy often", "hardly buy"),
    Feature("spent", _metric("rfm_monetary"), "spend much", "spend little"),
    Feature("points", lambda contact, _now: _fading(_number(contact.points)), "collect points"),
    Feature("variety", _variety, "do many things", "do few things"),
    Feature("opens", _opens, "read our messages", "leave messages unread"),
)


def tag_features(contacts: Iterable[Contact], now: datetime) -> list[Feature]:
    """A feature for each of the commonest tags that tell contacts apart, commonest first."""
    counts: Counter[str] = Counter()
    total = 0
    for contact in contacts:
        counts.update(tags_at(contact, now))
        total += 1
    telling = [
        name
        for name, count in sorted(counts.items(), key=lambda counted: (-counted[1], counted[0]))
        if LEAST_SHARE * total <= count <= (1 - LEAST_SHARE) * total
    ]
    return [_tag(name) for name in telling[:MOST_TAGS]]


def _tag(name: str) -> Feature:
    return Feature(f"tag:{name}", lambda contact, now: float(name in tags_at(contact, now)), name)


def row_of(contact: Contact, features: Sequence[Feature], now: datetime) -> list[float]:
    """The contact's numbers, in the order of the features."""
    return [feature.of(contact, now) for feature in features]


def by_name(features: Sequence[Feature], numbers: Sequence[float]) -> Mapping[str, float]:
    """Numbers in the order of the features, with their names."""
    return {feature.name: number for feature, number in zip(features, numbers, strict=True)}
