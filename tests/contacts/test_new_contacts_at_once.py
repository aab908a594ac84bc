"""New people of whom several events come at one moment, in every order, with writers that die between two writes."""

import random
from collections.abc import Callable
from typing import Any, Final

import pytest

from tests.contacts.interleaving import Turns
from tests.contacts.people import NOON, minutes
from tests.fakes.clock import FakeClock
from tests.fakes.contacts import FakeContacts
from waypost.contacts.identity.record import record_on_contact
from waypost.contacts.identity.rules import BUILT_IN
from waypost.contacts.profile import Contact
from waypost.errors import ConcurrentUpdate
from waypost.events.envelope import Event

VALUES: Final = {
    "user_id": ("u-1", "u-2"),
    "anonymous_id": ("a-1", "a-2"),
    "email": ("lin@example.com", "mei@example.com"),
    "phone": ("+8613800138000", "+8613800138001"),
}
DELIVERIES: Final = 60


class Died(BaseException):
    """The writer is gone; its event is delivered again."""


class Mortal:
    """A store whose every call, and every write of a new contact, waits for its turn, and of which some callers die there."""

    def __init__(self, contacts: FakeContacts, turns: Turns, chance: Callable[[], float], deaths: float) -> None:
        self._contacts, self._turns, self._chance, self._deaths = contacts, turns, chance, deaths
        contacts.between = self._turn

    def _turn(self) -> None:
        self._turns.wait()
        if self._chance() < self._deaths:
            raise Died

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._contacts, name)

        def in_turn(*args: Any, **kwargs: Any) -> Any:
            self._turn()
            return call(*args, **kwargs)

        return in_turn


def some_events(chance: random.Random) -> list[Event]:
    """Three to six events of one moment, most of which earn a point; each says something of its own."""
    found = []
    for number in range(chance.randint(3, 6)):
        kinds = chance.sample(sorted(VALUES), chance.choice([1, 2, 2, 3]))
        named = {kind: chance.choice(VALUES[kind]) for kind in kinds}
        kind = chance.choice(["points_earned", "points_earned", "identified"])
        at = minutes(number)
        found.append(Event(f"e-{number}", kind, named, at, at, "shop", {"points": 1}, {f"value_{number}": number}))
    return found


def delivered(event: Event, store: Any, done: set[str]) -> Callable[[], None]:
    """The event, delivered until it is applied, as a queue does."""

    def deliver() -> None:
        for _ in range(DELIVERIES):
            try:
                record_on_contact(event, contacts=store, is_repeated=lambda _: event.id in done, clock=FakeClock(NOON))
            except (ConcurrentUpdate, Died):
                continue
            done.add(event.id)
            return
        raise AssertionError(f"{event.id} is never applied")

    return deliver


def check(contacts: FakeContacts, events: list[Event]) -> None:
    """Every identity leads to the contact that lists it, and each value of a person is there once."""
    living = {contact.contact_id: contact for contact in contacts.living()}
    for (kind, value), owner in contacts.identities.items():
        contact = contacts.load(owner)
        assert contact is not None, f"{kind} {value} leads to nobody"
        assert value in contact.identities[kind]
    for contact in living.values():
        assert len(contact.identities.get("user_id", ())) <= 1, "two users became one"
        for kind, values in contact.identities.items():
            for value in values:
                led: Contact | None = contacts.load(contacts.identities[kind, value])
                assert led == contact, f"{kind} {value} is listed and leads elsewhere"
    assert sum(contact.points for contact in living.values()) == sum(each.type == "points_earned" for each in events)
    for number, event in enumerate(events):
        holders = [each for each in living.values() if each.attributes.get(f"value_{number}") == number]
        assert len(holders) == 1, f"{event.id} is remembered by {len(holders)} contacts"
        named = {
            contact.contact_id: contact
            for kind, value in event.contact.items()
            if (contact := contacts.load(contacts.identities[kind, value]))
        }
        assert holders[0].contact_id in named
        given = {kind: [value] for kind, value in event.contact.items()}
        for other in named.values():
            clash = BUILT_IN.clash(holders[0].identities, other.identities) or BUILT_IN.clash(other.identities, given)
            assert other == holders[0] or clash, f"{event.id} names one person who is two contacts"


