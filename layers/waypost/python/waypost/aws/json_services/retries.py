"""When a call is repeated, after how long, and when no more: botocore's standard mode.

Source: AWS SDKs and Tools Reference Guide, "Retry behavior". What a service answered wrongly or not at all may have been carried
out, so this is for calls that are conditional or change nothing the second time.
"""

import random
from threading import Lock
from typing import Final

from waypost.aws.json_services.answers import Refused
from waypost.aws.json_services.connections import NoAnswer

TRANSIENT_STATUS: Final = frozenset({500, 502, 503, 504})
TRANSIENT_CODES: Final = frozenset({"PriorRequestNotComplete", "RequestTimeout", "RequestTimeoutException"})
THROTTLED_CODES: Final = frozenset({
    "BandwidthLimitExceeded", "EC2ThrottledException", "LimitExceededException", "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException", "RequestLimitExceeded", "RequestThrottled", "RequestThrottledException",
    "SlowDown", "ThrottledException", "Throttling", "ThrottlingException", "TooManyRequestsException",
    "TransactionInProgressException",
})  # fmt: skip

LONGEST_WAIT: Final = 20.0  # seconds
THROTTLED_SLOT: Final = 1.0  # seconds
CAPACITY: Final = 500
COST: Final = 5
COST_OF_TIMEOUT: Final = 10


def may_be_repeated(failed: Refused | NoAnswer) -> bool:
    """Whether another attempt may end better."""
    if isinstance(failed, NoAnswer):
        return True
    return failed.status in TRANSIENT_STATUS or failed.code in TRANSIENT_CODES or failed.code in THROTTLED_CODES


def seconds_before(attempt: int, failed: Refused | NoAnswer, *, slot: float) -> float:
    """How long to wait before an attempt (2 is the first repetition): at random, so that callers do not come back together."""
    throttled = isinstance(failed, Refused) and failed.code in THROTTLED_CODES
    longest = (THROTTLED_SLOT if throttled else slot) * 2.0 ** (attempt - 2)
    return random.uniform(0, min(longest, LONGEST_WAIT))  # noqa: S311 - spreads callers, no secret


class Quota:
    """How many repetitions a process may make: calls that succeed earn them, so that an outage is not answered by a storm."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._left = capacity
        self._lock = Lock()

    def take(self, failed: Refused | NoAnswer) -> int | None:
        """The price of one more attempt, now paid; None when the quota is used up."""
        price = COST_OF_TIMEOUT if isinstance(failed, NoAnswer) and failed.timed_out else COST
        with self._lock:
            if self._left < price:
                return None
            self._left -= price
            return price

    def succeeded(self, paid: int) -> None:
        """Give back what the last repetition cost, or one more unit if there was none."""
        with self._lock:
            self._left = min(self._left + (paid or 1), self._capacity)
