"""The page on which a member of staff answers a task: what it shows, what a button does, in both languages and without a script."""

import base64
import json
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from functions.answer_task import handler
from local.messages.chromium import DESKTOP, PHONE, Chromium
from tests.fakes.published_journeys import email, journey, published
from tests.fakes.staff import member, task_notices
from tests.fakes.world import CONTACT, LINK_KEY, World, task_payload
from tests.functions.conftest import LambdaContext, sample
from waypost.human_tasks.task_links import TaskLink, task_url
from waypost.staff.directory import StaffDirectory
from waypost.staff.human_task import ANSWERABLE_AFTER, HumanTask

TEXT = "Ask whether the <b>parcel</b> has arrived.\nOffer a new one if not."


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    members = {
        "lin.chen": member("lin.chen", manager="wei.zhang", time_zone="Asia/Shanghai"),
        "wei.zhang": member("wei.zhang", locale="en"),
    }
    given = published(journey(messages={"welcome": email("welcome")}))
    made = World(
        published=replace(given, messages={**given.messages, **task_notices()}),
        staff=StaffDirectory.from_dict({"members": members}),
    )
    made.have_contact()
    payload = task_payload(
        made.walking(made.have_enrolment()),
        "Ask them to call",
        task="service-call",
        title={"zh-CN": "回访新客户", "en": "Call the new customer"},
        text=TEXT,
        member="lin.chen",
        within="1d",
        escalate={"to": "managers"},
    )
    made.assign_task.assign(payload)
    made.queue.events.clear()
    monkeypatch.setattr(handler, "answer_task", lambda: made.answer_task)
    return made


def the_task(world: World) -> HumanTask:
    [task] = world.tasks.rows.values()
    return task


def token(world: World, who: str = "staff-lin_chen", key: str = LINK_KEY, *, in_group: bool = False) -> str:
    return task_url("", key, TaskLink(CONTACT, the_task(world).id, who, in_group)).removeprefix("/t/")


def call(method: str, token: str, *, lang: str = "en", form: dict[str, str] | None = None) -> dict[str, Any]:
    event = sample("answer_task")
    event["rawPath"] = event["requestContext"]["http"]["path"] = f"/t/{token}"
    event["requestContext"]["http"]["method"] = method
    event["queryStringParameters"] = {"lang": lang}
    event["isBase64Encoded"] = True
    event["body"] = base64.b64encode(urlencode(form or {}).encode()).decode()
    answer: dict[str, Any] = handler.handle(event, LambdaContext())  # type: ignore[arg-type]
    return answer


class Page(HTMLParser):
    def __init__(self, content: str) -> None:
        super().__init__()
        self.buttons: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.words: list[str] = []
        self.feed(content)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        if tag == "button":
            self.buttons.append(str(given["value"]))
        if tag == "a":
            self.links.append(str(given["href"]))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_the_page_shows_the_task_and_the_contact_and_answers_nothing(world: World) -> None:
    answer = call("GET", token(world))
    page = Page(answer["body"])
    words = "".join(page.words)
    assert answer["statusCode"] == 200
    for shown in ("Call the new customer", "Lin", "+8613800000001", "lin@example.com", "2027-03-02 10:00", TEXT):
        assert shown in words, shown
    assert page.buttons == ["done", "not_possible"]
    assert {"tel:+8613800000001", "mailto:lin@example.com"} <= {*page.links}
    assert not {"script", "b"} & {*page.tags}
    headers = {name.lower(): value for name, value in answer["headers"].items()}
    assert headers["cache-control"] == "no-store"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert the_task(world).answer is None
    assert world.queue.events == {}


def test_the_page_is_in_the_readers_language(world: World) -> None:
    body = call("GET", token(world), lang="zh-CN")["body"]
    for shown in ("回访新客户", "完成", "无法完成", "说明"):
        assert shown in body, shown


@pytest.mark.parametrize("answer", ["done", "not_possible"])
def test_a_button_answers_and_the_answer_is_an_event_of_the_contact(world: World, answer: str) -> None:
    world.clock.now += timedelta(minutes=90)
    given = call("POST", token(world), form={"answer": answer, "note": " Reached her "})
    assert given["statusCode"] == 200
    assert "Thank you" in given["body"]
    [event] = world.queue.events.values()
    assert (event.type, event.contact, event.is_our_own) == ("task_answered", {"contact_id": CONTACT}, True)
    recorded = {name: event.properties[name] for name in ("task", "answer", "by", "note", "minutes", "late", "journey")}
    assert recorded == {
        "task": "service-call",
        "answer": answer,
        "by": "lin.chen",
        "note": "Reached her",
        "minutes": 90,
        "late": False,
        "journey": "new_user_nurture",
    }
    assert len(world.schedules) == 0, "nothing is left to escalate"


def test_a_link_in_a_group_says_whose_it_is_and_shows_no_address_of_the_contact(world: World) -> None:
    body = call("GET", token(world, in_group=True))["body"]
    for shown in ("This link was posted in a group and belongs to Lin Chen", "Call the new customer", "Lin"):
        assert shown in body, shown
    assert not [hidden for hidden in ("13800000001", "lin@example.com") if hidden in body]
    assert (
        call("POST", token(world, in_group=True), form={"answer": "done", "note": "reached her"})["statusCode"] == 200
    )
    [event] = world.queue.events.values()
    assert (event.properties["by"], event.properties["in_group"]) == ("lin.chen", True)
    assert "reached her" not in call("GET", token(world, in_group=True))["body"]
    assert "reached her" in call("GET", token(world))["body"]


