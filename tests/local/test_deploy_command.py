"""The first deployment of production can be repeated when it fails; an account is prepared from this machine alone."""

from typing import Any

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner

from infra import deploy as deploying
from infra.project import ROOT, Project
from local.commands import live_changes
from local.commands import project as project_commands
from local.commands.app import app

ARGUMENTS = list[str]


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[ARGUMENTS]:
    """The arguments of each run of the CDK, in an account without a stage; a run with ``-c broken=yes`` fails."""
    made: list[ARGUMENTS] = []

    def cdk(_: Project, arguments: ARGUMENTS) -> int:
        made.append(list(arguments))
        return int("broken=yes" in arguments)

    project = Project.at(ROOT)
    monkeypatch.setattr(live_changes, "current_project", lambda: project)
    monkeypatch.setattr(live_changes, "stage_on_aws", lambda *_, **__: None)
    monkeypatch.setattr(project_commands, "current_project", lambda: project)
    monkeypatch.setattr(deploying, "deploy", cdk)
    return made


def deploy(*arguments: str) -> int:
    return CliRunner().invoke(app, ["deploy", *arguments]).exit_code


def test_production_is_protected_once_its_first_deployment_stands(runs: list[ARGUMENTS]) -> None:
    assert deploy("-c", "stage=prod") == 0
    assert runs == [["-c", "stage=prod", "-c", "protected=no"], ["-c", "stage=prod"]]


def test_a_first_deployment_that_fails_is_not_protected(runs: list[ARGUMENTS]) -> None:
    assert deploy("-c", "stage=prod", "-c", "broken=yes") == 1
    assert runs == [["-c", "stage=prod", "-c", "broken=yes", "-c", "protected=no"]]


@pytest.mark.parametrize(
    "arguments", [["-c", "stage=dev"], ["-c", "stage=prod", "--no-execute"], ["-c", "stage=prod", "-c", "protected=no"]]
)
def test_what_needs_no_protection_or_asks_for_a_preview_is_run_once(
    runs: list[ARGUMENTS], arguments: ARGUMENTS
) -> None:
    assert deploy(*arguments) == 0
    assert runs == [arguments]


def test_an_account_is_bootstrapped_for_the_credentials_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[tuple[str, ARGUMENTS]] = []

    def bootstrap(_: Project, environment: str, arguments: ARGUMENTS) -> int:
        called.append((environment, list(arguments)))
        return 0

    monkeypatch.setattr(deploying, "bootstrap", bootstrap)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        assert CliRunner().invoke(app, ["bootstrap", "--region", "eu-west-1"]).exit_code == 0

    assert called == [("aws://123456789012/eu-west-1", ["--region", "eu-west-1"])]


def test_without_a_region_a_bootstrap_says_what_to_choose(monkeypatch: pytest.MonkeyPatch) -> None:
    class NoRegion:
        region_name = None

        def __init__(self, **_: Any) -> None: ...

    monkeypatch.setattr(boto3, "Session", NoRegion)

    answer = CliRunner().invoke(app, ["bootstrap"])

    assert answer.exit_code != 0
    assert "no region is chosen" in str(answer.exception) + answer.output
