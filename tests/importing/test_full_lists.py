"""A file that is a whole list: who is not in it leaves, unless the file is more likely to be cut."""

from typing import Any

import pytest

from tests.fakes.files import FakeFiles
from tests.importing.machine import START, Machines, base, counts, rebuilt
from tests.importing.shipped import shipped
from waypost.clock import parse_instant
from waypost.contacts.profile import Contact
from waypost.errors import InvalidInput
from waypost.importing.full_list import ContactSet

FIRST = "user_id,email,city\n" + "".join(f"u-{n},p{n}@example.com,上海\n" for n in range(10))


def listed(list_: str = "group:partners") -> Machines:
    """Ten contacts on the list, and one that is not."""
    machines = Machines()
    machines.upload(FIRST, "imports/first.csv")
    report = machines.import_file("imports/first.csv", full_list=list_)
    assert counts(report) == {"rows": 10, "created": 10}
    machines.upload("user_id\nother\n", "imports/other.csv")
    machines.import_file("imports/other.csv")
    machines.clock.advance(days=1)
    return machines


def on(machines: Machines, name: str = "partners") -> set[str]:
    everybody = machines.contacts.living()
    return {each.identities["user_id"][0] for each in everybody if name in each.groups | each.tags}


def rows(*numbers: int) -> str:
    return "user_id\n" + "".join(f"u-{n}\n" for n in numbers)


@pytest.mark.parametrize("list_", ["group:partners", "tag:partners"])
@pytest.mark.parametrize("backwards", [False, True])
def test_who_is_not_in_the_file_leaves_and_who_is_new_joins(list_: str, backwards: bool) -> None:
    machines = listed(list_)
    machines.upload(rows(*range(8), 77))
    report = machines.import_file(full_list=list_, backwards=backwards)
    assert report["full_list"] | {"tag": "", "group": ""} == {
        "tag": "", "group": "", "members": 11, "leaving": 2, "left": 2, "held_back": "",
    }  # fmt: skip
    assert on(machines) == {*(f"u-{n}" for n in range(8)), "u-77"}
    assert base(machines) == rebuilt(machines)


def test_a_dry_run_says_how_many_would_leave_and_nobody_does() -> None:
    machines = listed()
    machines.upload(rows(0, 1, 2))
    before = base(machines)
    report = machines.import_file(full_list="group:partners", dry_run=True)
    assert (report["full_list"]["leaving"], report["full_list"]["left"]) == (7, 0)
    assert "7 of 10 (70%) would leave" in report["full_list"]["held_back"]
    report = machines.import_file(full_list="group:partners", dry_run=True, most_leaving=7)
    assert (report["full_list"]["leaving"], report["full_list"]["held_back"]) == (7, "")
    assert base(machines) == before


def test_a_file_that_is_too_small_takes_nobody_off_until_that_is_asked_for() -> None:
    machines = listed()
    machines.upload(rows(0, 1, 2, 88))
    report = machines.import_file(full_list="group:partners")
    assert report["created"] == 1
    assert "is the file whole?" in report["full_list"]["held_back"]
    assert len(on(machines)) == 11
    report = machines.import_file(full_list="group:partners", most_leaving=6)
    assert "7 would leave, and at most 6 may" in report["full_list"]["held_back"]
    report = machines.import_file(full_list="group:partners", most_leaving=7)
    assert report["full_list"]["left"] == 7
    assert on(machines) == {"u-0", "u-1", "u-2", "u-88"}


def test_a_rejected_row_keeps_its_contact_on_the_list() -> None:
    with shipped():
        machines = listed("group:partners")
        machines.upload("user_id,birthday\n" + "".join(f"u-{n},{'soon' if n == 3 else ''}\n" for n in range(9)))
        report = machines.import_file(full_list="group:partners")
        assert (report["rejected"], report["full_list"]["left"]) == (1, 1)
        assert on(machines) == {f"u-{n}" for n in range(9)}


def test_while_a_row_names_nobody_nobody_leaves() -> None:
    machines = listed()
    machines.upload("user_id,nickname\n" + "".join(f"u-{n},\n" for n in range(9)) + ",Rose\n")
    report = machines.import_file(full_list="group:partners")
    assert "of 1 rows no id could be read" in report["full_list"]["held_back"]
    assert len(on(machines)) == 10
    assert machines.import_file(full_list="group:partners", most_leaving=1)["full_list"]["left"] == 1


def test_a_list_that_nobody_leaves_changes_nothing() -> None:
    machines = listed()
    machines.upload(FIRST, "imports/again.csv")
    before, log = base(machines), len(machines.effects.log)
    report = machines.import_file("imports/again.csv", full_list="group:partners")
    assert (counts(report), report["full_list"]["leaving"]) == ({"rows": 10, "unchanged": 10}, 0)
    assert (base(machines), len(machines.effects.log)) == (before, log)


def test_a_pass_that_is_repeated_takes_nobody_off_twice() -> None:
    machines = listed()
    machines.upload(rows(*range(8)))
    report = machines.import_file(full_list="group:partners")
    before, events = base(machines), dict(machines.history.events)
    for key in [key for key in machines.files.contents if f"work/imports/{report['run']}/left/" in key]:
        del machines.files.contents[key]  # the invocation crashed before its first checkpoint
    machines.compared({"run": report["run"], "slice": 0, "applies": True})
    assert (base(machines), machines.history.events) == (before, events)
    assert machines.finish_import.report({"run": report["run"]})["full_list"]["left"] == 2


def test_who_joined_again_since_the_file_was_true_stays() -> None:
    machines = listed()
    machines.upload(rows(*range(8)))
    report = machines.import_file(full_list="group:partners", as_of="2027-02-01T00:00:00Z")
    assert (report["full_list"]["leaving"], report["full_list"]["left"]) == (2, 0)
    assert len(on(machines)) == 10


def test_a_contact_merged_since_is_on_the_list_by_each_of_its_ids() -> None:
    files = FakeFiles()
    files.write("listed/1.bin", ContactSet.dump(["c-1", "c-2"]))
    files.write("listed/2.bin", ContactSet.dump(["c-0"]))
    known, at = ContactSet.load(files, "listed/"), parse_instant(START)
    assert all(Contact(contact_id=each, created_at=at) in known for each in ("c-0", "c-1", "c-2"))
    assert Contact(contact_id="c-9", created_at=at, absorbed=("c-2",)) in known
    assert Contact(contact_id="c-9", created_at=at) not in known


@pytest.mark.parametrize(
    ("given", "field", "reason"),
    [
        ({"full_list": "partners"}, "full_list", "expected tag:<name> or group:<name>"),
        ({"full_list": "segment:vip"}, "full_list", "expected tag:<name>"),
        ({"full_list": "tag:repeat-buyer"}, "full_list", "by its rule alone"),
        ({"full_list": "tag:vipp"}, "full_list", "did you mean 'vip'?"),
        ({"most_leaving": 3}, "most_leaving", "say which one in full_list"),
        ({"full_list": "tag:vip", "most_leaving": -1}, "most_leaving", "expected a number"),
        ({"full_list": "tag:vip", "most_leaving": True}, "most_leaving", "expected a number"),
    ],
)
def test_what_is_no_list_is_refused(given: dict[str, Any], field: str, reason: str) -> None:
    with shipped():
        machines = Machines()
        machines.upload(FIRST)
        with pytest.raises(InvalidInput) as refused:
            machines.import_file(**given)
        assert refused.value.field == field
        assert reason in refused.value.reason
