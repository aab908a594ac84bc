"""How fast members of staff answer, in DynamoDB: a row for each journey and member in the partition of a month."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from waypost.aws import table
from waypost.aws.translation import translates_errors
from waypost.staff.responses import Responses

_KEPT: Final = timedelta(days=800)
"""Two years, so that a month can be held against the same one of the year before."""
_COUNTS: Final = ("assigned", "answered", "done", "late", "minutes")


@translates_errors
@dataclass(frozen=True, slots=True)
class DynamoResponses:
    """ResponseCounts on the contacts table."""

    client: Any
    table_name: str

    def add(self, month: str, counted: Responses) -> None:
        """See ResponseCounts."""
        counts = {name: each for name in _COUNTS if (each := getattr(counted, name))}
        ends = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC) + _KEPT
        values = {f":{name}": each for name, each in counts.items()} | {":ends": int(ends.timestamp())}
        self.client.update_item(
            TableName=self.table_name,
            Key=table.key(_pk(month), f"{counted.journey}#{counted.member}"),
            UpdateExpression=f"SET expires_at = :ends ADD {', '.join(f'#{name} :{name}' for name in counts)}",
            ExpressionAttributeNames={f"#{name}": name for name in counts},
            ExpressionAttributeValues=table.dump_item(values),
        )

    def of_month(self, month: str) -> list[Responses]:
        """See ResponseCounts."""
        found = []
        for item in table.query(self.client, self.table_name, pk=_pk(month), prefix=""):
            journey, _, member = str(item["sk"]).partition("#")
            found.append(Responses.from_dict({**item, "journey": journey, "member": member}))
        return found


def _pk(month: str) -> str:
    return f"staff#responses#{month}"
