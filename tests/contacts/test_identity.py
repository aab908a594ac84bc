"""Whose event it is: identities that lead to a contact, new ones, shared ones."""

from datetime import timedelta

import pytest

from tests.contacts.people import addresses
from tests.fakes.world import CONTACT, World, event
from waypost import ids
from waypost.errors import ConcurrentUpdate, ContactNotFound, InvalidInput
from waypost.events.envelope import IDENTITY_KINDS


@pytest.fixture
def world() -> World:
    return World()


def routed(world: World, **contact: str) -> str:
    """Route an event with these identities; gives the contact's id."""
    world.clock.advance(seconds=1)
    return world.route(event("page_viewed", world.clock(), contact=contact)).contact_id


@pytest.mark.parametrize("kind", IDENTITY_KINDS)
def test_a_new_contact_is_named_after_its_identity(world: World, kind: str) -> None:
    assert routed(world, **{kind: "x-1"}) == ids.contact_id(kind, "x-1")


def test_the_strongest_identity_names_a_new_contact(world: World) -> None:
    contact_id = routed(world, phone="+861", email="lin@example.com", anonymous_id="a-1", user_id="u-1")
    assert contact_id == CONTACT == ids.contact_id("user_id", "u-1")
    assert world.contacts[contact_id].identities == {
        "user_id": ["u-1"],
        "anonymous_id": ["a-1"],
        "email": ["lin@example.com"],
        "phone": ["+861"],
    }


def test_a_visitor_who_signs_in_stays_the_same_contact(world: World) -> None:
    visitor = routed(world, anonymous_id="a-1")
    assert routed(world, anonymous_id="a-1", user_id="u-1") == visitor
    assert routed(world, user_id="u-1") == visitor
    assert routed(world, anonymous_id="a-2", user_id="u-1") == visitor
    assert routed(world, anonymous_id="a-2") == visitor
    assert world.contacts[visitor].identities == {"anonymous_id": ["a-1", "a-2"], "user_id": ["u-1"]}
    assert len(world.contacts) == 1


def test_two_users_of_one_mailbox_stay_two_contacts(world: World) -> None:
    first = routed(world, user_id="u-1", email="family@example.com")
    second = routed(world, user_id="u-2", email="family@example.com")
    assert first != second
    assert world.contacts.identities["email", "family@example.com"] == first
    assert "email" not in world.contacts[second].identities
    assert routed(world, user_id="u-2", email="family@example.com") == second
    assert routed(world, email="family@example.com") == first


def test_two_users_of_one_device_stay_two_contacts(world: World) -> None:
    first = routed(world, user_id="u-1", anonymous_id="a-1")
    second = routed(world, user_id="u-2", anonymous_id="a-1")
    assert first != second
    assert routed(world, anonymous_id="a-1") == first


def test_of_two_contacts_that_may_not_be_one_the_stronger_identity_decides(world: World) -> None:
    by_mail = routed(world, user_id="u-2", email="lin@example.com")
    by_user = routed(world, user_id="u-1")
    assert by_mail != by_user
    assert routed(world, user_id="u-1", email="lin@example.com") == by_user
    assert routed(world, email="lin@example.com") == by_mail
    assert world.contacts[by_user].identities == {"user_id": ["u-1"]}


def test_an_address_of_nobody_in_particular_proves_that_it_is_the_users_own(world: World) -> None:
    by_mail = routed(world, email="lin@example.com")
    by_user = routed(world, user_id="u-1")
    assert routed(world, user_id="u-1", email="lin@example.com") == by_user
    assert routed(world, email="lin@example.com") == by_user
    assert world.contacts[by_mail].merged_into == by_user
    assert [each.contact_id for each in world.contacts.living()] == [by_user]


def test_a_known_contact_id_decides_and_links_what_is_new(world: World) -> None:
    contact_id = routed(world, user_id="u-1")
    assert routed(world, contact_id=contact_id, phone="+861") == contact_id
    assert routed(world, phone="+861") == contact_id


def test_an_unknown_contact_id_is_no_new_contact(world: World) -> None:
    with pytest.raises(ContactNotFound, match="c-nobody"):
        routed(world, contact_id="c-nobody", user_id="u-1")
    assert len(world.contacts) == 0


