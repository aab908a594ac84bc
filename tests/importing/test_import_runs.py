"""A file goes in: what becomes of its rows under interruptions, repetitions and overlaps."""

import csv
import gzip
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.effects import CRASH_MODES, Crash, CrashMode, Effects
from tests.importing.machine import START, Machines, base, counts, rebuilt
from waypost.clock import parse_instant
from waypost.contacts.consent import Consent
from waypost.errors import InvalidInput, RetryableError, ServiceRefused
from waypost.importing.applying import Importer
from waypost.importing.rows import CleanRow

ROWS = """user_id,email,phone,tags
u-1,One@Example.com,13800138001,vip
u-2,two@example.com,13800138002,
u-3,not an address,13800138003,
u-4,four@example.com,,new
u-1,one@example.com,,gold
u-5,five@example.com,13800138005,
,,,
u-6,six@example.com,,
"""


def test_a_file_makes_contacts_and_a_report() -> None:
    machines = Machines()
    machines.upload(ROWS)
    report = machines.import_file()
    assert counts(report) == {"rows": 7, "created": 5, "updated": 1, "rejected": 1, "duplicates": 1}
    assert machines.one("user_id", "u-1").tags == {"vip", "gold"}
    assert machines.one("phone", "+8613800138002").attributes["email"] == "two@example.com"
    assert "u-3" not in {value for _, value in machines.contacts.identities}
    assert (report["format"], report["dry_run"], report["mapping"]) == ("csv", False, "")


def test_rejected_rows_come_back_with_number_field_reason_and_their_cells() -> None:
    machines = Machines()
    machines.upload(ROWS.replace("u-3,not", "=u-3,not"))
    rejected = machines.text(machines.import_file()["files"]["rejected"]).splitlines()
    assert rejected[0] == "row,field,reason,user_id,email,phone,tags"
    number, field, *_ = rejected[1].split(",")
    assert (number, field, len(rejected)) == ("4", "email", 2)
    assert rejected[1].endswith(",'=u-3,not an address,13800138003,")


def test_a_row_that_cannot_be_cut_into_cells_comes_back_as_its_text_and_is_rejected_again() -> None:
    machines = Machines()
    machines.upload('user_id,name\nu-1,"never closed, Ann\nu-2,Bob\n')
    rejected = machines.text(machines.import_file()["files"]["rejected"])
    assert [row[3:] for row in csv.reader(rejected.splitlines()[1:])] == [["", "", 'u-1,"never closed, Ann']]
    machines.upload(rejected, "imports/not-corrected.csv")
    assert counts(machines.import_file(file="imports/not-corrected.csv")) == {"rows": 1, "rejected": 1}


def test_a_line_that_is_no_object_comes_back_as_it_stood() -> None:
    machines = Machines()
    machines.upload('{"user_id": "u-1"}\n{"user_id": "u-2", "name": "Bob"\n{"user_id": "u-3", "name": {"a": [{}]}}\n')
    rejected = machines.text(machines.import_file()["files"]["rejected"])
    assert [row[3] for row in csv.reader(rejected.splitlines()[1:])] == [
        '{"user_id": "u-2", "name": "Bob"',
        '{"user_id": "u-3", "name": {"a": [{}]}}',
    ]


def test_the_corrected_file_of_rejected_rows_can_be_imported() -> None:
    machines = Machines()
    machines.upload(ROWS)
    rejected = machines.text(machines.import_file()["files"]["rejected"])
    machines.upload(rejected.replace("not an address", "three@example.com"), "imports/corrected.csv")
    assert counts(machines.import_file("imports/corrected.csv")) == {"rows": 1, "created": 1}


def test_repairs_are_counted_with_an_example() -> None:
    machines = Machines()
    machines.upload(ROWS)
    report = machines.import_file()
    assert report["repairs"] >= 4
    lines = machines.text(report["files"]["repairs"]).splitlines()
    assert lines[0] == "field,rule,count,example_row,example_before,example_after"
    assert any(line.startswith("phone,") and "'+8613800138001" in line for line in lines)


