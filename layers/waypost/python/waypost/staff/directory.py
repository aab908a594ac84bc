"""The staff directory, as ``statemachines/staff/members.yaml`` declares it. Used by the sender, approvals and operations."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, Literal, Self, assert_never, get_args

from waypost import ids
from waypost.contacts.channels import Channel, declared_channels
from waypost.contacts.profile import Contact
from waypost.errors import InvalidInput
from waypost.published_sections import published_section

SECTION: Final = "staff"

Role = Literal["lead", "operator", "editor", "analyst"]
"""What a member does: leads decide, operators run, editors write, analysts read."""

ROLES: Final[tuple[Role, ...]] = get_args(Role)

_PREFIX: Final = "staff-"
_EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One person. ``channels`` has the address on each channel, in the order in which they are tried."""

    id: str
    name: str
    email: str
    roles: frozenset[Role]
    locale: str = ""
    time_zone: str = ""
    department: str = ""
    manager: str = ""
    channels: Mapping[Channel, str] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, member_id: str, value: Mapping[str, Any]) -> Self:
        """From the published form."""
        return cls(
            id=member_id,
            name=value["name"],
            email=value["email"],
            roles=frozenset(value["roles"]),
            locale=value.get("locale", ""),
            time_zone=value.get("time_zone", ""),
            department=value.get("department", ""),
            manager=value.get("manager", ""),
            channels={Channel(each): value["channels"][each] for each in value.get("order", value["channels"])},
        )

    @property
    def contact_id(self) -> str:
        """The id under which the ledger keeps what was sent to the member; no contact has it."""
        return ledger_id(self.id)

    def as_contact(self) -> Contact:
        """The member as the sender sees who gets a message: the addresses, the language and the zone, and nothing else."""
        known = {"first_name": self.name, "locale": self.locale, "timezone": self.time_zone}
        attributes: dict[str, Any] = {name: value for name, value in known.items() if value}
        identities: dict[str, list[str]] = {}
        for channel, address in self.channels.items():
            source = declared_channels()[channel].address
            match source.kept_as:
                case "attribute":
                    attributes[source.name] = address
                case "identity":
                    identities[source.name] = [address]
                case _:
                    assert_never(source.kept_as)
        return Contact(self.contact_id, created_at=_EVER, attributes=attributes, identities=identities)


@dataclass(frozen=True, slots=True)
class StaffDirectory:
    """Every member, by id, and the service queues: the members among whom work is shared."""

    members: Mapping[str, Member] = field(default_factory=dict)
    queues: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """From the published form; an empty one has nobody."""
        return cls(
            {id_: Member.from_dict(id_, each) for id_, each in value.get("members", {}).items()},
            {name: tuple(ids) for name, ids in value.get("queues", {}).items()},
        )

    def member(self, member_id: Any, field: str) -> Member:
        """The member of this id. Raises InvalidInput naming the field."""
        if isinstance(member_id, str) and member_id in self.members:
            return self.members[member_id]
        raise InvalidInput(field, f"should be the id of a member of staff (staff/members.yaml), not {member_id!r}")

    def known_as(self, name: Any) -> Member | None:
        """The member of this id, mail address or address on a channel (a WeCom user id); None for nobody."""
        if not isinstance(name, str) or not name:
            return None
        found = (each for each in self.members.values() if name == each.email or name in each.channels.values())
        return self.members.get(name) or next(found, None)

    def managers_of(self, member: Member, levels: int) -> list[Member]:
        """Who is above the member, nearest first, at most so many levels up."""
        found: list[Member] = []
        above = self.members.get(member.manager)
        while above is not None and above not in (member, *found) and len(found) < levels:
            found.append(above)
            above = self.members.get(above.manager)
        return found

    def in_department(self, department: str) -> list[Member]:
        """The members of a department, by id."""
        return [self.members[each] for each in sorted(self.members) if self.members[each].department == department]

    def from_queue(self, queue: str, work: str) -> Member | None:
        """The member of a queue who gets this piece of work: shared evenly, the same one whenever it is asked."""
        ids_ = [each for each in self.queues.get(queue, ()) if each in self.members]
        return self.members[ids_[int(ids.share("queue", queue, work) * len(ids_))]] if ids_ else None

    def in_order_of(self, contact_id: str, channels: tuple[Channel, ...]) -> tuple[Channel, ...]:
        """The channels as this member wants them tried; those without an address of the member's come last."""
        member = self._of(contact_id)
        order = list(member.channels) if member else []
        return tuple(sorted(channels, key=lambda each: order.index(each) if each in order else len(order)))

    def recipient(self, contact_id: str) -> Contact | None:
        """The member whom this id of the ledger stands for, as the sender sees who gets a message; None for no member."""
        member = self._of(contact_id)
        return member.as_contact() if member else None

    def _of(self, contact_id: str) -> Member | None:
        return self.members.get(member_named(contact_id)) if is_staff(contact_id) else None


def ledger_id(member_id: str) -> str:
    """The id of a member among those of contacts."""
    return _PREFIX + member_id.replace(".", "_")


def member_named(ledger_id: str) -> str:
    """The id of the member whom this id of the ledger stands for."""
    return ledger_id.removeprefix(_PREFIX).replace("_", ".")


def is_staff(contact_id: str) -> bool:
    """Whether the id stands for a member of staff: nothing that a contact does is under it."""
    return contact_id.startswith(_PREFIX)


@cache
def load_directory() -> StaffDirectory:
    """The staff of this deployment, from the journeys layer; parsed when the first message goes to a member."""
    return StaffDirectory.from_dict(published_section(SECTION))
