"""Files of contacts go in and come out on the embedded cloud, by the machines a marketer starts in the console."""

import json
from pathlib import Path
from typing import Any

import pytest

from local.cloud.local_cloud import LocalCloud
from local.problems import LocalError
from local.running.file_operations import FileOperations
from waypost.aws.contacts import DynamoContacts
from waypost.contacts.profile import Contact

MESSY = (
    "会员编号,邮箱,手机号（必填）,标签,备注\r\n"
    'file-1,First@Example.COM,138 0013 8201,,"第一行\n第二行, 有逗号"\r\n'
    "file-2,second@example.com,+86-13800138202,,\r\n"
    "file-3,这不是邮箱,13800138203,,\r\n"
    "\r\n"
    "file-1,first@example.com,,,又来了\r\n"
    "file-4,,13800138204,,=2+3\r\n"
)


@pytest.fixture
def operations(cloud: LocalCloud) -> FileOperations:
    return FileOperations(cloud.access.to_dict())


def silent(done: int, total: int | None) -> None:
    """Nobody looks at the progress of a test."""


def contact_of(cloud: LocalCloud, kind: str, value: str) -> Contact:
    contacts = DynamoContacts(cloud.client("dynamodb"), cloud.access.contacts_table)
    contact = contacts.load(contacts.resolve({kind: value})[kind])
    assert contact is not None
    return contact


def counts(report: dict[str, Any]) -> dict[str, int]:
    names = ("rows", "created", "updated", "unchanged", "merged", "rejected", "duplicates")
    return {name: report[name] for name in names if report[name]}


def back_and_forth(operations: FileOperations, out: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Everybody exported and imported again: the answer of the one and the report of the other."""
    answer = operations.export({"format": "csv"}, silent)
    [exported] = answer["files"]
    file = operations.download(exported, out)
    return answer, operations.import_file({"file": operations.upload(file)}, silent)


@pytest.mark.flow
def test_a_messy_file_goes_in_comes_out_and_goes_in_again_unchanged(
    cloud: LocalCloud, operations: FileOperations, tmp_path: Path
) -> None:
    file = tmp_path / "会员 2026.csv"
    file.write_bytes(MESSY.encode("gb18030"))
    key = operations.upload(file)
    pretended = operations.import_file({"file": key, "dry_run": True}, silent)
    report = operations.import_file({"file": key}, silent)
    assert report["encoding"] == "gb18030"
    assert (
        counts(report) == {"rows": 5, "created": 3, "unchanged": 1, "rejected": 1, "duplicates": 1} == counts(pretended)
    )
    assert contact_of(cloud, "phone", "+8613800138201").attributes["email"] == "first@example.com"

    rejected = operations.download(report["files"]["rejected"], tmp_path / "rejected.csv").read_text("utf-8-sig")
    assert rejected.splitlines()[1].startswith("4,邮箱,")
    assert operations.import_file({"file": key}, silent) == report | {"imported_before": report["imported_at"]}
    again = tmp_path / "again.csv"
    again.write_bytes(MESSY.encode("utf-16"))
    assert counts(operations.import_file({"file": operations.upload(again)}, silent)) == {
        "rows": 5, "unchanged": 4, "rejected": 1, "duplicates": 1,
    }  # fmt: skip

    answer, back = back_and_forth(operations, tmp_path / "all.csv")
    assert "'+8613800138201" in (tmp_path / "all.csv").read_text("utf-8-sig")
    assert back["rows"] == back["unchanged"] + back["updated"] == answer["contacts"] >= 3
    answer, back = back_and_forth(operations, tmp_path / "filled.csv")  # the first time may have filled in provinces
    assert back["rows"] == back["unchanged"] == answer["contacts"]


@pytest.mark.flow
def test_endpoints_of_amazon_pinpoint_become_contacts(
    cloud: LocalCloud, operations: FileOperations, tmp_path: Path
) -> None:
    user = {"UserId": "pinpoint-1", "UserAttributes": {}}
    endpoints = [
        {"Id": "e1", "ChannelType": "EMAIL", "Address": "pin@example.com", "OptOut": "ALL", "User": user},
        {"Id": "e2", "ChannelType": "SMS", "Address": "+8613800138209", "OptOut": "NONE", "User": user},
    ]
    file = tmp_path / "endpoints.json"
    file.write_text("\n".join(map(json.dumps, endpoints)), "utf-8")
    report = operations.import_file({"file": operations.upload(file)}, silent)
    assert (report["format"], counts(report)) == (
        "pinpoint",
        {"rows": 2, "created": 1, "updated": 1, "duplicates": 1},
    )
    contact = contact_of(cloud, "user_id", "pinpoint-1")
    assert contact.identities["phone"] == ["+8613800138209"]
    assert contact.consents["email/*"].source == f"import:{report['run']}"
    assert not contact.consents["email/*"].granted


@pytest.mark.flow
def test_what_cannot_be_imported_is_refused_with_the_reason(
    cloud: LocalCloud, operations: FileOperations, tmp_path: Path
) -> None:
    workbook = tmp_path / "customers.xlsx"
    workbook.write_bytes(b"PK\x03\x04 and so on")
    with pytest.raises(LocalError, match="FileRefused: file: is an Excel workbook"):
        operations.import_file({"file": operations.upload(workbook)}, silent)
    with pytest.raises(LocalError, match=r"ExportRefused: colums: is not known; did you mean 'columns'\?"):
        operations.export({"colums": []}, silent)
