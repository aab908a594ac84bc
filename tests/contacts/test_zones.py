"""The spellings of a time zone at every door, and the table of Windows' names."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from babel.core import get_global

from tests.contacts.people import contact
from waypost.contacts import cleaning
from waypost.contacts.cleaning import Unusable, places
from waypost.contacts.zones import zone_of
from waypost.intake.traits import read_traits

SHANGHAI = ZoneInfo("Asia/Shanghai")
TABLE = Path(places.__file__).with_name("windows_zones.tsv")


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("asia/shanghai", "Asia/Shanghai"),
        ("AMERICA/new_york", "America/New_York"),
        ("America/New York", "America/New_York"),
        (" Asia/Shanghai ", "Asia/Shanghai"),
        ("北京时间", "Asia/Shanghai"),
        (" 北京時間 ", "Asia/Shanghai"),
        ("香港时间", "Asia/Hong_Kong"),
        ("UTC+8", "Etc/GMT-8"),
        ("utc+08", "Etc/GMT-8"),
        ("UTC+08:00", "Etc/GMT-8"),
        ("GMT+08:00", "Etc/GMT-8"),
        ("GMT +8", "Etc/GMT-8"),
        ("ＵＴＣ＋８", "Etc/GMT-8"),
        ("+08:00", "Etc/GMT-8"),
        ("+0800", "Etc/GMT-8"),
        ("GMT-5", "Etc/GMT+5"),
        ("UTC−05:00", "Etc/GMT+5"),
        ("Etc/GMT-8", "Etc/GMT-8"),
        ("UTC+0", "Etc/UTC"),
        ("UTC+14", "Etc/GMT-14"),
        ("UTC+5:30", "Asia/Kolkata"),
        ("+0545", "Asia/Kathmandu"),
        ("China Standard Time", "Asia/Shanghai"),
        ("china standard time", "Asia/Shanghai"),
        ("Eastern Standard Time", "America/New_York"),
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("Tokyo Standard Time", "Asia/Tokyo"),
    ],
)
def test_a_zone_in_many_spellings_is_one(text: str, zone: str) -> None:
    assert cleaning.time_zone(text) == zone


@pytest.mark.parametrize(
    "text",
    ["", "Asia", "asia", "Mars/Olympus", "CST", "UTC+15", "UTC+8:20", "-03:30", "+8 hours", "8", "../etc/passwd", "Standard Time", "UTC+-8", "+" * 500],
)  # fmt: skip
def test_what_names_no_zone_or_several_is_none(text: str) -> None:
    assert isinstance(cleaning.time_zone(text), Unusable)


@pytest.mark.parametrize("hours", [*range(-12, 0), *range(1, 15)])
def test_a_distance_from_utc_is_that_distance_all_year(hours: int) -> None:
    zone = cleaning.time_zone(f"UTC{hours:+}")
    assert isinstance(zone, str)
    for month in (1, 7):
        assert datetime(2027, month, 1, tzinfo=ZoneInfo(zone)).utcoffset() == timedelta(hours=hours)


@pytest.mark.parametrize(("distance", "zone"), places._FIXED_ZONES.items())
def test_a_distance_that_is_no_whole_hour_is_that_of_its_zone_all_year(distance: str, zone: str) -> None:
    hours, minutes = int(distance[:3]), int(distance[0] + distance[4:])
    for month in (1, 7):
        there = datetime(2027, month, 1, tzinfo=ZoneInfo(zone)).utcoffset()
        assert there == timedelta(hours=hours, minutes=minutes)


def test_windows_names_are_those_of_cldr() -> None:
    """To write the table again: its head, then name, tab and zone of ``get_global("windows_zone_mapping")``, sorted."""
    lines = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert dict(line.split("\t") for line in lines) == dict(get_global("windows_zone_mapping"))
    named = [line.split("\t") for line in lines if not line.startswith("UTC\t")]  # a name of both, which stays
    assert [cleaning.time_zone(windows) for windows, _ in named] == [zone for _, zone in named]


def test_a_webhook_stores_the_zone_in_its_one_spelling() -> None:
    assert read_traits({"timezone": "China Standard Time"}, "traits").profile == {"timezone": "Asia/Shanghai"}


@pytest.mark.parametrize(("stored", "zone"), [("america/new_york", "America/New_York"), ("UTC+9", "Etc/GMT-9"), ("?", "Asia/Shanghai"), (7, "Asia/Shanghai")])  # fmt: skip
def test_a_zone_that_a_journey_or_an_older_release_stored_is_read_the_same_way(stored: Any, zone: str) -> None:
    assert zone_of(contact("c-1", attributes={"timezone": stored}), SHANGHAI).key == zone
