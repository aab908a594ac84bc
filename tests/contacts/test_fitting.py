"""A profile within its item: whatever events and merges bring, a withdrawal, a suppression and an erasure have room."""

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from datetime import date, timedelta
from itertools import count
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contacts.people import NOON, contact, minutes
from tests.fakes.clock import FakeClock
from tests.fakes.contacts import FakeContacts
from waypost.contacts.channels import CHANNELS
from waypost.contacts.fitting import (
    CONSENT_ROOM,
    FULLEST,
    KEPT_REMOVALS,
    MORE_TYPES,
    MOST_SEEN,
    MOST_SUPPRESSIONS,
    fitted,
    knows_all_types,
)
from waypost.contacts.identity.merge import MOST_ABSORBED, merge_of
from waypost.contacts.identity.record import record_on_contact
from waypost.contacts.identity.rules import BUILT_IN, IdentityRules
from waypost.contacts.identity.unmerge import unmerged_profiles
from waypost.contacts.profile import Contact, apply_event, with_event
from waypost.events.envelope import IDENTITY_KINDS, Event
from waypost.item_size import LARGEST_ITEM, stored_size

LIN = contact("c-1")
WORST = "\N{CJK UNIFIED IDEOGRAPH-20000}"
"""A letter of four bytes."""


def event(kind: str, at: float = 0, profile: dict[str, Any] | None = None, **properties: Any) -> Event:
    return Event(f"e-{kind}-{at}", kind, {}, minutes(at), minutes(at), "shop", properties, profile or {})


def size(known: Contact) -> int:
    return stored_size(known.to_dict())


def after(start: Contact, *events: Event) -> Contact:
    for each in events:
        start = with_event(start, each)
    return start


def identify_calls() -> Iterator[Event]:
    """Calls below 32 KB of many traits each, then of ever fewer: what once filled an item to its last byte."""
    for number in count():
        names = max(1, 2_400 >> max(0, number - 3))
        yield event("identified", number, {f"t{number}_{each}": 0 for each in range(names)})


def test_thirty_one_identify_calls_leave_room_for_an_unsubscribe() -> None:
    full = LIN
    for call, _ in zip(identify_calls(), range(31), strict=False):
        full = with_event(full, call)
    assert FULLEST - 5_000 < size(full) <= FULLEST
    left = with_event(full, event("unsubscribed", 40, channel="email"))
    assert left.consent("email", "anything") == "withdrawn"
    assert size(left) < FULLEST + CONSENT_ROOM


def test_eighteen_calls_of_a_hundred_tags_leave_out_and_name_those_that_do_not_fit() -> None:
    full = LIN
    left_out: list[str] = []
    for call in range(18):
        tags = [f"{call:02}-{number:02}-" + "t" * 94 for number in range(100)]
        full, names = apply_event(full, event("identified", call, {"tags": tags}))
        left_out += names
    assert size(full) <= FULLEST
    assert len(full.tags) + len(left_out) == 1_800
    assert all(name.startswith("tags.") for name in left_out)
    assert with_event(full, event("unsubscribed", 40)).consent("sms", "anything") == "withdrawn"


def test_a_full_contact_still_changes_and_loses_what_it_has() -> None:
    full = after(LIN, *(event("identified", n, {f"a{n}": "x" * 30_000, "plan": "a"}) for n in range(9)))
    changed = after(full, event("identified", 20, {"plan": "b", "a1": None, "a2": "short"}))
    assert (changed.attributes["plan"], changed.attributes["a2"]) == ("b", "short")
    assert "a1" not in changed.attributes
    again = with_event(changed, event("identified", 21, {"new": "y" * 20_000}))
    assert again.attributes["new"] == "y" * 20_000


def test_the_most_useful_part_of_an_event_is_kept_by_a_full_contact() -> None:
    full = after(LIN, *(event("identified", n, {f"a{n}": "x" * 30_000}) for n in range(8)))
    big = {"long": "y" * 30_000, "city": "Wuhan", "tags": ["vip"], "groups": ["acme"]}
    kept, left_out = apply_event(full, event("identified", 20, big))
    assert left_out == ("attributes.long",)
    assert kept.attributes["city"] == "Wuhan"
    assert kept.tags == {"vip"}
    assert kept.groups == {"acme"}
    assert "long" not in kept.attributes_at


