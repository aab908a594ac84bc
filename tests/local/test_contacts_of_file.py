"""Contacts of a file play the scenarios of a journey; what is wrong in the file is named by row and field."""

import json
from pathlib import Path

import pytest

from local.problems import LocalError
from local.rehearsal.contacts_of_file import FileContact, played_by, read_contacts
from local.rehearsal.scenario_file import ScenarioFile

NAMES = ["buys", "leaves"]
FILE = ScenarioFile.model_validate(
    {
        "start": "2031-03-03T00:00:00+08:00",
        "scenarios": [
            {
                "name": name,
                "contact": {"user_id": f"own-{name}", "email": "own@example.com"},
                "events": [{"at": "day 1 10:00", "event": event}],
                "expect": {"ends": "goal"},
            }
            for name, event in (("buys", "order_placed"), ("leaves", "unsubscribed"))
        ],
    }
)


def read(path: Path, text: str | bytes) -> list[FileContact]:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_contacts(path, {}, NAMES)


def wrong(path: Path, text: str) -> list[str]:
    with pytest.raises(LocalError) as error:
        read(path, text)
    return [line.removeprefix(f"{path}: ") for line in error.value.what.splitlines()]


def test_cells_are_read_as_an_import_reads_them(tmp_path: Path) -> None:
    file = "user_id,邮箱,手机,First Name,consent.email,tags\nu-1, Lin@Example.com ,138 0013 8001,小林,是,vip;gold\n"
    [found] = read(tmp_path / "c.csv", file.encode("gbk"))
    traits = found.contact.traits()
    assert (found.row, found.contact.user_id) == (2, "u-1")
    assert (found.contact.email, found.contact.phone) == ("lin@example.com", "+8613800138001")
    assert (traits["first_name"], traits["consent"], traits["tags"]) == ("小林", {"email": True}, ["vip", "gold"])


def test_json_lines_keep_the_types_of_their_values(tmp_path: Path) -> None:
    line = {"user_id": "u-1", "consent": {"sms": False}, "level": 3, "timezone": "Europe/Berlin"}
    [found] = read(tmp_path / "c.jsonl", json.dumps(line) + "\n")
    assert found.contact.traits() == {"consent": {"sms": False}, "level": 3, "timezone": "Europe/Berlin"}


def test_everything_that_is_wrong_is_named_by_row_and_field(tmp_path: Path) -> None:
    found = wrong(
        tmp_path / "c.csv",
        "user_id,email,scenario\nu-1,one@example.com,\nu-1,two@example.com,\n,three@example.com,\nu-4,no address,\nu-5,,flies away\n",
    )
    assert [line.partition(": ")[0] for line in found] == ["row 3", "row 4", "row 5", "row 6"]
    assert found[0] == "row 3: user_id: is that of row 2 too"
    assert found[1].startswith("row 4: user_id: ")
    assert found[2].startswith("row 5: email: should be an e-mail address")
    assert found[3] == "row 6: scenario: the journey has no scenario 'flies away'; expected one of buys, leaves"


def test_a_long_list_of_problems_is_cut(tmp_path: Path) -> None:
    found = wrong(tmp_path / "c.csv", "user_id,email\n" + "".join(f"u-{row % 30},\n" for row in range(60)))
    assert len(found) == 21
    assert found[-1] == "and 10 more"


@pytest.mark.parametrize(("text", "reason"), [("", "is empty"), ("user_id,email\n", "has 0 contacts")])
def test_a_file_without_contacts_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    assert reason in wrong(tmp_path / "c.csv", text)[0]


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match=r"missing\.csv cannot be read"):
        read_contacts(tmp_path / "missing.csv", {}, NAMES)


def test_contacts_do_what_the_scenarios_do_in_turn_or_as_the_file_says(tmp_path: Path) -> None:
    contacts = read(tmp_path / "c.csv", "user_id,scenario\nu-1,leaves\nu-2,\nu-3,\n")
    played = played_by(FILE, contacts).scenarios
    assert [(each.contact.user_id, each.events[0].event) for each in played] == [
        ("u-1", "unsubscribed"),
        ("u-2", "order_placed"),
        ("u-3", "unsubscribed"),
    ]
    assert [each.name for each in played] == ["leaves (2)", "buys (3)", "leaves (4)"]
    assert {each.contact.email for each in played} == {None}
    assert {each.expect.ends for each in played} == {None}
