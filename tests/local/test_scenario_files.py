"""Scenario files: moments of a contact's day, and mistakes that name the file, the field and the reason."""

from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from infra.project import ROOT
from local.commands.app import app
from local.problems import LocalError
from local.rehearsal.demo import SAMPLE
from local.rehearsal.scenario_file import ScenarioFile, read_scenarios

SHANGHAI = ZoneInfo("Asia/Shanghai")


def file_with(**changes: object) -> ScenarioFile:
    scenario = {"name": "one", "contact": {"user_id": "u"}, "events": [{"at": "day 1 09:00", "event": "registered"}]}
    return ScenarioFile.model_validate({"start": "2031-03-03T00:30:00+08:00", "scenarios": [{**scenario, **changes}]})


@pytest.mark.parametrize(
    ("moment", "zone", "instant"),
    [
        ("day 1 09:00", "Asia/Shanghai", datetime(2031, 3, 3, 1, 0, tzinfo=UTC)),
        ("day 1", "Asia/Shanghai", datetime(2031, 3, 2, 16, 0, tzinfo=UTC)),
        ("day 3 10:30:15", "Asia/Shanghai", datetime(2031, 3, 5, 2, 30, 15, tzinfo=UTC)),
        (
            "day 1 23:30",
            "America/New_York",
            datetime(2031, 3, 3, 4, 30, tzinfo=UTC),
        ),  # still the 2nd there at the start
        ("day 9 10:00", "America/New_York", datetime(2031, 3, 10, 14, 0, tzinfo=UTC)),  # summer time has begun
        ("2031-03-05T10:30:00+08:00", "Europe/Paris", datetime(2031, 3, 5, 2, 30, tzinfo=UTC)),
    ],
)
def test_a_moment_is_of_the_contacts_own_day(moment: str, zone: str, instant: datetime) -> None:
    assert file_with().instant(moment, ZoneInfo(zone)) == instant


def test_a_contact_without_a_zone_lives_in_the_default_one() -> None:
    file = file_with()
    assert file.zone_of(file.scenarios[0], SHANGHAI) == SHANGHAI


def test_unknown_fields_of_a_contact_are_attributes() -> None:
    file = file_with(contact={"user_id": "u", "timezone": "Asia/Shanghai", "city": "Xi'an", "consent": {"sms": True}})
    assert file.scenarios[0].contact.traits() == {
        "timezone": "Asia/Shanghai",
        "city": "Xi'an",
        "consent": {"sms": True},
    }


