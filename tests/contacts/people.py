"""Contacts for the tests of merges."""

from datetime import datetime, timedelta
from typing import Any

from waypost.clock import parse_instant
from waypost.contacts.channels import Channel
from waypost.contacts.consent import Consent
from waypost.contacts.profile import Contact

NOON = parse_instant("2027-03-01T04:00:00.000Z")


def minutes(count: float) -> datetime:
    """So many minutes after noon."""
    return NOON + timedelta(minutes=count)


def consent(granted: bool, at: float = 0) -> Consent:
    """An answer about consent, so many minutes after noon."""
    return Consent(granted=granted, at=minutes(at), source="shop")


def contact(contact_id: str, /, *, at: float = 0, version: int = 1, **fields: Any) -> Contact:
    """A contact created so many minutes after noon; its attributes were set then unless ``attributes_at`` says else."""
    attributes = fields.get("attributes", {})
    stamps = {name: minutes(at) for name in attributes}
    stamps |= {f"tag:{name}": minutes(at) for name in fields.get("tags", ())}
    stamps |= {f"group:{name}": minutes(at) for name in fields.get("groups", ())}
    stamps |= fields.pop("attributes_at", {})
    fields |= {name: frozenset(fields[name]) for name in ("tags", "groups", "kept_apart") if name in fields}
    return Contact(contact_id=contact_id, created_at=minutes(at), attributes_at=stamps, version=version, **fields)


def addresses(contact: Contact, channel: str) -> list[str]:
    """The contact's addresses on a channel, as texts."""
    return [address.text for address in contact.addresses(Channel(channel))]
