"""What a synthesized assembly depends on, and the error when there is none."""

import json
from pathlib import Path

import pytest

from infra.project import Project
from local.cloud.assembly import digest_of_inputs, read_assembly, synthesize
from local.problems import LocalError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with a broken journey, and a product of its own."""
    files = {
        "project/cdk.json": "{}",
        "product/requirements/lambda.txt": "",
        "product/functions/send/handler.py": "",
        "product/statemachines/operations/count/operation.yaml": "",
        "project/statemachines/journeys/x/journey.yaml": "name: x\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("changed", "matters"),
    [
        ("product/functions/send/handler.py", True),
        ("product/requirements/lambda.txt", True),
        ("product/statemachines/operations/merge/operation.yaml", True),
        ("project/statemachines/journeys/y/journey.yaml", True),
        ("project/cdk.json", True),
        ("product/statemachines/journeys/y/journey.yaml", False),
        ("product/functions/send/__pycache__/handler.cpython-311.pyc", False),
        ("project/docs/flow.md", False),
    ],
)
def test_a_new_assembly_is_made_when_something_that_goes_in_has_changed(
    folder: Path, changed: str, matters: bool
) -> None:
    def digest() -> str:
        return digest_of_inputs(Project.at(folder / "project", product=folder / "product"))

    before = digest()
    (folder / changed).parent.mkdir(parents=True, exist_ok=True)
    (folder / changed).write_text('{"context": {"stage": "prod"}}', encoding="utf-8")
    assert (digest() != before) is matters


def test_a_project_that_is_refused_says_the_file_the_field_and_the_reason(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(LocalError, match=r"journeys/x/journey\.yaml: owner: is missing"):
        synthesize(Project.at(folder / "project"), tmp_path / "cache")
    assert [each.name for each in (tmp_path / "cache").iterdir()] == ["lock"]  # nothing is kept of it


def test_a_folder_is_packed_the_same_way_each_time(tmp_path: Path) -> None:
    (tmp_path / "asset.1").mkdir()
    (tmp_path / "asset.1" / "handler.py").write_text("x = 1", encoding="utf-8")
    (tmp_path / "waypost.template.json").write_text('{"Resources": {}}', encoding="utf-8")
    listed = {
        "1": {
            "source": {"path": "asset.1", "packaging": "zip"},
            "destinations": {"here": {"bucketName": "assets-${AWS::Region}", "objectKey": "1.zip"}},
        }
    }
    (tmp_path / "waypost.assets.json").write_text(json.dumps({"files": listed}), encoding="utf-8")
    stack = {
        "type": "aws:cloudformation:stack",
        "properties": {"templateFile": "waypost.template.json", "stackName": "waypost-dev"},
    }
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": {"waypost": stack}}), encoding="utf-8")

    assembly = read_assembly(tmp_path)
    [asset] = assembly.assets
    first = asset.content()
    (tmp_path / "asset.1.packed").unlink()
    assert (assembly.stack, asset.key, asset.content()) == ("waypost-dev", "1.zip", first)
