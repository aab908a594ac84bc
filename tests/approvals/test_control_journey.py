"""A whole journey is paused, drained, resumed, or, with a second person's approval, stopped: nobody is lost, and nothing goes out meanwhile."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.approvals.test_publish_message import NOTICE
from tests.fakes.published_journeys import JOURNEY, journey, published
from tests.fakes.staff import directory
from tests.fakes.world import World, event
from waypost.approvals.control_journey import LEAST_LEFT
from waypost.errors import InvalidInput, TemporarilyUnavailable
from waypost.events.envelope import Event
from waypost.journeys.enrolment import Enrolment
from waypost.policies.policy_form import as_written, read_changes
from waypost.sending.policy_change import LOOKED_AFTER

SIGNED = {"journey": JOURNEY, "by": "lin.chen", "reason": "the survey's page is down"}
TOKEN = "a-task-token"
CONTACTS = 3


@pytest.fixture
def world() -> World:
    given = published(journey())
    notices = published(journey("notices", messages={"approval-requested": NOTICE}))
    return World(
        published=replace(given, messages={**given.messages, **notices.messages}),
        staff=directory("lin.chen", "wei.zhang", locale="en"),
    )


def act(world: World, action: str, *, remaining: int = LEAST_LEFT, **given: Any) -> dict[str, Any]:
    return world.control_journey.act({"action": action, **SIGNED, **given}, remaining=lambda: remaining)


def happened(world: World, kind: str, event_id: str, **contact: str) -> Event:
    return event(kind, at=world.clock.now, id=event_id, contact=contact)


def picked_up(world: World) -> None:
    world.clock.now += LOOKED_AFTER


def approved(world: World, decision: str = "approved", **given: Any) -> str:
    """Ask for the stop, and decide on it by the link of the mail; the id of the approval."""
    world.runs.waiting.add(TOKEN)
    request = {"action": "stop", **SIGNED, "approver": "wei.zhang", "contacts": 1, **given}
    world.ask_for_approval.ask({"task_token": TOKEN, "operation": "journey-control", "run": "r-1", "request": request})
    token = str(world.email.sent[-1].content.text).rpartition("/a/")[2]
    asked = next(reversed(world.approvals.requests.values()))
    done = world.decide_approval.decide(token, decision=decision, digest=asked.subject.digest, comment="Yes")
    assert done is not None
    return done.id


def held_at_a_pause(world: World, action: str) -> Enrolment:
    """A contact waits two days, and the journey is paused or drained: nobody else enters."""
    world.have_contact()
    enrolment = world.have_enrolment()
    world.park(enrolment, {"for": "2d"}, "Two days later")
    act(world, action)
    picked_up(world)
    entry = world.route(happened(world, "registered", "e-2", user_id="u-2"))
    assert [each["reason"] for each in entry.decisions if each["reason"] == "journey_held"] == ["journey_held"]
    world.fire_next()
    return enrolment


def test_a_paused_journey_keeps_its_contacts_and_lets_nobody_in(world: World) -> None:
    enrolment = held_at_a_pause(world, "pause")
    assert act(world, "show")["state"] == "paused"
    assert world.resume_journey.resume_one(enrolment.contact_id, enrolment.enrolment_id) == "held"
    world.clock.now += timedelta(days=3)
    for _ in range(7):  # more often than a lost hop is given out
        report = world.sweep()
        assert (report.overdue_pauses, report.lost_hops, report.journeys_given_up) == (0, 0, 0)
        world.clock.now += timedelta(hours=1)
    assert world.stored(enrolment).status == "active"

    act(world, "resume")
    picked_up(world)
    report = world.sweep_journeys.sweep(recent=True)
    world.set_out()
    assert (report.released, report.overdue_pauses, report.lost_hops) == (1, 0, 0)
    assert world.stored(enrolment).pause is not None
    assert world.walking(enrolment).hop.taken_by, "the hop behind the Pause walks"
    again = world.route(happened(world, "registered", "e-3", user_id="u-3"))
    assert [each["reason"] for each in again.decisions] == ["enrolled"]


def test_an_event_that_ends_a_pause_waits_with_its_journey(world: World) -> None:
    world.have_contact()
    enrolment = world.have_enrolment()
    world.park(enrolment, {"for": "9d", "or": {"event": "survey_answered"}}, "Until the answer")
    act(world, "pause")
    picked_up(world)
    world.route(happened(world, "survey_answered", "e-2", contact_id=enrolment.contact_id))
    assert world.stored(enrolment).lies_untaken
    assert len(world.machines) == 0
    world.clock.now += timedelta(hours=5)
    assert world.sweep().lost_hops == 0
    act(world, "resume")
    picked_up(world)
    assert world.sweep_journeys.sweep(recent=True).released == 1
    assert len(world.machines) == 1, "the hop behind the Pause is started"


def test_a_message_of_a_paused_journey_waits_and_goes_out_after_it(world: World) -> None:
    world.have_contact()
    enrolment = world.have_enrolment()
    act(world, "pause")
    picked_up(world)
    result = world.send(enrolment, "welcome")
    assert (result.outcome, result.reason) == ("deferred", "journey_paused")
    act(world, "resume")
    world.clock.now += timedelta(hours=2)
    while len(world.schedules):
        world.fire_next()
    assert [each.message for each in world.ledger if each.state == "accepted"] == [f"{JOURNEY}/welcome"]


def test_a_drained_journey_lets_nobody_in_and_those_in_it_go_on(world: World) -> None:
    enrolment = held_at_a_pause(world, "drain")
    assert act(world, "show")["state"] == "draining"
    assert world.walking(enrolment).hop.taken_by
    assert world.send(enrolment, "welcome").outcome == "sent"


def test_everybody_is_stopped_once_a_second_person_has_approved(world: World) -> None:
    for number in range(CONTACTS):
        world.have_contact(f"c-{number}", identities={})
        world.park(world.have_enrolment(f"c-{number}"), {"for": "2d"}, "Two days later")
    shown = act(world, "show")
    assert (shown["state"], shown["contacts"], shown["complete"]) == ("running", CONTACTS, True)
    assert [(each["at"], each["contacts"]) for each in shown["waiting"]] == [("Two days later", CONTACTS)]

    approval = approved(world)
    assert world.runs.answers[TOKEN] == {
        "approval": approval, "decision": "approved", "by": "wei.zhang", "comment": "Yes",
    }  # fmt: skip
    assert act(world, "close", approval=approval)["state"] == "stopped"
    with pytest.raises(TemporarilyUnavailable, match="goes on"):
        act(world, "stop", approval=approval, remaining=0)
    done = act(world, "stop", approval=approval)
    assert (done["stopped"], done["approved_by"]) == (CONTACTS, "wei.zhang")
    assert {each.outcome for each in world.enrolments} == {"stopped"}
    assert act(world, "stop", approval=approval) == done, "a repeated call changes nothing"
    assert act(world, "show")["contacts"] == 0


@pytest.mark.parametrize(
    ("decision", "given", "problem"),
    [
        pytest.param("rejected", {}, "approval: there is none", id="rejected"),
        pytest.param("approved", {"journey": "another"}, "is not about stopping", id="of another journey"),
        pytest.param("approved", {"action": "pause"}, "is not about stopping", id="of another action"),
    ],
)
def test_nobody_is_stopped_by_another_approval(
    world: World, decision: str, given: dict[str, Any], problem: str
) -> None:
    approval = approved(world, decision, **given)
    for action in ("close", "stop"):
        with pytest.raises(InvalidInput, match=problem):
            act(world, action, approval=approval)
        with pytest.raises(InvalidInput, match="approval: there is none"):
            act(world, action)
    assert world.policies.changes == []


def test_the_run_that_asked_may_be_over(world: World) -> None:
    approval = approved(world)
    request = {"action": "stop", **SIGNED, "approver": "wei.zhang"}
    world.ask_for_approval.ask({"task_token": "gone", "operation": "journey-control", "run": "r-2", "request": request})
    token = str(world.email.sent[-1].content.text).rpartition("/a/")[2]
    asked = next(reversed(world.approvals.requests.values()))
    with pytest.raises(InvalidInput, match="the run that asked waits no more"):
        world.decide_approval.decide(token, decision="approved", digest=asked.subject.digest, comment="")
    assert asked.id != approval, "each run asks on its own"


def test_a_state_that_is_tried_again_gets_the_answer_under_its_later_token(world: World) -> None:
    request = {"action": "stop", **SIGNED, "approver": "wei.zhang"}
    for token in ("first", "second"):
        world.ask_for_approval.ask(
            {"task_token": token, "operation": "journey-control", "run": "r", "request": request}
        )
    [asked] = world.approvals.requests.values()
    assert asked.task_token == "second"
    assert len(world.email.sent) == 1


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"journey": "no-such"}, "journey: expected the name of a journey, got 'no-such'; there are:"),
        ({"by": ""}, "by: is missing"),
        ({"reason": " "}, "reason: is missing"),
        ({"action": "halt"}, "action: should be one of show, pause"),
        ({"action": "resume"}, "is neither paused nor draining"),
    ],
)
def test_bad_requests_are_refused(world: World, given: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidInput, match=problem):
        act(world, **{"action": "pause", **given})
    assert world.policies.changes == []


def test_a_change_of_the_policy_neither_shows_nor_resumes_what_is_held(world: World) -> None:
    act(world, "pause")
    with pytest.raises(InvalidInput, match=r"policy.journeys: there is no such field"):
        read_changes({"journeys": {}}, "policy")
    world.change_policy.act({"action": "reset", "by": "lin.chen", "reason": "all as deployed"})
    assert act(world, "show")["state"] == "paused"
    assert "journeys" not in as_written(world.published.policy)


def test_nobody_approves_what_they_asked_for(world: World) -> None:
    request = {"action": "stop", **SIGNED, "approver": "lin.chen"}
    with pytest.raises(InvalidInput, match=r"approver: lin.chen asks"):
        world.ask_for_approval.ask({"task_token": TOKEN, "operation": "o", "run": "r", "request": request})
    with pytest.raises(InvalidInput, match="request: should be an object of at most"):
        world.ask_for_approval.ask(
            {"task_token": TOKEN, "operation": "o", "run": "r", "request": {"reason": "long " * 9_999}}
        )