def test_an_identity_that_leads_nowhere_is_no_new_contact(world: World) -> None:
    world.contacts.identities["user_id", "u-1"] = "c-gone"
    with pytest.raises(ConcurrentUpdate, match="its user_id leads to c-gone, which is not stored"):
        routed(world, user_id="u-1")
    assert len(world.contacts) == 0
    assert world.contacts.resolve({"user_id": "u-1"}) == {"user_id": "c-gone"}


def test_an_event_about_nobody_says_so(world: World) -> None:
    with pytest.raises(InvalidInput, match="names none of contact_id, user_id"):
        routed(world)
    with pytest.raises(InvalidInput):
        routed(world, passport="p-1")


def test_an_address_given_as_identity_becomes_the_address_if_there_is_none(world: World) -> None:
    contact_id = routed(world, user_id="u-1", email="first@example.com")
    routed(world, user_id="u-1", email="second@example.com")
    contact = world.contacts[contact_id]
    assert addresses(contact, "email") == ["first@example.com"]
    assert contact.identities["email"] == ["first@example.com", "second@example.com"]
    assert addresses(contact, "sms") == []


def test_a_removed_address_comes_back_by_an_event_that_names_it_later_and_by_no_late_one(world: World) -> None:
    contact_id = routed(world, user_id="u-1", email="lin@example.com")
    before = world.clock()
    world.clock.advance(minutes=1)
    world.route(event("profile_updated", world.clock(), contact={"user_id": "u-1"}, profile={"email": None}))
    who = {"user_id": "u-1", "email": "lin@example.com"}
    world.route(event("page_viewed", before, contact=who, properties={"page": "late"}))
    assert addresses(world.contacts[contact_id], "email") == []
    routed(world, **who)
    named = world.contacts[contact_id]
    assert addresses(named, "email") == ["lin@example.com"]
    assert "email" not in named.attributes_at, "no event has set it, so any value is newer"


def test_another_contacts_address_does_not_become_ones_own(world: World) -> None:
    routed(world, user_id="u-1", email="family@example.com")
    second = routed(world, user_id="u-2", email="family@example.com")
    assert addresses(world.contacts[second], "email") == []


def test_a_writer_who_was_second_reads_again(world: World) -> None:
    contact_id = routed(world, user_id="u-1")
    other = event("identified", world.clock(), "e-other", profile={"city": "Wuhan"})
    world.contacts.before_save = lambda: world.route(other)
    world.route(event("identified", world.clock(), "e-mine", profile={"name": "Lin"}))
    assert world.contacts[contact_id].attributes == {"city": "Wuhan", "name": "Lin"}


def test_of_two_events_that_bring_the_same_new_contact_both_end_at_it(world: World) -> None:
    other = event("identified", world.clock(), "e-other", contact={"email": "lin@example.com"}, profile={"n": 1})
    world.contacts.before_save = lambda: world.route(other)
    mine = event(
        "identified", world.clock(), "e-mine", contact={"user_id": "u-1", "email": "lin@example.com"}, profile={"m": 2}
    )
    contact_id = world.route(mine).contact_id
    (one,) = world.contacts.living()
    assert one.contact_id == contact_id
    assert set(one.partitions) == {ids.contact_id("user_id", "u-1"), ids.contact_id("email", "lin@example.com")}
    assert one.attributes == {"email": "lin@example.com", "n": 1, "m": 2}
    assert one.identities == {"user_id": ["u-1"], "email": ["lin@example.com"]}


def test_a_contact_that_others_change_all_the_time_is_left_for_a_retry(world: World) -> None:
    routed(world, user_id="u-1")

    def change() -> None:
        contact = world.contacts[CONTACT]
        world.contacts.put(contact)
        world.contacts.before_save = change

    world.contacts.before_save = change
    with pytest.raises(ConcurrentUpdate):
        world.route_events.route(event("identified", world.clock() + timedelta(seconds=1), profile={"name": "Lin"}))


def test_an_event_that_says_nothing_new_writes_no_contact(world: World) -> None:
    routed(world, user_id="u-1")
    version = world.contacts[CONTACT].version
    routed(world, user_id="u-1")
    assert world.contacts[CONTACT].version == version
