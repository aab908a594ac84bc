"""What came with a write key about a person whom nothing proves: it identifies and tracks, and changes no known address."""

from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.world import World, event
from waypost.contacts.identity.rules import BUILT_IN
from waypost.contacts.profile import Contact
from waypost.events.envelope import SERVER_KEY_SOURCE, UNPROVEN_SOURCE, WRITE_KEY_SOURCE

VIC = "vic@example.com"
STRANGER = "stranger@example.com"
PHONE, OTHER_PHONE = "+8613800000009", "+8613800000010"
TOKENS = [{"token": "t-1", "platform": "ios"}]


@pytest.fixture
def world() -> World:
    return World()


def routed(
    world: World, contact: dict[str, str], *, source: str = UNPROVEN_SOURCE, kind: str = "identified", **profile: Any
) -> tuple[Contact, tuple[str, ...]]:
    world.clock.advance(seconds=1)
    happened = replace(event(kind, world.clock(), contact=contact, profile=profile), source=source)
    known = world.route(happened)
    found = world.contacts.load(known.contact_id)
    assert found is not None
    return found, known.left_out


def test_a_known_address_is_not_changed_nor_removed_and_the_rest_is_taken(world: World) -> None:
    routed(world, {"user_id": "u-1", "email": VIC, "phone": PHONE}, source=SERVER_KEY_SOURCE, email=VIC, phone=PHONE)
    for profile in ({"email": STRANGER, "phone": OTHER_PHONE}, {"email": None, "phone": None}):
        named = {kind: value for kind, value in profile.items() if value}
        known, left_out = routed(world, {"user_id": "u-1", **named}, city="Wuhan", **profile)
        assert left_out[:2] == ("unproven.email", "unproven.phone")
        assert (known.attributes["email"], known.attributes["phone"]) == (VIC, PHONE)
        assert (known.identities["email"], known.identities["phone"]) == ([VIC], [PHONE])
        assert known.attributes["city"] == "Wuhan"
    assert world.contacts.resolve({"email": STRANGER, "phone": OTHER_PHONE}) == {}


def test_the_first_address_is_taken_and_the_same_again_is_nothing_new(world: World) -> None:
    known, left_out = routed(world, {"user_id": "u-1", "email": VIC}, email=VIC)
    assert (known.attributes["email"], left_out) == (VIC, ())
    assert routed(world, {"user_id": "u-1", "email": VIC}, email=VIC)[1] == ()


@pytest.mark.parametrize("source", [WRITE_KEY_SOURCE, SERVER_KEY_SOURCE, "shop"])
def test_a_proven_user_a_server_and_a_signed_webhook_change_an_address(world: World, source: str) -> None:
    routed(world, {"user_id": "u-1", "email": VIC}, email=VIC)
    known, left_out = routed(world, {"user_id": "u-1", "email": STRANGER}, source=source, email=STRANGER)
    assert (known.attributes["email"], left_out) == (STRANGER, ())


def test_a_device_is_added_to_nobody_who_has_one(world: World) -> None:
    first, _ = routed(world, {"user_id": "u-1"}, push_tokens=TOKENS)
    assert first.attributes["push_tokens"] == TOKENS
    assert routed(world, {"user_id": "u-1"}, push_tokens=TOKENS)[1] == ()
    known, left_out = routed(world, {"user_id": "u-1"}, push_tokens=[{"token": "t-2", "platform": "ios"}])
    assert (known.attributes["push_tokens"], left_out) == (TOKENS, ("unproven.push_tokens",))


def test_a_visitor_with_another_address_is_not_joined_to_a_user(world: World) -> None:
    routed(world, {"user_id": "u-1", "email": VIC}, source=SERVER_KEY_SOURCE, email=VIC)
    routed(world, {"anonymous_id": "a-1", "email": STRANGER}, email=STRANGER)
    known, _ = routed(world, {"user_id": "u-1", "anonymous_id": "a-1"})
    assert (known.attributes["email"], known.absorbed) == (VIC, ())
    assert "anonymous_id" not in known.identities
    joined, _ = routed(world, {"user_id": "u-1", "anonymous_id": "a-1"}, source=SERVER_KEY_SOURCE)
    assert joined.identities["anonymous_id"] == ["a-1"]


def test_a_visitor_who_signs_in_is_joined_as_ever(world: World) -> None:
    routed(world, {"user_id": "u-1", "email": VIC}, source=SERVER_KEY_SOURCE, email=VIC)
    routed(world, {"anonymous_id": "a-1"}, kind="page_viewed")
    known, left_out = routed(world, {"user_id": "u-1", "anonymous_id": "a-1"})
    assert (known.identities["anonymous_id"], left_out) == (["a-1"], ())
    assert len(known.absorbed) == 1


def test_a_stranger_who_first_joins_a_visitor_to_somebody_still_changes_no_address(world: World) -> None:
    routed(world, {"email": VIC}, source=SERVER_KEY_SOURCE, email=VIC)
    routed(world, {"anonymous_id": "a-9", "email": VIC})
    known, left_out = routed(world, {"anonymous_id": "a-9"}, email=STRANGER)
    assert known.attributes["email"] == VIC
    assert left_out == ("unproven.email",)


def test_an_alias_joins_no_two_users_for_whoever_has_a_write_key() -> None:
    world = World(identity_rules=replace(BUILT_IN, alias_across=frozenset({"user_id"})))
    for user in ("u-1", "u-2"):
        routed(world, {"user_id": user}, source=SERVER_KEY_SOURCE)

    def alias(source: str) -> int:
        world.clock.advance(seconds=1)
        aliased = event("contact_aliased", world.clock(), contact={"user_id": "u-1"}, previous_id="u-2")
        world.route(replace(aliased, source=source))
        return len(world.contacts.living())

    assert alias(UNPROVEN_SOURCE) == 2
    assert alias(SERVER_KEY_SOURCE) == 1


def test_it_is_said_on_the_row_of_the_event(world: World) -> None:
    routed(world, {"user_id": "u-1", "email": VIC}, email=VIC)
    routed(world, {"user_id": "u-1"}, email=STRANGER)
    assert list(world.history.left_out.values()) == [["unproven.email"]]
