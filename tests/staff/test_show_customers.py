"""Whom a member has added is read from WeCom, oldest first, beside the contacts that they are."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.staff import FakeSource, directory
from tests.fakes.world import World
from waypost.assembly import assemble
from waypost.clock import parse_instant
from waypost.contacts.profile import Contact
from waypost.errors import InvalidInput, TemporarilyUnavailable
from waypost.staff.outside_members import NoList, OutsideCustomer

SINCE = parse_instant("2027-02-01T02:00:00.000Z")
IDS = [f"woAJ2GCAAAXtWyujaWJHDDGi0mAC{number:04}" for number in range(3)]


@pytest.fixture
def world() -> World:
    world = World(staff=directory("lin.chen", channels={"wecom": "LinChen"}))
    for number, served_by in enumerate((["LinChen", "LiBo"], ["LiBo", "LinChen"])):
        world.contacts.put(
            Contact(
                f"c-{number}",
                created_at=SINCE,
                attributes={"wecom_staff": served_by},
                identities={"external_userid": [IDS[number]]},
            )
        )
    return world


def show(world: World, source: FakeSource, **payload: Any) -> dict[str, Any]:
    return assemble.show_customers(world.ports, staff=lambda: world.staff, source=lambda: source).show(payload)


def test_the_oldest_comes_first_and_strangers_are_shown_too(world: World) -> None:
    source = FakeSource()
    source.served = [
        OutsideCustomer(address=each, since=SINCE + timedelta(days=3 - number), state="shop-7")
        for number, each in enumerate(IDS)
    ]
    found = show(world, source, member="LinChen")
    assert (found["member"], found["customers"], found["known"], found["first"]) == ("lin.chen", 3, 2, 1)
    assert [(each["since"][:10], each["contact_id"], each["first"]) for each in found["shown"]] == [
        ("2027-02-02", "", False),
        ("2027-02-03", "c-1", False),
        ("2027-02-04", "c-0", True),
    ]
    text = (world.files.read("exports/staff/customers-lin.chen.csv") or b"").decode("utf-8-sig")
    assert [row["external_userid"] for row in csv.DictReader(io.StringIO(text))] == IDS[::-1]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ({"member": "nobody"}, "nobody in the directory"),
        ({}, "nobody in the directory"),
        ({"of": "x"}, "expected member"),
    ],
)
def test_who_is_no_member_is_refused(world: World, payload: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        show(world, FakeSource(), **payload)


def test_who_is_not_in_wecom_is_refused_and_what_may_come_later_is_tried_again(world: World) -> None:
    source = FakeSource()
    source.served = NoList("45033", later=True)
    with pytest.raises(TemporarilyUnavailable):
        show(world, source, member="lin.chen")
    source.served = NoList("no_app")
    with pytest.raises(InvalidInput, match="no_app"):
        show(world, source, member="lin.chen")
    world.staff = directory("lin.chen")
    with pytest.raises(InvalidInput, match="no userid of WeCom"):
        show(world, source, member="lin.chen")
