"""The store of members who came in without a deployment: the fake and DynamoDB keep the same promises."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.fakes.live_staff import FakeLiveStaff
from waypost.aws.live_staff import LARGEST, DynamoLiveStaff
from waypost.errors import InvalidInput
from waypost.staff.live_directory import MOST_MEMBERS, LiveStaff, LiveStaffStore, SourceList

AT = datetime(2031, 3, 3, 9, tzinfo=UTC)
LIN = {"lin.chen": {"name": "陈琳", "channels": {"wecom": "LinChen"}, "order": ["wecom"]}}


@pytest.fixture(params=["fake", "dynamodb"])
def store(request: pytest.FixtureRequest, dynamodb: Any, table: str) -> LiveStaffStore:
    return FakeLiveStaff() if request.param == "fake" else DynamoLiveStaff(dynamodb, table)


def first(members: dict[str, Any]) -> LiveStaff:
    return LiveStaff().with_list("wecom", SourceList(members=members, queues={"service": ("lin.chen",)}, at=AT))


def test_a_list_is_read_as_it_was_kept(store: LiveStaffStore) -> None:
    assert store.load() == store.newest() == LiveStaff()
    assert store.put(first(LIN))
    assert store.load() == store.newest() == first(LIN)


def test_the_next_revision_replaces_the_last_one_and_another_one_of_the_same_number_does_not(
    store: LiveStaffStore,
) -> None:
    store.put(first(LIN))
    assert not store.put(first({}))
    assert store.newest() == first(LIN)
    following = first(LIN).with_list("import", SourceList(members={}, at=AT))
    assert store.put(following)
    assert store.newest() == following


def test_a_write_repeated_after_a_lost_answer_was_done(store: LiveStaffStore) -> None:
    assert store.put(first(LIN))
    assert store.put(first(LIN))


def test_the_most_members_that_an_import_takes_fit_into_the_row(dynamodb: Any, table: str) -> None:
    members = {
        f"member-{number}": {
            "name": f"员工 {number:05}",
            "roles": [],
            "email": f"member-{number}@a-company-of-some-size.example.com",
            "department": f"门店 {number % 300}",
            "manager": f"member-{number % 700}",
            "locale": "zh-CN",
            "time_zone": "Asia/Shanghai",
            "channels": {
                "wecom": f"Member{number * 7919 % 99991}",
                "email": f"member-{number}@a-company-of-some-size.example.com",
            },
            "order": ["wecom", "email"],
        }
        for number in range(MOST_MEMBERS)
    }
    store = DynamoLiveStaff(dynamodb, table)
    assert store.put(first(members))
    assert len(store.load().lists["wecom"].members) == MOST_MEMBERS


def test_what_does_not_fit_is_refused_before_anything_is_written(dynamodb: Any, table: str) -> None:
    noise = {f"m{number}": {"name": str(pow(3, number * 997 + 50_021, 10**70))} for number in range(MOST_MEMBERS)}
    store = DynamoLiveStaff(dynamodb, table)
    with pytest.raises(InvalidInput, match=f"{LARGEST:,}"):
        store.put(first(noise))
    assert store.newest() == LiveStaff()
