"""The smaller tasks of a journey: change the contact, ask about a segment; and what every task's payload says."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.effects import CRASH_MODES, Crash, CrashMode
from tests.fakes.world import CONTACT, START, World, event, task_payload
from tests.segments.kept_rules import saved
from waypost.clock import parse_instant
from waypost.errors import ConcurrentUpdate, ContactNotFound, EnrolmentNotFound, InvalidInput, RetryableError
from waypost.events.listening import Listening
from waypost.journeys.enrolment import Enrolment
from waypost.sending.occasion import JourneyStep


@pytest.fixture
def world() -> World:
    world = World()
    world.have_contact(tags=frozenset({"new"}))
    return world


@pytest.fixture
def enrolment(world: World) -> Enrolment:
    return world.have_enrolment(correlation_id="r-1")


def update(world: World, enrolment: Enrolment, **payload: Any) -> bool:
    answer = world.update_contact.update(task_payload(enrolment, "Remember", **payload))
    assert set(answer) == {"changed"}
    return bool(answer["changed"])


def member(world: World, enrolment: Enrolment, rule: dict[str, Any]) -> bool:
    return bool(world.evaluate_segment.evaluate(task_payload(enrolment, "Split", rule=rule))["member"])


def test_a_journey_tags_its_contact_and_sets_attributes(world: World, enrolment: Enrolment) -> None:
    changed = {"add_tags": ["vip"], "remove_tags": ["new"], "set": {"interest": "beauty", "name": None}}
    assert update(world, enrolment, **changed)
    contact = world.contacts[CONTACT]
    assert contact.tags == {"vip"}
    assert contact.attributes["interest"] == "beauty"
    assert "name" not in contact.attributes


def test_the_same_change_again_changes_nothing(world: World, enrolment: Enrolment) -> None:
    assert update(world, enrolment, add_tags=["vip"])
    version = world.contacts[CONTACT].version
    world.clock.advance(hours=1)
    assert not update(world, enrolment, add_tags=["vip"])
    assert world.contacts[CONTACT].version == version


def test_a_late_event_does_not_undo_what_a_journey_wrote(world: World, enrolment: Enrolment) -> None:
    update(world, enrolment, set={"interest": "beauty"}, remove_tags=["new"])
    world.route(event("identified", world.clock() - timedelta(hours=1), profile={"interest": "sport", "tags": ["new"]}))
    assert world.contacts[CONTACT].attributes["interest"] == "beauty"
    assert world.contacts[CONTACT].tags == frozenset()


def test_a_change_that_comes_second_is_made_on_what_the_first_wrote(world: World, enrolment: Enrolment) -> None:
    world.contacts.before_save = lambda: world.route(event("identified", world.clock(), profile={"city": "Wuhan"}))
    assert update(world, enrolment, add_tags=["vip"])
    contact = world.contacts[CONTACT]
    assert (contact.attributes["city"], "vip" in contact.tags) == ("Wuhan", True)


def test_a_contact_that_others_change_all_the_time_is_left_for_a_retry(world: World, enrolment: Enrolment) -> None:
    def change() -> None:
        world.contacts.put(world.contacts[CONTACT])
        world.contacts.before_save = change

    world.contacts.before_save = change
    with pytest.raises(ConcurrentUpdate):
        update(world, enrolment, add_tags=["vip"])


def test_nobody_cannot_be_changed(world: World, enrolment: Enrolment) -> None:
    with pytest.raises(ContactNotFound):
        update(world, world.have_enrolment("c-nobody"), add_tags=["vip"])
    with pytest.raises(EnrolmentNotFound):
        update(world, replace(enrolment, enrolment_id="n-unknown"), add_tags=["vip"])


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"tag": "new"}, True),
        ({"tag": "vip"}, False),
        ({"attribute": "locale", "equals": "en"}, True),
        ({"property": "coupon", "equals": "GLOW15"}, True),
        ({"consent": "email", "topic": "nurture"}, True),
        ({"event": "survey_answered", "where": {"interest": "beauty"}, "within": "3h"}, True),
        ({"event": "survey_answered", "where": {"interest": "sport"}}, False),
        ({"not": {"event": "order_placed"}}, True),
    ],
)
def test_a_branch_asks_about_the_contact_its_past_and_what_started_the_journey(
    world: World, enrolment: Enrolment, rule: dict[str, Any], expected: bool
) -> None:
    world.route(event("survey_answered", world.clock() - timedelta(hours=2), interest="beauty"))
    assert member(world, enrolment, rule) is expected


def test_a_branch_may_name_a_saved_segment_and_evaluates_it_again(world: World, enrolment: Enrolment) -> None:
    world.segments = saved(newcomers={"tag": "new"}, important={"segment": "vip", "within": "7d"}, vip={"tag": "vip"})
    payload = task_payload(enrolment, "Important?", segment="newcomers")
    assert world.evaluate_segment.evaluate(payload) == {"member": True}
    assert not world.contacts[CONTACT].segments, "what the profile has noted does not count"
    assert member(world, enrolment, {"not": {"segment": "vip"}}), "an expression may have put a segment into a rule"


@pytest.mark.parametrize("asked", [{"segment": "newcomer"}, {"rule": {"segment": "newcomer"}}])
def test_an_unknown_segment_is_refused_with_the_names_there_are(
    world: World, enrolment: Enrolment, asked: dict[str, Any]
) -> None:
    world.segments = saved(newcomers={"tag": "new"})
    with pytest.raises(InvalidInput, match=r"unknown segment 'newcomer'; .*newcomers"):
        world.evaluate_segment.evaluate(task_payload(enrolment, "Important?", **asked))


def test_a_branch_says_why_when_it_is_asked(world: World, enrolment: Enrolment) -> None:
    world.route(event("survey_answered", world.clock() - timedelta(hours=2), interest="beauty"))
    rule = {"all": [{"tag": "new"}, {"event": "survey_answered", "exactly": 0}]}
    answer = world.evaluate_segment.evaluate(task_payload(enrolment, "Silent?", rule=rule, explain=True))
    assert answer["member"] is False
    tag, survey = answer["explanation"]["children"]
    assert (tag["holds"], survey["holds"]) == (True, False)
    assert survey["values"]


def test_a_question_about_nobody_is_an_error(world: World, enrolment: Enrolment) -> None:
    with pytest.raises(ContactNotFound):
        member(world, replace(enrolment, contact_id="c-nobody"), {"tag": "new"})
    with pytest.raises(EnrolmentNotFound):
        member(world, replace(enrolment, enrolment_id="n-nothing"), {"tag": "new"})


def test_a_step_is_read_off_the_context(enrolment: Enrolment) -> None:
    step = JourneyStep.from_payload(task_payload(enrolment, "Day 3, survey", occurrence=2))
    assert step == JourneyStep(
        contact_id=CONTACT,
        enrolment_id=enrolment.enrolment_id,
        journey=enrolment.journey,
        state="Day 3, survey",
        occurrence=2,
        correlation_id="r-1",
    )
    assert JourneyStep.from_payload(task_payload(enrolment, "Day 3, survey")).occurrence == 1


def test_an_enrolment_survives_storage(world: World) -> None:
    full = world.have_enrolment(
        status="leaving", outcome="goal", anchor_at=world.clock(), exclusive_group="g", correlation_id="r-1"
    )
    full = replace(full, left_on=full.trigger)
    assert Enrolment.from_dict(full.to_dict()) == full
    assert full.execution_input()["enrolled_at"] == START


def test_what_a_full_contact_cannot_take_from_a_journey_is_answered_and_noted(
    world: World, enrolment: Enrolment
) -> None:
    full = {f"a{number}": "x" * 30_000 for number in range(8)}
    world.contacts.put(replace(world.contacts[CONTACT], attributes=full))
    payload = task_payload(enrolment, "Remember", add_tags=["vip"], set={"long": "y" * 20_000})
    assert world.update_contact.update(payload) == {"changed": True, "left_out": ["attributes.long"]}
    assert "vip" in world.contacts[CONTACT].tags
    alone = task_payload(enrolment, "Remember more", set={"longer": "y" * 20_000})
    assert world.update_contact.update(alone) == {"changed": False, "left_out": ["attributes.longer"]}
    noted = [world.route(each).left_out for each in list(world.queue.events.values()) if each.type == "contact_updated"]
    assert noted == [("attributes.long",), ("attributes.longer",)]


QUIET = Listening(quiet=frozenset({"contact_updated", "tag_added", "tag_removed"}), watched=frozenset({"tag:watched"}))


def quiet_world(listening: Listening = QUIET) -> tuple[World, Enrolment]:
    world = World(listening=listening)
    world.have_contact(tags=frozenset({"new"}))
    return world, world.have_enrolment(correlation_id="r-1")


def queued(world: World) -> list[str]:
    return [each.type for each in world.queue.events.values()]


def test_a_tag_that_nothing_reads_is_stored_with_the_profile_and_differs_in_nothing_else() -> None:
    world, enrolment = quiet_world()
    other, same = quiet_world(Listening())
    for each, row in ((world, enrolment), (other, same)):
        assert update(each, row, add_tags=["vip"], remove_tags=["new"])
    assert queued(world) == []
    for waiting in list(other.queue.events.values()):
        other.route(waiting)
    stored, expected = (
        [
            (each.id, each.type, each.occurred_at, each.properties)
            for each in world.history.since(CONTACT, parse_instant(START))
        ]
        for world in (world, other)
    )
    assert sorted(kind for _, kind, *_ in stored) == ["contact_updated", "tag_added", "tag_removed"]
    assert stored == expected
    one, two = (each.contacts[CONTACT].to_dict() | {"version": 0} for each in (world, other))
    assert one == two


@pytest.mark.parametrize(
    ("payload", "announced"),
    [
        ({"add_tags": ["watched"]}, ["contact_updated"]),
        ({"remove_tags": ["new"], "add_tags": ["watched"]}, ["contact_updated"]),
        ({"add_tags": ["vip"], "set": {"interest": "beauty"}}, ["contact_updated"]),
        ({"join_groups": ["acme"]}, ["group_joined"]),
        ({"add_tags": ["vip"], "earn_points": 5}, ["points_earned"]),
    ],
)
def test_what_a_rule_or_a_pause_may_look_at_is_routed(payload: dict[str, Any], announced: list[str]) -> None:
    world, enrolment = quiet_world()
    assert update(world, enrolment, **payload)
    assert queued(world) == announced


@pytest.mark.parametrize(
    ("listening", "announced"),
    [
        (Listening(), ["contact_updated", "tag_added"]),
        (Listening(quiet=frozenset({"tag_added"}), watched=frozenset()), ["contact_updated"]),
        (Listening(quiet=frozenset({"contact_updated"}), watched=frozenset()), ["tag_added"]),
        (Listening(quiet=frozenset({"contact_updated", "tag_added"})), ["contact_updated"]),
        (
            Listening(quiet=frozenset({"contact_updated", "tag_added"}), watched=frozenset({"tag:*"})),
            ["contact_updated"],
        ),
    ],
)
def test_what_somebody_reads_is_routed(listening: Listening, announced: list[str]) -> None:
    world, enrolment = quiet_world(listening)
    assert update(world, enrolment, add_tags=["vip"])
    assert queued(world) == announced


@pytest.mark.parametrize("mode", CRASH_MODES)
@pytest.mark.parametrize("index", range(3))
def test_a_crash_between_the_stored_events_and_the_profile_repeats_both(index: int, mode: CrashMode) -> None:
    world, enrolment = quiet_world()
    world.effects.crash_at, world.effects.mode = len(world.effects.log) + index, mode
    payload = task_payload(enrolment, "Remember", add_tags=["vip"])
    try:
        world.update_contact.update(payload)
    except (Crash, RetryableError):
        world.update_contact.update(payload)
    assert world.effects.crashed
    assert world.contacts[CONTACT].tags == {"new", "vip"}
    assert [each.type for each in world.history.since(CONTACT, parse_instant(START))] == [
        "contact_updated",
        "tag_added",
    ]
    assert queued(world) == []
