"""``waypost journey plan``, ``apply``, ``undo`` and ``deploy``, on a stage in moto: no machine runs, rows and records are as on AWS."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from moto import mock_aws
from typer.testing import CliRunner

from infra import deploy as deploying
from infra.project import ROOT, Project
from local.commands import live_changes as commands
from local.commands import project as project_commands
from local.commands.app import app
from local.journeys import chosen_stage, journey_changes
from local.journeys.stage import Stage
from tests.adapters.test_enrolments_contract import ONE, enrolment, parked
from tests.fakes.clock import FakeClock
from waypost.authoring.definition import deployed
from waypost.authoring.discovery import discover
from waypost.authoring.tasks import journey_tasks

REGION = "ap-east-1"
NAME, PAUSE = "follow-up", "Wait a day"
PREFIX = f"arn:aws:states:{REGION}:123456789012:stateMachine:waypost-dev-"
FORMER = "0a0a0a0a"


def definition(pause: str) -> dict[str, Any]:
    payload = {"for": "1d", "context": "{% $states.context %}"}
    waiting = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Arguments": {"FunctionName": "${PauseJourney}", "Payload": payload},
        "End": True,
    }
    return {"Comment": "Waits.", "QueryLanguage": "JSONata", "StartAt": pause, "States": {pause: waiting}}


@dataclass
class Company:
    """A project with one journey, and the stage on which an earlier flow of it is deployed."""

    folder: Path
    stage: Stage
    status: int = 0

    def write(self, pause: str, **manifest: Any) -> None:
        folder = self.folder / "statemachines" / "journeys" / NAME
        folder.mkdir(parents=True, exist_ok=True)
        fields = {"scenario": "follow up", "description": "Waits.", "owner": "tests", "trigger": {"event": "ordered"}}
        (folder / "journey.yaml").write_text(yaml.safe_dump({**fields, **manifest}), encoding="utf-8")
        (folder / "definition.asl.yaml").write_text(yaml.safe_dump(definition(pause)), encoding="utf-8")

    def make(self, version: str, pause: str) -> None:
        machine = deployed(definition(pause), tasks=journey_tasks(ROOT / "functions"))
        role = "arn:aws:iam::123456789012:role/journey"
        client = self.stage.clients("stepfunctions")
        client.create_state_machine(name=f"waypost-dev-{NAME}--{version}", definition=json.dumps(machine), roleArn=role)

    def cdk(self, *_: Any) -> int:
        """What ``cdk deploy`` does: the machine of the flow in the folder is made."""
        if self.status == 0:
            [wanted] = journey_changes.wanted_journeys(
                discover(self.folder / "statemachines", functions=ROOT / "functions")
            )
            self.make(wanted.version, next(iter(wanted.flow.pauses)))
        return self.status

    @property
    def rows(self) -> list[Any]:
        return self.stage.enrolments.unfinished("c-1")


@pytest.fixture
def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Company]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        clock = FakeClock("2027-03-01T02:00:00.000Z")
        clients = {
            name: boto3.client(name, region_name=REGION) for name in ("dynamodb", "stepfunctions", "sqs", "scheduler")
        }
        keys = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
        due = [{"AttributeName": "due_shard", "KeyType": "HASH"}, {"AttributeName": "due_at", "KeyType": "RANGE"}]
        clients["dynamodb"].create_table(
            TableName="contacts",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": each["AttributeName"], "AttributeType": "S"} for each in (*keys, *due)
            ],
            KeySchema=keys,
            GlobalSecondaryIndexes=[
                {"IndexName": "due", "KeySchema": due, "Projection": {"ProjectionType": "KEYS_ONLY"}}
            ],
        )
        queue = clients["sqs"].create_queue(QueueName="events.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
        outputs = {
            "ContactsTableName": "contacts",
            "StateMachinePrefix": PREFIX,
            "EventsQueueUrl": queue,
            "ScheduleGroup": "default",
        }
        company = Company(
            tmp_path, Stage(outputs=outputs, clients=clients.__getitem__, clock=clock, by="arn:aws:iam::1:user/ops")
        )
        company.write("Wait two days")
        company.make(FORMER, PAUSE)
        known = enrolment(clock, journey=NAME, machine_version=FORMER)
        company.stage.enrolments.open(known, ONE)
        row = company.rows[0]
        somewhere = parked(row, clock, days=1).pause
        assert somewhere is not None
        pause = replace(somewhere, state=PAUSE, row={"at": PAUSE, "input": {}, "variables": {}})
        company.stage.enrolments.note_due(known.contact_id, known.enrolment_id, pause.due_at)
        company.stage.enrolments.save(row.parked(pause))
        project = Project(folder=tmp_path, choices={"stage": "dev"}, product=ROOT)
        monkeypatch.setattr(commands, "current_project", lambda: project)
        monkeypatch.setattr(project_commands, "current_project", lambda: project)
        monkeypatch.setattr(chosen_stage, "current_project", lambda: project)
        for module in (commands, chosen_stage):
            monkeypatch.setattr(module, "stage_on_aws", lambda *_, **__: company.stage)
        monkeypatch.setattr(commands, "LOOK_AGAIN_SECONDS", 0.0)
        monkeypatch.setattr(deploying, "deploy", company.cdk)
        yield company


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"})
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout


def test_a_deployment_that_would_lose_somebody_is_refused_and_not_begun(company: Company) -> None:
    code, shown = run("deploy", "-c", "stage=dev")
    assert code == 1
    assert f"{NAME}/definition.asl.yaml: {PAUSE}: was removed or renamed, and 1 contact waits there" in shown.replace(
        "\n", " "
    )
    assert [each.version for each in company.stage.machines.versions()] == [FORMER]


def test_a_plan_is_read_by_machines(company: Company) -> None:
    code, shown = run("journey", "plan", "--stage", "dev", "--json")
    answer = json.loads(shown)
    assert code == 1
    [journey] = answer["journeys"]
    assert journey["versions"][0]["states"][0]["waiting"] == 1
    assert len(answer["refusals"]) == 1
    company.write("Wait two days", change={"states": {PAUSE: "stay"}})
    code, shown = run("journey", "plan", "--stage", "dev")
    assert code == 0
    assert "stay" in shown


def test_a_deployment_takes_the_contacts_along_and_is_undone(company: Company) -> None:
    company.write("Wait two days", change={"states": {PAUSE: {"move": "Wait two days"}}})

    code, shown = run("deploy", "-c", "stage=dev")

    assert code == 0, shown
    assert [(row.pause.state, row.machine_version != FORMER) for row in company.rows] == [("Wait two days", True)]
    [change] = company.stage.changes.recent()
    assert (change.by, change.counts) == ("arn:aws:iam::1:user/ops", {FORMER: {PAUSE: {"move": 1}}})
    code, shown = run("journey", "changes", "--stage", "dev")
    assert f"{PAUSE}: 1 move" in shown

    code, shown = run("journey", "undo", change.id, "--stage", "dev", "--json")
    assert (code, json.loads(shown)["undone"]) == (0, {"restored": 1})
    assert [(row.pause.state, row.machine_version) for row in company.rows] == [(PAUSE, FORMER)]


def test_a_deployment_that_fails_changes_nobody_and_the_next_one_goes_on(company: Company) -> None:
    company.write("Wait two days", change={"states": {PAUSE: {"stop": "over"}}})
    company.status = 2
    assert run("deploy")[0] == 2
    assert [row.status for row in company.rows] == ["active"]
    code, shown = run("journey", "apply", "--stage", "dev")
    assert (code, "not deployed yet" in shown) == (0, True)

    company.status = 0
    assert run("deploy")[0] == 0
    assert company.rows == []
    assert [each.finished_at is not None for each in company.stage.changes.recent()] == [True]


def test_former_versions_are_deleted_when_neither_a_contact_nor_an_undo_needs_them(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.write("Wait two days", change={"states": {PAUSE: {"move": "Wait two days"}}})
    run("deploy")
    assert json.loads(run("journey", "tidy", "--stage", "dev", "--json")[1]) == []

    monkeypatch.setattr(type(company.stage.changes), "recent", lambda _: [])  # 60 days later
    assert json.loads(run("journey", "tidy", "--stage", "dev", "--json")[1]) == [f"{NAME}, version {FORMER}"]
    assert FORMER not in [each.version for each in company.stage.machines.versions()]


def test_what_the_cdk_is_told_is_heard() -> None:
    arguments = [
        "-c",
        "stage=prod",
        "--context=email_sender=a@b.c",
        "--profile",
        "ops",
        "--region=eu-west-1",
        "--no-execute",
    ]
    assert deploying.chosen(arguments) == {
        "stage": "prod",
        "email_sender": "a@b.c",
        "profile": "ops",
        "region": "eu-west-1",
    }
