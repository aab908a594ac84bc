"""When a schedule is due: ``at``, ``rate`` and ``cron`` expressions of EventBridge. Used by the emulator process.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

# ruff: noqa: SLF001 -- MiniStack already reads cron expressions as AWS does; the version is pinned

from datetime import UTC, datetime, timedelta
from typing import cast
from zoneinfo import ZoneInfo

from ministack.services import eventbridge

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def next_time(expression: str, zone: str, after: datetime) -> datetime | None:
    """The first time after ``after`` that the schedule is due; of ``at(…)`` its one time, even when that has passed.

    A rate counts from 1970, not from the creation of the schedule, so that a rehearsal always runs the same. None for
    an expression that is never due again.
    """
    kind, _, rest = expression.partition("(")
    match kind:
        case "at":
            return datetime.fromisoformat(rest.rstrip(")")).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        case "rate":
            seconds = eventbridge._parse_rate_seconds(expression)
            passed = (after - EPOCH) // timedelta(seconds=seconds)
            return EPOCH + (passed + 1) * timedelta(seconds=seconds)
        case "cron":
            return _next_cron(expression, ZoneInfo(zone), after)
        case _:
            return None


def _next_cron(expression: str, zone: ZoneInfo, after: datetime) -> datetime | None:
    """The fields of a cron expression are wall clock; MiniStack's search is given the wall clock as if it were UTC."""
    fields = eventbridge._parse_cron_fields(expression)
    if fields is None:
        return None
    wall = after.astimezone(zone).replace(tzinfo=UTC)
    while (found := cast("datetime | None", eventbridge._cron_next_fire(fields, wall))) is not None:
        instant = found.replace(tzinfo=zone).astimezone(UTC)
        if instant > after:
            return instant
        wall = found  # the hour that the end of summer time repeats
    return None