def test_when_tags_and_groups_were_left_is_forgotten_oldest_first() -> None:
    known = LIN
    for number in range(KEPT_REMOVALS + 50):
        known = after(
            known,
            event("identified", number, {"tags": [f"t{number}"], "groups": [f"g{number}"], f"a{number}": 1}),
            event("identified", number + 0.5, {"remove_tags": [f"t{number}"], "leave_groups": [f"g{number}"], f"a{number}": None}),
        )  # fmt: skip
    assert len(known.attributes_at) == KEPT_REMOVALS
    assert f"tag:t{KEPT_REMOVALS + 49}" in known.attributes_at
    assert "tag:t0" not in known.attributes_at


def test_an_address_that_was_removed_long_ago_stays_removed() -> None:
    known = after(LIN, event("identified", 1, {"email": "lin@example.com"}), event("identified", 2, {"email": None}))
    for number in range(KEPT_REMOVALS + 50):
        known = after(known, event("identified", 3 + number, {f"a{number}": None}))
    late = Event("late", "identified", {"email": "lin@example.com"}, minutes(1.5), minutes(9), "shop")
    assert "email" not in with_event(known, late).attributes


def test_a_withdrawal_of_a_topic_without_room_counts_for_its_whole_channel() -> None:
    known = LIN
    for number in range(400):
        known = after(known, event("consent_granted", number, channel="email", topic=f"{number:03}" + "t" * 97))
    kept = after(known, event("consent_withdrawn", 500, channel="email", topic="x" * 30_000))
    assert stored_size({key: each.to_dict() for key, each in kept.consents.items()}) < CONSENT_ROOM + 2_000
    assert kept.consent("email", "x" * 30_000) == "withdrawn"
    assert kept.consent("email", "001" + "t" * 97) == "withdrawn"
    assert kept.consent("sms", "x") == "none"


def test_a_grant_without_room_is_not_heard() -> None:
    known = after(LIN, event("consent_granted", 1, channel="email", topic="x" * 50_000))
    assert known.consent("email", "x" * 50_000) == "none"


def test_a_withdrawal_from_a_channel_that_does_not_exist_cannot_fill_a_profile() -> None:
    known = LIN
    for number in range(300):
        known = after(known, event("consent_withdrawn", number, channel=f"{number}" + "c" * 300))
    assert stored_size({key: each.to_dict() for key, each in known.consents.items()}) <= CONSENT_ROOM


def test_event_types_beyond_their_room_are_noted_as_unknown() -> None:
    known = after(LIN, *(event(f"{number:03}" + WORST * 97, number) for number in range(MOST_SEEN)))
    assert MORE_TYPES in known.seen
    assert not knows_all_types(known.seen)
    usual = after(LIN, *(event(f"event_{number}", number) for number in range(MOST_SEEN - 1)))
    assert knows_all_types(usual.seen)


def test_suppressions_are_bounded_and_keep_the_address_in_use() -> None:
    def bounce(number: int) -> list[Event]:
        address = f"lin{number}@example.com"
        return [
            replace(event("identified", number, {"email": address}), contact={"email": address}),
            replace(event("message_bounced", number, channel="email", bounce_type="permanent"), source="waypost.ses"),
        ]

    known = after(LIN, *(each for number in range(MOST_SUPPRESSIONS + 20) for each in bounce(number)))
    assert len(known.suppressions) <= MOST_SUPPRESSIONS
    assert set(known.closed) <= {"email"}


def test_identities_of_a_full_contact_are_not_linked_and_its_events_still_find_it() -> None:
    contacts = FakeContacts()
    full = after(LIN, *(event("identified", n, {f"a{n}": "x" * 29_900}) for n in range(20)))
    full = after(full, *(event("identified", 30 + n, {f"b{n}": "x" * 900}) for n in range(60)))
    full = after(full, *(event("identified", 90 + n, {f"c{n}": ""}) for n in range(60)))
    contacts.put(replace(full, version=0, identities={"user_id": ["u-1"]}))

    def act(kind: str, **identities: str) -> Any:
        happened = replace(event(kind, 200, channel="email"), id=str(identities), contact=identities)
        return record_on_contact(happened, contacts=contacts, is_repeated=lambda _: False, clock=FakeClock(NOON))

    recorded = act("page_viewed", user_id="u-1", anonymous_id="a" * 250)
    assert (recorded.contact.contact_id, recorded.left_out) == ("c-1", ("identities.anonymous_id",))
    assert ("anonymous_id", "a" * 250) not in contacts.identities
    assert act("unsubscribed", user_id="u-1").contact.consent("email", "x") == "withdrawn"
    aliased = replace(event("contact_aliased", 201, previous_id="a-9"), contact={"user_id": "u-1"})
    record_on_contact(aliased, contacts=contacts, is_repeated=lambda _: False, clock=FakeClock(NOON))


