"""``statemachines/staff/members.yaml``: who works with Waypost, checked and published."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.project import ROOT
from waypost.authoring.authored_files import FileReader
from waypost.authoring.staff import ROBOT, staff
from waypost.errors import InvalidInput
from waypost.staff.directory import StaffDirectory, is_staff

LIN: dict[str, Any] = {
    "id": "lin.chen",
    "name": "陈琳",
    "email": " Lin.Chen@staff.example",
    "roles": ["editor"],
    "locale": "zh-CN",
}
WEI: dict[str, Any] = {
    "id": "wei-zhang",
    "name": "Wei Zhang",
    "email": "wei@staff.example",
    "roles": ["lead", "analyst"],
    "time_zone": "Asia/Shanghai",
    "department": "growth",
    "channels": {"sms": "138 0013 8000"},
}


def read(tmp_path: Path, *members: dict[str, Any]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The section, and the problems as pairs of field and reason."""
    path = tmp_path / "statemachines" / "staff" / "members.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump({"members": list(members)}, allow_unicode=True), encoding="utf-8")
    reader = FileReader(tmp_path / "statemachines")
    section = staff(reader)
    return section, [(each.field, each.reason) for each in reader.problems]


def test_members_are_published_with_their_addresses_by_channel(tmp_path: Path) -> None:
    section, problems = read(tmp_path, LIN, {**WEI, "manager": "lin.chen"})
    assert problems == []
    directory = StaffDirectory.from_dict(section)
    lin, wei = directory.member("lin.chen", "to"), directory.member("wei-zhang", "to")
    assert (lin.name, lin.locale, lin.channels) == ("陈琳", "zh-CN", {"email": "lin.chen@staff.example"})
    assert (wei.manager, sorted(wei.roles), wei.time_zone) == ("lin.chen", ["analyst", "lead"], "Asia/Shanghai")
    assert wei.channels == {"email": "wei@staff.example", "sms": "+8613800138000"}


def test_who_only_gets_notices_and_tasks_needs_no_role(tmp_path: Path) -> None:
    section, problems = read(tmp_path, {name: value for name, value in LIN.items() if name != "roles"})
    assert problems == []
    assert StaffDirectory.from_dict(section).member("lin.chen", "to").roles == frozenset()


def test_the_example_that_is_shipped_has_managers_departments_and_queues() -> None:
    reader = FileReader(ROOT / "statemachines")
    directory = StaffDirectory.from_dict(staff(reader))
    assert reader.problems == []
    consultant = directory.member("sales-consultant-1", "to")
    assert [each.id for each in directory.managers_of(consultant, 2)] == ["sales-manager", "sales-director"]
    assert directory.known_as("sales-consultant-1") == consultant, "the callbacks of WeCom name the userid"
    assert {"sales", "service"} <= directory.queues.keys()
    assert all(each.email.endswith("@staff.example.com") for each in directory.members.values())


def test_a_deployment_without_the_file_has_no_staff(tmp_path: Path) -> None:
    assert staff(FileReader(tmp_path)) == {}
    with pytest.raises(InvalidInput, match=r"to: should be the id of a member of staff .* not 'lin\.chen'"):
        StaffDirectory.from_dict({}).member("lin.chen", "to")


def test_a_member_is_no_contact_and_only_who_the_sender_writes_to(tmp_path: Path) -> None:
    directory = StaffDirectory.from_dict(read(tmp_path, LIN, WEI)[0])
    lin = directory.member("lin.chen", "to")
    assert is_staff(lin.contact_id)
    assert not is_staff("c-21c9fa0ee133efc0e6794803")
    recipient = directory.recipient(lin.contact_id)
    assert recipient is not None
    assert recipient.attributes == {"first_name": "陈琳", "locale": "zh-CN", "email": "lin.chen@staff.example"}
    assert directory.recipient("staff-nobody") is None
    assert directory.recipient("lin.chen") is None