def test_the_same_file_again_is_answered_from_what_was_done() -> None:
    machines = Machines()
    machines.upload(ROWS)
    first, before = machines.import_file(), list(machines.effects.log)
    machines.clock.advance(hours=1)
    assert machines.import_file() == first | {"imported_before": first["imported_at"]}
    assert machines.effects.log == before


def test_a_file_imported_before_another_is_restored_when_asked_for_again() -> None:
    machines = Machines()
    for key, zone in (("imports/a.csv", "Asia/Shanghai"), ("imports/b.csv", "Europe/Berlin")):
        machines.upload(f"user_id,timezone\nzz1,{zone}\n", key)
        assert "imported_before" not in machines.import_file(key)
        machines.clock.advance(hours=1)
    assert machines.import_file("imports/a.csv")["imported_before"] == START
    assert machines.one("user_id", "zz1").attributes["timezone"] == "Europe/Berlin"
    restored = machines.import_file("imports/a.csv", again=True)
    assert (restored["updated"], "imported_before" in restored) == (1, False)
    assert machines.one("user_id", "zz1").attributes["timezone"] == "Asia/Shanghai"
    machines.clock.advance(hours=1)
    third = machines.import_file("imports/a.csv", again=True)
    assert (third["unchanged"], third["imported_at"] > restored["imported_at"]) == (1, True)
    assert machines.import_file("imports/a.csv")["imported_before"] == START


def test_a_run_that_was_asked_for_again_is_resumed_until_it_is_finished() -> None:
    machines = Machines()
    machines.upload(ROWS)
    first = machines.import_file()
    given = {"file": "imports/customers.csv", "again": True}
    run, parts = machines.parts_of(given)
    assert (run != first["run"], machines.parts_of(given)) == (True, (run, parts))
    with pytest.raises(InvalidInput, match="expected true or false"):
        machines.parts_of({**given, "again": "yes"})


def test_rows_with_a_wrong_number_of_cells_keep_them_for_correction() -> None:
    machines = Machines()
    rows = ["phone,name,city", "13800139701,A,上海,extra", "13800139702", "13800139703,C,北京", '=1+1,B,"a,b",c,d']
    machines.upload("\n".join(rows) + "\n")
    report = machines.import_file()
    lines = machines.text(report["files"]["rejected"]).splitlines()
    assert (report["rows"], report["rejected"], report["created"]) == (4, 3, 1)
    assert lines[0] == "row,field,reason,phone,name,city"
    assert lines[1].endswith(",13800139701,A,上海,extra")
    assert lines[2].endswith(",13800139702")
    assert lines[3].endswith('=1+1,B,"a,b",c,d')


def test_the_same_rows_as_another_run_write_nothing_at_all() -> None:
    machines = Machines()
    machines.upload(ROWS)
    machines.import_file()
    before = list(machines.effects.log)
    machines.clock.advance(days=30)
    machines.upload(ROWS, "imports/again.csv")
    report = machines.import_file("imports/again.csv")
    assert counts(report) == {"rows": 7, "unchanged": 6, "rejected": 1, "duplicates": 1}
    assert machines.effects.log == before


def test_a_dry_run_writes_nothing_and_reports_the_same() -> None:
    machines = Machines()
    machines.upload(ROWS)
    pretended = machines.import_file(dry_run=True)
    assert (machines.effects.log, len(machines.contacts)) == ([], 0)
    done = machines.import_file()
    assert counts(pretended) == counts(done)
    assert (pretended["run"], pretended["dry_run"]) != (done["run"], done["dry_run"])


