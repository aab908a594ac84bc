"""Paces messages to what a provider takes a second from this account, across all senders. Called by send_message before a claim.

Two marks for each channel, shared by all processes, move forward in time as messages are let through:

- ``spent``: until when the account's rate is used up by what was sent. It may lie a second ahead of now, and no further.
- ``promised``: until when the slots of messages that wait are given out. Each message that finds no rate left gets the next one.

A process moves a mark for several messages at once and spends what it got by itself. Messages in any ``w`` seconds are at most
``rate * (w + 4)``: one second ahead, two that leases live, and one in the lease of a channel that is otherwise idle.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal, Protocol

from waypost import ids
from waypost.contacts.channels import Channel

AHEAD: Final = timedelta(seconds=1)
"""How much of the rate may be used at once."""
LEASED_FOR: Final = timedelta(seconds=2)
ALONE_FOR: Final = timedelta(minutes=1)
"""How long a lease lives of a process that sends alone: single messages then share a write too."""
LARGEST_LEASE: Final = 32
RESERVED: Final = 0.1
"""The share of the rate that is promised to no message that waits, because schedules fire up to a minute late and unevenly."""
NEAREST_SLOT: Final = timedelta(seconds=5)
URGENT_WITHIN: Final = timedelta(seconds=25)

Mark = Literal["spent", "promised"]


@dataclass(frozen=True, slots=True)
class Moved:
    """A mark was moved: from where, which is now or later; ``before`` is where it stood, None at its first move."""

    start: datetime
    before: datetime | None


class RateMarks(Protocol):
    """The marks of all rates by their name, a channel or a mailbox provider on it; shared by all processes."""

    def move(self, name: str, mark: Mark, *, by: timedelta, now: datetime, within: timedelta | None) -> Moved | None:
        """Move a mark forward from where it stands, or from ``now`` if that is later.

        None, and nothing moved, when it stands further than ``within`` ahead of ``now``, or another process was first.
        """
        ...


@dataclass(slots=True)
class _Lease:
    """What is left of the messages that this process may send until an instant.

    ``mark`` is where the lease ends, ``alone_since`` since when no other process has moved the mark.
    """

    size: int
    left: int
    until: datetime
    mark: datetime
    alone_since: datetime


@dataclass(slots=True)
class _Slots:
    """What is left of the slots that this process may give out."""

    size: int
    left: int
    following: datetime
    ends: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Says for each message whether it goes now. ``rates`` are messages a second, by channel; others are not paced."""

    marks: RateMarks
    rates: Mapping[Channel, float]
    _leases: dict[str, _Lease] = field(default_factory=dict, init=False)
    _slots: dict[str, _Slots] = field(default_factory=dict, init=False)

    def waits_until(
        self, channel: Channel, *, message_key: str, now: datetime, urgent: bool, waited: bool
    ) -> datetime | None:
        """When the message may be tried, or None when it goes now.

        ``urgent`` ones are asked for, they neither stand behind those that wait nor take one of their slots. One that has
        ``waited`` for its slot goes before those that come.
        """
        rate = self.rates.get(channel)
        return (
            self.turn(channel, rate, message_key=message_key, now=now, urgent=urgent, waited=waited) if rate else None
        )

    def turn(
        self, name: str, rate: float, *, message_key: str, now: datetime, urgent: bool, waited: bool
    ) -> datetime | None:
        """The same for a rate of any name: what one mailbox provider takes is shared as what the account may send."""
        slots = self._slots.get(name)
        behind_others = slots is not None and slots.ends > now and not (urgent or waited)
        if not behind_others and self._may_go(name, rate, now):
            return None
        if urgent:
            return now + NEAREST_SLOT + URGENT_WITHIN * ids.share("urgent", message_key, now.isoformat())
        return self._slot(name, rate * (1 - RESERVED), now)

    def _may_go(self, name: str, rate: float, now: datetime) -> bool:
        lease = self._leases.get(name)
        if lease is not None and lease.until > now and lease.left:
            lease.left -= 1
            return True
        most = max(1, min(int(rate / 2), LARGEST_LEASE))
        if lease is None:
            size = 1
        elif lease.alone_since <= now - ALONE_FOR:
            size = most
        else:  # used up before its time, it was too small
            size = min(2 * lease.size, most) if lease.until > now else 1
        by = timedelta(seconds=size / rate)
        moved = self.marks.move(name, "spent", by=by, now=now, within=max(AHEAD - by, timedelta()))
        if moved is None:
            return False
        if moved.before is None or moved.before <= now - ALONE_FOR:
            alone_since = now - ALONE_FOR
        elif lease is not None and moved.before == lease.mark:
            alone_since = lease.alone_since
        else:
            alone_since = now
        # no lease of another process lives by now that was given while that one was alone
        until = now + (ALONE_FOR if alone_since <= now - ALONE_FOR else LEASED_FOR)
        self._leases[name] = _Lease(
            size=size, left=size - 1, until=until, mark=moved.start + by, alone_since=alone_since
        )
        return True

    def _slot(self, name: str, rate: float, now: datetime) -> datetime:
        step = timedelta(seconds=1 / rate)
        slots = self._slots.get(name)
        if slots is None or not slots.left or slots.following < now + NEAREST_SLOT:
            busy = slots is not None and not slots.left and slots.ends > now
            size = min(2 * slots.size, max(1, min(int(2 * rate), LARGEST_LEASE))) if slots is not None and busy else 1
            soonest = now + NEAREST_SLOT
            moved = self.marks.move(name, "promised", by=size * step, now=soonest, within=None)
            start = soonest if moved is None else moved.start  # the others were too many at once: a slot beside theirs
            slots = self._slots[name] = _Slots(size=size, left=size, following=start, ends=start + size * step)
        slot = slots.following
        slots.left -= 1
        slots.following += step
        return slot
