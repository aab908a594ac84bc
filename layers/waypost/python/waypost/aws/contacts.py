"""Contacts in DynamoDB: one profile item each, one item per identity that leads to it and one per merge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from botocore.exceptions import ClientError

from waypost.aws import merges, table
from waypost.aws.enrolment_row import EVERY, unpacked
from waypost.aws.translation import translates_errors
from waypost.clock import Clock, format_instant, real_now
from waypost.contacts.identity.merge import Merge
from waypost.contacts.ports import LONGEST_WRITE
from waypost.contacts.profile import Contact
from waypost.errors import ContactNotFound

COUNTED_KEPT: Final = timedelta(days=60)
"""How long an event's points are known as counted: as long as a repeated event is known as one."""

LONGEST_TRAIL: Final = 100
"""Merges to follow from an old id; more can only be a ring, which no write of ours makes."""


@translates_errors
@dataclass(frozen=True, slots=True)
class DynamoContacts:
    """A ContactStore on the contacts table; ``clock`` says when notes of counted points may be tidied up."""

    client: Any
    table_name: str
    clock: Clock = real_now

    def resolve(self, identities: Mapping[str, str]) -> dict[str, str]:
        """See ContactStore."""
        if not identities:
            return {}
        kinds = {table.identity_pk(kind, value): kind for kind, value in identities.items()}
        rows = table.batch_get(self.client, self.table_name, [(pk, "identity") for pk in kinds])
        return {kinds[row["pk"]]: row["contact_id"] for row in rows}

    def load(self, contact_id: str) -> Contact | None:
        """See ContactStore. One read, and one more for each merge since."""
        return self._living(contact_id, consistently=True)

    def glance(self, contact_id: str) -> Contact | None:
        """See GlancedContactStore."""
        return self._living(contact_id, consistently=False)

    def _living(self, contact_id: str, *, consistently: bool) -> Contact | None:
        for _ in range(LONGEST_TRAIL):
            contact = _profile(self.client, self.table_name, contact_id, consistently=consistently)
            if contact is None or not contact.merged_into:
                return contact
            contact_id = contact.merged_into
        raise ContactNotFound(f"contact {contact_id} was merged {LONGEST_TRAIL} times, or in a ring")

    def save(self, contact: Contact, *, claim: Mapping[str, str], counting: str = "") -> bool:
        """See ContactStore. One write when no identity is claimed and nothing counted, else one transaction.

        A new contact is a write for each identity and one for itself: half of what a transaction costs.
        """
        put = merges.put_profile(self.table_name, contact)
        if contact.version == 0:
            if not all(self._written(self._put_identity(contact, kind, value)) for kind, value in claim.items()):
                return False
            claim = {}
        also = [self._put_identity(contact, kind, value) for kind, value in claim.items()]
        if counting:
            also.append(self._put_counted(contact, counting))
        if also:
            return self._all_or_nothing([put, *also])
        return self._written(put)

    def release(self, kind: str, value: str, contact_id: str) -> None:
        """See ContactStore. In one transaction, so that the contact is not stored in between."""
        given = {":theirs": table.dump(contact_id), ":before": table.dump(format_instant(self.clock() - LONGEST_WRITE))}
        freed = {
            "TableName": self.table_name,
            "Key": table.key(table.identity_pk(kind, value), "identity"),
            "ConditionExpression": "contact_id = :theirs AND claimed_at < :before",
            "ExpressionAttributeValues": given,
        }
        not_stored = {
            "TableName": table.profiles_table(self.table_name),
            "Key": table.profile_key(contact_id),
            "ConditionExpression": "attribute_not_exists(contact_id)",
        }
        try:
            self.client.transact_write_items(TransactItems=[{"ConditionCheck": not_stored}, {"Delete": freed}])
        except ClientError as error:
            if table.error_code(error) != table.TRANSACTION_CANCELED or not table.is_lost_race(error):
                raise

    def _written(self, put: Mapping[str, Any]) -> bool:
        """Write one item; False when its condition did not hold."""
        try:
            self.client.put_item(**put)
        except ClientError as error:
            if table.error_code(error) == table.CONDITION_FAILED:
                return False
            raise
        return True

    def has_counted(self, contact_id: str, event_id: str) -> bool:
        """See ContactStore."""
        answer = self.client.get_item(
            TableName=self.table_name,
            Key=table.key(table.contact_pk(contact_id), _counted_sk(event_id)),
            ConsistentRead=True,
        )
        return "Item" in answer

    def merge(self, merge: Merge) -> bool:
        """See ContactStore."""
        touches = merges.read_touches(self.client, self.table_name, merge)
        return self._all_or_nothing(merges.merging_puts(self.table_name, merge, touches))

    def merges(self, contact_id: str) -> list[Merge]:
        """See ContactStore."""
        items = table.query(self.client, self.table_name, pk=table.contact_pk(contact_id), prefix=merges.RECORDS)
        return sorted(merges.records(items), key=lambda each: (each.at, len(each.result.absorbed)))

    def unmerge(self, merge: Merge, survivor: Contact, absorbed: Contact, *, rewritten: Sequence[Merge] = ()) -> bool:
        """See ContactStore."""
        touches = merges.read_touches(self.client, self.table_name, merge)
        puts = merges.unmerging_puts(self.table_name, merge, survivor, absorbed, rewritten, touches)
        return self._all_or_nothing(puts)

    def _all_or_nothing(self, puts: Sequence[Mapping[str, Any]]) -> bool:
        """Write everything; False when a condition did not hold or another transaction was in the way.

        Raises ServiceRefused for an item that can never be written, TemporarilyUnavailable for a throttle.
        """
        try:
            self.client.transact_write_items(TransactItems=[{"Put": put} for put in puts])
        except ClientError as error:
            if table.error_code(error) == table.TRANSACTION_CANCELED and table.is_lost_race(error):
                return False
            raise
        return True

    def _put_identity(self, contact: Contact, kind: str, value: str) -> dict[str, Any]:
        """Free, the contact's own, or that of a contact which is part of it now."""
        mine = {f":mine{index}": table.dump(each) for index, each in enumerate(contact.partitions)}
        claimed = {"contact_id": contact.contact_id, "kind": kind, "claimed_at": format_instant(self.clock())}
        return {
            "TableName": self.table_name,
            "Item": table.key(table.identity_pk(kind, value), "identity") | table.dump_item(claimed),
            "ConditionExpression": f"attribute_not_exists(pk) OR contact_id IN ({', '.join(mine)})",
            "ExpressionAttributeValues": mine,
        }

    def _put_counted(self, contact: Contact, event_id: str) -> dict[str, Any]:
        expires_at = int((self.clock() + COUNTED_KEPT).timestamp())
        return {
            "TableName": self.table_name,
            "Item": table.key(table.contact_pk(contact.contact_id), _counted_sk(event_id))
            | table.dump_item({"event_id": event_id, "expires_at": expires_at}),
            "ConditionExpression": "attribute_not_exists(pk)",
        }


@translates_errors
@dataclass(frozen=True, slots=True)
class DynamoContactItems:
    """Everything kept of a contact, for the timeline."""

    client: Any
    table_name: str

    def everything(self, contact_id: str) -> list[dict[str, Any]]:
        """See ContactItems."""
        items = table.query(self.client, self.table_name, pk=table.contact_pk(contact_id))
        found = [unpacked(item) if item["sk"].startswith(EVERY) else item for item in items]
        contact = _profile(self.client, self.table_name, contact_id)
        return found if contact is None else [*found, {"sk": "profile"} | contact.to_dict()]


def _profile(client: Any, table_name: str, contact_id: str, *, consistently: bool = True) -> Contact | None:
    """The contact stored under this id itself."""
    answer = client.get_item(
        TableName=table.profiles_table(table_name), Key=table.profile_key(contact_id), ConsistentRead=consistently
    )
    return Contact.from_dict(table.load_item(answer["Item"])) if "Item" in answer else None


def _counted_sk(event_id: str) -> str:
    return f"counted#{event_id}"
