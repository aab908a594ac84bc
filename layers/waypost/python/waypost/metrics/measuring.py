"""Computes the metrics of one contact from its profile and its events. Used by both passes of the nightly refresh.

A profile knows the first and the last day of each event type, so most contacts are decided without reading an event.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from waypost.clock import format_instant
from waypost.contacts.fitting import knows_all_types
from waypost.contacts.profile import Contact
from waypost.contacts.reading_hours import READ_BY, ReadingHours, window
from waypost.contacts.zones import zone_of
from waypost.events.history import EVER, since_under
from waypost.metrics.declaration import COMPUTED_AT, RFM_LETTERS, ChurnLevel, MetricsDeclaration, RfmRule, is_kept
from waypost.segments.compile import Holds, compile_rule, decide_from_profile
from waypost.segments.dependencies import reads
from waypost.segments.history_lookup import MOST_TYPES, HistoryLookup
from waypost.segments.reads import Reads
from waypost.segments.scores import MEASURES, Measure, Purchases, class_of, purchases, score
from waypost.segments.subject import History, Subject, subject_of

Ranks = Mapping[Measure, Sequence[float]]
"""Where the classes 2, 3, 4 and 5 of each measure begin, as far as any contact reaches them."""

Seen = Mapping[str, tuple[date, date]]
"""The first and the last day (UTC) of each event type."""


@dataclass(frozen=True, kw_only=True)
class Measurer:
    """Measures one contact at a time; ``default_zone`` is that of contacts without one."""

    declaration: MetricsDeclaration
    history_lookup: HistoryLookup
    default_zone: ZoneInfo

    def purchases(self, history: History, *, now: datetime) -> Purchases | None:
        """What a contact with these events bought up to ``now``; None without a purchase in the declared window."""
        rule = self.declaration.rfm
        return None if rule is None else self._bought(rule, history, now)

    def history(
        self, seen: Seen | None, partitions: Sequence[str], windows: Mapping[str, timedelta | None], *, now: datetime
    ) -> History:
        """The events of the types in ``windows``, in one query from the longest window on; no query for a contact that has none.

        ``seen`` is None where the profile does not know all types.
        """
        starts = {kind: _start(window, now) for kind, window in windows.items()}
        wanted = {kind: start for kind, start in starts.items() if _may_have(seen, kind, start)}
        return self._read(partitions, sorted(wanted), min(wanted.values())) if wanted else []

    def metrics(self, contact: Contact, ranks: Ranks, *, now: datetime) -> dict[str, Any]:
        """The contact's current metrics; the same object when nothing changed.

        ``computed_at`` is when they last changed. A metric that another run computes is kept, one that is no longer declared
        is dropped.
        """
        history = self._counted_history(contact, now)
        found = {name: each for name, each in contact.metrics.items() if is_kept(name)}
        found |= {name: score(history, rule, now=now) for name, rule in self.declaration.scores.items()}
        rule = self.declaration.rfm
        if rule is not None and (bought := self._bought(rule, history, now)) is not None:
            found |= _rfm(rule, bought, ranks)
        if self.declaration.best_hour is not None:
            times = (at for kind, at, _ in history if kind in READ_BY)
            half_life, zone = self.declaration.best_hour.half_life, zone_of(contact, self.default_zone)
            found |= ReadingHours.counted(times, half_life=half_life, zone=zone, now=now).metrics()
        found |= self._churn(replace(contact, metrics=found), now)
        if found == {name: each for name, each in contact.metrics.items() if name != COMPUTED_AT}:
            return contact.metrics
        return {**found, COMPUTED_AT: format_instant(now)}

    def _counted_history(self, contact: Contact, now: datetime) -> History:
        """The events that scores, RFM and the hours of reading count."""
        seen = contact.seen if knows_all_types(contact.seen) else None
        return self.history(seen, contact.partitions, self._windows, now=now)

    @cached_property
    def _windows(self) -> Mapping[str, timedelta | None]:
        """The longest window of each event type; None: unlimited."""
        rfm = self.declaration.rfm
        found: dict[str, timedelta | None] = {}
        for rule in self.declaration.scores.values():
            for kind in rule.weights:
                found[kind] = max(found.get(kind) or rule.window, rule.window)
        if rfm is not None:
            known = found.get(rfm.event, timedelta())
            found[rfm.event] = None if rfm.window is None or known is None else max(known, rfm.window)
        if self.declaration.best_hour is not None:
            reach = window(self.declaration.best_hour.half_life)
            for kind in READ_BY:
                known = found.get(kind, timedelta())
                found[kind] = None if known is None else max(known, reach)
        return found

    def _read(self, partitions: Sequence[str], types: Sequence[str], start: datetime) -> History:
        asked = types if len(types) <= MOST_TYPES else ()
        found = since_under(partitions, self.history_lookup.history, start, types=asked)
        return [(event.type, event.occurred_at, event.properties) for event in found]

    def _bought(self, rule: RfmRule, history: History, now: datetime) -> Purchases | None:
        counted = [
            each
            for each in history
            if each[0] == rule.event and self._is_purchase(Subject({}, frozenset(), now, each[2]))
        ]
        return purchases(counted, event=rule.event, value=rule.value, window=rule.window, now=now)

    @cached_property
    def _is_purchase(self) -> Holds:
        return compile_rule(None if self.declaration.rfm is None else self.declaration.rfm.where)

    def _churn(self, contact: Contact, now: datetime) -> dict[str, Any]:
        """The first level whose rule holds; the profile alone answers where it can."""
        subject, is_whole = subject_of(contact, now=now, default_zone=self.default_zone), False
        for level in self._levels:
            holds = level.holds(subject) if is_whole else level.decide(subject)
            if holds is None:
                asked = Reads.of_all(each.reads for each in self._levels)
                subject, is_whole = self.history_lookup.added(subject, contact.partitions, asked), True
                holds = level.holds(subject)
            if holds:
                return {"churn_risk": level.declared.level, "churn_score": level.declared.score}
        return {}

    @cached_property
    def _levels(self) -> Sequence["_Level"]:
        return [_Level.of(level) for level in self.declaration.churn]


@dataclass(frozen=True, slots=True)
class _Level:
    """A level of churn risk as functions: ``decide`` answers from the profile alone, or None when it cannot."""

    declared: ChurnLevel
    reads: Reads
    decide: Callable[[Subject], bool | None]
    holds: Holds

    @classmethod
    def of(cls, level: ChurnLevel) -> "_Level":
        return cls(level, reads(level.rule), decide_from_profile(level.rule), compile_rule(level.rule))


def _rfm(rule: RfmRule, bought: Purchases, ranks: Ranks) -> dict[str, Any]:
    """Times and sum, the three scores, the cell (``543``) and the name of the declared segment it is in.

    Not the days since the last purchase: they change every night, so every customer's profile would be written every night.
    """
    classes = {RFM_LETTERS[measure]: class_of(bought.ranked(measure), ranks.get(measure, ())) for measure in MEASURES}
    segment = rule.segment(**classes)
    return {
        "rfm_frequency": bought.frequency,
        "rfm_monetary": bought.monetary,
        **{f"rfm_{letter}": each for letter, each in classes.items()},
        "rfm": "".join(str(classes[letter]) for letter in "rfm"),
        **({} if segment is None else {"rfm_segment": segment}),
    }


def _start(window: timedelta | None, now: datetime) -> datetime:
    return EVER if window is None else now - window


def _may_have(seen: Seen | None, kind: str, start: datetime) -> bool:
    """Whether a contact may have an event of this type since ``start``; ``seen`` is None when it is unknown."""
    return seen is None or (kind in seen and seen[kind][1] >= start.astimezone(UTC).date())
