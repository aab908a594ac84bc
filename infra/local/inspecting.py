"""Looks into the running system. Called by ``waypost timeline``."""

from collections.abc import Mapping
from typing import Any

from infra.local.cloud import client, default_zone
from infra.local.problems import LocalError
from waypost.aws.contacts import DynamoContactItems, DynamoContacts
from waypost.events.envelope import IDENTITY_KINDS
from waypost.reporting.timeline import Entry, timeline


def timeline_of(contact: str, access: Mapping[str, Any]) -> tuple[str, list[Entry]]:
    """The contact id and the timeline of a contact named by any of its identities. Raises LocalError."""
    database, table = client("dynamodb", access["endpoint_url"]), access["contacts_table"]
    found = DynamoContacts(database, table).resolve(dict.fromkeys(IDENTITY_KINDS, contact))
    contact_id = next((found[kind] for kind in IDENTITY_KINDS if kind in found), contact)
    entries = timeline(contact_id, DynamoContactItems(database, table), default_zone=default_zone())
    if not entries:
        raise LocalError(f"nobody is known as {contact!r}", "waypost send-event sends the first event of a contact")
    return contact_id, entries
