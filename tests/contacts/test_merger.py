"""Merges by hand: what is asked for is checked, shown, done and undone, once however often it is asked."""

from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest

from tests.contacts.people import consent, contact, minutes
from tests.fakes.clock import FakeClock
from tests.fakes.contacts import FakeContacts
from tests.fakes.effects import Crash, Effects
from tests.fakes.queue import FakeQueue
from waypost.contacts.identity.merge import is_kept_apart
from waypost.contacts.identity.merge_contacts import MergeContacts
from waypost.contacts.identity.record import record_on_contact
from waypost.contacts.identity.rules import BUILT_IN
from waypost.errors import ContactNotFound, InvalidInput
from waypost.events.envelope import Event

USER, MAIL, PHONE = {"user_id": "u-1"}, {"email": "lin@example.com"}, {"phone": "+8613800138000"}


@pytest.fixture
def effects() -> Effects:
    return Effects()


@pytest.fixture
def contacts(effects: Effects) -> FakeContacts:
    known = FakeContacts(effects)
    known.put(contact("c-1", identities={"user_id": ["u-1"]}, attributes={"city": "Wuhan"}, points=3))
    known.put(
        contact(
            "c-2", at=5, identities={"email": ["lin@example.com"]}, attributes={"city": "Beijing", "name": "Lin"},
            consents={"email/*": consent(True, 5)},
        )
    )  # fmt: skip
    known.put(contact("c-3", at=6, identities={"phone": ["+8613800138000"]}))
    return known


@pytest.fixture
def merger(contacts: FakeContacts, effects: Effects) -> MergeContacts:
    return MergeContacts(contacts=contacts, queue=FakeQueue(effects), rules=BUILT_IN, clock=FakeClock(minutes(30)))


def queued(merger: MergeContacts) -> list[str]:
    queue: Any = merger.queue
    return [each.id for each in queue.events.values()]


def test_a_preview_shows_whose_values_stay_and_writes_nothing(merger: MergeContacts, effects: Effects) -> None:
    shown = merger.act({"action": "preview", "contacts": [MAIL, USER]})
    assert (shown["allowed"], shown["into"], shown["from"]) == (True, "c-1", "c-2")
    assert shown["attributes"] == {
        "city": {"into": "Wuhan", "from": "Beijing", "after": "Beijing"},
        "name": {"into": None, "from": "Lin", "after": "Lin"},
    }
    assert shown["consents"] == {"email/*": {"into": "none", "from": "granted", "after": "granted"}}
    assert shown["points"] == {"into": 3, "from": 0, "after": 3}
    assert effects.log == []


def test_a_preview_says_why_two_may_not_be_merged(merger: MergeContacts, contacts: FakeContacts) -> None:
    contacts.put(contact("c-4", identities={"user_id": ["u-2"]}))
    shown = merger.preview(USER, {"user_id": "u-2"})
    assert (shown["allowed"], shown["reason"]) == (False, "different_people")
    assert shown["explanation"].endswith("of which a person has only one: user_id")


def test_a_merge_does_what_its_preview_showed_and_a_repetition_changes_nothing(
    merger: MergeContacts, contacts: FakeContacts, effects: Effects
) -> None:
    request = {"action": "merge", "contacts": [USER, MAIL], "reason": "ticket 7"}
    shown = merger.preview(USER, MAIL)
    done = merger.act(request)
    assert done["merged"]
    assert {name: shown[name] for name in ("merge_id", "attributes", "points")} == {
        name: done[name] for name in ("merge_id", "attributes", "points")
    }
    assert contacts.merges("c-1")[0].cause == "ticket 7"
    assert queued(merger) == [f"contacts-merged-{done['merge_id']}"]
    effects.log.clear()
    assert merger.act(request) == {
        "action": "merge", "merged": False, "into": "c-1", "explanation": "the two are one contact already",
    }  # fmt: skip
    assert set(effects.log) <= {"queue.send"}


