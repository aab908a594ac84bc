"""Requests for approval in DynamoDB: a row for each, kept for good as evidence."""

from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from waypost.approvals.approval import Approval
from waypost.aws import table
from waypost.aws.translation import translates_errors

_SK: Final = "approval"


@translates_errors
@dataclass(frozen=True, slots=True)
class DynamoApprovals:
    """ApprovalStore on the contacts table."""

    client: Any
    table_name: str

    def load(self, approval_id: str) -> Approval | None:
        """See ApprovalStore."""
        answer = self.client.get_item(TableName=self.table_name, Key=_key(approval_id), ConsistentRead=True)
        return Approval.from_dict(table.load_item(answer["Item"])) if "Item" in answer else None

    def open(self, approval: Approval) -> bool:
        """See ApprovalStore."""
        return self._put(approval, "attribute_not_exists(pk)")

    def replace_undecided(self, approval: Approval) -> bool:
        """See ApprovalStore."""
        return self._put(
            approval, "attribute_exists(pk) AND attribute_type(decision, :undecided)", undecided={"S": "NULL"}
        )

    def _put(self, approval: Approval, condition: str, **values: Any) -> bool:
        item = _key(approval.id) | table.dump_item(approval.to_dict())
        given = {f":{name}": value for name, value in values.items()}
        named = {"ExpressionAttributeValues": given} if given else {}
        try:
            self.client.put_item(TableName=self.table_name, Item=item, ConditionExpression=condition, **named)
        except ClientError as error:
            if table.error_code(error) != table.CONDITION_FAILED:
                raise
            return False
        return True


def _key(approval_id: str) -> dict[str, Any]:
    return table.key(f"approval#{approval_id}", _SK)
