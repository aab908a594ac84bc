"""A contact as one row of a file. Used by the slices of an export.

The table of columns is the one an import reads, so an exported file can be imported again.
"""

from collections.abc import Container, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from waypost.clock import format_instant
from waypost.contacts.channels import CHANNELS
from waypost.contacts.file_columns import attribute_column, consent_column, exact_text, is_undeclared, openid_column
from waypost.contacts.profile import IDENTITY_ATTRIBUTES, Contact
from waypost.contacts.tag_system import tags_at
from waypost.events.envelope import IDENTITY_KINDS

Row = dict[str, Any]

_ADDRESSES: Final = frozenset(IDENTITY_ATTRIBUTES)


def row_of(contact: Contact, *, declared: Container[str], now: datetime) -> Row:
    """Every column that has something in it, by name; values as they are stored, times as ISO 8601 in UTC.

    ``declared`` are the names of declared attributes. A contact with several addresses of a kind shows the one that
    messages go to (none when that was removed); of other ids, the first it was known by. Its openids have a column for
    each account, ``openid:<account>``. Tags that have expired ``now`` are left out.
    """
    row: Row = {"contact_id": contact.contact_id, **_identities(contact)}
    for name, value in contact.attributes.items():
        if name not in _ADDRESSES and value not in ("", None):
            column = attribute_column(name, declared)
            is_cleaned = isinstance(value, str) and not is_undeclared(column)
            row[column] = exact_text(value) if is_cleaned else value
    row |= {"tags": sorted(tags_at(contact, now)), "groups": sorted(contact.groups)}
    for channel in CHANNELS:
        answer = contact.consent(channel, "*")
        if answer != "none":
            row[consent_column(channel)] = answer == "granted"
    row |= {
        "suppressed": sorted(f"{channel}: {reason}" for channel, reason in contact.closed.items()),
        "lifecycle": contact.lifecycle,
        "points": contact.points,
        "segments": sorted(contact.segments),
        "created_at": format_instant(contact.created_at.astimezone(UTC)),
    }
    return {name: value for name, value in row.items() if value not in ([], "", None)}


def chosen(row: Row, columns: Sequence[str]) -> Row:
    """The row with these columns only; all of them when none were chosen."""
    return {name: row[name] for name in columns if name in row} if columns else row


def _identities(contact: Contact) -> Row:
    found: Row = {}
    for kind in IDENTITY_KINDS:
        known = contact.identities.get(kind, ())
        if kind == "openid":
            accounts = (each.partition(":") for each in reversed(known))
            found |= {openid_column(account): value for account, _, value in accounts}
            continue
        value = contact.attributes.get(kind) if kind in _ADDRESSES else next(iter(known), None)
        if value:
            found[kind] = exact_text(value, is_identity=True)
    return found
