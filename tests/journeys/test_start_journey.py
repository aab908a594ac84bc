"""A journey started by hand or by the clock: for whom, how often, and what is refused."""

from typing import Any

import pytest

from tests.fakes.published_journeys import JOURNEY, journey, published
from tests.fakes.world import World, event
from waypost.assembly import assemble
from waypost.errors import ContactNotFound, InvalidInput
from waypost.journeys.published import REQUEST
from waypost.journeys.start_journey import StartJourney


def world_of(*people: str, **manifest: Any) -> World:
    world = World(published=published(journey(**manifest)))
    for name in people:
        world.route(
            event("identified", world.clock(), f"e-{name}", contact={"user_id": name}, profile={"city": "Wuhan"})
        )
    return world


def starting(world: World) -> StartJourney:
    return assemble.start_journey(world.ports, journeys=world.published.journeys, default_zone=world.default_zone)


def start(world: World, request: dict[str, Any]) -> dict[str, Any]:
    """Call until it is done, as the machine does, and route what was asked for."""
    answer: dict[str, Any] = {"run": "execution-1", **request}
    already = len(world.queue.sent)
    while not answer.get("done"):
        answer = starting(world).start(answer, remaining=lambda: 0)
    for asked in list(world.queue.sent)[already:]:
        if asked.type == REQUEST:
            world.route(asked)
    return answer


def enrolled(world: World) -> int:
    return len(list(world.enrolments))


def test_a_contact_enters_a_journey_that_another_event_triggers() -> None:
    world = world_of("u-1", "u-2")
    answer = start(world, {"journey": JOURNEY, "contact": {"user_id": "u-1"}, "by": "lin.chen"})
    assert (answer["requested"], answer["unknown"], answer["done"]) == (1, [], True)
    [enrolment] = list(world.enrolments)
    assert enrolment.trigger.type == REQUEST
    assert enrolment.trigger.properties == {"journey": JOURNEY, "requested_by": "lin.chen"}


def test_a_list_names_who_is_unknown_and_starts_the_others() -> None:
    world = world_of("u-1", "u-2")
    people = [{"user_id": "u-1"}, {"user_id": "u-nobody"}, {"user_id": "u-2"}, {"user_id": "u-1"}]
    answer = start(world, {"journey": JOURNEY, "contacts": people})
    assert (answer["requested"], answer["unknown"]) == (2, ["contacts[1]"])
    assert enrolled(world) == 2


def test_a_trial_then_everybody_starts_it_for_each_once() -> None:
    world = world_of(*(f"u-{n}" for n in range(130)), re_entry={"kind": "always", "seconds": None, "property": None})
    request = {"journey": JOURNEY, "rule": {"attribute": "city", "equals": "Wuhan"}, "occasion": "spring"}
    assert start(world, {**request, "trial": True})["requested"] == 100
    assert enrolled(world) == 100
    for enrolment in list(world.enrolments):
        world.close(enrolment)
    assert start(world, request)["requested"] == 130
    assert enrolled(world) == 130, "the hundred of the trial are not started again"


def test_a_schedule_that_fires_twice_on_a_day_starts_it_once_and_again_the_next_day() -> None:
    world = world_of("u-1", re_entry={"kind": "always", "seconds": None, "property": None})
    request = {"journey": JOURNEY, "rule": {"attribute": "city", "equals": "Wuhan"}, "daily": True}
    for run in ("first", "second"):
        start(world, {**request, "run": run})
        for enrolment in list(world.enrolments):
            world.close(enrolment)
    assert enrolled(world) == 1
    world.clock.advance(days=1)
    start(world, {**request, "run": "third"})
    assert enrolled(world) == 2


def test_a_request_for_a_journey_that_there_is_not_says_so() -> None:
    world = world_of("u-1")
    asked = event(REQUEST, world.clock(), "e-ask", contact={"user_id": "u-1"}, journey="win-bak")
    [decision] = world.route(asked).decisions
    assert (decision["journey"], decision["reason"]) == ("win-bak", "no_such_journey")


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({"contact": {"user_id": "u-1"}}, "journey: expected the name of a journey"),
        (
            {"journey": "win-bak", "contact": {"user_id": "u-1"}},
            "journey: expected the name of a journey, got 'win-bak'",
        ),
        ({"journey": JOURNEY}, "contact: expected exactly one of contact, contacts, segment, rule"),
        ({"journey": JOURNEY, "segment": "a", "rule": {"tag": "b"}}, "rule: expected exactly one of"),
        ({"journey": JOURNEY, "contacts": []}, "contacts: expected a list of 1 to 500 contacts"),
        ({"journey": JOURNEY, "contact": "u-1"}, "contact: should be an object"),
        ({"journey": JOURNEY, "contact": {"user_id": "u-1"}, "segmnt": "x"}, "segmnt: unknown field"),
        ({"journey": JOURNEY, "rule": {"tag": "b"}, "trial": "yes"}, "trial: expected true"),
        ({"journey": JOURNEY, "rule": {"tag": "b"}, "trial": True, "most": 5}, "most: a trial is for 100"),
        ({"journey": JOURNEY, "rule": {"tag": "b"}, "most": 0}, "most: expected a number"),
        ({"journey": JOURNEY, "contact": {"user_id": "u-1"}, "properties": []}, None),
        ({"journey": JOURNEY, "contact": {"user_id": "u-1"}, "properties": ["x"]}, "properties: expected a mapping"),
    ],
)
def test_what_is_wrong_is_named(request_: dict[str, Any], expected: str | None) -> None:
    world = world_of("u-1")
    if expected is None:
        assert start(world, request_)["requested"] == 1
        return
    with pytest.raises(InvalidInput) as refused:
        start(world, request_)
    assert str(refused.value).startswith(expected)


def test_an_unknown_contact_and_a_missing_property_are_refused() -> None:
    world = world_of("u-1", re_entry={"kind": "per", "seconds": None, "property": "order.id"})
    with pytest.raises(ContactNotFound, match="contact: no contact is known by this user_id"):
        start(world, {"journey": JOURNEY, "contact": {"user_id": "u-9"}, "properties": {"order": {"id": 1}}})
    with pytest.raises(InvalidInput, match=r"properties.order: is missing"):
        start(world, {"journey": JOURNEY, "contact": {"user_id": "u-1"}})
    start(world, {"journey": JOURNEY, "contact": {"user_id": "u-1"}, "properties": {"order": {"id": 1}}})
    assert enrolled(world) == 1


def test_nothing_starts_a_closed_journey() -> None:
    world = world_of("u-1", closed=True)
    with pytest.raises(InvalidInput, match="is closed"):
        start(world, {"journey": JOURNEY, "contact": {"user_id": "u-1"}})
