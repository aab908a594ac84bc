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
        places = {table.identity_pk(kind, value) for given in identities for kind, value in given.items()}
        rows = self._read(self.table_name, [table.key(pk, "identity") for pk in sorted(places)])
        owner_of = {row["pk"]: row["contact_id"] for row in rows}
        return [
            {kind: owner_of[pk] for kind, value in given.items() if (pk := table.identity_pk(kind, value)) in owner_of}
            for given in identities
        ]

    def load_many(self, contact_ids: Collection[str]) -> dict[str, Contact]:
        """See BulkContactStore. A contact that was merged away is looked up where it went."""
        profiles = table.profiles_table(self.table_name)
        rows = self._read(profiles, [table.profile_key(contact_id) for contact_id in sorted(set(contact_ids))])
        found = {str(row["contact_id"]): Contact.from_dict(row) for row in rows}
        gone = [contact_id for contact_id, contact in found.items() if contact.merged_into]
        followed = {contact_id: self.load(contact_id) for contact_id in gone}
        return found | {contact_id: contact for contact_id, contact in followed.items() if contact is not None}

    def _read(self, of: str, keys: Sequence[table.Item]) -> list[dict[str, Any]]:
        """The items under these keys of a table."""
        return [
            row
            for first in range(0, len(keys), MOST_KEYS)
            for row in table.batch_get_of(self.client, {of: list(keys[first : first + MOST_KEYS])})[of]
        ]
