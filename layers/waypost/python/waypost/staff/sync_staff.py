"""Takes the members of staff from WeCom in place of those of the last sync. Called by sync_staff.

The checks are those of a file. But where a file is refused as a whole, here nobody could correct a single member's entry: what cannot
be used of a member is left out and named.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from waypost.errors import InvalidInput, TemporarilyUnavailable
from waypost.staff.directory import StaffDirectory
from waypost.staff.import_staff import NAMED, RowProblem, StaffRow, checked_rows
from waypost.staff.keep_staff import KeepStaff
from waypost.staff.organisation import LONGEST_ID
from waypost.staff.outside_members import NoList, OutsideMember, StaffSource

_FIELDS: Final = frozenset({"dry_run", "by", "shrink"})
_UNUSABLE: Final = re.compile(r"[^a-z0-9.-]+|[.-]{2,}")
_LIKE_A_CUT: Final = 10
"""From so many known members on, the loss of more than half of them is taken for a mistake."""
_MAY_BE_EMPTY: Final = frozenset({"manager", "email", "department"})
"""What a member can be without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncStaff:
    """``source`` is asked for everybody; a member of ``members.yaml`` who is there too is completed by what the file leaves open."""

    keep_staff: KeepStaff
    source: Callable[[], StaffSource]

    def take(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """``{dry_run?, by?, shrink?}`` → ``{found, left_out, corrected, problems, …}`` and what KeepStaff answers.

        ``problems`` are the first 200 (member, field, reason). Raises InvalidInput when the list cannot be had or when more than half
        of the members would leave, unless ``shrink`` says that they do, and RetryableError.
        """
        if unknown := payload.keys() - _FIELDS:
            raise InvalidInput(min(unknown), "is not known; expected dry_run, by and shrink")
        dry_run, shrink = (_flag(payload, name) for name in ("dry_run", "shrink"))
        match self.source().members():
            case NoList(reason=reason, later=True):
                raise TemporarilyUnavailable(f"wecom: {reason}")
            case NoList(reason=reason):
                raise InvalidInput("wecom", reason)
            case found:
                rows, problems = usable(found)
        if not shrink:
            self._check_loss({each.id for each in rows})
        kept = self.keep_staff.keep(
            "wecom", {each.id: each.published() for each in rows}, {}, by=str(payload.get("by", "")), dry_run=dry_run
        )
        return {
            "found": len(found),
            "left_out": len(found) - len(rows),
            "corrected": len({each["member"] for each in problems} & {each.addresses["wecom"] for each in rows}),
            "problems": problems[:NAMED],
            **kept,
        }

    def _check_loss(self, ids: set[str]) -> None:
        """An app that may see less of the company than before would have everybody else leave."""
        last = self.keep_staff.store.newest().lists.get("wecom")
        known = last.members.keys() if last else set[str]()
        leaving = len(known - ids)
        if len(known) >= _LIKE_A_CUT and leaving * 2 > len(known):
            reason = f"{leaving} of {len(known)} members would leave; if they do, start it with true"
            raise InvalidInput("shrink", f"{reason}, else look at what the app may see (可见范围)")


def usable(found: Sequence[OutsideMember]) -> tuple[list[StaffRow], list[dict[str, str]]]:
    """The members in the form of a file's rows, and what was left out of them: ``{member, field, reason}``."""
    spelled = {each.userid.lower(): each.userid for each in found}
    cells = {number: _cells(each, spelled) for number, each in enumerate(found)}
    names = {number: each.userid for number, each in enumerate(found)}
    findings = list[dict[str, str]]()
    while True:
        rows, problems = checked_rows(list(cells.items()), StaffDirectory())
        if not problems:
            return rows, findings
        for problem in problems:
            findings.append({"member": names[problem.row], "field": problem.field, "reason": problem.reason})
            _correct(cells, problem)


def _correct(cells: dict[int, dict[str, str]], problem: RowProblem) -> None:
    """Leave out the field that is wrong, or the member who cannot be without it and leads no one then."""
    if problem.field in _MAY_BE_EMPTY:
        cells.get(problem.row, {}).pop(problem.field, None)
        return
    gone = cells.pop(problem.row, None)
    for each in cells.values():
        if gone and each.get("manager") == gone["id"]:
            del each["manager"]


def _cells(member: OutsideMember, spelled: Mapping[str, str]) -> dict[str, str]:
    """A row of a file; ``spelled`` has everybody's userid by its small letters, since WeCom spells a manager's either way."""
    manager = spelled.get(member.manager.lower(), "")
    given = {
        "id": id_of(member.userid),
        "name": member.name,
        "email": member.email,
        "department": member.department,
        "manager": id_of(manager) if manager else "",
        "wecom": member.userid,
    }
    return {name: value for name, value in given.items() if value}


def id_of(userid: str) -> str:
    """The id that a member of WeCom has here: the userid in small letters, with ``-`` for what an id has no room for."""
    text = _UNUSABLE.sub("-", userid.lower())
    text = _UNUSABLE.sub("-", text).strip(".-")[:LONGEST_ID].rstrip(".-")
    return text if text[:1].isalpha() else f"m-{text}"[:LONGEST_ID]


def _flag(payload: Mapping[str, Any], name: str) -> bool:
    value = payload.get(name, False)
    if not isinstance(value, bool):
        raise InvalidInput(name, f"expected true or false, got {value!r}")
    return value
