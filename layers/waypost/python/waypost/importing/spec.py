"""How a file of contacts is read: its format, and where each column goes. Used by readers, cleaning and importers.

Authored as ``statemachines/contacts/imports/<name>.yaml`` and published in the section ``imports``; what the author left
out is found in the file itself by ``waypost.importing.detecting.resolve``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, Self, get_args

from waypost.codec import JsonForm, dump_fields
from waypost.contacts.cleaning import HOME_REGION
from waypost.contacts.cleaning.orders import DateOrder
from waypost.errors import InvalidInput
from waypost.published_sections import published_section

Format = Literal["csv", "jsonl", "pinpoint"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)
Target = Literal["identity", "attribute", "tags", "groups", "consent", "ignore"]
WhenWrong = Literal["reject", "leave_out"]
UnknownColumns = Literal["ignore", "keep", "refuse"]
MissingColumns = Literal["ignore", "refuse"]

DEFAULT_ZONE: Final = "Asia/Shanghai"


@dataclass(frozen=True, slots=True)
class Column(JsonForm):
    """Where the cells of one column go.

    ``name`` is the kind of identity, the attribute or the channel of the consent. ``account`` is the official account or
    mini program of an openid. ``evidence`` is what the person agreed to, and where. ``separator`` separates several tags,
    groups or list values in a cell ("" is any of ``, ; |`` and their Chinese forms). ``dates`` is the order of day and
    month in this column, if it differs from the file's. ``wrong`` is what a cell that cannot be cleaned leads to:
    the row is rejected, or only the cell left out; "" is the default of the attribute's declaration, for identities ``reject``.
    ``fallback``: not 0 for a column that counts in rows in which no other one names such an identity or attribute, the lowest first. ``opt_out``: a yes is a withdrawal of
    consent, and a no says nothing. ``clear`` are further texts of a cell that take the value away from the contact; "" is an empty cell.
    """

    goes_to: Target
    name: str = ""
    account: str = ""
    evidence: str = ""
    separator: str = ""
    dates: DateOrder | Literal[""] = ""
    excel_dates: bool | None = None
    wrong: WhenWrong | Literal[""] = ""
    clear: tuple[str, ...] = ()
    fallback: int = 0
    opt_out: bool = False

    def to_dict(self) -> dict[str, Any]:
        """The JSON form, without the empty fields."""
        return {
            name: value
            for name, value in dump_fields(self).items()
            if value not in ("", None, [], False) or (name == "excel_dates" and value is False)
        }


@dataclass(frozen=True, slots=True)
class ImportSpec(JsonForm):
    """Everything needed to read and clean a file; plain JSON by ``to_dict``, so that every part of a file gets the same.

    ``format``, ``encoding``, ``delimiter`` and ``header`` are empty until the file was looked at. ``header`` holds the
    column names of a CSV file in order, so that a part from its middle can be read; ``columns`` maps them to contacts;
    ``unmapped`` are those nothing was declared for. ``missing_columns``: whether the file may lack columns that are declared. ``phone_region`` is the country of phone numbers written without one,
    ``time_zone`` that of times written without one. ``required`` are the kinds of identity
    every row must have; without any, one of whatever kind will do. ``empty`` are further markers of an empty cell. ``clear``
    are the texts of a cell that take the value away from the contact, in any column of an attribute. ``mac_lines``: rows end with a lone CR.
    ``header_row`` is the number of the row with the column names.
    """

    name: str = ""
    format: Format | Literal[""] = ""
    encoding: str = ""
    delimiter: str = ""
    header: tuple[str, ...] = ()
    columns: tuple[tuple[str, Column], ...] = ()
    unmapped: tuple[str, ...] = ()
    unknown_columns: UnknownColumns = "ignore"
    missing_columns: MissingColumns = "refuse"
    phone_region: str = HOME_REGION
    time_zone: str = DEFAULT_ZONE
    dates: DateOrder = "year_first"
    excel_dates: bool = False
    required: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()
    clear: tuple[str, ...] = ()
    mac_lines: bool = False
    header_row: int = 1

    def __hash__(self) -> int:
        """Cheap, because a cleaner is looked up by it for every row; equality still compares everything."""
        return hash((self.name, self.format, self.header))

    @property
    def is_resolved(self) -> bool:
        """Whether the file has been looked at, so that rows can be read."""
        return bool(self.format and self.encoding and (self.header or self.format != "csv"))

    def with_columns(self, columns: Mapping[str, Column], *, unmapped: tuple[str, ...] = ()) -> Self:
        """The specification with these columns."""
        return replace(self, columns=tuple(columns.items()), unmapped=unmapped)


def load_import_spec(name: str) -> ImportSpec:
    """The published mapping of this name; "" is one that finds everything in the file. Raises InvalidInput."""
    if not name:
        return ImportSpec()
    declared = published_section("imports")
    if name not in declared:
        known = ", ".join(sorted(declared)) or "none"
        raise InvalidInput(
            "mapping", f"there is no mapping {name!r} in statemachines/contacts/imports; there is: {known}"
        )
    return ImportSpec.from_dict(declared[name])
