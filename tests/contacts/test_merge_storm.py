"""Many writers at once who say that three people are one: one contact is left, and no value is lost."""

from typing import Any

import pytest

from tests.contacts.interleaving import TakingTurns, Turns, until_done
from tests.contacts.people import NOON, minutes
from tests.fakes.clock import FakeClock
from tests.fakes.contacts import FakeContacts
from tests.fakes.queue import FakeQueue
from waypost.contacts.identity.announcements import announcements
from waypost.contacts.identity.merge_contacts import MergeContacts
from waypost.contacts.identity.record import record_on_contact
from waypost.contacts.identity.rules import BUILT_IN
from waypost.events.envelope import Event

PEOPLE = ({"user_id": "u-1"}, {"email": "lin@example.com"}, {"phone": "+8613800138000"})


def profile_event(number: int, contact: dict[str, str], **profile: Any) -> Event:
    return Event(
        f"e-{number}", "points_earned", contact, minutes(number), minutes(number), "shop", {"points": 1}, profile
    )


def record(event: Event, contacts: Any) -> Any:
    return record_on_contact(event, contacts=contacts, is_repeated=lambda _: False, clock=FakeClock(NOON))


def storm(count: int) -> list[Event]:
    """Identifies that each name two or three of the people and a device of their own, each with something to remember."""
    links = [{**PEOPLE[0], **PEOPLE[1]}, {**PEOPLE[1], **PEOPLE[2]}, {**PEOPLE[0], **PEOPLE[2]}]
    return [
        profile_event(
            10 + number, {**links[number % 3], "anonymous_id": f"a-{number % 40}"}, **{f"value_{number}": number}
        )
        for number in range(count)
    ]


@pytest.mark.parametrize(("count", "seed"), [(200, 1), *((12, seed) for seed in range(30))])
def test_in_every_order_there_is_one_contact_in_the_end(count: int, seed: int) -> None:
    contacts = FakeContacts()
    for number, person in enumerate(PEOPLE):
        record(profile_event(number, person, **{f"first_{number}": True}), contacts)
    turns, events = Turns(seed), storm(count)
    shared = TakingTurns(contacts, turns)
    turns.run([until_done(lambda event=event: record(event, shared), tries=count) for event in events])  # type: ignore[misc]

    (one,) = contacts.living()
    wanted = {f"value_{number}": number for number in range(count)} | {f"first_{number}": True for number in range(3)}
    assert {name: one.attributes.get(name) for name in wanted} == wanted
    assert one.points == count + 3
    named = {pair for event in events for pair in event.contact.items()}
    assert {(kind, value) for kind, values in one.identities.items() for value in values} == named
    assert all(contacts.load(owner) == one for owner in contacts.identities.values())
    assert set(one.partitions) == set(contacts.items)
    announced = announcements(one, contacts)
    assert sorted(event.properties["from"] for event in announced) == sorted(one.absorbed)


@pytest.mark.parametrize("seed", range(30))
def test_a_merge_undone_while_others_write_loses_nothing(seed: int) -> None:
    contacts = FakeContacts()
    for number, person in enumerate(PEOPLE[:2]):
        record(profile_event(number, person, **{f"first_{number}": True}), contacts)
    record(profile_event(5, {**PEOPLE[0], **PEOPLE[1]}), contacts)
    turns = Turns(seed)
    shared: Any = TakingTurns(contacts, turns)
    merger = MergeContacts(contacts=shared, queue=FakeQueue(), rules=BUILT_IN, clock=FakeClock(minutes(8)))
    events = [profile_event(10 + number, PEOPLE[number % 2], **{f"value_{number}": number}) for number in range(8)]
    turns.run(
        [
            *(until_done(lambda event=event: record(event, shared), tries=20) for event in events),  # type: ignore[misc]
            until_done(lambda: merger.undo(PEOPLE[0]), tries=20),
        ]
    )
    one, other = (contacts.load(contacts.identities[next(iter(each.items()))]) for each in PEOPLE[:2])
    assert one is not None
    assert other is not None
    assert one.contact_id != other.contact_id
    assert one.points + other.points == 3 + len(events)
    for number in range(len(events)):
        assert [f"value_{number}" in each.attributes for each in (one, other)].count(True) == 1
    assert "first_1" in other.attributes
    assert "first_1" not in one.attributes
