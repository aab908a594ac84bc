"""What an undone merge gives back, and what stays with whom."""

from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contacts.people import addresses, consent, contact, minutes
from waypost.contacts.identity.merge import Merge, merge_of
from waypost.contacts.identity.rules import BUILT_IN, IdentityRules
from waypost.contacts.identity.unmerge import rewritten, unmerged_profiles
from waypost.contacts.profile import (
    Contact,
    with_attributes,
    with_groups,
    with_identities,
    with_push_tokens,
    with_tags,
)

LATER = minutes(60)


def merge(survivor: Contact, absorbed: Contact, at: datetime = LATER) -> Merge:
    found = merge_of(survivor, absorbed, rules=BUILT_IN, at=at, ground="event", cause="e-1")
    assert found is not None
    assert found.survivor.contact_id == survivor.contact_id
    return found


def lin(**fields: Any) -> Contact:
    return contact("c-1", identities={"user_id": ["u-1"]}, **fields)


def mail(**fields: Any) -> Contact:
    return contact("c-2", identities={"email": ["lin@example.com"]}, at=5, **fields)


def without_bookkeeping(state: Contact) -> Contact:
    """The contact without what only records merges, undone merges and writes."""
    return replace(state, kept_apart=frozenset(), unannounced=(), version=0, kept="")


def test_the_absorbed_contact_gets_back_what_it_was_and_the_survivor_loses_what_came_from_it() -> None:
    survivor = lin(attributes={"city": "Wuhan"}, tags={"vip"}, groups={"a"}, points=3)
    absorbed = mail(attributes={"city": "Beijing", "name": "Lin"}, tags={"new"}, groups={"b"}, points=5)
    done = merge(survivor, absorbed)
    left, back = unmerged_profiles(done, done.result)
    assert (without_bookkeeping(left), without_bookkeeping(back)) == (
        without_bookkeeping(survivor),
        without_bookkeeping(absorbed),
    )
    assert left.kept_apart == back.kept_apart == {("c-1", "c-2")}
    assert left.unannounced[-1] == f"{done.merge_id}/undone"
    assert back.version == done.tombstone.version + 1, "the one the tombstone was stored with"


def test_what_has_changed_since_stays_with_the_survivor() -> None:
    done = merge(lin(attributes={"city": "Wuhan"}), mail(attributes={"city": "Beijing", "name": "Lin"}, tags={"new"}))
    now = with_attributes(done.result, {"city": "Shanghai", "plan": "pro"}, at=minutes(70))
    now = with_tags(now, add=["late"], remove=["new"], at=minutes(70))
    now = with_groups(now, join=["late"], at=minutes(70))
    now = replace(now, points=now.points + 7, identities={**now.identities, "phone": ["+861"]})
    left, back = unmerged_profiles(done, now)
    assert left.attributes == {"city": "Shanghai", "plan": "pro"}
    assert left.tags == left.groups == {"late"}
    assert left.points == 7
    assert left.identities == {"user_id": ["u-1"], "phone": ["+861"]}
    assert back.attributes == {"city": "Beijing", "name": "Lin"}
    assert back.tags == {"new"}
    assert back.identities == {"email": ["lin@example.com"]}


def test_a_value_that_was_set_again_since_is_the_survivors_own() -> None:
    done = merge(lin(), mail(attributes={"name": "Lin"}, tags={"new"}))
    now = with_tags(with_attributes(done.result, {"name": "Lin"}, at=minutes(70)), add=["new"], at=minutes(70))
    left, _ = unmerged_profiles(done, now)
    assert left.attributes == {"name": "Lin"}
    assert left.tags == {"new"}


def test_what_the_survivor_lost_since_does_not_come_back() -> None:
    done = merge(lin(attributes={"plan": "pro"}, tags={"vip"}), mail())
    now = with_attributes(done.result, {"plan": None}, at=minutes(70))
    left, _ = unmerged_profiles(done, with_tags(now, remove=["vip"], at=minutes(70)))
    assert "plan" not in left.attributes
    assert left.tags == frozenset()


