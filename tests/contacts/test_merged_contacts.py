"""Contacts that became one: their journeys, caps, histories and points, and what happens while they do."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from tests.fakes.published_journeys import journey, published
from tests.fakes.world import World, event
from waypost import ids
from waypost.contacts.consent import Consent
from waypost.contacts.identity.rules import IdentityRules
from waypost.contacts.profile import Contact

READER = ids.contact_id("email", "lin@example.com")
CUSTOMER = ids.contact_id("user_id", "u-1")
ADDRESS = {"email": "lin@example.com"}
USER = {"user_id": "u-1"}
BOTH = {**USER, **ADDRESS}


@pytest.fixture
def world() -> World:
    return World()


def happens(world: World, kind: str, contact: dict[str, str], id: str = "", **properties: Any) -> list[dict[str, Any]]:  # noqa: A002
    """Route an event a minute later, and then the events that Waypost emitted because of it; gives the event's decisions."""
    world.clock.advance(minutes=1)
    decisions = world.route(event(kind, world.clock(), id, contact=contact, **properties)).decisions
    for emitted in [each for each in world.queue.events.values() if each.id not in world.history]:
        world.route(emitted)
    return decisions


def reader(world: World, **changes: Any) -> Contact:
    """A contact known by an address, who may be sent everything."""
    fields: dict[str, Any] = {"identities": {"email": ["lin@example.com"]}}
    return world.have_contact(READER, **fields | changes)


def customer(world: World, **changes: Any) -> Contact:
    """A contact known by a user id."""
    fields: dict[str, Any] = {"attributes": {}, "consents": {}}
    return world.have_contact(CUSTOMER, **fields | changes)


def two(world: World) -> None:
    reader(world)
    customer(world)


def meet(world: World) -> None:
    """They turn out to be one."""
    happens(world, "identified", BOTH)
    assert world.contacts[READER].merged_into == CUSTOMER


def test_a_merge_is_on_the_survivors_stream_with_before_and_after(world: World) -> None:
    two(world)
    meet(world)
    (merged,) = [each for _, each in world.bus.published if each.type == "contacts_merged"]
    assert (merged.source, merged.contact) == ("waypost", {"contact_id": CUSTOMER})
    assert (merged.properties["from"], merged.properties["into"], merged.properties["ground"]) == (
        READER,
        CUSTOMER,
        "event",
    )
    assert merged.properties["before"]["into"]["attributes"] == []
    assert "name" in merged.properties["after"]["attributes"]
    assert "lin@" not in str(merged.to_dict())
    assert world.contacts[CUSTOMER].unannounced == ()


def test_a_merge_that_a_crash_left_unannounced_is_announced_with_the_next_event(world: World) -> None:
    two(world)
    merge = world.merge_contacts._plan(world.contacts[READER], world.contacts[CUSTOMER], reason="")[1]
    assert merge is not None
    world.contacts.merge(merge)
    happens(world, "page_viewed", USER)
    assert [each.type for _, each in world.bus.published] == ["page_viewed", "contacts_merged"]
    assert world.contacts[CUSTOMER].unannounced == ()


def test_the_journey_of_the_absorbed_contact_goes_on_with_the_survivors_profile(world: World) -> None:
    reader(world)
    customer(world, attributes={"name": "Mei"})
    enrolment = world.have_enrolment(READER)
    meet(world)
    result = world.send(enrolment, "welcome")
    assert result.outcome == "sent"
    assert world.email.sent[-1].to.text == "lin@example.com"
    happens(world, "unsubscribed", USER, channel="email")
    assert world.send(enrolment, "reminder", channel="email").reason == "consent_withdrawn"


def test_what_one_of_them_refused_before_the_other_agreed_is_not_sent_to_either(world: World) -> None:
    reader(world)
    world.clock.advance(minutes=1)
    customer(world, consents={"email/*": Consent(granted=False, at=world.clock(), source="shop")})
    enrolment = world.have_enrolment(READER)
    meet(world)
    assert world.send(enrolment, "welcome").reason == "consent_withdrawn"


