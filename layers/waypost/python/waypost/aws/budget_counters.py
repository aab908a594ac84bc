"""What was taken of the channels' daily budgets in DynamoDB: one item for each budget and period, which every sender writes."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from waypost.aws import table
from waypost.aws.translation import translates_errors

_KEPT: Final = timedelta(days=40)
"""From the first day of a period, which is a month at most."""


@translates_errors
@dataclass(frozen=True, slots=True)
class DynamoBudgetCounters:
    """BudgetCounters on the contacts table."""

    client: Any
    table_name: str

    def take(self, budget: str, day: date, count: int, *, limit: int) -> bool:
        """See BudgetCounters. A write repeated after a lost answer may take twice: never more is sent than the limit."""
        if count > limit:
            return False
        ends = datetime.combine(day, time(), tzinfo=UTC) + _KEPT
        return table.written(
            self.client,
            {
                "TableName": self.table_name,
                "Key": table.key(f"budget#{budget}", day.isoformat()),
                "UpdateExpression": "SET expires_at = :ends ADD taken :count",
                "ConditionExpression": "attribute_not_exists(taken) OR taken <= :most",
                "ExpressionAttributeValues": table.dump_item(
                    {":count": count, ":most": limit - count, ":ends": int(ends.timestamp())}
                ),
            },
        )