@pytest.mark.parametrize(
    ("members", "field", "reason"),
    [
        ([LIN, {**WEI, "id": "lin.chen"}], "members[1].id", "each person is there once"),
        ([LIN, {**WEI, "email": "lin.chen@staff.example"}], "members[1].email", "each person is there once"),
        ([{**LIN, "manager": "lin.chan"}], "members[0].manager", "did you mean 'lin.chen'"),
        ([{**LIN, "manager": "lin.chen"}], "members[0].manager", "above themselves"),
        ([{**LIN, "manager": "wei-zhang"}, {**WEI, "manager": "lin.chen"}], "members[0].manager", "above themselves"),
        ([{**LIN, "roles": ["boss"]}], "members[0].roles[0]", "lead"),
        ([{**LIN, "roles": []}], "members[0].roles", "at least 1"),
        ([{**LIN, "email": "lin.chen"}], "members[0].email", "@"),
        ([{**LIN, "id": "Lin Chen"}], "members[0].id", "pattern"),
        ([{**LIN, "channels": {"fax": "1"}}], "members[0].channels", "email"),
        ([{**LIN, "channels": {"sms": "12"}}], "members[0].channels", "sms:"),
        ([{**LIN, "channels": {"email": "other@staff.example"}}], "members[0].channels", "already"),
        ([{**LIN, "time_zone": "Mars/Base"}], "members[0].time_zone", "Mars/Base"),
        ([], "members", "at least 1"),
    ],
)  # fmt: skip
def test_a_mistake_is_refused_with_its_field(
    tmp_path: Path, members: list[dict[str, Any]], field: str, reason: str
) -> None:
    section, problems = read(tmp_path, *members)
    assert section == {}
    assert [where for where, _ in problems if where.startswith(field)], problems
    assert any(reason in why for _, why in problems), problems


def with_queues(tmp_path: Path, queues: dict[str, list[str]]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    path = tmp_path / "statemachines" / "staff" / "members.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump({"members": [LIN, WEI], "queues": queues}, allow_unicode=True), encoding="utf-8")
    reader = FileReader(tmp_path / "statemachines")
    return staff(reader), [(each.field, each.reason) for each in reader.problems]


def test_queues_share_work_among_members(tmp_path: Path) -> None:
    section, problems = with_queues(tmp_path, {"service": ["wei-zhang", "lin.chen"]})
    assert (section["queues"], problems) == ({"service": ["wei-zhang", "lin.chen"]}, [])
    assert StaffDirectory.from_dict(section).queues == {"service": ("wei-zhang", "lin.chen")}


@pytest.mark.parametrize(
    ("queue", "field", "reason"),
    [
        (["lin.cheng"], "queues.service[0]", "lin.chen"),
        (["lin.chen", "lin.chen"], "queues.service[1]", "twice"),
        ([], "queues.service", "at least 1"),
    ],
)
def test_a_mistake_in_a_queue_is_refused_with_its_field(
    tmp_path: Path, queue: list[str], field: str, reason: str
) -> None:
    section, problems = with_queues(tmp_path, {"service": queue})
    assert section == {}
    assert [(where, reason in why) for where, why in problems] == [(field, True)]


def test_the_order_of_the_channels_survives_publishing(tmp_path: Path) -> None:
    section, _ = read(tmp_path, WEI)
    stored = json.loads(json.dumps(section, sort_keys=True))
    assert list(StaffDirectory.from_dict(stored).members["wei-zhang"].channels) == ["sms", "email"]


def read_departments(tmp_path: Path, departments: Any) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    path = tmp_path / "statemachines" / "staff" / "members.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    own = {**LIN, "department": "growth", "channels": {"robot": "lin-alone"}}
    content = {"members": [own, WEI], "departments": departments}
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    reader = FileReader(tmp_path / "statemachines")
    return staff(reader), [(each.field, each.reason) for each in reader.problems]


def test_the_robot_of_a_department_is_that_of_its_members_who_name_none(tmp_path: Path) -> None:
    section, problems = read_departments(tmp_path, {"growth": {"robot": "growth-group"}})
    assert problems == []
    members = StaffDirectory.from_dict(section).members
    assert list(members["wei-zhang"].channels.items()) == [
        ("sms", "+8613800138000"),
        ("robot", "growth-group"),
        ("email", "wei@staff.example"),
    ]
    assert members["lin.chen"].channels[ROBOT] == "lin-alone"
    assert members["wei-zhang"].as_contact().attributes["staff_robot"] == "growth-group"


@pytest.mark.parametrize(
    ("departments", "field"),
    [
        ({"grwth": {"robot": "growth-group"}}, "departments.grwth"),
        ({"growth": {"robot": "https://oapi.dingtalk.com/robot/send"}}, "departments.growth.robot"),
    ],
)
def test_a_department_that_nobody_is_in_and_an_address_for_a_name_are_refused(
    tmp_path: Path, departments: Any, field: str
) -> None:
    section, [(where, _)] = read_departments(tmp_path, departments)
    assert (section, where) == ({}, field)
