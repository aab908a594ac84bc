"""How many messages a channel may send a day or a month, across all senders. Asked by the sender.

Its policies: ``daily_budget`` and ``warm_up``, which limit marketing, and ``platform_quotas``, which hold for every message. A process
takes a few messages at a time from a shared counter and spends them by itself. So what is sent never exceeds a limit; what a
process took and did not spend, at most half a percent of it, is lost for the day or month.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Final, Protocol, Self
from zoneinfo import ZoneInfo

from waypost.contacts.channels import Channel
from waypost.sending.policy import Between, SendingPolicy, Setting

DAILY_BUDGET: Final[Setting[Mapping[Channel, int]]] = Setting(
    "daily_budget", form=dict[Channel, Annotated[int, Between(1, 10**9)]], default={}, load=dict
)
"""Messages a day by channel; a day is one of the default zone."""


@dataclass(frozen=True, slots=True)
class WarmUp:
    """What may be sent on each day from ``starts`` (a date) on, while mailbox providers get to know a sender; then no limit."""

    starts: str
    volumes: tuple[Annotated[int, Between(1, 10**9)], ...]

    def __post_init__(self) -> None:
        if not self.volumes:
            raise ValueError("volumes has no day")
        try:
            date.fromisoformat(self.starts)
        except ValueError:
            raise ValueError(f"starts should be a date such as 2026-12-01, not {self.starts!r}") from None

    @classmethod
    def load(cls, value: Mapping[str, Any]) -> Self:
        """From the published form."""
        return cls(value["starts"], tuple(value["volumes"]))

    def on(self, day: date) -> int | None:
        """The limit of a day; before the first day that of the first, after the last none."""
        number = max((day - date.fromisoformat(self.starts)).days, 0)
        return self.volumes[number] if number < len(self.volumes) else None


WARM_UP: Final[Setting[Mapping[Channel, WarmUp]]] = Setting(
    "warm_up",
    form=dict[Channel, WarmUp],
    default={},
    load=lambda value: {name: WarmUp.load(each) for name, each in value.items()},
)


@dataclass(frozen=True, slots=True)
class Quota:
    """What a platform lets an account send a day and a month, marketing or not."""

    day: Annotated[int, Between(1, 10**9)] | None = None
    month: Annotated[int, Between(1, 10**9)] | None = None


PLATFORM_QUOTAS: Final[Setting[Mapping[Channel, Quota]]] = Setting(
    "platform_quotas",
    form=dict[Channel, Quota],
    default={},
    load=lambda value: {name: Quota(**each) for name, each in value.items()},
)
BUDGETS: Final[Sequence[Setting[Any]]] = (DAILY_BUDGET, WARM_UP, PLATFORM_QUOTAS)
LARGEST_SHARE: Final = 32
SHARES: Final = 200
"""Into how many parts a budget is taken at least."""


class BudgetCounters(Protocol):
    """Counts what was taken of each budget's day or month, for all processes."""

    def take(self, budget: str, day: date, count: int, *, limit: int) -> bool:
        """Take ``count`` more of the budget in the period that begins with ``day``; False, and nothing taken, when that would
        exceed ``limit``."""
        ...


@dataclass(frozen=True, slots=True)
class Over:
    """A budget is used up: why, and when the next day or month begins."""

    reason: str
    until: datetime


@dataclass(frozen=True, slots=True)
class _Limit:
    reason: str
    budget: str
    first_day: date
    next_day: date
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Says for each message whether its channel has one left."""

    counters: BudgetCounters
    zone: ZoneInfo
    _left: dict[tuple[str, date], int] = field(default_factory=dict, init=False)
    _used_up: dict[tuple[str, date], int] = field(default_factory=dict, init=False)

    def over(self, channel: Channel, *, policy: SendingPolicy, now: datetime, transactional: bool) -> Over | None:
        """Take one message of every budget of the channel, or say which is used up; None when it may go."""
        today = now.astimezone(self.zone).date()
        limits = _limits(channel, policy, today, transactional=transactional)
        known = next((each for each in limits if self._used_up.get((each.budget, each.first_day)) == each.most), None)
        over = known or next(
            (each for each in limits if not self._take((each.budget, each.first_day), each.most)), None
        )
        return Over(over.reason, _midnight(over.next_day, self.zone)) if over else None

    def _take(self, key: tuple[str, date], limit: int) -> bool:
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


def _limits(channel: Channel, policy: SendingPolicy, today: date, *, transactional: bool) -> list[_Limit]:
    """What limits the channel now, the month last: a day that is used up takes nothing of the month."""
    tomorrow, month = today + timedelta(days=1), today.replace(day=1)
    limits: list[_Limit] = []
    if not transactional:
        warm_up = policy.of(WARM_UP).get(channel)
        volume = warm_up.on(today) if warm_up else None
        if volume is not None:
            limits.append(_Limit("warm_up", f"{channel}/warm_up", today, tomorrow, volume))
        if (budget := policy.of(DAILY_BUDGET).get(channel)) is not None:
            limits.append(_Limit("daily_budget", channel, today, tomorrow, budget))
    quota = policy.of(PLATFORM_QUOTAS).get(channel, Quota())
    if quota.day is not None:
        limits.append(_Limit("platform_quota", f"{channel}/quota/day", today, tomorrow, quota.day))
    if quota.month is not None:
        next_month = (month + timedelta(days=31)).replace(day=1)
        limits.append(_Limit("platform_quota", f"{channel}/quota/month", month, next_month, quota.month))
    return limits
