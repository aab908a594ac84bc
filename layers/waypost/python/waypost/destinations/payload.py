"""What a destination is sent: the event in the form that Standard Webhooks recommends. Called by the deliverer.

``{"type", "timestamp", "data"}``: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md,
"Payload structure". Event types stay as they are named here, in snake_case.
"""

import json
from collections.abc import Mapping
from typing import Any

from waypost import ids
from waypost.clock import format_instant
from waypost.contacts.profile import Contact
from waypost.destinations.declared import Destination
from waypost.events.envelope import Event


def body(destination: Destination, event: Event, contact_id: str, contact: Contact | None) -> bytes:
    """The bytes to sign and to send; the same event gives the same bytes."""
    whole = {"contact_id": contact_id, **event.to_dict()}
    del whole["cause"]  # names rows of ours
    attributes = contact.attributes if contact else {}
    chosen = {name: _value(path, whole, attributes) for name, path in destination.fields.items()} or whole
    content = {"type": event.type, "timestamp": format_instant(event.occurred_at), "data": chosen}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def webhook_id(destination: Destination, event: Event, contact_id: str) -> str:
    """The id of this webhook: the same at every attempt, another for every destination, and not for an outsider to choose."""
    return "msg_" + ids.digest("webhook", destination.name, contact_id, event.id, length=32)


def _value(path: Any, event: Mapping[str, Any], attributes: Mapping[str, Any]) -> Any:
    """The value at a dotted path; None where there is none, so that a receiver always finds the field."""
    if isinstance(path, Mapping):
        return path["constant"]
    found: Any = {**event, "attributes": attributes}
    for name in str(path).split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found
