"""When a pause is over, where the contact lives."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.clock import parse_instant
from waypost.contacts.profile import Contact
from waypost.contacts.zones import zone_of
from waypost.errors import InvalidInput
from waypost.journeys.pause import Pause
from waypost.journeys.pause_times import Circumstances, due_again, first_due
from waypost.segments.compile import compile_rule
from waypost.segments.subject import subject_of
from waypost.workdays import Workdays

SHANGHAI = ZoneInfo("Asia/Shanghai")


CHINA = Workdays.from_dict(
    {
        "default": "CN",
        "calendars": {
            "CN": {"weekend": [5, 6], "off": ["2027-03-01", "2027-03-02"], "work": ["2027-03-06"], "years": [2027]}
        },
    }
)


@pytest.mark.parametrize(
    ("country", "parked", "expected"),
    [
        ("CN", "2027-02-26T09:00", "2027-03-03T10:00+08:00"),
        (None, "2027-02-26T09:00", "2027-03-03T10:00+08:00"),
        ("US", "2027-02-26T09:00", "2027-03-01T10:00+08:00"),
        ("CN", "2027-03-05T09:00", "2027-03-06T10:00+08:00"),
    ],
)
def test_the_next_workday_is_that_of_the_contacts_country(country: str | None, parked: str, expected: str) -> None:
    at = datetime.fromisoformat(parked).replace(tzinfo=SHANGHAI)
    attributes = {"country": country} if country else {}
    around = replace(bare(at, "Asia/Shanghai"), attributes=attributes, workdays=lambda: CHINA)
    over = first_due({"until": {"workday": "next", "at": "10:00"}}, parked_at=at, around=around)
    assert over.at.astimezone(SHANGHAI).isoformat(timespec="minutes") == expected


def bare(enrolled: datetime, zone: str) -> Circumstances:
    """A contact of whom only the zone is known."""
    return Circumstances(enrolled_at=enrolled, anchor_at=None, zone=ZoneInfo(zone), attributes={}, properties={})


def due(
    spec: dict[str, Any],
    zone: str,
    parked: str,
    *,
    enrolled: str | None = None,
    anchor: str | None = None,
    attributes: dict[str, Any] | None = None,
    properties: dict[str, Any] | None = None,
) -> str:
    """When the pause is over, as the contact's clock shows it, after how it then ends; ``parked`` and the others are local times too."""
    here = ZoneInfo(zone)

    def instant(local: str) -> datetime:
        return datetime.fromisoformat(local).replace(tzinfo=here).astimezone(UTC)

    around = Circumstances(
        enrolled_at=instant(enrolled or parked),
        anchor_at=instant(anchor) if anchor else None,
        zone=here,
        attributes=attributes or {},
        properties=properties or {},
    )
    over = first_due(spec, parked_at=instant(parked), around=around)
    local = over.at.astimezone(here).isoformat(timespec="minutes")
    return local if over.end == "elapsed" else f"{over.end} {local}"


