"""The members who came in without a deployment: by an import, or from WeCom. Kept in one row, read beside ``members.yaml``.

The file's word counts: a member whom it names is not replaced, only completed by what it leaves open (department, manager, a channel).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal, Protocol, get_args

from waypost.clock import Clock
from waypost.codec import JsonForm
from waypost.errors import RetryableError
from waypost.staff.directory import Member, StaffDirectory

Source = Literal["import", "wecom"]
"""Where members come from; of one whom both name, the first counts."""
SOURCES: Final[tuple[Source, ...]] = get_args(Source)
MOST_MEMBERS: Final = 10_000
LOOKED_AFTER: Final = timedelta(minutes=1)
"""How long a process uses what it knows before it looks again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceList(JsonForm):
    """All members of one source, in the published form of ``members.yaml``, since ``at``."""

    members: Mapping[str, Mapping[str, Any]]
    queues: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    at: datetime
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveStaff(JsonForm):
    """What every source has brought; ``revision`` counts the changes."""

    revision: int = 0
    lists: Mapping[Source, SourceList] = field(default_factory=dict)

    def with_list(self, source: Source, given: SourceList) -> "LiveStaff":
        """The next revision, with this list in place of the one of the same source."""
        return replace(self, revision=self.revision + 1, lists={**self.lists, source: given})


class LiveStaffStore(Protocol):
    """Keeps the members who came in without a deployment."""

    def load(self) -> LiveStaff:
        """What is kept, perhaps a second late."""
        ...

    def newest(self) -> LiveStaff:
        """What is kept, read consistently."""
        ...

    def put(self, live: LiveStaff) -> bool:
        """Keep this revision; False when another was faster. Raises InvalidInput when it is too large for a row."""
        ...


@dataclass(slots=True, kw_only=True)
class StaffInForce:
    """Gives the directory: the deployed file and what came in since. A read that fails leaves the last one in force."""

    deployed: Callable[[], StaffDirectory]
    store: Callable[[], LiveStaffStore]
    clock: Clock
    _known: StaffDirectory | None = field(default=None, init=False)
    _revision: int = field(default=0, init=False)
    _looked_at: datetime | None = field(default=None, init=False)

    def __call__(self) -> StaffDirectory:
        """The directory, a minute old at most."""
        now = self.clock()
        if self._looked_at is None or not timedelta() <= now - self._looked_at < LOOKED_AFTER:
            self._looked_at = now
            try:
                live = self.store().load()
            except RetryableError:
                live = None
            if live is not None and (self._known is None or live.revision != self._revision):
                self._known, self._revision = joined(self.deployed(), live), live.revision
        return self._known or self.deployed()


def joined(deployed: StaffDirectory, live: LiveStaff) -> StaffDirectory:
    """The members of the file, then those of each source who are not there yet; queues of one name are put together."""
    members = dict(deployed.members)
    queues = {name: list(ids) for name, ids in deployed.queues.items()}
    for source in SOURCES:
        given = live.lists.get(source)
        if given is None:
            continue
        own = {id_: Member.from_dict(id_, each) for id_, each in given.members.items()}
        same = _the_same(own, members)
        for id_, came in own.items():
            member = replace(came, manager=same.get(came.manager, came.manager))
            known = same.get(id_)
            members[known or id_] = member if known is None else _completed(members[known], member)
        for name, ids in given.queues.items():
            queue = queues.setdefault(name, [])
            queue += [each for each in (same.get(id_, id_) for id_ in ids) if each not in queue]
    return StaffDirectory(members, {name: tuple(ids) for name, ids in queues.items()})


def _the_same(own: Mapping[str, Member], known: Mapping[str, Member]) -> dict[str, str]:
    """Who of a source is known already, as whom: by id, mail address, or WeCom's userid, in which case makes no difference."""
    by_address = {address: id_ for id_, member in known.items() for address in _addresses(member)}
    found = {}
    for id_, member in own.items():
        names = [id_] if id_ in known else [by_address[each] for each in _addresses(member) if each in by_address]
        if names:
            found[id_] = names[0]
    return found


def _addresses(member: Member) -> list[str]:
    return [f"{channel}:{address.lower()}" for channel, address in member.channels.items() if channel in _OWN]


_OWN: Final = ("email", "wecom")
"""Channels whose addresses no two members share."""


def _completed(known: Member, given: Member) -> Member:
    """What is known of a member, and of the rest what the source says."""
    manager = given.manager if given.manager != known.id else ""
    more = {channel: address for channel, address in given.channels.items() if channel not in known.channels}
    return replace(
        known,
        email=known.email or given.email,
        department=known.department or given.department,
        manager=known.manager or manager,
        channels={**known.channels, **more},
    )
