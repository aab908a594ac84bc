"""What every ContactStore must do with merges and counted points."""

from dataclasses import replace

import pytest

from tests.adapters.stores import Stores, in_nurture
from tests.fakes.clock import FakeClock
from tests.fakes.world import send_request, touch
from waypost.contacts.identity.merge import Merge, merge_of
from waypost.contacts.identity.rules import BUILT_IN
from waypost.contacts.identity.unmerge import unmerged_profiles
from waypost.contacts.profile import Contact
from waypost.journeys.enrolment import TriggerEvent
from waypost.journeys.ports import EntryTerms


def saved(stores: Stores, clock: FakeClock, contact_id: str, **identities: str) -> Contact:
    """A stored contact with these identities, as it is read."""
    contact = Contact(contact_id, clock(), identities={kind: [value] for kind, value in identities.items()})
    assert stores.contacts.save(contact, claim=identities)
    return loaded(stores, contact_id)


def loaded(stores: Stores, contact_id: str) -> Contact:
    found = stores.contacts.load(contact_id)
    assert found is not None
    return found


def merged(stores: Stores, clock: FakeClock, one: Contact, other: Contact) -> Merge:
    merge = merge_of(one, other, rules=BUILT_IN, at=clock(), ground="hand", cause="said so")
    assert merge is not None
    assert stores.contacts.merge(merge)
    return merge


def two(stores: Stores, clock: FakeClock) -> tuple[Contact, Contact]:
    return saved(stores, clock, "c-1", user_id="u-1"), saved(stores, clock, "c-2", email="lin@example.com")


def test_after_a_merge_the_old_id_and_every_identity_lead_to_the_survivor(stores: Stores, clock: FakeClock) -> None:
    survivor, absorbed = two(stores, clock)
    merge = merged(stores, clock, survivor, absorbed)
    assert loaded(stores, "c-1") == loaded(stores, "c-2") == replace(merge.result, version=survivor.version + 1)
    found = stores.contacts.resolve({"user_id": "u-1", "email": "lin@example.com"})
    assert {loaded(stores, contact_id).contact_id for contact_id in found.values()} == {"c-1"}


def test_merges_are_followed_however_many_there_are(stores: Stores, clock: FakeClock) -> None:
    first, second = two(stores, clock)
    merged(stores, clock, first, second)
    third = saved(stores, clock, "c-3", user_id="u-3")
    oldest = replace(third, created_at=clock().replace(year=2020))
    assert stores.contacts.save(oldest, claim={})
    alias = merge_of(loaded(stores, "c-3"), loaded(stores, "c-1"), rules=BUILT_IN, at=clock(), ground="alias")
    assert alias is not None
    assert stores.contacts.merge(alias)
    assert {loaded(stores, each).contact_id for each in ("c-1", "c-2", "c-3")} == {"c-3"}
    assert loaded(stores, "c-2").partitions == ("c-3", "c-1", "c-2")


@pytest.mark.parametrize("changed", ["c-1", "c-2"])
def test_a_merge_of_a_contact_that_changed_since_it_was_read_writes_nothing(
    stores: Stores, clock: FakeClock, changed: str
) -> None:
    survivor, absorbed = two(stores, clock)
    merge = merge_of(survivor, absorbed, rules=BUILT_IN, at=clock(), ground="hand")
    assert merge is not None
    assert stores.contacts.save(replace(loaded(stores, changed), points=7), claim={})
    assert not stores.contacts.merge(merge)
    assert loaded(stores, "c-2").contact_id == "c-2"
    assert stores.contacts.merges("c-1") == []


def test_a_write_to_a_contact_that_was_merged_meanwhile_is_refused(stores: Stores, clock: FakeClock) -> None:
    survivor, absorbed = two(stores, clock)
    merged(stores, clock, survivor, absorbed)
    assert not stores.contacts.save(replace(absorbed, points=7), claim={})
    assert not stores.contacts.save(replace(survivor, points=7), claim={"phone": "+861"})
    assert stores.contacts.resolve({"phone": "+861"}) == {}
    assert loaded(stores, "c-2").points == 0


