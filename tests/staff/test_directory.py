"""Who is above whom, who works where, and who added which contact."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.fakes.staff import member
from waypost.contacts.channels import Channel
from waypost.events.history import RecordedEvent
from waypost.staff.directory import StaffDirectory
from waypost.staff.relations import ADDED, REMOVED, relations

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
STAFF = StaffDirectory.from_dict({
    "members": {
        "lin.chen": member("lin.chen", manager="wei.zhang", department="growth", channels={"sms": "+8613800000009", "email": "lin.chen@staff.example"}, order=["sms", "email"]),
        "wei.zhang": member("wei.zhang", manager="jo.li", department="growth"),
        "jo.li": member("jo.li"),
    },
    "queues": {"service": ["lin.chen", "wei.zhang"]},
})  # fmt: skip


def happened(kind: str, staff: Any, *, day: int) -> RecordedEvent:
    at = MONDAY + timedelta(days=day)
    return RecordedEvent(f"{kind}-{staff}-{day}", kind, at, at, {"staff": staff})


def ids(*events: RecordedEvent) -> list[str]:
    return [each.member.id for each in relations(events, STAFF)]


@pytest.mark.parametrize(
    ("levels", "above"), [(1, ["wei.zhang"]), (2, ["wei.zhang", "jo.li"]), (9, ["wei.zhang", "jo.li"])]
)
def test_the_managers_of_a_member_are_found_nearest_first(levels: int, above: list[str]) -> None:
    assert [each.id for each in STAFF.managers_of(STAFF.members["lin.chen"], levels)] == above


def test_a_circle_of_managers_ends() -> None:
    circle = StaffDirectory.from_dict({"members": {"a": member("a", manager="b"), "b": member("b", manager="a")}})
    assert [each.id for each in circle.managers_of(circle.members["a"], 9)] == ["b"]


@pytest.mark.parametrize("name", ["lin.chen", "lin.chen@staff.example", "+8613800000009"])
def test_an_event_may_name_a_member_by_id_or_address(name: str) -> None:
    assert STAFF.known_as(name) is STAFF.members["lin.chen"]


@pytest.mark.parametrize("name", ["", "nobody", None, 7, ["lin.chen"]])
def test_what_names_no_member_is_nobody(name: Any) -> None:
    assert STAFF.known_as(name) is None


def test_a_department_has_its_members() -> None:
    assert [each.id for each in STAFF.in_department("growth")] == ["lin.chen", "wei.zhang"]
    assert STAFF.in_department("sales") == []


def test_a_queue_shares_its_work_and_gives_the_same_piece_to_the_same_member() -> None:
    given, again = ([STAFF.from_queue("service", f"n-{each}") for each in range(200)] for _ in range(2))
    assert given == again
    assert 60 < given.count(STAFF.members["lin.chen"]) < 140
    assert STAFF.from_queue("sales", "n-1") is None


def test_channels_are_tried_in_the_order_of_the_member() -> None:
    channels = (Channel("push"), Channel("email"), Channel("sms"))
    lin, wei = (STAFF.members[each].contact_id for each in ("lin.chen", "wei.zhang"))
    assert STAFF.in_order_of(lin, channels) == ("sms", "email", "push")
    assert STAFF.in_order_of(wei, channels) == ("email", "push", "sms")


def test_who_added_a_contact_first_comes_first_whatever_the_order_of_arrival() -> None:
    assert ids(happened(ADDED, "lin.chen", day=3), happened(ADDED, "wei.zhang@staff.example", day=1)) == [
        "wei.zhang",
        "lin.chen",
    ]


def test_added_twice_the_first_time_counts() -> None:
    first, later = happened(ADDED, "lin.chen", day=1), happened(ADDED, "lin.chen", day=5)
    (relation,) = relations([later, first], STAFF)
    assert relation.added_at == first.occurred_at


def test_a_removal_ends_the_relation_and_a_later_addition_begins_it_again() -> None:
    added, removed = happened(ADDED, "lin.chen", day=1), happened(REMOVED, "lin.chen", day=2)
    assert ids(added, removed) == []
    assert ids(added, removed, happened(ADDED, "wei.zhang", day=3), happened(ADDED, "lin.chen", day=4)) == [
        "wei.zhang",
        "lin.chen",
    ]


def test_who_has_left_the_directory_has_no_customers() -> None:
    assert ids(happened(ADDED, "gone.long", day=1), happened(ADDED, "jo.li", day=2)) == ["jo.li"]
