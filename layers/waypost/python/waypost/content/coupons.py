"""The template variable ``coupon``: the valid coupon of the pool that a message speaks of. Used by the sender and previews."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from waypost.content.locale import choose_locale
from waypost.coupons.coupon import Coupon, CouponStore, best_coupon, first_to_end, shown
from waypost.coupons.pool import CouponPools

ANY_POOL: Final = "any"
"""What a message names in place of a pool: whatever the contact can redeem. No pool is called so."""

SAMPLE_CODE: Final = "SAMPLE-2345"
"""What a preview and a test show: no shop takes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponVariables:
    """Finds the coupon of a contact and shows it as templates see it."""

    store: CouponStore
    pools: CouponPools

    def of(self, pool: str, partitions: Sequence[str], now: datetime) -> Coupon | None:
        """The newest valid coupon of the pool, or of one that stands in for it; of any pool the valid one that ends first.

        Raises InvalidInput for an unknown pool.
        """
        if pool == ANY_POOL:
            return first_to_end(self.store.held(partitions), self.pools.pools, now)
        names = [each.name for each in self.pools.chain(pool)]
        return best_coupon(self.store.held(partitions), names, now)

    def sample(self, pool: str, now: datetime) -> Coupon:
        """See ``sample_of``."""
        return sample_of(self.pools, pool, now)

    def shown(self, coupon: Coupon, *, locale: str | None, default_locale: str) -> dict[str, Any]:
        """What a template sees of it."""
        return shown_of(self.pools, coupon, locale=locale, default_locale=default_locale)


def shown_of(pools: CouponPools, coupon: Coupon, *, locale: str | None, default_locale: str) -> dict[str, Any]:
    """What a template sees of a coupon, in the reader's language."""
    pool = pools.chain(coupon.pool)[0]
    label = pool.labels[choose_locale(locale, pool.labels, default_locale)]
    return shown(coupon, label=label, benefit=pool.benefit)


def sample_of(pools: CouponPools, pool: str, now: datetime) -> Coupon:
    """A coupon that no contact has, for previews and tests."""
    return Coupon(
        pool=min(pools.pools, default=pool) if pool == ANY_POOL else pool, code=SAMPLE_CODE, contact_id="", slot=0, step="", journey="", issued_at=now,
        valid_until=now + timedelta(days=7),
    )  # fmt: skip
