"""Rebuilds a profile from the events that made it, and compares the two. Called by ``waypost contacts rebuild``.

The fold is the function that the router applies (``with_event``), in the order in which events were applied, so a rebuilt
profile equals the stored one, late and repeated events included. Copied from the stored profile, because no event has it:
when the contact was created, its lifecycle stage, metrics, segments and tag expiries (computed from profile and events by
runs of their own), and ``erased``. A merge is recorded with the resulting profile, so a merged contact is rebuilt from its
last merge on. Data of an event that has expired in both table and archive is lost and shows as a difference.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from typing import Any, Final, Protocol

from waypost import ids
from waypost.clock import Clock
from waypost.codec import JsonForm
from waypost.contacts.ports import ContactStore
from waypost.contacts.profile import Contact, with_event
from waypost.errors import ConcurrentUpdate, ContactNotFound, InvalidInput
from waypost.events.envelope import OWN_SOURCE, Event
from waypost.events.history import AppliedEvent
from waypost.events.ports import EventQueue

COMPARED: Final = (
    "attributes", "attributes_at", "tags", "identities", "consents", "suppressions", "groups", "points", "seen",
)  # fmt: skip
"""The fields of a profile that come from events alone."""

REBUILT: Final = "profile_rebuilt"
SETTLING: Final = timedelta(minutes=15)
"""The event of a more recent change (by a rule, a journey, a person) may still be in the queue."""

_ABSENT: Final = "absent"
_TAKEN_OVER: Final = ("segment:", "lifecycle:")
"""Prefixes of the timestamps in ``attributes_at`` that are copied from the stored profile."""


class TableEvents(Protocol):
    """The events of the table."""

    def applied(self, contact_id: str) -> Iterable[AppliedEvent]:
        """The contact's events that are not over their time, in any order."""
        ...


class ArchivedEvents(Protocol):
    """The events of the archive."""

    def applied(self, contact_id: str, *, since: date | None = None) -> Iterable[AppliedEvent]:
        """The contact's events that occurred on ``since`` (UTC) or later, in any order; one may come twice."""
        ...


@dataclass(frozen=True, slots=True)
class Difference(JsonForm):
    """A difference between the stored and the rebuilt profile, such as ``attributes`` and ``city``."""

    field: str
    name: str
    stored: Any
    rebuilt: Any


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A rebuilt profile and the stored one; ``events`` is the number of events it was built from."""

    stored: Contact
    rebuilt: Contact
    differences: tuple[Difference, ...]
    events: int
    archived: int

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "contact_id": self.stored.contact_id,
            "events": self.events,
            "events_of_the_archive_alone": self.archived,
            "differences": [difference.to_dict() for difference in self.differences],
        }


def fold(contact: Contact, events: Iterable[AppliedEvent], *, not_ours: frozenset[tuple[str, str]]) -> Contact:
    """The contact after the events, each once, in the order in which they were applied.

    ``not_ours`` are the identities that belong to another contact, which the router leaves out as well.
    """
    known: set[str] = set()
    for applied in sorted(events, key=lambda each: each.place):
        event = applied.event
        if event.id in known:
            continue
        known.add(event.id)
        ours = {kind: value for kind, value in event.contact.items() if (kind, value) not in not_ours}
        contact = with_event(contact, replace(event, contact=ours))
    return contact


def _with_recent(rebuilt: Contact, stored: Contact, since: datetime) -> Contact:
    """The rebuilt contact with the stored contact's changes since then, whose events may not be stored yet."""
    attributes, attributes_at = dict(rebuilt.attributes), dict(rebuilt.attributes_at)
    members = {"tag": set(rebuilt.tags), "group": set(rebuilt.groups)}
    now_members = {"tag": stored.tags, "group": stored.groups}
    for stamp, at in stored.attributes_at.items():
        kind, _, name = stamp.partition(":")
        if stamp.startswith(_TAKEN_OVER):
            attributes_at[stamp] = at
        if stamp.startswith(_TAKEN_OVER) or at <= since or attributes_at.get(stamp) == at:
            continue
        attributes_at[stamp] = at
        if kind in members:
            (members[kind].add if name in now_members[kind] else members[kind].discard)(name)
        elif stamp in stored.attributes:
            attributes[stamp] = stored.attributes[stamp]
        else:
            attributes.pop(stamp, None)
    for stamp in [each for each in attributes_at if each.startswith(_TAKEN_OVER) and each not in stored.attributes_at]:
        del attributes_at[stamp]
    tags, groups = frozenset(members["tag"]), frozenset(members["group"])
    return replace(rebuilt, attributes=attributes, attributes_at=attributes_at, tags=tags, groups=groups)


def differences(stored: Contact, rebuilt: Contact) -> tuple[Difference, ...]:
    """What the two do not agree on, by field and name."""
    found: list[Difference] = []
    left, right = stored.to_dict(), rebuilt.to_dict()
    for field in COMPARED:
        one, other = _by_name(left[field]), _by_name(right[field])
        found += [
            Difference(field, name, one.get(name, _ABSENT), other.get(name, _ABSENT))
            for name in sorted(one.keys() | other.keys())
            if one.get(name, _ABSENT) != other.get(name, _ABSENT)
        ]
    return tuple(found)