@pytest.mark.parametrize("deaths", [0.0, 0.05, 0.2])
@pytest.mark.parametrize("block", range(4))
def test_in_every_order_each_identity_leads_to_whoever_lists_it(deaths: float, block: int) -> None:
    for seed in range(block, 400, 4):
        chance = random.Random(seed)  # noqa: S311 - a test that must be repeatable
        contacts, turns, events = FakeContacts(), Turns(seed), some_events(chance)
        store, done = Mortal(contacts, turns, chance.random, deaths), set[str]()
        try:
            turns.run([delivered(event, store, done) for event in events])
            check(contacts, events)
        except BaseException as failure:
            failure.add_note(f"seed {seed}")
            raise


LIN: Final = {"user_id": "u-1", "email": "lin@example.com"}


def event_of(number: int, **named: str) -> Event:
    at = minutes(number)
    return Event(f"e-{number}", "identified", named, at, at, "shop", {}, {f"value_{number}": number})


def record(event: Event, contacts: FakeContacts) -> Contact:
    return record_on_contact(event, contacts=contacts, is_repeated=lambda _: False, clock=FakeClock(NOON)).contact


def half_stored() -> FakeContacts:
    """Lin's identities lead to a contact whose writer died before it was stored."""
    contacts, writes = FakeContacts(), iter([None, Died])

    def dies() -> None:
        if (death := next(writes, None)) is not None:
            raise death

    contacts.between = dies
    with pytest.raises(Died):
        record(event_of(1, **LIN), contacts)
    contacts.between = lambda: None
    assert len(contacts) == 0
    return contacts


def test_what_names_a_contact_stores_it_and_finds_its_other_identities() -> None:
    contacts = half_stored()
    lin = record(event_of(2, user_id="u-1"), contacts)
    assert lin.identities == {"user_id": ["u-1"]}
    assert record(event_of(3, email="lin@example.com"), contacts).identities == {kind: [LIN[kind]] for kind in LIN}


def test_what_does_not_name_it_waits_and_is_nobody_elses() -> None:
    contacts = half_stored()
    for stranger in (event_of(2, email="lin@example.com"), event_of(3, email="lin@example.com", user_id="u-2")):
        with pytest.raises(ConcurrentUpdate):
            record(stranger, contacts)
    record(event_of(1, **LIN), contacts)
    assert record(event_of(3, email="lin@example.com", user_id="u-2"), contacts).identities == {"user_id": ["u-2"]}


def test_an_identity_whose_writer_never_comes_back_is_released() -> None:
    contacts = half_stored()
    contacts.abandoned = lambda *_: True
    with pytest.raises(ConcurrentUpdate):
        record(event_of(2, email="lin@example.com"), contacts)
    someone = record(event_of(2, email="lin@example.com"), contacts)
    assert someone.identities == {"email": ["lin@example.com"]}
    lin = record(event_of(1, **LIN), contacts)
    assert lin.identities == {kind: [LIN[kind]] for kind in LIN}
    assert contacts.living() == [lin]


def test_an_identity_that_leads_to_an_absorbed_id_leads_to_whoever_lists_it() -> None:
    contacts = half_stored()
    record(event_of(2, user_id="u-1"), contacts)
    record(event_of(3, anonymous_id="a-1"), contacts)
    joined = record(event_of(4, anonymous_id="a-1", user_id="u-1"), contacts)
    assert joined.absorbed
    lin = record(event_of(5, email="lin@example.com"), contacts)
    assert lin.identities["email"] == ["lin@example.com"]
    assert contacts.identities["email", "lin@example.com"] == lin.contact_id
