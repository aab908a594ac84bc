"""A project is found from the folder one stands in, keeps its own choices, and is deployed as a whole."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from infra import deploy as deploying
from infra.project import ROOT, Project
from tests.authoring.test_operations import write as write_operation
from waypost.authoring.discovery import InvalidJourney, discover
from waypost.errors import InvalidInput


def project(folder: Path, **context: Any) -> Path:
    """A folder with statemachines/ and a cdk.json."""
    (folder / "statemachines" / "journeys").mkdir(parents=True)
    (folder / "cdk.json").write_text(json.dumps({"context": context}), encoding="utf-8")
    return folder


def test_a_project_is_found_from_a_folder_inside_it(tmp_path: Path) -> None:
    folder = project(tmp_path / "company", stage="prod")
    found = Project.around(folder / "statemachines" / "journeys")
    assert (found.folder, found.stage) == (folder, "prod")


def test_choices_are_those_of_the_product_until_the_project_makes_its_own(tmp_path: Path) -> None:
    product = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    found = Project.at(project(tmp_path / "company", email_sender="hello@company.example"))
    assert found.choices == {**product, "email_sender": "hello@company.example"}


def test_content_may_lie_beside_the_project(tmp_path: Path) -> None:
    folder = project(tmp_path / "deployment", content="../content")
    assert Project.at(folder).statemachines == tmp_path / "content" / "statemachines"


def test_without_a_project_around_the_checkout_is_one(tmp_path: Path) -> None:
    assert Project.around(tmp_path).folder == ROOT


@pytest.mark.parametrize("text", ["[]", "{", '{"context": []}'])
def test_a_cdk_file_that_cannot_be_read_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "cdk.json").write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"cdk\.json"):
        Project.at(tmp_path)


def test_the_app_is_deployed_by_this_interpreter_from_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[tuple[list[str], Path]] = []

    def npx(arguments: list[str], *, cwd: Path) -> int:
        called.append((arguments, cwd))
        return 3

    monkeypatch.setattr(deploying, "npx", npx)
    company = Project.at(project(tmp_path / "company"))

    assert deploying.deploy(company, ["-c", "stage=prod"]) == 3

    [(arguments, cwd)] = called
    assert cwd == company.folder
    app = f"{sys.executable} -P -m infra.app -c content={company.content}"
    assert arguments == ["--yes", "aws-cdk@2", "deploy", "--app", app, "-c", "stage=prod"]


def test_an_account_is_bootstrapped_without_a_synth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[list[str]] = []

    def npx(arguments: list[str], *, cwd: Path) -> int:
        called.append(arguments)
        return 0

    monkeypatch.setattr(deploying, "npx", npx)
    company = Project.at(project(tmp_path / "company"))

    assert deploying.bootstrap(company, "aws://123456789012/eu-west-1", ["--profile", "ops"]) == 0
    assert called == [["--yes", "aws-cdk@2", "bootstrap", "aws://123456789012/eu-west-1", "--profile", "ops"]]


def test_operations_that_the_product_ships_stand_beside_those_of_the_project(tmp_path: Path) -> None:
    shipped = ROOT / "statemachines" / "operations"
    library = discover(write_operation(tmp_path), shipped_operations=shipped)
    names = [operation.name for operation in library.operations]
    assert names == sorted([*(path.name for path in shipped.iterdir()), "count-contacts"])


def test_an_operation_may_not_take_the_name_of_a_shipped_one(tmp_path: Path) -> None:
    statemachines = write_operation(tmp_path, name="import-contacts")
    with pytest.raises(
        InvalidJourney, match="operations/import-contacts: is the name of an operation that Waypost ships"
    ):
        discover(statemachines, shipped_operations=ROOT / "statemachines" / "operations")
