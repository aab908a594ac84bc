"""``waypost contacts import`` and ``export``: what they say, what they fetch, and their exit status."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from infra.project import Project
from local.commands import contact_files
from local.commands.app import app
from local.problems import LocalError
from local.running import background
from local.running.file_operations import rows_of

REPORT: dict[str, Any] = {
    "run": "i-1",
    "file": "imports/x.csv",
    "mapping": "",
    "format": "csv",
    "encoding": "gb18030",
    "dry_run": False,
    "rows": 3,
    "created": 1,
    "updated": 0,
    "unchanged": 1,
    "merged": 0,
    "rejected": 1,
    "duplicates": 0,
    "repairs": 2,
    "kept_consents": {"email": 1},
    "not_found": 0,
    "cleared": {"city": 2},
    "ignored_columns": ["备注"],
    "ignored_values": {"备注": 3},
    "files": {"rejected": "imports/i-1/rejected.csv", "duplicates": None, "repairs": None},
}
EXPORTED: dict[str, Any] = {"contacts": 7, "columns": ["email"], "files": ["exports/x-1/contacts.csv"]}


class FakeOperations:
    """FileOperations that ran already; ``asked`` is the input of the machine."""

    asked: dict[str, Any]
    report = REPORT
    exported = EXPORTED

    def __init__(self, access: Any) -> None:
        self.access = access

    def upload(self, file: Path) -> str:
        """See FileOperations."""
        return f"imports/{file.name}"

    def import_file(self, given: dict[str, Any], progress: Any) -> dict[str, Any]:
        """See FileOperations."""
        progress(1, 2)
        type(self).asked = given
        return self.report

    def export(self, given: dict[str, Any], progress: Any) -> dict[str, Any]:
        """See FileOperations."""
        progress(1, None)
        type(self).asked = given
        return self.exported

    def download(self, key: str, target: Path) -> Path:
        """See FileOperations."""
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(key, encoding="utf-8")
        return target


@pytest.fixture
def operations(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> type[FakeOperations]:
    class Operations(FakeOperations):
        pass

    monkeypatch.setattr(contact_files, "FileOperations", Operations)
    monkeypatch.setattr(background, "access", dict)
    monkeypatch.setattr(contact_files, "current_project", lambda: Project.at(tmp_path))
    return Operations


def test_a_report_is_shown_with_what_was_kept_out_and_status_1(
    operations: type[FakeOperations], tmp_path: Path
) -> None:
    ended = CliRunner().invoke(app, ["contacts", "import", "people.csv", "--mapping", "crm", "--dry-run"])
    assert ended.exit_code == 1
    assert operations.asked == {"file": "imports/people.csv", "dry_run": True, "mapping": "crm"}
    assert "2 of 3 rows imported; read as csv, gb18030" in ended.output
    assert "rows kept out" in ended.output
    assert "备注 (3)" in ended.output
    assert "values cleared: city (2)" in ended.output
    assert (tmp_path / "out" / "imports" / "i-1" / "rejected.csv").exists()


def test_a_file_that_went_in_whole_has_status_0(operations: type[FakeOperations]) -> None:
    operations.report = REPORT | {"rejected": 0, "files": {"rejected": None}}
    ended = CliRunner().invoke(app, ["contacts", "import", "people.csv", "--consent", "email=form of 2026", "--json"])
    assert ended.exit_code == 0
    assert operations.asked["consent"] == {"email": "form of 2026"}
    assert json.loads(ended.stdout)["downloaded"] == {}


def test_the_options_of_a_run_reach_the_machine(operations: type[FakeOperations]) -> None:
    CliRunner().invoke(
        app,
        ["contacts", "import", "crm.csv", "--update-only", "--clear", "#N/A", "--clear", "", "--as-of", "2026-03-02T09:00:00+08:00"],
    )  # fmt: skip
    assert operations.asked == {
        "file": "imports/crm.csv",
        "dry_run": False,
        "mode": "update",
        "clear": ["#N/A", ""],
        "as_of": "2026-03-02T09:00:00+08:00",
    }


@pytest.mark.parametrize(("reason", "status"), [("", 0), ("7 of 10 (70%) would leave", 1)])
def test_a_full_list_says_who_left_or_why_nobody_did(
    operations: type[FakeOperations], reason: str, status: int
) -> None:
    full_list = {"tag": "partners", "members": 10, "leaving": 7, "left": 0 if reason else 7, "held_back": reason}
    operations.report = REPORT | {"rejected": 0, "files": {"rejected": None}, "full_list": full_list}
    ended = CliRunner().invoke(
        app, ["contacts", "import", "all.csv", "--full-list", "tag:partners", "--most-leaving", "7"]
    )
    assert ended.exit_code == status
    assert operations.asked == {
        "file": "imports/all.csv",
        "dry_run": False,
        "full_list": "tag:partners",
        "most_leaving": 7,
    }
    assert (f"nobody loses it: {reason}" if reason else "7 lost it") in ended.output


def test_consent_without_evidence_is_refused(operations: type[FakeOperations]) -> None:
    ended = CliRunner().invoke(app, ["contacts", "import", "people.csv", "--consent", "email"])
    assert isinstance(ended.exception, LocalError)


def test_an_export_is_written_where_it_was_asked_for(operations: type[FakeOperations], tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    ended = CliRunner().invoke(app, ["contacts", "export", str(target), "--segment", "vip", "--columns", "email, city"])
    assert ended.exit_code == 0
    assert operations.asked == {"format": "csv", "segment": "vip", "columns": ["email", "city"]}
    assert target.read_text(encoding="utf-8") == "exports/x-1/contacts.csv"
    assert "7 contacts" in ended.output


def test_an_export_in_several_files_numbers_them(operations: type[FakeOperations], tmp_path: Path) -> None:
    operations.exported = EXPORTED | {"files": ["exports/x-1/contacts-001.csv", "exports/x-1/contacts-002.csv"]}
    ended = CliRunner().invoke(app, ["contacts", "export", str(tmp_path / "all.csv"), "--json"])
    assert [Path(path).name for path in json.loads(ended.stdout)["downloaded"]] == ["all-001.csv", "all-002.csv"]


@pytest.mark.parametrize("command", ["import", "export"])
def test_both_commands_explain_themselves(command: str) -> None:
    shown = CliRunner().invoke(app, ["contacts", command, "--help"])
    assert shown.exit_code == 0
    assert "--json" in shown.output


def test_a_file_that_was_imported_before_is_not_told_as_news(operations: type[FakeOperations]) -> None:
    operations.report = REPORT | {"imported_before": "2026-11-28T04:00:00.000Z"}
    ended = CliRunner().invoke(app, ["contacts", "import", "people.csv"])
    assert (
        "imported before, 2026-11-28T04:00:00.000Z: nothing was done now; --again imports it once more" in ended.output
    )
    CliRunner().invoke(app, ["contacts", "import", "people.csv", "--again", "--encoding", "cp1252"])
    assert operations.asked == {"file": "imports/people.csv", "dry_run": False, "again": True, "encoding": "cp1252"}


def test_paths_are_whole_on_a_narrow_screen(operations: type[FakeOperations], tmp_path: Path) -> None:
    ended = CliRunner().invoke(app, ["contacts", "import", "people.csv"], env={"COLUMNS": "40"})
    assert f"rows kept out: {tmp_path}/out/imports/i-1/rejected.csv\n" in ended.output


@pytest.mark.parametrize(
    ("parts", "done", "shown"),
    [
        ([], [], (0, None)),
        ([2], [], (0, None)),
        ([4002, 2, 2002], [], (0, 6000)),
        ([2, 2002, 4002], [4002, 2], (4000, 6000)),
    ],
)
def test_progress_counts_rows(parts: list[int], done: list[int], shown: tuple[int, int | None]) -> None:
    assert rows_of(parts, done) == shown


def test_progress_counts_the_rows_of_parts_that_are_not_done() -> None:
    parts = [2, 2002, 4002]
    assert rows_of(parts, [2002], {2: 400, 2002: 2000, 4002: 200}) == (2600, 6000)
    assert rows_of([2], [], {2: 600}) == (600, None)
    assert rows_of([], [], {}) == (0, None)
