"""Declared tags: what is refused, how they end, and that the giver of one is on the record."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.effects import Crash
from tests.fakes.world import CONTACT, START, World, event, task_payload
from tests.segments.kept_rules import lifecycle, tag_system
from waypost.clock import parse_instant
from waypost.contacts.attributes import AttributeSystem
from waypost.contacts.profile import Contact, with_tags
from waypost.contacts.tag_system import TagSystem, ended_tags, tag_events, tags_at, with_expiries
from waypost.errors import InvalidInput
from waypost.events.envelope import Event
from waypost.segments.lifecycle import Lifecycle
from waypost.segments.subject import subject_of

NOW = parse_instant(START)
DAY = 86400
QUIET = {"not": {"event": "logged_in", "within": "30d"}}


@pytest.fixture
def system() -> TagSystem:
    return tag_system({"guest": 10 * DAY}, dormant_warning=QUIET, vip=None)


def contact(*tags: str, at: Any = NOW) -> Contact:
    """A contact with tags given at a time."""
    return with_tags(Contact(CONTACT, NOW), add=tags, at=at)


def emitted(world: World) -> list[tuple[str, Any, Any]]:
    """The tag events on the stream, in order."""
    return [
        (each.type, each.properties.get("tag"), each.properties.get("by"))
        for each in world.queue.events.values()
        if each.type.startswith("tag_")
    ]


def test_without_a_file_every_tag_is_allowed() -> None:
    TagSystem.from_dict({}).check_given(["whatever", "沉默预警"])


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("vpi", "unknown tag 'vpi'; did you mean 'vip'?"),
        ("DORMANT-WARNING", "unknown tag 'DORMANT-WARNING'; did you mean 'dormant-warning'?"),
        ("xyz", "unknown tag 'xyz'; declare it in statemachines/contacts/tags.yaml"),
        ("dormant-warning", "the tag 'dormant-warning' is given and taken by its rule alone"),
    ],
)
def test_what_nobody_may_give_is_refused_with_the_way_out(system: TagSystem, name: str, reason: str) -> None:
    with pytest.raises(InvalidInput, match="add_tags: ") as refused:
        system.check_given(["vip", name], where="add_tags")
    assert reason in refused.value.reason


def test_a_rule_may_name_a_tag_that_only_its_rule_gives(system: TagSystem) -> None:
    system.check(["vip", "dormant-warning"])
    with pytest.raises(InvalidInput):
        system.check(["vpi"])


def test_a_file_may_call_a_tag_by_its_name_in_any_language() -> None:
    declared = {"dimension": "basic", "description": "d", "owner": "o", "names": {"zh-CN": "重要客户"}}
    system = TagSystem.from_dict({"tags": {"vip": declared}})
    assert [system.meant_by(name) for name in ("vip", "重要客户", "普通客户")] == ["vip", "vip", "普通客户"]


def test_a_tag_ends_so_long_after_it_was_given_last(system: TagSystem) -> None:
    given = with_expiries(contact("guest", "vip"), system)
    assert given.tag_expiries == {"guest": NOW + timedelta(days=10)}
    again = with_expiries(with_tags(given, add=["guest"], at=NOW + timedelta(days=3)), system)
    assert again.tag_expiries == {"guest": NOW + timedelta(days=13)}
    assert with_expiries(with_tags(again, remove=["guest"], at=NOW + timedelta(days=4)), system).tag_expiries == {}
    assert with_expiries(again, system) is again


def test_an_ended_tag_counts_as_gone_from_that_instant_on(system: TagSystem) -> None:
    given = with_expiries(contact("guest", "vip"), system)
    end = NOW + timedelta(days=10)
    just_before = end - timedelta(milliseconds=1)
    assert (sorted(tags_at(given, just_before)), sorted(ended_tags(given, just_before))) == (["guest", "vip"], [])
    assert (sorted(tags_at(given, end)), sorted(ended_tags(given, end))) == (["vip"], ["guest"])
    assert subject_of(given, now=end).tags == {"vip"}
    assert "guest" not in subject_of(given, now=end).tagged_at


def test_the_same_change_is_emitted_under_the_same_id() -> None:
    def change(change_id: str) -> list[Event]:
        return tag_events(["a", "b"], ["b", "c"], contact_id=CONTACT, by="hand", at=NOW, change_id=change_id)

    first = change("e-1")
    assert [(each.type, each.properties["tag"], each.profile) for each in first] == [
        ("tag_added", "c", {"tags": ["c"]}),
        ("tag_removed", "a", {"remove_tags": ["a"]}),
    ]
    assert [each.id for each in first] == [each.id for each in change("e-1")]
    assert {each.id for each in first}.isdisjoint(each.id for each in change("e-2"))


def test_a_tag_that_came_with_a_webhook_is_emitted_once_and_only_when_it_is_new() -> None:
    world = World()
    world.have_contact(tags=frozenset({"vip"}))
    world.route(event("identified", world.clock(), profile={"tags": ["vip", "new"]}))
    world.route(event("identified", world.clock(), id="e-again", profile={"tags": ["vip", "new"]}))
    assert emitted(world) == [("tag_added", "new", "hand")]
    [tag_event] = [each for each in world.queue.events.values() if each.type == "tag_added"]
    assert tag_event.properties["source"] == "shop"
    assert tag_event.contact == {"contact_id": CONTACT}


def test_the_tags_of_a_new_contact_are_emitted_behind_the_event_that_makes_it() -> None:
    world = World()
    world.route(event("registered", world.clock(), profile={"tags": ["new"]}))
    [first] = [each for each in world.queue.events.values() if each.type == "tag_added"]
    assert first.group == event("registered", world.clock()).group
    world.route(first)
    assert world.contacts[CONTACT].tags == {"new"}


def test_tag_events_of_waypost_itself_are_not_emitted_again() -> None:
    world = World()
    world.have_contact()
    [added] = tag_events([], ["vip"], contact_id=CONTACT, by="journey", at=world.clock(), change_id="x")
    world.route(added)
    assert world.contacts[CONTACT].tags == {"vip"}
    assert emitted(world) == []


def test_a_crash_between_telling_and_storing_tells_once() -> None:
    world = World()
    world.have_contact()
    world.effects.crash_on, world.effects.mode = "contacts.save", "before"
    coming = event("identified", world.clock(), profile={"tags": ["vip"]})
    with pytest.raises(Crash):
        world.route_events.route(coming)
    world.route_events.route(coming)
    assert emitted(world) == [("tag_added", "vip", "hand")]
    assert world.contacts[CONTACT].tags == {"vip"}


# ── Update tasks ────────────────────────────────────────────────────────────────────────────────────────────────────────


def update(world: World, **payload: Any) -> dict[str, Any]:
    """Run an Update task of a journey the contact is in."""
    enrolment = next(iter(world.enrolments), None) or world.have_enrolment(correlation_id="r-1")
    return world.update_contact.update(task_payload(enrolment, "Remember", **payload))


@pytest.fixture
def world(system: TagSystem) -> World:
    world = World(tags=system, lifecycle=stages())
    world.have_contact(tags=frozenset({"guest"}), groups=frozenset({"autumn"}), lifecycle="lead")
    return world


def stages() -> Lifecycle:
    """A customer becomes one by its rule; sales says who is qualified."""
    return lifecycle(("customer", ["lead", "qualified"], {"event": "order_placed"}), ("qualified", ["lead"], None))


def test_a_step_tells_what_it_changed_as_a_whole_and_piece_by_piece(world: World) -> None:
    changed = {"add_tags": ["vip"], "set": {"city": "Wuhan"}, "join_groups": ["spring"], "leave_groups": ["autumn"]}
    assert update(world, **changed) == {"changed": True}
    now = world.contacts[CONTACT]
    assert (sorted(now.tags), sorted(now.groups), now.attributes["city"]) == (["guest", "vip"], ["spring"], "Wuhan")
    events = {each.type: each for each in world.queue.events.values()}
    assert set(events) == {"contact_updated", "tag_added", "group_joined", "group_left"}
    assert events["contact_updated"].profile == {
        "city": "Wuhan",
        "tags": ["vip"],
        "groups": ["spring"],
        "leave_groups": ["autumn"],
    }
    journey = next(iter(world.enrolments)).journey
    assert events["tag_added"].properties == {"tag": "vip", "by": "journey", "journey": journey, "step": "Remember"}
    assert {each.correlation_id for each in events.values()} == {"r-1"}


def test_a_repeated_step_tells_nothing_new(world: World) -> None:
    update(world, add_tags=["vip"], earn_points=50)
    known = dict(world.queue.events)
    world.clock.advance(minutes=2)
    assert update(world, add_tags=["vip"], earn_points=50) == {"changed": False}
    assert world.queue.events == known


def test_the_rounds_of_a_loop_are_different_steps(world: World) -> None:
    update(world, earn_points=50, occurrence=1)
    update(world, earn_points=50, occurrence=2)
    for each in list(world.queue.events.values()):
        world.route(each)
        world.route(each)
    assert world.contacts[CONTACT].points == 100


def test_the_events_of_a_step_change_nothing_when_they_are_routed(world: World) -> None:
    world.tags = tag_system(vip=None)
    update(world, add_tags=["vip"], set={"city": "Wuhan"}, join_groups=["spring"], lifecycle="qualified")
    stored = world.contacts[CONTACT]
    for each in list(world.queue.events.values()):
        world.route(each)
    now = world.contacts[CONTACT]
    assert now == replace(stored, version=now.version, seen=now.seen, kept=now.kept)
    assert {each.type for each in world.history.since(CONTACT, NOW)} >= {"contact_updated", "tag_added"}


def test_a_step_puts_a_contact_into_a_stage_that_has_no_rule(world: World) -> None:
    assert update(world, lifecycle="qualified") == {"changed": True}
    assert world.contacts[CONTACT].lifecycle == "qualified"
    [moved] = world.queue.events.values()
    assert (moved.type, moved.properties["from"], moved.properties["to"]) == ("lifecycle_changed", "lead", "qualified")


@pytest.mark.parametrize(
    ("payload", "field", "reason"),
    [
        ({"add_tags": ["vpi"]}, "add_tags", "did you mean 'vip'"),
        ({"remove_tags": ["dormant-warning"]}, "remove_tags", "by its rule alone"),
        ({"lifecycle": "customer"}, "lifecycle", "is entered by its rule alone"),
        ({"lifecycle": "qualifeid"}, "lifecycle", "unknown stage 'qualifeid'; expected one of customer, qualified"),
        ({"earn_points": 1.5}, "earn_points", "should be a whole number"),
        ({"spend_points": -3}, "spend_points", "should be a whole number"),
        ({"set": {"birthday": "soon"}}, "set.birthday", "should be a date"),
    ],
)
def test_what_is_not_declared_changes_nothing(world: World, payload: dict[str, Any], field: str, reason: str) -> None:
    world.attributes = AttributeSystem.from_dict({"attributes": {"birthday": {"type": "date"}}})
    stored = world.contacts[CONTACT]
    with pytest.raises(InvalidInput) as refused:
        update(world, **payload)
    assert refused.value.field == field
    assert reason in refused.value.reason
    assert (world.contacts[CONTACT], len(world.queue.events)) == (stored, 0)


def test_a_declared_attribute_is_stored_in_its_one_spelling(world: World) -> None:
    world.attributes = AttributeSystem.from_dict({"attributes": {"birthday": {"type": "date"}}})
    update(world, set={"birthday": "1990/1/5"})
    assert world.contacts[CONTACT].attributes["birthday"] == "1990-01-05"


def test_a_stage_that_does_not_follow_is_refused(world: World) -> None:
    world.route(event("order_placed", world.clock()))
    assert world.contacts[CONTACT].lifecycle == "customer"
    with pytest.raises(InvalidInput, match="does not follow 'customer'"):
        update(world, lifecycle="qualified")


# ── the life cycle ──────────────────────────────────────────────────────────────────────────────────────────────────────


def next_stage(declared: Lifecycle, current: str, *tags: str) -> str:
    """The stage after the one a contact with these tags is in."""
    return declared.next(subject_of(replace(contact(*tags), lifecycle=current), now=NOW))


@pytest.mark.parametrize(
    ("current", "tags", "expected"),
    [
        ("", [], "lead"),
        ("", ["gone"], "lost"),  # the first of the order that holds
        ("lead", ["bought"], "customer"),
        ("lead", ["gone"], "lead"),  # nobody is lost who never was a customer
        ("customer", ["gone"], "lost"),
        ("customer", [], "customer"),  # no rule holds: it stays
        ("lost", ["bought"], "customer"),
        ("partner", ["bought"], "partner"),  # given by hand, and above customer in the order
        ("partner", ["gone"], "lost"),
        ("a stage of last year", ["bought"], "customer"),
    ],
)
def test_a_contact_goes_on_as_the_declared_order_and_ways_say(current: str, tags: list[str], expected: str) -> None:
    declared = lifecycle(
        ("lost", ["customer", "partner"], {"tag": "gone"}),
        ("partner", ["customer"], None),
        ("customer", ["lead", "lost", "partner"], {"tag": "bought"}),
        ("lead", [], {"not": {"tag": "bought"}}),
    )
    assert next_stage(declared, current, *tags) == expected


def test_what_the_stages_read_is_what_any_of_their_rules_reads() -> None:
    reads = stages().reads
    assert (sorted(reads.events), reads.history) == (["order_placed"], True)
