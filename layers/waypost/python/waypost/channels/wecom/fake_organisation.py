"""The departments and members of the fake company. Sources: those of ``staff.py``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from waypost.channels import fake_contract as contract

CALLS: Final[Mapping[str, str]] = {"/cgi-bin/department/list": "departments", "/cgi-bin/user/list": "members"}
COMPANY: Final = 1
"""The department that all others are in."""


@dataclass(slots=True)
class _Member:
    name: str
    department: int
    leader: str
    status: int = 1


@dataclass(slots=True)
class Organisation:
    """The departments by name, whose numbers are their place, and members by userid."""

    departments: list[str] = field(default_factory=lambda: ["公司"])
    leaders: dict[int, str] = field(default_factory=dict)
    members: dict[str, _Member] = field(default_factory=dict)

    def hire(self, userid: str, name: str, department: str, leader: str = "", *, leads: bool = False) -> None:
        """A member comes, or goes to another department; ``leader`` is whom they report to, ``leads`` that they lead it."""
        if department not in self.departments:
            self.departments.append(department)
        number = self.departments.index(department) + COMPANY
        self.members[userid] = _Member(name, number, leader)
        if leads:
            self.leaders[number] = userid

    def dismiss(self, userid: str) -> None:
        """A member leaves. Raises ValueError for nobody."""
        if userid not in self.members:
            raise ValueError(f"member: {userid} does not work here")
        self.members[userid].status = 5

    def answer(self, path: str, asked: Mapping[str, str]) -> contract.HttpAnswer:
        """What WeCom answers to one of ``CALLS``; the members of a department are its own, not those of the ones in it."""
        if CALLS[path] == "departments":
            shown = [
                {
                    "id": number,
                    "name": name,
                    "parentid": COMPANY if number > COMPANY else 0,
                    "department_leader": [self.leaders[number]] if number in self.leaders else [],
                }
                for number, name in enumerate(self.departments, start=COMPANY)
            ]
            return _answer(department=shown)
        number = int(asked["department_id"]) if asked.get("department_id", "").isdigit() else 0
        if not COMPANY <= number <= len(self.departments):
            return _answer(60003, "department not found")
        return _answer(
            userlist=[_shown(userid, each) for userid, each in self.members.items() if each.department == number]
        )


def _shown(userid: str, member: _Member) -> dict[str, Any]:
    return {
        "userid": userid,
        "name": member.name,
        "department": [member.department],
        "main_department": member.department,
        "direct_leader": [member.leader] if member.leader else [],
        "status": member.status,
    }


def _answer(code: int = 0, message: str = "ok", **content: Any) -> contract.HttpAnswer:
    return contract.HttpAnswer(status=200, content={"errcode": code, "errmsg": message, **content})
