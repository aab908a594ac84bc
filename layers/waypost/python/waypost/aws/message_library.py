"""What is known of messages' versions, in DynamoDB: a row for each message that was ever changed."""

from dataclasses import dataclass, replace
from typing import Any, Final

from botocore.exceptions import ClientError

from waypost.aws import table
from waypost.aws.translation import translates_errors
from waypost.content.message_library import LibraryEntry

_SK: Final = "entry"


@translates_errors
@dataclass(frozen=True, slots=True)
class DynamoLibrary:
    """LibraryStore on the contacts table."""

    client: Any
    table_name: str

    def glance(self, message: str) -> LibraryEntry | None:
        """See LibraryStore. Eventually consistent: half the price, for a reader that looks twice a minute."""
        return self._get(message, consistent=False)

    def load(self, message: str) -> LibraryEntry | None:
        """See LibraryStore."""
        return self._get(message, consistent=True)

    def save(self, entry: LibraryEntry) -> bool:
        """See LibraryStore. A write repeated after a lost answer finds what it wrote itself."""
        written = replace(entry, revision=entry.revision + 1)
        item = table.key(_pk(entry.message), _SK) | table.dump_item(written.to_dict())
        try:
            self.client.put_item(
                TableName=self.table_name,
                Item=item,
                ConditionExpression="attribute_not_exists(pk) OR revision = :read",
                ExpressionAttributeValues={":read": {"N": str(entry.revision)}},
            )
        except ClientError as error:
            if table.error_code(error) != table.CONDITION_FAILED:
                raise
            return self.load(entry.message) == written
        return True

    def _get(self, message: str, *, consistent: bool) -> LibraryEntry | None:
        key = table.key(_pk(message), _SK)
        answer = self.client.get_item(TableName=self.table_name, Key=key, ConsistentRead=consistent)
        return LibraryEntry.from_dict(table.load_item(answer["Item"])) if "Item" in answer else None


def _pk(message: str) -> str:
    return f"library#{message}"
