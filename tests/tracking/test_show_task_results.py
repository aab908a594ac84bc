"""The share of messages that members of staff confirmed, as the operation shows it."""

import pytest

from tests.fakes.world import World
from waypost.assembly import assemble
from waypost.contacts.channels import Channel
from waypost.errors import InvalidInput
from waypost.staff.directory import Member, StaffDirectory
from waypost.tracking.show_task_results import MOST_SHOWN, ShowTaskResults
from waypost.tracking.task_figures import TaskCounts, TaskGroup

WECOM = Channel("wecom")


@pytest.fixture
def world() -> World:
    world = World()
    zhang = Member(
        id="zhang", name="Zhang San", email="z@example.com", roles=frozenset({"operator"}), channels={WECOM: "ZhangSan"}
    )
    world.staff = StaffDirectory({"zhang": zhang})
    return world


def shown(world: World) -> ShowTaskResults:
    return assemble.show_task_results(
        world.ports, channels=[WECOM], staff=lambda: world.staff, default_zone=world.default_zone
    )


def test_the_share_confirmed_stands_in_all_by_message_and_by_member(world: World) -> None:
    figures = world.task_figures
    figures.add(WECOM, TaskGroup("2027-03", "offer/first", "ZhangSan"), TaskCounts(sent=6, failed=1, withdrawn=1))
    figures.add(WECOM, TaskGroup("2027-03", "offer/second", "ZhangSan"), TaskCounts(withdrawn=1))
    figures.add(WECOM, TaskGroup("2027-03", "offer/first", "LiSi"), TaskCounts(sent=1))
    figures.add(WECOM, TaskGroup("2027-02", "offer/first", "LiSi"), TaskCounts(sent=50))
    assert shown(world).show({}) == {
        "month": "2027-03",
        "tasks": 10,
        "sent": 7,
        "failed": 1,
        "withdrawn": 2,
        "confirmed": 0.8,
        "messages": [
            {"message": "offer/first", "tasks": 9, "sent": 7, "failed": 1, "withdrawn": 1, "confirmed": 0.889},
            {"message": "offer/second", "tasks": 1, "sent": 0, "failed": 0, "withdrawn": 1, "confirmed": 0.0},
        ],
        "members": [
            {"member": "zhang", "tasks": 9, "sent": 6, "failed": 1, "withdrawn": 2, "confirmed": 0.778},
            {"member": "LiSi", "tasks": 1, "sent": 1, "failed": 0, "withdrawn": 0, "confirmed": 1.0},
        ],
        "more": 0,
    }
    assert shown(world).show({"month": "2027-02"})["sent"] == 50


def test_a_month_without_tasks_has_no_share(world: World) -> None:
    answer = shown(world).show({"month": "2026-12"})
    assert (answer["tasks"], answer["confirmed"], answer["messages"]) == (0, None, [])


def test_the_answer_has_room_for_a_state_and_says_how_much_it_leaves_out(world: World) -> None:
    for number in range(MOST_SHOWN + 5):
        world.task_figures.add(WECOM, TaskGroup("2027-03", "offer/first", f"m-{number}"), TaskCounts(sent=1))
    answer = shown(world).show({})
    assert (len(answer["members"]), answer["more"], answer["tasks"]) == (MOST_SHOWN, 5, MOST_SHOWN + 5)


@pytest.mark.parametrize("month", ["2027-13", "March", 202703, "2027-3"])
def test_what_is_no_month_is_refused(world: World, month: object) -> None:
    with pytest.raises(InvalidInput, match="month"):
        shown(world).show({"month": month})
