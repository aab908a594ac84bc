"""Members of staff for tests."""

from typing import Any

from waypost.staff.directory import StaffDirectory


def directory(*ids: str, **fields: Any) -> StaffDirectory:
    """A directory of editors with these ids, each with a mail address of their own; ``fields`` hold for all of them."""
    return StaffDirectory.from_dict({"members": {member_id: member(member_id, **fields) for member_id in ids}})


def member(member_id: str, **fields: Any) -> dict[str, Any]:
    """A member as published."""
    email = f"{member_id}@staff.example"
    return {
        "name": member_id.replace(".", " ").title(),
        "email": email,
        "roles": ["editor"],
        "channels": {"email": email},
        **fields,
    }
