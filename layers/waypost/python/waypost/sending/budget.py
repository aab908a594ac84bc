"""How many marketing messages a channel may send a day, across all senders. Its policy: ``daily_budget``. Asked by the sender.

A process takes a few messages at a time from a shared counter and spends them by itself. So what is sent never exceeds the budget;
what a process took and did not spend, at most half a percent of it, is lost for the day.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Final, Protocol
from zoneinfo import ZoneInfo

from waypost.contacts.channels import Channel
from waypost.sending.policy import Between, SendingPolicy, Setting

DAILY_BUDGET: Final[Setting[Mapping[Channel, int]]] = Setting(
    "daily_budget", form=dict[Channel, Annotated[int, Between(1, 10**9)]], default={}, load=dict
)
"""Messages a day by channel; a day is one of the default zone."""
LARGEST_SHARE: Final = 32
SHARES: Final = 200
"""Into how many parts a budget is taken at least."""


class BudgetCounters(Protocol):
    """Counts what was taken of each channel's day, for all processes."""

    def take(self, channel: Channel, day: date, count: int, *, limit: int) -> bool:
        """Take ``count`` more; False, and nothing taken, when that would exceed ``limit``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Says for each message whether its channel has one left today."""

    counters: BudgetCounters
    zone: ZoneInfo
    _left: dict[tuple[Channel, date], int] = field(default_factory=dict, init=False)
    _used_up: dict[tuple[Channel, date], int] = field(default_factory=dict, init=False)

    def waits_until(self, channel: Channel, *, policy: SendingPolicy, now: datetime) -> datetime | None:
        """Take one message, or say when the next day begins; None when it was taken or the channel has no budget."""
        limit = policy.of(DAILY_BUDGET).get(channel)
        if limit is None:
            return None
        today = now.astimezone(self.zone).date()
        return None if self._take((channel, today), limit) else _midnight(today + timedelta(days=1), self.zone)

    def _take(self, key: tuple[Channel, date], limit: int) -> bool:
        if self._used_up.get(key) == limit:
            return False
        if not self._left.get(key):
            share = max(1, min(limit // SHARES, LARGEST_SHARE))
            taken = next((size for size in dict.fromkeys((share, 1)) if self.counters.take(*key, size, limit=limit)), 0)
            if not taken:
                self._used_up[key] = limit  # a higher limit is asked about again
                return False
            self._left[key] = taken
        self._left[key] -= 1
        return True


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)
