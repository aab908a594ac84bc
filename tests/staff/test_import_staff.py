"""Members of staff from a CSV file: as a whole or not at all, with every problem by row and column."""

from typing import Any

import pytest

from tests.fakes.staff import directory
from tests.fakes.world import World
from waypost.assembly import assemble
from waypost.errors import ConcurrentUpdate, InvalidInput
from waypost.staff.directory import StaffDirectory
from waypost.staff.import_staff import read_rows
from waypost.staff.live_directory import LiveStaff, joined

KEY = "imports/staff.csv"
HEADER = "id,name,email,department,manager,roles,queues,wecom,sms\n"
GOOD = HEADER + (
    "head-of-shops,Head of shops,head@shops.example,shops,lin.chen,lead,,,\n"
    "shop-1,门店 1,,shops,head-of-shops,,service;vip,Shop1,13800138000\n"
)


@pytest.fixture
def world() -> World:
    return World(staff=directory("lin.chen"))


def take(world: World, text: str, **more: Any) -> dict[str, Any]:
    world.files.contents[KEY] = text.encode()
    service = assemble.import_staff(world.ports, deployed=lambda: world.staff)
    return service.take({"file": KEY, **more})


def in_force(world: World) -> StaffDirectory:
    return joined(world.staff, world.live_staff.kept)


def events(world: World) -> list[tuple[str, str]]:
    return [(event.type, event.properties["member"]) for _, event in world.bus.published]


def test_a_file_is_taken_as_a_whole(world: World) -> None:
    answer = take(world, GOOD)
    assert (answer["taken"], answer["rows"], answer["joined"], answer["left"]) == (True, 2, 2, 0)
    found = in_force(world)
    shop = found.member("shop-1", "to")
    assert (shop.name, shop.manager, shop.channels) == (
        "门店 1",
        "head-of-shops",
        {"wecom": "Shop1", "sms": "+8613800138000"},
    )
    assert [each.id for each in found.managers_of(shop, 2)] == ["head-of-shops", "lin.chen"]
    assert found.queues == {"service": ("shop-1",), "vip": ("shop-1",)}
    assert events(world) == [("staff_joined", "head-of-shops"), ("staff_joined", "shop-1")]


def test_the_same_file_again_changes_nothing(world: World) -> None:
    take(world, GOOD)
    revision = world.live_staff.kept.revision
    answer = take(world, GOOD)
    assert (answer["joined"], answer["changed"], answer["left"], answer["revision"]) == (0, 0, 0, revision)
    assert len(world.bus.published) == 2


def test_a_dry_run_says_who_would_join_change_and_leave(world: World) -> None:
    take(world, GOOD)
    before = world.live_staff.kept
    changed = (
        HEADER
        + "head-of-shops,Head of all shops,head@shops.example,shops,,lead,,,\nshop-2,Shop 2,two@shops.example,shops,,,,,\n"
    )
    answer = take(world, changed, dry_run=True)
    assert (answer["joined_members"], answer["changed_members"], answer["left_members"]) == (
        ["shop-2"],
        ["head-of-shops"],
        ["shop-1"],
    )
    assert (answer["taken"], world.live_staff.kept) == (False, before)
    take(world, changed)
    assert sorted(in_force(world).members) == ["head-of-shops", "lin.chen", "shop-2"]
    assert events(world)[2:] == [
        ("staff_joined", "shop-2"),
        ("staff_changed", "head-of-shops"),
        ("staff_left", "shop-1"),
    ]


