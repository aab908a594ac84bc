"""The ``waypost`` command: what it says, and its exit status."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from local import cli
from local.commands.app import app
from local.running.background import FOLDER_VARIABLE
from waypost.clock import parse_instant

COMMANDS = [
    "act",
    "check",
    "demo",
    "docs",
    "down",
    "init",
    "rehearse",
    "send-event",
    "status",
    "timeline",
    "travel",
    "up",
    "why",
]


def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What the command says on standard error when it ends with status 2."""
    monkeypatch.setattr(sys, "argv", ["waypost", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    return capsys.readouterr().err


def test_help_names_every_command() -> None:
    shown = CliRunner().invoke(app, ["--help"])
    assert shown.exit_code == 0
    assert all(command in shown.output for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    shown = CliRunner().invoke(app, [command, "--help"])
    assert shown.exit_code == 0
    assert "--json" in shown.output


@pytest.mark.parametrize(
    "arguments",
    [["status"], ["act"], ["timeline", "lin"], ["send-event", "lin", "registered"], ["travel", "2d"], ["why", "m-1"]],
)
def test_without_a_running_cloud_the_way_out_is_reported_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: list[str]
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    assert refused(monkeypatch, capsys, *arguments) == "error: nothing is running → waypost up starts it\n"


def test_stopping_what_does_not_run_is_no_problem(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    stopped = CliRunner().invoke(app, ["down", "--json"])
    assert (stopped.exit_code, json.loads(stopped.output)) == (0, {"stopped": False})


def test_an_unknown_journey_names_the_known_ones(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    error = refused(monkeypatch, capsys, "rehearse", "moon-landing")
    assert error.startswith("error: there is no journey 'moon-landing' → journeys: ")
    assert "new-user-nurture" in error


def test_an_unknown_scenario_names_the_known_ones(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    error = refused(monkeypatch, capsys, "rehearse", "new-user-nurture", "--scenario", "flies away")
    assert "has no scenario 'flies away' → scenarios: " in error


def test_a_scenario_without_its_journey_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "→ name the journey too" in refused(monkeypatch, capsys, "rehearse", "--scenario", "flies away")


def test_content_that_is_not_there_is_refused_with_a_way_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    problem = refused(monkeypatch, capsys, "--content", str(tmp_path), "check")
    assert problem.startswith(f"error: there is no statemachines/ in {tmp_path} → waypost init ")


def test_the_guides_of_the_installed_version_are_named() -> None:
    shown = CliRunner().invoke(app, ["docs", "--json"])
    assert {"authoring.md", "operating.md"} <= {Path(path).name for path in json.loads(shown.output)}


def test_a_time_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert "'tomorrow' is neither a duration nor an instant" in refused(monkeypatch, capsys, "travel", "tomorrow")


def test_wrong_usage_has_the_same_status(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert "No such command" in refused(monkeypatch, capsys, "fly")


class Running:
    """The command with a background process of its own."""

    def __init__(self, folder: Path) -> None:
        self._environment = {**os.environ, FOLDER_VARIABLE: str(folder)}

    def __call__(self, *arguments: str) -> Any:
        command = [sys.executable, "-c", "from local.cli import main; main()", *arguments, "--json"]
        done = subprocess.run(  # noqa: S603 -- our own command
            command, env=self._environment, capture_output=True, text=True, timeout=240, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def waypost(tmp_path: Path) -> Iterator[Running]:
    command = Running(tmp_path)
    yield command
    command("down")


@pytest.mark.flow
def test_what_runs_can_be_used_stopped_and_taken_up_again(waypost: Running) -> None:
    first = waypost("up")
    assert waypost("up") == first
    assert first["state_machines"]["new-user-nurture"].startswith("arn:aws:states:")

    traits = ["-t", "email=lin@example.com", "-t", 'consent={"email": true}', "-t", "timezone=Asia/Shanghai"]
    waypost("send-event", "lin", "registered", "-p", "source=app", *traits)
    before = parse_instant(waypost("status")["now"])
    assert (parse_instant(waypost("travel", "1d")["now"]) - before).total_seconds() >= 86_400
    titles = [entry["title"] for entry in waypost("timeline", "lin@example.com")]
    assert "journey entered" in titles
    assert "welcome sent" in titles

    assert waypost("down") == {"stopped": True}
    again = waypost("up")
    assert {name: again[name] for name in ("api_url", "write_key")} == {
        name: first[name] for name in ("api_url", "write_key")
    }
    assert [entry["title"] for entry in waypost("timeline", "lin")][: len(titles)] == titles
    waypost("travel", "2d")
    assert "interest-survey skipped" in [entry["title"] for entry in waypost("timeline", "lin")]