def test_a_merge_that_the_rules_forbid_is_refused_with_the_reason(
    merger: MergeContacts, contacts: FakeContacts
) -> None:
    contacts.put(contact("c-4", identities={"user_id": ["u-2"]}))
    with pytest.raises(InvalidInput, match="contacts: the two have different values"):
        merger.merge(USER, {"user_id": "u-2"})
    contacts.put(contact("c-5", identities={"email": ["gone@example.com"]}, erased=True))
    with pytest.raises(InvalidInput, match="erased"):
        merger.merge(USER, {"email": "gone@example.com"})


def test_an_undone_merge_is_on_record_with_its_reason_and_announced_to_both(
    merger: MergeContacts, contacts: FakeContacts
) -> None:
    merge_id = merger.merge(USER, MAIL)["merge_id"]
    done = merger.act({"action": "undo", "contact": MAIL, "merge_id": merge_id, "reason": "two sisters"})
    assert done == {
        "action": "undo", "undone": True, "merge_id": merge_id, "survivor": "c-1", "restored": "c-2",
        "undone_at": "2027-03-01T04:30:00.000Z",
    }  # fmt: skip
    (record,) = contacts.merges("c-1")
    assert record.undone_cause == "two sisters"
    assert queued(merger)[1:] == [f"contacts-unmerged-{merge_id}-into", f"contacts-unmerged-{merge_id}-from"]
    assert contacts["c-1"].attributes == {"city": "Wuhan"}


def test_a_hand_may_merge_again_what_a_hand_has_parted(merger: MergeContacts, contacts: FakeContacts) -> None:
    first = merger.merge(USER, MAIL)["merge_id"]
    merger.undo(USER)
    assert merger.preview(USER, MAIL)["kept_apart"] is True
    second = merger.merge(USER, MAIL)["merge_id"]
    assert first != second
    assert merger.undo(USER)["merge_id"] == second
    assert is_kept_apart(contacts["c-1"], contacts["c-2"])


def test_what_a_hand_has_parted_stays_apart_whatever_else_is_undone(
    merger: MergeContacts, contacts: FakeContacts
) -> None:
    other, device = {"email": "mei@example.com"}, {"anonymous_id": "a-1"}
    contacts.put(contact("c-4", at=7, identities={"email": ["mei@example.com"]}))
    contacts.put(contact("c-5", at=1, identities={"anonymous_id": ["a-1"]}))
    for one, two in ((other, device), (MAIL, USER)):
        merger.merge(one, two)
        merger.undo(two)
    into_user = merger.merge(USER, other)["merge_id"]
    into_device = merger.merge(device, MAIL)["merge_id"]
    merger.merge(USER, device)
    merger.undo(USER)
    merger.undo(USER, merge_id=into_user)
    merger.undo(device, merge_id=into_device)
    parted = {("c-1", "c-5"), ("c-4", "c-5"), ("c-1", "c-2"), ("c-1", "c-4"), ("c-2", "c-5")}
    living = {each.contact_id: each for each in contacts.living()}
    for one_id, other_id in combinations(("c-1", "c-2", "c-4", "c-5"), 2):
        assert is_kept_apart(living[one_id], living[other_id]) is ((one_id, other_id) in parted), (one_id, other_id)
    now = merger.clock()
    event = Event("e-1", "signed_in", USER | device, now, now, "shop")
    record_on_contact(event, contacts=contacts, is_repeated=lambda _: False, clock=merger.clock)
    assert {"c-1", "c-5"} <= {each.contact_id for each in contacts.living()}


@pytest.mark.parametrize("named", ["survivor", "absorbed"])
def test_an_undoing_that_is_repeated_after_a_crash_undoes_no_second_merge(
    merger: MergeContacts, contacts: FakeContacts, effects: Effects, named: str
) -> None:
    merger.merge(USER, PHONE)
    merger.merge(USER, MAIL)
    request = {"action": "undo", "contact": USER if named == "survivor" else MAIL, "request_id": "run-1"}
    effects.crash_on = "queue.send"
    with pytest.raises(Crash):
        merger.act(request)
    again = merger.act(request)
    assert (again["restored"], again["undone"]) == ("c-2", False)
    assert {each.contact_id for each in contacts.living()} == {"c-1", "c-2"}
    assert merger.act({**request, "contact": USER, "request_id": "run-2"})["restored"] == "c-3"


