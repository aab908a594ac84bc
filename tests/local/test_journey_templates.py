"""A journey becomes a template with its label, and a template a journey that passes every check beside the other."""

import json
import re
import shutil
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.project import ROOT, Project
from local.commands.app import app
from local.problems import LocalError
from local.project.init_project import copy_sample_content
from local.project.journey_check import check_journeys
from local.project.journey_templates import archive_journey, new_journey, templates
from local.rehearsal.scenario_file import ScenarioFile, read_scenarios
from waypost.authoring.yaml_reading import read_yaml

TODAY = date(2031, 3, 3)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    copy_sample_content(tmp_path)
    (tmp_path / "cdk.json").write_text("{}", encoding="utf-8")
    return Project.at(tmp_path)


def contacts(file: ScenarioFile) -> list[set[str]]:
    found = [each.contact for each in file.scenarios]
    return [
        {each.user_id for each in found},
        {each.email for each in found if each.email},
        {each.phone for each in found if each.phone},
    ]


def test_a_new_journey_passes_every_check_and_shares_no_contact_with_its_template(project: Project) -> None:
    folder = new_journey(
        project, "spring-nurture", template="new-user-nurture", scenario="spring: new users", owner="CRM"
    )
    checked = check_journeys(project, "spring-nurture")
    assert checked.is_right
    manifest = read_yaml(folder / "journey.yaml")
    assert (manifest["name"], manifest["version"], manifest["scenario"], manifest["owner"]) == (
        "spring-nurture", 1, "spring: new users", "CRM",
    )  # fmt: skip
    first = read_scenarios(project.journeys / "new-user-nurture" / "scenarios.yaml")
    own = read_scenarios(folder / "scenarios.yaml")
    assert [each.expect for each in own.scenarios] == [each.expect for each in first.scenarios]
    for theirs, ours in zip(contacts(first), contacts(own), strict=True):
        assert len(ours) == len(theirs)
        assert not ours & theirs


def test_it_begins_without_what_the_other_does_with_its_contacts(project: Project) -> None:
    path = project.journeys / "level-up" / "journey.yaml"
    text = path.read_text(encoding="utf-8").replace(
        "version: 1",
        "version: 7\nclosed: true\nchange:\n  default: stay\n  states:\n    Three days for an order: follow",
    )
    path.write_text(text, encoding="utf-8")
    manifest = read_yaml(
        new_journey(project, "level-up-2", template="level-up", scenario="", owner="") / "journey.yaml"
    )
    assert manifest["version"] == 1
    assert not {"closed", "change"} & set(manifest)
    assert manifest["scenario"] == "member level-up"
    assert check_journeys(project, "level-up-2").is_right


def test_an_archived_journey_is_a_template_that_outlives_it(project: Project) -> None:
    kept = archive_journey(project, "level-up", name="level-congratulation", scenario='会员 "升级"', today=TODAY)
    assert read_yaml(kept / "template.yaml") == {
        "scenario": '会员 "升级"',
        "journey": "level-up",
        "archived": "2031-03-03",
    }
    assert (project.journeys / "level-up").is_dir()
    shutil.rmtree(project.journeys / "level-up")
    found = {each.name: each for each in templates(project)}
    assert (found["level-congratulation"].scenario, found["level-congratulation"].origin) == ('会员 "升级"', "archived")
    assert found["level-up"].origin == "shipped"
    folder = new_journey(project, "gold-level", template="level-congratulation", scenario="", owner="")
    assert read_yaml(folder / "journey.yaml")["scenario"] == '会员 "升级"'
    assert not (folder / "template.yaml").exists()
    assert check_journeys(project, "gold-level").is_right


def test_templates_are_no_journeys(project: Project) -> None:
    before = [each.name for each in check_journeys(project).journeys]
    archive_journey(project, "level-up", name="", scenario="", today=TODAY)
    assert [each.name for each in check_journeys(project).journeys] == before


@pytest.mark.parametrize(
    ("name", "template", "reason"),
    [
        ("level-up", "level-up", "there is a journey 'level-up' already"),
        ("Level Up", "level-up", "cannot name a journey"),
        ("another", "nothing", "there is no template 'nothing'"),
    ],
)
def test_what_cannot_be_made_is_refused(project: Project, name: str, template: str, reason: str) -> None:
    with pytest.raises(LocalError, match=re.escape(reason)):
        new_journey(project, name, template=template, scenario="", owner="")


def test_nothing_is_archived_twice_or_out_of_nothing(project: Project) -> None:
    archive_journey(project, "level-up", name="", scenario="", today=TODAY)
    with pytest.raises(LocalError, match="is there already"):
        archive_journey(project, "level-up", name="", scenario="", today=TODAY)
    with pytest.raises(LocalError, match="there is no journey 'nothing'"):
        archive_journey(project, "nothing", name="", scenario="", today=TODAY)


def test_the_commands_make_archive_and_list(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYPOST_CONTENT", str(project.folder))

    def run(*arguments: str) -> str:
        shown = CliRunner().invoke(app, ["journey", *arguments], catch_exceptions=False)
        assert shown.exit_code == 0, shown.output
        return shown.stdout

    assert "--from gift" in run("archive", "level-up", "--name", "gift", "--scenario", "gifts")
    assert "waypost rehearse autumn-gift" in run("new", "autumn-gift", "--from", "gift")
    listed = {each["name"]: each for each in json.loads(run("templates", "--json"))}
    assert listed["gift"] == {"name": "gift", "scenario": "gifts", "origin": "archived"}
    assert set(listed) >= {path.parent.name for path in (ROOT / "statemachines" / "journeys").glob("*/journey.yaml")}
    assert "autumn-gift" in run("templates")