@pytest.mark.parametrize("mode", CRASH_MODES)
@pytest.mark.parametrize("crash_at", range(12))
def test_a_part_that_broke_off_anywhere_is_finished_and_counted_as_if_it_had_not(
    mode: CrashMode, crash_at: int
) -> None:
    undisturbed = Machines(rows_per_part=100)
    undisturbed.upload(ROWS)
    expected = counts(undisturbed.import_file())

    machines = Machines(rows_per_part=100, effects=Effects(crash_at=crash_at, mode=mode))
    machines.upload(ROWS)
    _, [part] = machines.parts_of({"file": "imports/customers.csv"})
    if crash_at < len(undisturbed.effects.log) and not _is_harmless(mode, machines, part):
        machines.clock.advance(minutes=1)
    report = machines.import_file()
    assert counts(report) == expected
    assert base(machines) == base(undisturbed)
    assert machines.history.events.keys() == undisturbed.history.events.keys()


def _is_harmless(mode: CrashMode, machines: Machines, part: dict[str, Any]) -> bool:
    try:
        machines.import_part.import_part(part)
    except (Crash, RetryableError):
        return False
    return True


@pytest.mark.parametrize("crash_on", ["contacts.save", "history.record_many"])
@pytest.mark.parametrize("mode", CRASH_MODES)
def test_what_was_filled_in_is_in_the_history_although_keeping_it_broke_off(crash_on: str, mode: CrashMode) -> None:
    machines = Machines(effects=Effects(crash_on=crash_on, mode=mode))
    rows = [
        CleanRow(number, {"user_id": f"u-{number}"}, {"city": "上海市"}, filled={"province": "上海市"})
        for number in (2, 3)
    ]
    for is_rerun in (False, True):
        stores: dict[str, Any] = {"contacts": machines.contacts, "history": machines.history, "clock": machines.clock}
        try:
            with Importer(**stores, is_rerun=is_rerun) as importer:
                for row in rows:
                    importer.apply(row, source="import:test", at=parse_instant(START) + timedelta(seconds=row.number))
        except (Crash, RetryableError):
            continue
        break
    kept = [json.loads(item) for item in machines.history.events.values()]
    assert {event["properties"]["outcome"] for event in kept} == {"created"}
    assert {contact.attributes["province"] for contact in machines.contacts.living()} == {"上海市"}
    assert rebuilt(machines) == base(machines)


def test_a_value_the_contact_already_has_is_in_the_history_when_a_row_repeats_it() -> None:
    machines = Machines(rows_per_part=100)
    machines.upload("user_id,timezone\nu-1,Etc/GMT-1\nu-1,Etc/GMT-2\nu-1,Etc/GMT-1\n")
    machines.import_file()
    for week, zone in enumerate((2, 1), 1):
        machines.clock.advance(days=7)
        machines.upload(f"user_id,timezone\nu-1,Etc/GMT-{zone}\n", f"imports/week-{week}.csv")
        machines.import_file(f"imports/week-{week}.csv")
    assert machines.one("user_id", "u-1").attributes["timezone"] == "Etc/GMT-1"
    assert rebuilt(machines) == base(machines)


def test_a_grant_that_took_no_effect_is_not_in_the_history() -> None:
    machines = Machines()
    machines.upload("user_id,email\nu-1,one@example.com\nu-2,two@example.com\n")
    machines.import_file(consent={"email": "sign-up form of 2025"})
    machines.clock.advance(days=1)
    machines.upload("user_id,email,timezone\nu-1,one@example.com,Etc/GMT-1\nu-2,,Etc/GMT-1\n", "imports/again.csv")
    machines.import_file("imports/again.csv", consent={"email": "sign-up form of 2026"})
    assert machines.one("user_id", "u-1").consents["email/*"].at < machines.clock() - timedelta(hours=23)
    assert rebuilt(machines) == base(machines)


