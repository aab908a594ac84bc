"""The rows of a file on their way to being contacts: as read, as cleaned, or refused. Used by readers and importers."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

from waypost.codec import JsonForm

LONGEST_TEXT: Final = 10_000
"""Characters of a row that could not be read, for the file of rejected rows."""

Cell: TypeAlias = Any
"""The value of a cell: text in a CSV file; any JSON value, flattened (``address.city``), in the other formats."""


@dataclass(frozen=True, slots=True)
class RowProblem:
    """Why a row could not be read at all; ``reason`` never quotes it.

    ``cells`` are its cells as far as it has some, ``text`` what stands there where it cannot be cut into cells.
    """

    reason: str
    field: str = "row"
    cells: tuple[str, ...] = ()
    text: str = ""

    def of(self, text: str) -> "RowProblem":
        """The problem of a row with this text, of which ``LONGEST_TEXT`` characters are kept."""
        return replace(self, text=text.strip("\r\n")[:LONGEST_TEXT])


@dataclass(frozen=True, slots=True)
class RawRow:
    """A row of the file: its cells by column name, or why there are none.

    ``number`` counts the rows of the file as a spreadsheet shows them: the header is row 1, a quoted line break starts no
    new row, an empty row counts. Files without a header (JSON lines) start at 1.
    """

    number: int
    cells: Mapping[str, Cell] | RowProblem


@dataclass(frozen=True, slots=True)
class Repair(JsonForm):
    """One change that cleaning made: in ``field``, by ``rule``, from ``before`` (shortened) to ``after``.

    It quotes the file, so it may be in the report of the import and never in a log.
    """

    field: str
    rule: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class CleanRow:
    """A row that may be stored.

    ``identities`` map kinds to normalised values; there is at least one. ``profile`` is what an event's profile may hold:
    attributes (None: the value is cleared), and the reserved keys ``consent`` ({channel: yes or no}), ``tags`` and ``groups``. ``filled`` holds
    defaults, applied only to attributes the contact lacks. ``evidence`` is the text behind each answer in ``consent``, by
    channel. ``imputed`` names those in ``filled`` that are a statistic
    of the file. ``further`` are identities of a kind that ``identities`` has already, such as openids in other accounts.
    """

    number: int
    identities: dict[str, str]
    profile: dict[str, Any]
    repairs: list[Repair] = field(default_factory=list)
    filled: dict[str, Any] = field(default_factory=dict)
    evidence: dict[str, str] = field(default_factory=dict)
    further: tuple[tuple[str, str], ...] = ()
    imputed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that is rejected: the column (or ``row``), and the reason, which never quotes a cell.

    ``more`` has the further (field, reason) pairs, when several cells are wrong. ``identities`` are those that could be read.
    """

    number: int
    field: str
    reason: str
    more: tuple[tuple[str, str], ...] = ()
    identities: Mapping[str, str] | None = None

    def to_dict(self) -> dict[str, Any]:
        """The JSON form, for the file of rejected rows."""
        further = [{"field": field, "reason": reason} for field, reason in self.more]
        return {"row": self.number, "field": self.field, "reason": self.reason, "more": further}
