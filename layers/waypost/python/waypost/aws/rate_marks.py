"""The marks of the rates in DynamoDB: one item for each name, which every sender writes."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from botocore.exceptions import ClientError

from waypost.aws import table
from waypost.aws.translation import translates_errors
from waypost.sending.pace import Mark, Moved

_SK: Final = "marks"
_ATTEMPTS: Final = 3
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


@translates_errors
@dataclass(frozen=True, slots=True)
class DynamoRateMarks:
    """RateMarks on the contacts table; marks are microseconds since 1970.

    One expression cannot say "the later of two", so a mark that is behind is set and one that is ahead is added to, each under
    the condition that it is so. Which comes first is what this process saw last. Writers do not wait for each other.
    """

    client: Any
    table_name: str
    _seen: dict[tuple[str, Mark], int] = field(default_factory=dict, init=False, compare=False)

    def move(self, name: str, mark: Mark, *, by: timedelta, now: datetime, within: timedelta | None) -> Moved | None:
        """See RateMarks. One write, or two where another process has moved the mark over ``now`` in between."""
        base, step = (now - _EPOCH) // _MICROSECOND, by // _MICROSECOND
        last = None if within is None else base + within // _MICROSECOND
        ahead = self._seen.get((name, mark), 0) >= base
        for attempt in range(2 if last is not None else 2 * _ATTEMPTS):
            is_ahead = ahead == (attempt % 2 == 0)
            done, before = self._write(name, mark, base=base, step=step, last=last, is_ahead=is_ahead)
            if done:
                start = before if is_ahead and before is not None else base
                self._seen[name, mark] = start + step
                return Moved(_instant(start), None if before is None else _instant(before))
        return None

    def _write(
        self, name: str, mark: Mark, *, base: int, step: int, last: int | None, is_ahead: bool
    ) -> tuple[bool, int | None]:
        """Whether the mark was moved, and where it stood."""
        values = {":base": base, ":step": step}
        if is_ahead:
            condition, change = "#mark >= :base", "#mark + :step"
            if last is not None:
                condition, values = f"{condition} AND #mark <= :last", values | {":last": last}
        else:
            condition, change = "attribute_not_exists(#mark) OR #mark < :base", ":end"
            values = {":base": base, ":end": base + step}
        try:
            answer = self.client.update_item(
                TableName=self.table_name,
                Key=table.key(f"rate#{name}", _SK),
                UpdateExpression=f"SET #mark = {change}",
                ConditionExpression=condition,
                ExpressionAttributeNames={"#mark": mark},
                ExpressionAttributeValues=table.dump_item(values),
                ReturnValues="UPDATED_OLD",
            )
        except ClientError as error:
            if table.error_code(error) != table.CONDITION_FAILED:
                raise
            return False, None
        before = table.load_item(answer.get("Attributes", {})).get(mark)
        return True, before


def _instant(microseconds: int) -> datetime:
    return _EPOCH + microseconds * _MICROSECOND