@pytest.mark.parametrize("mode", CRASH_MODES)
@pytest.mark.parametrize("crash_at", range(12))
def test_a_part_that_broke_off_behind_a_merge_is_counted_as_if_it_had_not(mode: CrashMode, crash_at: int) -> None:
    rows = "user_id,phone\n,13800138001\nu-1,\nu-1,13800138001\nu-2,\n"
    undisturbed = Machines(rows_per_part=100)
    undisturbed.upload(rows)
    expected = counts(undisturbed.import_file())
    assert expected == {"rows": 4, "created": 3, "merged": 1, "duplicates": 1}
    machines = Machines(rows_per_part=100, effects=Effects(crash_at=crash_at, mode=mode))
    machines.upload(rows)
    _, [part] = machines.parts_of({"file": "imports/customers.csv"})
    if crash_at < len(undisturbed.effects.log) and not _is_harmless(mode, machines, part):
        machines.clock.advance(minutes=1)
    assert counts(machines.import_file()) == expected
    assert {place[1] for place in machines.history.events} == {place[1] for place in undisturbed.history.events}
    assert len(machines.history.events) == len(undisturbed.history.events)


def test_two_files_about_the_same_people_at_once_lose_nobody() -> None:
    machines = Machines()
    machines.upload("user_id,email,tags\nu-1,one@example.com,a\nu-2,two@example.com,a\n", "imports/a.csv")
    machines.upload("user_id,phone,tags\nu-2,13800138002,b\nu-1,13800138001,b\n", "imports/b.csv")
    [(_, [one]), (_, [other])] = (machines.parts_of({"file": f"imports/{name}.csv"}) for name in "ab")
    machines.contacts.before_save = lambda: machines.import_part.import_part(other)
    machines.import_part.import_part(one)
    assert len(machines.contacts.living()) == 2
    for number in (1, 2):
        contact = machines.one("user_id", f"u-{number}")
        assert contact.tags == {"a", "b"}
        assert {"email", "phone"} <= contact.identities.keys()


def test_a_part_that_is_not_done_keeps_the_report_back() -> None:
    machines = Machines()
    machines.upload(ROWS)
    run, parts = machines.parts_of({"file": "imports/customers.csv"})
    machines.import_part.import_part(parts[0])
    with pytest.raises(InvalidInput, match="not all done; redrive"):
        machines.reconcile_import.reconcile({"run": run, "bucket": 0})
    with pytest.raises(InvalidInput, match="is not done; redrive"):
        machines.finish_import.report({"run": run})
    for part in parts:
        machines.import_part.import_part(part)
    with pytest.raises(InvalidInput, match="reconciled/00000 is not done; redrive"):
        machines.finish_import.report({"run": run})


def test_a_file_that_is_replaced_meanwhile_stops_the_run() -> None:
    machines = Machines()
    machines.upload(ROWS)
    _, [part, *_] = machines.parts_of({"file": "imports/customers.csv"})
    machines.upload(ROWS + "u-9,nine@example.com,,\n")
    with pytest.raises(InvalidInput, match="was replaced"):
        machines.import_part.import_part(part)


def test_a_file_is_cut_into_the_same_parts_in_one_go_or_in_many() -> None:
    rows = "user_id,note\n" + "".join(f'u-{number},"line {number}\nanother"\n' for number in range(50))
    cut = []
    for bytes_per_step in (60, 10_000):
        machines = Machines(rows_per_part=4)
        machines.upload(rows)
        answer = machines.inspector.inspect({"input": {"file": "imports/customers.csv"}})
        divider = replace(machines.split_import, bytes_per_step=bytes_per_step)
        answer, calls = divider.divide(answer), 1
        while not answer["done"]:
            answer, calls = divider.divide(answer), calls + 1
        cut.append([json.loads(machines.files[file.key]) for file in machines.files.listed(answer["parts"])])
        assert (calls > 1) == (bytes_per_step == 60)
        assert divider.divide({"run": answer["run"]}) == answer
    assert cut[0] == cut[1]
    assert [part["first"] for part in cut[0]] == list(range(2, 52, 4))


def test_compressed_files_of_a_folder_are_one_file() -> None:
    machines = Machines()
    for number in (1, 2):
        endpoint = {"ChannelType": "EMAIL", "Address": f"p{number}@example.com", "User": {"UserId": f"u-{number}"}}
        machines.upload(gzip.compress(json.dumps(endpoint).encode()), f"imports/pinpoint/part-{number}.json.gz")
    report = machines.import_file("imports/pinpoint/")
    assert (report["format"], counts(report)) == ("pinpoint", {"rows": 2, "created": 2})


