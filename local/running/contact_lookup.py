"""Looks into the running system. Called by ``waypost timeline`` and ``waypost contacts``."""

from collections.abc import Mapping
from typing import Any

from local.cloud.local_cloud import client, default_zone
from local.problems import LocalError
from local.project.current_project import current_project
from waypost.aws.contacts import DynamoContactItems, DynamoContacts
from waypost.clock import format_instant
from waypost.contacts.identity.named_contact import find_by_any
from waypost.reports.timeline import Entry, timeline


def timeline_of(contact: str, access: Mapping[str, Any]) -> tuple[str, list[Entry]]:
    """The contact id and the timeline of a contact named by any of its identities. Raises LocalError."""
    database, table = client("dynamodb", access["endpoint_url"]), access["contacts_table"]
    contact_id = known_id(contact, DynamoContacts(database, table))
    entries = timeline(contact_id, DynamoContactItems(database, table), default_zone=default_zone(current_project()))
    if not entries:
        raise nobody(contact)
    return contact_id, entries


def contact_id_of(contact: str, access: Mapping[str, Any]) -> str:
    """The id of the contact named by any of its identities, living or merged into another. Raises LocalError."""
    contacts = DynamoContacts(client("dynamodb", access["endpoint_url"]), access["contacts_table"])
    contact_id = known_id(contact, contacts)
    if contacts.load(contact_id) is None:
        raise nobody(contact)
    return contact_id


def profile_of(contact: str, access: Mapping[str, Any]) -> dict[str, Any]:
    """The profile of a contact and the merges it is made of, as JSON. Raises LocalError."""
    contacts = DynamoContacts(client("dynamodb", access["endpoint_url"]), access["contacts_table"])
    found = contacts.load(known_id(contact, contacts))
    if found is None:
        raise nobody(contact)
    merges = [merge for owner in found.partitions for merge in contacts.merges(owner)]
    return {
        "profile": found.to_dict(),
        "merges": [
            {
                "merge_id": merge.merge_id,
                "at": format_instant(merge.at),
                "from": merge.absorbed.contact_id,
                "into": merge.survivor.contact_id,
                "ground": merge.ground,
                "cause": merge.cause,
                "undone_at": format_instant(merge.undone_at) if merge.undone_at else None,
            }
            for merge in merges
        ],
    }


def known_id(contact: str, contacts: DynamoContacts) -> str:
    """The id that an identity of any kind, in any spelling, leads to; what leads nowhere is taken for an id itself."""
    return find_by_any(contacts, contact) or contact.strip()


def nobody(contact: str) -> LocalError:
    return LocalError(f"nobody is known as {contact!r}", "waypost send-event sends the first event of a contact")
