"""The files of workdays: what is published of them, what is refused, and which years are missed."""

from datetime import date
from pathlib import Path

import pytest

from infra.project import ROOT
from waypost.authoring.authored_files import FileReader
from waypost.authoring.workdays import missing_years, workdays
from waypost.workdays import MONDAY_TO_FRIDAY, Workdays

SHIPPED = workdays(FileReader(ROOT / "statemachines"))
CN = Workdays.from_dict(SHIPPED).of("CN")


def read(tmp_path: Path, name: str = "CN.yaml", **files: str) -> tuple[dict[str, object], list[str]]:
    """What is published of files with these texts, and the problems as ``field: reason``."""
    folder = tmp_path / "statemachines" / "workdays"
    folder.mkdir(parents=True)
    for stem, text in (files or {}).items():
        (folder / (name if stem == "file" else f"{stem}.yaml")).write_text(text, encoding="utf-8")
    reader = FileReader(tmp_path / "statemachines")
    return workdays(reader), [f"{each.field}: {each.reason}" for each in reader.problems]


def test_the_shipped_days_of_mainland_china_are_those_of_the_notice() -> None:
    calendar = SHIPPED["calendars"]["CN"]
    assert SHIPPED["default"] == "CN"
    assert (len(calendar["off"]), len(calendar["work"]), calendar["years"]) == (33, 6, [2026])


@pytest.mark.parametrize(
    ("day", "following"),
    [
        ("2026-01-02", "2026-01-04"),  # a Sunday on which people work
        ("2026-02-13", "2026-02-14"),  # a Saturday
        ("2026-02-14", "2026-02-24"),  # the Spring Festival
        ("2026-04-03", "2026-04-07"),
        ("2026-04-30", "2026-05-06"),
        ("2026-05-08", "2026-05-09"),
        ("2026-09-30", "2026-10-08"),
        ("2026-10-09", "2026-10-10"),
        ("2026-10-10", "2026-10-12"),
        ("2026-11-06", "2026-11-09"),  # an ordinary weekend
        ("2027-01-01", "2027-01-04"),  # a year that is missing
    ],
)
def test_the_next_workday_in_china(day: str, following: str) -> None:
    assert CN.next_after(date.fromisoformat(day)).isoformat() == following


@pytest.mark.parametrize(
    ("country", "calendar"),
    [("CN", CN), ("cn ", CN), (None, CN), ("", CN), (7, CN), ("US", MONDAY_TO_FRIDAY)],
)
def test_the_country_chooses_the_calendar(country: object, calendar: object) -> None:
    assert Workdays.from_dict(SHIPPED).of(country) == calendar


def test_without_files_everybody_works_from_monday_to_friday(tmp_path: Path) -> None:
    section, problems = read(tmp_path)
    assert (section, problems) == ({}, [])
    assert Workdays.from_dict({}).of("CN") == MONDAY_TO_FRIDAY


def test_a_weekend_may_be_another_one(tmp_path: Path) -> None:
    section, problems = read(tmp_path, AE="source: x\nweekend: [fri, sat]\nyears: [{year: 2026, work: [2026-03-06]}]\n")
    assert problems == []
    calendar = Workdays.from_dict(section).of("AE")
    assert calendar.next_after(date(2026, 3, 5)) == date(2026, 3, 6)
    assert calendar.next_after(date(2026, 3, 12)) == date(2026, 3, 15)


YEAR = "source: x\nyears: [{{year: 2026, {}}}]\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (YEAR.format("off: [2026-10]"), "years[0].off[0]: expected a day such as 2026-10-01 or days such as 2026-10-01..2026-10-07"),
        (YEAR.format("off: [2026-10-07..2026-10-01]"), "expected the earlier day first"),
        (YEAR.format("off: [2026-01-01..2026-12-31]"), "at most 31 days"),
        (YEAR.format("off: [2026-02-30]"), "years[0].off[0]: "),
        (YEAR.format("off: [2027-01-01]"), "2027-01-01 is not in 2026; write it under its own year"),
        (YEAR.format("off: [2026-10-10], work: [2026-10-10]"), "2026-10-10 is a day off and a day of work"),
        (YEAR.format("work: [2026-10-12]"), "2026-10-12 is a mon, a workday anyway; check the date"),
        (YEAR.format("of: [2026-10-12]"), "unknown field 'of'; did you mean 'off'?"),
        ("source: x\nweekend: [sun, saturday]\nyears: [{year: 2026}]\n", "unknown weekday 'saturday'"),
        ("source: x\nyears: [{year: 2026}, {year: 2026}]\n", "2026 is there twice"),
        ("source: x\nyears: []\n", "years: "),
        ("years: [{year: 2026}]\n", "source: "),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_the_way_out(tmp_path: Path, text: str, problem: str) -> None:
    section, [found] = read(tmp_path, CN=text)
    assert problem in found
    assert section == {}


def test_the_name_of_a_file_is_a_country_and_one_is_the_default(tmp_path: Path) -> None:
    text = "source: x\ndefault: true\nyears: [{year: 2026}]\n"
    section, problems = read(tmp_path, china=text, CN=text, HK=text)
    assert sorted(section["calendars"]) == ["CN", "HK"]  # type: ignore[call-overload]
    assert problems == [
        "default: CN is the default already; there is one",
        ": expected the country as the name of the file, in two capital letters: CN.yaml",
    ]


@pytest.mark.parametrize(
    ("today", "missing"),
    [
        ("2026-06-01", []),
        ("2026-11-16", []),
        ("2026-11-17", [2027]),
        ("2027-03-01", [2027]),
        ("2027-12-31", [2027, 2028]),
    ],
)
def test_a_year_that_is_missing_or_soon_will_be_is_warned_of(today: str, missing: list[int]) -> None:
    warnings = list(missing_years(SHIPPED, date.fromisoformat(today)))
    assert len(warnings) == len(missing)
    assert all(f"workdays/CN.yaml has no {year}: " in text for year, text in zip(missing, warnings, strict=True))
