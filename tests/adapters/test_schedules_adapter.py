"""One-time schedules in EventBridge Scheduler."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from tests.adapters.stores import REGION
from waypost.aws.schedules import EventBridgeSchedules
from waypost.errors import ServiceRefused, TemporarilyUnavailable

FUNCTIONS = "arn:aws:lambda:ap-east-1:000000000000:function"
REFERENCE = {"minute": "2027-03-03T02:00:00.000Z", "shard": 7}
TEN = datetime(2027, 3, 3, 2, 0, tzinfo=UTC)


def adapter(client: Any, now: datetime = TEN - timedelta(days=2)) -> EventBridgeSchedules:
    return EventBridgeSchedules(
        client=client,
        group="waypost-dev",
        role_arn="arn:aws:iam::000000000000:role/scheduler",
        dead_letters_arn="arn:aws:sqs:ap-east-1:000000000000:dead",
        resume_journey_arn=f"{FUNCTIONS}:resume",
        deferred_messages_arn=f"{FUNCTIONS}:send",
        clock=lambda: now,
    )


@pytest.fixture
def scheduler(aws: None) -> Any:
    client = boto3.client("scheduler", region_name=REGION)
    for group in client.list_schedule_groups()["ScheduleGroups"]:
        if group["Name"] == "waypost-dev":
            client.delete_schedule_group(Name="waypost-dev")
    client.create_schedule_group(Name="waypost-dev")
    return client


def booked(client: Any, name: str) -> dict[str, Any]:
    schedule: dict[str, Any] = client.get_schedule(Name=name, GroupName="waypost-dev")
    return schedule


def names(client: Any) -> list[str]:
    return [schedule["Name"] for schedule in client.list_schedules(GroupName="waypost-dev")["Schedules"]]


def test_a_timer_fires_once_at_its_time_and_the_schedule_deletes_itself(scheduler: Any) -> None:
    adapter(scheduler).resume_at("resume-1", TEN, REFERENCE)
    schedule = booked(scheduler, "resume-1")
    assert schedule["ScheduleExpression"] == "at(2027-03-03T02:00:00)"
    assert schedule["ScheduleExpressionTimezone"] == "UTC"
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert schedule["ActionAfterCompletion"] == "DELETE"
    assert schedule["Target"]["Arn"] == f"{FUNCTIONS}:resume"
    assert json.loads(schedule["Target"]["Input"]) == REFERENCE
    assert schedule["Target"]["DeadLetterConfig"]["Arn"].endswith(":dead")
    assert schedule["Target"]["RetryPolicy"]["MaximumEventAgeInSeconds"] == 86_400


def test_a_deferred_message_is_sent_by_the_other_function(scheduler: Any) -> None:
    adapter(scheduler).send_at("send-1", TEN, {"message": "nurture/welcome"})
    schedule = booked(scheduler, "send-1")
    assert schedule["Target"]["Arn"] == f"{FUNCTIONS}:send"
    assert json.loads(schedule["Target"]["Input"]) == {"message": "nurture/welcome"}


@pytest.mark.parametrize(
    ("microseconds", "expression"),
    [(0, "at(2027-03-03T02:00:00)"), (1, "at(2027-03-03T02:00:01)"), (999_999, "at(2027-03-03T02:00:01)")],
)
def test_a_schedule_never_fires_before_its_time(scheduler: Any, microseconds: int, expression: str) -> None:
    adapter(scheduler).resume_at("resume-1", TEN + timedelta(microseconds=microseconds), REFERENCE)
    assert booked(scheduler, "resume-1")["ScheduleExpression"] == expression


def test_booking_a_message_again_moves_its_schedule(scheduler: Any) -> None:
    adapter(scheduler).send_at("send-1", TEN, {})
    adapter(scheduler).send_at("send-1", TEN + timedelta(hours=1), {})
    assert names(scheduler) == ["send-1"]
    assert booked(scheduler, "send-1")["ScheduleExpression"] == "at(2027-03-03T03:00:00)"


def test_a_timer_that_another_process_has_booked_stays_as_it_is(scheduler: Any) -> None:
    adapter(scheduler).resume_at("resume-1", TEN, REFERENCE)
    adapter(scheduler).resume_at("resume-1", TEN + timedelta(hours=1), REFERENCE)
    assert booked(scheduler, "resume-1")["ScheduleExpression"] == "at(2027-03-03T02:00:00)"


def test_many_contacts_who_wait_for_the_same_minute_cost_one_call() -> None:
    client = boto3.client("scheduler", region_name=REGION, aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stub:
        stub.add_response("create_schedule", {"ScheduleArn": "arn:aws:scheduler:ap-east-1:000000000000:schedule/x/y"})
        timers = adapter(client)
        for _ in range(1000):
            timers.resume_at("resume-1", TEN, REFERENCE)
        stub.assert_no_pending_responses()


def test_a_schedule_can_be_cancelled_and_cancelling_again_is_no_error(scheduler: Any) -> None:
    adapter(scheduler).resume_at("resume-1", TEN, REFERENCE)
    adapter(scheduler).cancel("resume-1")
    adapter(scheduler).cancel("resume-1")
    assert names(scheduler) == []


def test_a_schedule_that_fires_while_it_is_moved_is_created_again() -> None:
    client = boto3.client("scheduler", region_name=REGION, aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stub:
        stub.add_client_error("create_schedule", "ConflictException", http_status_code=409)
        stub.add_client_error("update_schedule", "ResourceNotFoundException", http_status_code=404)
        stub.add_response("create_schedule", {"ScheduleArn": "arn:aws:scheduler:ap-east-1:000000000000:schedule/x/y"})
        adapter(client).send_at("send-1", TEN, {})
        stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("ThrottlingException", 429, TemporarilyUnavailable),
        ("InternalServerException", 500, TemporarilyUnavailable),
        ("ResourceNotFoundException", 404, ServiceRefused),
        ("ValidationException", 400, ServiceRefused),
    ],
)
def test_a_schedule_that_cannot_be_booked_says_whether_to_try_again(
    code: str, status: int, error: type[Exception]
) -> None:
    client = boto3.client("scheduler", region_name=REGION, aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stub:
        stub.add_client_error("create_schedule", code, http_status_code=status)
        with pytest.raises(error):
            adapter(client).resume_at("resume-1", TEN, REFERENCE)


def test_a_schedule_that_cannot_be_cancelled_for_now_says_so() -> None:
    client = boto3.client("scheduler", region_name=REGION, aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stub:
        stub.add_client_error("delete_schedule", "ThrottlingException", http_status_code=429)
        with pytest.raises(TemporarilyUnavailable):
            adapter(client).cancel("resume-1")


def asked(stub: Stubber, method: str, at: str, refusal: str = "") -> None:
    """The next call asks for this time, and is answered or refused."""
    expected = dict.fromkeys(("Name", "GroupName", "ScheduleExpressionTimezone", "FlexibleTimeWindow", "Target"), ANY)
    expected |= {"ActionAfterCompletion": ANY, "ScheduleExpression": f"at({at})"}
    if refusal:
        stub.add_client_error(method, refusal, "Invalid Schedule Expression", expected_params=expected)
    else:
        stub.add_response(method, {"ScheduleArn": f"{FUNCTIONS}:schedule"}, expected)


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (timedelta(milliseconds=400), "2027-03-03T02:00:05"),
        (timedelta(seconds=1), "2027-03-03T02:00:04"),
        (timedelta(0), "2027-03-03T02:00:05"),
        (timedelta(seconds=5), "2027-03-03T02:00:00"),
        (timedelta(seconds=-90), "2027-03-03T02:01:35"),
    ],
)
def test_nothing_is_booked_for_a_time_that_is_past_when_the_request_arrives(before: timedelta, expected: str) -> None:
    client = boto3.client("scheduler", region_name=REGION)
    with Stubber(client) as stub:
        asked(stub, "create_schedule", expected)
        asked(stub, "create_schedule", expected, "ConflictException")
        asked(stub, "update_schedule", expected)
        schedules = adapter(client, TEN - before)
        schedules.resume_at("resume-1", TEN, REFERENCE)
        schedules.send_at("send-1", TEN, REFERENCE)
        stub.assert_no_pending_responses()


def test_a_request_that_took_longer_than_its_time_is_made_again_for_a_later_one() -> None:
    client = boto3.client("scheduler", region_name=REGION)
    with Stubber(client) as stub:
        asked(stub, "create_schedule", "2027-03-03T02:00:00", "ValidationException")
        asked(stub, "create_schedule", "2027-03-03T02:00:50")
        adapter(client, TEN - timedelta(seconds=10)).resume_at("resume-1", TEN, REFERENCE)
        stub.assert_no_pending_responses()


def test_a_schedule_that_is_refused_for_another_reason_is_not_asked_for_again() -> None:
    client = boto3.client("scheduler", region_name=REGION)
    with Stubber(client) as stub:
        asked(stub, "create_schedule", "2027-03-03T02:00:00", "ValidationException")
        with pytest.raises(ServiceRefused):
            adapter(client).resume_at("resume-1", TEN, REFERENCE)