def test_the_cap_counts_what_both_were_sent(world: World) -> None:
    customer(world, attributes=reader(world).attributes, consents=reader(world).consents)
    ours, theirs = world.have_enrolment(CUSTOMER), world.have_enrolment(READER, journey="new_user_nurture")
    assert world.send(ours, "welcome").outcome == "sent"
    assert world.send(theirs, "welcome").outcome == "sent"
    meet(world)
    capped = world.send(theirs, "reminder", channel="email")
    assert (capped.outcome, capped.reason) == ("deferred", "frequency_cap")


def test_a_claim_that_a_merge_overtakes_is_judged_again(world: World) -> None:
    reader(world)
    customer(
        world, consents={"email/*": Consent(granted=False, at=world.clock() + timedelta(seconds=1), source="shop")}
    )
    enrolment = world.have_enrolment(READER)
    world.ledger.before_claim = lambda: meet(world)
    assert world.send(enrolment, "welcome").reason == "consent_withdrawn"
    assert world.email.sent == []


def test_what_the_provider_says_of_a_message_of_the_absorbed_contact_settles_it(world: World) -> None:
    two(world)
    enrolment = world.have_enrolment(READER)
    sent = world.send(enrolment, "welcome")
    meet(world)
    notice = event(
        "message_delivered",
        world.clock(),
        channel="email",
        contact={"contact_id": READER},
        message_key=sent.message_key,
    )
    world.route(replace(notice, source="waypost.ses"))
    assert world.ledger[sent.message_key].state == "delivered"


def test_who_went_through_a_journey_under_either_id_does_not_enter_it_again(world: World) -> None:
    happens(world, "registered", ADDRESS)
    customer(world)
    meet(world)
    (decision,) = happens(world, "registered", USER)
    assert decision["reason"] == "enrolled_before"
    assert len(world.enrolments) == 1


def test_an_exclusive_group_holds_across_a_merge() -> None:
    world = World(
        published=published(
            journey("a", exclusive_group="g", priority=2),
            journey("b", exclusive_group="g", trigger={"kind": "event", "event": "followed", "where": None}),
        )
    )
    happens(world, "registered", ADDRESS)
    customer(world)
    meet(world)
    (decision,) = happens(world, "followed", USER)
    assert decision["reason"] == "exclusive_group_taken"


def test_an_event_routed_before_a_merge_is_known_as_repeated_after_it(world: World) -> None:
    world.clock.advance(minutes=1)
    registered = event("registered", world.clock(), "e-1", contact=ADDRESS)
    world.route(registered)
    customer(world)
    meet(world)
    assert world.route(registered).repeated
    assert len(world.machines) == 1


def parked(world: World) -> str:
    """The reader waits for an answer in a journey; gives the pause."""
    happens(world, "registered", ADDRESS, coupon="GLOW15")
    (enrolment,) = world.enrolments
    return world.park(enrolment, {"for": "5d", "or": {"event": "survey_answered"}})


def test_an_event_of_either_wakes_the_journey_of_the_other(world: World) -> None:
    pause = parked(world)
    customer(world)
    meet(world)
    happens(world, "survey_answered", USER)
    assert world.answers[pause]["outcome"] == "event"


def test_what_the_other_did_while_the_journey_waited_wakes_it_when_they_meet(world: World) -> None:
    pause = parked(world)
    happens(world, "survey_answered", USER)
    assert pause not in world.answers
    meet(world)
    assert world.answers[pause]["outcome"] == "event"


def test_what_the_other_did_before_the_journey_began_does_not_count(world: World) -> None:
    happens(world, "survey_answered", USER)
    pause = parked(world)
    meet(world)
    assert pause not in world.answers


def test_an_order_of_the_other_is_the_goal_of_the_journey(world: World) -> None:
    pause = parked(world)
    happens(world, "order_placed", USER, coupon="GLOW15")
    meet(world)
    assert world.answers[pause]["error"] == "GoalReached"


