"""Contacts in DynamoDB, many at a time: what an import reads of a file's rows. See BulkContactStore."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from waypost.aws import table
from waypost.aws.contacts import DynamoContacts
from waypost.aws.translation import translates_errors
from waypost.contacts.profile import Contact

MOST_KEYS: Final = 100
"""Of one BatchGetItem. Source: DynamoDB API Reference, "BatchGetItem"."""


@translates_errors
@dataclass(frozen=True, slots=True)
class DynamoBulkContacts(DynamoContacts):
    """A BulkContactStore on the contacts table."""

    def resolve_many(self, identities: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
        """See BulkContactStore."""
        keys = {(table.identity_pk(kind, value), "identity") for given in identities for kind, value in given.items()}
        owner_of = {row["pk"]: row["contact_id"] for row in self._read(keys)}
        return [
            {kind: owner_of[pk] for kind, value in given.items() if (pk := table.identity_pk(kind, value)) in owner_of}
            for given in identities
        ]

    def load_many(self, contact_ids: Collection[str]) -> dict[str, Contact]:
        """See BulkContactStore. A contact that was merged away is looked up where it went."""
        rows = self._read({(table.contact_pk(contact_id), "profile") for contact_id in contact_ids})
        found = {str(row["contact_id"]): Contact.from_dict(row) for row in rows}
        gone = [contact_id for contact_id, contact in found.items() if contact.merged_into]
        followed = {contact_id: self.load(contact_id) for contact_id in gone}
        return found | {contact_id: contact for contact_id, contact in followed.items() if contact is not None}

    def _read(self, keys: Collection[tuple[str, str]]) -> list[dict[str, Any]]:
        ordered = sorted(keys)
        return [
            row
            for first in range(0, len(ordered), MOST_KEYS)
            for row in table.batch_get(self.client, self.table_name, ordered[first : first + MOST_KEYS])
        ]
