"""A contact of the running system as a preview sees it. Called by ``waypost message preview``."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from local.cloud.local_cloud import client
from local.messages.preview import Viewer, event_of
from local.running.contact_lookup import known_id, nobody
from waypost.aws.contacts import DynamoContacts
from waypost.aws.history import DynamoHistory

_EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


def viewer_of(contact: str, trigger: str, access: Mapping[str, Any]) -> Viewer:
    """The contact named by any of its identities, with its newest event of the type ``trigger``. Raises LocalError."""
    database, table = client("dynamodb", access["endpoint_url"]), access["contacts_table"]
    contacts = DynamoContacts(database, table)
    found = contacts.load(known_id(contact, contacts))
    if found is None:
        raise nobody(contact)
    history = DynamoHistory(database, table)
    events = [
        each for owner in found.partitions for each in history.since(owner, _EVER, types=[trigger] if trigger else [])
    ]
    newest = max(events, key=lambda each: each.occurred_at, default=None) if trigger else None
    return Viewer(contact=found, event=event_of(newest))
