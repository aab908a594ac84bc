"""A journey notifies staff: whom each rule finds, what they get, once, on their own channels, in working hours."""

from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.published_journeys import email, journey, published, sms
from tests.fakes.staff import member
from tests.fakes.world import World, event, redelivered, task_payload
from waypost.clock import parse_instant
from waypost.contacts.channels import Channel
from waypost.errors import ContactNotFound, InvalidInput
from waypost.journeys.enrolment import Enrolment, TriggerEvent
from waypost.staff.directory import StaffDirectory

LEAD = {
    **email("new-lead", kind="transactional"),
    "channels": ["email", "sms"],
    "variants": {
        "email": {"en": {
            "subject": "{{ contact.name }}",
            "html": "<p>{{ event.properties.coupon }}</p>",
            "text": "{{ contact.name }} {{ event.properties.coupon }}",
        }},
        **sms("new-lead")["variants"],
    },
}  # fmt: skip
PHONE = "+8613800000009"


@pytest.fixture
def world() -> World:
    members = {
        "lin.chen": member("lin.chen", manager="wei.zhang", department="growth"),
        "wei.zhang": member("wei.zhang", manager="jo.li", department="growth"),
        "jo.li": member(
            "jo.li", channels={"sms": PHONE, "email": "jo.li@staff.example"}, order=["sms", "email"], time_zone="UTC"
        ),
    }
    world = World(
        published=published(journey(messages={"new-lead": LEAD, "offer": email("offer")})),
        staff=StaffDirectory.from_dict({"members": members, "queues": {"service": ["wei.zhang"]}}),
    )
    world.clock.set("2027-03-08T02:00:00Z")  # a Monday, 10:00 in Shanghai
    world.have_contact()
    return world


def notify(world: World, enrolment: Enrolment, **payload: Any) -> dict[str, Any]:
    asked = task_payload(world.walking(enrolment), "Tell them", message="new-lead", **payload)
    return redelivered(lambda: world.notify_staff.notify(asked))


def notified(answer: dict[str, Any]) -> list[str]:
    return [each["member"] for each in answer["notified"]]


def enrolled(world: World, **properties: Any) -> Enrolment:
    return world.have_enrolment(
        trigger=TriggerEvent("e-1", "lead_arrived", world.clock(), {"coupon": "GLOW", **properties})
    )


def test_the_member_whom_the_event_names_gets_the_message_about_the_contact(world: World) -> None:
    answer = notify(world, enrolled(world, staff="lin.chen"), to="linked")
    assert (answer["outcome"], notified(answer)) == ("sent", ["lin.chen"])
    (sent,) = world.email.sent
    assert sent.to.text == "lin.chen@staff.example"
    assert sent.content.text.split() == ["Lin", "GLOW"]


def test_without_one_in_the_event_the_owner_of_the_contact_is_linked(world: World) -> None:
    world.have_contact(attributes={"owner": "wei.zhang", "name": "Lin"})
    assert notified(notify(world, enrolled(world), to="linked")) == ["wei.zhang"]


def test_the_event_may_name_the_member_in_another_property(world: World) -> None:
    enrolment = enrolled(world, sales_person="wei.zhang@staff.example", staff="lin.chen")
    assert notified(notify(world, enrolment, to="linked", linked_by="sales_person")) == ["wei.zhang"]


@pytest.mark.parametrize(("levels", "found"), [({}, ["wei.zhang", "jo.li"]), ({"levels": 1}, ["wei.zhang"])])
def test_the_managers_of_the_linked_member_are_notified(world: World, levels: dict[str, int], found: list[str]) -> None:
    assert notified(notify(world, enrolled(world, staff="lin.chen"), to="managers", **levels)) == found


def test_everyone_who_added_the_contact_or_the_first_of_them_is_notified(world: World) -> None:
    world.route(event("staff_added_contact", parse_instant("2027-03-01T02:00:00Z"), staff="lin.chen"))
    world.route(event("staff_added_contact", parse_instant("2027-02-01T02:00:00Z"), staff="wei.zhang"))
    enrolment = enrolled(world)
    assert notified(notify(world, enrolment, to="everyone_who_added")) == ["wei.zhang", "lin.chen"]
    assert notified(notify(world, enrolment, to="first_who_added", occurrence=2)) == ["wei.zhang"]


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ({"member": "jo.li"}, ["jo.li"]),
        ({"department": "growth"}, ["lin.chen", "wei.zhang"]),
        ({"queue": "service"}, ["wei.zhang"]),
    ],
)
def test_a_member_a_department_and_a_queue_can_be_named(world: World, target: dict[str, str], found: list[str]) -> None:
    assert notified(notify(world, enrolled(world), **target)) == found


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ({"to": "linked"}, "no_staff_linked"),
        ({"to": "managers"}, "no_staff_linked"),
        ({"to": "everyone_who_added"}, "nobody_added_contact"),
        ({"to": "first_who_added"}, "nobody_added_contact"),
        ({"department": "sales"}, "department_empty"),
        ({"queue": "sales"}, "queue_empty"),
    ],
)
def test_where_nobody_is_found_the_answer_says_why(world: World, target: dict[str, str], reason: str) -> None:
    answer = notify(world, enrolled(world, staff="nobody.known"), **target)
    assert answer == {"outcome": "skipped", "reason": reason, "notified": []}


