"""When a schedule is due."""

from datetime import UTC, datetime

import pytest

from local.cloud.due_times import next_time
from local.cloud.time_travel import duration

NOON = datetime(2031, 3, 3, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "zone", "after", "due"),
    [
        ("at(2031-03-05T10:00:00)", "Asia/Shanghai", NOON, datetime(2031, 3, 5, 2, 0, tzinfo=UTC)),
        ("at(2031-03-01T10:00:00)", "UTC", NOON, datetime(2031, 3, 1, 10, 0, tzinfo=UTC)),
        ("rate(1 hour)", "UTC", NOON, datetime(2031, 3, 3, 13, 0, tzinfo=UTC)),
        ("rate(15 minutes)", "UTC", NOON.replace(minute=1), datetime(2031, 3, 3, 12, 15, tzinfo=UTC)),
        ("cron(0 * * * ? *)", "UTC", NOON, datetime(2031, 3, 3, 13, 0, tzinfo=UTC)),
        ("cron(0 9 ? * MON-FRI *)", "Asia/Shanghai", datetime(2031, 3, 7, 3, tzinfo=UTC), datetime(2031, 3, 10, 1, tzinfo=UTC)),
        # the hour from one to two comes twice: half past one is due once, the first time
        ("cron(30 1 * * ? *)", "America/New_York", datetime(2031, 11, 2, 5, 30, tzinfo=UTC), datetime(2031, 11, 3, 6, 30, tzinfo=UTC)),
        ("cron(0 0 1 1 ? 2030)", "UTC", NOON, None),
    ],
)  # fmt: skip
def test_a_schedule_is_due_at_its_wall_clock_time(
    expression: str, zone: str, after: datetime, due: datetime | None
) -> None:
    assert next_time(expression, zone, after) == due


@pytest.mark.parametrize(("text", "seconds"), [("90m", 5_400), ("36h", 129_600), ("7d", 604_800), ("2w", 1_209_600)])
def test_a_duration_is_a_number_and_a_unit(text: str, seconds: int) -> None:
    assert duration(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "d", "7", "7 days", "-7d", "1.5h"])
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration such as"):
        duration(text)
