"""Many contacts read at once, on DynamoDB in moto."""

from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.clock import FakeClock
from waypost.aws.bulk_contacts import DynamoBulkContacts
from waypost.contacts.profile import Contact


@pytest.fixture
def contacts(dynamodb: Any, table: str) -> DynamoBulkContacts:
    return DynamoBulkContacts(dynamodb, table)


def test_more_than_one_call_takes_are_found_in_order(contacts: DynamoBulkContacts, clock: FakeClock) -> None:
    for number in range(120):
        contact = Contact(f"c-{number}", clock(), identities={"user_id": [f"u-{number}"]})
        assert contacts.save(contact, claim={"user_id": f"u-{number}"})
    asked = [{"user_id": f"u-{number}", "email": "nobody@example.com"} for number in (*range(130), 3)]
    found = contacts.resolve_many(asked)
    assert found == [{"user_id": f"c-{number}"} if number < 120 else {} for number in (*range(130), 3)]
    loaded = contacts.load_many({f"c-{number}" for number in range(130)})
    assert loaded.keys() == {f"c-{number}" for number in range(120)}
    assert all(contact.version == 1 for contact in loaded.values())
    assert contacts.resolve_many([]) == []
    assert contacts.load_many(()) == {}


def test_a_contact_that_was_merged_away_is_found_where_it_went(contacts: DynamoBulkContacts, clock: FakeClock) -> None:
    contacts.save(Contact("c-new", clock(), tags=frozenset({"vip"})), claim={})
    contacts.save(replace(Contact("c-old", clock()), merged_into="c-new"), claim={"email": "old@example.com"})
    [owners] = contacts.resolve_many([{"email": "old@example.com"}])
    assert contacts.load_many(owners.values())["c-old"].tags == {"vip"}
