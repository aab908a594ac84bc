"""Messages that members of the fake company are to send, and what it answers about them.

Sources: those of ``results.py``.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from waypost.channels import fake_contract as contract

CALLS: Final[Mapping[str, str]] = {
    "/cgi-bin/externalcontact/get_groupmsg_task": "task",
    "/cgi-bin/externalcontact/get_groupmsg_send_result": "result",
    "/cgi-bin/externalcontact/remind_groupmsg_send": "remind",
    "/cgi-bin/externalcontact/cancel_groupmsg_send": "stop",
}
OUTCOMES: Final[Mapping[str, int]] = {"sent": 1, "not_a_friend": 2, "had_another": 3}
_CONFIRMED: Final = 2
_MOST_LISTED: Final = 1_000
_MOST_REMINDERS: Final = 3
_DAY: Final = timedelta(hours=24)


@dataclass(slots=True)
class _Task:
    """A message that a member is to send to a customer; ``status`` is what get_groupmsg_send_result says of it."""

    customer: str
    member: str
    status: int = 0
    sent_at: datetime | None = None
    is_stopped: bool = False
    reminded_at: list[datetime] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        """Whether the member can still send it."""
        return self.status == 0 and not self.is_stopped


@dataclass(slots=True)
class CompanyTasks:
    """The tasks of a company, by the ids of their messages."""

    _tasks: dict[str, _Task] = field(default_factory=dict)

    def give(self, message_id: str, customer: str, member: str) -> None:
        """A member is given a message to send."""
        self._tasks[message_id] = _Task(customer, member)

    def confirm(self, customer: str, outcome: str, *, now: datetime) -> None:
        """The member sends the oldest message that waits for a customer. Raises ValueError where none does."""
        if outcome not in OUTCOMES:
            raise ValueError(f"outcome: {', '.join(OUTCOMES)}")
        task = next((each for each in self._tasks.values() if each.customer == customer and each.is_open), None)
        if task is None:
            raise ValueError(f"customer: no message waits for {customer}")
        task.status, task.sent_at = OUTCOMES[outcome], now

    @property
    def customers(self) -> list[str]:
        """For whom a message was given out, in order."""
        return [each.customer for each in self._tasks.values()]

    @property
    def reminders(self) -> Mapping[str, int]:
        """How often each member was reminded."""
        return Counter(each.member for each in self._tasks.values() for _ in each.reminded_at)

    def answer(self, path: str, given: Mapping[str, Any], *, now: datetime) -> contract.HttpAnswer:
        """What WeCom answers to one of ``CALLS``; each list has one item, because a task of ours is for one customer."""
        task = self._tasks.get(str(given.get("msgid", "")))
        if task is None or not 0 < given.get("limit", _MOST_LISTED) <= _MOST_LISTED:
            return _answer(40058, "invalid Request Parameter")
        item = {"userid": task.member, "send_time": int(task.sent_at.timestamp()) if task.sent_at else 0}
        match CALLS[path]:
            case "task":
                item |= {"status": _CONFIRMED if task.status else 0}
                return _answer(next_cursor="", task_list=[item])
            case "result":
                item |= {"external_userid": task.customer, "status": task.status}
                is_theirs = given.get("userid") == task.member
                return _answer(next_cursor="", send_list=[item]) if is_theirs else _answer(40003, "invalid userid")
            case "stop":
                task.is_stopped = True
                return _answer()
            case _:
                return _remind(task, now)


def _remind(task: _Task, now: datetime) -> contract.HttpAnswer:
    """Three reminders are taken in 24 hours; which code a fourth gets is not documented."""
    if sum(now - each < _DAY for each in task.reminded_at) >= _MOST_REMINDERS:
        return _answer(45009, "api freq out of limit")
    task.reminded_at.append(now)
    return _answer()


def _answer(code: int = 0, message: str = "ok", **content: Any) -> contract.HttpAnswer:
    return contract.HttpAnswer(status=200, content={"errcode": code, "errmsg": message, **content})
