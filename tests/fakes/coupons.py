"""CouponStore in memory, with the conditions of the real one."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from waypost.coupons.codes import code_digest, shard_of_code
from waypost.coupons.coupon import Added, Coupon, FreeCode, Recorded, Usage
from waypost.coupons.pool import CodeSource


@dataclass
class FakeCoupons:
    """``rows`` by contact and slot, ``taken`` codes by digest, ``waiting`` imported ones by pool and digest."""

    rows: dict[tuple[str, int], Coupon] = field(default_factory=dict)
    taken: dict[str, Coupon] = field(default_factory=dict)
    waiting: dict[tuple[str, str], FreeCode] = field(default_factory=dict)
    stock: dict[tuple[str, int], int] = field(default_factory=dict)

    def held(self, contact_ids: Sequence[str]) -> list[Coupon]:
        """See CouponStore."""
        found = [each for (contact_id, _), each in self.rows.items() if contact_id in contact_ids]
        return sorted(found, key=lambda each: (each.issued_at, each.slot))

    def free(self, pool: str, shard: int, *, most: int, now: datetime) -> list[FreeCode]:
        """See CouponStore."""
        return [each for each in self._free(pool, now) if shard_of_code(each.code) == shard][:most]

    def issued(self, pool: str, shard: int) -> int:
        """See CouponStore."""
        return self.stock.get((pool, shard), 0)

    def count_free(self, pool: str, *, now: datetime) -> int:
        """See CouponStore."""
        return len(self._free(pool, now))

    def count_issued(self, pool: str) -> int:
        """See CouponStore."""
        return sum(count for (name, _), count in self.stock.items() if name == pool)

    def add(self, pool: str, code: FreeCode, *, at: datetime) -> Added:
        """See CouponStore."""
        digest = code_digest(code.code)
        if (pool, digest) in self.waiting:
            return "there"
        if digest in self.taken or any(digest == other for _, other in self.waiting):
            return "taken"
        self.waiting[pool, digest] = code
        return "added"

    def record(self, coupon: Coupon, *, codes: CodeSource, shard: int, share: int | None) -> Recorded:
        """See CouponStore."""
        digest, place = code_digest(coupon.code), (coupon.pool, shard)
        if (coupon.contact_id, coupon.slot) in self.rows:
            return "held"
        if digest in self.taken:
            return "code_taken"
        if codes == "imported" and (coupon.pool, digest) not in self.waiting:
            return "used_up"
        if share is not None and self.stock.get(place, 0) >= share:
            return "used_up"
        self.waiting.pop((coupon.pool, digest), None)
        if codes == "generated" and share is not None:
            self.stock[place] = self.stock.get(place, 0) + 1
        self.rows[coupon.contact_id, coupon.slot] = self.taken[digest] = coupon
        return "issued"

    def find(self, code: str) -> Coupon | None:
        """See CouponStore."""
        return self.taken.get(code_digest(code))

    def redeem(self, coupon: Coupon, *, at: datetime, event_id: str) -> bool:
        """See CouponStore."""
        digest = code_digest(coupon.code)
        if not self.taken[digest].redeemed_by:
            redeemed = replace(self.taken[digest], redeemed_at=at, redeemed_by=event_id)
            self.rows[coupon.contact_id, coupon.slot] = self.taken[digest] = redeemed
        return self.taken[digest].redeemed_by == event_id

    def usage(self, pool: str) -> Usage:
        """See CouponStore."""
        coupons = [each for each in self.rows.values() if each.pool == pool]
        by_journey = {
            name: (
                sum(each.journey == name for each in coupons),
                sum(each.journey == name and bool(each.redeemed_by) for each in coupons),
            )
            for name in sorted({each.journey for each in coupons})
        }
        return Usage(len(coupons), sum(bool(each.redeemed_by) for each in coupons), by_journey)

    def _free(self, pool: str, now: datetime) -> list[FreeCode]:
        return [
            each
            for (name, _), each in sorted(self.waiting.items())
            if name == pool and (each.valid_until is None or each.valid_until > now)
        ]
