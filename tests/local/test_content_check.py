"""``waypost check`` names every wrong file by one kind of path, whatever kind of file it is."""

import json
import shutil
from pathlib import Path

import pytest

from infra.project import ROOT, Project
from local.project.content_check import check_content

SEGMENT, SCENARIOS = "statemachines/segments/broken.yaml", "statemachines/journeys/new-user-nurture/scenarios.yaml"
EXAMPLE = "examples/broken.yaml"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a segment, a scenario file and an example that are wrong."""
    folder = tmp_path / "our-marketing"
    (folder / "examples").mkdir(parents=True)
    shutil.copytree(ROOT / "statemachines", folder / "statemachines", ignore=shutil.ignore_patterns("operations"))
    (folder / "cdk.json").write_text(json.dumps({"context": {}}), encoding="utf-8")
    (folder / SEGMENT).write_text("rule: {tag: }\n", encoding="utf-8")
    (folder / SCENARIOS).write_text("scenarios: 3\n", encoding="utf-8")
    (folder / EXAMPLE).write_text("scenarios: 3\n", encoding="utf-8")
    return Project.at(folder)


def wrong_files(project: Project) -> set[str]:
    return {problem.split(": ")[0] for problem in check_content(project).problems}


@pytest.mark.parametrize(
    ("here", "prefix"), [(".", ""), ("statemachines/journeys", "../../"), ("..", "our-marketing/")]
)
def test_paths_lead_there_from_the_current_folder(
    here: str, prefix: str, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.folder / here)
    assert wrong_files(project) == {f"{prefix}{file}" for file in (SEGMENT, SCENARIOS, EXAMPLE)}


def test_paths_are_absolute_from_a_folder_elsewhere(project: Project) -> None:
    assert wrong_files(project) == {str(project.content / file) for file in (SEGMENT, SCENARIOS, EXAMPLE)}
