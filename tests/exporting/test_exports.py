"""Contacts come out as a file, and the file goes in again."""

import csv
import gzip
import io
import json
from dataclasses import replace
from typing import Any

import pytest

from tests.importing.machine import START, Machines
from waypost.clock import parse_instant
from waypost.contacts.consent import Consent
from waypost.contacts.profile import Contact
from waypost.errors import InvalidInput

ROWS = """user_id,email,phone,tags,groups
u-1,one@example.com,13800138001,vip;new,north
u-2,two@example.com,,,
u-3,,13800138003,,south
=cmd,four@example.com,,,
u-5,five@example.com,,vip,
"""


def filled() -> Machines:
    machines = Machines()
    machines.upload(ROWS)
    machines.import_file()
    return machines


def table(machines: Machines, key: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(machines.text(key))))


def test_everybody_is_in_one_file_with_every_column() -> None:
    machines = filled()
    answer = machines.export()
    assert (answer["contacts"], answer["done"]) == (5, True)
    [key] = answer["files"]
    assert key == f"exports/{answer['run']}/contacts.csv"
    assert machines.files[key].startswith(b"\xef\xbb\xbf")
    rows = {row["email"]: row for row in table(machines, key)}
    assert rows["one@example.com"]["phone"] == "'+8613800138001"
    assert (rows["one@example.com"]["tags"], rows["one@example.com"]["groups"]) == ("new;vip", "north")
    assert rows["four@example.com"]["user_id"] == "'=cmd"


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_an_exported_file_imports_again_unchanged(form: str) -> None:
    machines = filled()
    [key] = machines.export(format=form)["files"]
    machines.upload(machines.files[key], f"imports/again.{form}")
    before = list(machines.effects.log)
    machines.clock.advance(days=1)
    report = machines.import_file(f"imports/again.{form}")
    assert (report["rows"], report["unchanged"], report["rejected"]) == (5, 5, 0)
    assert machines.effects.log == before


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_an_exported_file_fills_an_empty_system_with_the_same_people(form: str) -> None:
    machines = filled()
    [key] = machines.export(format=form)["files"]
    other = Machines()
    other.upload(machines.files[key], f"imports/all.{form}")
    report = other.import_file(f"imports/all.{form}")
    assert report["created"] == 5
    for contact in machines.contacts.living():
        twin = other.contacts.load(contact.contact_id)
        assert twin is not None
        assert (twin.identities, twin.tags, twin.groups, twin.attributes) == (
            contact.identities, contact.tags, contact.groups, contact.attributes,
        )  # fmt: skip


def test_a_name_that_holds_a_separator_stays_one_name() -> None:
    machines = Machines()
    machines.upload('{"user_id": "1", "tags": ["a;b", "c, d", "e"]}\n', "imports/one.jsonl")
    machines.import_file("imports/one.jsonl")
    [key] = machines.export()["files"]
    machines.upload(machines.files[key], "imports/again.csv")
    assert machines.import_file("imports/again.csv")["unchanged"] == 1
    assert set(machines.one("user_id", "1").tags) == {"a;b", "c, d", "e"}


def test_only_the_chosen_columns_come_in_their_order() -> None:
    machines = filled()
    [key] = machines.export(columns=["tags", "email", "nobody_has_this"])["files"]
    assert machines.text(key).splitlines()[0] == "tags,email,attribute:nobody_has_this"
    assert {tuple(row) for row in table(machines, key)} == {("tags", "email", "attribute:nobody_has_this")}


@pytest.mark.parametrize("ending", ["jsonl", "jsonl.gz"])
@pytest.mark.parametrize("named", ["", "members/", "manifest.json"])
def test_an_audience_is_exported_as_its_manifest_lists_it(ending: str, named: str) -> None:
    machines = filled()
    folder = "audiences/vip/r-1/"
    ids = {name: machines.one("user_id", name).contact_id for name in ("u-1", "u-2", "u-3", "u-5")}
    files: dict[str, list[Any]] = {
        "members/00000-00001": [{"contact_id": ids["u-1"]}, {"contact_id": ids["u-2"]}],
        "members/00001-00001": [ids["u-5"], "c-gone"],
        "members/00001-00002": ["c-nobody"],
        "held-out/00000-00001": [ids["u-3"]],
    }
    for name, lines in files.items():
        content = "\n".join(json.dumps(line) for line in lines).encode()
        machines.upload(gzip.compress(content) if ending.endswith("gz") else content, f"{folder}{name}.{ending}")
    with pytest.raises(InvalidInput, match="is no finished run of build-audience; name one with its manifest"):
        machines.export(audience=folder)
    kept = [{"key": f"{folder}{name}.{ending}", "contacts": 1, "sha256": ""} for name in files if "held" not in name]
    machines.upload(json.dumps({"files": kept}), f"{folder}manifest.json")
    answer = machines.export(audience=f"{folder}{named}", columns=["user_id"])
    assert sorted(row["user_id"] for row in table(machines, answer["files"][0])) == ["u-1", "u-2", "u-5"]


