"""Contacts in DynamoDB: one profile item each and one item per identity that leads to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from waypost.aws import table
from waypost.aws.translation import translates_errors
from waypost.contacts.profile import Contact


@translates_errors
@dataclass(frozen=True, slots=True)
class DynamoContacts:
    """A ContactStore on the contacts table."""

    client: Any
    table_name: str

    def resolve(self, identities: Mapping[str, str]) -> dict[str, str]:
        """See ContactStore."""
        if not identities:
            return {}
        kinds = {table.identity_pk(kind, value): kind for kind, value in identities.items()}
        rows = table.batch_get(self.client, self.table_name, [(pk, "identity") for pk in kinds])
        return {kinds[row["pk"]]: row["contact_id"] for row in rows}

    def load(self, contact_id: str) -> Contact | None:
        """See ContactStore."""
        answer = self.client.get_item(
            TableName=self.table_name, Key=table.key(table.contact_pk(contact_id), "profile"), ConsistentRead=True
        )
        return Contact.from_dict(table.load_item(answer["Item"])) if "Item" in answer else None

    def save(self, contact: Contact, *, claim: Mapping[str, str]) -> bool:
        """See ContactStore. One write when no identity is claimed, else one transaction."""
        put = self._put_profile(contact)
        try:
            if claim:
                claims = [{"Put": self._put_identity(contact, kind, value)} for kind, value in claim.items()]
                self.client.transact_write_items(TransactItems=[{"Put": put}, *claims])
            else:
                self.client.put_item(**put)
        except ClientError as error:
            if table.error_code(error) in {table.CONDITION_FAILED, table.TRANSACTION_CANCELED}:
                return False
            raise
        return True

    def _put_profile(self, contact: Contact) -> dict[str, Any]:
        written = contact.to_dict() | {"version": contact.version + 1}
        if not contact.erased and not contact.merged_into:
            written["profile_of"] = contact.contact_id  # only items with it are in the index of profiles
        put: dict[str, Any] = {
            "TableName": self.table_name,
            "Item": table.key(table.contact_pk(contact.contact_id), "profile") | table.dump_item(written),
        }
        if contact.version == 0:
            return put | {"ConditionExpression": "attribute_not_exists(pk)"}
        return put | {
            "ConditionExpression": "version = :read",
            "ExpressionAttributeValues": {":read": table.dump(contact.version)},
        }

    def _put_identity(self, contact: Contact, kind: str, value: str) -> dict[str, Any]:
        pk = table.identity_pk(kind, value)
        return {
            "TableName": self.table_name,
            "Item": table.key(pk, "identity") | table.dump_item({"contact_id": contact.contact_id, "kind": kind}),
            "ConditionExpression": "attribute_not_exists(pk) OR contact_id = :mine",
            "ExpressionAttributeValues": {":mine": table.dump(contact.contact_id)},
        }


@translates_errors
@dataclass(frozen=True, slots=True)
class DynamoContactItems:
    """Everything kept of a contact, for the timeline."""

    client: Any
    table_name: str

    def everything(self, contact_id: str) -> list[dict[str, Any]]:
        """See ContactItems."""
        return list(table.query(self.client, self.table_name, pk=table.contact_pk(contact_id)))
