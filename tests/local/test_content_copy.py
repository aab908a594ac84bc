"""A journey folder anywhere is worked on as if it were one of the project's."""

import json
import shutil
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from infra.project import Project
from local.commands.app import app
from local.problems import LocalError
from local.project.content_copy import declare, visiting
from local.project.current_project import current_project
from local.rehearsal.journey_scenarios import read_journey_scenarios
from tests.authoring.folders import write

SCENARIOS = {
    "start": "2031-03-03T00:00:00+08:00",
    "scenarios": [{"name": "cancels", "contact": {"user_id": "u-1"}, "events": []}],
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    write(tmp_path / "project")
    (tmp_path / "project" / "cdk.json").write_text(json.dumps({"context": {}}), encoding="utf-8")
    monkeypatch.chdir(tmp_path / "project")
    return Project.at(tmp_path / "project")


@pytest.fixture
def draft(project: Project, tmp_path: Path) -> Path:
    """A journey outside of the project, with a file that it needs beside it."""
    folder = tmp_path / "drafts" / "second-try"
    shutil.copytree(project.journeys / "win-back", folder)
    manifest = folder / "journey.yaml"
    written = manifest.read_text(encoding="utf-8").replace("name: win-back", "name: second-try")
    manifest.write_text(written, encoding="utf-8")
    (folder / "scenarios.yaml").write_text(yaml.safe_dump(SCENARIOS), encoding="utf-8")
    (folder / "statemachines").mkdir()
    (folder / "statemachines" / "tags.yaml").write_text("vip: { description: buys often }\n", encoding="utf-8")
    return folder


def test_a_folder_elsewhere_is_one_of_the_projects_while_it_is_visited(project: Project, draft: Path) -> None:
    with visiting(str(draft)) as name:
        assert name == "second-try"
        visited = current_project()
        assert sorted(path.name for path in visited.journeys.iterdir()) == ["second-try", "win-back"]
        assert yaml.safe_load((visited.statemachines / "tags.yaml").read_text(encoding="utf-8"))["vip"]
        assert not (visited.journeys / "second-try" / "statemachines").exists()
        assert (visited.out, visited.stage) == (project.out, project.stage)
        assert read_journey_scenarios(name).scenarios[0].name == "cancels"
    assert current_project() == project
    assert not visited.content.exists()


def test_it_stands_in_for_the_projects_journey_of_its_name(project: Project, tmp_path: Path) -> None:
    changed = tmp_path / "changed" / "win-back"
    shutil.copytree(project.journeys / "win-back", changed)
    (changed / "scenarios.yaml").write_text(yaml.safe_dump(SCENARIOS), encoding="utf-8")
    with visiting(str(changed)) as name:
        assert read_journey_scenarios(name).scenarios[0].name == "cancels"
    assert not (project.journeys / "win-back" / "scenarios.yaml").exists()


@pytest.mark.parametrize("journey", ["win-back", "statemachines/journeys/win-back", "nothing-of-this-name"])
def test_a_name_or_a_folder_of_the_project_changes_nothing(project: Project, journey: str) -> None:
    with visiting(journey) as name:
        assert name == Path(journey).name
        assert current_project() == project


@pytest.mark.usefixtures("project")
def test_a_folder_that_is_no_journey_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match=r"there is no journey in .*nowhere"), visiting(str(tmp_path / "nowhere")):
        pass


def test_entries_are_added_to_the_sections_there_are(tmp_path: Path) -> None:
    here, file = tmp_path / "new" / "attributes.yaml", tmp_path / "given.yaml"
    for text in ("zone: UTC\nattributes: { a: 1, b: 2 }\n", "zone: PRC\nattributes: { b: 3, c: 4 }\n"):
        file.write_text(text, encoding="utf-8")
        declare(file, here)
    assert yaml.safe_load(here.read_text(encoding="utf-8")) == {"zone": "PRC", "attributes": {"a": 1, "b": 3, "c": 4}}


def test_a_journey_is_checked_by_its_path_and_the_problems_name_it(draft: Path) -> None:
    (draft / "scenarios.yaml").write_text(
        yaml.safe_dump({**SCENARIOS, "invariants": [{"message": "sorri", "at_most": 1}]}), encoding="utf-8"
    )
    ran = CliRunner().invoke(app, ["journey", "check", str(draft)])
    assert ran.exit_code == 1
    assert f"{draft}/scenarios.yaml: invariants[0].message: " in ran.output
    assert "did you mean 'sorry'?" in ran.output


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--until-red"], "are about one journey"),
        (["win-back", "--until-red", "--contacts", "5"], "plays its own contacts"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options: list[str], reason: str) -> None:
    with pytest.raises(LocalError, match=reason):
        CliRunner().invoke(app, ["rehearse", *options], catch_exceptions=False)