def test_an_address_that_became_known_since_is_the_survivors_when_the_others_has_gone_back() -> None:
    absorbed = with_identities(mail(), {"email": "lin@example.com"}, at=minutes(5))
    now = with_identities(
        merge(lin(), absorbed).result, {"email": "new@example.com", "phone": "+8613800138000"}, at=minutes(70)
    )
    left, back = unmerged_profiles(merge(lin(), absorbed), now)
    assert left.identities == {"user_id": ["u-1"], "email": ["new@example.com"], "phone": ["+8613800138000"]}
    assert left.attributes == {"email": "new@example.com", "phone": "+8613800138000"}
    assert back.attributes == {"email": "lin@example.com"}


def test_an_address_named_since_goes_back_with_its_identity_unless_an_event_set_it_on_the_survivor() -> None:
    done = merge(lin(), mail())
    named = with_identities(done.result, {"email": "lin@example.com"}, at=minutes(65))
    assert addresses(named, "email") == ["lin@example.com"]
    assert addresses(unmerged_profiles(done, named)[0], "email") == []
    set_since = with_attributes(named, {"email": "lin@example.com"}, at=minutes(70))
    assert addresses(unmerged_profiles(done, set_since)[0], "email") == ["lin@example.com"]


def test_an_address_removed_since_is_not_replaced() -> None:
    done = merge(lin(), with_identities(mail(), {"email": "lin@example.com"}, at=minutes(5)))
    now = with_identities(done.result, {"email": "new@example.com"}, at=minutes(65))
    assert addresses(unmerged_profiles(done, with_attributes(now, {"email": None}, at=minutes(70)))[0], "email") == []


@pytest.mark.parametrize("before", [{}, {"email": "lin@example.com"}], ids=["named", "set"])
def test_an_address_removed_and_named_again_since_goes_back_with_its_identity(before: dict[str, str]) -> None:
    done = merge(lin(), mail(attributes=before))
    now = with_attributes(done.result, {"email": None}, at=minutes(70))
    now = with_identities(now, {"email": "lin@example.com"}, at=minutes(80))
    assert addresses(now, "email") == ["lin@example.com"]
    assert addresses(unmerged_profiles(done, now)[0], "email") == []
    set_since = with_attributes(now, {"email": "lin@example.com"}, at=minutes(90))
    assert addresses(unmerged_profiles(done, set_since)[0], "email") == ["lin@example.com"]


def test_a_removed_address_does_not_come_back_for_another_that_goes_with_its_identity() -> None:
    done = merge(lin(attributes={"email": "own@example.com"}), mail())
    now = with_attributes(done.result, {"email": None}, at=minutes(70))
    now = with_identities(now, {"email": "lin@example.com"}, at=minutes(80))
    assert addresses(unmerged_profiles(done, now)[0], "email") == []
    named = with_identities(now, {"email": "new@example.com"}, at=minutes(90))
    assert addresses(unmerged_profiles(done, named)[0], "email") == ["new@example.com"]


def test_an_address_that_only_the_other_had_removed_comes_back() -> None:
    absorbed = mail(attributes_at={"email": minutes(6)})
    done = merge(lin(attributes={"email": "own@example.com"}), absorbed)
    assert addresses(done.result, "email") == []
    named = with_identities(done.result, {"email": "new@example.com"}, at=minutes(70))
    for now in (done.result, named):
        left, _ = unmerged_profiles(done, now)
        assert (addresses(left, "email"), left.attributes_at["email"]) == (["own@example.com"], minutes(0))


def test_withdrawn_consent_stays_withdrawn_on_both_whenever_and_by_whom_it_was_withdrawn() -> None:
    survivor = lin(consents={"email/*": consent(True, 1), "sms/*": consent(True, 1), "sms/news": consent(False, 2)})
    absorbed = mail(consents={"email/*": consent(False, 3), "sms/*": consent(True, 3)})
    done = merge(survivor, absorbed)
    now = replace(done.result, consents={**done.result.consents, "sms/*": consent(False, 70)})
    for each in unmerged_profiles(done, now):
        assert each.consent("email", "*") == each.consent("sms", "*") == each.consent("sms", "news") == "withdrawn"


