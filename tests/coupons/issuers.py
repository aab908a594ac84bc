"""Issuers and requests for tests of coupons."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from botocore.exceptions import ClientError

from tests.fakes.clock import FakeClock
from waypost import ids
from waypost.coupons.coupon import CouponStore
from waypost.coupons.issuing import CouponIssuer, Request
from waypost.coupons.pool import CouponPool, CouponPools

NOON = datetime(2031, 3, 3, 4, tzinfo=UTC)
"""Monday, 12:00 in Shanghai."""
SHANGHAI = ZoneInfo("Asia/Shanghai")


def chooser(seed: int) -> Callable[[int], int]:
    """Numbers that are the same in every run."""
    draws = count()
    return lambda below: int(ids.digest(str(seed), str(next(draws))), 16) % below


def issuer(store: CouponStore, clock: FakeClock, *pools: CouponPool, seed: int = 1) -> CouponIssuer:
    return CouponIssuer(
        store=store,
        pools=CouponPools({each.name: each for each in pools}),
        clock=clock,
        choose=chooser(seed),
        wait=list[float]().append,
    )


def anniversary(attribute: str, day: date) -> date | None:
    """The wedding day of the year is over; of the birthday it is the day itself."""
    return {"birthday": day, "wedding_day": date(day.year + 1, 2, 14)}.get(attribute)


def ask(contact: str = "c-1", step: str = "s-1", name: str = "welcome", **given: Any) -> Request:
    values = {
        "pool": name,
        "contact_id": contact,
        "partitions": (contact,),
        "step": step,
        "journey": "hello",
        "zone": SHANGHAI,
        "anniversary": anniversary,
    }
    return Request(**{**values, **given})


class Busy:
    """A client whose transactions always meet another writer."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def transact_write_items(self, **given: Any) -> Any:
        """Refuse."""
        raise ClientError(
            {
                "Error": {"Code": "TransactionCanceledException", "Message": ""},
                "CancellationReasons": [{"Code": "None"}, {"Code": "None"}, {"Code": "TransactionConflict"}],
            },
            "TransactWriteItems",
        )
