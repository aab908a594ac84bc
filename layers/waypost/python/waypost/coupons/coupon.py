"""A coupon that a contact has, and what a pool has left. Stored by CouponStore, shown by templates."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal, Protocol

from waypost.codec import JsonForm
from waypost.coupons.pool import CodeSource

KEPT: Final = timedelta(days=400)
"""How long the rows of a coupon are kept past its validity: a late order is still understood, and a code that came back
in a file of the year after is known."""

WAITS: Final = timedelta(days=730)
"""How long an imported code without an end of its own waits for a contact."""

Added = Literal["added", "there", "taken"]
"""What became of an imported code: new; waiting in this pool already; in another pool, or with a contact."""

Recorded = Literal["issued", "held", "code_taken", "used_up", "busy"]
"""What became of a transaction that issues: done; the contact's slot is taken; so is the code; the shard has nothing left;
another writer was at one of the rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coupon(JsonForm):
    """One coupon of one contact. ``step`` is the journey's step that it was issued for: the same step has the same coupon.

    ``redeemed_by`` is the id of the event that redeemed it.
    """

    pool: str
    code: str
    contact_id: str
    slot: int
    step: str
    journey: str
    issued_at: datetime
    valid_until: datetime
    redeemed_at: datetime | None = None
    redeemed_by: str = ""

    def is_valid(self, now: datetime) -> bool:
        """Whether it can still be redeemed."""
        return self.redeemed_at is None and now < self.valid_until


@dataclass(frozen=True, slots=True)
class Usage:
    """How many coupons were issued and how many of them redeemed, in all and by journey."""

    issued: int = 0
    redeemed: int = 0
    by_journey: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def rate(self) -> float | None:
        """The share that was redeemed; None before the first was issued."""
        return self.redeemed / self.issued if self.issued else None


@dataclass(frozen=True, slots=True)
class FreeCode:
    """An imported code that nobody has; the shop may have given it an end of its own."""

    code: str
    valid_until: datetime | None = None


class CouponStore(Protocol):
    """Coupons and codes. Every change is conditional: of two writers of one row one is refused."""

    def held(self, contact_ids: Sequence[str]) -> list[Coupon]:
        """All coupons under these ids that are still kept, oldest first; read consistently."""
        ...

    def free(self, pool: str, shard: int, *, most: int, now: datetime) -> list[FreeCode]:
        """Up to ``most`` imported codes of the shard that can be issued; read consistently."""
        ...

    def issued(self, pool: str, shard: int) -> int:
        """How many were generated in this shard of a limited pool; read consistently."""
        ...

    def count_free(self, pool: str, *, now: datetime) -> int:
        """How many imported codes are left."""
        ...

    def count_issued(self, pool: str) -> int:
        """How many were generated of a limited pool."""
        ...

    def add(self, pool: str, code: FreeCode, *, at: datetime) -> Added:
        """Keep an imported code until it is issued; a code is in one pool and with one contact at most."""
        ...

    def record(self, coupon: Coupon, *, codes: CodeSource, shard: int, share: int | None) -> Recorded:
        """Give the contact the coupon, take the code and count it: all of it or nothing."""
        ...

    def find(self, code: str) -> Coupon | None:
        """The coupon with this code, however it is typed; None unless it was issued. Read consistently."""
        ...

    def redeem(self, coupon: Coupon, *, at: datetime, event_id: str) -> bool:
        """Whether this event redeemed the coupon, now or in an earlier attempt; an earlier event may have. Raises ConcurrentUpdate."""
        ...

    def usage(self, pool: str) -> Usage:
        """What was issued of the pool and redeemed, of the coupons whose rows are still kept."""
        ...


def best_coupon(coupons: Sequence[Coupon], pools: Sequence[str], now: datetime) -> Coupon | None:
    """The coupon of these pools that a message shows: the newest that is valid."""
    valid = [each for each in coupons if each.pool in pools and each.is_valid(now)]
    return max(valid, key=lambda each: (each.issued_at, each.slot), default=None)


def first_to_end(coupons: Sequence[Coupon], pools: Container[str], now: datetime) -> Coupon | None:
    """Of all valid coupons of these pools the one that ends first: the one to be reminded of."""
    valid = [each for each in coupons if each.pool in pools and each.is_valid(now)]
    return min(valid, key=lambda each: (each.valid_until, each.slot), default=None)


def shown(coupon: Coupon, *, label: str, benefit: Mapping[str, Any]) -> dict[str, Any]:
    """What a template sees of it, under ``coupon``; ``expires_at`` is an instant for the filters of dates."""
    dumped = coupon.to_dict()
    return {
        "code": coupon.code,
        "pool": coupon.pool,
        "label": label,
        "benefit": dict(benefit),
        "issued_at": dumped["issued_at"],
        "expires_at": dumped["valid_until"],
    }