@pytest.mark.parametrize(
    ("row", "field", "reason"),
    [
        ("Shop 1,Shop,a@shops.example,,,,,,", "id", "an id such as lin.chen"),
        ("shop-1,,a@shops.example,,,,,,", "name", "is missing"),
        ("shop-1,Shop,a@b@c,,,,,,", "email", ""),
        ("shop-1,Shop,,,,,,,", "email", "a mail address, or an address on another channel"),
        ("shop-1,Shop,a@shops.example,,,boss,,,", "roles", "unknown role 'boss'"),
        ("shop-1,Shop,a@shops.example,,,,,,12", "sms", ""),
        ("shop-1,Shop,a@shops.example,,nobody,,,,", "manager", "neither in the file nor in members.yaml"),
        ("shop-1,Shop,a@shops.example,,shop-1,,,,", "manager", "above themselves"),
        ("lin.chen,Shop,a@shops.example,,,,,,", "id", "is in members.yaml"),
        ("shop-1,Shop,Lin.Chen@staff.example,,,,,,", "email", "is that of lin.chen"),
        ("one,One,two@shops.example,,,,,,", "id", "row 2"),
        ("shop-1,Shop,one@shops.example,,,,,,", "email", "row 2"),
        ("shop-1,Shop,,,,,,OneOne,", "wecom", "row 2"),
        (f"shop-1,{'x' * 81},a@shops.example,,,,,,", "name", "at most 80"),
    ],
)
def test_one_wrong_row_refuses_the_file_and_is_named(world: World, row: str, field: str, reason: str) -> None:
    answer = take(world, f"{HEADER}one,One,one@shops.example,,,,,oneone,\n{row}\n")
    assert (answer["taken"], answer["rejected"]) == (False, 1)
    [problem] = answer["rejections"]
    assert (problem["row"], problem["field"]) == (3, field)
    assert reason in problem["reason"]
    assert world.live_staff.kept == LiveStaff()
    assert world.bus.published == []


def test_every_problem_of_a_file_is_named_in_the_order_of_its_rows(world: World) -> None:
    answer = take(world, HEADER + "A,,,,,,,,\nshop-1,Shop,,,nobody,,,,\n")
    assert [(each["row"], each["field"]) for each in answer["rejections"]] == [
        (2, "id"),
        (2, "name"),
        (2, "email"),
        (3, "email"),
        (3, "manager"),
    ]
    assert answer["rejected"] == 2


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("id,email\nshop-1,a@shops.example\n", "name"),
        ("id,name,shoe size\nshop-1,Shop,42\n", "shoe size"),
        ("id,name,id\nshop-1,Shop,shop-2\n", "id"),
        ("", "id"),
    ],
)
def test_a_header_that_cannot_be_used_names_its_column(world: World, text: str, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        take(world, text)
    assert refused.value.field == field


def test_columns_may_have_their_chinese_names() -> None:
    [(number, cells)] = read_rows(
        "工号,姓名,邮箱,上级,手机,企业微信\nshop-1,门店 1,a@shops.example,boss,13800138000,Shop1\n"
    )
    assert (number, cells["id"], cells["manager"], cells["sms"], cells["wecom"]) == (
        2,
        "shop-1",
        "boss",
        "13800138000",
        "Shop1",
    )


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ({}, "file"),
        ({"file": "imports/none.csv"}, "file"),
        ({"file": KEY, "dry_run": "yes"}, "dry_run"),
        ({"file": KEY, "x": 1}, "x"),
    ],
)
def test_a_request_that_cannot_be_used_names_its_field(world: World, payload: dict[str, Any], field: str) -> None:
    world.files.contents[KEY] = GOOD.encode()
    with pytest.raises(InvalidInput) as refused:
        assemble.import_staff(world.ports, deployed=lambda: world.staff).take(payload)
    assert refused.value.field == field


def test_two_imports_at_a_time_do_not_lose_a_list(world: World) -> None:
    other = LiveStaff(revision=1)
    world.live_staff.others = [other]
    assert take(world, GOOD)["revision"] == 2
    world.live_staff.others = [LiveStaff(revision=3), LiveStaff(revision=5), LiveStaff(revision=7)]
    with pytest.raises(ConcurrentUpdate):
        take(world, GOOD.replace("门店 1", "门店一"))
