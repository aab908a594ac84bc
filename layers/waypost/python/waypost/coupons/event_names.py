"""The events of coupons on their holder's timeline. Raised where coupons are issued and redeemed, read by conditions of rules."""

from typing import Final

ISSUED: Final = "coupon_issued"
"""With ``pool``, ``code``, ``expires_at``, ``journey`` and ``step``."""

REDEEMED: Final = "coupon_redeemed"
"""With ``pool``, ``code``, ``journey``, ``issued_at`` and perhaps ``order_id``."""