def test_where_nobody_is_found_one_of_another_queue_is_notified(world: World) -> None:
    unlinked = enrolled(world, staff="nobody.known")
    assert notified(notify(world, unlinked, to="linked", otherwise="service")) == ["wei.zhang"]
    assert notify(world, unlinked, to="linked", otherwise="sales")["reason"] == "queue_empty"
    linked = enrolled(world, staff="jo.li")
    assert notified(notify(world, linked, to="linked", otherwise="service", occurrence=2)) == ["jo.li"]


def test_who_has_no_manager_says_so(world: World) -> None:
    assert notify(world, enrolled(world, staff="jo.li"), to="managers")["reason"] == "no_manager"


def test_the_same_step_again_notifies_nobody_twice_and_another_round_does(world: World) -> None:
    enrolment = enrolled(world)
    first = notify(world, enrolment, department="growth")
    assert notify(world, enrolment, department="growth") == first
    assert len(world.email.sent) == 2
    notify(world, enrolment, department="growth", occurrence=2)
    assert len(world.email.sent) == 4


def test_after_a_crash_those_who_were_reached_are_not_notified_again(world: World) -> None:
    asked = task_payload(world.walking(enrolled(world)), "Tell them", message="new-lead", department="growth")
    reached = world.notify_staff.notify({**asked, "department": None, "member": "lin.chen"})
    assert notified(reached) == ["lin.chen"]
    world.notify_staff.notify(asked)
    assert sorted(each.to.text for each in world.email.sent) == ["lin.chen@staff.example", "wei.zhang@staff.example"]


def test_a_notice_goes_out_on_the_channel_that_the_member_wants_first(world: World) -> None:
    world.clock.set("2027-03-08T10:00:00Z")
    answer = notify(world, enrolled(world), member="jo.li")
    assert answer["notified"][0]["channel"] == "sms"


def test_a_notice_that_can_wait_waits_for_working_hours_and_an_urgent_one_does_not(world: World) -> None:
    world.clock.set("2027-03-12T12:00:00Z")  # Friday, 20:00 in Shanghai
    enrolment = enrolled(world)
    waits = notify(world, enrolment, member="lin.chen")
    assert (waits["outcome"], waits["reason"]) == ("deferred", "quiet_hours")
    assert waits["notified"][0]["at"] == "2027-03-15T01:00:00.000Z"
    assert notify(world, enrolment, member="lin.chen", urgent=True, occurrence=2)["outcome"] == "sent"


def test_what_was_deferred_still_speaks_of_the_contact_and_the_event(world: World) -> None:
    world.clock.set("2027-03-12T12:00:00Z")
    notify(world, enrolled(world), member="lin.chen")
    world.fire_next()
    (sent,) = world.email.sent
    assert sent.content.text.split() == ["Lin", "GLOW"]


def test_a_robot_of_many_notices_says_one_in_three_seconds(world: World) -> None:
    robot = {"robot": {"en": {"text": "{{ contact.name }}"}}}
    lead = {**LEAD, "channels": ["robot"], "variants": robot}
    members = {
        each: member(each, channels={"robot": "growth-group", "email": f"{each}@staff.example"}, department="growth")
        for each in ("lin.chen", "wei.zhang")
    }
    world.published = published(journey(messages={"new-lead": lead}))
    world.staff = StaffDirectory.from_dict({"members": members})
    answer = notify(world, enrolled(world), department="growth")
    assert [each["outcome"] for each in answer["notified"]] == ["sent", "deferred"]
    assert answer["notified"][1]["reason"] == "paced"
    world.fire_next()
    assert len(world.providers[Channel("robot")].sent) == 2


def test_marketing_is_refused_as_a_notice(world: World) -> None:
    with pytest.raises(InvalidInput, match="transactional"):
        world.notify_staff.notify(task_payload(enrolled(world), "Tell", message="offer", member="lin.chen"))


def test_a_contact_that_does_not_exist_fails_the_step(world: World) -> None:
    enrolment = enrolled(world)
    with pytest.raises(ContactNotFound):
        world.notify_staff.notify(
            task_payload(replace(enrolment, contact_id="c-gone"), "Tell", message="new-lead", member="lin.chen")
        )