@pytest.mark.parametrize("moment", ["history.record", "bus.publish"])
def test_an_event_whose_contact_is_merged_away_meanwhile_is_heard_by_all_journeys(world: World, moment: str) -> None:
    """It is stored under the old id; either its router or the one of the merge sees the other."""
    happens(world, "registered", USER, coupon="GLOW15")
    (enrolment,) = world.enrolments
    pause = world.park(enrolment, {"for": "5d", "or": {"event": "survey_answered"}})
    reader(world)
    world.effects.meanwhile[moment] = lambda: world.merge_contacts.merge(USER, ADDRESS)
    happens(world, "survey_answered", ADDRESS)
    assert world.answers[pause]["outcome"] == "event"


def test_an_event_that_is_stored_only_after_the_merge_was_announced_counts_all_the_same(world: World) -> None:
    happens(world, "registered", USER, coupon="GLOW15")
    (enrolment,) = world.enrolments
    pause = world.park(enrolment, {"for": "5d", "or": {"event": "survey_answered"}})
    reader(world)

    def meanwhile() -> None:
        world.merge_contacts.merge(USER, ADDRESS)
        for emitted in list(world.queue.events.values()):
            world.route(emitted)

    world.effects.meanwhile["history.record"] = meanwhile
    happens(world, "survey_answered", ADDRESS)
    assert world.answers[pause]["outcome"] == "event"


def test_a_journey_that_parks_while_its_contact_is_merged_hears_of_what_came_under_the_new_id(world: World) -> None:
    two(world)
    enrolment = world.have_enrolment(READER)

    def meanwhile() -> None:
        world.merge_contacts.merge(USER, ADDRESS)
        happens(world, "survey_answered", USER)

    world.effects.meanwhile["enrolments.save"] = meanwhile
    pause = world.park(enrolment, {"for": "5d", "or": {"event": "survey_answered"}})
    assert world.answers[pause]["outcome"] == "event"


def test_a_rule_over_the_past_sees_what_both_did() -> None:
    entry = {"event": "order_placed", "at_least": 2}
    trigger = {"kind": "event", "event": "followed", "where": None}
    world = World(published=published(journey("loyal", trigger=trigger, entry=entry)))
    happens(world, "order_placed", ADDRESS)
    happens(world, "order_placed", USER)
    meet(world)
    (decision,) = happens(world, "followed", USER)
    assert decision["reason"] == "enrolled"


def test_points_of_both_add_up_and_a_repeated_event_counts_once(world: World) -> None:
    happens(world, "points_earned", ADDRESS, "e-1", points=30)
    happens(world, "points_earned", USER, "e-2", points=5)
    meet(world)
    happens(world, "points_spent", ADDRESS, "e-3", points=4)
    happens(world, "points_earned", ADDRESS, "e-1", points=30)
    assert world.contacts[CUSTOMER].points == 31


def test_points_counted_before_a_crash_and_a_merge_are_not_counted_again(world: World) -> None:
    reader(world)
    customer(world)
    world.clock.advance(minutes=1)
    earned = event("points_earned", world.clock(), "e-1", contact=ADDRESS, points=30)
    world.effects.crash_on, world.effects.mode = "history.record", "refused"
    with pytest.raises(Exception, match="throttled"):
        world.route_events.route(earned)
    meet(world)
    world.route(earned)
    assert world.contacts[CUSTOMER].points == 30


def test_after_undoing_both_live_and_the_next_event_that_names_both_does_not_merge_them(world: World) -> None:
    two(world)
    meet(world)
    world.clock.advance(minutes=1)
    assert world.merge_contacts.undo(USER)["undone"]
    happens(world, "identified", BOTH)
    assert {each.contact_id for each in world.contacts.living()} == {READER, CUSTOMER}
    published = [(each.type, each.contact["contact_id"]) for _, each in world.bus.published if "merged" in each.type]
    assert published == [("contacts_merged", CUSTOMER), ("contacts_unmerged", CUSTOMER), ("contacts_unmerged", READER)]
    assert happens(world, "page_viewed", ADDRESS) == []
    assert world.contacts[CUSTOMER].unannounced == ()