@pytest.mark.parametrize(
    ("spec", "parked", "expected"),
    [
        ({"for": "45s"}, "2027-03-01T10:00", "2027-03-01T10:00+08:00"),
        ({"for": "30m"}, "2027-03-01T10:00", "2027-03-01T10:30+08:00"),
        ({"for": "3h"}, "2027-03-01T22:30", "2027-03-02T01:30+08:00"),
        ({"for": "2d"}, "2027-03-01T10:00", "2027-03-03T10:00+08:00"),
        ({"until": {"day": 3, "at": "10:00"}}, "2027-03-01T11:00", "2027-03-03T10:00+08:00"),
        ({"until": {"day": 1, "at": "18:00"}}, "2027-03-01T11:00", "2027-03-01T18:00+08:00"),
        ({"until": {"day": 2, "at": "00:00"}}, "2027-03-01T23:59", "2027-03-02T00:00+08:00"),
        ({"until": {"at": "10:00"}}, "2027-03-01T09:00", "2027-03-01T10:00+08:00"),
        ({"until": {"at": "10:00"}}, "2027-03-01T10:00", "2027-03-02T10:00+08:00"),
        ({"until": {"at": "10:00"}}, "2027-03-01T11:00", "2027-03-02T10:00+08:00"),
        ({"until": {"days_later": 2, "at": "10:00"}}, "2027-03-01T09:00", "2027-03-03T10:00+08:00"),
        ({"until": {"days_later": 2, "at": "10:00"}}, "2027-03-01T23:59", "2027-03-03T10:00+08:00"),
        ({"until": {"days_later": 1, "at": "00:00"}}, "2027-03-31T10:00", "2027-04-01T00:00+08:00"),
        ({"until": {"workday": "next", "at": "10:00"}}, "2027-03-01T09:00", "2027-03-02T10:00+08:00"),
        ({"until": {"workday": "next", "at": "10:00"}}, "2027-03-05T09:00", "2027-03-08T10:00+08:00"),
        ({"until": {"workday": "next", "at": "10:00"}}, "2027-03-06T09:00", "2027-03-08T10:00+08:00"),
        ({"until": {"workday": "next", "at": "10:00"}}, "2027-03-07T09:00", "2027-03-08T10:00+08:00"),
        ({"until": {"date": "birthday", "at": "09:00"}}, "2027-03-01T09:00", "2027-03-20T09:00+08:00"),
        ({"until": {"date": "birthday", "days": -7, "at": "09:00"}}, "2027-03-01T09:00", "2027-03-13T09:00+08:00"),
        ({"until": {"date": "birthday", "days": 1, "at": "09:00"}}, "2027-03-01T09:00", "2027-03-21T09:00+08:00"),
    ],
)
def test_each_form_of_a_pause(spec: dict[str, Any], parked: str, expected: str) -> None:
    assert due(spec, "Asia/Shanghai", parked, attributes={"birthday": "2027-03-20"}) == expected


def test_day_one_is_the_local_date_of_enrolment() -> None:
    spec = {"until": {"day": 2, "at": "10:00"}}
    enrolled = parse_instant("2027-03-01T16:30:00Z")  # already 2 March in Shanghai, still 1 March in New York
    for zone, expected in (("Asia/Shanghai", "2027-03-03T02:00:00Z"), ("America/New_York", "2027-03-02T15:00:00Z")):
        assert first_due(spec, parked_at=enrolled, around=bare(enrolled, zone)).at == parse_instant(expected)


def test_a_day_that_is_over_elapses_at_once() -> None:
    spec = {"until": {"day": 1, "at": "09:00"}}
    assert due(spec, "Asia/Shanghai", "2027-03-01T11:00") == "2027-03-01T11:00+08:00"
    late = due(spec, "Asia/Shanghai", "2027-03-09T11:00", enrolled="2027-03-01T11:00")
    assert late == "2027-03-09T11:00+08:00"
    gone = {"until": {"date": "birthday", "at": "09:00"}}
    assert due(gone, "Asia/Shanghai", "2027-03-01T11:00", attributes={"birthday": "2001-02-03"}) == (
        "past 2027-03-01T11:00+08:00"
    )


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"for": "2h"}, "2027-03-02T10:00+08:00"),
        ({"until": {"at": "07:00"}}, "2027-03-03T07:00+08:00"),
        ({"until": {"at": "09:00"}}, "2027-03-02T09:00+08:00"),
        ({"until": {"day": 1, "at": "23:45"}}, "2027-03-02T08:00+08:00"),
        ({"until": {"day": 3, "at": "10:00"}}, "2027-03-03T10:00+08:00"),
        ({"until": {"days_later": 1, "at": "10:00"}}, "2027-03-03T10:00+08:00"),
        ({"until": {"workday": "next", "at": "10:00"}}, "2027-03-03T10:00+08:00"),
    ],
)
def test_a_pause_counts_from_when_a_deferred_message_goes_out(spec: dict[str, Any], expected: str) -> None:
    assert due(spec, "Asia/Shanghai", "2027-03-01T23:30", anchor="2027-03-02T08:00") == expected


