"""A journey gives staff a task: to whom, until when, with which notices, once, and to whom it is escalated."""

from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.effects import CrashMode
from tests.fakes.published_journeys import email, journey, published
from tests.fakes.staff import member, task_notices
from tests.fakes.world import CONTACT, LINK_KEY, World, redelivered, task_payload
from waypost.contacts.channels import Channel
from waypost.errors import ContactNotFound, InvalidInput
from waypost.human_tasks.task_links import TaskLink, read_task_link
from waypost.journeys.enrolment import Enrolment, TriggerEvent
from waypost.staff.directory import StaffDirectory
from waypost.staff.human_task import HumanTask

ROBOT = Channel("robot")
NOW = "2027-03-08T02:00:00Z"
"""A Monday, 10:00 in Shanghai."""
EFFECTS = 7
"""The writes of a step: the task, its escalation, its event, and of the notice the claim, the call and what became of it."""


@pytest.fixture
def world() -> World:
    members = {
        "lin.chen": member("lin.chen", manager="wei.zhang", department="growth", locale="zh-CN"),
        "wei.zhang": member("wei.zhang", manager="jo.li", department="growth", locale="en"),
        "jo.li": member("jo.li", time_zone="Europe/Paris"),
    }
    given = published(journey(messages={"welcome": email("welcome")}))
    world = World(
        published=replace(given, messages={**given.messages, **task_notices()}),
        staff=StaffDirectory.from_dict({"members": members, "queues": {"service": ["jo.li"]}}),
    )
    world.clock.set(NOW)
    world.have_contact()
    return world


def enrolled(world: World, **properties: Any) -> Enrolment:
    return world.have_enrolment(trigger=TriggerEvent("e-1", "lead_arrived", world.clock(), properties))


def asked(world: World, enrolment: Enrolment, **payload: Any) -> dict[str, Any]:
    given = {"task": "service-call", "title": {"zh-CN": "回访客户", "en": "Call the customer"}, **payload}
    if "working_hours" not in given:
        given = {"within": "1d", **given}
    return task_payload(world.walking(enrolment), "Ask them to call", **given)


def assign(world: World, enrolment: Enrolment, **payload: Any) -> dict[str, Any]:
    return redelivered(lambda: world.assign_task.assign(asked(world, enrolment, **payload)))


def only_task(world: World) -> HumanTask:
    [task] = world.tasks.rows.values()
    return task


def test_the_linked_member_gets_the_task_with_a_link_in_their_language(world: World) -> None:
    answer = assign(world, enrolled(world, staff="lin.chen"), to="linked", text="Ask about the parcel")
    assert (answer["outcome"], answer["assigned_to"], answer["escalates_to"]) == ("assigned", ["lin.chen"], [])
    assert (answer["due_at"], answer["time_left"]) == ("2027-03-09T02:00:00.000Z", "86400s")
    (sent,) = world.email.sent
    assert sent.to.text == "lin.chen@staff.example"
    subject, text = sent.content.subject, sent.content.text
    assert (subject, "Lin" in text, "Ask about the parcel" in text) == ("待办：回访客户 2027-03-09 10:00", True, True)
    assert "https://api.example/t/" in text
    [event] = world.queue.events.values()
    assert (event.type, event.properties["task"], event.contact) == (
        "task_assigned",
        "service-call",
        {"contact_id": CONTACT},
    )


def test_a_member_with_a_robot_gets_the_task_in_the_group_by_a_link_that_names_them(world: World) -> None:
    text = "{{ event.properties.member }}: {{ event.properties.title }} {{ links.task_in_group }}"
    notices = {
        name: replace(
            each, channels=(ROBOT, *each.channels), variants={**each.variants, ROBOT: {"zh-CN": {"text": text}}}
        )
        for name, each in task_notices().items()
    }
    world.published = replace(world.published, messages={**world.published.messages, **notices})
    channels = {"robot": "sales", "email": "lin.chen@staff.example"}
    lin = member("lin.chen", locale="zh-CN", channels=channels, order=list(channels))
    world.staff = StaffDirectory.from_dict({"members": {"lin.chen": lin}})
    assert assign(world, enrolled(world), member="lin.chen")["outcome"] == "assigned"
    (sent,) = world.providers[ROBOT].sent
    assert sent.to.text == "sales"
    text, _, link = sent.content.text.rpartition(" ")
    assert text == "Lin Chen: 回访客户"
    found = read_task_link(link.rpartition("/")[2], [LINK_KEY])
    assert found == TaskLink(CONTACT, only_task(world).id, "staff-lin_chen", in_group=True)
    assert not world.email.sent


def test_the_same_step_again_gives_one_task_and_another_round_another(world: World) -> None:
    enrolment = enrolled(world)
    first = assign(world, enrolment, department="growth", escalate={"queue": "service"})
    again = assign(world, enrolment, department="growth", escalate={"queue": "service"})
    assert again == first
    assert (len(world.email.sent), len(world.queue.events), len(world.schedules)) == (2, 1, 1)
    assign(world, enrolment, department="growth", occurrence=2)
    assert (len(world.tasks.rows), len(world.email.sent)) == (2, 4)


