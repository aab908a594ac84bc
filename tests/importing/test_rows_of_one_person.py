"""Several rows of a file about the same person: they are reported, and the last one wins in whatever order parts are done."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.effects import CRASH_MODES, Crash, CrashMode
from tests.importing.machine import Machines, base, counts, rebuilt
from waypost.errors import RetryableError
from waypost.importing import inspect_import as inspecting
from waypost.importing.spec import Column, ImportSpec

MANY = "user_id,email,timezone\n" + "".join(
    f"u-{number % 4},p{number % 4}@example.com,Etc/GMT-{number}\n" for number in range(12)
)
"""Four persons with three rows each."""


def test_who_is_in_the_file_twice_is_reported_and_in_what_the_rows_differ() -> None:
    machines = Machines(rows_per_part=2)
    machines.upload(
        "user_id,email,timezone\nu-1,one@example.com,Asia/Tokyo\nu-2,,\nu-1,,Asia/Seoul\nu-3,,\nu-1,uno@example.com,Asia/Seoul\n"
    )
    report = machines.import_file()
    assert machines.text(report["files"]["duplicates"]).splitlines() == [
        "row,same_person_as_row,same,differs_in",
        "4,2,user_id,timezone",
        "6,2,user_id,email",
    ]
    assert machines.one("user_id", "u-1").attributes == {"email": "uno@example.com", "timezone": "Asia/Seoul"}


def test_rows_that_share_an_address_only_are_reported_by_its_kind_and_never_by_its_value() -> None:
    machines = Machines(rows_per_part=2)
    machines.upload(
        "email,phone,timezone\nm@example.com,,Asia/Tokyo\nM@example.com,13800138000,\n,138-0013-8000,Asia/Seoul\n"
    )
    report = machines.import_file()
    assert machines.text(report["files"]["duplicates"]).splitlines()[1:] == ["3,2,email,", "4,2,phone,timezone"]


def test_persons_are_found_in_however_many_buckets_they_fall() -> None:
    reports = []
    for rows_per_bucket in (1, 2, 1_000):
        machines = Machines(rows_per_part=2, rows_per_bucket=rows_per_bucket)
        machines.upload(MANY)
        report = machines.import_file()
        listed = machines.text(report["files"]["duplicates"]).splitlines()
        reports.append((counts(report), sorted(listed[1:])))
        assert (len(machines.divided({"file": "imports/customers.csv"})["buckets"]) == 1) == (rows_per_bucket == 1_000)
    assert reports[0] == reports[1] == reports[2]
    assert reports[0][0]["duplicates"] == 8
    assert listed[1:3] == ["6,2,email; user_id,timezone", "10,2,email; user_id,timezone"]


@pytest.mark.parametrize("known", ["", "Etc/GMT-0", "Etc/GMT-11", "Etc/GMT-4"])
def test_the_last_row_of_a_person_wins_in_whatever_order_the_parts_are_done(known: str) -> None:
    bases = []
    for backwards in (False, True):
        machines = Machines(rows_per_part=2)
        if known:
            machines.upload("user_id,timezone\n" + "".join(f"u-{each},{known}\n" for each in range(4)))
            machines.import_file()
            machines.clock.advance(days=1)
        machines.upload(MANY)
        machines.import_file(backwards=backwards)
        bases.append({each.contact_id: each.attributes["timezone"] for each in machines.contacts.living()})
    assert bases[0] == bases[1]
    assert sorted(bases[0].values()) == ["Etc/GMT-10", "Etc/GMT-11", "Etc/GMT-8", "Etc/GMT-9"]


@pytest.mark.parametrize("known", ["", "Etc/GMT-0", "Etc/GMT-9"])
def test_what_the_last_row_leaves_empty_comes_from_the_one_before_it(known: str) -> None:
    machines = Machines(rows_per_part=1)
    if known:
        machines.upload(f"user_id,timezone,locale\nu-1,{known},zh-CN\n")
        machines.import_file()
        machines.clock.advance(days=1)
    machines.upload(
        "user_id,timezone,locale,tags\nu-1,Etc/GMT-7,en,a\nu-1,Etc/GMT-9,,b\nu-1,,zh-CN,\n", "imports/again.csv"
    )
    machines.import_file("imports/again.csv", backwards=True)
    contact = machines.one("user_id", "u-1")
    assert contact.attributes == {"timezone": "Etc/GMT-9", "locale": "zh-CN"}
    assert contact.tags == {"a", "b"}


def test_what_is_newer_than_the_file_stays_when_its_rows_contradict_each_other() -> None:
    machines = Machines(rows_per_part=1)
    machines.upload("user_id,timezone\nu-1,Etc/GMT-7\n")
    machines.import_file()
    machines.upload("user_id,timezone\nu-1,Etc/GMT-8\nu-1,Etc/GMT-9\n", "imports/old.csv")
    machines.clock.advance(days=1)
    machines.import_file("imports/old.csv", backwards=True, as_of="2027-01-01T00:00:00Z")
    assert machines.one("user_id", "u-1").attributes["timezone"] == "Etc/GMT-7"


@pytest.mark.parametrize("answers", ["yes,no", "no,yes", "yes,no,yes", "no,no,yes"])
@pytest.mark.parametrize("backwards", [False, True])
def test_of_yes_and_no_in_one_file_the_no_counts(
    answers: str, backwards: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = {"member": Column("identity", "user_id"), "mails": Column("consent", "email", evidence="sign-up form")}
    mapping = ImportSpec().with_columns(columns)
    monkeypatch.setattr(inspecting, "load_import_spec", lambda name: mapping if name else ImportSpec())
    machines = Machines(rows_per_part=1)
    machines.upload("user_id,email\nu-1,one@example.com\n")
    machines.import_file()
    machines.clock.advance(days=1)
    machines.upload(
        "member,mails\n" + "".join(f"u-1,{answer}\n" for answer in answers.split(",")), "imports/answers.csv"
    )
    machines.import_file("imports/answers.csv", mapping="answers", backwards=backwards)
    assert machines.one("user_id", "u-1").consent("email", "news") == "withdrawn"


def test_counts_are_as_if_the_rows_had_been_read_in_order_when_the_last_one_is_put_right() -> None:
    reports = []
    for backwards in (False, True):
        machines = Machines(rows_per_part=1)
        machines.upload("user_id,timezone\nu-1,Etc/GMT-9\nu-2,Etc/GMT-9\n")
        machines.import_file()
        machines.clock.advance(days=1)
        machines.upload("user_id,timezone\nu-1,Etc/GMT-7\nu-2,Etc/GMT-9\nu-1,Etc/GMT-9\n", "imports/again.csv")
        reports.append(counts(machines.import_file("imports/again.csv", backwards=backwards)))
    assert reports[0] == reports[1] == {"rows": 3, "updated": 2, "unchanged": 1, "duplicates": 1}


def test_the_history_tells_what_the_last_row_has_put_right() -> None:
    machines = Machines(rows_per_part=1)
    machines.upload("user_id,timezone\nu-1,Etc/GMT-9\n")
    machines.import_file()
    machines.clock.advance(days=1)
    machines.upload("user_id,timezone\nu-1,Etc/GMT-7\nu-1,Etc/GMT-9\n", "imports/again.csv")
    machines.import_file("imports/again.csv", backwards=True)
    events = sorted(map(json.loads, machines.history.events.values()), key=lambda event: event["occurred_at"])
    assert [event["profile"]["timezone"] for event in events] == ["Etc/GMT-9", "Etc/GMT-7", "Etc/GMT-9"]


def test_a_contact_who_was_erased_while_the_parts_were_done_stays_erased() -> None:
    machines = Machines(rows_per_part=1)
    machines.upload("user_id,timezone\nu-1,Etc/GMT-9\n")
    machines.import_file()
    machines.clock.advance(days=1)
    machines.upload("user_id,timezone\nu-1,Etc/GMT-7\nu-1,Etc/GMT-9\n", "imports/again.csv")
    _, parts = machines.parts_of({"file": "imports/again.csv"})
    for part in reversed(parts):
        machines.import_part.import_part(part)
    contact = machines.one("user_id", "u-1")
    machines.contacts.put(replace(contact, erased=True, attributes={}))
    before = machines.contacts.items[contact.contact_id]
    assert machines.finished({"file": "imports/again.csv"})["duplicates"] == 1
    assert machines.contacts.items[contact.contact_id] == before


@pytest.mark.parametrize("mode", CRASH_MODES)
@pytest.mark.parametrize("crash_at", range(3))
def test_comparing_rows_that_broke_off_is_finished_and_counted_as_if_it_had_not(mode: CrashMode, crash_at: int) -> None:
    def run(machines: Machines) -> dict[str, Any]:
        machines.upload("user_id,timezone\nu-1,Etc/GMT-9\nu-2,Etc/GMT-9\n")
        machines.import_file()
        machines.clock.advance(days=1)
        machines.upload(
            "user_id,timezone\nu-1,Etc/GMT-7\nu-2,Etc/GMT-7\nu-2,Etc/GMT-9\nu-1,Etc/GMT-9\n", "imports/again.csv"
        )
        answer = machines.divided({"file": "imports/again.csv"})
        _, parts = machines.parts_of({"file": "imports/again.csv"})
        for part in reversed(parts):
            machines.import_part.import_part(part)
        return answer

    undisturbed = Machines(rows_per_part=1)
    run(undisturbed)
    expected = counts(undisturbed.finished({"file": "imports/again.csv"}))
    assert expected == {"rows": 4, "updated": 4, "duplicates": 2}

    machines = Machines(rows_per_part=1)
    answer = run(machines)
    machines.effects.crash_at, machines.effects.mode = len(machines.effects.log) + crash_at, mode
    try:
        for bucket in answer["buckets"]:
            machines.reconcile_import.reconcile({"run": answer["run"], "bucket": bucket})
    except (Crash, RetryableError):
        machines.clock.advance(minutes=1)
    assert counts(machines.finished({"file": "imports/again.csv"})) == expected
    assert base(machines) == base(undisturbed)
    assert machines.history.events.keys() == undisturbed.history.events.keys()


CELLS = {"timezone": ["", "Etc/GMT-1", "Etc/GMT-2", "Etc/GMT-3"], "locale": ["", "zh-CN", "en"], "tags": ["", "a", "b"]}
ROW = st.tuples(st.sampled_from(["u-1", "u-2"]), *(st.sampled_from(cells) for cells in CELLS.values()))


def table(rows: list[tuple[str, ...]]) -> str:
    return "".join(",".join(row) + "\n" for row in [("user_id", *CELLS), *rows])


@given(known=st.lists(ROW, max_size=3), rows=st.lists(ROW, min_size=2, max_size=7), chance=st.randoms())
def test_parts_done_in_any_order_end_as_rows_read_one_after_the_other(
    known: list[tuple[str, ...]], rows: list[tuple[str, ...]], chance: Any
) -> None:
    ends = []
    for rows_per_part in (100, 1, 2):
        machines = Machines(rows_per_part=rows_per_part)
        if known:
            machines.upload(table(known))
            machines.import_file()
            machines.clock.advance(days=1)
        machines.upload(table(rows), "imports/again.csv")
        _, parts = machines.parts_of({"file": "imports/again.csv"})
        chance.shuffle(parts)
        for part in parts:
            machines.import_part.import_part(part)
        report = counts(machines.finished({"file": "imports/again.csv"}))
        assert rebuilt(machines) == base(machines)
        contacts = {each["contact_id"]: (each["attributes"], each["tags"]) for each in base(machines).values()}
        ends.append((contacts, report["rows"], report.get("duplicates"), report.get("created")))
    assert ends[0] == ends[1] == ends[2]