def _by_name(value: Any) -> Mapping[str, Any]:
    match value:
        case dict():  # identities are in the order in which they became known, which has no effect
            return {name: sorted(each) if _is_set(each) else each for name, each in value.items()}
        case list():
            return dict.fromkeys(value, True)
        case _:
            return {"": value}


def _is_set(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilder:
    """Rebuilds profiles from the table's events and, where there is one, the archive's."""

    contacts: ContactStore
    table: TableEvents
    archive: ArchivedEvents | None
    queue: EventQueue
    clock: Clock

    def compare(self, contact_id: str) -> Rebuilt:
        """The profile built from its events, and the stored one. Raises ContactNotFound."""
        stored = self.contacts.load(contact_id)
        if stored is None:
            raise ContactNotFound(f"contact {contact_id} does not exist")
        kept = {owner: list(self.table.applied(owner)) for owner in stored.partitions}
        archived = self._archived(stored)
        events = [each for found in (kept, archived) for each in chain.from_iterable(found.values())]
        start, later = self._start(stored, kept, archived)
        folded = fold(start, later, not_ours=self._not_ours(stored, events))
        rebuilt = _with_recent(
            replace(stored, **{field: getattr(folded, field) for field in COMPARED}), stored, self.clock() - SETTLING
        )
        known = {each.event.id for each in chain.from_iterable(kept.values())}
        return Rebuilt(
            stored=stored,
            rebuilt=rebuilt,
            differences=differences(stored, rebuilt),
            events=len({each.event.id for each in events}),
            archived=len({each.event.id for each in events} - known),
        )

    def repair(self, contact_id: str) -> Rebuilt:
        """Write the rebuilt profile where it differs, in one conditional write, and queue an event about it.

        Raises ContactNotFound, InvalidInput for a contact with an undone merge that was not repeated (the events of
        the two cannot be separated), and ConcurrentUpdate when the contact changed meanwhile: nothing is written then.
        """
        found = self.compare(contact_id)
        if not found.differences:
            return found
        if any(not set(pair).issubset(found.stored.partitions) for pair in found.stored.kept_apart):
            raise InvalidInput("contact", "had a merge undone; correct single fields with an event or by hand instead")
        claim: dict[str, str] = {}
        linked: dict[str, list[str]] = {}
        for kind, values in found.rebuilt.identities.items():
            for value in values:
                if not self.contacts.resolve({kind: value}):
                    if kind in claim:
                        continue  # one write claims one identity of a kind; the next run finds and claims this one
                    claim[kind] = value
                linked.setdefault(kind, []).append(value)
        if not self.contacts.save(replace(found.rebuilt, identities=linked), claim=claim):
            raise ConcurrentUpdate(f"contact {contact_id} changed while it was rebuilt; run it again")
        self.queue.send([self._rebuilt_event(found)])
        return found

    def _start(self, stored: Contact, *found: Mapping[str, list[AppliedEvent]]) -> tuple[Contact, list[AppliedEvent]]:
        """The contact to begin with, new or the result of the last merge, and the events to apply."""
        merges = [merge for merge in self.contacts.merges(stored.contact_id) if merge.undone_at is None]
        if not merges or not stored.absorbed:
            whole = [each for by_owner in found for each in chain.from_iterable(by_owner.values())]
            return Contact(contact_id=stored.contact_id, created_at=stored.created_at), whole
        merge = merges[-1]
        later = [
            each
            for by_owner in found
            for owner, events in by_owner.items()
            for each in events
            # versions of one instant compare within the survivor's own partition only
            if each.routed_at > merge.at
            or (owner == stored.contact_id and (each.routed_at, each.version) > (merge.at, merge.result.version))
        ]
        return merge.result, later

    def _archived(self, stored: Contact) -> dict[str, list[AppliedEvent]]:
        if self.archive is None:
            return {}
        since = min((first for first, _ in stored.seen.values()), default=None)
        return {owner: list(self.archive.applied(owner, since=since)) for owner in stored.partitions}

    def _not_ours(self, stored: Contact, events: Iterable[AppliedEvent]) -> frozenset[tuple[str, str]]:
        named = {pair for each in events for pair in each.event.contact.items() if pair[0] != "contact_id"}
        ours = set(stored.partitions)
        known = {pair for kind, values in stored.identities.items() for pair in ((kind, value) for value in values)}
        return frozenset(
            (kind, value)
            for kind, value in named - known
            if (owner := self.contacts.resolve({kind: value}).get(kind)) is not None and owner not in ours
        )

    def _rebuilt_event(self, found: Rebuilt) -> Event:
        now: datetime = self.clock().astimezone(UTC)
        contact = found.stored
        return Event(
            id="e-" + ids.digest(REBUILT, contact.contact_id, str(contact.version)),
            type=REBUILT,
            contact={"contact_id": contact.contact_id},
            occurred_at=now,
            received_at=now,
            source=OWN_SOURCE,
            properties={
                "fields": sorted({difference.field for difference in found.differences}),
                "differences": len(found.differences),
                "events": found.events,
            },
        )