def test_a_repeated_step_keeps_the_task_that_is_there_whatever_has_changed_since(world: World) -> None:
    enrolment = enrolled(world)
    first = assign(world, enrolment, member="lin.chen")
    world.clock.set("2027-03-08T05:00:00Z")
    again = assign(world, enrolment, member="jo.li", within="5d")
    assert (again["assigned_to"], again["due_at"], again["time_left"]) == (["lin.chen"], first["due_at"], "75600s")


@pytest.mark.parametrize("mode", ["before", "after"])
@pytest.mark.parametrize("effect", range(EFFECTS + 1))
def test_a_crash_at_any_moment_leaves_one_task_one_notice_one_event(world: World, effect: int, mode: CrashMode) -> None:
    enrolment = world.walking(enrolled(world))
    payload = asked(world, enrolment, member="lin.chen", escalate={"to": "managers"})
    world.effects.crash_at = len(world.effects.log) + effect
    world.effects.mode = mode
    redelivered(lambda: world.assign_task.assign(payload))
    assert world.effects.crashed == (effect < EFFECTS)
    assert (len(world.tasks.rows), len(world.queue.events), len(world.schedules)) == (1, 1, 1)
    assert len(world.email.sent) <= 1


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ({"to": "linked"}, "no_staff_linked"),
        ({"queue": "sales"}, "queue_empty"),
        ({"department": "x"}, "department_empty"),
    ],
)
def test_where_nobody_is_found_there_is_no_task_and_the_answer_says_why(
    world: World, target: dict[str, str], reason: str
) -> None:
    answer = assign(world, enrolled(world), **target)
    assert (answer["outcome"], answer["reason"], answer["task_id"]) == ("skipped", reason, "")
    assert answer["time_left"] == "86400s"
    assert (world.tasks.rows, world.email.sent, len(world.queue.events)) == ({}, [], 0)


def test_a_contact_of_the_hold_out_causes_no_task(world: World) -> None:
    enrolment = enrolled(world)
    world.enrolments.put(replace(enrolment, held_out=True))
    answer = assign(world, enrolment, member="lin.chen")
    assert (answer["outcome"], answer["reason"], world.tasks.rows) == ("skipped", "held_out", {})


def test_a_deadline_in_working_hours_passes_over_the_night_and_the_weekend(world: World) -> None:
    world.clock.set("2027-03-12T09:00:00Z")  # Friday, 17:00 in Shanghai
    answer = assign(world, enrolled(world), member="lin.chen", working_hours=2)
    assert answer["due_at"] == "2027-03-15T02:00:00.000Z"
    in_paris = assign(world, enrolled(world), member="jo.li", working_hours=2, occurrence=2)
    assert in_paris["due_at"] == "2027-03-12T11:00:00.000Z", "the hours are those of who has the task"


@pytest.mark.parametrize(
    ("escalate", "to"),
    [
        ({"to": "managers"}, ["wei.zhang"]),
        ({"to": "managers", "levels": 2}, ["wei.zhang", "jo.li"]),
        ({"queue": "service"}, ["jo.li"]),
        ({"member": "wei.zhang"}, ["wei.zhang"]),
        ({"member": "lin.chen"}, []),
    ],
)
def test_at_the_deadline_those_above_are_notified(world: World, escalate: dict[str, Any], to: list[str]) -> None:
    answer = assign(world, enrolled(world), member="lin.chen", escalate=escalate, within="2h")
    assert answer["escalates_to"] == to
    assert {each.at.isoformat() for each in world.schedules.booked.values()} == (
        {"2027-03-08T04:00:00+00:00"} if to else set()
    )
    for _ in to:
        world.fire_next()
    assert [each.to.text for each in world.email.sent[1:] if "jo.li" not in each.to.text] == [
        f"{each}@staff.example" for each in to if each != "jo.li"
    ]


@pytest.mark.parametrize(
    ("step", "second"),
    [
        ({"every": "3h"}, "2027-03-08T07:00:00+00:00"),
        ({"every_working_hours": 8}, "2027-03-09T03:00:00+00:00"),
    ],
)
def test_each_level_of_managers_is_notified_a_step_later(world: World, step: dict[str, Any], second: str) -> None:
    escalate = {"to": "managers", "levels": 2, **step}
    answer = assign(world, enrolled(world), member="lin.chen", escalate=escalate, within="2h")
    assert answer["escalates_to"] == ["wei.zhang", "jo.li"]
    assert sorted(each.at.isoformat() for each in world.schedules.booked.values()) == [
        "2027-03-08T04:00:00+00:00",
        second,
    ]
    task = only_task(world)
    assert [at.isoformat() for _, at in task.escalations] == ["2027-03-08T04:00:00+00:00", second]
    assert HumanTask.from_dict(task.to_dict()) == task


