"""Puts the whole list of one source in place of the last one, and says who joined, changed and left. Used by imports and syncs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from waypost import ids
from waypost.clock import Clock, format_instant
from waypost.errors import ConcurrentUpdate, InvalidInput
from waypost.events.envelope import OWN_SOURCE, Event
from waypost.events.history import EventBus
from waypost.staff.live_directory import MOST_MEMBERS, LiveStaff, LiveStaffStore, Source, SourceList

Change = Literal["staff_joined", "staff_changed", "staff_left"]
NAMED: Final = 100
"""Members whom a report names of each kind; the others are counted."""
_ATTEMPTS: Final = 3

Published = Mapping[str, Any]
"""A member in the published form of ``members.yaml``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """The members who are new in a list, those of whom something is different, and those who are not in it any more, by id."""

    joined: Sequence[str]
    changed: Sequence[str]
    left: Sequence[str]

    def report(self) -> dict[str, Any]:
        """How many, and the first of each."""
        kinds = {"joined": self.joined, "changed": self.changed, "left": self.left}
        return {name: len(found) for name, found in kinds.items()} | {
            f"{name}_members": list(found[:NAMED]) for name, found in kinds.items()
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepStaff:
    """Keeps lists as a whole: a reader finds the old one or the new one."""

    store: LiveStaffStore
    bus: EventBus
    clock: Clock

    def keep(
        self,
        source: Source,
        members: Mapping[str, Published],
        queues: Mapping[str, Sequence[str]],
        *,
        by: str = "",
        dry_run: bool = False,
    ) -> dict[str, Any]:
        """Keep the list: ``{members, dry_run, revision, joined, changed, left, joined_members, changed_members, left_members}``.

        A dry run says what would become of it. Who joined, changed and left is published on the bus once the list is kept; a
        process that dies in between publishes nothing. Raises InvalidInput for a list that is too long, and ConcurrentUpdate.
        """
        if len(members) > MOST_MEMBERS:
            raise InvalidInput("members", f"expected at most {MOST_MEMBERS:,}, got {len(members):,}")
        for _ in range(_ATTEMPTS):
            now, before = self.clock(), self.store.newest()
            given = SourceList(
                members=members, queues={name: tuple(each) for name, each in queues.items()}, at=now, by=by
            )
            after = before.with_list(source, given)
            changes = _changes(before, after, source)
            done = {"members": len(members), "dry_run": dry_run, **changes.report()}
            if dry_run or not _differs(before, given, source):
                return {**done, "revision": before.revision}
            if self.store.put(after):
                self._publish(before, after, source, changes, now)
                return {**done, "revision": after.revision}
        raise ConcurrentUpdate("the staff directory was changed by others in between")

    def _publish(self, before: LiveStaff, after: LiveStaff, source: Source, changes: Changes, now: datetime) -> None:
        events: list[tuple[str, Event]] = []
        kinds: Sequence[tuple[Change, Sequence[str], LiveStaff]] = (
            ("staff_joined", changes.joined, after),
            ("staff_changed", changes.changed, after),
            ("staff_left", changes.left, before),
        )
        for kind, found, live in kinds:
            for member in found:
                id_ = f"{OWN_SOURCE}.staff:{ids.digest(kind, member, str(after.revision))}"
                published = live.lists[source].members[member]
                shown = {name: published[name] for name in ("department", "manager") if name in published}
                properties = {"member": member, "from": source, "at": format_instant(now), **shown}
                events.append(("", Event(id_, kind, {}, now, now, f"{OWN_SOURCE}.staff", properties)))
        if events:
            self.bus.publish(events)


def _changes(before: LiveStaff, after: LiveStaff, source: Source) -> Changes:
    kept, new = (live.lists[source].members if source in live.lists else {} for live in (before, after))
    return Changes(
        joined=sorted(new.keys() - kept.keys()),
        changed=sorted(id_ for id_ in new.keys() & kept.keys() if dict(new[id_]) != dict(kept[id_])),
        left=sorted(kept.keys() - new.keys()),
    )


def _differs(before: LiveStaff, given: SourceList, source: Source) -> bool:
    """Whether the list says anything else than the one that is kept."""
    kept = before.lists.get(source)
    return kept is None or (kept.members, kept.queues) != (given.members, given.queues)
