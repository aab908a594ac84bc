"""One-time schedules in EventBridge Scheduler."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from botocore.exceptions import ClientError

from waypost.aws import table
from waypost.aws.translation import translates_errors
from waypost.clock import Clock

MAXIMUM_EVENT_AGE: Final = timedelta(hours=24)
MOST_REMEMBERED: Final = 10_000
LEAD: Final = timedelta(seconds=5)
"""How far ahead a schedule is made at least: its time must not be past when the request arrives."""
SECOND_LEAD: Final = timedelta(minutes=1)
"""How far ahead the second request asks when the first one took longer than that."""
MAXIMUM_RETRIES: Final = 185  # the service's limit; the age ends it


@translates_errors
@dataclass(frozen=True, slots=True, kw_only=True)
class EventBridgeSchedules:
    """Schedules in one group; they delete themselves, and go to a dead-letter queue when their target never answers.

    ``deferred_messages_arn`` is the queue that messages whose time has come are put into.
    What is due within the next seconds is made for a little later: the service need not take a time that is past.
    """

    client: Any
    group: str
    role_arn: str
    dead_letters_arn: str
    resume_journey_arn: str
    deferred_messages_arn: str
    clock: Clock
    _booked: set[str] = field(default_factory=set)

    def resume_at(self, name: str, instant: datetime, request: Mapping[str, Any]) -> None:
        """See Timers. What this process has booked it does not ask for again: many contacts share a timer."""
        if name in self._booked:
            return
        self._create(self._schedule(name, self.resume_journey_arn, request), instant)
        if len(self._booked) >= MOST_REMEMBERED:
            self._booked.clear()
        self._booked.add(name)

    def send_at(self, name: str, instant: datetime, request: Mapping[str, Any]) -> None:
        """See DeferredSends."""
        schedule = self._schedule(name, self.deferred_messages_arn, request)
        if not self._create(schedule, instant):
            self._move(schedule, instant)

    def cancel(self, name: str) -> None:
        """See DeferredSends."""
        try:
            self.client.delete_schedule(Name=name, GroupName=self.group)
        except ClientError as error:
            if table.error_code(error) != "ResourceNotFoundException":
                raise

    def _schedule(self, name: str, target_arn: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "Name": name,
            "GroupName": self.group,
            "ScheduleExpressionTimezone": "UTC",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "ActionAfterCompletion": "DELETE",
            "Target": {
                "Arn": target_arn,
                "RoleArn": self.role_arn,
                "Input": json.dumps(payload, ensure_ascii=False),
                "DeadLetterConfig": {"Arn": self.dead_letters_arn},
                "RetryPolicy": {
                    "MaximumEventAgeInSeconds": int(MAXIMUM_EVENT_AGE.total_seconds()),
                    "MaximumRetryAttempts": MAXIMUM_RETRIES,
                },
            },
        }

    def _create(self, schedule: Mapping[str, Any], instant: datetime) -> bool:
        """Make a schedule; False when there is one of this name."""
        try:
            self._ask(self.client.create_schedule, schedule, instant)
        except ClientError as error:
            if table.error_code(error) != "ConflictException":
                raise
            return False
        return True

    def _move(self, schedule: Mapping[str, Any], instant: datetime) -> None:
        """Change a schedule that is there; one that fires and deletes itself meanwhile is created again."""
        try:
            self._ask(self.client.update_schedule, schedule, instant)
        except ClientError as error:
            if table.error_code(error) != "ResourceNotFoundException":
                raise
            self._ask(self.client.create_schedule, schedule, instant)

    def _ask(self, call: Callable[..., object], schedule: Mapping[str, Any], instant: datetime) -> None:
        """Call for a time ahead; once more for a later one if the request was so slow that the time was past by then."""
        try:
            call(**schedule, ScheduleExpression=_at(max(instant, self.clock() + LEAD)))
        except ClientError as error:
            later = self.clock() + SECOND_LEAD
            if table.error_code(error) != "ValidationException" or later <= instant:
                raise
            call(**schedule, ScheduleExpression=_at(later))


def _at(instant: datetime) -> str:
    return f"at({_whole_second(instant):%Y-%m-%dT%H:%M:%S})"


def _whole_second(instant: datetime) -> datetime:
    """Rounded up, so that a schedule never fires before its time."""
    whole = instant.astimezone(UTC).replace(microsecond=0)
    return whole if whole == instant else whole + timedelta(seconds=1)
