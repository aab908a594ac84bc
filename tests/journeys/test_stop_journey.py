"""An operator ends one contact's journey: nothing goes on, and the timeline says who wanted it and why."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.fakes.effects import CRASH_MODES, Crash, CrashMode
from tests.fakes.published_journeys import JOURNEY
from tests.fakes.world import CONTACT, World
from waypost.errors import ContactNotFound, HopSuperseded, InvalidInput, TemporarilyUnavailable
from waypost.journeys.enrolment import Enrolment
from waypost.reports.timeline import timeline

REASON = "asked the hotline"
REQUEST: dict[str, Any] = {
    "action": "stop",
    "contact": {"contact_id": CONTACT},
    "journey": JOURNEY,
    "by": "lin.chen",
    "reason": REASON,
}


@dataclass
class Rows:
    """What is kept of the contacts of a world, as far as this timeline reads it."""

    world: World

    def everything(self, contact_id: str) -> Iterator[dict[str, Any]]:
        """See ContactItems."""
        yield self.world.contacts[contact_id].to_dict() | {"sk": "profile"}
        for enrolment in self.world.enrolments:
            yield enrolment.to_dict() | {"sk": f"enrolment#past#{enrolment.enrolment_id}"}


@pytest.fixture
def world() -> World:
    world = World()
    world.have_contact()
    return world


@pytest.fixture
def enrolment(world: World) -> Enrolment:
    return world.have_enrolment()


def test_a_parked_contact_goes_no_further(world: World, enrolment: Enrolment) -> None:
    world.park(enrolment, {"for": "2d"}, "Two days later")
    answer = world.stop_journey.act(REQUEST)

    [shown] = answer["journeys"]
    assert (shown["at"], shown["status"], shown["outcome"]) == ("Two days later", "ended", "stopped")
    while len(world.schedules):
        world.fire_next()
    assert len(world.machines) == 0
    (ended,) = (each for each in world.queue.events.values() if each.type == "journey_ended")
    assert (ended.properties["outcome"], ended.properties["reason"]) == ("stopped", REASON)


def test_a_hop_that_walks_is_refused_at_its_next_task(world: World, enrolment: Enrolment) -> None:
    walking = world.walking(enrolment)
    world.stop_journey.act(REQUEST)
    with pytest.raises(HopSuperseded):
        world.send(walking, "welcome")
    assert world.email.calls.total() == 0


def test_a_deferred_message_is_called_off(world: World, enrolment: Enrolment) -> None:
    world.clock.set("2027-03-01T23:30:00+08:00")
    deferred = world.send(enrolment, "welcome")
    assert deferred.outcome == "deferred"
    world.stop_journey.act(REQUEST)
    assert world.ledger[deferred.message_key].state == "skipped"
    while len(world.schedules):
        world.fire_next()
    assert world.email.calls.total() == 0


def test_a_look_changes_nothing(world: World, enrolment: Enrolment) -> None:
    world.park(enrolment, {"for": "2d"}, "Two days later")
    before = world.stored(enrolment)
    answer = world.stop_journey.act({"action": "preview", "contact": {"contact_id": CONTACT}})
    assert [(each["journey"], each["at"], each["status"]) for each in answer["journeys"]] == [
        (JOURNEY, "Two days later", "active")
    ]
    assert world.stored(enrolment) == before


def test_the_same_request_again_changes_nothing(world: World, enrolment: Enrolment) -> None:
    world.park(enrolment, {"for": "2d"})
    assert world.stop_journey.act(REQUEST) == world.stop_journey.act(REQUEST)
    assert sum(each.type == "journey_ended" for each in world.queue.events.values()) == 1


@pytest.mark.parametrize("mode", CRASH_MODES)
def test_a_stop_that_crashed_anywhere_is_made_good_by_the_same_request(mode: CrashMode) -> None:
    writes = 0
    while True:
        world = World()
        world.have_contact()
        enrolment = world.have_enrolment()
        world.clock.set("2027-03-01T23:30:00+08:00")
        deferred = world.send(enrolment, "welcome")
        world.effects.crash_at, world.effects.mode = len(world.effects.log) + writes, mode
        try:
            world.stop_journey.act(REQUEST)
        except (Crash, TemporarilyUnavailable):
            world.stop_journey.act(REQUEST)
        if not world.effects.crashed:
            break
        assert world.stored(enrolment).outcome == "stopped"
        assert world.ledger[deferred.message_key].state == "skipped"
        writes += 1
    assert writes > 2


def test_the_timeline_says_who_stopped_the_journey_and_why(world: World, enrolment: Enrolment) -> None:
    world.park(enrolment, {"for": "2d"})
    world.stop_journey.act(REQUEST)
    [end] = [each for each in timeline(CONTACT, Rows(world), default_zone=world.default_zone) if each.kind == "end"]
    assert end.title == "journey ended: stopped"
    assert "lin.chen" in end.detail
    assert REASON in end.detail


def test_another_journey_goes_on(world: World, enrolment: Enrolment) -> None:
    other = world.have_enrolment(journey="win-back")
    world.stop_journey.act(REQUEST)
    assert world.stored(other).status == "active"
    assert world.stored(enrolment).status == "ended"


def test_a_journey_that_began_under_an_absorbed_contact_is_found(world: World) -> None:
    world.have_contact("c-other", identities={})
    enrolment = world.have_enrolment("c-other")
    world.merge_contacts.act({"action": "merge", "contacts": [{"contact_id": CONTACT}, {"contact_id": "c-other"}]})
    world.stop_journey.act(REQUEST)
    assert world.stored(enrolment).outcome == "stopped"


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ({"action": "end"}, "action", "preview, stop"),
        ({"contact": {}}, "contact", "an object with one of"),
        ({"journey": "win-back"}, "journey", f"it is in {JOURNEY}"),
        ({"journey": ""}, "journey", "is missing"),
        ({"by": " "}, "by", "is missing"),
        ({"reason": ""}, "reason", "is missing"),
        ({"reason": "x" * 501}, "reason", "at most 500"),
    ],
)
def test_a_wrong_request_is_refused_with_its_field(
    world: World, enrolment: Enrolment, change: dict[str, Any], field: str, says: str
) -> None:
    with pytest.raises(InvalidInput, match=says) as refused:
        world.stop_journey.act(REQUEST | change)
    assert refused.value.field == field
    assert world.stored(enrolment).status == "active"


def test_a_contact_that_is_not_known_is_refused(world: World) -> None:
    with pytest.raises(ContactNotFound):
        world.stop_journey.act(REQUEST | {"contact": {"user_id": "u-unknown"}})
