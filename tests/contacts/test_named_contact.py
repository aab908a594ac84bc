"""A contact is found by any identity in any spelling that the doors accept, as it was stored."""

import pytest

from tests.contacts.people import contact
from tests.fakes.contacts import FakeContacts
from waypost.contacts.identity.named_contact import find_by_any

WEI = contact(
    "c-1",
    identities={
        "phone": ["+8613800138000"],
        "email": ["wei@example.com"],
        "user_id": ["W-7", "wei@shop.example.com"],
        "openid": ["wx-shop:oAbC"],
    },
)


@pytest.mark.parametrize(
    "text",
    [
        "+8613800138000", "13800138000", "8613800138000", "008613800138000", "138 0013 8000", "+86 138-0013-8000",
        "１３８００１３８０００", "wei@example.com", "Wei@Example.COM", " WEI@example.com ", "W-7", " W-7 ", "Wei@Shop.Example.com", "wx-shop:oAbC",
    ],
)  # fmt: skip
def test_every_spelling_of_an_identity_finds_its_contact(text: str) -> None:
    contacts = FakeContacts()
    contacts.put(WEI)
    assert find_by_any(contacts, text) == "c-1"


@pytest.mark.parametrize("text", ["w-7", "13800138001", "wei@example.org", "c-1", "", "  ", "@", "OABC"])
def test_another_identity_finds_nobody(text: str) -> None:
    contacts = FakeContacts()
    contacts.put(WEI)
    assert find_by_any(contacts, text) is None


def test_an_id_that_looks_like_a_phone_number_is_found_as_what_it_is() -> None:
    contacts = FakeContacts()
    contacts.put(WEI)
    contacts.put(contact("c-2", identities={"user_id": ["13800138000"]}))
    assert find_by_any(contacts, "13800138000") == "c-2"
    assert find_by_any(contacts, "+8613800138000") == "c-1"


def test_an_address_that_was_stored_before_it_could_be_cleaned_is_found_as_it_stands() -> None:
    contacts = FakeContacts()
    contacts.put(contact("c-3", identities={"email": ["Old@Example.test"]}))
    assert find_by_any(contacts, "Old@Example.test") == "c-3"