def test_a_message_that_has_gone_out_already_moves_nothing() -> None:
    assert (
        due({"for": "2h"}, "Asia/Shanghai", "2027-03-01T12:00", anchor="2027-03-01T08:00") == "2027-03-01T14:00+08:00"
    )


@pytest.mark.parametrize(
    ("zone", "parked", "at", "expected"),
    [
        # The hour from 02:00 does not exist; the offset before the gap counts (RFC 5545).
        ("America/New_York", "2027-03-13T20:00", "02:30", "2027-03-14T03:30-04:00"),
        ("Europe/Berlin", "2027-03-27T20:00", "02:30", "2027-03-28T03:30+02:00"),
        # The hour comes twice; the first one counts.
        ("America/New_York", "2027-11-06T20:00", "01:30", "2027-11-07T01:30-04:00"),
        ("Europe/Berlin", "2027-10-30T20:00", "02:30", "2027-10-31T02:30+02:00"),
        # Ten in the morning stays ten in the morning.
        ("America/New_York", "2027-03-13T20:00", "10:00", "2027-03-14T10:00-04:00"),
        ("America/New_York", "2027-11-06T20:00", "10:00", "2027-11-07T10:00-05:00"),
        ("Europe/Berlin", "2027-03-27T20:00", "10:00", "2027-03-28T10:00+02:00"),
        ("Asia/Shanghai", "2027-03-27T20:00", "10:00", "2027-03-28T10:00+08:00"),
    ],
)
def test_local_times_around_a_clock_change(zone: str, parked: str, at: str, expected: str) -> None:
    assert due({"until": {"at": at}}, zone, parked) == expected
    assert due({"until": {"day": 2, "at": at}}, zone, parked) == expected