START = "start: 2031-03-03T00:00:00+08:00\n"
ONE = "{name: a, contact: {user_id: u}, events: [{at: day 1, event: e}]}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (START + "scenarios: []", "scenarios: list should have at least 1 item"),
        (START + "[", "line 2: .*expected"),
        (
            START + f"scenarios: [{ONE.replace('day 1', 'soon')}]",
            r"scenarios\[0\].events\[0\].at: expected a moment such as 'day 3 10:30'.*got 'soon'",
        ),
        (
            START + f"scenarios: [{ONE.replace('u}', 'u, timezone: Mars}')}]",
            "contact.timezone: .*IANA time zone.*'Mars'",
        ),
        (
            f"start: 2031-03-03T00:00:00\nscenarios: [{ONE}]",
            "start: expected an instant with its offset, such as 2031-03-03T00:00:00",
        ),
        (
            START + f"scenarios: [{ONE.replace('u}', 'u, phone: +8613800000000}')}]",
            r"contact.phone: expected text, got the number 8613800000000; put it into quotes, such as .\+8613800000000",
        ),
        (START + f"scenarios: [{ONE.replace('event: e', 'evnt: e')}]", "unknown field 'evnt'; did you mean 'event'"),
        (
            START + f"scenarios: [{ONE.replace('event: e', 'event: e, opens: hello')}]",
            "got event and opens; write an entry for each",
        ),
        (
            START + f"scenarios: [{ONE.replace(', event: e', '')}]",
            "expected one of event, profile, completes, declines, opens, clicks, dismisses, bounces, complains; got none",
        ),
        (
            START + f"scenarios: [{ONE.replace('event: e', 'open: hello')}]",
            "unknown field 'open'; did you mean 'opens'",
        ),
        (
            START + f"scenarios: [{ONE.replace('at: day 1', 'after: 2h')}]",
            "after counts from a message, for opens, clicks.*; write at",
        ),
        (
            START + f"scenarios: [{ONE.replace('event: e', 'after: 2h, clicks: hello')}]",
            "expected at: a moment, or after: 2h since it was sent; got both",
        ),
        (START + f"scenarios: [{ONE.replace('at: day 1, event: e', 'clicks: hello')}]", "got none"),
        (
            START + f"scenarios: [{ONE.replace('at: day 1, event: e', 'after: 2 hours, opens: hello')}]",
            r"events\[0\].after: expected a duration.*write 2h",
        ),
        (
            START + f"scenarios: [{ONE.replace('event: e', 'opens: hello, properties: {a: 1}')}]",
            "properties are of an event; opens has none",
        ),
        (
            START + f"scenarios: [{ONE.replace('event: e', 'event: e, profile: {a: 1}')}]",
            "got event and profile; write an entry for each",
        ),
        (
            START + f"scenarios: [{ONE.replace('event: e', 'profile: {a: 1}, properties: {a: 1}')}]",
            "properties are of an event; profile has none",
        ),
        (
            START + f"scenarios: [{ONE.replace('at: day 1, event: e', 'after: 2h, profile: {a: 1}')}]",
            "after counts from a message, for opens, clicks.*; write at",
        ),
        (START + f"scenarios: [{ONE.replace('event: e', 'profile: {}')}]", "profile: .*at least 1 item"),
        (START + "scenarios：\n  - x\n", "line 2: .* is not a character of YAML"),
        (START + f"scenarios: [{ONE}, {ONE.replace('name: a', 'name: b')}]", "the contact.user_id 'u' is there twice"),
    ],
)
def test_a_mistake_names_the_file_the_field_and_the_reason(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "scenarios.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(LocalError, match=f"(?s)scenarios.yaml.*{reason}"):
        read_scenarios(path)


def test_a_missing_file_says_where_to_read_on(tmp_path: Path) -> None:
    with pytest.raises(LocalError) as problem:
        read_scenarios(tmp_path / "scenarios.yaml")
    assert "docs/authoring.md" in problem.value.advice


def test_the_sample_of_the_demo_has_people_with_different_fates() -> None:
    sample = read_scenarios(ROOT / SAMPLE)
    assert len(sample.scenarios) >= 8
    assert all(scenario.expect.messages is None for scenario in sample.scenarios)


def test_a_member_of_staff_completes_or_declines_a_task_at_a_moment() -> None:
    declined = {"at": "day 1 11:00", "declines": "call-back", "note": "No such number"}
    [scenario] = file_with(events=[declined, {"at": "day 1 12:00", "completes": "call-back"}]).scenarios
    assert [each.task_answer for each in scenario.events] == [("call-back", "not_possible"), ("call-back", "done")]
    assert [each.reaction for each in scenario.events] == [None, None]


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"after": "2h", "completes": "call-back"}, "write at: a moment"),
        ({"at": "day 1", "completes": "call-back", "declines": "call-back"}, "got completes and declines"),
        ({"at": "day 1", "event": "registered", "note": "x"}, "a note is of the answer to a task"),
        ({"at": "day 1", "event": "registered", "by": "lin.chen"}, "by is the member who answers a task"),
    ],
)
def test_an_answer_to_a_task_that_is_none_is_refused(entry: dict[str, str], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        file_with(events=[entry])


def test_a_file_begins_on_another_day_with_its_days_and_at_the_same_time() -> None:
    file = file_with().model_copy(update={"until": datetime(2031, 3, 10, tzinfo=UTC)})
    moved = file.begun_on(date(2031, 12, 24))
    assert moved.start.isoformat() == "2031-12-24T00:30:00+08:00"
    assert moved.until == datetime(2031, 12, 31, tzinfo=UTC)
    assert moved.instant("day 2 09:00", SHANGHAI) == datetime(2031, 12, 25, 1, 0, tzinfo=UTC)
    assert moved.instant("2031-03-05T10:30:00+08:00", SHANGHAI) == datetime(2031, 3, 5, 2, 30, tzinfo=UTC)


@pytest.mark.parametrize(("day", "reason"), [("24.12.2031", "is no day"), ("2020-01-01", "is not to come")])
def test_a_rehearsal_begins_on_a_day_to_come(day: str, reason: str) -> None:
    with pytest.raises(LocalError, match=reason):
        CliRunner().invoke(app, ["rehearse", "level-up", "--from", day], catch_exceptions=False)