def test_consent_for_all_rows_has_its_evidence_and_never_overrules_the_contact() -> None:
    machines = Machines()
    machines.upload("user_id,email\nu-1,one@example.com\nu-2,two@example.com\nu-3,\n")
    machines.import_file()
    leaver = machines.one("user_id", "u-1")
    left = {"email/*": Consent(granted=False, at=machines.clock(), source="shop")}
    machines.contacts.put(replace(leaver, consents=left, suppressions={"email": "complaint"}))
    machines.clock.advance(days=1)
    report = machines.import_file(consent={"email": "sign-up form of 2026"})
    assert report["kept_consents"] == {"email": 1}
    assert counts(report) == {"rows": 3, "updated": 1, "unchanged": 2}
    assert machines.one("user_id", "u-1").consents == left
    assert machines.one("user_id", "u-1").suppressions == {"email": "complaint"}
    granted = machines.one("user_id", "u-2").consents["email/*"]
    assert (granted.granted, granted.source) == (True, f"import:{report['run']}")
    assert machines.one("user_id", "u-3").consents == {}
    [event] = [
        json.loads(item) for item in machines.history.events.values() if "evidence" in json.loads(item)["properties"]
    ]
    assert event["properties"]["evidence"] == {"email": "sign-up form of 2026"}
    assert event["profile"]["consent"] == {"email": True}


def test_an_erased_contact_does_not_come_back() -> None:
    machines = Machines()
    machines.upload("user_id,email\nu-1,one@example.com\n")
    machines.import_file()
    contact = machines.one("user_id", "u-1")
    machines.contacts.put(replace(contact, erased=True, attributes={}))
    before = machines.contacts.items[contact.contact_id]
    machines.upload("user_id,email,tags\nu-9,one@example.com,vip\n", "imports/again.csv")
    report = machines.import_file("imports/again.csv")
    assert counts(report) == {"rows": 1, "rejected": 1}
    assert "erased on request" in machines.text(report["files"]["rejected"])
    assert machines.contacts.items[contact.contact_id] == before
    assert len(machines.contacts) == 1


@pytest.mark.parametrize(
    ("error", "field"),
    [
        (InvalidInput("profile", "the attributes would exceed 200,000 bytes"), "profile"),
        (ServiceRefused("PutItem: ValidationException: Item size has exceeded the maximum"), "row"),
    ],
)
def test_a_row_that_cannot_be_stored_keeps_back_itself_only(error: Exception, field: str) -> None:
    machines = Machines()
    machines.upload(ROWS)

    def refuse() -> None:
        raise error

    machines.contacts.before_save = refuse
    report = machines.import_file()
    assert counts(report) == {"rows": 7, "created": 5, "rejected": 2}
    assert machines.text(report["files"]["rejected"]).splitlines()[1].startswith(f"2,{field},")


def test_a_store_that_refuses_us_stops_the_part() -> None:
    machines = Machines()
    machines.upload(ROWS)

    def refuse() -> None:
        raise ServiceRefused("PutItem: AccessDeniedException: not authorized")

    machines.contacts.before_save = refuse
    with pytest.raises(ServiceRefused):
        machines.import_file()


def test_rows_that_prove_two_contacts_to_be_one_merge_them() -> None:
    machines = Machines()
    machines.upload("user_id,email\n,one@example.com\n", "imports/mails.csv")
    machines.upload("user_id,phone\n,13800138001\n", "imports/phones.csv")
    machines.import_file("imports/mails.csv")
    machines.import_file("imports/phones.csv")
    machines.upload("user_id,email,phone\nu-1,one@example.com,13800138001\n", "imports/both.csv")
    pretended = machines.import_file("imports/both.csv", dry_run=True)
    assert len(machines.contacts.living()) == 2
    assert machines.queue.events == {}
    assert counts(machines.import_file("imports/both.csv")) == counts(pretended) == {"rows": 1, "merged": 1}
    assert len(machines.contacts.living()) == 1
    assert [event.type for event in machines.queue.events.values()] == ["contacts_merged"]


