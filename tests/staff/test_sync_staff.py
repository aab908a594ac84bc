"""The members whom WeCom has come in as those of a file do, and what cannot be used of one hinders no other."""

from typing import Any

import pytest

from tests.fakes.staff import FakeSource, directory
from tests.fakes.world import World
from waypost.assembly import assemble
from waypost.contacts.channels import Channel
from waypost.errors import InvalidInput, TemporarilyUnavailable
from waypost.staff.live_directory import joined
from waypost.staff.outside_members import NoList, OutsideMember
from waypost.staff.sync_staff import id_of


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def source() -> FakeSource:
    return FakeSource()


def sync(world: World, source: FakeSource, **payload: Any) -> dict[str, Any]:
    return assemble.sync_staff(world.ports, source=lambda: source).take(payload)


def worker(userid: str, **others: str) -> OutsideMember:
    return OutsideMember(userid=userid, name=others.pop("name", userid), **others)


def test_members_come_change_and_leave(world: World, source: FakeSource) -> None:
    source.answer = [worker("LinChen", department="门店", manager="wei.zhang"), worker("Wei.Zhang", name="张伟")]
    first = sync(world, source)
    assert (first["joined_members"], first["left_out"]) == (["linchen", "wei.zhang"], 0)
    lin = joined(world.staff, world.live_staff.newest()).members["linchen"]
    assert (lin.manager, lin.department, lin.channels) == ("wei.zhang", "门店", {"wecom": "LinChen"})
    source.answer = [worker("LinChen", department="总部")]
    second = sync(world, source)
    assert (second["changed_members"], second["left_members"]) == (["linchen"], ["wei.zhang"])
    assert "staff_left" in [event.type for _, event in world.bus.published]
    assert sync(world, source)["changed"] == 0


def test_a_dry_run_changes_nothing(world: World, source: FakeSource) -> None:
    source.answer = [worker("LinChen")]
    assert sync(world, source, dry_run=True)["joined"] == 1
    assert not world.live_staff.kept.lists


def test_what_cannot_be_used_of_a_member_is_left_out_and_named(world: World, source: FakeSource) -> None:
    source.answer = [
        worker("a", manager="b", email="one@acme.example"),
        worker("b", manager="a", email="one@acme.example"),
        worker("zhang_san"),
        worker("zhang-san"),
        worker("nobody", name=""),
        worker("c", manager="nobody", department="d" * 81),
    ]
    found = sync(world, source)
    kept = world.live_staff.newest().lists["wecom"].members
    assert sorted(kept) == ["a", "b", "c", "zhang-san"]
    assert not any("manager" in each for each in kept.values())
    assert ("email" in kept["a"], "email" in kept["b"], "department" in kept["c"]) == (True, False, False)
    assert {(each["member"], each["field"]) for each in found["problems"]} == {
        ("a", "manager"), ("b", "manager"), ("b", "email"), ("zhang-san", "id"), ("nobody", "name"), ("c", "department"),
    }  # fmt: skip
    assert (found["left_out"], found["corrected"]) == (2, 3)


@pytest.mark.parametrize(
    ("userid", "expected"),
    [
        ("LinChen", "linchen"),
        ("lin.chen", "lin.chen"),
        ("1001", "m-1001"),
        ("a_b@c..d_", "a-b-c-d"),
        ("x" * 64, "x" * 40),
    ],
)
def test_a_userid_becomes_an_id(userid: str, expected: str) -> None:
    assert id_of(userid) == expected


def test_the_loss_of_half_the_members_is_asked_about(world: World, source: FakeSource) -> None:
    source.answer = [worker(f"m{number}") for number in range(12)]
    sync(world, source)
    source.answer = source.answer[:5]
    with pytest.raises(InvalidInput, match="7 of 12 members would leave"):
        sync(world, source)
    assert sync(world, source, shrink=True)["left"] == 7


def test_without_a_list_nothing_is_changed(world: World, source: FakeSource) -> None:
    source.answer = NoList("timeout", later=True)
    with pytest.raises(TemporarilyUnavailable):
        sync(world, source)
    source.answer = NoList("no_app: name company and app")
    with pytest.raises(InvalidInput, match="no_app"):
        sync(world, source)
    with pytest.raises(InvalidInput, match="expected dry_run, by and shrink"):
        sync(world, source, file="x")


def test_a_member_of_the_file_is_completed_and_never_replaced(world: World, source: FakeSource) -> None:
    world.staff = directory("lin.chen")
    known = next(iter(world.staff.members.values()))
    source.answer = [worker(known.id, name="another name", department="somewhere")]
    sync(world, source)
    found = joined(world.staff, world.live_staff.newest()).members[known.id]
    assert found.name == known.name
    assert found.channels[Channel("wecom")] == known.id
