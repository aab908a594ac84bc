"""Operations are folders: what is wrong with one is reported by file, field and reason."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.authoring.folders import problems
from waypost.authoring.discovery import discover

MANIFEST: dict[str, Any] = {
    "description": "Counts the contacts.",
    "owner": "data team",
    "schedules": {"nightly": {"every": "day", "at": "03:30", "input": {"everybody": True}}},
}
DEFINITION: dict[str, Any] = {
    "Comment": "Counts the contacts, slice by slice.",
    "StartAt": "Count every slice",
    "States": {
        "Count every slice": {
            "Type": "Map",
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                "StartAt": "Count one slice",
                "States": {
                    "Count one slice": {
                        "Type": "Task",
                        "QueryLanguage": "JSONata",
                        "Resource": "arn:aws:states:::lambda:invoke",
                        "Arguments": {"FunctionName": "${CountSlice}", "Payload": {"bucket": "${FilesBucket}"}},
                        "End": True,
                    }
                },
            },
            "End": True,
        }
    },
}


def write(
    root: Path,
    *,
    name: str = "count-contacts",
    manifest: dict[str, Any] | None = None,
    definition: dict[str, Any] | None = None,
) -> Path:
    """Write one operation under ``root``/statemachines and return that folder."""
    folder = root / "statemachines" / "operations" / name
    folder.mkdir(parents=True)
    for file, content in (
        ("operation.yaml", {**MANIFEST, **(manifest or {})}),
        ("definition.asl.yaml", DEFINITION if definition is None else definition),
    ):
        (folder / file).write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return root / "statemachines"


def test_an_operation_names_its_functions_its_bucket_and_its_map(tmp_path: Path) -> None:
    [operation] = discover(write(tmp_path)).operations

    assert operation.name == "count-contacts"
    assert operation.functions == ("CountSlice",)
    assert operation.uses_files
    assert operation.has_distributed_map
    assert operation.manifest.schedules["nightly"].input == {"everybody": True}


def test_a_function_call_gets_a_time_limit_and_retries_unless_it_has_its_own(tmp_path: Path) -> None:
    with_its_own = copy.deepcopy(DEFINITION)
    inner = with_its_own["States"]["Count every slice"]["ItemProcessor"]["States"]["Count one slice"]
    inner["TimeoutSeconds"] = 60

    [plain] = discover(write(tmp_path / "plain")).operations
    [own] = discover(write(tmp_path / "own", definition=with_its_own)).operations

    def task(definition: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = definition["States"]["Count every slice"]["ItemProcessor"]["States"]["Count one slice"]
        return found

    assert task(plain.definition)["TimeoutSeconds"] == 900
    assert "TemporarilyUnavailable" in task(plain.definition)["Retry"][0]["ErrorEquals"]
    assert task(own.definition)["TimeoutSeconds"] == 60


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"name": "Count"}, "statemachines/operations/Count: expected a folder name"),
        ({"manifest": {"owner": None}}, "operation.yaml: owner: expected text"),
        (
            {"manifest": {"schedules": {"nightly": {"every": "month"}}}},
            "operation.yaml: schedules.nightly.every: expected 'day', 'week' or 'hour'",
        ),
        ({"definition": {**DEFINITION, "StartAt": "Nowhere"}}, "definition.asl.yaml: StartAt: expected the name of a"),
        ({"definition": {**DEFINITION, "Comment": ""}}, "definition.asl.yaml: Comment: is missing"),
        ({"definition": {"Comment": "Nothing"}}, "definition.asl.yaml: States: expected a state machine"),
    ],
)
def test_a_broken_operation_is_refused_by_file_field_and_reason(
    tmp_path: Path, broken: dict[str, Any], reason: str
) -> None:
    found = problems(write(tmp_path, **broken))

    assert any(reason in line for line in found), found


def test_a_file_that_would_be_ignored_is_reported(tmp_path: Path) -> None:
    statemachines = write(tmp_path)
    segments = statemachines / "segments"
    segments.mkdir()
    (segments / "vip.yml").write_text("rule: {tag: vip}\n", encoding="utf-8")

    from waypost.authoring.authored_files import FileReader

    reader = FileReader(statemachines)

    assert list(reader.files(segments)) == []
    assert "vip.yaml" in str(reader.problems[0])


@pytest.mark.parametrize(
    ("state", "actions"),
    [
        ({"Type": "Map", "ItemReader": {"Resource": "arn:aws:states:::s3:listObjectsV2"}}, ("ListBucket",)),
        ({"Type": "Map", "ItemReader": {"Resource": "arn:aws:states:::s3:getObject"}}, ("GetObject",)),
        (
            {"Type": "Map", "ResultWriter": {"Resource": "arn:aws:states:::s3:putObject"}},
            ("AbortMultipartUpload", "GetObject", "ListMultipartUploadParts", "PutObject"),
        ),
        ({"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:s3:deleteObject"}, ("DeleteObject",)),
        ({"Type": "Pass"}, ()),
    ],
)
def test_what_a_machine_does_with_files_is_read_from_its_definition(
    tmp_path: Path, state: dict[str, Any], actions: tuple[str, ...]
) -> None:
    inner = {"ItemProcessor": {"StartAt": "Rest", "States": {"Rest": {"Type": "Pass", "End": True}}}}
    work = {**state, **(inner if state["Type"] == "Map" else {}), "End": True}
    definition = {"Comment": "Works on files.", "StartAt": "Work", "States": {"Work": work}}

    [operation] = discover(write(tmp_path, definition=definition)).operations

    assert operation.file_actions == actions
