"""A contact as one row of a file. Used by the slices of an export.

The names of the columns are those an import finds by itself, so that an exported file can be imported again.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC
from typing import Any, Final

from waypost.clock import format_instant
from waypost.contacts.channels import CHANNELS
from waypost.contacts.profile import IDENTITY_ATTRIBUTES, Contact
from waypost.events.envelope import IDENTITY_KINDS

Row = dict[str, Any]

LEADING: Final = ("contact_id", *IDENTITY_KINDS)
"""Columns before the attributes."""

TRAILING: Final = (
    "tags", "groups", *(f"consent_{channel}" for channel in CHANNELS), "suppressed", "lifecycle", "points", "segments",
    "created_at",
)  # fmt: skip
"""Columns after the attributes."""

_BY_ACCOUNT: Final = "openid"
_ADDRESSES: Final = frozenset(IDENTITY_ATTRIBUTES)


def row_of(contact: Contact) -> Row:
    """Every column that has something in it, by name; values as they are stored, times as ISO 8601 in UTC.

    A contact with several addresses of a kind shows the one that messages go to; of other ids, the first it was known by.
    Its openids have a column for each account, ``openid:<account>``.
    """
    row: Row = {"contact_id": contact.contact_id}
    for kind in IDENTITY_KINDS:
        known = contact.identities.get(kind, ())
        if kind == _BY_ACCOUNT:
            row |= {
                f"{kind}:{account}": value for account, _, value in (each.partition(":") for each in reversed(known))
            }
            continue
        address = contact.attributes.get(kind) if kind in _ADDRESSES else None
        if value := address or (known[0] if known else None):
            row[kind] = value
    row |= {name: value for name, value in contact.attributes.items() if name not in row and value not in ("", None)}
    row |= {"tags": sorted(contact.tags), "groups": sorted(contact.groups)}
    for channel in CHANNELS:
        answer = contact.consent(channel, "*")
        if answer != "none":
            row[f"consent_{channel}"] = answer == "granted"
    row |= {
        "suppressed": sorted(f"{channel}: {reason}" for channel, reason in contact.closed.items()),
        "lifecycle": contact.lifecycle,
        "points": contact.points,
        "segments": sorted(contact.segments),
        "created_at": format_instant(contact.created_at.astimezone(UTC)),
    }
    return {name: value for name, value in row.items() if value not in ([], "", None)}


def ordered(names: Iterable[str]) -> list[str]:
    """All columns with a value, in the order of a file: ids, attributes by name, the rest."""
    found = set(names)
    accounts = {name for name in found if name.startswith(f"{_BY_ACCOUNT}:")}
    attributes = sorted(found.difference(LEADING, TRAILING, accounts))
    return [
        *(name for name in LEADING if name in found),
        *sorted(accounts),
        *attributes,
        *(name for name in TRAILING if name in found),
    ]


def chosen(row: Row, columns: Sequence[str]) -> Row:
    """The row with these columns only; all of them when none were chosen."""
    return {name: row[name] for name in columns if name in row} if columns else row
