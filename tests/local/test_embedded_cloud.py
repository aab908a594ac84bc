"""The embedded cloud carries a journey as AWS would, with a small stack instead of the product."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from local.cloud.local_cloud import START, LocalCloud
from local.loopback import call
from local.problems import LocalError
from local.providers.record import Fault
from tests.local.tiny_stack import tiny_stack

pytestmark = pytest.mark.flow

Story = Callable[..., None]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    folder = tmp_path_factory.mktemp("tiny")
    with LocalCloud(folder / "cloud", assembly=tiny_stack(folder), delivery_events=True) as cloud:
        yield cloud


def begin(cloud: LocalCloud, **message: Any) -> None:
    """Send a message to the deployed API and wait until what it sets off has come to rest."""
    headers = {"content-type": "application/json"}
    answer = call("POST", f"{cloud.access.api_url}/v1/start", body=json.dumps(message).encode(), headers=headers)
    assert answer.status == 202
    cloud.time.settle()


def execution(cloud: LocalCloud, name: str) -> dict[str, Any]:
    arn = cloud.access.state_machines["tiny"].replace(":stateMachine:", ":execution:") + f":{name}"
    found: dict[str, Any] = cloud.client("stepfunctions").describe_execution(executionArn=arn)
    return found


def marks(cloud: LocalCloud, prefix: str) -> dict[str, str]:
    """The items the function wrote whose key starts with ``prefix``: key → virtual time."""
    items = cloud.client("dynamodb").scan(TableName="tiny")["Items"]
    return {item["pk"]["S"]: item["at"]["S"] for item in items if item["pk"]["S"].startswith(prefix)}


def test_a_schedule_fires_at_its_own_time(cloud: LocalCloud) -> None:
    started = cloud.clock.now()
    begin(cloud, id="two-days")
    cloud.time.travel_to(started + timedelta(days=3))
    ended = execution(cloud, "two-days")
    assert ended["status"] == "SUCCEEDED"
    assert json.loads(ended["output"]) == {"at": (started + timedelta(days=2)).isoformat()}


def test_a_recurring_schedule_fires_in_its_zone_at_each_of_its_times(cloud: LocalCloud) -> None:
    start = cloud.clock.now().replace(hour=2, minute=0) + timedelta(days=1)
    cloud.time.travel_to(start)
    before = marks(cloud, "sweep#")
    cloud.time.travel_to(start + timedelta(days=3))
    fired = sorted(marks(cloud, "sweep#").keys() - before.keys())
    assert fired == [f"sweep#{start + timedelta(days=day):%Y-%m-%d}T01:00" for day in (1, 2, 3)]


def test_the_end_of_an_execution_reaches_the_rule_before_everything_rests(cloud: LocalCloud) -> None:
    begin(cloud, id="seen-to-fail", end="fail")
    assert "status#seen-to-fail#FAILED" in marks(cloud, "status#")


@pytest.mark.parametrize(
    ("end", "error"),
    [("fail", "NotToday"), ("pause fails", "NotToday"), ("die", "Runtime.ExitError")],
)
def test_a_failed_function_fails_its_task_under_the_name_of_the_error(cloud: LocalCloud, end: str, error: str) -> None:
    name = f"failed-{end.replace(' ', '-')}"
    begin(cloud, id=name, end=end)
    ended = execution(cloud, name)
    assert (ended["status"], ended["error"]) == ("FAILED", error)


def test_only_the_first_answer_to_a_token_counts(cloud: LocalCloud) -> None:
    begin(cloud, id="answered-twice")
    item = cloud.client("dynamodb").get_item(TableName="tiny", Key={"pk": {"S": "pause#answered-twice"}})["Item"]
    service = cloud.client("stepfunctions")
    service.send_task_success(taskToken=item["token"]["S"], output='{"answer": 1}')
    with pytest.raises((service.exceptions.TaskTimedOut, service.exceptions.TaskDoesNotExist)):
        service.send_task_success(taskToken=item["token"]["S"], output='{"answer": 2}')
    cloud.time.settle()
    assert json.loads(execution(cloud, "answered-twice")["output"]) == {"answer": 1}


def test_a_message_that_was_not_processed_comes_back(cloud: LocalCloud) -> None:
    begin(cloud, id="second-try", fail_first=True)
    assert set(marks(cloud, "received#second-try")) == {"received#second-try#1", "received#second-try#2"}


def test_time_does_not_go_back(cloud: LocalCloud) -> None:
    now = cloud.clock.now()
    cloud.time.travel_to(now - timedelta(days=1))
    assert cloud.clock.now() == now


def test_what_became_of_a_mail_is_reported_on_the_event_bus(cloud: LocalCloud) -> None:
    begin(cloud, id="reported")
    assert {"event#Email Sent", "event#Email Delivered"} <= set(marks(cloud, "event#"))


def test_mail_of_an_unverified_sender_is_refused_by_the_embedded_cloud(cloud: LocalCloud) -> None:
    service = cloud.client("sesv2")
    with pytest.raises(service.exceptions.MessageRejected):
        service.send_email(
            FromEmailAddress="hello@elsewhere.example",
            Destination={"ToAddresses": ["lin@example.com"]},
            Content={"Simple": {"Subject": {"Data": "Hello"}, "Body": {"Text": {"Data": "Hello"}}}},
        )


def test_a_stack_that_fails_says_which_resource_and_why(tmp_path: Path) -> None:
    stack = tiny_stack(tmp_path)
    stack.template["Resources"]["Machine"]["Properties"]["DefinitionString"] = '{"Comment": "{% ( %}"}'
    with (
        pytest.raises(LocalError, match=r"Machine .*INVALID_JSONATA_EXPRESSION"),
        LocalCloud(tmp_path / "cloud", assembly=stack),
    ):
        pass


def test_a_resource_that_nothing_needs_may_be_unknown_here(tmp_path: Path) -> None:
    stack = tiny_stack(tmp_path)
    stack.template["Resources"]["Robot"] = {"Type": "AWS::RoboMaker::Robot", "Properties": {}}
    stack.template["Resources"]["Alarm"] = {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "Metrics": [{"Id": "sum", "Expression": "1 + 1"}],
            "Threshold": 1,
            "EvaluationPeriods": 1,
            "ComparisonOperator": "GreaterThanThreshold",
        },
    }
    with LocalCloud(tmp_path / "cloud", assembly=stack) as cloud:
        assert cloud.notes == ["the embedded cloud has no AWS::RoboMaker::Robot, so Robot is left out"]


def test_a_crash_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    with LocalCloud(tmp_path / "cloud", assembly=tiny_stack(tmp_path), keeps_state=True) as cloud:
        begin(cloud, id="before-the-crash")
        cloud.emulator.kill()
        cloud.start_emulator()
        cloud.time.settle()
        assert "pause#before-the-crash" in marks(cloud, "pause#")
        cloud.time.travel_to(START + timedelta(days=3))
        assert execution(cloud, "before-the-crash")["status"] == "SUCCEEDED"


def test_a_stopped_cloud_goes_on_where_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "cloud"
    with LocalCloud(folder, assembly=tiny_stack(tmp_path), keeps_state=True) as cloud:
        first = cloud.access
        begin(cloud, id="over-night")
        cloud.time.travel_to(START + timedelta(days=1))
    with LocalCloud(folder, assembly=tiny_stack(tmp_path), keeps_state=True) as cloud:
        cloud.time.settle()
        assert cloud.access == first
        assert cloud.clock.now() == START + timedelta(days=1)
        cloud.time.travel_to(START + timedelta(days=2, minutes=1))
        assert execution(cloud, "over-night")["status"] == "SUCCEEDED"


def test_a_stalled_provider_does_not_hold_up_the_end(tmp_path: Path) -> None:
    with LocalCloud(tmp_path / "cloud", assembly=tiny_stack(tmp_path)) as cloud:
        cloud.providers.fail(Fault(kind="stall", seconds=300))
        headers = {"content-type": "application/json"}
        call("POST", f"{cloud.access.api_url}/v1/start", body=b'{"id": "stalled"}', headers=headers)
        pid = cloud.emulator.pid
    assert pid is not None
    assert not Path(f"/proc/{pid}").exists()


def test_a_reset_brings_back_what_was_remembered(tmp_path: Path) -> None:
    with LocalCloud(tmp_path / "cloud", assembly=tiny_stack(tmp_path)) as cloud:
        begin(cloud, id="before")
        cloud.time.travel_to(START + timedelta(days=3))
        cloud.remember()
        remembered_at = cloud.clock.now()
        before = (marks(cloud, ""), cloud.emulator.quiet(within=1, after=remembered_at)["schedules"])
        begin(cloud, id="after")
        cloud.time.travel_to(remembered_at + timedelta(days=1))
        assert (marks(cloud, ""), len(cloud.providers.calls)) != (before[0], 0)

        cloud.reset()

        assert (marks(cloud, ""), cloud.emulator.quiet(within=1, after=remembered_at)["schedules"]) == before
        assert (cloud.clock.now(), cloud.providers.calls) == (START, [])
        with pytest.raises(cloud.client("stepfunctions").exceptions.ExecutionDoesNotExist):
            execution(cloud, "after")
        begin(cloud, id="once-more")
        cloud.time.travel_to(START + timedelta(days=3))
        assert execution(cloud, "once-more")["status"] == "SUCCEEDED"
