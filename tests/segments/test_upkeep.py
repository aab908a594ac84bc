"""Segments, rule tags and the life cycle follow what happens to a contact, and say so once."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.world import CONTACT, START, World, event
from tests.segments.kept_rules import lifecycle, saved, tag_system
from waypost.clock import parse_instant
from waypost.errors import ConcurrentUpdate, ContactNotFound, InvalidInput
from waypost.events.envelope import Event

NOON = parse_instant(START)
VIP = {"attribute": "level", "at_least": 3}
BOUGHT = {"event": "order_placed"}
ACTIVE = {"event": "page_viewed", "within": "30d"}


def happens(world: World, kind: str, *, minutes: float = 0, **given: Any) -> None:
    """An event is routed, and everything that Waypost concludes from it."""
    world.clock.advance(minutes=minutes)
    world.route(event(kind, world.clock(), **given))
    settle(world)


def settle(world: World) -> None:
    """Route what was queued until nothing is left."""
    while waiting := [each for each in world.queue.events.values() if each.id not in world.history]:
        world.route(waiting[0])


def emitted(world: World) -> list[tuple[str, ...]]:
    """What Waypost concluded, in order: (type, what it is about, because)."""
    return [
        (each.type, *(str(value) for name, value in each.properties.items() if name != "by"))
        for each in world.queue.events.values()
        if each.source == "waypost"
    ]


def test_a_profile_change_enters_a_segment_and_the_next_one_leaves_it() -> None:
    world = World(segments=saved(vip_members=VIP))
    happens(world, "identified", profile={"level": 3})
    assert world.contacts[CONTACT].segments == {"vip-members": NOON}
    happens(world, "identified", minutes=5, profile={"level": 2})
    assert world.contacts[CONTACT].segments == {}
    assert emitted(world) == [
        ("segment_entered", "vip-members", "identified"),
        ("segment_left", "vip-members", "identified"),
    ]


def test_the_events_reach_history_and_bus_like_any_other() -> None:
    world = World(segments=saved(vip_members=VIP))
    happens(world, "identified", profile={"level": 3})
    assert {each.type for each in world.history.since(CONTACT, NOON)} == {"identified", "segment_entered"}
    assert [each.type for _, each in world.bus.published] == ["identified", "segment_entered"]
    (entered,) = world.queue.events.values()
    assert (entered.contact, entered.source, entered.correlation_id) == ({"contact_id": CONTACT}, "waypost", "r-1")


def test_a_contact_that_goes_in_and_out_in_one_instant_has_an_event_for_each() -> None:
    """The clock of a rehearsal stands still; two changes of one rule must not look like one repeated."""
    world = World(segments=saved(vip_members=VIP))
    for number, level in enumerate([3, 1, 3, 1]):
        happens(world, "identified", id=f"e-{number}", profile={"level": level})
    assert [kind for kind, *_ in emitted(world)] == ["segment_entered", "segment_left"] * 2


def test_behaviour_and_late_events_count() -> None:
    world = World(segments=saved(customers=BOUGHT, not_yet={"not": BOUGHT}))
    happens(world, "registered")
    assert set(world.contacts[CONTACT].segments) == {"not-yet"}
    world.route(event("order_placed", NOON - timedelta(days=3), "e-late"))
    assert set(world.contacts[CONTACT].segments) == {"customers"}


def test_a_new_contact_is_asked_everything_even_by_an_event_no_rule_names() -> None:
    world = World(segments=saved(silent={"not": ACTIVE}, bought=BOUGHT))
    happens(world, "registered")
    assert set(world.contacts[CONTACT].segments) == {"silent"}
    assert emitted(world) == [("segment_entered", "silent", "registered")]


def test_rules_that_are_new_reach_a_contact_with_its_next_event_and_say_that_it_is_the_rules() -> None:
    world = World(segments=saved(vip_members=VIP))
    happens(world, "identified", profile={"level": 3})
    world.segments = saved(vip_members=VIP, buyers={"not": BOUGHT}, level_three={"attribute": "level", "equals": 3})
    del world.index
    happens(world, "page_viewed", minutes=5)
    assert set(world.contacts[CONTACT].segments) == {"vip-members", "buyers", "level-three"}
    assert sorted(emitted(world)[1:]) == [
        ("segment_entered", "buyers", "new_rules"),
        ("segment_entered", "level-three", "new_rules"),
    ]


def test_a_segment_that_is_no_longer_declared_is_left() -> None:
    world = World(segments=saved(vip_members=VIP))
    happens(world, "identified", profile={"level": 3})
    world.segments = {}
    del world.index
    happens(world, "page_viewed", minutes=5)
    assert world.contacts[CONTACT].segments == {}
    assert emitted(world)[-1] == ("segment_left", "vip-members", "new_rules")
    writes = len(world.effects.log)
    happens(world, "page_viewed", minutes=5, id="e-next")
    assert world.effects.log[writes:].count("contacts.save") == 0


def test_without_maintained_rules_nothing_is_read_or_written() -> None:
    new = ["contacts.claim", "contacts.save"]
    plain, log = World(), [*new, "history.record", "bus.publish", "history.mark_routed"]
    happens(plain, "identified", profile={"level": 3})
    assert plain.effects.log == log
    assert plain.contacts[CONTACT].kept == ""


def test_an_event_that_no_rule_mentions_costs_nothing_more() -> None:
    world = World(segments=saved(vip_members=VIP, customers=BOUGHT), tags=tag_system(silent={"not": ACTIVE}))
    happens(world, "identified")  # starts no journey: the row of a running hop would be touched
    writes = len(world.effects.log)
    happens(world, "survey_answered", minutes=1)
    assert world.effects.log[writes:] == ["contacts.save", "history.record", "bus.publish", "history.mark_routed"]


def test_the_history_is_read_once_and_only_if_the_profile_cannot_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    often = {"event": "page_viewed", "at_least": 3}
    world = World(segments=saved(vip_members=VIP, readers=often, fans={**often, "at_least": 5}))
    reads: list[tuple[str, ...]] = []
    since = world.history.since

    def counted(contact_id: str, instant: Any, *, types: Any = ()) -> Any:
        reads.append(tuple(types))
        return since(contact_id, instant, types=types)

    monkeypatch.setattr(world.history, "since", counted)
    happens(world, "identified", profile={"level": 3})
    assert reads == [], "nobody has seen a page yet, as the profile knows"
    for number in range(5):
        happens(world, "page_viewed", minutes=1, id=f"e-{number}")
    assert set(reads) == {("page_viewed",)}
    assert len(reads) <= 5 + 2, "both rules are asked with one reading for each page, and each entry is looked at again"
    assert set(world.contacts[CONTACT].segments) == {"vip-members", "readers", "fans"}


def test_what_builds_on_something_follows_in_the_same_pass() -> None:
    """Segment → tag → stage → segment: one write, whatever the order in which they are declared."""
    world = World(
        segments=saved(a_loyal={"lifecycle": "mature"}, buyers={"event": "order_placed", "at_least": 2}),
        tags=tag_system(repeat_buyer={"segment": "buyers", "within": "30d"}),
        lifecycle=lifecycle(
            ("mature", ["new"], {"tag": "repeat-buyer"}), ("new", [], {"not": {"tag": "repeat-buyer"}})
        ),
    )
    happens(world, "order_placed", id="e-1")
    assert (world.contacts[CONTACT].lifecycle, world.contacts[CONTACT].tags) == ("new", frozenset())
    writes = len(world.effects.log)
    world.route(event("order_placed", NOON, "e-2"))
    assert world.effects.log[writes:].count("contacts.save") == 1
    assert world.effects.log[writes:].count("queue.send") == 1
    contact = world.contacts[CONTACT]
    assert (contact.lifecycle, set(contact.tags), set(contact.segments)) == (
        "mature",
        {"repeat-buyer"},
        {"buyers", "a-loyal"},
    )
    assert [kind for kind, *_ in emitted(world)] == [
        "lifecycle_changed", "segment_entered", "tag_added", "lifecycle_changed", "segment_entered",
    ]  # fmt: skip
    settled = len(emitted(world))
    settle(world)
    assert len(emitted(world)) == settled, "what is concluded leads to no further conclusion"


def test_stages_follow_each_other_one_event_each() -> None:
    stages = lifecycle(
        ("mature", ["active"], {"attribute": "orders", "at_least": 3}),
        ("active", ["lead"], {"attribute": "orders", "at_least": 1}),
        ("lead", [], {"attribute": "orders", "exists": False}),
    )
    world = World(lifecycle=stages)
    happens(world, "registered")
    happens(world, "identified", minutes=1, profile={"orders": 3})
    assert emitted(world) == [
        ("lifecycle_changed", "", "lead", "registered"),
        ("lifecycle_changed", "lead", "active", "identified"),
        ("lifecycle_changed", "active", "mature", "identified"),
    ]


def test_stages_that_send_a_contact_round_in_a_circle_come_to_rest() -> None:
    world = World(lifecycle=lifecycle(("a", ["b"], {"lifecycle": "b"}), ("b", ["a"], {"not": {"lifecycle": "b"}})))
    happens(world, "registered")
    settle(world)
    assert len(emitted(world)) <= 2


def test_that_a_segment_is_left_is_no_sign_of_life() -> None:
    """Else a rule over any event would make itself true again."""
    world = World(segments=saved(alive={"event": "*", "within": "30d"}))
    happens(world, "page_viewed")
    assert set(world.contacts[CONTACT].segments) == {"alive"}
    world.clock.advance(days=31)
    world.upkeep.keep_all(world.contacts[CONTACT])
    settle(world)
    assert world.contacts[CONTACT].segments == {}
    assert [kind for kind, *_ in emitted(world)] == ["segment_entered", "segment_left"]


def test_time_alone_changes_nothing_until_the_refresh_comes() -> None:
    world = World(segments=saved(active=ACTIVE), tags=tag_system(silent={"not": ACTIVE}))
    happens(world, "page_viewed")
    world.clock.advance(days=31)
    assert set(world.contacts[CONTACT].segments) == {"active"}
    kept = world.upkeep.keep_all(world.contacts[CONTACT])
    settle(world)
    assert (set(kept.segments), set(kept.tags)) == (set(), {"silent"})
    assert world.contacts[CONTACT] == replace(
        kept, seen=world.contacts[CONTACT].seen, version=world.contacts[CONTACT].version
    )
    assert emitted(world)[-2:] == [("segment_left", "active", "refresh"), ("tag_added", "silent", "refresh")]
    writes = len(world.effects.log)
    world.upkeep.keep_all(world.contacts[CONTACT])
    assert len(world.effects.log) == writes, "the next night finds everything as it should be"


def test_the_refresh_decides_on_the_stored_contact_not_on_the_old_one_of_a_scan() -> None:
    world = World(segments=saved(vip_members=VIP))
    happens(world, "identified", profile={"level": 1})
    scanned = world.contacts[CONTACT]
    happens(world, "identified", minutes=1, profile={"level": 3})
    before = emitted(world)
    world.upkeep.keep_all(replace(scanned, attributes={"level": 1}, segments={"vip-members": NOON}))
    assert emitted(world) == before
    assert set(world.contacts[CONTACT].segments) == {"vip-members"}


def test_a_segment_without_refresh_is_not_worth_reading_a_history_at_night() -> None:
    twice = {"event": "page_viewed", "at_least": 2, "within": "30d"}
    world = World(segments=saved("off", active=twice))
    happens(world, "page_viewed", id="e-1")
    happens(world, "page_viewed", minutes=1, id="e-2")
    world.clock.advance(days=20)
    happens(world, "page_viewed", id="e-3")
    world.clock.advance(days=15)
    assert set(world.upkeep.keep_all(world.contacts[CONTACT]).segments) == {"active"}
    happens(world, "page_viewed", id="e-4")
    assert set(world.contacts[CONTACT].segments) == {"active"}
    world.clock.advance(days=28)
    assert set(world.upkeep.keep_all(world.contacts[CONTACT], refresh=["off"]).segments) == set()


def test_the_refresh_follows_metrics_that_were_computed_before_it() -> None:
    world = World(segments=saved(engaged={"metric": "activity", "at_least": 50}))
    happens(world, "registered")
    measured = world.contacts.put(replace(world.contacts[CONTACT], metrics={"activity": 70}))
    assert set(world.upkeep.keep_all(measured).segments) == {"engaged"}
    assert emitted(world) == [("segment_entered", "engaged", "refresh")]


def test_a_tag_ends_when_its_time_is_over_and_what_builds_on_it_follows() -> None:
    world = World(tags=tag_system({"just-asked": 86_400}), segments=saved(asked={"tag": "just-asked"}))
    happens(world, "identified", profile={"tags": ["just-asked"]})
    assert world.contacts[CONTACT].tag_expiries == {"just-asked": NOON + timedelta(days=1)}
    assert set(world.contacts[CONTACT].segments) == {"asked"}
    world.clock.advance(days=1)
    kept = world.upkeep.keep_all(world.contacts[CONTACT])
    assert (kept.tags, kept.tag_expiries, kept.segments) == (frozenset(), {}, {})
    ended = next(each for each in world.queue.events.values() if each.type == "tag_removed")
    assert ended.properties == {"tag": "just-asked", "by": "expiry", "because": "refresh"}
    assert emitted(world)[-1] == ("segment_left", "asked", "refresh")


def test_what_follows_from_the_end_of_a_tag_may_need_the_history() -> None:
    fan = {"all": [{"not": {"tag": "just-asked"}}, {"event": "page_viewed", "at_least": 2}]}
    world = World(tags=tag_system({"just-asked": 60}), segments=saved(fans=fan))
    happens(world, "page_viewed", id="e-1", profile={"tags": ["just-asked"]})
    happens(world, "page_viewed", id="e-2")
    world.clock.advance(minutes=2)
    happens(world, "survey_answered")
    assert set(world.contacts[CONTACT].segments) == {"fans"}
    assert emitted(world)[-1] == ("segment_entered", "fans", "survey_answered")


def test_entering_a_journey_changes_the_segments_that_ask_for_it() -> None:
    nurtured = {"journey": "new_user_nurture", "is": "active"}
    world = World(segments=saved(nurtured=nurtured))
    happens(world, "registered", coupon="GLOW15")
    assert set(world.contacts[CONTACT].segments) == {"nurtured"}
    (enrolment,) = world.enrolments
    world.effects.meanwhile["enrolments.keep"] = lambda: world.route(list(world.queue.events.values())[-1])
    world.close(enrolment)  # the event that says so is faster than the write
    settle(world)
    assert set(world.contacts[CONTACT].segments) == set()
    assert [kind for kind, *_ in emitted(world)] == ["segment_entered", "journey_ended", "segment_left"]


def test_the_events_of_a_contact_that_was_merged_into_another_count() -> None:
    world = World(segments=saved(customers=BOUGHT))
    world.history.record("c-old", event("order_placed", NOON, "e-old"), routed_at=NOON)
    seen = {"order_placed": (NOON.date(), NOON.date())}
    world.have_contact(absorbed=("c-old",), seen={})
    world.contacts.put(replace(world.contacts[CONTACT], seen=seen, version=0))
    happens(world, "page_viewed")
    assert set(world.contacts[CONTACT].segments) == {"customers"}


@pytest.mark.parametrize("gone", [{"erased": True}, {"merged_into": "c-other"}])
def test_nothing_is_maintained_for_a_contact_that_is_gone(gone: dict[str, Any]) -> None:
    world = World(segments=saved(vip_members=VIP))
    contact = world.have_contact(attributes={"level": 5}, **gone)
    assert world.upkeep.keep(contact, event("identified", NOON)) == contact
    assert not world.queue.events


def test_another_writer_in_between_is_read_again_and_decided_again() -> None:
    world = World(segments=saved(vip_members=VIP))
    contact = world.have_contact(attributes={"level": 5})
    lowered = replace(contact, attributes={"level": 1})
    world.contacts.before_save = lambda: world.contacts.put(lowered)
    kept = world.upkeep.keep(contact, event("identified", NOON, profile={"level": 5}))
    assert (kept.attributes["level"], kept.segments) == (1, {})
    settle(world)
    assert world.contacts[CONTACT].segments == {}, "what was concluded too early is taken back"
    assert [kind for kind, *_ in emitted(world)] == ["segment_entered", "segment_left"]


def test_a_contact_that_never_stands_still_is_tried_again_later() -> None:
    world = World(segments=saved(vip_members=VIP))
    contact = world.have_contact(attributes={"level": 5})

    def again() -> None:
        world.contacts.put(world.contacts[CONTACT])
        world.contacts.before_save = again

    world.contacts.before_save = again
    with pytest.raises(ConcurrentUpdate):
        world.upkeep.keep(contact, event("identified", NOON))


def test_a_contact_that_is_not_there_any_more_is_an_error() -> None:
    world = World(segments=saved(vip_members=VIP))
    contact = world.have_contact(attributes={"level": 5})
    world.contacts.items.clear()
    with pytest.raises(ContactNotFound):
        world.upkeep.keep_all(contact)


def test_rules_that_depend_on_themselves_are_refused_with_the_way() -> None:
    world = World(segments=saved(a={"tag": "b"}), tags=tag_system(b={"segment": "a", "within": "30d"}))
    with pytest.raises(InvalidInput, match=r"segment:a → tag:b → segment:a|tag:b → segment:a → tag:b"):
        assert world.index


def entered(world: World) -> list[Event]:
    return [each for each in world.queue.events.values() if each.type == "segment_entered"]


def test_two_who_come_to_the_same_conclusion_say_it_once() -> None:
    """The first died after it had emitted the event and before it saved; the second did not know of it."""
    world = World(segments=saved(vip_members=VIP))
    contact = world.have_contact(attributes={"level": 5})
    world.effects.crash_on, world.effects.mode = "contacts.save", "before"
    with pytest.raises(BaseException, match=r"contacts\.save"):
        world.upkeep.keep(contact, event("identified", NOON, "e-1"))
    world.clock.advance(minutes=3)
    world.upkeep.keep(contact, event("identified", NOON, "e-2"))
    assert len(entered(world)) == 1
