"""The links on which a task is answered: signed for one task and one member. Made by the sender, read by the page.

How long a link is good the task itself says: its deadline and the time that an answer may be late.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from waypost.tracking.tokens import fields_of, signed

_PURPOSE: Final = b"waypost task 1."
_IN_GROUP: Final = "group"


@dataclass(frozen=True, slots=True)
class TaskLink:
    """Whose link it is, and to which task of which contact; ``member`` is the id under which the ledger knows them.

    ``in_group``: it stands where a whole group reads it, so that who opens it may be somebody else.
    """

    contact_id: str
    task_id: str
    member: str
    in_group: bool = False


def task_url(api_url: str, key: str, link: TaskLink) -> str:
    """The address of the page on which this member answers."""
    fields = [link.contact_id, link.task_id, link.member, *([_IN_GROUP] if link.in_group else [])]
    return f"{api_url.rstrip('/')}/t/{signed(fields, key, purpose=_PURPOSE)}"


def read_task_link(token: str, keys: Iterable[str]) -> TaskLink | None:
    """What a token says that one of the keys signed, else None."""
    fields = fields_of(token, keys, purpose=_PURPOSE)
    match fields:
        case [contact_id, task_id, member]:
            return TaskLink(str(contact_id), str(task_id), str(member))
        case [contact_id, task_id, member, str(where)] if where == _IN_GROUP:
            return TaskLink(str(contact_id), str(task_id), str(member), in_group=True)
        case _:
            return None
