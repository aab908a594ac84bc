"""The store of tasks: the fake and DynamoDB keep the same promises."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.fakes.human_tasks import FakeTasks
from waypost.aws.human_tasks import DynamoTasks
from waypost.staff.human_task import KEPT, HumanTask, TaskStore

AT = datetime(2031, 3, 3, 9, tzinfo=UTC)
TASK = HumanTask(
    id="t-1",
    name="service-call",
    title={"zh-CN": "回访", "en": "Call"},
    text={"*": "Ask about the parcel"},
    contact_id="c-1",
    enrolment_id="n-1",
    journey="win-back",
    step="Ask them to call",
    assigned_to=("lin.chen",),
    assigned_at=AT,
    due_at=AT + timedelta(days=1),
    escalates_to=("wei.zhang",),
)


@pytest.fixture(params=["fake", "dynamodb"])
def tasks(request: pytest.FixtureRequest, dynamodb: Any, table: str) -> TaskStore:
    return FakeTasks() if request.param == "fake" else DynamoTasks(dynamodb, table)


def test_a_task_is_opened_once(tasks: TaskStore) -> None:
    assert tasks.load("c-1", "t-1") is None
    assert tasks.open(TASK)
    assert not tasks.open(replace(TASK, name="another"))
    assert tasks.load("c-1", "t-1") == TASK
    assert tasks.load("c-2", "t-1") is None, "a link to another contact's task leads nowhere"


def test_the_first_answer_counts(tasks: TaskStore) -> None:
    tasks.open(TASK)
    first = TASK.answered("not_possible", by="lin.chen", at=AT, note="No such number")
    assert tasks.answer(first)
    assert not tasks.answer(TASK.answered("done", by="wei.zhang", at=AT, note=""))
    assert tasks.load("c-1", "t-1") == first


def test_a_task_that_is_gone_takes_no_answer(tasks: TaskStore) -> None:
    assert not tasks.answer(TASK.answered("done", by="lin.chen", at=AT, note=""))
    assert tasks.load("c-1", "t-1") is None


def test_a_row_outlives_its_last_answer_by_its_life(dynamodb: Any, table: str) -> None:
    DynamoTasks(dynamodb, table).open(TASK)
    [row] = dynamodb.scan(TableName=table)["Items"]
    assert int(row["expires_at"]["N"]) == int((TASK.open_until + KEPT).timestamp())
    DynamoTasks(dynamodb, table).answer(TASK.answered("done", by="lin.chen", at=AT, note=""))
    [row] = dynamodb.scan(TableName=table)["Items"]
    assert "expires_at" in row
