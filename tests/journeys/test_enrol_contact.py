"""Which journeys an event starts, and why it does not start the others."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.published_journeys import JOURNEY, journey, published
from tests.fakes.world import CONTACT, World, event
from waypost import ids
from waypost.journeys.enrolment import TriggerEvent


def world_with(*journeys: dict[str, Any]) -> World:
    return World(published=published(*journeys))


def registered(world: World, event_id: str = "e-1", **options: Any) -> dict[str, str]:
    """Route a registration; gives the reason per journey."""
    routed = world.route(event("registered", world.clock(), event_id, **options))
    return {each["journey"]: each["reason"] for each in routed.decisions}


def re_entry(kind: str, seconds: int | None = None, property: str | None = None) -> dict[str, Any]:  # noqa: A002
    return {"re_entry": {"kind": kind, "seconds": seconds, "property": property}}


def test_any_of_several_events_starts_the_journey_if_its_own_condition_holds() -> None:
    also = [
        {"event": "order_placed", "where": {"property": "total", "at_least": 100}},
        {"event": "order_placed", "where": {"property": "vip", "equals": True}},
    ]
    alerts = journey(
        "alerts",
        **{
            "trigger": {"kind": "event", "event": "lead_captured", "where": None, "also": also},
            **re_entry("side_by_side"),
        },
    )
    world = world_with(alerts)

    def started(event_type: str, event_id: str, **properties: Any) -> list[str]:
        return [
            each["reason"] for each in world.route(event(event_type, world.clock(), event_id, **properties)).decisions
        ]

    assert started("lead_captured", "e-1") == ["enrolled"]
    assert started("order_placed", "e-2", total=20) == ["trigger_condition_not_met"]
    assert started("order_placed", "e-3", total=120) == ["enrolled"]
    assert started("order_placed", "e-4", vip=True) == ["enrolled"], "side by side with the others"
    assert started("page_viewed", "e-5") == []
    assert [each.trigger.type for each in world.enrolments] == ["lead_captured", "order_placed", "order_placed"]


def test_an_event_starts_one_execution_under_a_name_of_its_own() -> None:
    world = World()
    assert registered(world, coupon="GLOW15") == {JOURNEY: "enrolled"}
    enrolment_id = ids.enrolment_id(JOURNEY, CONTACT, "once")
    hop = ids.hop_id(enrolment_id, "start", 1)
    assert world.machines.executions == {
        f"{JOURNEY}-{hop}": (
            JOURNEY,
            {
                "contact_id": CONTACT,
                "enrolment_id": enrolment_id,
                "journey": JOURNEY,
                "version": 1,
                "trigger_event_id": "e-1",
                "trigger_event": "registered",
                "enrolled_at": "2027-03-01T02:00:00.000Z",
                "correlation_id": "r-1",
                "hop": {"id": hop},
            },
        )
    }
    (enrolment,) = world.enrolments
    assert enrolment.trigger == TriggerEvent("e-1", "registered", world.clock(), {"coupon": "GLOW15"})


def test_no_personal_data_goes_into_an_execution() -> None:
    world = World()
    registered(world, contact={"email": "lin@example.com", "phone": "+8613800000001"}, profile={"name": "Lin"})
    for secret in ("lin@example.com", "+8613800000001", "Lin"):
        assert secret not in str(world.machines.executions)


def test_other_events_start_nothing() -> None:
    world = World()
    routed = world.route(event("page_viewed", world.clock()))
    assert (routed.decisions, len(world.machines)) == ([], 0)


def test_the_same_event_again_starts_nothing() -> None:
    world = World()
    for _ in range(3):
        registered(world)
    assert (len(world.machines), world.machines.calls) == (1, 1)


def test_a_trigger_may_have_a_condition_on_its_properties() -> None:
    condition = {"property": "plan", "equals": "pro"}
    world = world_with(journey(trigger={"kind": "event", "event": "registered", "where": condition}))
    assert registered(world, "e-1", plan="free") == {JOURNEY: "trigger_condition_not_met"}
    assert registered(world, "e-2", plan="pro") == {JOURNEY: "enrolled"}


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ({"tag": "vip"}, "enrolled"),
        ({"not": {"tag": "vip"}}, "entry_rule_not_met"),
        ({"attribute": "city", "equals": "Wuhan"}, "enrolled"),
        ({"consent": "email"}, "enrolled"),
        ({"consent": "sms"}, "entry_rule_not_met"),
        ({"event": "registered"}, "enrolled"),
        ({"event": "page_viewed", "at_least": 2}, "enrolled"),
        ({"event": "page_viewed", "at_least": 3}, "entry_rule_not_met"),
        ({"event": "page_viewed", "at_least": 2, "within": "30m"}, "entry_rule_not_met"),
    ],
)
def test_an_entry_rule_looks_at_the_contact_and_its_past(rule: dict[str, Any], reason: str) -> None:
    world = world_with(journey(entry=rule))
    for hours in (2, 1):  # events may be older than what we know of the contact
        world.route(event("page_viewed", world.clock() - timedelta(hours=hours)))
    profile = {"city": "Wuhan", "tags": ["vip"], "consent": {"email": True, "sms": False}}
    assert registered(world, profile=profile) == {JOURNEY: reason}


def test_who_may_never_come_back_does_not() -> None:
    world = world_with(journey(**re_entry("never")))
    assert registered(world, "e-1") == {JOURNEY: "enrolled"}
    (enrolment,) = world.enrolments
    assert registered(world, "e-2") == {JOURNEY: "enrolled_before"}
    world.close(enrolment)
    assert registered(world, "e-3") == {JOURNEY: "enrolled_before"}
    assert len(world.machines) == 1


def test_who_may_always_come_back_does_so_after_the_end() -> None:
    world = world_with(journey(**re_entry("always")))
    assert registered(world, "e-1") == {JOURNEY: "enrolled"}
    (enrolment,) = world.enrolments
    assert registered(world, "e-2") == {JOURNEY: "already_in_journey"}
    world.close(enrolment)
    assert registered(world, "e-3") == {JOURNEY: "enrolled"}
    assert len(world.machines) == 2


def test_who_may_come_back_after_thirty_days_does_so_then() -> None:
    world = world_with(journey(**re_entry("after", seconds=30 * 86_400)))
    registered(world, "e-1")
    (enrolment,) = world.enrolments
    world.close(enrolment)
    world.clock.advance(days=29)
    assert registered(world, "e-2") == {JOURNEY: "enrolled_before"}
    world.clock.advance(days=1)
    assert registered(world, "e-3") == {JOURNEY: "enrolled"}


def test_one_enrolment_per_order() -> None:
    world = world_with(journey(**re_entry("per", property="order.id")))
    assert registered(world, "e-1", order={"id": 1}) == {JOURNEY: "enrolled"}
    assert registered(world, "e-2", order={"id": 2}) == {JOURNEY: "enrolled"}
    assert registered(world, "e-3", order={"id": 1}) == {JOURNEY: "enrolled_before"}
    assert registered(world, "e-4", order={}) == {JOURNEY: "property_missing"}
    assert registered(world, "e-5", order="none") == {JOURNEY: "property_missing"}
    assert len(world.machines) == 2


def test_one_enrolment_per_value_and_again_after_a_time() -> None:
    world = world_with(journey(**re_entry("per", 30 * 86_400, "sku")))
    assert registered(world, "e-1", sku="s-1") == {JOURNEY: "enrolled"}
    assert registered(world, "e-1", sku="s-1") == {}, "repeated"
    assert registered(world, "e-2", sku="s-1") == {JOURNEY: "already_in_journey"}
    assert registered(world, "e-3", sku="s-2") == {JOURNEY: "enrolled"}
    assert registered(world, "e-4") == {JOURNEY: "property_missing"}
    for enrolment in list(world.enrolments):
        world.close(enrolment)
    world.clock.advance(days=29)
    assert registered(world, "e-5", sku="s-1") == {JOURNEY: "enrolled_before"}
    world.clock.advance(days=1)
    assert registered(world, "e-6", sku="s-1") == {JOURNEY: "enrolled"}
    assert registered(world, "e-7", sku="s-2") == {JOURNEY: "enrolled"}
    assert len(world.machines) == 4


def test_a_trigger_compares_an_attribute_with_the_event() -> None:
    waits = {"attribute": "waiting_for", "contains_property": "sku"}
    world = world_with(journey(trigger={"kind": "event", "event": "registered", "where": waits}))
    world.route(event("identified", world.clock(), "e-0", profile={"waiting_for": ["s-1", "s-2"]}))
    assert registered(world, "e-1", sku="s-3") == {JOURNEY: "trigger_condition_not_met"}
    assert registered(world, "e-2", sku="s-2") == {JOURNEY: "enrolled"}


def test_in_an_exclusive_group_the_highest_priority_wins() -> None:
    world = world_with(
        journey("low", exclusive_group="g", priority=1),
        journey("high", exclusive_group="g", priority=9),
        journey("also_high", exclusive_group="g", priority=9),
        journey("apart", priority=0),
    )
    routed = world.route(event("registered", world.clock()))
    assert [(each["journey"], each["reason"]) for each in routed.decisions] == [
        ("also_high", "enrolled"),
        ("high", "exclusive_group_taken"),
        ("low", "exclusive_group_taken"),
        ("apart", "enrolled"),
    ]


def test_a_trial_takes_so_many_contacts_and_no_more() -> None:
    world = world_with(journey(audience_limit=2))
    reasons = [registered(world, f"e-{n}", contact={"user_id": f"u-{n}"})[JOURNEY] for n in range(4)]
    assert reasons == ["enrolled", "enrolled", "audience_limit_reached", "audience_limit_reached"]
    assert len(world.machines) == 2


def test_a_journey_that_only_starts_by_hand_is_started_by_no_event() -> None:
    world = world_with(journey(trigger={"kind": "manual", "event": None, "where": None}))
    assert registered(world) == {}


def test_the_decisions_are_kept_with_the_event() -> None:
    world = World()
    registered(world)
    (decision,) = world.history.routed[CONTACT, "e-1"]
    assert (decision["journey"], decision["reason"]) == (JOURNEY, "enrolled")


def test_nobody_enters_a_closed_journey_and_those_inside_finish_it() -> None:
    world = World()
    assert registered(world, coupon="GLOW15") == {JOURNEY: "enrolled"}
    inside = next(iter(world.enrolments))
    world.published = published(journey(closed=True))

    assert registered(world, "e-2", contact={"user_id": "u-2"}) == {JOURNEY: "journey_closed"}

    world.park(inside, {"for": "1h"})
    world.fire_next()
    assert world.walking(inside).position == "running"


def test_who_enters_is_walked_by_the_machine_of_the_published_version() -> None:
    world = World(published=published(journey(machine_version="0a1b2c3d")))
    registered(world, coupon="GLOW15")
    [(machine, _)] = world.machines.executions.values()
    assert machine == f"{JOURNEY}--0a1b2c3d"


@pytest.mark.parametrize(
    ("late", "reason"),
    [
        (timedelta(0), "enrolled"),
        (timedelta(hours=72), "enrolled"),
        (timedelta(hours=72, seconds=1), "trigger_too_old"),
        (timedelta(days=3 * 365), "trigger_too_old"),
    ],
)
def test_history_that_a_sender_fills_in_starts_nothing(late: timedelta, reason: str) -> None:
    world = World()
    old = replace(event("registered", world.clock() - late, "e-1"), received_at=world.clock())
    assert [decision["reason"] for decision in world.route(old).decisions] == [reason]
    assert "registered" in world.contacts[CONTACT].seen


@pytest.mark.parametrize(
    ("late", "reason"),
    [
        (timedelta(minutes=30), "enrolled"),
        (timedelta(minutes=30, seconds=1), "trigger_too_old"),
    ],
)
def test_a_journey_says_itself_how_late_its_trigger_may_come(late: timedelta, reason: str) -> None:
    trigger = {"kind": "event", "event": "registered", "where": None, "fresh_for_seconds": 1800}
    world = World(published=published(journey(trigger=trigger)))
    old = replace(event("registered", world.clock() - late, "e-1"), received_at=world.clock())
    assert [decision["reason"] for decision in world.route(old).decisions] == [reason]


def test_an_event_that_waited_in_our_own_queue_is_not_old() -> None:
    world = World()
    waiting = event("registered", world.clock(), "e-1")
    world.clock.advance(days=10)
    assert [decision["reason"] for decision in world.route(waiting).decisions] == ["enrolled"]


GOAL: dict[str, Any] = {"coupon": "GLOW15"}


@pytest.mark.parametrize(
    ("ending", "properties", "after", "reason"),
    [
        ("order_placed", GOAL, timedelta(minutes=3), "over_before_entry"),
        ("left_us", {}, timedelta(minutes=3), "over_before_entry"),
        ("left_us", {}, timedelta(days=1), "over_before_entry"),
        ("order_placed", {"coupon": "OTHER"}, timedelta(minutes=3), "enrolled"),  # not the goal of this trigger
        ("order_placed", GOAL, -timedelta(minutes=3), "enrolled"),  # before it began
        ("order_placed", GOAL, timedelta(0), "enrolled"),
        ("page_viewed", GOAL, timedelta(minutes=3), "enrolled"),
    ],
)
def test_who_reached_the_end_before_a_late_trigger_arrives_does_not_enter(
    ending: str, properties: dict[str, Any], after: timedelta, reason: str
) -> None:
    world = World()
    began = world.clock() - timedelta(hours=30)
    world.route(event(ending, began + after, "e-end", **properties))
    late = replace(event("registered", began, "e-1", **GOAL), received_at=world.clock())
    assert [decision["reason"] for decision in world.route(late).decisions] == [reason]
    assert len(world.machines.executions) == (reason == "enrolled")


def test_the_order_in_which_a_trigger_and_its_goal_arrive_does_not_matter_for_what_is_sent() -> None:
    ends = []
    for first, second in (("registered", "order_placed"), ("order_placed", "registered")):
        world = World()
        at = {"registered": world.clock() - timedelta(minutes=9), "order_placed": world.clock() - timedelta(minutes=1)}
        for kind in (first, second):
            world.route(event(kind, at[kind], kind, **GOAL))
        ends.append([each.status for each in world.enrolments if each.status == "active"])
    assert ends == [[], []]
