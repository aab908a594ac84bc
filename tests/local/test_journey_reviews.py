"""Which journeys are due for a review, and the day of one written down."""

import json
import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from local.commands.app import app
from local.problems import LocalError
from local.project.current_project import CONTENT_VARIABLE, current_project
from local.project.init_project import copy_sample_content
from local.project.journey_reviews import record_review, reviews

KEPT = ("level-up", "live-event", "staff-alerts")
DAY = date(2027, 3, 1)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with three journeys, all of them reviewed."""
    copy_sample_content(tmp_path)
    for folder in (tmp_path / "statemachines" / "journeys").iterdir():
        if folder.name not in KEPT:
            shutil.rmtree(folder)
    (tmp_path / "cdk.json").write_text("{}", encoding="utf-8")
    monkeypatch.setenv(CONTENT_VARIABLE, str(tmp_path))
    for name in KEPT:
        record_review(current_project(), name, DAY)
    return tmp_path


def manifest(project: Path, journey: str) -> Path:
    return project / "statemachines" / "journeys" / journey / "journey.yaml"


def by_journey(today: date) -> dict[str, Any]:
    return {each.journey: each for each in reviews(current_project(), today)}


@pytest.mark.parametrize(("days", "is_due"), [(179, False), (180, True)])
def test_a_journey_is_due_half_a_year_after_its_review(project: Path, days: int, is_due: bool) -> None:
    found = by_journey(DAY + timedelta(days=days))["level-up"]
    assert (found.reviewed, found.due, found.is_due) == (DAY, DAY + timedelta(days=180), is_due)


def test_one_that_was_never_reviewed_is_due_at_once_and_comes_first(project: Path) -> None:
    path = manifest(project, "live-event")
    path.write_text(path.read_text(encoding="utf-8").replace(f"reviewed: {DAY}\n", ""), encoding="utf-8")
    first = reviews(current_project(), DAY)[0]
    assert (first.journey, first.reviewed, first.is_due) == ("live-event", None, True)


def test_a_closed_journey_is_not_asked_for(project: Path) -> None:
    path = manifest(project, "staff-alerts")
    path.write_text(path.read_text(encoding="utf-8") + "closed: true\n", encoding="utf-8")
    assert "staff-alerts" not in by_journey(DAY + timedelta(days=999))


def test_a_review_changes_one_line_of_the_manifest(project: Path) -> None:
    path = manifest(project, "level-up")
    before = path.read_text(encoding="utf-8").splitlines()
    record_review(current_project(), "level-up", DAY + timedelta(days=100))
    after = path.read_text(encoding="utf-8").splitlines()
    assert [(old, new) for old, new in zip(before, after, strict=True) if old != new] == [
        (f"reviewed: {DAY}", "reviewed: 2027-06-09")
    ]


def test_the_command_ends_with_1_while_one_is_due(project: Path) -> None:
    for name in KEPT:
        record_review(current_project(), name, date(2020, 1, 1))
    assert CliRunner().invoke(app, ["journey", "reviews"]).exit_code == 1
    for name in KEPT:
        assert CliRunner().invoke(app, ["journey", "review", name]).exit_code == 0
    shown = CliRunner().invoke(app, ["journey", "reviews", "--json"])
    assert shown.exit_code == 0
    assert {each["journey"] for each in json.loads(shown.output)} == set(KEPT)


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["level-up", "--on", "tomorrow"], "is no day"),
        (["level-up", "--on", "9999-01-01"], "is to come"),
        (["no-such-journey"], "there is no journey"),
    ],
)
def test_what_cannot_be_written_down_is_refused(project: Path, arguments: list[str], what: str) -> None:
    with pytest.raises(LocalError, match=what):
        CliRunner().invoke(app, ["journey", "review", *arguments], catch_exceptions=False)
