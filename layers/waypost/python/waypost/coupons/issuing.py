"""Issue a coupon once per contact and step. Used by the task of journeys.

A coupon is one transaction: the contact's slot, the code's row, the counter and the stock, each on a condition. Nothing is
reserved before, so that a crash leaves the coupon issued or not at all. The slot is the contact's next one, whatever the pool:
of two steps at once one is refused and reads again what the contact has by then.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, assert_never
from zoneinfo import ZoneInfo

from waypost.clock import Clock, format_instant, parse_instant
from waypost.coupons.codes import new_code
from waypost.coupons.coupon import Coupon, CouponStore
from waypost.coupons.pool import SHARDS, Anniversary, CouponPool, CouponPools
from waypost.errors import ConcurrentUpdate
from waypost.ids import digest

ATTEMPTS: Final = 20
CHOICE: Final = 25
"""Free codes that an issuer chooses among: of two at once in a shard one in 25 has to choose again."""

Outcome = Literal["issued", "already_has", "pool_empty", "no_date"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Who gets a coupon of which pool, for which step; ``again``: even if they have a valid one."""

    pool: str
    contact_id: str
    partitions: Sequence[str]
    step: str
    journey: str
    zone: ZoneInfo
    anniversary: Anniversary
    again: bool = False


@dataclass(frozen=True, slots=True)
class Issued:
    """What became of a request. ``low``: the pools that have fewer left than they declare as alarming, with how many."""

    outcome: Outcome
    coupon: Coupon | None = None
    low: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponIssuer:
    """Issues coupons; ``choose(n)`` is a secret number below n."""

    store: CouponStore
    pools: CouponPools
    clock: Clock
    choose: Callable[[int], int]
    wait: Callable[[float], None]

    def issue(self, request: Request) -> Issued:
        """The step's coupon, a valid one that the contact has of the pool or its stand-ins, a new one, or why there is none.

        Raises InvalidInput for an unknown pool, and ConcurrentUpdate.
        """
        chain = self.pools.chain(request.pool)
        names = {pool.name for pool in chain}
        for attempt in range(ATTEMPTS):
            now = parse_instant(format_instant(self.clock()))
            held = self.store.held(request.partitions)
            if mine := next((each for each in held if each.step == request.step), None):
                return Issued("issued", mine)
            valid = [each for each in held if each.pool in names and each.is_valid(now)]
            if valid and not request.again:
                return Issued("already_has", valid[-1])
            dated = [
                (pool, ends)
                for pool in chain
                if (ends := pool.validity.ends(now, request.zone, request.anniversary)) is not None
            ]
            if not dated:
                return Issued("no_date")
            slot = max((each.slot for each in held if each.contact_id == request.contact_id), default=-1) + 1
            issued = self._from_first(dated, request, slot=slot, now=now, attempt=attempt)
            if issued is not None:
                return issued
            self.wait(0.01 * self.choose(2 ** min(attempt, 5) + 1))
        raise ConcurrentUpdate(f"no coupon of {request.pool} could be taken in {ATTEMPTS} attempts")

    def _from_first(
        self,
        chain: Sequence[tuple[CouponPool, datetime]],
        request: Request,
        *,
        slot: int,
        now: datetime,
        attempt: int,
    ) -> Issued | None:
        """A coupon of the first pool that has one, valid until its instant; None when another writer was faster."""
        low: list[tuple[str, int]] = []
        start = int(digest(request.step, length=8), 16) + attempt
        for pool, ends in chain:
            for shard in ((start + number) % SHARDS for number in range(SHARDS)):
                drawn = self._draw(pool, shard, request, slot=slot, now=now, ends=ends)
                if drawn is None:
                    continue
                coupon, left_in_shard = drawn
                recorded = self.store.record(coupon, codes=pool.codes, shard=shard, share=pool.share(shard))
                if recorded != "issued":
                    return None
                if left_in_shard is not None and left_in_shard <= pool.low_share:
                    low += self._if_low(pool, now)
                return Issued("issued", coupon, tuple(low))
            low.append((pool.name, 0))
        return Issued("pool_empty", low=tuple(low))

    def _draw(
        self, pool: CouponPool, shard: int, request: Request, *, slot: int, now: datetime, ends: datetime
    ) -> tuple[Coupon, int | None] | None:
        """A coupon that the shard could give and how many it has left then, None without a limit; None when it has none."""
        left = None
        if ends <= now:
            return None
        match pool.codes:
            case "imported":
                most = max(CHOICE, pool.low_share + 2)
                free = self.store.free(pool.name, shard, most=most, now=now)
                if not free:
                    return None
                chosen = free[self.choose(len(free))]
                code, left = chosen.code, len(free) - 1
                ends = min(ends, chosen.valid_until or ends)
            case "generated":
                share = pool.share(shard)
                if share is not None:
                    left = share - self.store.issued(pool.name, shard) - 1
                    if left < 0:
                        return None
                code = new_code(prefix=pool.prefix, length=pool.length, choose=self.choose)
            case _:
                assert_never(pool.codes)
        coupon = Coupon(
            pool=pool.name,
            code=code,
            contact_id=request.contact_id,
            slot=slot,
            step=request.step,
            journey=request.journey,
            issued_at=now,
            valid_until=ends,
        )
        return coupon, left

    def _if_low(self, pool: CouponPool, now: datetime) -> list[tuple[str, int]]:
        left = remaining(self.store, pool, now)
        return [(pool.name, left)] if left is not None and left <= pool.alarm_below else []


def remaining(store: CouponStore, pool: CouponPool, now: datetime) -> int | None:
    """How many the pool can still issue; None without a limit."""
    match pool.codes:
        case "imported":
            return store.count_free(pool.name, now=now)
        case "generated":
            return None if pool.size is None else max(0, pool.size - store.count_issued(pool.name))
        case _:
            assert_never(pool.codes)
