"""The contact with one identity: found, or stored with nothing else, while others store it."""

import pytest

from tests.fakes.world import World
from waypost import ids
from waypost.clock import parse_instant
from waypost.contacts.identity.contact_with import contact_with
from waypost.contacts.profile import Contact
from waypost.errors import ConcurrentUpdate

AT = parse_instant("2027-03-01T01:59:50.000Z")
CUSTOMER = "woAJ2GCAAAXtWyujaWJHDDGi0mACAAAA"


def found(world: World) -> Contact:
    return contact_with("external_userid", CUSTOMER, contacts=world.contacts, at=AT, now=world.clock())


def test_a_new_one_is_stored_once_with_the_identity(world: World) -> None:
    contact = found(world)
    assert contact.contact_id == ids.contact_id("external_userid", CUSTOMER)
    assert contact.identities == {"external_userid": [CUSTOMER]}
    assert (found(world), contact.version) == (contact, 1)


def test_a_known_one_is_found_whatever_it_is_named_by(world: World) -> None:
    known = world.have_contact(identities={"user_id": ["u-1"], "external_userid": [CUSTOMER]})
    assert found(world).contact_id == known.contact_id


def test_an_identity_of_a_contact_that_is_being_stored_waits_for_its_writer(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.contacts, "resolve", lambda _: {"external_userid": ids.contact_id("user_id", "u-2")})
    with pytest.raises(ConcurrentUpdate):
        found(world)