def test_a_value_that_is_older_than_what_is_known_changes_nothing() -> None:
    machines = Machines()
    machines.upload("user_id,timezone\nu-1,Asia/Shanghai\n", "imports/new.csv")
    machines.import_file("imports/new.csv")
    machines.upload("user_id,timezone\nu-1,Asia/Tokyo\n", "imports/old.csv")
    report = machines.import_file("imports/old.csv", as_of="2027-02-01T00:00:00Z")
    assert counts(report) == {"rows": 1, "unchanged": 1}
    assert machines.one("user_id", "u-1").attributes["timezone"] == "Asia/Shanghai"


@pytest.mark.parametrize(
    ("given", "field", "reason"),
    [
        ({}, "file", "is missing"),
        ({"file": 3}, "file", "expected a text"),
        ({"file": "exports/x.csv"}, "file", "expected a file under s3://waypost-test-files/imports/"),
        ({"file": "s3://elsewhere/imports/x.csv"}, "file", "expected a file under"),
        ({"file": "imports/"}, "file", "expected a file under"),
        ({"file": "imports/nothing.csv"}, "file", "there is nothing at s3://waypost-test-files/imports/nothing.csv"),
        ({"file": "imports/empty.csv"}, "file", "is empty"),
        ({"file": "imports/header.csv"}, "file", "has no rows"),
        ({"file": "imports/customers.csv", "formt": "csv"}, "formt", "did you mean 'format'?"),
        ({"file": "imports/customers.csv", "format": "xlsx"}, "format", "expected one of csv, jsonl, pinpoint"),
        ({"file": "imports/customers.csv", "mapping": "nobody"}, "mapping", "there is no mapping 'nobody'"),
        ({"file": "imports/customers.csv", "dry_run": "yes"}, "dry_run", "expected true or false"),
        (
            {"file": "imports/customers.csv", "consent": {"fax": "x"}},
            "consent.fax",
            "expected one of email, inbox, push, robot, sms, webhook, wechat, wecom, whatsapp",
        ),
        ({"file": "imports/customers.csv", "consent": {"email": True}}, "consent.email", "where and how"),
        ({"file": "imports/customers.csv", "consent": {"email": "No"}}, "consent.email", "write false for a refusal"),
        ({"file": "imports/customers.csv", "consent": {"sms": "退订"}}, "consent.sms", "write false for a refusal"),
        ({"file": "imports/customers.csv", "consent": {"email": "yes"}}, "consent.email", "neither where nor how"),
        ({"file": "imports/customers.csv", "consent": {"email": "Tags"}}, "consent.email", "'Tags' is a column"),
        ({"file": "imports/customers.csv", "as_of": "yesterday"}, "as_of", "expected an instant"),
        ({"file": "imports/customers.csv", "as_of": "2050-01-01T00:00:00Z"}, "as_of", "is in the future"),
    ],
)
def test_what_cannot_be_imported_is_refused_before_anything_is_written(
    given: dict[str, Any], field: str, reason: str
) -> None:
    machines = Machines()
    machines.upload(ROWS)
    machines.upload("", "imports/empty.csv")
    machines.upload("user_id,email\n", "imports/header.csv")
    with pytest.raises(InvalidInput) as refused:
        machines.parts_of(given)
    assert refused.value.field == field
    assert reason in refused.value.reason
    assert machines.effects.log == []


def test_a_part_says_how_far_it_is() -> None:
    machines = Machines(rows_per_part=1000, rows_per_bucket=1000)
    machines.upload("user_id\n" + "".join(f"u-{n}\n" for n in range(450)))
    run = machines.import_file()["run"]
    marks = [
        key.rpartition("/")[2] for key in machines.files.contents if key.startswith(f"work/imports/{run}/progress/")
    ]
    assert sorted(marks) == ["00000000002-000000200", "00000000002-000000400"]
