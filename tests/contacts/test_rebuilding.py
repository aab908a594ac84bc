"""A profile rebuilt from its events equals the stored one, whatever came in whatever order."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.clock import FakeClock
from tests.fakes.contacts import FakeContacts
from tests.fakes.history import FakeHistory
from tests.fakes.queue import FakeQueue
from waypost.contacts.identity.record import record_on_contact
from waypost.contacts.profile import Contact, with_tags
from waypost.contacts.rebuilding import COMPARED, Rebuilder
from waypost.errors import ConcurrentUpdate, ContactNotFound, InvalidInput
from waypost.events.envelope import Event
from waypost.events.history import AppliedEvent

START = datetime(2027, 3, 1, 2, 0, tzinfo=UTC)
USER = {"user_id": "u-1"}
PEOPLE = [
    USER,
    {"anonymous_id": "a-1"},
    USER | {"anonymous_id": "a-1"},
    USER | {"email": "u1@example.com"},
    {"email": "u1@example.com"},
]
PROFILES: list[dict[str, Any]] = [
    {"city": "Shanghai"},
    {"city": None, "level": 2},
    {"tags": ["vip", "new"]},
    {"remove_tags": ["new"]},
    {"groups": ["club"]},
    {"leave_groups": ["club"]},
    {"consent": {"email": True}},
    {"consent": {"email": False, "sms": True}},
    {"email": "other@example.com"},
    {},
]
KINDS: list[tuple[str, dict[str, Any], str]] = [
    ("page_viewed", {}, "shop"),
    ("order_placed", {"total": 5}, "shop"),
    ("contact_updated", {}, "waypost"),
    ("contact_imported", {}, "waypost"),
    ("points_earned", {"points": 30}, "shop"),
    ("points_spent", {"points": 10}, "shop"),
    ("group_joined", {"group": "club"}, "shop"),
    ("consent_granted", {"channel": "email", "topic": "news"}, "shop"),
    ("unsubscribed", {}, "shop"),
    ("message_bounced", {"channel": "email", "address": "a1", "suppression": "hard_bounce"}, "waypost.ses"),
    ("message_complained", {"channel": "email", "address": "a1", "suppression": "complaint"}, "waypost.ses"),
    ("message_bounced", {"channel": "sms", "address": "a2", "suppression": "invalid_number"}, "waypost.sms"),
]


class Applied(FakeHistory):
    """A history that also gives whole events, as the table does."""

    def applied(self, contact_id: str, *, since: date | None = None) -> list[AppliedEvent]:
        """See TableEvents and ArchivedEvents."""
        return [
            AppliedEvent.from_dict(json.loads(item) | {"profile_version": self.versions[place]})
            for place, item in self.events.items()
            if place[0] == contact_id
        ]


class World:
    """The part of the system that makes profiles."""

    def __init__(self) -> None:
        self.contacts, self.history, self.queue = FakeContacts(), Applied(), FakeQueue()
        self.clock = FakeClock(START)

    def route(self, event: Event) -> Contact:
        """What the router does before journeys come in."""
        contact, repeated, _ = record_on_contact(
            event,
            contacts=self.contacts,
            is_repeated=lambda contact_ids: self.history.is_routed(contact_ids, event.id),
            clock=self.clock,
        )
        if not repeated:
            self.history.record(contact.contact_id, event, routed_at=self.clock(), version=contact.version)
            self.history.mark_routed(contact.contact_id, event, at=self.clock(), decisions=[])
        return contact

    def rebuilder(self, *, archive: Applied | None = None) -> Rebuilder:
        return Rebuilder(
            contacts=self.contacts, table=self.history, archive=archive, queue=self.queue, clock=self.clock
        )


def event(
    number: int, kind: str = "page_viewed", *, at: int = 0, contact: dict[str, str] = USER, profile: dict[str, Any] | None = None,
    properties: dict[str, Any] | None = None, source: str = "shop",
) -> Event:  # fmt: skip
    """An event that occurred ``at`` minutes after the start."""
    occurred = START + timedelta(minutes=at)
    return Event(f"e-{number}", kind, contact, occurred, occurred, source, properties or {}, profile or {})


events = st.lists(
    st.tuples(
        st.sampled_from(KINDS), st.integers(-90, 0), st.sampled_from(PEOPLE), st.sampled_from(PROFILES), st.booleans(), st.integers(0, 2)
    ),
    min_size=1,
    max_size=25,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(events)
def test_a_rebuilt_profile_equals_the_stored_one(given_events: list[Any]) -> None:
    world = World()
    touched = set()
    for number, ((kind, properties, source), at, contact, profile, again, minutes) in enumerate(given_events):
        happened = event(number, kind, at=at, contact=contact, profile=profile, properties=properties, source=source)
        touched.add(world.route(happened).contact_id)
        if again:
            world.route(happened)
        world.clock.advance(minutes=minutes)
    world.clock.advance(hours=1)
    for contact_id in touched:
        found = world.rebuilder().compare(contact_id)
        assert found.differences == ()
        assert all(
            getattr(found.rebuilt, field) == getattr(found.stored, field) for field in COMPARED if field != "identities"
        )


def test_late_events_do_not_overwrite_newer_ones_in_the_rebuilt_profile_either() -> None:
    world = World()
    world.route(event(1, at=10, profile={"city": "Shanghai"}))
    contact = world.route(event(2, at=5, profile={"city": "Beijing"}))
    assert world.rebuilder().compare(contact.contact_id).rebuilt.attributes["city"] == "Shanghai"


def test_what_is_gone_from_the_table_is_taken_from_the_archive() -> None:
    world = World()
    contact = world.route(event(1, profile={"city": "Shanghai"}))
    world.route(event(2, profile={"level": 2}))
    archive = Applied()
    archive.events, archive.versions = dict(world.history.events), world.history.versions
    world.history.events = {place: item for place, item in world.history.events.items() if "e-2" in place[1]}
    world.clock.advance(hours=1)
    without, with_archive = world.rebuilder(), world.rebuilder(archive=archive)
    assert {each.name for each in without.compare(contact.contact_id).differences} == {"city"}
    found = with_archive.compare(contact.contact_id)
    assert (found.differences, found.events, found.archived) == ((), 2, 1)


def test_a_difference_is_named_with_both_values_and_repaired_in_one_write() -> None:
    world = World()
    contact = world.route(event(1, profile={"city": "Shanghai", "tags": ["vip"]}))
    world.clock.advance(hours=1)
    stored = world.contacts[contact.contact_id]
    world.contacts.put(replace(stored, attributes={"city": "Beijing"}, tags=frozenset(), version=stored.version))
    found = world.rebuilder().repair(contact.contact_id)
    assert [each.to_dict() for each in found.differences] == [
        {"field": "attributes", "name": "city", "stored": "Beijing", "rebuilt": "Shanghai"},
        {"field": "tags", "name": "vip", "stored": "absent", "rebuilt": True},
    ]
    assert world.rebuilder().compare(contact.contact_id).differences == ()
    (emitted,) = world.queue.events.values()
    assert (emitted.type, emitted.properties["fields"], emitted.contact) == (
        "profile_rebuilt", ["attributes", "tags"], {"contact_id": contact.contact_id},
    )  # fmt: skip
    assert emitted.profile == {}


def test_a_profile_that_is_right_is_not_written() -> None:
    world = World()
    contact = world.route(event(1))
    world.clock.advance(hours=1)
    before = len(world.contacts.effects.log)
    world.rebuilder().repair(contact.contact_id)
    assert (len(world.contacts.effects.log), world.queue.events) == (before, {})


def test_a_repair_gives_way_to_another_writer() -> None:
    world = World()
    contact = world.route(event(1, profile={"city": "Shanghai"}))
    world.clock.advance(hours=1)
    stored = world.contacts[contact.contact_id]
    world.contacts.put(replace(stored, attributes={}, version=stored.version))
    world.contacts.before_save = lambda: world.contacts.put(world.contacts[contact.contact_id])
    with pytest.raises(ConcurrentUpdate):
        world.rebuilder().repair(contact.contact_id)
    assert world.queue.events == {}


def test_what_was_just_decided_and_is_not_announced_yet_stays() -> None:
    world = World()
    contact = world.route(event(1))
    world.clock.advance(hours=1)
    tagged = with_tags(world.contacts[contact.contact_id], add=["hot"], at=world.clock())
    world.contacts.put(replace(tagged, version=tagged.version))
    assert world.rebuilder().compare(contact.contact_id).differences == ()
    world.clock.advance(hours=1)
    assert {each.name for each in world.rebuilder().compare(contact.contact_id).differences} == {"hot", "tag:hot"}


def test_an_identity_that_belongs_to_another_contact_stays_with_it() -> None:
    world = World()
    world.route(event(1, contact={"user_id": "u-2", "email": "shared@example.com"}))
    contact = world.route(event(2, contact=USER | {"email": "shared@example.com"}))
    world.clock.advance(hours=1)
    found = world.rebuilder().compare(contact.contact_id)
    assert found.differences == ()
    assert "email" not in found.rebuilt.identities


def test_a_merged_contact_is_rebuilt_from_its_merge_on() -> None:
    world = World()
    world.route(event(1, contact={"anonymous_id": "a-1"}, profile={"city": "Shanghai"}))
    world.clock.advance(minutes=1)
    world.route(event(2, profile={"level": 1}))
    world.clock.advance(minutes=1)
    contact = world.route(event(3, contact=USER | {"anonymous_id": "a-1"}, profile={"level": 2}))
    assert contact.absorbed
    world.clock.advance(minutes=1)
    world.route(event(4, profile={"level": 3}))
    world.clock.advance(hours=1)
    found = world.rebuilder().compare(contact.contact_id)
    assert found.differences == ()
    assert found.rebuilt.attributes["level"] == 3
    assert found.rebuilt.attributes["city"] == "Shanghai"


def test_a_contact_whose_merge_was_undone_is_not_repaired() -> None:
    world = World()
    contact = world.route(event(1, profile={"city": "Shanghai"}))
    world.clock.advance(hours=1)
    stored = world.contacts[contact.contact_id]
    pair = (contact.contact_id, "c-other")
    world.contacts.put(replace(stored, attributes={}, kept_apart=frozenset({pair}), version=stored.version))
    with pytest.raises(InvalidInput, match="undone"):
        world.rebuilder().repair(contact.contact_id)
    together = replace(stored, attributes={}, kept_apart=frozenset({pair}), absorbed=("c-other",))
    world.contacts.put(together)
    assert world.rebuilder().repair(contact.contact_id).rebuilt.attributes["city"] == "Shanghai"


def test_nobody_cannot_be_rebuilt() -> None:
    with pytest.raises(ContactNotFound):
        World().rebuilder().compare("c-nobody")