def test_consent_given_since_is_the_survivors_alone() -> None:
    done = merge(lin(), mail(consents={"email/*": consent(True, 3)}))
    now = replace(done.result, consents={**done.result.consents, "sms/*": consent(True, 70)})
    left, back = unmerged_profiles(done, now)
    assert (left.consent("email", "*"), left.consent("sms", "*")) == ("none", "granted")
    assert (back.consent("email", "*"), back.consent("sms", "*")) == ("granted", "none")


def test_a_channel_closed_before_belongs_to_whom_it_was_closed_for_and_one_closed_since_to_both() -> None:
    done = merge(lin(suppressions={"sms": "invalid_number"}), mail(suppressions={"email": "hard_bounce"}))
    left, back = unmerged_profiles(done, done.result)
    assert (left.suppressions, back.suppressions) == ({"sms": "invalid_number"}, {"email": "hard_bounce"})
    done = merge(lin(), mail())
    left, back = unmerged_profiles(done, replace(done.result, suppressions={"email": "complaint"}))
    assert left.suppressions == back.suppressions == {"email": "complaint"}


def test_devices_go_back_with_whom_they_came() -> None:
    own, other, new = ({"token": name, "platform": "ios"} for name in ("own", "other", "new"))
    done = merge(lin(attributes={"push_tokens": [own]}), mail(attributes={"push_tokens": [other]}))
    left, back = unmerged_profiles(done, with_push_tokens(done.result, [new], at=minutes(70)))
    assert left.attributes["push_tokens"] == [own, new]
    assert back.attributes["push_tokens"] == [other]


def test_devices_that_the_other_had_forgotten_come_back() -> None:
    own = {"token": "own", "platform": "ios"}
    done = merge(lin(attributes={"push_tokens": [own]}), mail(attributes_at={"push_tokens": minutes(6)}))
    assert "push_tokens" not in done.result.attributes
    left, _ = unmerged_profiles(done, done.result)
    assert left.attributes["push_tokens"] == [own]


def test_days_of_events_are_never_claimed_to_begin_later_than_they_may_have() -> None:
    march, april, may = date(2027, 2, 1), date(2027, 3, 1), date(2027, 5, 1)
    done = merge(
        lin(seen={"order_placed": (april, april)}), mail(seen={"order_placed": (march, april), "x": (march, march)})
    )
    left, _ = unmerged_profiles(done, done.result)
    assert left.seen == {"order_placed": (april, april)}
    now = replace(done.result, seen={"order_placed": (march, may), "x": (march, may)})
    left, _ = unmerged_profiles(done, now)
    assert left.seen["order_placed"] == (april, may)
    assert left.seen["x"] == (LATER.date(), may)


def test_an_event_type_that_may_have_been_the_survivors_own_since_is_not_claimed_never_to_have_happened() -> None:
    day = LATER.date()
    done = merge(lin(seen={}), mail(seen={"order_placed": (day, day)}))
    left, back = unmerged_profiles(done, done.result)  # another order of the same day would not show
    assert left.seen == back.seen == {"order_placed": (day, day)}


def test_an_older_merge_is_undone_without_the_newer_one_and_both_in_any_order() -> None:
    start = lin(attributes={"city": "Wuhan"}, points=1)
    first = merge(start, mail(attributes={"city": "Beijing", "name": "Lin"}, points=2, tags={"new"}))
    third = contact("c-3", at=8, attributes={"city": "Xian", "plan": "pro"}, points=4)
    second = merge(replace(first.result, version=2), third, at=minutes(61))

    (rebuilt,) = rewritten(first, [second], rules=BUILT_IN)
    left, _ = unmerged_profiles(first, second.result, later=[second], recomputed=[rebuilt])
    assert left.attributes == {"city": "Xian", "plan": "pro"}
    assert (left.points, left.absorbed, left.tags) == (5, ("c-3",), frozenset())
    alone, back = unmerged_profiles(rebuilt, left)
    assert without_bookkeeping(alone) == without_bookkeeping(start)
    assert without_bookkeeping(back) == without_bookkeeping(third)

    left, _ = unmerged_profiles(second, second.result)
    assert without_bookkeeping(left) == without_bookkeeping(first.result)
    assert without_bookkeeping(unmerged_profiles(first, left)[0]) == without_bookkeeping(start)


