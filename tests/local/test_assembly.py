"""What a synthesized assembly depends on, and what is said when there is none."""

import json
from pathlib import Path

import pytest

from local.assembly import digest_of_inputs, read_assembly, synthesize
from local.problems import LocalError


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose app can only say that something is wrong."""
    files = {
        "cdk.json": "{}",
        "requirements/lambda.txt": "",
        "infra/__init__.py": "",
        "infra/app.py": "import sys; sys.exit('error: statemachines/journeys/x/journey.yaml: owner: is missing')",
        "local/__init__.py": "",
        "functions/send/handler.py": "",
        "statemachines/journeys/x/journey.yaml": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("changed", "matters"),
    [
        ("functions/send/handler.py", True),
        ("statemachines/journeys/y/journey.yaml", True),
        ("infra/app.py", True),
        ("local/cloud.py", False),
        ("functions/send/__pycache__/handler.cpython-311.pyc", False),
        ("docs/flow.md", False),
    ],
)
def test_a_new_assembly_is_made_when_something_that_goes_in_has_changed(
    project: Path, changed: str, matters: bool
) -> None:
    before = digest_of_inputs(project)
    (project / changed).parent.mkdir(parents=True, exist_ok=True)
    (project / changed).write_text("other = 1", encoding="utf-8")
    assert (digest_of_inputs(project) != before) is matters


def test_a_project_that_is_refused_says_the_file_the_field_and_the_reason(project: Path, tmp_path: Path) -> None:
    with pytest.raises(LocalError, match=r"journeys/x/journey\.yaml: owner: is missing"):
        synthesize(project, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


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
