"""The counts of tasks in DynamoDB: an item for each month, message and member, and one for each member who was reminded."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from waypost.aws import table
from waypost.aws.translation import translates_errors
from waypost.tracking.task_figures import TaskCounts, TaskGroup

_KEPT: Final = timedelta(days=2 * 366)
_REMINDED_KEPT: Final = timedelta(days=3)
_COUNTED: Final = "counted"


@translates_errors
@dataclass(frozen=True, slots=True)
class DynamoTaskFigures:
    """TaskFigures on the contacts table."""

    client: Any
    table_name: str

    def add(self, channel: str, group: TaskGroup, counts: TaskCounts) -> None:
        """See TaskFigures."""
        month = datetime.strptime(group.month, "%Y-%m").replace(tzinfo=UTC)
        self.client.update_item(
            TableName=self.table_name,
            Key=table.key(_pk(channel), f"{_COUNTED}#{group.month}#{group.message}#{group.member}"),
            UpdateExpression="SET expires_at = :ends ADD sent :sent, failed :failed, withdrawn :withdrawn",
            ExpressionAttributeValues=table.dump_item(
                {
                    ":ends": int((month + _KEPT).timestamp()),
                    ":sent": counts.sent,
                    ":failed": counts.failed,
                    ":withdrawn": counts.withdrawn,
                }
            ),
        )

    def of(self, channel: str, month: str) -> Iterator[tuple[TaskGroup, TaskCounts]]:
        """See TaskFigures."""
        prefix = f"{_COUNTED}#{month}#"
        for item in table.query(self.client, self.table_name, pk=_pk(channel), prefix=prefix):
            message, _, member = str(item["sk"]).removeprefix(prefix).partition("#")
            counts = TaskCounts(int(item["sent"]), int(item["failed"]), int(item["withdrawn"]))
            yield TaskGroup(month, message, member), counts

    def take_reminder(self, channel: str, member: str, day: date) -> bool:
        """See TaskFigures."""
        ends = datetime(day.year, day.month, day.day, tzinfo=UTC) + _REMINDED_KEPT
        return table.written(
            self.client,
            {
                "TableName": self.table_name,
                "Key": table.key(_pk(channel), f"reminded#{member}"),
                "UpdateExpression": "SET #day = :day, expires_at = :ends",
                "ConditionExpression": "attribute_not_exists(#day) OR #day < :day",
                "ExpressionAttributeNames": {"#day": "day"},
                "ExpressionAttributeValues": table.dump_item({":day": day.isoformat(), ":ends": int(ends.timestamp())}),
            },
        )


def _pk(channel: str) -> str:
    return f"tasks#{channel}"