def test_the_record_of_a_merge_comes_back_whole(stores: Stores, clock: FakeClock) -> None:
    merge = merged(stores, clock, *two(stores, clock))
    assert stores.contacts.merges("c-1") == [merge]
    assert stores.contacts.merges("c-2") == []


def test_an_undone_merge_brings_the_absorbed_contact_back(stores: Stores, clock: FakeClock) -> None:
    survivor, absorbed = two(stores, clock)
    merge = merged(stores, clock, survivor, absorbed)
    clock.advance(minutes=1)
    undone = replace(merge, undone_at=clock())
    left, back = unmerged_profiles(merge, loaded(stores, "c-1"))
    assert stores.contacts.unmerge(undone, left, back)
    assert loaded(stores, "c-2") == replace(back, version=back.version + 1)
    assert loaded(stores, "c-2").identities == {"email": ["lin@example.com"]}
    assert stores.contacts.merges("c-1") == [undone]
    assert not stores.contacts.unmerge(undone, left, back), "read before, so written by another since"
    again = merge_of(loaded(stores, "c-1"), loaded(stores, "c-2"), rules=BUILT_IN, at=clock(), ground="hand")
    assert again is not None
    assert stores.contacts.merge(again)
    assert [each.undone_at is None for each in stores.contacts.merges("c-1")] == [False, True]


def test_an_undoing_of_a_contact_that_changed_meanwhile_writes_nothing(stores: Stores, clock: FakeClock) -> None:
    merge = merged(stores, clock, *two(stores, clock))
    left, back = unmerged_profiles(merge, loaded(stores, "c-1"))
    assert stores.contacts.save(replace(loaded(stores, "c-1"), points=7), claim={})
    assert not stores.contacts.unmerge(replace(merge, undone_at=clock()), left, back)
    assert loaded(stores, "c-2").points == 7


def test_points_of_an_event_are_counted_once(stores: Stores, clock: FakeClock) -> None:
    contact = saved(stores, clock, "c-1", user_id="u-1")
    assert not stores.contacts.has_counted("c-1", "e-1")
    assert stores.contacts.save(replace(contact, points=5), claim={}, counting="e-1")
    assert stores.contacts.has_counted("c-1", "e-1")
    assert not stores.contacts.has_counted("c-2", "e-1")
    assert not stores.contacts.save(replace(loaded(stores, "c-1"), points=10), claim={}, counting="e-1")
    assert loaded(stores, "c-1").points == 5


def enrolled(stores: Stores, clock: FakeClock, contact_id: str, journey: str, **terms: object) -> str | None:
    trigger = TriggerEvent("e-1", "registered", clock(), {})
    changes = {"journey": journey, "exclusive_group": "onboarding"}
    enrolment = in_nurture(f"n-{contact_id}-{journey}", contact_id, trigger, clock(), **changes)
    return stores.enrolments.open(
        enrolment, EntryTerms(one_at_a_time=True, exclusive_group="onboarding", **terms)  # type: ignore[arg-type]
    )  # fmt: skip


def test_what_an_absorbed_contact_holds_stands_in_the_survivors_way(stores: Stores, clock: FakeClock) -> None:
    assert enrolled(stores, clock, "c-2", "nurture") is None
    assert enrolled(stores, clock, "c-1", "nurture", also_under=("c-2", "c-3")) == "already_in_journey"
    assert enrolled(stores, clock, "c-1", "win-back", also_under=("c-2",)) == "exclusive_group_taken"
    passage = stores.enrolments.load("c-2", "n-c-2-nurture")
    assert passage is not None
    stores.enrolments.end(passage.ended("completed", clock()))
    recently = clock().replace(year=2020)
    assert enrolled(stores, clock, "c-1", "nurture", also_under=("c-2",), not_since=recently) == "enrolled_before"
    assert enrolled(stores, clock, "c-1", "nurture", also_under=("c-2",), not_since=clock()) is None


