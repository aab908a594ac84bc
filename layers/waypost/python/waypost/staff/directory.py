"""The staff directory, as ``statemachines/staff/members.yaml`` declares it. Used by the sender, approvals and operations."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, Literal, Self, assert_never, get_args

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
            channels={Channel(name): address for name, address in value["channels"].items()},
        )

    @property
    def contact_id(self) -> str:
        """The id under which the ledger keeps what was sent to the member; no contact has it."""
        return _PREFIX + self.id.replace(".", "_")

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
    """Every member, by id."""

    members: Mapping[str, Member] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """From the published form; an empty one has nobody."""
        return cls({id_: Member.from_dict(id_, each) for id_, each in value.get("members", {}).items()})

    def member(self, member_id: Any, field: str) -> Member:
        """The member of this id. Raises InvalidInput naming the field."""
        if isinstance(member_id, str) and member_id in self.members:
            return self.members[member_id]
        raise InvalidInput(field, f"should be the id of a member of staff (staff/members.yaml), not {member_id!r}")

    def recipient(self, contact_id: str) -> Contact | None:
        """The member whom this id of the ledger stands for, as the sender sees who gets a message; None for no member."""
        member = self.members.get(contact_id.removeprefix(_PREFIX).replace("_", "."))
        return member.as_contact() if member and is_staff(contact_id) else None


def is_staff(contact_id: str) -> bool:
    """Whether the id stands for a member of staff: nothing that a contact does is under it."""
    return contact_id.startswith(_PREFIX)


@cache
def load_directory() -> StaffDirectory:
    """The staff of this deployment, from the journeys layer; parsed when the first message goes to a member."""
    return StaffDirectory.from_dict(published_section(SECTION))