def test_three_people_named_at_once_become_one(world: World) -> None:
    for contact in (USER, ADDRESS, {"phone": "+8613800000001"}):
        happens(world, "page_viewed", contact)
    happens(world, "identified", {**BOTH, "phone": "+8613800000001", "anonymous_id": "a-1"})
    (one,) = world.contacts.living()
    assert set(one.identities) == {"user_id", "email", "phone", "anonymous_id"}
    assert len(one.absorbed) == 2


def test_an_event_about_one_person_does_not_join_what_belongs_to_another(world: World) -> None:
    """A shared device and an address, named together with a user id that is new: neither may pull the other along."""
    happens(world, "page_viewed", {"user_id": "u-9", "anonymous_id": "a-1"})
    happens(world, "page_viewed", ADDRESS)
    happens(world, "identified", {**BOTH, "anonymous_id": "a-1"})
    assert world.contacts[READER].identities == {"email": ["lin@example.com"], "user_id": ["u-1"]}
    assert len(world.contacts.living()) == 2


def test_rules_that_do_not_take_an_address_for_proof_keep_them_apart() -> None:
    world = World(identity_rules=IdentityRules(proofs=frozenset({"user_id", "anonymous_id", "unionid"})))
    two(world)
    happens(world, "identified", BOTH)
    assert len(world.contacts.living()) == 2


def alias(world: World, user_id: str, previous_id: str) -> None:
    happens(world, "contact_aliased", {"user_id": user_id}, previous_id=previous_id)


BELIEVED: Final = IdentityRules(alias_across=frozenset({"user_id"}))


def test_an_alias_joins_two_users_where_the_rules_believe_it() -> None:
    world = World(identity_rules=BELIEVED)
    happens(world, "page_viewed", {"user_id": "u-1"})
    happens(world, "page_viewed", {"user_id": "u-2"})
    alias(world, "u-2", "u-1")
    (one,) = world.contacts.living()
    assert one.identities == {"user_id": ["u-1", "u-2"], "anonymous_id": ["u-1"]}
    assert world.contacts.merges(one.contact_id)[0].ground == "alias"


def test_an_alias_joins_a_visitor_and_a_user(world: World) -> None:
    happens(world, "page_viewed", {"anonymous_id": "a-1"})
    happens(world, "page_viewed", {"user_id": "u-1"})
    alias(world, "u-1", "a-1")
    assert [each.identities for each in world.contacts.living()] == [{"user_id": ["u-1"], "anonymous_id": ["a-1"]}]


def test_an_alias_joins_no_two_users_unless_the_rules_believe_it(world: World) -> None:
    happens(world, "page_viewed", {"user_id": "u-1"})
    happens(world, "page_viewed", {"user_id": "u-2"})
    alias(world, "u-2", "u-1")
    assert len(world.contacts.living()) == 2


def test_a_previous_id_that_nobody_had_leads_to_the_user_from_then_on() -> None:
    world = World(identity_rules=BELIEVED)
    alias(world, "u-1", "old-7")
    happens(world, "page_viewed", {"user_id": "old-7"})
    happens(world, "page_viewed", {"anonymous_id": "old-7"})
    assert [each.contact_id for each in world.contacts.living()] == [CUSTOMER]


def test_of_more_identities_than_a_profile_holds_the_latest_are_not_linked(world: World) -> None:
    for number in range(201):
        world.route(event("page_viewed", world.clock(), f"e-{number}", contact={**USER, "anonymous_id": f"a-{number}"}))
    assert len(world.contacts[CUSTOMER].identities["anonymous_id"]) == 200
    assert (
        world.route(event("page_viewed", world.clock(), "e-x", contact={"anonymous_id": "a-200"})).contact_id
        != CUSTOMER
    )
