"""What every ContactStore must do."""

from dataclasses import MISSING, fields, replace
from datetime import timedelta
from typing import Any

from tests.adapters.stores import Stores
from tests.fakes.clock import FakeClock
from tests.fakes.world import event
from waypost.contacts.consent import Consent
from waypost.contacts.fitting import FULLEST
from waypost.contacts.identity.record import Recorded, record_on_contact
from waypost.contacts.profile import Contact
from waypost.item_size import stored_size


def contact(clock: FakeClock, contact_id: str = "c-1", **attributes: object) -> Contact:
    return Contact(
        contact_id=contact_id,
        created_at=clock(),
        attributes={"name": "Lin", "ratio": 0.1, "orders": 3, "nested": {"a": [1, None, True]}, **attributes},
        attributes_at={"name": clock()},
        identities={"user_id": ["u-1"]},
        tags=frozenset({"vip", "new"}),
        consents={"email/*": Consent(granted=True, at=clock(), source="shop")},
        suppressions={"sms": "invalid_number"},
        kept_apart=frozenset({("c-1", "c-2"), ("c-1", "c-3")}),
    )


def test_a_saved_contact_comes_back_as_it_was_one_version_later(stores: Stores, clock: FakeClock) -> None:
    saved = contact(clock)
    assert stores.contacts.save(saved, claim={"user_id": "u-1"})
    assert stores.contacts.load("c-1") == replace(saved, version=1)
    assert stores.contacts.glance("c-1") == replace(saved, version=1)


def test_an_unknown_contact_is_none_and_unknown_identities_lead_nowhere(stores: Stores) -> None:
    assert (stores.contacts.load("c-1"), stores.contacts.glance("c-1")) == (None, None)
    assert stores.contacts.resolve({"user_id": "u-1", "email": "lin@example.com"}) == {}
    assert stores.contacts.resolve({}) == {}


def test_claimed_identities_lead_to_the_contact(stores: Stores, clock: FakeClock) -> None:
    assert stores.contacts.save(contact(clock), claim={"user_id": "u-1", "email": "lin@example.com"})
    found = stores.contacts.resolve({"user_id": "u-1", "email": "lin@example.com", "phone": "+861"})
    assert found == {"user_id": "c-1", "email": "c-1"}


def test_the_same_value_of_another_kind_is_another_identity(stores: Stores, clock: FakeClock) -> None:
    assert stores.contacts.save(contact(clock), claim={"user_id": "x"})
    assert stores.contacts.resolve({"anonymous_id": "x"}) == {}


def test_of_two_writers_of_a_new_contact_one_wins(stores: Stores, clock: FakeClock) -> None:
    assert stores.contacts.save(contact(clock, name="first"), claim={})
    assert not stores.contacts.save(contact(clock, name="second"), claim={})
    stored = stores.contacts.load("c-1")
    assert stored is not None
    assert stored.attributes["name"] == "first"


def test_of_two_writers_who_read_the_same_version_one_wins(stores: Stores, clock: FakeClock) -> None:
    stores.contacts.save(contact(clock), claim={})
    read = stores.contacts.load("c-1")
    assert read is not None
    assert stores.contacts.save(replace(read, tags=frozenset({"first"})), claim={})
    assert not stores.contacts.save(replace(read, tags=frozenset({"second"})), claim={})
    stored = stores.contacts.load("c-1")
    assert stored is not None
    assert (stored.tags, stored.version) == (frozenset({"first"}), 2)


def test_an_identity_belongs_to_who_claimed_it_first_and_the_loser_writes_nothing(
    stores: Stores, clock: FakeClock
) -> None:
    assert stores.contacts.save(contact(clock), claim={"email": "shared@example.com"})
    other = contact(clock, contact_id="c-2")
    assert not stores.contacts.save(other, claim={"email": "shared@example.com", "user_id": "u-2"})
    assert stores.contacts.load("c-2") is None
    assert stores.contacts.resolve({"email": "shared@example.com", "user_id": "u-2"}) == {"email": "c-1"}


def test_claiming_ones_own_identity_again_is_allowed(stores: Stores, clock: FakeClock) -> None:
    stores.contacts.save(contact(clock), claim={"email": "lin@example.com"})
    read = stores.contacts.load("c-1")
    assert read is not None
    assert stores.contacts.save(read, claim={"email": "lin@example.com"})


def test_times_keep_their_milliseconds_and_no_more(stores: Stores, clock: FakeClock) -> None:
    clock.now += timedelta(microseconds=1_999)
    stores.contacts.save(contact(clock), claim={})
    stored = stores.contacts.load("c-1")
    assert stored is not None
    assert stored.created_at.microsecond == 1_000


def test_a_field_that_is_empty_stays_away_from_the_stored_profile_and_reads_as_its_default() -> None:
    defaults = {
        each.name: each.default_factory() if each.default_factory is not MISSING else each.default
        for each in fields(Contact)
    }
    assert {name for name, value in defaults.items() if value is MISSING} == {"contact_id", "created_at"}
    assert not [name for name, value in defaults.items() if value is not MISSING and value]


def test_a_contact_of_whom_nothing_is_known_comes_back_as_it_was(stores: Stores, clock: FakeClock) -> None:
    unknown = Contact(contact_id="c-9", created_at=clock(), consents={"sms/*": Consent(False, clock(), "shop")})
    assert stores.contacts.save(unknown, claim={})
    assert stores.contacts.load("c-9") == replace(unknown, version=1)


def test_a_contact_that_calls_have_filled_is_stored_and_takes_an_unsubscribe(stores: Stores, clock: FakeClock) -> None:
    """The calls that once filled an item of the real table to its last byte."""
    for number in range(31):
        names = max(1, 2_400 >> max(0, number - 3))
        traits = {f"t{number}_{each}": 0 for each in range(names)} | {
            "tags": [f"{number}-{each}" + "t" * 90 for each in range(60)]
        }
        _recorded(stores, clock, "identified", profile=traits, number=number)
    full = stores.contacts.load(_recorded(stores, clock, "page_viewed", number=40).contact.contact_id)
    assert full is not None
    assert 240_000 < stored_size(full.to_dict()) < FULLEST + 1_000
    recorded = _recorded(stores, clock, "unsubscribed", number=41, channel="email")
    left = stores.contacts.load(recorded.contact.contact_id)
    assert left is not None
    assert left.consent("email", "offers") == "withdrawn"


def _recorded(
    stores: Stores, clock: FakeClock, kind: str, *, number: int, profile: Any = None, **properties: Any
) -> Recorded:
    clock.advance(seconds=1)
    happened = event(kind, clock(), id=f"e-{number}", profile=profile, **properties)
    return record_on_contact(happened, contacts=stores.contacts, is_repeated=lambda _: False, clock=clock)


def test_an_identity_of_a_stored_contact_is_never_released(stores: Stores, clock: FakeClock) -> None:
    assert stores.contacts.save(contact(clock), claim={"user_id": "u-1"})
    stores.contacts.release("user_id", "u-1", "c-1")
    assert stores.contacts.resolve({"user_id": "u-1"}) == {"user_id": "c-1"}


def test_what_a_new_contact_could_not_claim_is_not_stored(stores: Stores, clock: FakeClock) -> None:
    assert stores.contacts.save(contact(clock), claim={"email": "lin@example.com"})
    other = contact(clock, "c-2")
    assert not stores.contacts.save(other, claim={"user_id": "u-2", "email": "lin@example.com"})
    assert stores.contacts.load("c-2") is None
    assert stores.contacts.resolve({"user_id": "u-2", "email": "lin@example.com"}) == {"user_id": "c-2", "email": "c-1"}
