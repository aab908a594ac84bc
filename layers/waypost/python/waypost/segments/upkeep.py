"""Keeps saved segments, rule tags and the life cycle of a contact up to date, and reports changes in the event stream.

Called by the router after each event, and by the nightly refresh for what time alone has changed.
"""

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Final
from zoneinfo import ZoneInfo

from waypost import ids
from waypost.clock import Clock, format_instant
from waypost.contacts.ports import ContactStore
from waypost.contacts.profile import LIFECYCLE_STAMP, Contact, with_lifecycle, with_segment, with_tags
from waypost.contacts.quiet_events import with_stored
from waypost.contacts.tag_system import Giver, TagSystem, ended_tags, tag_events, with_expiries
from waypost.errors import ConcurrentUpdate, ContactNotFound
from waypost.events.envelope import OWN_SOURCE, Event, caused_by_event
from waypost.events.history import EventHistory
from waypost.events.listening import Listening
from waypost.events.ports import EventQueue
from waypost.segments.history_lookup import HistoryLookup
from waypost.segments.index import MaintainedRule, RuleIndex, facts_of, facts_of_journeys
from waypost.segments.membership_query import MembershipQuery
from waypost.segments.reads import Reads
from waypost.segments.subject import Enrolled, History, Subject, subject_of

ATTEMPTS: Final = 8
_TICK: Final = timedelta(milliseconds=1)

