"""Answers tasks as the members of staff of a scenario do: by the link in their notice, on its page. Used by rehearsals."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import urlencode

from local.cloud.local_cloud import LocalCloud
from local.loopback import call as http_call
from local.problems import LocalError
from local.rehearsal.scenario_file import ScenarioEvent
from waypost.authoring.problems import nearest
from waypost.sending.occasion import TASK_ASSIGNED, TASK_OVERDUE, StaffNotice
from waypost.staff.directory import ledger_id
from waypost.staff.human_task import HumanTask

_LINK: Final = re.compile(r"https?://[^\s\"<>]+/t/[\w.-]+")
_FORM: Final = {"content-type": "application/x-www-form-urlencoded"}


class TaskAnswers:
    """Answers tasks on ``cloud``."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._cloud = cloud

    def give(self, entry: ScenarioEvent, rows: Iterable[Mapping[str, Any]], place: str) -> str:
        """Give the answer now, by the member whom the entry names or the first who got the notice; "", or why it cannot be given.

        ``rows`` are what is kept of the contact; of several tasks of the name the newest is answered.
        """
        if entry.task_answer is None:
            return ""
        name, answer = entry.task_answer
        tasks = [HumanTask.from_dict(row) for row in rows if str(row["sk"]).startswith("task#")]
        named = sorted((each for each in tasks if each.name == name), key=lambda each: each.assigned_at)
        if not named:
            near = nearest(name, [each.name for each in tasks])
            return f"{place}: no task {name!r} had been given to staff" + (f"; did you mean {near!r}?" if near else "")
        task = named[-1]
        members = (entry.by,) if entry.by else task.assigned_to
        url = next(filter(None, (self._link(task, each) for each in members)), "")
        if not url:
            to = f" to {entry.by}" if entry.by else ""
            return f"{place}: no notice of the task {name!r} had gone out{to} yet; staff are notified in working hours"
        form = urlencode({"answer": answer, "note": entry.note or ""}).encode()
        response = http_call("POST", url, headers=_FORM, body=form)
        if response.status == 200:
            return ""
        if response.status in {409, 410}:
            return f"{place}: the task {name!r} took no answer any more"
        raise LocalError(f"{place}: {url} answered {response.status}", "look at the function answer_task")

    def _link(self, task: HumanTask, member: str) -> str:
        """The link in the notice that the member got, when the task was assigned or when it was overdue; "" without one."""
        occasions = (
            StaffNotice(ledger_id(member), notice=each, about=task.id) for each in (TASK_ASSIGNED, TASK_OVERDUE)
        )
        keys = {each.message_key for each in occasions}
        for call in self._cloud.providers.accepted:
            if call.message_key in keys and (found := _LINK.search(call.content.text)):
                return found[0]
        return ""