NAMES: Final = st.one_of(st.text("abcdefgh", min_size=1, max_size=3), st.text(WORST + "甲b", min_size=50, max_size=100))
VALUES: Final = st.one_of(
    st.none(),
    st.integers(-(10**30), 10**30),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(1, 7_000).map(lambda length: WORST * length),
    st.lists(st.integers(0, 9), max_size=50),
    st.dictionaries(st.text("ab", max_size=2), st.booleans(), max_size=3),
)


@st.composite
def streams(draw: st.DrawFn) -> list[Event]:
    """Calls that repeat one shape with other names many times, as programs with a fault and strangers do."""
    events: list[Event] = []
    for turn in range(draw(st.integers(1, 6))):
        name, value, times = draw(NAMES), draw(VALUES), draw(st.integers(1, 25))
        kind = draw(st.sampled_from(["traits", "tags", "groups", "untag", "topics", "types", "grants", "identities"]))
        for number in range(times):
            at, own = turn * 1_000 + number, f"{name}{turn}_{number}"
            many = [f"{own}_{each}" for each in range(draw(st.just(40)))]
            match kind:
                case "traits":
                    made = event("identified", at, dict.fromkeys(many[:5], value))
                case "tags" | "groups":
                    made = event("identified", at, {kind: many})
                case "untag":
                    made = event("identified", at, {"remove_tags": many, "leave_groups": many})
                case "topics" | "grants":
                    asked = "consent_withdrawn" if kind == "topics" else "consent_granted"
                    made = event(asked, at, channel=draw(st.sampled_from([*CHANNELS, own])), topic=own)
                case "types":
                    made = event(own, at)
                case _:
                    made = replace(event("identified", at), contact=dict.fromkeys(IDENTITY_KINDS, own * 2))
            events.append(made)
    return events


@settings(max_examples=12, deadline=None)
@given(streams(), st.sampled_from(CHANNELS), NAMES)
def test_whatever_comes_a_profile_fits_and_a_withdrawal_counts(stream: list[Event], channel: str, topic: str) -> None:
    known = after(contact("c-1"), *stream)
    assert size(known) < LARGEST_ITEM - 50_000
    withdrawn = with_event(known, event("unsubscribed", 10**5, channel=channel, topic=topic))
    assert withdrawn.consent(channel, topic) == "withdrawn"
    assert size(withdrawn) < LARGEST_ITEM - 50_000
    assert after(withdrawn, *stream[-3:]).consent(channel, topic) == "withdrawn"


@settings(max_examples=12, deadline=None)
@given(streams(), streams())
def test_whatever_two_contacts_hold_their_merge_fits_and_so_do_both_after_it_is_undone(
    ours: list[Event], theirs: list[Event]
) -> None:
    one, other = after(contact("c-1"), *ours), after(contact("c-2", at=1), *theirs)
    merge = merge_of(one, other, rules=IdentityRules(distinct=()), at=minutes(10**5), ground="hand")
    assert merge is not None
    assert size(merge.result) < LARGEST_ITEM - 50_000
    withdrawn = {key for each in (one, other) for key, answer in each.consents.items() if not answer.granted}
    for key in withdrawn:
        channel, _, topic = key.partition("/")
        if channel in CHANNELS:
            assert merge.result.consent(channel, topic) == "withdrawn"
    for each in unmerged_profiles(merge, replace(merge.result, version=2)):
        assert size(each) < LARGEST_ITEM - 40_000