def test_a_link_whose_group_was_cut_off_or_changed_is_not_ours(world: World) -> None:
    given = token(world, in_group=True)
    assert given != token(world)
    assert call("GET", given[:-3] + "abc")["statusCode"] == 400


def test_one_answer_counts_and_the_second_member_sees_who_answered_when(world: World) -> None:
    call("POST", token(world), form={"answer": "done", "note": "Reached her"})
    other = call("POST", token(world, "staff-wei_zhang"), form={"answer": "not_possible"})
    assert other["statusCode"] == 409
    for shown in ("Lin Chen", "2027-03-01 10:00", "Done", "Reached her"):
        assert shown in other["body"], shown
    assert (the_task(world).answer, the_task(world).answered_by) == ("done", "lin.chen")
    assert Page(call("GET", token(world, "staff-wei_zhang"))["body"]).buttons == []
    assert "lin@example.com" not in call("GET", token(world))["body"], "what was for the task is not shown any more"


def test_pressed_twice_it_is_one_answer_and_one_event(world: World) -> None:
    first = call("POST", token(world), form={"answer": "done"})
    again = call("POST", token(world), form={"answer": "not_possible"})
    assert (first["statusCode"], again["statusCode"]) == (200, 200)
    assert "Done" in again["body"]
    assert [event.properties["answer"] for event in world.queue.events.values()] == ["done"]


def test_of_two_at_once_the_slower_one_learns_it(world: World) -> None:
    world.tasks.others = [the_task(world).answered("done", by="wei.zhang", at=world.clock(), note="")]
    slower = call("POST", token(world), form={"answer": "not_possible"})
    assert slower["statusCode"] == 409
    assert "Wei Zhang" in slower["body"]
    assert [event.properties["by"] for event in world.queue.events.values()] == ["wei.zhang"]


def test_an_answer_whose_event_could_not_be_queued_is_queued_by_the_next_press(world: World) -> None:
    world.queue.broken = True
    assert call("POST", token(world), form={"answer": "done"})["statusCode"] == 503
    world.queue.broken = False
    assert call("POST", token(world), form={"answer": "done"})["statusCode"] == 200
    assert len(world.queue.events) == 1


def test_a_late_answer_counts_and_says_that_it_is_late(world: World) -> None:
    world.clock.now = the_task(world).due_at + timedelta(hours=1)
    assert "deadline has passed" in call("GET", token(world))["body"]
    call("POST", token(world, "staff-wei_zhang"), form={"answer": "done"})
    [event] = world.queue.events.values()
    assert (event.properties["late"], event.properties["by"]) == (True, "wei.zhang")


def test_a_contact_that_has_left_the_journey_is_said_and_the_answer_still_counts(world: World) -> None:
    enrolment = world.stored(world.have_enrolment())
    world.enrolments.put(replace(enrolment, status="leaving", outcome="goal"))
    assert "has left this journey" in call("GET", token(world))["body"]
    assert call("POST", token(world), form={"answer": "done"})["statusCode"] == 200


def test_a_task_that_is_over_or_whose_contact_is_gone_takes_no_answer(world: World) -> None:
    link = token(world)
    world.have_contact(erased=True, attributes={})
    assert call("GET", link)["statusCode"] == 410
    world.have_contact()
    world.clock.now = the_task(world).due_at + ANSWERABLE_AFTER
    for method in ("GET", "POST"):
        answer = call(method, link, form={"answer": "done"})
        assert (answer["statusCode"], "is over" in answer["body"]) == (410, True)
    assert the_task(world).answer is None
    assert world.queue.events == {}


def test_a_form_without_an_answer_shows_the_page_again(world: World) -> None:
    for form in ({}, {"answer": "maybe"}):
        answer = call("POST", token(world), form=form)
        assert (answer["statusCode"], Page(answer["body"]).buttons) == (400, ["done", "not_possible"])


def test_a_link_that_is_forged_anothers_or_of_who_has_left_does_not_work(world: World) -> None:
    ours = token(world)
    forged = base64.urlsafe_b64encode(json.dumps(["c-1", "t-1", "staff-lin_chen"]).encode()).decode().rstrip("=")
    wrong = [
        token(world, key="another-key-of-links-that-is-long-enough"),
        token(world, who="staff-jo_li"),
        f"{forged}.c2ln",
        ours[:-4],
        "x",
    ]
    for each in wrong:
        for method in ("GET", "POST"):
            answer = call(method, each, form={"answer": "done"})
            assert (answer["statusCode"], "does not work" in answer["body"]) == (400, True), each
    world.staff = StaffDirectory.from_dict({"members": {"wei.zhang": member("wei.zhang")}})
    assert call("GET", ours)["statusCode"] == 400, "who left the staff answers nothing"
    assert the_task(world).answer is None


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_the_page_fits_a_phone_and_a_desktop(world: World, chromium: str, tmp_path: Path, language: str) -> None:
    """Kept beside the test's output, to be looked at."""
    page = tmp_path / "task.html"
    page.write_text(call("GET", token(world), lang=language)["body"], encoding="utf-8")
    with Chromium(chromium) as browser:
        for look in (PHONE, DESKTOP):
            (tmp_path / f"{look.name}.png").write_bytes(browser.picture(page, look))
    width = int.from_bytes((tmp_path / "phone.png").read_bytes()[16:20], "big")
    assert width == PHONE.width * PHONE.scale, "nothing is wider than the phone"
