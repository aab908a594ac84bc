"""Tasks for members of staff in DynamoDB: a row for each in its contact's partition."""

from dataclasses import dataclass
from typing import Any, Final

from waypost.aws import table
from waypost.aws.translation import translates_errors
from waypost.staff.human_task import KEPT, HumanTask

_SK: Final = "task#"


@translates_errors
@dataclass(frozen=True, slots=True)
class DynamoTasks:
    """TaskStore on the contacts table."""

    client: Any
    table_name: str

    def load(self, contact_id: str, task_id: str) -> HumanTask | None:
        """See TaskStore."""
        key = table.key(table.contact_pk(contact_id), _SK + task_id)
        answer = self.client.get_item(TableName=self.table_name, Key=key, ConsistentRead=True)
        return HumanTask.from_dict(table.load_item(answer["Item"])) if "Item" in answer else None

    def open(self, task: HumanTask) -> bool:
        """See TaskStore."""
        item = {**task.to_dict(), "expires_at": int((task.open_until + KEPT).timestamp())}
        return table.put_once(self.client, self.table_name, table.contact_pk(task.contact_id), _SK + task.id, item)

    def answer(self, task: HumanTask) -> bool:
        """See TaskStore."""
        given = {
            name: value
            for name, value in task.to_dict().items()
            if name in {"answer", "answered_by", "answered_at", "answered_in_group", "note"}
        }
        return table.written(
            self.client,
            {
                "TableName": self.table_name,
                "Key": table.key(table.contact_pk(task.contact_id), _SK + task.id),
                "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in given),
                "ConditionExpression": "attribute_exists(pk) AND attribute_type(#answer, :unanswered)",
                "ExpressionAttributeNames": {f"#{name}": name for name in given},
                "ExpressionAttributeValues": table.dump_item({f":{name}": value for name, value in given.items()})
                | {":unanswered": {"S": "NULL"}},
            },
        )