def _absorb(known: Contact) -> Contact:
    for number in range(MOST_ABSORBED + 5):
        merge = merge_of(known, contact(f"c-{number:030}", at=number), rules=BUILT_IN, at=NOON, ground="hand")
        assert merge is not None
        known = merge.result
    return known


def _part(known: Contact) -> Contact:
    return replace(known, kept_apart=frozenset(("c-1", f"c-{number:030}") for number in range(MOST_ABSORBED)))


def _conclude(known: Contact) -> Contact:
    """What a large project concludes: 150 segments, 100 metrics, 100 tags that expire."""
    for number in range(150):
        entered = event("segment_entered", number, segment=f"{number:03}" + "s" * 61)
        known = with_event(known, replace(entered, source="waypost"))
    metrics = {f"{number:03}" + "m" * 40: 10**15 + number for number in range(100)}
    expiring = {f"{number:03}" + "t" * 40 for number in range(100)}
    known = replace(known, tag_expiries=dict.fromkeys(expiring, NOON))
    return fitted(known, replace(known, metrics=metrics)).contact


def _own(kind: str, number: int, **properties: Any) -> Event:
    return replace(event(kind, number, **properties), source="waypost.ses")


def _bounces() -> Iterator[Event]:
    for number in range(150):
        yield _own("message_bounced", number, channel="email", address=f"{number:064}", bounce_type="permanent")


FLOODS: Final[dict[str, Callable[[Contact], Contact]]] = {
    "attributes": lambda known: after(known, *(event("identified", n, {f"{n}": WORST * 7_000}) for n in range(12))),
    "attributes_at": lambda known: after(
        known, *(event("identified", n, {f"{n}_{m}{WORST * 90}": None for m in range(25)}) for n in range(12))
    ),
    "identities": lambda known: after(
        known,
        *(
            replace(event("identified", n), contact=dict.fromkeys(IDENTITY_KINDS, f"{n}{WORST * 250}"))
            for n in range(50)
        ),
    ),
    "tags": lambda known: after(
        known, *(event("identified", n, {"tags": [f"{n}-{m}{WORST * 90}" for m in range(100)]}) for n in range(8))
    ),
    "consents": lambda known: after(
        known, *(event("consent_withdrawn", n, channel="email", topic=f"{n}{WORST * 90}") for n in range(120))
    ),
    "suppressions": lambda known: after(known, *_bounces()),
    "groups": lambda known: after(
        known, *(event("identified", n, {"groups": [f"{n}-{m}{WORST * 250}" for m in range(50)]}) for n in range(8))
    ),
    "metrics": _conclude,
    "segments": _conclude,
    "tag_expiries": _conclude,
    "seen": lambda known: after(known, *(event(f"{n}{WORST * 96}", n) for n in range(130))),
    "absorbed": _absorb,
    "kept_apart": _part,
    "unannounced": _absorb,
}
"""For each part of a profile that can grow, what would let it grow without end."""

_GROWS: Final = ("dict", "list", "tuple", "frozenset", "Mapping", "Sequence")


def test_every_part_of_a_profile_that_can_grow_has_a_bound() -> None:
    growing = {field.name for field in fields(Contact) if any(word in str(field.type) for word in _GROWS)}
    assert growing == FLOODS.keys()


@pytest.mark.parametrize(
    "order", [[*FLOODS], [*FLOODS][::-1], [*FLOODS][6:] + [*FLOODS][:6]], ids=["as_is", "back", "turned"]
)
def test_however_a_profile_is_flooded_it_fits_its_item_and_takes_a_withdrawal(order: list[str]) -> None:
    known = LIN
    for flood in dict.fromkeys(FLOODS[name] for name in order):
        known = flood(known)
    known = with_event(known, event("unsubscribed", 5_000, channel="sms", topic="anything"))
    assert known.consent("sms", "anything") == "withdrawn"
    assert size(replace(known, erased=True)) < LARGEST_ITEM - 2_000


def test_days_of_event_types_survive_a_full_profile() -> None:
    full = after(LIN, *(event("identified", n, {f"a{n}": "x" * 30_000}) for n in range(9)))
    seen = with_event(full, event("order_placed", 60 * 24)).seen
    assert seen["order_placed"] == ((NOON + timedelta(days=1)).date(),) * 2
    assert isinstance(seen["order_placed"][0], date)