def claimed(stores: Stores, clock: FakeClock, contact_id: str, state: str) -> str:
    """Claim a marketing message of a journey that was entered under this id, on the situation as it is."""
    trigger = TriggerEvent("e-1", "registered", clock(), {})
    request = send_request(in_nurture("n-1", contact_id, trigger, clock()), state, state=state)
    return stores.ledger.claim(
        request, channel="email", claim_id=f"claim-{state}", at=clock(), local_time="",
        touches=stores.ledger.snapshot(request).touches.plus(touch(request.message_key, clock())),
    )  # fmt: skip


def touched(stores: Stores, clock: FakeClock, contact_id: str) -> int:
    trigger = TriggerEvent("e-1", "registered", clock(), {})
    request = send_request(in_nurture("n-1", contact_id, trigger, clock()), "any", state="any")
    return len(stores.ledger.snapshot(request).touches.recent)


def test_recent_messages_of_both_count_for_the_survivor_and_after_parting_for_both(
    stores: Stores, clock: FakeClock
) -> None:
    survivor, absorbed = two(stores, clock)
    assert claimed(stores, clock, "c-1", "welcome") == claimed(stores, clock, "c-2", "hello") == "claimed"
    merge = merged(stores, clock, survivor, absorbed)
    assert touched(stores, clock, "c-1") == touched(stores, clock, "c-2") == 2
    assert claimed(stores, clock, "c-2", "survey") == "claimed"
    assert touched(stores, clock, "c-1") == 3
    assert stores.contacts.unmerge(replace(merge, undone_at=clock()), *unmerged_profiles(merge, loaded(stores, "c-1")))
    assert touched(stores, clock, "c-1") == touched(stores, clock, "c-2") == 3


def test_a_message_judged_before_a_merge_cannot_be_claimed_after_it(stores: Stores, clock: FakeClock) -> None:
    survivor, absorbed = two(stores, clock)
    trigger = TriggerEvent("e-1", "registered", clock(), {})
    request = send_request(in_nurture("n-1", "c-2", trigger, clock()), "welcome", state="welcome")
    judged = stores.ledger.snapshot(request)
    merge = merged(stores, clock, survivor, absorbed)

    def claim() -> str:
        return stores.ledger.claim(
            request,
            channel="email",
            claim_id="claim-1",
            at=clock(),
            local_time="",
            touches=judged.touches.plus(touch(request.message_key, clock())),
        )

    assert claim() == "touches_changed"
    judged = stores.ledger.snapshot(request)
    assert judged.contact is not None
    assert judged.contact.contact_id == "c-1"
    assert stores.contacts.unmerge(replace(merge, undone_at=clock()), *unmerged_profiles(merge, loaded(stores, "c-1")))
    assert claim() == "touches_changed", "an undone merge has the same effect"


def test_a_merge_of_large_contacts_is_recorded_whole_and_can_be_undone(stores: Stores, clock: FakeClock) -> None:
    large = []
    for contact_id, kind in (("c-1", "user_id"), ("c-2", "email")):
        known = saved(stores, clock, contact_id, **{kind: f"{contact_id}@example.com"})
        filled = {f"{contact_id}_{number}": "x" * 30_000 for number in range(8)}
        assert stores.contacts.save(replace(known, attributes=filled), claim={})
        large.append(loaded(stores, contact_id))
    merge = merged(stores, clock, *large)
    assert merge.left_out
    assert stores.contacts.merges("c-1") == [merge]
    undone = replace(merge, undone_at=clock())
    assert stores.contacts.unmerge(undone, *unmerged_profiles(undone, loaded(stores, "c-1")))
    assert stores.contacts.merges("c-1") == [undone]
    assert loaded(stores, "c-1").attributes == large[0].attributes
    assert loaded(stores, "c-2").attributes == large[1].attributes
