"""What a file may take away, rows that only update, and members and tags that are left out without losing the row."""

import json
from typing import Any

import pytest

from tests.importing.machine import Machines, counts
from tests.importing.shipped import shipped
from waypost.errors import InvalidInput
from waypost.importing import inspect_import
from waypost.importing.spec import Column, ImportSpec

KNOWN = "user_id,email,city,nickname,tags\nu-1,one@example.com,上海,Rose,vip\nu-2,two@example.com,杭州,Tom,\n"


def known() -> Machines:
    machines = Machines()
    machines.upload(KNOWN, "imports/first.csv")
    machines.import_file("imports/first.csv")
    machines.clock.advance(days=1)
    return machines


def with_mapping(monkeypatch: pytest.MonkeyPatch, spec: ImportSpec) -> None:
    monkeypatch.setattr(inspect_import, "load_import_spec", lambda name: spec if name else ImportSpec())


def test_a_null_in_json_lines_clears_the_value_and_an_absent_member_does_not() -> None:
    with shipped():
        machines = known()
        machines.upload(
            '{"user_id": "u-1", "city": null}\n{"user_id": "u-2", "nickname": "Tim"}\n', "imports/two.jsonl"
        )
        report = machines.import_file("imports/two.jsonl")
        assert (counts(report), report["cleared"]) == ({"rows": 2, "updated": 2}, {"city": 1})
        assert "city" not in machines.one("user_id", "u-1").attributes
        assert machines.one("user_id", "u-1").attributes["nickname"] == "Rose"
        assert machines.one("user_id", "u-2").attributes["city"] == "杭州市"


def test_what_a_row_clears_is_not_filled_again() -> None:
    with shipped():
        machines = known()
        machines.upload('{"user_id": "u-1", "city": "杭州", "province": null}\n', "imports/one.jsonl")
        machines.import_file("imports/one.jsonl")
        contact = machines.one("user_id", "u-1")
        assert (contact.attributes["city"], contact.attributes.get("province")) == ("杭州市", None)


def test_a_null_clears_an_address_but_the_identity_still_leads_to_the_contact() -> None:
    machines = known()
    machines.upload('{"user_id": "u-1", "email": null}\n', "imports/one.jsonl")
    machines.import_file("imports/one.jsonl", consent={"email": "form, 2026"})
    contact = machines.one("email", "one@example.com")
    assert "email" not in contact.attributes
    assert contact.consents == {}


def test_a_newer_value_is_not_cleared_by_an_older_file() -> None:
    with shipped():
        machines = known()
        machines.upload('{"user_id": "u-1", "nickname": null}\n', "imports/one.jsonl")
        machines.import_file("imports/one.jsonl", as_of="2027-01-01T00:00:00+08:00")
        assert machines.one("user_id", "u-1").attributes["nickname"] == "Rose"


@pytest.mark.parametrize(("clear", "left"), [([], "Rose"), (["#N/A"], None), (["#n/a"], None), (["gone"], "Rose")])
def test_a_declared_text_of_a_cell_clears(clear: list[str], left: str | None) -> None:
    with shipped():
        machines = known()
        machines.upload("user_id,nickname\nu-1,#N/A\nu-2,\n")
        machines.import_file(clear=clear)
        assert machines.one("user_id", "u-1").attributes.get("nickname") == left
        assert machines.one("user_id", "u-2").attributes["nickname"] == "Tom"


def test_an_empty_cell_clears_where_that_is_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    columns = {"Nick": Column("attribute", "nickname", clear=("",)), "Town": Column("attribute", "city")}
    with shipped():
        machines = known()
        with_mapping(monkeypatch, ImportSpec(name="crm").with_columns(columns))
        machines.upload("user_id,Nick,Town\nu-1,,\nu-2,Tim,\n")
        report = machines.import_file(mapping="crm")
        assert report["cleared"] == {"nickname": 1}
        first, second = machines.one("user_id", "u-1").attributes, machines.one("user_id", "u-2").attributes
        assert (first.get("nickname"), first["city"]) == (None, "上海市")
        assert (second["nickname"], second["city"]) == ("Tim", "杭州市")