def test_a_span_is_a_span_across_a_clock_change() -> None:
    assert due({"for": "1d"}, "America/New_York", "2027-03-13T20:00") == "2027-03-14T21:00-04:00"


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"for": "2 days"},
        {"for": "0d"},
        {"for": 3},
        {"for": "999999999d"},
        {"until": {"day": 3}},
        {"until": {"day": "3", "at": "10:00"}},
        {"until": {"day": 999_999_999, "at": "10:00"}},
        {"until": {"weekday": "monday", "at": "10:00"}},
        {"until": {"at": "25:00"}},
        {"until": {"at": "ten"}},
        {"until": {"date": "birthday", "at": "25:00"}},
        {"until": {"anniversary": "name", "at": "ten"}},
        {"until": {"anniversary": "birthday"}},
        {"until": {"property": 3, "at": "09:00"}},
    ],
)
def test_what_is_no_pause_says_so(spec: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        due(spec, "Asia/Shanghai", "2027-03-01T10:00", attributes={"name": "Lin"})


def test_a_date_may_come_with_a_time() -> None:
    spec = {"until": {"date": "renewal", "at": "09:00"}}
    assert due(spec, "Asia/Shanghai", "2027-03-01T10:00", attributes={"renewal": "2027-03-20T23:00:00Z"}) == (
        "2027-03-21T09:00+08:00"  # 23:00 in London is the next morning in Shanghai
    )


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2029, 1, 1)),  # noqa: DTZ001 - made aware below
    st.sampled_from(["Asia/Shanghai", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns"]),
    st.sampled_from(["00:00", "01:30", "02:30", "10:00", "23:59"]),
)
def test_the_next_local_time_is_always_ahead_and_within_two_days(parked: datetime, zone: str, at: str) -> None:
    start = parked.replace(tzinfo=ZoneInfo("UTC"))
    over = first_due({"until": {"at": at}}, parked_at=start, around=bare(start, zone)).at
    assert start < over
    assert (over - start).total_seconds() <= 49 * 3600


@pytest.mark.parametrize("name", [None, "", "Mars/Olympus", "Asia", "../../etc/passwd", 8, "GMT+88\0"])
def test_a_zone_that_does_not_exist_is_the_default(name: object) -> None:
    contact = Contact(contact_id="c-1", created_at=parse_instant("2027-03-01T00:00:00Z"), attributes={"timezone": name})
    assert zone_of(contact, SHANGHAI) is SHANGHAI


def test_a_zone_that_exists_is_used() -> None:
    contact = Contact(
        contact_id="c-1", created_at=parse_instant("2027-03-01T00:00:00Z"), attributes={"timezone": "Europe/Berlin"}
    )
    assert zone_of(contact, SHANGHAI).key == "Europe/Berlin"


# Dates and instants, as segments read them


@pytest.mark.parametrize(
    ("value", "zone", "days", "expected"),
    [
        ("2026-12-06T22:00:00.000Z", "Asia/Shanghai", -1, "2026-12-06T10:00+08:00"),  # 7 December, 06:00 there
        ("2026-12-10T02:00:00.000Z", "America/New_York", -1, "2026-12-08T10:00-05:00"),  # 9 December, 21:00 there
        ("2026-12-09T21:00:00-05:00", "America/New_York", -1, "2026-12-08T10:00-05:00"),
        ("2026-12-09", "America/New_York", -1, "2026-12-08T10:00-05:00"),
        ("2026-12-09", "Pacific/Kiritimati", 0, "2026-12-09T10:00+14:00"),
        ("2026-12-08T10:30:00Z", "Pacific/Kiritimati", 0, "2026-12-09T10:00+14:00"),
        ("2026-12-08T23:59:59.999Z", "Pacific/Pago_Pago", 0, "2026-12-08T10:00-11:00"),
        ("2026-12-08T10:59:59Z", "Pacific/Pago_Pago", 0, "2026-12-07T10:00-11:00"),
        ("2026-12-08T18:14:59Z", "Asia/Kathmandu", 1, "2026-12-09T10:00+05:45"),
        ("2026-12-08T18:15:00Z", "Asia/Kathmandu", 1, "2026-12-10T10:00+05:45"),
        ("2026-12-08T20:00:00", "Asia/Shanghai", 0, "2026-12-09T10:00+08:00"),  # no offset: UTC
        ("2028-02-29", "Asia/Shanghai", 1, "2028-03-01T10:00+08:00"),
    ],
)
def test_an_instant_is_on_the_day_it_has_where_the_contact_lives(
    value: str, zone: str, days: int, expected: str
) -> None:
    spec = {"until": {"date": "ends_at", "days": days, "at": "10:00"}}
    assert due(spec, zone, "2026-12-01T09:00", attributes={"ends_at": value}) == expected
    by_property = {"until": {"property": "trial.ends_at", "days": days, "at": "10:00"}}
    assert due(by_property, zone, "2026-12-01T09:00", properties={"trial": {"ends_at": value}}) == expected


@given(
    st.datetimes(datetime(2027, 1, 3), datetime(2028, 12, 30)),  # noqa: DTZ001 - made aware below
    st.sampled_from(["Asia/Shanghai", "America/New_York", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kathmandu"]),
    st.booleans(),
)
def test_a_pause_and_a_segment_agree_on_the_day(at: datetime, zone: str, only_date: bool) -> None:
    value = at.date().isoformat() if only_date else f"{at.isoformat()}Z"
    asked = datetime(2027, 1, 1, tzinfo=UTC)
    pause = first_due(
        {"until": {"date": "ends_at", "at": "00:00"}},
        parked_at=asked,
        around=replace(bare(asked, zone), attributes={"ends_at": value}),
    )
    contact = Contact(contact_id="c-1", created_at=asked, attributes={"ends_at": value, "timezone": zone})
    days = (pause.at.astimezone(ZoneInfo(zone)).date() - asked.astimezone(ZoneInfo(zone)).date()).days
    for offset, holds_then in ((0, True), (1, False), (-1, False)):
        rule = compile_rule({"attribute": "ends_at", "days_until": {"equals": days + offset}})
        assert rule(subject_of(contact, now=asked, default_zone=SHANGHAI)) is holds_then


@pytest.mark.parametrize(
    ("until", "value", "zone", "expected"),
    [
        ({"hours": -24}, "2027-05-03T19:00:00+08:00", "Asia/Shanghai", "2027-05-02T19:00+08:00"),
        ({"hours": -1, "minutes": -30}, "2027-05-03T19:00:00+08:00", "America/New_York", "2027-05-03T05:30-04:00"),
        ({"minutes": 15}, "2027-05-03T15:59:30Z", "Asia/Shanghai", "2027-05-04T00:14+08:00"),
        ({"hours": -2}, "2027-05-03", "Asia/Shanghai", "2027-05-02T22:00+08:00"),  # from its first moment
        ({}, "2027-05-03T19:00:00+08:00", "Asia/Shanghai", "2027-05-03T19:00+08:00"),
        # A day is one of the calendar, 24 hours are 24 hours: the clocks go forward on 14 March, back on 7 November.
        ({"days": -1}, "2027-03-14T10:00:00-04:00", "America/New_York", "2027-03-13T10:00-05:00"),
        ({"hours": -24}, "2027-03-14T10:00:00-04:00", "America/New_York", "2027-03-13T09:00-05:00"),
        ({"days": -1, "hours": -2}, "2027-11-08T01:00:00-05:00", "America/New_York", "2027-11-06T23:00-04:00"),
        ({"at": "18:00", "days": -1}, "2027-05-03T16:30:00Z", "Asia/Shanghai", "2027-05-03T18:00+08:00"),
        ({"hours": -24}, "2027-03-01T10:30:00+08:00", "Asia/Shanghai", "past 2027-03-01T11:00+08:00"),
        ({"minutes": 30}, "2027-03-01T10:30:00+08:00", "Asia/Shanghai", "2027-03-01T11:00+08:00"),  # this very moment
    ],
)
def test_a_time_relative_to_the_trigger_or_an_attribute(
    until: dict[str, Any], value: str, zone: str, expected: str
) -> None:
    parked = datetime(2027, 3, 1, 3, tzinfo=UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None).isoformat()
    by_property = {"until": {"property": "starts_at", **until}}
    assert due(by_property, zone, parked, properties={"starts_at": value}) == expected
    by_attribute = {"until": {"date": "starts_at", **until}}
    assert due(by_attribute, zone, parked, attributes={"starts_at": value}) == expected


@pytest.mark.parametrize(
    ("born", "days", "parked", "expected"),
    [
        ("1990-12-25", -7, "2027-12-01T09:00", "2027-12-18T09:00+08:00"),
        ("1990-12-25", -7, "2027-12-18T08:59", "2027-12-18T09:00+08:00"),
        ("1990-12-25", -7, "2027-12-18T09:00", "2028-12-18T09:00+08:00"),
        ("1990-01-03", -7, "2027-12-01T09:00", "2027-12-27T09:00+08:00"),
        ("1990-12-30", 7, "2028-01-02T09:00", "2028-01-06T09:00+08:00"),
        ("1990-01-01", -364, "2027-01-01T09:00", "2027-01-02T09:00+08:00"),
        ("1992-02-29", 0, "2027-01-01T09:00", "2027-02-28T09:00+08:00"),
        ("1992-02-29", 0, "2028-01-01T09:00", "2028-02-29T09:00+08:00"),
        ("1992-02-29", 1, "2027-01-01T09:00", "2027-03-01T09:00+08:00"),
        ("1990-12-24T20:00:00Z", 0, "2027-12-01T09:00", "2027-12-25T09:00+08:00"),
    ],
)
def test_an_anniversary_comes_every_year(born: str, days: int, parked: str, expected: str) -> None:
    spec = {"until": {"anniversary": "birthday", "days": days, "at": "09:00"}}
    assert due(spec, "Asia/Shanghai", parked, attributes={"birthday": born}) == expected


@given(
    st.dates(date(1900, 1, 1), date(2027, 1, 1)), st.dates(date(2026, 1, 1), date(2032, 1, 1)), st.integers(-364, 364)
)
def test_the_next_anniversary_is_ahead_and_none_is_left_out(born: date, parked: date, days: int) -> None:
    start = datetime(parked.year, parked.month, parked.day, 4, tzinfo=UTC)
    around = replace(bare(start, "Asia/Shanghai"), attributes={"birthday": born.isoformat()})
    spec = {"until": {"anniversary": "birthday", "days": days, "at": "09:00"}}
    first = first_due(spec, parked_at=start, around=around).at
    second = first_due(spec, parked_at=first, around=around).at
    assert start < first < second
    assert (first - start).days <= 366
    assert 365 <= (second - first).days <= 366


# Read again while the contact waits


@pytest.mark.parametrize(
    ("until", "booked_in", "now_in", "now", "expected"),
    [
        ({"at": "10:00"}, "Asia/Shanghai", "America/New_York", "2027-03-01T23:00+08:00", "2027-03-02T10:00-05:00"),
        ({"at": "10:00"}, "Asia/Shanghai", "America/New_York", "2027-03-01T22:00+08:00", "2027-03-01T10:00-05:00"),
        ({"day": 2, "at": "10:00"}, "Asia/Shanghai", "America/New_York", "2027-03-01T22:00+08:00", "2027-03-01T10:00-05:00"),
        ({"days_later": 1, "at": "10:00"}, "Asia/Shanghai", "America/New_York", "2027-03-02T23:30+08:00", "2027-03-02T10:00-05:00"),
        ({"days_later": 1, "at": "10:00"}, "America/New_York", "Asia/Shanghai", "2027-03-02T11:00+08:00", "2027-03-02T10:00+08:00"),
        ({"workday": "next", "at": "10:00"}, "Asia/Shanghai", "Europe/Berlin", "2027-03-02T03:00+08:00", "2027-03-02T10:00+01:00"),
        ({"date": "d", "at": "10:00"}, "Asia/Shanghai", "America/New_York", "2027-03-05T00:00+08:00", "2027-03-06T10:00-05:00"),
        ({"date": "d", "at": "10:00"}, "America/New_York", "Asia/Shanghai", "2027-03-06T13:00+08:00", "past 2027-03-06T10:00+08:00"),
        ({"anniversary": "d", "at": "10:00"}, "America/New_York", "Asia/Shanghai", "2027-03-06T13:00+08:00", "2027-03-06T10:00+08:00"),
        ({"anniversary": "d", "at": "10:00"}, "America/New_York", "Asia/Shanghai", "2027-03-07T00:00+08:00", "2028-03-06T10:00+08:00"),
    ],
)  # fmt: skip
def test_a_contact_who_has_moved_is_reached_at_that_time_there(
    until: dict[str, Any], booked_in: str, now_in: str, now: str, expected: str
) -> None:
    parked_at = parse_instant("2027-03-01T20:00:00+08:00")
    around = replace(bare(parked_at - timedelta(hours=24), booked_in), attributes={"d": "2027-03-06"})
    booked = first_due({"until": until}, parked_at=parked_at, around=around)
    pause = Pause(
        pause_id="p-1", state="Wait", occurrence=1, spec={"until": until}, due_at=booked.at, parked_at=parked_at, row={}
    )
    at = datetime.fromisoformat(now)
    assert due_again(pause, now=at, around=around) == booked
    over = due_again(pause, now=at, around=replace(around, zone=ZoneInfo(now_in)))
    local = over.at.astimezone(ZoneInfo(now_in)).isoformat(timespec="minutes")
    assert (local if over.end == "elapsed" else f"{over.end} {local}") == expected


def test_what_is_late_is_over_as_it_was_booked() -> None:
    parked_at = parse_instant("2027-03-01T20:00:00+08:00")
    around = replace(bare(parked_at, "Asia/Shanghai"), attributes={"d": "2027-03-06"})
    for form in ({"at": "10:00"}, {"date": "d", "hours": 2}, {"anniversary": "d", "at": "10:00"}):
        booked = first_due({"until": form}, parked_at=parked_at, around=around)
        pause = Pause(
            pause_id="p-1", state="W", occurrence=1, spec={"until": form}, due_at=booked.at, parked_at=parked_at, row={}
        )
        assert due_again(pause, now=booked.at + timedelta(days=3), around=around) == booked