def test_an_undoing_that_is_repeated_undoes_no_second_merge_when_the_survivor_is_part_of_another_contact_by_then(
    merger: MergeContacts, contacts: FakeContacts
) -> None:
    merger.merge(PHONE, MAIL)
    request = {"action": "undo", "contact": MAIL, "request_id": "run-1"}
    assert merger.act(request)["undone"]
    merger.merge(USER, MAIL)
    again = merger.act(request)
    assert (again["survivor"], again["undone"]) == ("c-2", False)
    assert contacts["c-2"].merged_into == "c-1"


def test_an_older_merge_is_undone_without_the_newer_one(merger: MergeContacts, contacts: FakeContacts) -> None:
    older = merger.merge(USER, MAIL)["merge_id"]
    merger.merge(USER, PHONE)
    merger.undo(USER, merge_id=older)
    assert contacts["c-1"].identities == {"user_id": ["u-1"], "phone": ["+8613800138000"]}
    merger.undo(USER)
    assert contacts["c-1"].identities == {"user_id": ["u-1"]}
    assert contacts["c-1"].attributes == {"city": "Wuhan"}


def test_a_merge_into_a_contact_that_was_merged_itself_waits_for_its_turn(
    merger: MergeContacts, contacts: FakeContacts
) -> None:
    first = merger.merge(PHONE, MAIL)["merge_id"]
    merger.merge(USER, PHONE)
    with pytest.raises(InvalidInput, match=r"merge_id: .* which is itself part of c-1 now: undo that merge first"):
        merger.undo(USER, merge_id=first)
    merger.undo(USER)
    assert merger.undo(PHONE, merge_id=first)["undone"]
    assert len(contacts.living()) == 3


def test_an_erased_contact_gives_nothing_back(merger: MergeContacts, contacts: FakeContacts) -> None:
    merger.merge(USER, MAIL)
    contacts.put(replace(contacts["c-1"], erased=True))
    with pytest.raises(InvalidInput, match="contact: was erased"):
        merger.undo(USER)


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({}, "action"),
        ({"action": "join"}, "action"),
        ({"action": "merge"}, "contacts"),
        ({"action": "merge", "contacts": [USER]}, "contacts"),
        ({"action": "merge", "contacts": [USER, "c-2"]}, r"contacts\[1\]"),
        ({"action": "merge", "contacts": [USER, {}]}, r"contacts\[1\]"),
        ({"action": "merge", "contacts": [USER, {"name": "Lin"}]}, r"contacts\[1\]"),
        ({"action": "merge", "contacts": [{"user_id": "u-1", "email": "a@example.com"}, MAIL]}, r"contacts\[0\]"),
        ({"action": "preview", "contacts": [{"user_id": 7}, MAIL]}, r"contacts\[0\].user_id"),
        ({"action": "preview", "contacts": [USER, {"email": "nobody"}]}, r"contacts\[1\].email"),
        ({"action": "preview", "contacts": [USER, {"phone": "12"}]}, r"contacts\[1\].phone"),
        ({"action": "merge", "contacts": [USER, MAIL], "reason": 7}, "reason"),
        ({"action": "undo"}, "contact"),
        ({"action": "undo", "contact": USER}, "contact"),
        ({"action": "undo", "contact": USER, "merge_id": "g-none"}, "merge_id"),
    ],
)
def test_a_wrong_request_is_refused_naming_the_field(
    merger: MergeContacts, request_: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput, match=f"^{field}: "):
        merger.act(request_)


def test_addresses_are_brought_into_their_one_spelling(merger: MergeContacts) -> None:
    shown = merger.act({"action": "preview", "contacts": [{"email": " Lin@Example.com"}, {"phone": "138 0013 8000"}]})
    assert set(shown["contacts"]) == {"c-2", "c-3"}


def test_an_unknown_contact_is_refused_without_naming_the_address(merger: MergeContacts) -> None:
    with pytest.raises(ContactNotFound, match=r"^contacts\[1\]: no contact is known by this email$"):
        merger.merge(USER, {"email": "unknown@example.com"})


def test_one_contact_given_twice_is_nothing_to_merge(merger: MergeContacts) -> None:
    assert merger.merge(USER, {"contact_id": "c-1"})["merged"] is False
    assert merger.preview(USER, USER)["reason"] == "same_contact"