@pytest.mark.parametrize("backwards", [False, True])
def test_of_rows_of_one_person_the_last_one_decides_whether_a_value_is_cleared(backwards: bool) -> None:
    with shipped():
        machines = known()
        rows: list[dict[str, Any]] = [
            {"user_id": "u-1", "nickname": None}, {"user_id": "u-3"}, {"user_id": "u-4"}, {"user_id": "u-1", "nickname": "Rosa"},
            {"user_id": "u-2", "nickname": "Tim"}, {"user_id": "u-5"}, {"user_id": "u-2", "nickname": None},
        ]  # fmt: skip
        machines.upload("".join(json.dumps(row) + "\n" for row in rows), "imports/many.jsonl")
        machines.import_file("imports/many.jsonl", backwards=backwards)
        assert machines.one("user_id", "u-1").attributes["nickname"] == "Rosa"
        assert "nickname" not in machines.one("user_id", "u-2").attributes


def test_a_run_that_only_updates_creates_nobody() -> None:
    machines = known()
    machines.upload("user_id,email,tags\nu-1,,new\nu-9,nine@example.com,new\n,two@example.com,new\n")
    dry = machines.import_file(mode="update", dry_run=True)
    report = machines.import_file(mode="update")
    assert counts(report) == counts(dry) == {"rows": 3, "updated": 2}
    assert (report["not_found"], dry["not_found"]) == (1, 1)
    assert ("user_id", "u-9") not in machines.contacts.identities
    assert "new" in machines.one("user_id", "u-2").tags


@pytest.mark.parametrize(
    ("given", "field"), [({"mode": "insert"}, "mode"), ({"mode": 1}, "mode"), ({"clear": "x"}, "clear"), ({"clear": [1]}, "clear")]
)  # fmt: skip
def test_a_mode_or_token_that_is_none_is_refused(given: dict[str, Any], field: str) -> None:
    machines = known()
    with pytest.raises(InvalidInput) as refused:
        machines.import_file("imports/first.csv", **given)
    assert refused.value.field == field


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_members_and_columns_nobody_declared_are_named_with_their_counts(form: str) -> None:
    machines = Machines()
    rows = [("u-1", "43", ""), ("u-2", "", "x"), ("u-3", "44", ""), ("u-4", "45", "")]
    if form == "csv":
        content = "user_id,shoe,diet\n" + "".join(",".join(row) + "\n" for row in rows)
    else:
        content = "".join(
            json.dumps({"user_id": user, **({"shoe": shoe} if shoe else {}), **({"diet": diet} if diet else {})}) + "\n"
            for user, shoe, diet in rows
        )
    machines.upload(content, f"imports/odd.{form}")
    report = machines.import_file(f"imports/odd.{form}")
    assert report["ignored_values"] == {"shoe": 3, "diet": 1}
    assert report["ignored_columns"] == ["shoe", "diet"]


def test_a_tag_that_its_rule_gives_is_left_out_and_the_row_stays() -> None:
    with shipped():
        machines = Machines()
        machines.upload("user_id,tags\nu-1,vip;repeat-buyer\nu-2,no-such-tag\n")
        report = machines.import_file()
        assert counts(report) == {"rows": 2, "created": 1, "rejected": 1}
        assert machines.one("user_id", "u-1").tags == {"vip"}
        assert "repeat-buyer" in machines.text(report["files"]["repairs"])


def test_a_contact_has_an_openid_in_each_account_that_a_row_names() -> None:
    machines = Machines()
    machines.upload("user_id,openid:shop,openid:mini\nu-1,o-a,o-b\n")
    assert counts(machines.import_file()) == {"rows": 1, "created": 1}
    assert sorted(machines.one("user_id", "u-1").identities["openid"]) == ["mini:o-b", "shop:o-a"]
    assert machines.one("openid", "mini:o-b") == machines.one("openid", "shop:o-a")


@pytest.mark.parametrize("name", ["attribute:consent", "attribute:tags", "attribute:", "attribute:Not A Name"])
def test_a_column_cannot_reach_what_is_no_attribute(name: str) -> None:
    machines = Machines()
    machines.upload(f'user_id,{name}\nu-1,"{{""email"": true}}"\n')
    report = machines.import_file()
    assert report["ignored_columns"] == [name]
    assert machines.one("user_id", "u-1").consents == {}
