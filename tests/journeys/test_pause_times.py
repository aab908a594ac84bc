"""When a pause is over, where the contact lives."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.clock import parse_instant
from waypost.contacts.profile import Contact
from waypost.contacts.zones import zone_of
from waypost.errors import InvalidInput
from waypost.journeys.pause import due_at

SHANGHAI = ZoneInfo("Asia/Shanghai")


def due(
    spec: dict[str, Any],
    zone: str,
    parked: str,
    *,
    enrolled: str | None = None,
    anchor: str | None = None,
    attributes: dict[str, Any] | None = None,
) -> str:
    """When the pause is over, as the contact's clock shows it; ``parked`` and the others are local times too."""
    here = ZoneInfo(zone)

    def instant(local: str) -> datetime:
        return datetime.fromisoformat(local).replace(tzinfo=here).astimezone(UTC)

    over = due_at(
        spec,
        parked_at=instant(parked),
        enrolled_at=instant(enrolled or parked),
        anchor_at=instant(anchor) if anchor else None,
        zone=here,
        attributes=attributes or {},
    )
    return over.astimezone(here).isoformat(timespec="minutes")


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
        over = due_at(
            spec, parked_at=enrolled, enrolled_at=enrolled, anchor_at=None, zone=ZoneInfo(zone), attributes={}
        )
        assert over == parse_instant(expected)


def test_a_day_that_is_over_elapses_at_once() -> None:
    spec = {"until": {"day": 1, "at": "09:00"}}
    assert due(spec, "Asia/Shanghai", "2027-03-01T11:00") == "2027-03-01T11:00+08:00"
    late = due(spec, "Asia/Shanghai", "2027-03-09T11:00", enrolled="2027-03-01T11:00")
    assert late == "2027-03-09T11:00+08:00"
    gone = {"until": {"date": "birthday", "at": "09:00"}}
    assert due(gone, "Asia/Shanghai", "2027-03-01T11:00", attributes={"birthday": "2001-02-03"}) == (
        "2027-03-01T11:00+08:00"
    )


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"for": "2h"}, "2027-03-02T10:00+08:00"),
        ({"until": {"at": "07:00"}}, "2027-03-03T07:00+08:00"),
        ({"until": {"at": "09:00"}}, "2027-03-02T09:00+08:00"),
        ({"until": {"day": 1, "at": "23:45"}}, "2027-03-02T08:00+08:00"),
        ({"until": {"day": 3, "at": "10:00"}}, "2027-03-03T10:00+08:00"),
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
        {"until": {"date": "birthday", "at": "09:00"}},
        {"until": {"date": "name", "at": "09:00"}},
    ],
)
def test_what_is_no_pause_says_so(spec: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        due(spec, "Asia/Shanghai", "2027-03-01T10:00", attributes={"name": "Lin"})


def test_a_date_may_come_with_a_time() -> None:
    spec = {"until": {"date": "renewal", "at": "09:00"}}
    assert due(spec, "Asia/Shanghai", "2027-03-01T10:00", attributes={"renewal": "2027-03-20T23:00:00Z"}) == (
        "2027-03-20T09:00+08:00"
    )


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2029, 1, 1)),  # noqa: DTZ001 - made aware below
    st.sampled_from(["Asia/Shanghai", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns"]),
    st.sampled_from(["00:00", "01:30", "02:30", "10:00", "23:59"]),
)
def test_the_next_local_time_is_always_ahead_and_within_two_days(parked: datetime, zone: str, at: str) -> None:
    start = parked.replace(tzinfo=ZoneInfo("UTC"))
    over = due_at(
        {"until": {"at": at}}, parked_at=start, enrolled_at=start, anchor_at=None, zone=ZoneInfo(zone), attributes={}
    )
    assert start < over
    assert (over - start).total_seconds() <= 49 * 3600


@pytest.mark.parametrize("name", [None, "", "Mars/Olympus", "Asia", "../../etc/passwd", 8, "GMT+8\0"])
def test_a_zone_that_does_not_exist_is_the_default(name: object) -> None:
    contact = Contact(contact_id="c-1", created_at=parse_instant("2027-03-01T00:00:00Z"), attributes={"timezone": name})
    assert zone_of(contact, SHANGHAI) is SHANGHAI


def test_a_zone_that_exists_is_used() -> None:
    contact = Contact(
        contact_id="c-1", created_at=parse_instant("2027-03-01T00:00:00Z"), attributes={"timezone": "Europe/Berlin"}
    )
    assert zone_of(contact, SHANGHAI).key == "Europe/Berlin"
