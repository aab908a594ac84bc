"""Two contacts that become one: whether they may, who survives, whose values stay."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from tests.contacts.people import NOON, consent, contact, minutes
from waypost.contacts.fitting import FULLEST
from waypost.contacts.identity.announcements import merged_event
from waypost.contacts.identity.merge import MOST_ABSORBED, Merge, in_order, merge_of, merged, objection, summary
from waypost.contacts.identity.rules import BUILT_IN, IdentityRules
from waypost.contacts.profile import Contact
from waypost.item_size import stored_size

U1 = {"user_id": ["u-1"]}
U2 = {"user_id": ["u-2"]}


def one_of(survivor: Contact, absorbed: Contact, rules: IdentityRules = BUILT_IN) -> Contact:
    return merged(survivor, absorbed, rules=rules)


@pytest.mark.parametrize(
    ("one", "other", "ground", "reason"),
    [
        ({"identities": U1}, {"identities": {"email": ["a@example.com"]}}, "event", None),
        ({"identities": {"anonymous_id": ["a-1"]}}, {"identities": {"phone": ["+861"]}}, "event", None),
        ({"identities": U1}, {"identities": U2}, "event", "different_people"),
        ({"identities": U1}, {"identities": U2}, "hand", "different_people"),
        ({"identities": U1}, {"identities": U2}, "alias", "different_people"),
        ({"identities": {"unionid": ["w-1"]}}, {"identities": {"unionid": ["w-2"]}}, "alias", "different_people"),
        ({"identities": {"openid": ["wx1:o-1"]}}, {"identities": {"openid": ["wx1:o-2"]}}, "event", "different_people"),
        ({"identities": {"openid": ["wx1:o-1"]}}, {"identities": {"openid": ["wx2:o-2"]}}, "event", None),
        ({"identities": {"external_userid": ["e-1"]}}, {"identities": {"external_userid": ["e-2"]}}, "event", "different_people"),
        ({"identities": {"email": ["a@example.com"]}}, {"identities": {"email": ["b@example.com"]}}, "event", None),
        ({"erased": True}, {}, "hand", "erased"),
        ({}, {"erased": True}, "alias", "erased"),
        ({"kept_apart": {("c-1", "c-2")}}, {}, "event", "kept_apart"),
        ({}, {"kept_apart": {("c-1", "c-2")}}, "alias", "kept_apart"),
        ({"kept_apart": {("c-1", "c-9")}}, {"absorbed": ("c-9",)}, "event", "kept_apart"),
        ({"absorbed": ("c-8",), "kept_apart": {("c-8", "c-9")}}, {"absorbed": ("c-9",)}, "event", "kept_apart"),
        ({"absorbed": ("c-9",), "kept_apart": {("c-1", "c-9")}}, {}, "event", None),
        ({"kept_apart": {("c-1", "c-7")}}, {"kept_apart": {("c-2", "c-8")}}, "event", None),
        ({"kept_apart": {("c-1", "c-2")}}, {}, "hand", None),
        ({"absorbed": tuple(f"c-{each}" for each in range(100, 100 + MOST_ABSORBED))}, {}, "hand", "too_many_merged"),
    ],
)  # fmt: skip
def test_who_may_become_one(one: dict[str, Any], other: dict[str, Any], ground: Any, reason: str | None) -> None:
    left, right = contact("c-1", **one), contact("c-2", **other)
    assert objection(left, right, rules=BUILT_IN, ground=ground) == reason
    assert objection(right, left, rules=BUILT_IN, ground=ground) == reason


def test_a_contact_is_never_merged_with_itself() -> None:
    assert objection(contact("c-1"), contact("c-1", version=7), rules=BUILT_IN, ground="hand") == "same_contact"


def test_what_is_not_declared_distinct_does_not_keep_two_apart() -> None:
    rules = IdentityRules(distinct=("user_id",))
    one, other = contact("c-1", identities={"unionid": ["w-1"]}), contact("c-2", identities={"unionid": ["w-2"]})
    assert objection(one, other, rules=rules, ground="event") is None


def test_the_strongest_identity_survives_then_the_older_contact() -> None:
    user = contact("c-9", at=9, identities=U1)
    old_mail = contact("c-5", at=1, identities={"email": ["a@example.com"]})
    new_mail = contact("c-1", at=2, identities={"email": ["b@example.com"]})
    twin = contact("c-0", at=2, identities={"email": ["c@example.com"]})
    assert in_order(old_mail, user) == in_order(user, old_mail) == (user, old_mail)
    assert in_order(new_mail, old_mail) == in_order(old_mail, new_mail) == (old_mail, new_mail)
    assert in_order(new_mail, twin) == (twin, new_mail)


def test_the_newest_value_stays_and_nothing_is_lost() -> None:
    survivor = contact("c-1", at=5, attributes={"city": "Wuhan", "plan": "pro", "email": "a@example.com"})
    absorbed = contact("c-2", at=9, attributes={"city": "Beijing", "name": "Lin"})
    both = one_of(survivor, absorbed)
    assert both.attributes == {"city": "Beijing", "plan": "pro", "email": "a@example.com", "name": "Lin"}
    assert both.attributes_at["city"] == both.attributes_at["name"] == minutes(9)
    assert both.attributes_at["plan"] == minutes(5)


def test_a_value_of_unknown_age_is_older_than_any_other_and_does_not_get_lost() -> None:
    survivor = Contact("c-1", NOON, attributes={"email": "a@example.com", "only": 1}, version=1)
    absorbed = contact("c-2", attributes={"email": "b@example.com"})
    assert one_of(survivor, absorbed).attributes == {"email": "b@example.com", "only": 1}
    assert one_of(absorbed, survivor).attributes == {"email": "b@example.com", "only": 1}


def test_an_attribute_removed_later_stays_removed_and_one_set_later_stays_set() -> None:
    removed = contact("c-1", attributes_at={"plan": minutes(9)})
    has = contact("c-2", at=5, attributes={"plan": "pro"})
    assert "plan" not in one_of(removed, has).attributes
    assert "plan" not in one_of(has, removed).attributes
    later = contact("c-2", at=10, attributes={"plan": "pro"})
    assert one_of(removed, later).attributes == {"plan": "pro"}


def test_rules_name_other_winners() -> None:
    rules = IdentityRules(values="survivor", values_of={"source": "oldest", "city": "newest"})
    survivor = contact("c-1", at=9, attributes={"source": "ad", "city": "Wuhan", "plan": "free"})
    absorbed = contact("c-2", at=5, attributes={"source": "shop", "city": "Beijing", "plan": "pro", "name": "Lin"})
    assert one_of(survivor, absorbed, rules).attributes == {
        "source": "shop", "city": "Wuhan", "plan": "free", "name": "Lin",
    }  # fmt: skip


def test_identities_tags_groups_points_and_closed_channels_of_both() -> None:
    survivor = contact(
        "c-1", identities={"user_id": ["u-1"], "email": ["a@example.com"]}, tags={"vip"}, groups={"beijing"}, points=30,
        suppressions={"email": "hard_bounce"},
    )  # fmt: skip
    absorbed = contact(
        "c-2", identities={"email": ["b@example.com"], "phone": ["+861"]}, tags={"new"}, groups={"wuhan"}, points=-5,
        suppressions={"email": "complaint", "sms": "invalid_number"}, absorbed=("c-3",), kept_apart={("c-3", "c-4")},
    )  # fmt: skip
    both = one_of(survivor, absorbed)
    assert both.identities == {"user_id": ["u-1"], "email": ["a@example.com", "b@example.com"], "phone": ["+861"]}
    assert both.tags == {"vip", "new"}
    assert both.groups == {"beijing", "wuhan"}
    assert both.points == 25
    assert both.suppressions == {"email": "hard_bounce", "sms": "invalid_number"}
    assert both.absorbed == ("c-2", "c-3")
    assert both.kept_apart == {("c-3", "c-4")}


def test_a_tag_that_was_taken_away_after_it_was_given_stays_away() -> None:
    taken = contact("c-1", attributes_at={"tag:new": minutes(9), "group:wuhan": minutes(9)})
    given = contact("c-2", at=5, tags={"new"}, groups={"wuhan"})
    assert one_of(taken, given).tags == one_of(given, taken).groups == frozenset()
    given_again = contact("c-2", at=10, tags={"new"})
    assert one_of(taken, given_again).tags == {"new"}


@pytest.mark.parametrize(("first", "then", "state"), [(True, False, "withdrawn"), (False, True, "granted")])
def test_the_newest_answer_about_consent_holds(first: bool, then: bool, state: str) -> None:
    one, other = (
        contact("c-1", consents={"email/*": consent(first, 1)}),
        contact("c-2", consents={"email/*": consent(then, 2)}),
    )
    assert one_of(one, other).consent("email", "news") == one_of(other, one).consent("email", "news") == state


def test_of_two_answers_at_the_same_moment_the_withdrawal_holds() -> None:
    yes, no = contact("c-1", consents={"sms/*": consent(True)}), contact("c-2", consents={"sms/*": consent(False)})
    assert one_of(yes, no).consent("sms", "*") == one_of(no, yes).consent("sms", "*") == "withdrawn"


def test_seen_segments_stage_and_ends_of_tags_are_joined() -> None:
    march, april = date(2027, 3, 1), date(2027, 4, 1)
    one = contact(
        "c-1", tags={"sale"}, seen={"order_placed": (april, april)}, segments={"big": minutes(9)}, lifecycle="new",
        attributes_at={"lifecycle:stage": minutes(1)}, tag_expiries={"sale": minutes(60)},
    )  # fmt: skip
    other = contact(
        "c-2", at=5, tags={"sale"}, seen={"order_placed": (march, march), "logged_in": (march, april)}, lifecycle="active",
        segments={"big": minutes(2)}, attributes_at={"lifecycle:stage": minutes(4)}, tag_expiries={"sale": minutes(90)},
    )  # fmt: skip
    both = one_of(one, other)
    assert both.seen == {"order_placed": (march, april), "logged_in": (march, april)}
    assert both.segments == {"big": minutes(2)}
    assert both.lifecycle == "active"
    assert both.tag_expiries == {"sale": minutes(90)}


def test_devices_of_both_are_kept_but_for_those_forgotten_since() -> None:
    phone, tablet = {"token": "t-1", "platform": "ios"}, {"token": "t-2", "platform": "android"}
    one = contact("c-1", attributes={"push_tokens": [phone]})
    other = contact("c-2", at=5, attributes={"push_tokens": [tablet]})
    assert one_of(one, other).attributes["push_tokens"] == [phone, tablet]
    forgot = contact("c-3", attributes_at={"push_tokens": minutes(9)})
    assert "push_tokens" not in one_of(forgot, other).attributes


def test_a_merge_keeps_both_profiles_and_the_result_and_comes_back_from_its_stored_form() -> None:
    survivor = contact("c-1", identities=U1, attributes={"city": "Wuhan"})
    absorbed = contact("c-2", identities={"email": ["a@example.com"]}, points=3)
    merge = merge_of(absorbed, survivor, rules=BUILT_IN, at=minutes(20), ground="event", cause="e-1")
    assert merge is not None
    assert (merge.survivor, merge.absorbed) == (survivor, absorbed)
    assert merge.result.unannounced == (merge.merge_id,)
    assert Merge.from_dict(merge.to_dict()) == merge
    assert (merge.tombstone.merged_into, merge.tombstone.version) == ("c-1", absorbed.version)
    assert merge.tombstone.identities == {}


def test_another_merge_of_the_same_two_has_another_id() -> None:
    one, other = contact("c-1", identities=U1), contact("c-2")
    first = merge_of(one, other, rules=BUILT_IN, at=NOON, ground="hand")
    again = merge_of(one, replace(other, version=3), rules=BUILT_IN, at=NOON, ground="hand")
    assert first is not None
    assert again is not None
    assert first.merge_id != again.merge_id


def test_what_a_full_survivor_has_no_room_for_is_left_out_of_a_merge_and_named() -> None:
    survivor = contact("c-1", identities={"user_id": ["u-1"]}, attributes={f"a{n}": "x" * 2_000 for n in range(115)})
    absorbed = contact(
        "c-2", at=1, identities={"anonymous_id": ["a-1"]}, attributes={"long": "y" * 30_000, "short": "y"}, tags={"vip"},
        consents={"email/*": consent(granted=False, at=1)},
    )  # fmt: skip
    merge = merge_of(survivor, absorbed, rules=BUILT_IN, at=NOON, ground="hand")
    assert merge is not None
    assert merge.left_out == ("attributes.long",)
    assert merged_event(merge).properties["left_out"] == ["attributes.long"]
    assert merge.result.attributes["short"] == "y"
    assert merge.result.tags == {"vip"}
    assert merge.result.identities == {"user_id": ["u-1"], "anonymous_id": ["a-1"]}
    assert merge.result.consent("email", "news") == "withdrawn"
    assert merge.absorbed.attributes["long"] == "y" * 30_000
    assert stored_size(merge.result.to_dict()) <= FULLEST


def test_a_profile_from_before_there_was_a_limit_may_be_too_large_for_the_record_of_a_merge() -> None:
    one, other = (contact(each, attributes={f"text-{each}": "x" * 408_000}) for each in ("c-1", "c-2"))
    assert merge_of(one, other, rules=BUILT_IN, at=NOON, ground="hand") is None


def test_the_summary_in_an_event_names_no_address() -> None:
    known = contact("c-1", identities={"email": ["lin@example.com"]}, attributes={"email": "lin@example.com"})
    assert "lin@" not in str(summary(known))
    assert summary(known)["identities"] == {"email": 1}
