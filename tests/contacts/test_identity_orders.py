"""The order in which ids become known: the same calls give the same contacts."""

from dataclasses import replace
from itertools import permutations
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contacts.people import NOON
from tests.fakes.clock import FakeClock
from tests.fakes.contacts import FakeContacts
from waypost.contacts.identity.record import record_on_contact
from waypost.contacts.identity.rules import BUILT_IN, IdentityRules
from waypost.events.envelope import Event

Call = tuple[str, tuple[tuple[str, str], ...], str]
"""The event's type, whom it names and, of an alias, the previous id."""

BELIEVED = IdentityRules(alias_across=frozenset({"user_id"}))


def seen(**named: str) -> Call:
    return ("page_viewed", tuple(named.items()), "")


def alias(user_id: str, previous_id: str) -> Call:
    return ("contact_aliased", (("user_id", user_id),), previous_id)


def people(calls: tuple[Call, ...], rules: IdentityRules = BUILT_IN) -> Any:
    """Each contact: whom it is known as, and what happened to it."""
    contacts, happened = FakeContacts(), {}
    for call in calls:
        kind, named, previous = call
        event = Event(
            id=f"e-{call}",
            type=kind,
            contact=dict(named),
            occurred_at=NOON,
            received_at=NOON,
            source="segment",
            properties={"previous_id": previous} if previous else {},
        )
        recorded, *_ = record_on_contact(
            event, contacts=contacts, is_repeated=lambda _: False, clock=FakeClock(NOON), identity_rules=rules
        )
        happened[call] = recorded.contact_id
    found: dict[str, set[Call]] = {each.contact_id: set() for each in contacts.living()}
    for call, contact_id in happened.items():
        owner = contacts.load(contact_id)
        assert owner is not None
        found[owner.contact_id].add(call)
    return {
        (
            frozenset((kind, value) for kind, values in contacts[contact_id].identities.items() for value in values),
            frozenset(calls_of),
        )
        for contact_id, calls_of in found.items()
    }


def test_an_alias_of_a_visitor_known_before_takes_the_history_along() -> None:
    (one,) = people((seen(anonymous_id="alx-1"), alias("alxu-1", "alx-1")))

    assert one == (
        {("anonymous_id", "alx-1"), ("user_id", "alxu-1")},
        {seen(anonymous_id="alx-1"), alias("alxu-1", "alx-1")},
    )


def test_a_visitor_that_is_another_user_by_now_stays_theirs() -> None:
    calls = (seen(user_id="u-9", anonymous_id="a-1"), alias("u-1", "a-1"))

    assert {frozenset(known) for known, _ in people(calls)} == {
        frozenset({("user_id", "u-9"), ("anonymous_id", "a-1")}),
        frozenset({("user_id", "u-1")}),
    }


def test_nobody_becomes_a_contact_that_was_erased() -> None:
    contacts = FakeContacts()
    event = Event("e-1", "page_viewed", {"anonymous_id": "a-1"}, NOON, NOON, "segment")
    record_on_contact(event, contacts=contacts, is_repeated=lambda _: False, clock=FakeClock(NOON))
    (gone,) = contacts.living()
    contacts.put(replace(gone, erased=True))

    aliased = Event("e-2", "contact_aliased", {"user_id": "u-1"}, NOON, NOON, "segment", {"previous_id": "a-1"})
    recorded, *_ = record_on_contact(aliased, contacts=contacts, is_repeated=lambda _: False, clock=FakeClock(NOON))

    assert recorded.contact_id != gone.contact_id


def test_two_users_and_an_alias_between_them() -> None:
    calls = (seen(user_id="u-1"), seen(user_id="u-2"), alias("u-2", "u-1"), seen(anonymous_id="u-1"))

    apart, joined = ([people(order, rules) for order in permutations(calls)] for rules in (BUILT_IN, BELIEVED))

    assert all(each == apart[0] for each in apart)
    assert all(each == joined[0] for each in joined)
    assert (len(apart[0]), len(joined[0])) == (2, 1)


VISITORS = st.sampled_from(["a-1", "a-2", "a-3"])
USER = st.just("u-1")
CALLS = st.one_of(
    st.builds(alias, USER, VISITORS),
    st.builds(lambda visitor: seen(anonymous_id=visitor), VISITORS),
    st.builds(lambda user: seen(user_id=user), USER),
    st.builds(lambda user, visitor: seen(user_id=user, anonymous_id=visitor), USER, VISITORS),
    st.builds(lambda visitor: seen(anonymous_id=visitor, email="lin@example.com"), VISITORS),
    st.builds(lambda user: seen(user_id=user, email="lin@example.com"), USER),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(CALLS, min_size=2, max_size=5, unique=True))
def test_any_order_of_the_same_calls_gives_the_same_contacts(calls: list[Call]) -> None:
    expected = people(tuple(calls))

    for order in permutations(calls):
        assert people(order) == expected
