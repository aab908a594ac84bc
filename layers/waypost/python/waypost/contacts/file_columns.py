"""The columns of a file of contacts, one table for both ways: what each is called, what it holds, how its values are written.
Used by exports and imports.

An import finds a column of this table by its exact name, before it looks for other names that people give to columns.
A text that an import would read as something else (``N/A``, an id in full-width letters) is written as a JSON string,
quotation marks included, and a cell that is one is taken as it is.
"""

import json
import math
import re
from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal

from waypost.contacts.channels import CHANNELS
from waypost.contacts.cleaning.lists import join_values, split_values
from waypost.contacts.cleaning.text import half_width, is_empty, plain
from waypost.events.envelope import IDENTITY_KINDS
from waypost.events.names import attribute_name
from waypost.files.safe_cells import kept_text

Holds = Literal["identity", "attribute", "tags", "groups", "consent", "computed"]
"""What a column holds. What is computed (by rules, by other events, by the system itself) is exported and never imported."""

CONTACT_ID: Final = "contact_id"
BUILT_IN: Final = frozenset({"email", "phone", "locale", "timezone"})
"""Attributes with cleaning of their own; they cannot be declared otherwise."""

RESERVED: Final = frozenset({"consent", "tags", "remove_tags", "groups", "leave_groups"})
"""Keys of an event's profile that are no attributes."""

_BY_ACCOUNT: Final = "openid"
_OPENID: Final = f"{_BY_ACCOUNT}:"
_UNDECLARED: Final = "attribute:"
"""Before the name of an attribute that is not declared: its values are JSON where they are not plain text."""

_CONSENT: Final = "consent_"
_OWN: Final = re.compile(r"c-[0-9a-f]{24}")


@dataclass(frozen=True, slots=True)
class FileColumn:
    """A column: ``of`` is the kind of identity, the attribute, or the channel of the consent; ``account`` an openid's."""

    name: str
    holds: Holds
    of: str = ""
    account: str = ""


LEADING: Final = (
    FileColumn(CONTACT_ID, "computed"),
    *(FileColumn(kind, "identity", kind) for kind in IDENTITY_KINDS if kind != _BY_ACCOUNT),
)
"""Columns before the attributes; those of openids (``openid:<account>``) follow them."""

TRAILING: Final = (
    FileColumn("tags", "tags"),
    FileColumn("groups", "groups"),
    *(FileColumn(f"{_CONSENT}{channel}", "consent", channel) for channel in CHANNELS),
    *(FileColumn(name, "computed") for name in ("suppressed", "lifecycle", "points", "segments", "created_at")),
)
"""Columns after the attributes."""

_FIXED: Final = {column.name: column for column in (*LEADING, *TRAILING)}
COMPUTED: Final = frozenset(column.name for column in _FIXED.values() if column.holds == "computed")


def file_column(name: str) -> FileColumn | None:
    """The column of this exact name; None for one that is not in the table, such as a declared attribute's."""
    if name in _FIXED:
        return _FIXED[name]
    if name.startswith(_OPENID) and (account := name.removeprefix(_OPENID)):
        return FileColumn(name, "identity", _BY_ACCOUNT, account)
    if name.startswith(_UNDECLARED) and _is_attribute(attribute := name.removeprefix(_UNDECLARED)):
        return FileColumn(name, "attribute", attribute)
    return None


def _is_attribute(name: str) -> bool:
    """Whether this is the name of an attribute, as it is stored, and no key of a profile with another meaning."""
    try:
        return name not in RESERVED and attribute_name(name) == name
    except ValueError:
        return False


def openid_column(account: str) -> str:
    """The column of the openids in an account."""
    return f"{_OPENID}{account}"


def consent_column(channel: str) -> str:
    """The column of the answers about a channel."""
    return f"{_CONSENT}{channel}"


def attribute_column(attribute: str, declared: Container[str]) -> str:
    """The column of an attribute; ``declared`` are the names of declared attributes."""
    is_plain = attribute not in _FIXED and (attribute in declared or attribute in BUILT_IN)
    return attribute if is_plain else f"{_UNDECLARED}{attribute}"


def is_undeclared(name: str) -> bool:
    """Whether the column is that of an undeclared attribute."""
    return name.startswith(_UNDECLARED)


def is_own_id(value: Any) -> bool:
    """Whether a cell of the column ``contact_id`` is an id of Waypost's: then the row is from an export."""
    return isinstance(value, str) and _OWN.fullmatch(value) is not None


def ordered(names: Iterable[str]) -> list[str]:
    """Columns in the order of a file: ids, openids, declared attributes by name, undeclared ones, the rest."""
    found = set(names)
    accounts = {name for name in found if name.startswith(_OPENID)}
    undeclared = {name for name in found if is_undeclared(name)}
    return [
        *(column.name for column in LEADING if column.name in found),
        *sorted(accounts),
        *sorted(found.difference(_FIXED, accounts, undeclared)),
        *sorted(undeclared),
        *(column.name for column in TRAILING if column.name in found),
    ]


def exact_text(text: str, *, is_identity: bool = False) -> str:
    """``text`` as a cell that an import reads as this text."""
    read = half_width(text) if is_identity else plain(text)
    is_kept = not is_identity or kept_text(text) == text
    if read == text and is_kept and not is_empty(text) and quoted_text(text) is None:
        return text
    return json.dumps(text, ensure_ascii=False)


def quoted_text(cell: str) -> str | None:
    """The text of a cell that is a JSON string; None for any other cell."""
    if len(cell) < 2 or not (cell[0] == cell[-1] == '"'):
        return None
    try:
        found = json.loads(cell)
    except ValueError:
        return None
    return found if isinstance(found, str) else None


def list_cell(values: list[Any]) -> str:
    """A list as a cell: joined by semicolons, or as JSON where that would be read otherwise."""
    if not all(isinstance(each, str) for each in values):
        return json.dumps(values, ensure_ascii=False)
    joined = join_values(values)
    is_ambiguous = is_empty(joined) or split_values(joined) != values
    return json.dumps(values, ensure_ascii=False) if is_ambiguous else joined


def json_cell(value: Any) -> str:
    """A value of an undeclared attribute as a cell; ``json_value`` is the inverse for every JSON value."""
    if isinstance(value, str) and value and json_value(value) == value and plain(value) == value:
        return value
    return json.dumps(value, ensure_ascii=False)


def json_value(cell: str) -> Any:
    """The value of a cell of an undeclared attribute: JSON if it is that, otherwise the text."""
    try:
        found = json.loads(cell, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return cell
    return cell if isinstance(found, float) and not math.isfinite(found) else found


def _no_number(name: str) -> None:
    raise ValueError(name)
