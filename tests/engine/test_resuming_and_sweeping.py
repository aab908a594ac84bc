"""Pauses that end by time, and what the sweeper makes good."""

from datetime import timedelta

import pytest

from tests.engine.world import CONTACT, World, event, send_request
from tests.fakes.effects import CRASH_MODES, Crash, CrashMode
from waypost.channels.answers import RefusedForNow
from waypost.clock import parse_instant
from waypost.errors import ContactNotFound, RetryableError, TemporarilyUnavailable
from waypost.journeys.enrolment import Enrolment
from waypost.journeys.sweep_journeys import GRACE, SweepReport

ELAPSED = {"outcome": "elapsed"}
NOTHING = SweepReport(overdue_pauses=0, unknown_messages=0)


@pytest.fixture
def world() -> World:
    world = World()
    world.have_contact()
    return world


@pytest.fixture
def enrolment(world: World) -> Enrolment:
    return world.have_enrolment()


def reference(world: World) -> dict[str, str]:
    (pause,) = world.pauses
    return pause.reference()


def test_a_schedule_resumes_the_journey_at_its_time(world: World, enrolment: Enrolment) -> None:
    token = world.park(enrolment, {"for": "2d"})
    world.fire_next()
    assert world.clock() == parse_instant("2027-03-03T02:00:00Z")
    assert world.tokens[token] == ELAPSED


def test_a_schedule_that_fires_twice_changes_nothing(world: World, enrolment: Enrolment) -> None:
    world.park(enrolment, {"for": "2d"})
    world.fire_next()
    assert world.resumer.resume(reference(world))["effect"] == "already_over"


def test_a_schedule_that_fires_after_an_event_changes_nothing(world: World, enrolment: Enrolment) -> None:
    token = world.park(enrolment, {"for": "2d", "or": {"event": "survey_answered"}})
    world.route(event("survey_answered", world.clock()))
    assert world.resumer.resume(reference(world))["effect"] == "already_over"
    assert world.tokens[token]["outcome"] == "event"


def test_a_schedule_of_nothing_resumes_nothing(world: World) -> None:
    nothing = {"contact_id": CONTACT, "enrolment_id": "n-1", "pause_id": "p-1"}
    assert world.resumer.resume(nothing) == {"pause_id": "p-1", "effect": "nothing_parked"}


def test_a_pause_is_postponed_when_its_message_is_deferred_once_more(world: World, enrolment: Enrolment) -> None:
    world.clock.set("2027-03-01T23:30:00+08:00")
    request = send_request(enrolment, "welcome", state="welcome")
    world.send(enrolment, "welcome")
    token = world.park(enrolment, {"for": "2h"})
    (pause,) = world.pauses
    assert pause.due_at == parse_instant("2027-03-02T10:00:00+08:00")
    world.email.answers = [RefusedForNow("TooManyRequestsException")] * 6
    world.fire_next()  # 08:00, throttled until 08:20
    world.fire_next()  # 08:20, throttled until 09:20
    world.fire_next()  # 09:20, sent
    assert world.ledger[request.message_key].state == "accepted"
    world.fire_next()
    assert world.clock() == parse_instant("2027-03-02T10:00:00+08:00")
    assert token not in world.tokens
    (pause,) = world.pauses
    assert (pause.status, pause.due_at) == ("waiting", parse_instant("2027-03-02T11:20:00+08:00"))
    world.fire_next()
    assert world.clock() == pause.due_at
    assert world.tokens[token] == ELAPSED
    assert len(world.schedules) == 0


def test_a_pause_until_a_time_of_day_is_not_postponed_without_need(world: World, enrolment: Enrolment) -> None:
    token = world.park(enrolment, {"until": {"day": 3, "at": "10:00"}})
    world.enrolments.hold_until(CONTACT, enrolment.enrolment_id, world.clock() + timedelta(hours=9))
    world.fire_next()
    assert world.tokens[token] == ELAPSED


def test_a_postponed_pause_may_still_be_ended_by_its_event(world: World, enrolment: Enrolment) -> None:
    token = world.park(enrolment, {"for": "2h", "or": {"event": "survey_answered"}})
    world.enrolments.hold_until(CONTACT, enrolment.enrolment_id, world.clock() + timedelta(hours=9))
    world.fire_next()
    assert len(world.schedules) == 1
    world.route(event("survey_answered", world.clock()))
    assert world.tokens[token]["outcome"] == "event"
    assert len(world.schedules) == 0


def test_a_contact_who_lost_the_date_meanwhile_is_resumed_as_it_was_booked(world: World) -> None:
    world.have_contact(attributes={"birthday": "2027-03-03"}, version=1)
    enrolment = world.have_enrolment()
    token = world.park(enrolment, {"until": {"date": "birthday", "at": "10:00"}})
    world.have_contact(attributes={}, version=2)
    world.enrolments.hold_until(CONTACT, enrolment.enrolment_id, world.clock() + timedelta(days=9))
    world.fire_next()
    assert world.tokens[token] == ELAPSED


# The sweeper


def test_with_everything_in_order_the_sweeper_finds_nothing(world: World, enrolment: Enrolment) -> None:
    world.send(enrolment, "welcome")
    world.park(enrolment, {"for": "2d"})
    world.clock.advance(days=1)
    assert world.sweep() == NOTHING
    world.fire_next()
    world.clock.advance(days=1)
    assert world.sweep() == NOTHING


