"""When an event happened, out of clocks we do not control. Called by the receivers."""

import re
from datetime import datetime, timedelta
from typing import Final

from waypost.clock import parse_instant

EARLIEST_YEAR: Final = 2000
FURTHEST_AHEAD: Final = timedelta(days=1)

_LONGEST: Final = 40
_UNPADDED_DATE: Final = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?=T)")


def read_instant(text: str) -> datetime:
    """An ISO 8601 instant with an offset, in UTC; ``2015-2-02T…``, which Segment's documentation uses, is read too.

    Raises ValueError with the reason.
    """
    padded = _UNPADDED_DATE.sub(lambda date: "-".join(part.zfill(2) for part in date.groups()), text[:_LONGEST])
    try:
        return parse_instant(padded)
    except (ValueError, OverflowError) as error:
        reason = "should be an ISO 8601 time with a UTC offset, for example 2026-03-01T08:00:00Z"
        raise ValueError(reason) from error


def occurred_at(stated: datetime | None, sent_at: datetime | None, received_at: datetime) -> datetime:
    """The time of an event on our clock.

    ``stated`` and ``sent_at`` come from the sender's clock, which may be wrong by years; their distance is right, so the
    event happened that long before we received it (Segment Spec, Common Fields, timestamps). Without ``sent_at`` the
    stated time is believed. Nothing happens after it was received: a time up to one day ahead becomes ``received_at``.
    Raises ValueError with the reason for a time before the year 2000 or further ahead.
    """
    if stated is None:
        return received_at
    try:
        corrected = stated if sent_at is None else received_at - (sent_at - stated)
    except OverflowError as error:
        raise ValueError("should be a time close to sentAt") from error
    if corrected.year < EARLIEST_YEAR:
        raise ValueError(f"should not be before the year {EARLIEST_YEAR}")
    if corrected > received_at + FURTHEST_AHEAD:
        raise ValueError("should not be more than one day in the future")
    return min(corrected, received_at)
