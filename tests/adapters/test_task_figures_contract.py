"""What every TaskFigures must do."""

from datetime import date

from tests.adapters.stores import Stores
from waypost.tracking.task_figures import TaskCounts, TaskGroup

MARCH = TaskGroup("2027-03", "welcome-series/guide", "zhang.san")
LI = TaskGroup("2027-03", "welcome-series/guide", "li.si")


def test_counts_add_up_for_each_message_and_member_of_a_month(stores: Stores) -> None:
    figures = stores.task_figures
    figures.add("wecom", MARCH, TaskCounts(sent=2, failed=1))
    figures.add("wecom", MARCH, TaskCounts(sent=1, withdrawn=4))
    figures.add("wecom", LI, TaskCounts(withdrawn=1))
    figures.add("wecom", TaskGroup("2027-04", "welcome-series/guide", "li.si"), TaskCounts(sent=9))
    figures.add("other", LI, TaskCounts(sent=9))
    assert dict(figures.of("wecom", "2027-03")) == {MARCH: TaskCounts(3, 1, 4), LI: TaskCounts(withdrawn=1)}
    assert list(figures.of("wecom", "2027-05")) == []


def test_a_member_is_reminded_once_a_day(stores: Stores) -> None:
    figures, today = stores.task_figures, date(2027, 3, 1)
    taken = [figures.take_reminder("wecom", "zhang.san", today) for _ in range(2)]
    assert taken == [True, False]
    assert figures.take_reminder("wecom", "li.si", today)
    assert figures.take_reminder("wecom", "zhang.san", date(2027, 3, 2))
    assert not figures.take_reminder("wecom", "zhang.san", today)


def test_the_share_of_confirmed_tasks_counts_what_was_sent_in_vain() -> None:
    assert TaskCounts(sent=6, failed=2, withdrawn=2).confirmed == 0.8
    assert TaskCounts().confirmed is None