def test_an_answer_between_two_levels_stops_the_escalation(world: World) -> None:
    escalate = {"to": "managers", "levels": 2, "every": "3h"}
    assign(world, enrolled(world), member="lin.chen", escalate=escalate, within="2h")
    world.fire_next()
    answer_it(world)
    before = len(world.email.sent)
    world.fire_next()
    assert len(world.email.sent) == before


def test_the_managers_of_several_members_are_notified_level_by_level(world: World) -> None:
    escalate = {"to": "managers", "levels": 2, "every": "3h"}
    answer = assign(world, enrolled(world), department="growth", escalate=escalate, within="2h")
    assert (answer["assigned_to"], answer["escalates_to"]) == (["lin.chen", "wei.zhang"], ["jo.li"])
    [booked] = world.schedules.booked.values()
    assert booked.at.isoformat() == "2027-03-08T04:00:00+00:00", "right above one of them"


def test_an_escalation_goes_out_in_the_language_and_on_the_clock_of_who_gets_it(world: World) -> None:
    assign(world, enrolled(world), member="lin.chen", escalate={"to": "managers"}, within="2h")
    world.fire_next()
    assert world.email.sent[-1].content.subject == "Overdue: Call the customer"
    assert "lin.chen" in world.email.sent[-1].content.text


def answer_it(world: World) -> None:
    task = only_task(world)
    world.tasks.rows[task.id] = task.answered("done", by="lin.chen", at=world.clock(), note="")


def test_an_answered_task_is_neither_escalated_nor_announced_late(world: World) -> None:
    assign(world, enrolled(world), member="lin.chen", escalate={"to": "managers"}, within="2h")
    answer_it(world)
    world.fire_next()
    assert [each.to.text for each in world.email.sent] == ["lin.chen@staff.example"]
    [skipped] = [row for row in world.ledger if row.contact_id == "staff-wei_zhang"]
    assert skipped.decisions[-1].reason == "task_answered"


def test_a_contact_that_left_the_journey_causes_no_escalation(world: World) -> None:
    enrolment = enrolled(world)
    assign(world, enrolment, member="lin.chen", escalate={"to": "managers"}, within="2h")
    world.enrolments.put(replace(world.stored(enrolment), status="leaving", outcome="goal"))
    world.fire_next(sets_out=False)
    [skipped] = [row for row in world.ledger if row.contact_id == "staff-wei_zhang"]
    assert skipped.decisions[-1].reason == "task_not_needed"


def test_a_journey_that_came_to_its_end_leaves_its_task_open_for_escalation(world: World) -> None:
    enrolment = enrolled(world)
    assign(world, enrolment, member="lin.chen", escalate={"to": "managers"}, within="2h")
    world.close(enrolment)
    world.fire_next()
    assert [each.to.text for each in world.email.sent][1:] == ["wei.zhang@staff.example"]


def test_a_notice_waits_for_working_hours_and_an_urgent_one_does_not(world: World) -> None:
    world.clock.set("2027-03-12T12:00:00Z")  # Friday, 20:00 in Shanghai
    enrolment = enrolled(world)
    waits = assign(world, enrolment, member="lin.chen")
    assert (waits["outcome"], waits["reason"], waits["notified"][0]["at"]) == (
        "assigned",
        "quiet_hours",
        "2027-03-15T01:00:00.000Z",
    )
    assert assign(world, enrolment, member="lin.chen", urgent=True, occurrence=2)["notified"][0]["outcome"] == "sent"


def test_a_task_of_which_no_notice_can_go_out_is_there_and_the_answer_says_so(world: World) -> None:
    members = {"lin.chen": member("lin.chen", channels={"sms": "+8613800000009"})}
    world.staff = StaffDirectory.from_dict({"members": members})
    answer = assign(world, enrolled(world), member="lin.chen")
    assert (answer["outcome"], answer["reason"]) == ("not_reached", "missing_address")
    assert only_task(world).assigned_to == ("lin.chen",)


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ({"member": "nobody"}, "member"),
        ({"to": "somebody"}, "to"),
        ({"member": "lin.chen", "title": 7}, "title"),
        ({"member": "lin.chen", "escalate": {"to": "everybody"}}, "escalate"),
        ({"member": "lin.chen", "within": None}, "within"),
    ],
)
def test_what_an_expression_gives_and_is_no_task_is_refused_with_its_field(
    world: World, payload: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput, match=field):
        world.assign_task.assign(asked(world, enrolled(world), **payload))


def test_a_contact_that_does_not_exist_fails_the_step(world: World) -> None:
    enrolment = enrolled(world)
    payload = asked(world, enrolment, member="lin.chen")
    payload["context"]["Execution"]["Input"]["contact_id"] = "c-none"
    with pytest.raises(ContactNotFound):
        world.assign_task.assign(payload)
