"""How many of the messages that members of staff send were sent, in a month. Called by the operation show-task-results."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from waypost.clock import Clock
from waypost.contacts.channels import Channel
from waypost.errors import InvalidInput
from waypost.staff.directory import StaffDirectory
from waypost.tracking.task_figures import TaskCounts, TaskFigures

MOST_SHOWN: Final = 200
"""Messages, and members, that the answer names: those with the most tasks. A state's output has room for a few thousand."""
_MONTH: Final = re.compile(r"20\d\d-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowTaskResults:
    """Adds the counts of every channel up whose messages are tasks."""

    figures: TaskFigures
    channels: Iterable[Channel]
    staff: Callable[[], StaffDirectory]
    zone: ZoneInfo
    clock: Clock

    def show(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """``{month?}`` → ``{month, tasks, sent, failed, withdrawn, confirmed, messages, members, more}``.

        ``confirmed`` is the share of the tasks that members confirmed, of those that ended; None without any. Each of ``messages``
        and ``members`` has the same figures, the most tasks first; ``more`` counts what is left out of both. Tasks belong to the
        month in which they were given out; those that wait are not among them. Raises InvalidInput.
        """
        month = request.get("month") or f"{self.clock().astimezone(self.zone):%Y-%m}"
        if not (isinstance(month, str) and _MONTH.fullmatch(month)):
            raise InvalidInput("month", f"should be a month such as 2027-03, not {month!r}")
        total = TaskCounts()
        messages, members = defaultdict[str, TaskCounts](TaskCounts), defaultdict[str, TaskCounts](TaskCounts)
        for channel in self.channels:
            for group, counts in self.figures.of(channel, month):
                total += counts
                messages[group.message] += counts
                members[self._name_of(group.member)] += counts
        return {
            "month": month,
            **_figures(total),
            "messages": [{"message": name, **_figures(counts)} for name, counts in _most(messages)],
            "members": [{"member": name, **_figures(counts)} for name, counts in _most(members)],
            "more": max(len(messages) - MOST_SHOWN, 0) + max(len(members) - MOST_SHOWN, 0),
        }

    def _name_of(self, member: str) -> str:
        known = self.staff().known_as(member)
        return known.id if known else member


def _figures(counts: TaskCounts) -> dict[str, Any]:
    confirmed = counts.confirmed
    return {
        "tasks": counts.ended,
        **asdict(counts),
        "confirmed": None if confirmed is None else round(confirmed, 3),
    }


def _most(counts: Mapping[str, TaskCounts]) -> list[tuple[str, TaskCounts]]:
    return sorted(counts.items(), key=lambda each: (-each[1].ended, each[0]))[:MOST_SHOWN]