BY_REFRESH: Final = "refresh"
BY_NEW_RULES: Final = "new_rules"
"""What ``because`` says when no event caused a change: time or a metric did; the rules are new to this contact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """Evaluates the maintained rules that something can have affected, each at most once and behind those it builds on.

    What follows is queued as events **before** the profile is saved, in one write: a crash in between repeats both. The id
    of an event names the contact, the rule and the last time that rule changed its answer, so that the
    same conclusion is one event, however often it is drawn. Without maintained rules nothing is read and nothing is written.
    """

    index: RuleIndex
    tags: TagSystem
    contacts: ContactStore
    lookup: HistoryLookup
    queue: EventQueue
    history: EventHistory
    default_zone: ZoneInfo
    clock: Clock
    listening: Listening = field(default_factory=Listening)
    """What nothing reads (``Listening.is_quiet``) is stored at once instead of queued and routed."""

    def keep(self, contact: Contact, event: Event) -> Contact:
        """The contact after everything that the event can have affected. Raises ConcurrentUpdate, ContactNotFound."""
        if not self._has_work(contact):
            return contact
        cause = _Cause(facts_of(event), event.type, event.correlation_id, event_id=event.id, ended=_ended_by(event))
        return self._settle(contact, cause)

    def keep_newborn(self, contact: Contact, event: Event, at: datetime) -> Contact:
        """The contact that the event creates, with what follows from it, for the write that creates it.

        Left to ``keep`` where the history must be asked, as the event is stored behind the contact, and where something must be
        queued, as it would be routed to a contact who is not stored yet. ``at`` is the same for all attempts.
        """
        if not self._has_work(contact):
            return contact
        cause = _Cause(facts_of(event), event.type, event.correlation_id, event_id=event.id)
        once = _Pass(self, contact, cause, _in_milliseconds(at), asks_profile_alone=True)
        once.run()
        if once.is_left_open or not all(map(self.listening.is_quiet, once.events)):
            return contact
        return with_stored(once.contact, once.events, history=self.history, routed_at=at)

    def keep_journeys(self, contact: Contact, event: Event, journeys: Iterable[str]) -> Contact:
        """The contact after it has entered or left these journeys because of the event."""
        facts = facts_of_journeys(journeys)
        if not facts or not self.index.touched_by(facts):
            return contact
        return self._settle(contact, _Cause(facts, event.type, event.correlation_id, event_id=event.id))

    def keep_all(self, contact: Contact, *, refresh: Iterable[str] = ("daily", "hourly")) -> Contact:
        """The contact after every maintained rule and every end of a tag.

        ``contact`` may come from a scan and be old: what follows from it is decided again on the stored one. A rule whose
        own ``refresh`` is not among these is asked of the profile alone: the history is not read for it. Raises
        ConcurrentUpdate, ContactNotFound.
        """
        if not self._has_work(contact):
            return contact
        cause = _Cause(None, BY_REFRESH, refresh=frozenset(refresh))
        if not self._concludes_something(contact, cause):
            return contact
        return self._settle(self._load(contact.contact_id), cause)

    def _has_work(self, contact: Contact) -> bool:
        return bool(self.index.rules or self.tags.lasting or contact.kept)

    def _concludes_something(self, contact: Contact, cause: "_Cause") -> bool:
        once = _Pass(self, contact, cause, self._now())
        once.run()
        return once.contact != contact

    def _now(self) -> datetime:
        return _in_milliseconds(self.clock())

    def _settle(self, contact: Contact, cause: "_Cause") -> Contact:
        now = self._now()  # one for all attempts: an event of a second attempt is the event of the first
        for _ in range(ATTEMPTS):
            if contact.erased or contact.merged_into:
                return contact
            once = _Pass(self, contact, cause, now)
            once.run()
            if once.contact == contact:
                return contact
            if announced := [event for event in once.events if not self.listening.is_quiet(event)]:
                self.queue.send(announced)
            quiet = [event for event in once.events if self.listening.is_quiet(event)]
            changed = with_stored(once.contact, quiet, history=self.history, routed_at=self.clock())
            if self.contacts.save(changed, claim={}):
                return replace(changed, version=contact.version + 1)
            contact = self._load(contact.contact_id)
        raise ConcurrentUpdate(f"contact {contact.contact_id} changed {ATTEMPTS} times while its segments were kept")

    def _load(self, contact_id: str) -> Contact:
        known = self.contacts.load(contact_id)
        if known is None:
            raise ContactNotFound(f"contact {contact_id} does not exist")
        return known


def _in_milliseconds(instant: datetime) -> datetime:
    """As instants are stored."""
    instant = instant.astimezone(UTC)
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


@dataclass(frozen=True, slots=True)
class _Cause:
    """Why rules are evaluated: ``facts`` may have changed (None: anything).

    ``refresh`` is set when it is no event but a scheduled refresh: what the rules say whose history may be read. ``ended``
    are enrolments that have just ended, with their outcomes.
    """

    facts: set[str] | None
    because: str
    correlation_id: str = ""
    event_id: str = ""
    refresh: frozenset[str] | None = None
    ended: Mapping[str, str] = field(default_factory=dict)


def _ended_by(event: Event) -> Mapping[str, str]:
    if event.type != "journey_ended" or not event.is_our_own:
        return {}
    return {str(event.properties["enrolment_id"]): str(event.properties["outcome"])}


@dataclass
class _Pass:
    """One pass over the affected rules of a contact, in their order. ``contact`` and ``events`` are what has come of it.

    ``is_left_open``: some rule could not be answered, because only the profile was asked.
    """

    upkeep: Upkeep
    before: Contact
    cause: _Cause
    now: datetime
    asks_profile_alone: bool = False
    is_left_open: bool = field(init=False, default=False)
    events: list[Event] = field(default_factory=list)
    contact: Contact = field(init=False)
    _reach: set[int] = field(init=False)
    _present: Subject = field(init=False)
    _made_of: Contact | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.contact = self.before

    def run(self) -> None:
        """Evaluate what is due and what follows from it, each rule at most once and behind those it builds on."""
        index = self.upkeep.index
        changed = self._end_tags() | (self._leave_undeclared() if self._is_whole else set())
        waiting = sorted(self._due | index.touched_by(changed))
        self._reach, known = index.following(waiting), set(waiting)
        while waiting:
            position = heapq.heappop(waiting)
            if self._apply(position):
                for each in index.touched_by([index.rules[position].key]) - known:
                    known.add(each)
                    heapq.heappush(waiting, each)
        if self._is_whole:
            self.contact = replace(self.contact, kept=index.fingerprint)

    @property
    def _rules_are_new(self) -> bool:
        return self.before.kept != self.upkeep.index.fingerprint

    @property
    def _is_whole(self) -> bool:
        """Whether all rules are due: anything may have changed, or some rule is new to this contact."""
        return self.cause.facts is None or self._rules_are_new

    @cached_property
    def _due(self) -> set[int]:
        index = self.upkeep.index
        return set(range(len(index))) if self._is_whole else index.touched_by(self.cause.facts or ())

    def _end_tags(self) -> set[str]:
        """Take the tags whose time is over; the facts that change with them."""
        self.contact = with_expiries(self.contact, self.upkeep.tags)
        over = sorted(ended_tags(self.contact, self.now))
        for name in over:
            self._change_tag(name, given=False, by="expiry")
        return {f"tag:{name}" for name in over}

    def _leave_undeclared(self) -> set[str]:
        """Leave the segments that are declared no longer; the facts that change with them."""
        gone = sorted(name for name in self.contact.segments if f"segment:{name}" not in self.upkeep.index.keys)
        for name in gone:
            self._change_segment(name, member=False)
        return {f"segment:{name}" for name in gone}

    def _apply(self, position: int) -> bool:
        """Evaluate one rule; whether its answer is another one than the profile had."""
        rule = self.upkeep.index.rules[position]
        if rule.kind == "lifecycle":
            return self._apply_lifecycle(rule)
        holds = self._answer(rule, rule.query)
        if holds is None:
            return False
        return (self._apply_tag if rule.kind == "tag" else self._apply_segment)(rule.name, holds=holds)

    def _answer(self, rule: MaintainedRule, query: MembershipQuery) -> bool | None:
        """Whether the rule holds; None where only the history can tell, which is not to be read now."""
        answer = query.decide(self._subject())
        if answer is None and self.asks_profile_alone:
            self.is_left_open = True
        elif answer is None and self._may_read_for(rule):
            return query.holds(self._subject(rule))
        return answer

    def _apply_segment(self, name: str, *, holds: bool) -> bool:
        if holds == (name in self.contact.segments):
            return False
        self._change_segment(name, member=holds)
        return True

    def _change_segment(self, name: str, *, member: bool) -> None:
        key = f"segment:{name}"
        at = self._next_instant(key)
        self._say("segment_entered" if member else "segment_left", key, at, stamp=key, segment=name)
        self.contact = with_segment(self.contact, name, member=member, at=at)

    def _apply_tag(self, name: str, *, holds: bool) -> bool:
        if holds == (name in self.contact.tags):
            return False
        self._change_tag(name, given=holds, by="rule")
        return True

    def _change_tag(self, name: str, *, given: bool, by: Giver) -> None:
        key, (before, after) = f"tag:{name}", ((), (name,)) if given else ((name,), ())
        at = self._next_instant(key)
        self.events += tag_events(
            before,
            after,
            contact_id=self.contact.contact_id,
            by=by,
            at=at,
            change_id=self._last_change(key),
            because={"because": self._because(key)},
            correlation_id=self.cause.correlation_id,
            cause=caused_by_event(self.cause.event_id),
        )
        self.contact = with_expiries(with_tags(self.contact, add=after, remove=before, at=at), self.upkeep.tags)

    def _apply_lifecycle(self, rule: MaintainedRule) -> bool:
        """Go from stage to stage as far as the rules lead; each step is an event."""
        was = self.contact.lifecycle
        for _ in self.upkeep.index.stages:  # no way is longer, unless it goes round in a circle
            stage = self._next_stage(rule)
            if stage == self.contact.lifecycle:
                break
            at = self._next_instant(LIFECYCLE_STAMP)
            way = {"from": self.contact.lifecycle, "to": stage}
            self._say("lifecycle_changed", rule.key, at, stamp=LIFECYCLE_STAMP, **way)
            self.contact = with_lifecycle(self.contact, stage, at=at)
        return self.contact.lifecycle != was

    def _next_stage(self, rule: MaintainedRule) -> str:
        """The stage that follows, from the profile alone where that can tell (see ``Lifecycle.next``)."""
        lifecycle, current = self.upkeep.index.lifecycle, self.contact.lifecycle
        for stage in lifecycle.reachable(current) if lifecycle else ():
            query = self.upkeep.index.stages.get(stage.name)
            if query is None:
                return current
            answer = self._answer(rule, query)
            if answer is not False:
                return stage.name if answer else current
        return current

    def _may_read_for(self, rule: MaintainedRule) -> bool:
        refresh = self.cause.refresh
        return refresh is None or rule.refresh in refresh or self._rules_are_new

    def _subject(self, rule: MaintainedRule | None = None) -> Subject:
        """The contact as it is now; with the history that ``rule`` reads."""
        if self._made_of is not self.contact:
            self._present = subject_of(self.contact, now=self.now, default_zone=self.upkeep.default_zone)
            self._made_of = self.contact
        if rule is None:
            return self._present
        return replace(
            self._present,
            history=self._history if rule.reads.history else (),
            enrolments=self._enrolments if rule.reads.enrolments else (),
        )

    @cached_property
    def _asked(self) -> Reads:
        """What any rule of this pass may look at."""
        return Reads.of_all(self.upkeep.index.rules[position].reads for position in self._reach)

    @cached_property
    def _history(self) -> History:
        """The events that any rule of this pass may ask about; read once."""
        return self.upkeep.lookup.events(self.contact.partitions, self._asked)

    @cached_property
    def _enrolments(self) -> list[Enrolled]:
        return self.upkeep.lookup.passages(self.contact.partitions, ended=self.cause.ended)

    def _say(self, kind: str, key: str, at: datetime, *, stamp: str, **properties: str) -> None:
        cause = self._last_change(stamp)
        self.events.append(
            Event(
                id="e-" + ids.digest(kind, self.contact.contact_id, *properties.values(), cause),
                type=kind,
                contact={"contact_id": self.contact.contact_id},
                occurred_at=at,
                received_at=at,
                source=OWN_SOURCE,
                properties={**properties, "because": self._because(key)},
                correlation_id=self.cause.correlation_id,
                cause=caused_by_event(self.cause.event_id),
            )
        )

    def _because(self, key: str) -> str:
        """The type of the event that led to this, or that it was no event."""
        if self._rules_are_new and self.before.version > 1 and key not in self._followed:
            return BY_NEW_RULES
        return self.cause.because

    @cached_property
    def _followed(self) -> set[str]:
        """The keys of all rules that what has happened can affect."""
        index, facts = self.upkeep.index, self.cause.facts
        return {index.rules[each].key for each in index.following(index.touched_by(facts or ()))}

    def _last_change(self, key: str) -> str:
        """When a rule last changed its answer, as text: it tells this change from all others of the rule."""
        last = self.contact.attributes_at.get(key)
        return format_instant(last) if last else ""

    def _next_instant(self, key: str) -> datetime:
        """Now, and never at or before the last change: each change of a rule has a time of its own."""
        last = self.contact.attributes_at.get(key)
        return self.now if last is None else max(self.now, last + _TICK)
