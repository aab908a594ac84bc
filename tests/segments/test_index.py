"""What an event touches, and which maintained rules read that; nothing that can change an answer is missed."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.world import CONTACT, START, World, event
from tests.segments.kept_rules import lifecycle, saved, tag_system
from waypost.clock import parse_instant
from waypost.contacts.channels import CHANNELS
from waypost.contacts.tag_system import TagSystem
from waypost.errors import InvalidInput
from waypost.segments.index import RuleIndex, facts_of, facts_of_journeys, in_order
from waypost.segments.saved_segments import load_saved_segments, saved_segment
from waypost.segments.vocabulary import CONCLUSIONS

NOON = parse_instant(START)


def ours(kind: str, **properties: Any) -> Any:
    return replace(event(kind, NOON, contact={"contact_id": CONTACT}, **properties), source="waypost")


def index(**rules: Any) -> RuleIndex:
    return RuleIndex.declared(segments=saved(**rules), tags=TagSystem())


def touched(known: RuleIndex, facts: set[str] | None) -> set[str]:
    return {known.rules[place].name for place in known.touched_by(facts or ())}


@pytest.mark.parametrize(
    ("happened", "facts"),
    [
        (event("order_placed", NOON), {"identities"}),
        (event("identified", NOON, profile={"city": "上海市", "level": 3}), {"identities", "attribute:city", "attribute:level"}),
        (event("identified", NOON, contact={"email": "lin@example.com"}), {"identities", "attribute:email"}),
        (event("identified", NOON, profile={"consent": {"sms": True}}), {"identities", "consent:sms"}),
        (event("a", NOON, profile={"tags": ["x"], "remove_tags": ["y"]}), {"identities", "tag:x", "tag:y"}),
        (event("a", NOON, profile={"groups": ["g"], "leave_groups": ["h"]}), {"identities", "group:g", "group:h"}),
        (ours("unsubscribed", channel="email"), {"consent:email"}),
        (ours("unsubscribed"), {f"consent:{channel}" for channel in CHANNELS}),
        (ours("message_bounced", channel="email", suppression="hard_bounce"), {"suppressions"}),
        (ours("segment_entered", segment="vip"), {"segment:vip"}),
        (ours("tag_removed", tag="x"), {"tag:x"}),
        (ours("lifecycle_changed", to="new"), {"lifecycle"}),
        (ours("points_earned", points=5), {"points"}),
        (ours("group_joined", group="g"), {"group:g"}),
        (ours("journey_ended", journey="nurture"), {"journey:nurture", "enrolments"}),
    ],
)  # fmt: skip
def test_what_an_event_touches_is_read_off_the_event(happened: Any, facts: set[str]) -> None:
    assert facts_of(happened) == facts | {f"event:{happened.type}"} | (set() if happened.type in CONCLUSIONS else {"*"})


@pytest.mark.parametrize("kind", ["contacts_merged", "contacts_unmerged", "contact_imported", "profile_rebuilt"])
def test_some_of_our_own_events_may_have_changed_anything(kind: str) -> None:
    assert facts_of(ours(kind)) is None
    assert facts_of(event(kind, NOON)) is not None, "a stranger's event of that name changes nothing"


def test_only_rules_that_read_what_changed_are_found() -> None:
    known = index(
        city={"attribute": "address.city", "equals": "x"},
        buyers={"event": "order_placed"},
        nested={"any": [{"tag": "vip"}, {"not": {"event": "order_placed", "within": "3d"}}]},
        by_day={"event": "page_viewed", "last_days": 3},
        agreed={"consent": "sms"},
        nurtured={"journey": "nurture"},
        drawn={"holdout": {"salt": "a", "percent": 10}},
    )
    assert touched(known, facts_of(event("order_placed", NOON))) == {"buyers", "nested"}
    assert touched(known, facts_of(event("a", NOON, profile={"address": {}}))) == {"city"}
    assert touched(known, facts_of(event("a", NOON, profile={"tags": ["vip"]}))) == {"nested"}
    assert "by-day" in touched(known, facts_of(event("a", NOON, profile={"timezone": "UTC"})))
    assert touched(known, facts_of_journeys(["nurture"])) == {"nurtured"}
    assert facts_of_journeys([]) == set()


def test_rules_stand_behind_those_they_build_on() -> None:
    known = RuleIndex.declared(
        segments=saved(a={"lifecycle": "active"}, z={"event": "order_placed"}),
        tags=tag_system(m={"segment": "z", "within": "9d"}),
        lifecycle=lifecycle(("active", [], {"tag": "m"})),
    )
    assert [rule.key for rule in known.rules] == ["segment:z", "tag:m", "lifecycle", "segment:a"]
    assert {known.rules[each].key for each in known.following([0])} == {rule.key for rule in known.rules}


def test_a_rule_that_asks_for_any_tag_is_asked_after_every_tag_and_group() -> None:
    known = RuleIndex.declared(
        segments=saved(a={"tag": {"exists": False}}, b={"group": {"exists": True}}),
        tags=tag_system(m={"event": "order_placed"}),
    )
    assert [rule.key for rule in known.rules].index("tag:m") < [rule.key for rule in known.rules].index("segment:a")
    assert touched(known, {"tag:never-heard-of"}) == {"a"}
    assert touched(known, {"group:g"}) == {"b"}
    place = [rule.key for rule in known.rules].index("tag:m")
    assert {known.rules[each].key for each in known.following([place])} == {"tag:m", "segment:a"}
    with pytest.raises(InvalidInput, match="depends on itself"):
        RuleIndex.declared(segments={}, tags=tag_system(m={"tag": {"exists": False}}))


def test_the_fingerprint_changes_with_every_rule_and_with_nothing_else() -> None:
    same = index(a={"tag": "x"}, b={"tag": "y"}), index(b={"tag": "y"}, a={"tag": "x"})
    assert same[0].fingerprint == same[1].fingerprint
    assert index(a={"tag": "x"}).fingerprint != same[0].fingerprint
    stages = [lifecycle(("a", after, {"tag": "x"}), ("b", [], None)) for after in ([], ["b"])]
    known = [RuleIndex.declared(segments={}, tags=TagSystem(), lifecycle=each).fingerprint for each in stages]
    assert known[0] != known[1]
    assert RuleIndex.declared(segments={}, tags=TagSystem()).fingerprint == ""


def test_a_way_round_is_named_in_its_direction() -> None:
    with pytest.raises(InvalidInput, match=r"depends on itself: .* → .* → "):
        in_order({"a": {"b"}, "b": {"c"}, "c": {"a"}})


def test_no_segments_are_declared_in_a_project_without_them() -> None:
    assert load_saved_segments() == {}
    with pytest.raises(InvalidInput, match="expected one of none"):
        saved_segment("vip", {})


LEAVES: list[dict[str, Any]] = [
    {"attribute": "level", "at_least": 3},
    {"attribute": "city", "exists": False},
    {"tag": "vip"},
    {"group": "club"},
    {"consent": "sms"},
    {"event": "order_placed"},
    {"event": "order_placed", "at_least": 2, "where": {"property": "total", "at_least": 5}},
    {"event": "page_viewed", "within": "2h"},
    {"points": {"at_least": 10}},
    {"lifecycle": "buyer"},
    {"segment": "buyers", "within": "30d"},
    {"identity": "email"},
]
rules = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"all": parts}),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"any": parts}),
        inner.map(lambda part: {"not": part}),
    ),
    max_leaves=5,
)
happenings = st.lists(
    st.sampled_from(
        [
            ("order_placed", {"total": 9}, {}),
            ("order_placed", {"total": 1}, {}),
            ("page_viewed", {}, {}),
            ("identified", {}, {"level": 3}),
            ("identified", {}, {"level": 1, "city": "Wuhan"}),
            ("identified", {}, {"tags": ["vip"], "groups": ["club"]}),
            ("identified", {}, {"remove_tags": ["vip"], "leave_groups": ["club"]}),
            ("consent_granted", {"channel": "sms"}, {}),
            ("unsubscribed", {}, {}),
            ("points_earned", {"points": 6}, {}),
            ("points_spent", {"points": 3}, {}),
        ]
    ),
    min_size=1,
    max_size=7,
)


@settings(max_examples=150)
@given(st.lists(rules, min_size=1, max_size=4), happenings)
def test_after_every_event_each_segment_holds_whom_its_rule_selects(
    drawn: list[dict[str, Any]], happened: list[tuple[str, dict[str, Any], dict[str, Any]]]
) -> None:
    """The index may ask too much, never too little: evaluating everything again changes nothing."""
    named = {f"drawn_{number}": rule for number, rule in enumerate(drawn)}
    world = World(
        segments=saved(buyers={"event": "order_placed"}, **named),
        lifecycle=lifecycle(("buyer", [], {"event": "order_placed"})),
    )
    for number, (kind, properties, profile) in enumerate(happened):
        world.clock.advance(minutes=1)
        happening = event(kind, world.clock() - timedelta(seconds=1), f"e-{number}", profile=profile, **properties)
        world.route(happening)
        while waiting := [each for each in world.queue.events.values() if each.id not in world.history]:
            world.route(waiting[0])
    known = world.contacts[CONTACT]
    assert world.upkeep.keep_all(known) == known
