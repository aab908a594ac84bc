"""Takes the members of staff from a CSV file, as a whole or not at all. Called by import_staff.

The file is the whole list: who is in an earlier one and not in this one leaves. Members of ``members.yaml`` are not touched.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from waypost.contacts import cleaning
from waypost.contacts.channels import declared_channels
from waypost.contacts.cleaning import Unusable
from waypost.contacts.cleaning.places import locale, time_zone
from waypost.errors import InvalidInput
from waypost.files.ports import Files
from waypost.files.uploads import uploaded_text
from waypost.staff.directory import ROLES, StaffDirectory
from waypost.staff.keep_staff import KeepStaff
from waypost.staff.live_directory import MOST_MEMBERS
from waypost.staff.organisation import LONGEST_ID, above, is_member_id

LARGEST: Final = 4 * 1024**2
"""Bytes of a file: 400 for each of its rows."""
NAMED: Final = 200
"""Problems that an answer names; the others are counted."""
EXAMPLE: Final = "imports/staff.csv"
_FIELDS: Final = frozenset({"file", "dry_run", "by"})
_LONGEST: Final = 80
"""Characters of a name, a department, a queue."""
_LIST: Final = re.compile(r"[,;|、，；\s]+")
_COLUMNS: Final = ("id", "name", "email", "department", "manager", "roles", "locale", "time_zone", "queues")
_ALSO: Final[Mapping[str, str]] = {
    "工号": "id",
    "姓名": "name",
    "邮箱": "email",
    "部门": "department",
    "上级": "manager",
    "角色": "roles",
    "语言": "locale",
    "时区": "time_zone",
    "队列": "queues",
    "手机": "sms",
    "企业微信": "wecom",
    "机器人": "robot",
}
"""Columns by their Chinese names."""


@dataclass(frozen=True, slots=True)
class RowProblem:
    """What is wrong: the row (the header is row 1), its column, and why."""

    row: int
    field: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffRow:
    """A row whose cells are well formed each; ``addresses`` are by channel, in the order of the columns."""

    row: int
    id: str
    name: str
    email: str = ""
    department: str = ""
    manager: str = ""
    roles: tuple[str, ...] = ()
    locale: str = ""
    time_zone: str = ""
    queues: tuple[str, ...] = ()
    addresses: Mapping[str, str]

    def published(self) -> dict[str, Any]:
        """The member in the published form of ``members.yaml``."""
        channels = {**self.addresses, **({"email": self.email} if self.email else {})}
        known = {
            name: getattr(self, name)
            for name in ("email", "department", "manager", "locale", "time_zone")
            if getattr(self, name)
        }
        return {"name": self.name, "roles": sorted(self.roles), **known, "channels": channels, "order": list(channels)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportStaff:
    """Imports a file; of ``deployed``, the members of the file in the repository, no id and no mail address is taken over."""

    keep_staff: KeepStaff
    deployed: Callable[[], StaffDirectory]
    files: Files

    def take(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """``{file, dry_run, by}`` → ``{taken, rows, rejected, rejections, …}`` and what KeepStaff answers of a list it keeps.

        With a problem in any row nothing is kept, and ``rejections`` are the first 200 (row, field, reason). Raises InvalidInput
        that names the field or the file's column, and RetryableError.
        """
        if unknown := payload.keys() - _FIELDS:
            raise InvalidInput(min(unknown), "is not known; expected file, dry_run and by")
        dry_run = payload.get("dry_run", False)
        if not isinstance(dry_run, bool):
            raise InvalidInput("dry_run", f"expected true or false, got {dry_run!r}")
        cells = read_rows(uploaded_text(payload.get("file"), self.files, example=EXAMPLE, largest=LARGEST).text)
        rows, problems = checked_rows(cells, self.deployed())
        answer: dict[str, Any] = {"rows": len(cells), "rejected": len({each.row for each in problems})}
        if problems:
            named = [asdict(each) for each in sorted(problems, key=lambda each: each.row)[:NAMED]]
            return {**answer, "taken": False, "dry_run": dry_run, "rejections": named}
        members = {each.id: each.published() for each in rows}
        queues: dict[str, list[str]] = {}
        for each in rows:
            for queue in each.queues:
                queues.setdefault(queue, []).append(each.id)
        by = str(payload.get("by", ""))
        kept = self.keep_staff.keep("import", members, queues, by=by, dry_run=dry_run)
        return {**answer, "taken": not dry_run, "rejections": [], **kept}


def read_rows(text: str) -> list[tuple[int, dict[str, str]]]:
    """The rows of a CSV file with their numbers, by the names of columns; empty rows are left out.

    Raises InvalidInput naming the column, for one that is missing, unknown or there twice.
    """
    reader = csv.DictReader(text.splitlines())
    columns = [_ALSO.get(name := (each or "").strip().lower(), name) for each in reader.fieldnames or ()]
    known = [*_COLUMNS, *(each for each in declared_channels() if each != "email")]
    for needed in ("id", "name"):
        if needed not in columns:
            raise InvalidInput(needed, f"expected a column of this name; the file has {', '.join(columns) or 'none'}")
    for name in columns:
        if name not in known:
            raise InvalidInput(name, f"unknown column; expected some of {', '.join(known)}")
        if columns.count(name) > 1:
            raise InvalidInput(name, "is there twice")
    reader.fieldnames = columns
    rows = [
        (reader.line_num, {name: (value or "").strip() for name, value in each.items() if isinstance(name, str)})
        for each in reader
    ]
    rows = [(number, each) for number, each in rows if any(each.values())]
    if len(rows) > MOST_MEMBERS:
        raise InvalidInput("file", f"expected at most {MOST_MEMBERS:,} rows, got {len(rows):,}")
    return rows


def checked_rows(
    rows: Sequence[tuple[int, Mapping[str, str]]], deployed: StaffDirectory
) -> tuple[list[StaffRow], list[RowProblem]]:
    """The rows whose cells are well formed, and every problem: of cells, of rows among each other and with ``members.yaml``."""
    found: list[StaffRow] = []
    problems: list[RowProblem] = []
    for number, cells in rows:
        row, wrong = _read(number, cells)
        found.append(row)
        problems += wrong
    problems += _contradictions(found, deployed)
    return found, problems


def _read(number: int, cells: Mapping[str, str]) -> tuple[StaffRow, list[RowProblem]]:
    problems: list[RowProblem] = []

    def cleaned(field: str, cleaner: Callable[[str], Any], text: str) -> str:
        match cleaner(text):
            case Unusable(reason):
                problems.append(RowProblem(number, field, reason))
                return ""
            case value:
                return str(value)

    def short(field: str, text: str) -> str:
        if len(text) > _LONGEST:
            problems.append(RowProblem(number, field, f"expected at most {_LONGEST} characters, got {len(text)}"))
        return text

    given = {name: cells.get(name, "") for name in _COLUMNS}
    if not is_member_id(given["id"]):
        reason = f"expected an id such as lin.chen or sales-1, of at most {LONGEST_ID} characters, got {given['id']!r}"
        problems.append(RowProblem(number, "id", reason))
    if not given["name"]:
        problems.append(RowProblem(number, "name", "is missing"))
    roles = _listed(given["roles"])
    problems += [
        RowProblem(number, "roles", f"unknown role {role!r}; expected some of {', '.join(ROLES)}")
        for role in roles
        if role not in ROLES
    ]
    cleaners = {"sms": cleaning.phone}
    addresses = {
        channel: cleaned(channel, cleaners.get(channel, str), cells[channel])
        for channel in cells
        if channel not in _COLUMNS and cells[channel]
    }
    email = cleaned("email", cleaning.email, given["email"]) if given["email"] else ""
    if not given["email"] and not addresses:
        problems.append(RowProblem(number, "email", "expected a mail address, or an address on another channel"))
    row = StaffRow(
        row=number,
        id=given["id"],
        name=short("name", given["name"]),
        email=email,
        department=short("department", given["department"]),
        manager=given["manager"],
        roles=roles,
        locale=cleaned("locale", locale, given["locale"]) if given["locale"] else "",
        time_zone=cleaned("time_zone", time_zone, given["time_zone"]) if given["time_zone"] else "",
        queues=tuple(short("queues", each) for each in _listed(given["queues"])),
        addresses=addresses,
    )
    return row, problems


def _listed(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for each in _LIST.split(text) if each))


def _contradictions(rows: Sequence[StaffRow], deployed: StaffDirectory) -> Iterator[RowProblem]:
    known_mails = {each.email: id_ for id_, each in deployed.members.items() if each.email}
    yield from _repeated(rows, "id", lambda each: each.id)
    yield from _repeated(rows, "email", lambda each: each.email)
    yield from _repeated(rows, "wecom", lambda each: each.addresses.get("wecom", "").lower())
    managers = {each.id: each.manager or None for each in rows}
    for row in rows:
        if row.id in deployed.members:
            yield RowProblem(row.row, "id", f"{row.id} is in members.yaml, which a deployment changes")
        if row.email in known_mails:
            yield RowProblem(row.row, "email", f"is that of {known_mails[row.email]} in members.yaml")
        if row.manager and row.manager not in managers and row.manager not in deployed.members:
            yield RowProblem(row.row, "manager", f"{row.manager} is neither in the file nor in members.yaml")
        elif row.id in above(row.id, managers):
            yield RowProblem(row.row, "manager", f"{row.id} would be above themselves")


def _repeated(rows: Iterable[StaffRow], field: str, key: Callable[[StaffRow], str]) -> Iterator[RowProblem]:
    seen: dict[str, int] = {}
    for row in rows:
        value = key(row)
        if value and (first := seen.setdefault(value, row.row)) != row.row:
            yield RowProblem(row.row, field, f"{value} is in row {first} already")