def test_what_a_later_contact_brought_along_too_comes_to_light_when_the_older_merge_is_undone() -> None:
    first = merge(lin(attributes={"city": "Wuhan"}), mail(attributes={"city": "Beijing"}, tags={"new"}))
    third = contact("c-3", at=3, attributes={"city": "Xian"}, tags={"new"})
    second = merge(replace(first.result, version=2), third, at=minutes(61))
    assert second.result.attributes == {"city": "Beijing"}
    (rebuilt,) = rewritten(first, [second], rules=BUILT_IN)
    left, _ = unmerged_profiles(first, second.result, later=[second], recomputed=[rebuilt])
    assert left.attributes == {"city": "Xian"}
    assert left.tags == {"new"}
    alone, _ = unmerged_profiles(rebuilt, left)
    assert alone.attributes == {"city": "Wuhan"}
    assert alone.tags == frozenset()


def test_rules_that_have_changed_since_change_nothing_that_the_undone_merge_has_no_part_in() -> None:
    first = merge(lin(attributes={"plan": "free"}), mail(attributes={"city": "Beijing"}))
    third = contact("c-3", at=8, attributes={"plan": "pro"})
    second = merge(replace(first.result, version=2), third, at=minutes(61))
    (rebuilt,) = rewritten(first, [second], rules=IdentityRules(values="survivor"))
    assert rebuilt.result.attributes == {"plan": "pro"}


names = st.sampled_from(["city", "plan", "name", "level"])
changes = st.dictionaries(names, st.one_of(st.none(), st.integers(0, 3)), max_size=4)
histories = st.lists(
    st.tuples(st.integers(0, 9), changes, st.sets(st.sampled_from("abc")), st.sets(st.sampled_from("abc"))), max_size=4
)


def lived(start: Contact, history: list[tuple[int, dict[str, Any], set[str], set[str]]]) -> Contact:
    for at, attributes, got, lost in history:
        start = with_attributes(start, attributes, at=minutes(at))
        start = with_tags(start, add=got, remove=lost - got, at=minutes(at))
        start = with_groups(start, join=lost, leave=got - lost, at=minutes(at))
        start = replace(start, points=start.points + at)
    return start


@settings(max_examples=150, deadline=None)
@given(histories, histories)
def test_undoing_a_merge_at_once_leaves_no_trace(one: Any, other: Any) -> None:
    survivor, absorbed = lived(lin(), one), lived(mail(), other)
    done = merge(survivor, absorbed)
    left, back = unmerged_profiles(done, done.result)
    assert (without_bookkeeping(left), without_bookkeeping(back)) == (
        without_bookkeeping(survivor),
        without_bookkeeping(absorbed),
    )


@settings(max_examples=150, deadline=None)
@given(histories, histories, histories)
def test_merging_loses_no_name_that_only_one_has_and_is_the_same_from_both_sides(
    one: Any, other: Any, since: Any
) -> None:
    survivor, absorbed = lived(lin(), one), lived(mail(), other)
    done = merge(survivor, absorbed)
    again = merge_of(absorbed, survivor, rules=BUILT_IN, at=LATER, ground="event", cause="e-1")
    assert again == done
    for known, unknown in ((survivor, absorbed), (absorbed, survivor)):
        for name, value in known.attributes.items():
            if name not in unknown.attributes_at:
                assert done.result.attributes[name] == value
    now = lived(done.result, [(each[0] + 100, *each[1:]) for each in since])
    left, _ = unmerged_profiles(done, now)
    assert left.points == now.points - absorbed.points
    for _, changed, _, _ in since:
        for name in changed:
            assert left.attributes.get(name) == now.attributes.get(name), "changed since, so it stays"