def test_a_pause_whose_schedule_got_lost_is_resumed(world: World, enrolment: Enrolment) -> None:
    token = world.park(enrolment, {"for": "2d"})
    world.schedules.booked.clear()
    world.clock.advance(days=2)
    world.clock.now += GRACE
    assert world.sweep() == NOTHING, "a schedule may be that late"
    world.clock.advance(seconds=1)
    assert world.sweep() == SweepReport(overdue_pauses=1, unknown_messages=0)
    assert world.tokens[token] == ELAPSED
    assert world.sweep() == NOTHING


@pytest.mark.parametrize("mode", CRASH_MODES)
@pytest.mark.parametrize("effect", ["pauses.settle", "tokens.succeed", "pauses.mark_signalled"])
def test_a_resume_that_crashed_for_good_is_made_good(effect: str, mode: CrashMode) -> None:
    world = World()
    world.have_contact()
    token = world.park(world.have_enrolment(), {"for": "2d"})
    world.effects.crash_on, world.effects.mode = effect, mode
    with pytest.raises((Crash, RetryableError)):
        world.resumer.resume(reference(world))
    world.clock.advance(days=2, hours=1)
    world.sweep()
    assert world.tokens[token] == ELAPSED
    assert [pause.signalled for pause in world.pauses] == [True]
    assert world.sweep() == NOTHING


@pytest.mark.parametrize("mode", CRASH_MODES)
@pytest.mark.parametrize(
    ("happening", "effect"),
    [
        ("survey_answered", "pauses.settle"),
        ("survey_answered", "tokens.succeed"),
        ("survey_answered", "pauses.mark_signalled"),
        ("left_us", "enrolments.leave"),
        ("left_us", "pauses.settle"),
        ("left_us", "tokens.fail"),
        ("left_us", "pauses.mark_signalled"),
    ],
)
def test_a_router_that_crashed_for_good_leaves_no_journey_parked_for_ever(
    happening: str, effect: str, mode: CrashMode
) -> None:
    world = World()
    world.have_contact()
    token = world.park(world.have_enrolment(), {"for": "2d", "or": {"event": "survey_answered"}})
    world.effects.crash_on, world.effects.mode = effect, mode
    with pytest.raises((Crash, RetryableError)):
        world.router.route(event(happening, world.clock()))
    world.schedules.booked.clear()
    world.clock.advance(days=2, hours=1)
    world.sweep()
    assert token in world.tokens
    assert [pause.signalled for pause in world.pauses] == [True]


def test_one_pause_that_cannot_be_resumed_does_not_keep_the_others_waiting(world: World, enrolment: Enrolment) -> None:
    stranger = world.have_enrolment("c-gone", anchor_at=world.clock() + timedelta(days=1))
    world.have_contact("c-gone", identities={})
    world.park(stranger, {"for": "1d"})
    world.contacts.items.pop("c-gone")
    token = world.park(enrolment, {"for": "1d"})
    claimed = send_request(enrolment, "welcome", state="welcome")
    world.ledger.claim(claimed, channel="email", claim_id="claim-1", at=world.clock(), local_time="", touches=None)
    world.schedules.booked.clear()
    world.enrolments.hold_until("c-gone", stranger.enrolment_id, world.clock() + timedelta(days=9))
    world.clock.advance(days=3)
    with pytest.raises(ContactNotFound):
        world.sweeper.sweep()
    assert world.tokens[token] == ELAPSED
    assert world.ledger[claimed.message_key].state == "unknown"


def test_a_claim_that_cannot_be_given_up_now_is_given_up_by_the_next_sweep(world: World, enrolment: Enrolment) -> None:
    requests = [send_request(enrolment, state, state=state) for state in ("welcome", "survey")]
    for number, request in enumerate(requests):
        claim = {"channel": "email", "claim_id": f"claim-{number}", "local_time": ""}
        world.ledger.claim(request, at=world.clock(), touches=None, **claim)
    world.clock.advance(hours=1)
    world.effects.crash_on, world.effects.mode = "ledger.give_up_claim", "refused"
    with pytest.raises(TemporarilyUnavailable):
        world.sweeper.sweep()
    assert sorted(world.ledger.states().values()) == ["claimed", "unknown"]
    assert world.sweep() == SweepReport(overdue_pauses=0, unknown_messages=1)


def test_a_claim_nobody_answered_for_becomes_unknown_and_is_counted(world: World, enrolment: Enrolment) -> None:
    request = send_request(enrolment, "welcome", state="welcome")
    world.effects.crash_on, world.effects.mode = "email.send", "after"
    with pytest.raises(Crash):
        world.sender.send(request)
    world.clock.now += GRACE
    assert world.sweep() == NOTHING
    world.clock.advance(seconds=1)
    assert world.sweep() == SweepReport(overdue_pauses=0, unknown_messages=1)
    assert world.ledger[request.message_key].state == "unknown"
    assert world.sweep() == NOTHING
    assert world.sender.send(request).outcome == "unknown"
    assert world.email.calls.total() == 1


def test_a_report_can_be_written_down() -> None:
    assert SweepReport(overdue_pauses=1, unknown_messages=2).to_dict() == {"overdue_pauses": 1, "unknown_messages": 2}
