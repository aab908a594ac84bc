"""What the answer of a rule may depend on. Used to fetch only what matters, and to find the rules that a change can affect."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, Final, Literal, Self, get_args

Source = Literal[
    "attributes", "events", "tags", "groups", "segments", "metrics", "consents", "journeys", "lifecycle", "points",
    "identities", "suppressions", "time", "history", "enrolments", "any_event", "property", "trigger",
]  # fmt: skip
"""A part of the subject that a condition may look at: the fields of ``Reads``, a closed set that is matched to the end."""

SOURCES: Final[tuple[Source, ...]] = get_args(Source)

ZONE_ATTRIBUTE: Final = "timezone"

EVERY: Final = "*"
"""Among ``tags``: any tag at all may decide. Groups are asked so too."""

_NOTHING: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Reads:
    """What the answer of a rule may depend on; what it does not name can never change the answer.

    ``attributes`` are top-level names (of a dotted name its first part and the name itself); ``consents`` are channels.
    ``EVERY`` among ``tags`` or ``groups`` stands for all of them.
    ``time``: the answer may change by time alone. ``history``, ``enrolments``: the contact's events, its passages through
    journeys. ``any_event``: every event type. ``property`` and ``trigger``: of the event at hand and of the one that
    started the journey.
    """

    attributes: frozenset[str] = _NOTHING
    events: frozenset[str] = _NOTHING
    tags: frozenset[str] = _NOTHING
    groups: frozenset[str] = _NOTHING
    segments: frozenset[str] = _NOTHING
    metrics: frozenset[str] = _NOTHING
    consents: frozenset[str] = _NOTHING
    journeys: frozenset[str] = _NOTHING
    lifecycle: bool = False
    points: bool = False
    identities: bool = False
    suppressions: bool = False
    time: bool = False
    history: bool = False
    enrolments: bool = False
    any_event: bool = False
    property: bool = False
    trigger: bool = False

    def __or__(self, other: Self) -> Self:
        """What either looks at."""
        return type(self)(**{name: getattr(self, name) | getattr(other, name) for name in SOURCES})

    @classmethod
    def of_all(cls, parts: Iterable[Self]) -> Self:
        """What any of them looks at."""
        found: dict[str, Any] = {each.name: each.default for each in fields(cls)}
        for part in parts:
            for name, value in found.items():
                found[name] = value | getattr(part, name)
        return cls(**found)

    def sources(self) -> Iterator[Source]:
        """The fields that say something, in their order."""
        return (source for source in SOURCES if getattr(self, source))

    def looks_back(self) -> bool:
        """Whether it takes more than the profile: past events, or passages through journeys."""
        return self.history or self.enrolments

    def inside_an_event(self) -> Self:
        """The same of a filter over past events: there, ``property`` is of each event, not of the one at hand."""
        return replace(self, property=False)
