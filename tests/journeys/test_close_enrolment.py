"""A hop comes to the end of its journey: the enrolment ends, and the stream says so."""

from typing import Any

import pytest

from tests.fakes.published_journeys import JOURNEY, journey, published
from tests.fakes.world import CONTACT, World, event, task_payload
from waypost.errors import EnrolmentNotFound
from waypost.events.listening import Listening
from waypost.journeys.enrolment import Enrolment, Failure


@pytest.fixture
def world() -> World:
    return World(published=published(journey(re_entry={"kind": "always", "seconds": None, "property": None})))


@pytest.fixture
def enrolment(world: World) -> Enrolment:
    world.route(event("registered", world.clock(), "e-1", coupon="GLOW15"))
    (enrolment,) = world.enrolments
    return enrolment


def stored(world: World, enrolment: Enrolment) -> tuple[str, str | None]:
    now = world.enrolments.load(CONTACT, enrolment.enrolment_id)
    assert now is not None
    return now.status, now.outcome


@pytest.mark.parametrize("outcome", ["completed", "failed"])
def test_an_enrolment_ends_as_its_machine_did(world: World, enrolment: Enrolment, outcome: str) -> None:
    closed = world.close(enrolment, outcome)
    assert closed == {"enrolment_id": enrolment.enrolment_id, "closed": True, "outcome": outcome}
    assert stored(world, enrolment) == ("ended", outcome)


def test_a_failed_journey_says_where_and_why(world: World, enrolment: Enrolment) -> None:
    world.close(enrolment, "failed", state="Send the coupon", error="UnknownMessage", cause="x" * 900)
    ended = world.stored(enrolment)
    assert ended.failure == Failure("Send the coupon", "UnknownMessage", "x" * 500)
    (emitted,) = world.queue.events.values()
    assert (emitted.properties["state"], emitted.properties["error"]) == ("Send the coupon", "UnknownMessage")
    assert "cause" not in emitted.properties


TRACEBACK = '{"errorMessage": "cart: there is no message thanks", "errorType": "UnknownMessage", "stackTrace": ["…"]}'

EXECUTING = "An error occurred while executing the state"


@pytest.mark.parametrize(
    ("cause", "state", "shown"),
    [
        (f'at "Thank them": {TRACEBACK}', "Thank them", "cart: there is no message thanks"),
        ('at "Say \\"hello\\" at ten": no such message', 'Say "hello" at ten', "no such message"),
        ("at 谢谢: x", "The body", "at 谢谢: x"),
        ('at "谢谢": ', "谢谢", ""),
        (TRACEBACK, "The body", "cart: there is no message thanks"),
        ('at "broken', "The body", 'at "broken'),
        ("[1]", "The body", "[1]"),
        (f"{EXECUTING} 'Vip?' (entered at the event id #7). T2001: no number", "Vip?", "T2001: no number"),
        (f"at \"Inner\": {EXECUTING} 'It''s ''x'' (' (entered at the event id #12). x", "It''s ''x'' (", "x"),
        (
            f"{EXECUTING} 'Until ten: over?' (entered at the event id #3). '$states.input.answer.result.event.id' of $states.input.input",
            "Until ten",
            "'$states.result.event.id' of $states.input",
        ),
        (f"{EXECUTING} nothing known", "The body", f"{EXECUTING} nothing known"),
        ("", "The body", ""),
    ],
)
def test_the_innermost_state_and_the_message_of_a_failure_are_kept(
    world: World, enrolment: Enrolment, cause: str, state: str, shown: str
) -> None:
    world.close(enrolment, "failed", state="The body", error="UnknownMessage", cause=cause)
    assert world.stored(enrolment).failure == Failure(state, "UnknownMessage", shown)


def test_an_interruption_is_remembered_and_forgotten_when_the_journey_gets_to_its_end(
    world: World, enrolment: Enrolment
) -> None:
    answer = world.close(enrolment, "interrupted", state="The body", error="States.Timeout", cause='at "Thank them": ')
    assert not answer["closed"]
    interrupted = world.stored(enrolment)
    assert (interrupted.status, interrupted.failure) == ("active", Failure("Thank them", "States.Timeout"))
    assert not world.queue.events
    world.close(interrupted)
    assert world.stored(enrolment).failure is None


@pytest.mark.parametrize(
    ("kind", "properties", "outcome"), [("order_placed", {"coupon": "GLOW15"}, "goal"), ("left_us", {}, "exited")]
)
def test_a_journey_that_was_left_ends_as_what_it_was_left_for(
    world: World, enrolment: Enrolment, kind: str, properties: dict[str, Any], outcome: str
) -> None:
    world.route(event(kind, world.clock(), **properties))
    assert world.close(enrolment)["outcome"] == outcome


def test_a_journey_that_failed_on_its_way_out_has_failed(world: World, enrolment: Enrolment) -> None:
    world.route(event("left_us", world.clock()))
    assert world.close(enrolment, "failed")["outcome"] == "failed"


def test_the_stream_hears_of_it_once(world: World, enrolment: Enrolment) -> None:
    world.close(enrolment)
    world.clock.advance(minutes=1)
    assert world.close(enrolment) == {"enrolment_id": enrolment.enrolment_id, "closed": False}
    (emitted,) = world.queue.events.values()
    assert (emitted.type, emitted.contact, emitted.correlation_id) == ("journey_ended", {"contact_id": CONTACT}, "r-1")
    assert emitted.properties == {
        "journey": JOURNEY,
        "outcome": "completed",
        "enrolment_id": enrolment.enrolment_id,
    }
    assert emitted.is_our_own
    assert world.route(emitted).contact_id == CONTACT


def test_where_nothing_reads_it_only_the_row_says_that_a_journey_ended() -> None:
    world = World(listening=Listening(settled=frozenset({"journey_ended"})))
    world.have_contact()
    enrolment = world.have_enrolment()
    assert world.close(enrolment)["closed"]
    assert world.queue.events == {}
    assert stored(world, enrolment)[:2] == ("ended", "completed")


def test_a_double_of_the_last_hop_closes_nothing(world: World, enrolment: Enrolment) -> None:
    walking = world.walking(enrolment)
    double = task_payload(walking, "Close", 1, outcome="failed")
    assert world.close_enrolment.close(double) == {"enrolment_id": enrolment.enrolment_id, "closed": False}
    assert stored(world, enrolment)[0] == "active"
    assert world.queue.events == {}


def test_a_journey_that_is_left_as_it_ends_ends_as_left(world: World, enrolment: Enrolment) -> None:
    world.effects.meanwhile["enrolments.keep"] = lambda: world.route(event("left_us", world.clock()))
    assert world.close(enrolment)["outcome"] == "exited"


def test_after_the_end_the_contact_may_come_back(world: World, enrolment: Enrolment) -> None:
    assert world.route(event("registered", world.clock(), "e-2")).decisions[0]["reason"] == "already_in_journey"
    world.close(enrolment)
    assert world.route(event("registered", world.clock(), "e-3")).decisions[0]["reason"] == "enrolled"


def test_an_unknown_enrolment_cannot_be_closed(world: World) -> None:
    stranger = World().have_enrolment()
    with pytest.raises(EnrolmentNotFound):
        world.close_enrolment.close(task_payload(stranger, "Close", outcome="completed"))
    assert world.queue.events == {}
