"""What a pool of coupons declares: benefit, validity, where its codes come from. Read by the task, the sender and reports."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any, Final, Literal, Self, assert_never
from zoneinfo import ZoneInfo

from waypost.clock import parse_instant
from waypost.errors import InvalidInput
from waypost.published_sections import published_section

SECTION: Final = "coupons"
SHARDS: Final = 16
"""Partitions of a pool. A partition takes 1,000 write units a second and a coupon writes four of them in its shard: 4,000
coupons a second. Source: DynamoDB Developer Guide, "Partitions and data distribution"."""

LAST: Final = timedelta(seconds=1)

CodeSource = Literal["generated", "imported"]

Anniversary = Callable[[str, date], date | None]
"""The first anniversary, on a day or after it, of the contact's date in this attribute; None when the contact has no such date."""


@dataclass(frozen=True, slots=True)
class Validity:
    """How long a coupon is valid: until an instant, for so many seconds, or to the end of a local day or calendar month.

    ``days``: 1 ends with the day of issue. ``months``: 1 ends with the month of issue. ``month_of`` names a date of the
    contact: its next anniversary, that of the day of issue included, says the month.
    """

    until: datetime | None = None
    seconds: int | None = None
    days: int | None = None
    months: int | None = None
    month_of: str | None = None

    def ends(self, issued_at: datetime, zone: ZoneInfo, anniversary: Anniversary) -> datetime | None:
        """The instant from which a coupon issued then to a contact in ``zone`` is no longer valid; None without the date it needs.

        Of a day it is the last second: a text says 23:59 of that day, and nobody reads midnight as the night after.
        """
        if self.until is not None:
            return self.until
        if self.seconds is not None:
            return issued_at + timedelta(seconds=self.seconds)
        local = issued_at.astimezone(zone).date()
        if self.days is not None:
            following = local + timedelta(days=self.days)
        elif self.month_of is None:
            following = _first_of_month(local, self.months or 1)
        elif (day := anniversary(self.month_of, local)) is not None:
            following = _first_of_month(day, 1)
        else:
            return None
        return datetime.combine(following, time(), tzinfo=zone).astimezone(issued_at.tzinfo) - LAST


def _first_of_month(day: date, later: int) -> date:
    """The first day of the month so many months later."""
    month = day.year * 12 + day.month - 1 + later
    return day.replace(year=month // 12, month=month % 12 + 1, day=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponPool:
    """A declared pool. ``labels`` by locale; ``benefit`` is data for templates, shops and reports.

    ``size`` is the most that is ever generated, None without a limit. With ``alarm_below`` or fewer left the pool is low.
    ``fallback`` names the pool that is issued from when this one has nothing left.
    """

    name: str
    labels: Mapping[str, str]
    benefit: Mapping[str, Any]
    validity: Validity
    codes: CodeSource = "generated"
    size: int | None = None
    alarm_below: int = 0
    fallback: str = ""
    prefix: str = ""
    length: int = 10

    @classmethod
    def from_dict(cls, name: str, value: Mapping[str, Any]) -> Self:
        """From the published form."""
        valid = dict(value["valid"])
        if "until" in valid:
            valid["until"] = parse_instant(valid["until"])
        return cls(
            name=name,
            labels=value["label"],
            benefit=value["benefit"],
            validity=Validity(**valid),
            codes=value["codes"],
            size=value.get("size"),
            alarm_below=value.get("alarm_below", 0),
            fallback=value.get("fallback", ""),
            prefix=value.get("prefix", ""),
            length=value.get("length", 10),
        )

    def share(self, shard: int) -> int | None:
        """How many of a limited generated pool this shard may issue; None without a limit."""
        match self.codes:
            case "imported":
                return None
            case "generated":
                return None if self.size is None else self.size // SHARDS + (shard < self.size % SHARDS)
            case _:
                assert_never(self.codes)

    @property
    def low_share(self) -> int:
        """With so few left in one shard the whole pool is counted."""
        return -(-self.alarm_below // SHARDS)


@dataclass(frozen=True, slots=True)
class CouponPools:
    """All pools by name."""

    pools: Mapping[str, CouponPool] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """From the published form."""
        return cls({name: CouponPool.from_dict(name, each) for name, each in value.get("pools", {}).items()})

    def chain(self, name: str) -> list[CouponPool]:
        """The pool and those that stand in for it, in order. Raises InvalidInput for an unknown name."""
        if name not in self.pools:
            known = ", ".join(sorted(self.pools)) or "none is declared"
            raise InvalidInput("pool", f"unknown pool {name!r}; there are: {known}")
        found: dict[str, CouponPool] = {}
        while name and name not in found:
            found[name] = self.pools[name]
            name = found[name].fallback
        return list(found.values())


@cache
def load_pools() -> CouponPools:
    """The pools of this deployment, from the journeys layer."""
    return CouponPools.from_dict(published_section(SECTION))