def test_a_plain_file_of_ids_is_an_audience_too() -> None:
    machines = filled()
    machines.upload(json.dumps(machines.one("user_id", "u-3").contact_id), "audiences/by-hand.jsonl")
    assert machines.export(audience="audiences/by-hand.jsonl")["contacts"] == 1


def test_a_saved_segment_is_its_members_at_the_time_of_the_run() -> None:
    machines = filled()
    machines.contacts.put(replace(machines.one("user_id", "u-2"), segments={"vip": machines.clock()}))
    answer = machines.export(segment="vip", columns=["user_id"])
    assert [row["user_id"] for row in table(machines, answer["files"][0])] == ["u-2"]


def test_erased_and_merged_contacts_are_in_no_file() -> None:
    machines = filled()
    machines.contacts.put(replace(machines.one("user_id", "u-1"), erased=True))
    gone = machines.one("user_id", "u-1").contact_id
    machines.upload(json.dumps(gone), "audiences/vip.jsonl")
    assert machines.export(audience="audiences/vip.jsonl")["contacts"] == 0
    assert machines.export()["contacts"] == 4


def test_what_is_known_beside_attributes_has_columns_too() -> None:
    machines = Machines()
    now = parse_instant(START)
    machines.contacts.put(
        Contact(
            contact_id="c-1",
            created_at=now,
            attributes={"email": "new@example.com", "loves": ["tea", "silk"], "size": {"shoe": 38}, "newsletter": True},
            identities={"email": ["old@example.com", "new@example.com"], "user_id": ["u-1"], "openid": ["shop:o-1"]},
            consents={"email/*": Consent(granted=False, at=now, source="shop")},
            suppressions={"sms": "invalid_number"},
            lifecycle="active",
            points=70,
            segments={"vip": now},
        )
    )
    [row] = table(machines, machines.export()["files"][0])
    assert row == {
        "contact_id": "c-1",
        "user_id": "u-1",
        "email": "new@example.com",
        "openid:shop": "o-1",
        "attribute:loves": '["tea", "silk"]',
        "attribute:newsletter": "true",
        "attribute:size": '{"shoe": 38}',
        "consent_email": "no",
        "suppressed": "sms: invalid_number",
        "lifecycle": "active",
        "points": "70",
        "segments": "vip",
        "created_at": START,
    }


def test_a_large_export_is_a_few_files_each_with_its_header() -> None:

    machines = filled()
    run = machines.export()["run"]
    gatherer, answer = replace(machines.finish_export, bytes_per_file=300), {"run": run}
    while not answer.get("done"):
        answer = gatherer.gather(answer)
    keys: Any = answer["files"]
    assert len(keys) > 1
    assert keys[0] == f"exports/{run}/contacts-001.csv"
    assert sum(len(table(machines, key)) for key in keys) == 5
    assert len({machines.text(key).splitlines()[0] for key in keys}) == 1


@pytest.mark.parametrize(
    ("given", "field", "reason"),
    [
        ({"format": "xlsx"}, "format", "expected one of csv, jsonl"),
        ({"colums": ["email"]}, "colums", "did you mean 'columns'?"),
        ({"columns": "email"}, "columns", "expected a list of names"),
        ({"columns": ["email", "email"]}, "columns", "each once"),
        ({"segment": "vipp"}, "segment", "did you mean 'vip'?"),
        ({"segment": "vip", "audience": "audiences/x/"}, "audience", "not both"),
        ({"audience": "imports/x.jsonl"}, "audience", "under audiences/"),
        ({"audience": "audiences/nobody/"}, "audience", "there is no file of contact ids"),
    ],
)
def test_what_cannot_be_exported_is_refused(given: dict[str, Any], field: str, reason: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Machines().export(**given)
    assert refused.value.field == field
    assert reason in refused.value.reason
