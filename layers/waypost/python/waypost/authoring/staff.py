"""The members of staff, ``statemachines/staff/members.yaml``, checked. Used by declaring, which publishes it."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

from waypost.authoring.authored_files import FileReader
from waypost.authoring.channels import ChannelName
from waypost.authoring.problems import Authored, unknown
from waypost.authoring.sending_policy import TimeZone
from waypost.channels.authored_contract import LocaleName
from waypost.contacts import cleaning
from waypost.contacts.channels import Channel
from waypost.contacts.cleaning import Unusable
from waypost.staff.directory import Role

FILE: Final = Path("staff") / "members.yaml"
EMAIL: Final = Channel("email")
ROBOT: Final = Channel("robot")
_CLEANERS: Final = {"email": cleaning.email, "sms": cleaning.phone}


def _email(text: str) -> str:
    match cleaning.email(text):
        case Unusable(reason):
            raise ValueError(reason)
        case cleaned:
            return cleaned


def _addresses(channels: dict[Channel, str]) -> dict[Channel, str]:
    found: dict[Channel, str] = {}
    for channel, address in channels.items():
        match _CLEANERS.get(channel, str)(address):
            case Unusable(reason):
                raise ValueError(f"{channel}: {reason}")
            case cleaned:
                found[channel] = cleaned
    if EMAIL in found:
        raise ValueError("email: is the member's email already; leave it out here")
    return found


class MemberEntry(Authored):
    """One member. ``channels`` are addresses by channel, tried in this order and before the mail address; the mail address is the member's own, nobody else's."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*([.-][a-z0-9]+)*$", max_length=40)]
    name: Annotated[str, Field(min_length=1, max_length=80)]
    email: Annotated[str, AfterValidator(_email)]
    roles: Annotated[list[Role], Field(default_factory=list, min_length=1)]
    locale: LocaleName | None = None
    time_zone: TimeZone | None = None
    department: Annotated[str, Field(min_length=1, max_length=80)] | None = None
    manager: str | None = None
    channels: Annotated[dict[ChannelName, str], AfterValidator(_addresses)] = Field(default_factory=dict)

    def published(self, department: Mapping[Channel, str]) -> dict[str, Any]:
        """The form that functions read: the member's own channels first, then the department's, then the mail address."""
        given = self.model_dump(exclude={"id", "channels"}, exclude_none=True)
        channels = {**self.channels, **{each: department[each] for each in department if each not in self.channels}}
        return given | {"channels": {**channels, EMAIL: self.email}, "order": [*channels, EMAIL]}


RobotName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]


class DepartmentEntry(Authored):
    """What a department has in common: the robot of its group, for members who name none."""

    robot: RobotName


class MembersFile(Authored):
    """All of ``members.yaml``. ``queues`` name the members among whom a kind of work is shared evenly."""

    members: Annotated[list[MemberEntry], Field(min_length=1)]
    queues: dict[Annotated[str, Field(min_length=1, max_length=80)], Annotated[list[str], Field(min_length=1)]] = Field(
        default_factory=dict
    )
    departments: dict[Annotated[str, Field(min_length=1, max_length=80)], DepartmentEntry] = Field(default_factory=dict)


def staff(reader: FileReader) -> dict[str, Any]:
    """``{"members": {id: member}, "queues": {name: [id]}}``; empty where no file is."""
    path = reader.root / FILE
    file = reader.declared(path, MembersFile)
    if file is None:
        return {}
    problems = list(_problems(file))
    reader.extend(path, problems)
    if problems:
        return {}
    robots = {name: {ROBOT: each.robot} for name, each in file.departments.items()}
    members = {each.id: each.published(robots.get(each.department or "", {})) for each in file.members}
    return {"members": members} | ({"queues": file.queues} if file.queues else {})


def _problems(file: MembersFile) -> Iterator[tuple[str, str]]:
    managers = {each.id: each.manager for each in file.members}
    for field in ("id", "email"):
        seen: dict[str, int] = {}
        for index, each in enumerate(file.members):
            value = getattr(each, field)
            if (first := seen.setdefault(value, index)) != index:
                yield f"members[{index}].{field}", f"{value} is members[{first}] already; each person is there once"
    for index, each in enumerate(file.members):
        if each.manager is not None and each.manager not in managers:
            yield f"members[{index}].manager", unknown(each.manager, managers, "unknown member")
        elif each.manager is not None and each.id in _above(each.id, managers):
            yield (
                f"members[{index}].manager",
                f"{each.id} would be above themselves; leave the manager of the first one out",
            )
    yield from _queue_problems(file.queues, managers)
    departments = {each.department for each in file.members if each.department}
    for name in file.departments:
        if name not in departments:
            yield f"departments.{name}", unknown(name, departments, "no member is in the department")


def _queue_problems(queues: Mapping[str, list[str]], members: Collection[str]) -> Iterator[tuple[str, str]]:
    for queue, ids in queues.items():
        for index, member in enumerate(ids):
            if member not in members:
                yield f"queues.{queue}[{index}]", unknown(member, members, "unknown member")
            elif member in ids[:index]:
                yield f"queues.{queue}[{index}]", f"{member} is there twice"


def _above(member: str, managers: Mapping[str, str | None]) -> list[str]:
    """Who is above a member, nearest first; ends where it comes round."""
    found: list[str] = []
    manager = managers.get(member)
    while manager is not None and manager not in found:
        found.append(manager)
        manager = managers.get(manager)
    return found
