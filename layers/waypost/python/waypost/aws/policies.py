"""The changes of the sending policy in DynamoDB: the newest in an item of its own, and one item for each change."""

from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from waypost.aws import table
from waypost.aws.translation import translates_errors
from waypost.sending.policy_change import PolicyChange

_PK: Final = "policy#sending"
_CURRENT: Final = "current"
_CHANGE: Final = "change#"


@translates_errors
@dataclass(frozen=True, slots=True)
class DynamoPolicies:
    """PolicyStore on the contacts table. Changes are few and kept for good: they explain decisions of any age."""

    client: Any
    table_name: str

    def current(self) -> PolicyChange | None:
        """See PolicyStore. Eventually consistent: half the price, for a reader that looks once a minute."""
        answer = self.client.get_item(TableName=self.table_name, Key=table.key(_PK, _CURRENT))
        return PolicyChange.from_dict(table.load_item(answer["Item"])) if "Item" in answer else None

    def put(self, change: PolicyChange) -> bool:
        """See PolicyStore."""
        content = table.dump_item(change.to_dict())
        history = {
            "TableName": self.table_name,
            "Item": table.key(_PK, f"{_CHANGE}{change.revision:08d}") | content,
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        current = {"TableName": self.table_name, "Item": table.key(_PK, _CURRENT) | content}
        try:
            self.client.transact_write_items(TransactItems=[{"Put": history}, {"Put": current}])
        except ClientError as error:
            if table.error_code(error) != table.TRANSACTION_CANCELED:
                raise
            return self._is_kept(change)
        return True

    def _is_kept(self, change: PolicyChange) -> bool:
        """Whether the very change is there: a write repeated after a lost answer fails on what it wrote itself."""
        return change in self.newest(1)

    def newest(self, limit: int) -> list[PolicyChange]:
        """See PolicyStore."""
        found = table.query(self.client, self.table_name, pk=_PK, prefix=_CHANGE, ScanIndexForward=False, Limit=limit)
        changes: list[PolicyChange] = []
        for item in found:
            changes.append(PolicyChange.from_dict(item))
            if len(changes) == limit:
                break
        return changes
