"""Pools for tests."""

from typing import Any

from waypost.coupons.pool import CouponPool

LABEL = {"en": "Ten yuan off", "zh-CN": "十元券"}


def pool(name: str = "welcome", **given: Any) -> CouponPool:
    """A pool of generated codes that are valid for the rest of a week of local days."""
    published = {
        "label": LABEL,
        "benefit": {"kind": "amount", "amount": 10, "currency": "CNY"},
        "valid": {"days": 7},
        "codes": "generated",
        **given,
    }
    return CouponPool.from_dict(name, published)
