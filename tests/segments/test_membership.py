"""What a contact is, has and belongs to."""

from datetime import timedelta
from typing import Any

import pytest

from tests.segments.people import NOW, ago, selects, subject
from waypost.contacts.consent import Consent
from waypost.contacts.profile import Contact
from waypost.errors import InvalidInput
from waypost.segments.compile import compile_rule
from waypost.segments.conditions import parse_rule
from waypost.segments.explain import explain
from waypost.segments.subject import Enrolled, subject_of


def test_tags_groups_and_segments_take_one_any_all_or_none() -> None:
    has: dict[str, Any] = {
        "tags": frozenset({"a", "b"}), "groups": frozenset({"a", "b"}), "segments": {"a": NOW, "b": NOW},
    }  # fmt: skip
    for word in ("tag", "group", "segment"):
        assert selects({word: "a"}, **has)
        assert selects({word: ["x", "b"]}, **has)
        assert not selects({word: ["x", "y"]}, **has)
        assert selects({word: {"any_of": ["x", "a"]}}, **has)
        assert selects({word: {"all_of": ["a", "b"]}}, **has)
        assert not selects({word: {"all_of": ["a", "x"]}}, **has)
        assert selects({word: {"none_of": ["x", "y"]}}, **has)
        assert not selects({word: {"none_of": ["a"]}}, **has)


@pytest.mark.parametrize(("word", "field"), [("tag", "tags"), ("group", "groups")])
def test_whether_there_is_any_at_all_can_be_asked(word: str, field: str) -> None:
    some: dict[str, Any] = {field: frozenset({"a"})}
    assert selects({word: {"exists": True}}, **some)
    assert not selects({word: {"exists": True}})
    assert selects({word: {"exists": False}})
    assert not selects({word: {"exists": False}}, **some)
    assert explain({word: {"exists": False}}, subject(**some)).values == "a"


def test_since_when_asks_the_time_and_what_has_none_does_not_count() -> None:
    has: dict[str, Any] = {"tags": frozenset({"a", "b"}), "tagged_at": {"a": NOW - timedelta(days=3)}}
    assert selects({"tag": "a", "within": "3d"}, **has)
    assert not selects({"tag": "a", "within": "2d"}, **has)
    assert selects({"tag": "a", "older_than": "2d"}, **has)
    assert not selects({"tag": "b", "older_than": "2d"}, **has)
    assert selects({"tag": ["a", "b"], "last_days": 7}, **has)
    assert not selects({"tag": {"all_of": ["a", "b"]}, "last_days": 7}, **has)
    assert selects({"tag": {"none_of": ["b"]}, "last_days": 7}, **has)
    assert selects({"segment": "s", "within": "7d"}, segments={"s": NOW - timedelta(days=6)})


def test_a_stage_is_known_since_the_event_that_set_it() -> None:
    history = [
        ago("lifecycle_changed", {"to": "active"}, days=90),
        ago("lifecycle_changed", {"to": "dormant"}, days=40),
        ago("lifecycle_changed", {"to": "active"}, days=3),
    ]
    assert selects({"lifecycle": "active", "within": "7d"}, lifecycle="active", history=history)
    assert not selects({"lifecycle": "active", "older_than": "7d"}, lifecycle="active", history=history)
    assert selects({"lifecycle": ["new", "active"]}, lifecycle="active")
    assert not selects({"lifecycle": "active", "within": "7d"}, lifecycle="active")
    assert not selects({"lifecycle": "dormant", "within": "60d"}, lifecycle="active", history=history)


def test_points_metrics_and_the_first_sight() -> None:
    assert selects({"points": {"between": [5, 10]}}, points=10)
    assert selects({"points": 0})
    assert not selects({"points": {"more_than": 0, "less_than": 5}}, points=5)
    assert selects({"metric": "rfm_r", "at_least": 4}, metrics={"rfm_r": 5})
    assert not selects({"metric": "rfm_r", "at_least": 4})
    assert selects({"created": {"last_days": 7}}, created_at=NOW - timedelta(days=6))
    assert not selects({"created": {"last_days": 7}})


def test_a_language_is_read_in_any_region() -> None:
    assert selects({"locale": "zh"}, attributes={"locale": "zh-CN"})
    assert selects({"locale": ["de", "ZH"]}, attributes={"locale": "zh_Hans"})
    assert not selects({"locale": "zh-TW"}, attributes={"locale": "zh-CN"})
    assert not selects({"locale": "z"}, attributes={"locale": "zh-CN"})
    assert not selects({"locale": "zh"}, attributes={"locale": 5})


@pytest.mark.parametrize(
    ("wanted", "city", "province", "holds"),
    [
        ("上海", "上海市", None, True),
        ("上海市", "Shanghai", None, True),
        ("Shanghai", None, "上海", True),
        ("浙江", "杭州市", None, True),
        ("浙江", "杭州市", "浙江省", True),
        ("杭州", None, "浙江省", False),
        ("江苏", "杭州市", None, False),
        (["江苏", "浙江"], "杭州", None, True),
        ("Bavaria", None, "bavaria", True),
        ("Bavaria", "Munich", "Hesse", False),
        ("上海", 5, ["上海"], False),
    ],
)
def test_a_region_is_met_in_any_spelling(wanted: Any, city: Any, province: Any, holds: bool) -> None:
    assert selects({"region": wanted}, attributes={"city": city, "province": province}) is holds


def consents(**answers: tuple[bool, float]) -> dict[str, Any]:
    """A contact's answers, by channel and topic, each so many days ago, and what they come to."""
    given = {
        key.replace("__", "/").replace("all", "*"): Consent(
            granted=granted, at=NOW - timedelta(days=days), source="form"
        )
        for key, (granted, days) in answers.items()
    }
    contact = Contact(contact_id="c-1", created_at=NOW, consents=given)
    return {"consents": contact.consent, "consent_answers": given}


def test_consent_is_asked_for_its_state_and_its_time() -> None:
    given = consents(email__all=(True, 30), email__offers=(False, 5))
    assert selects({"consent": "email"}, **given)
    assert selects({"consent": "email", "topic": "offers", "is": "withdrawn"}, **given)
    assert selects({"consent": "sms", "is": "none"}, **given)
    assert selects({"consent": "email", "older_than": "20d"}, **given)
    assert selects({"consent": "email", "topic": "offers", "is": "withdrawn", "within": "7d"}, **given)
    assert not selects({"consent": "email", "topic": "offers", "is": "withdrawn", "older_than": "7d"}, **given)
    assert not selects({"consent": "sms", "is": "none", "within": "7d"}, **given)


def test_reachable_needs_an_address_consent_and_no_suppression() -> None:
    given = consents(email__all=(True, 3))
    mail = {"attributes": {"email": "a@example.com"}, **given}
    assert selects({"reachable": "email"}, **mail)
    assert selects({"reachable": "any"}, **mail)
    assert not selects({"reachable": "sms"}, **mail)
    assert not selects({"reachable": "email"}, **mail, suppressions={"email": "complaint"})
    assert not selects({"reachable": "email"}, **given)
    assert not selects({"reachable": "email"}, attributes={"email": "a@example.com"})
    robot = {"attributes": {"staff_robot": "sales"}, **consents(robot__all=(True, 3))}
    assert not selects({"reachable": "any"}, **robot), "a channel of staff alone"


def test_suppressions_addresses_and_identities() -> None:
    assert selects({"suppressed": "email"}, suppressions={"email": "complaint"})
    assert selects({"suppressed": "any", "reason": ["complaint", "hard_bounce"]}, suppressions={"email": "complaint"})
    assert not selects({"suppressed": "any", "reason": "hard_bounce"}, suppressions={"email": "complaint"})
    assert selects({"address": "sms"}, attributes={"phone": "+8613800138000"})
    assert not selects({"address": "any"}, attributes={"phone": ""})
    assert selects({"identity": "openid", "account": "wx"}, identities={"openid": ["other:1", "wx:2"]})
    assert not selects({"identity": "openid", "account": "w"}, identities={"openid": ["wx:2"]})
    assert selects({"identity": "user_id"}, identities={"user_id": ["u"]})


def test_journeys_are_entered_under_way_over_or_never_entered() -> None:
    passages = (
        Enrolled("nurture", "ended", "goal", NOW - timedelta(days=30)),
        Enrolled("nurture", "leaving", None, NOW - timedelta(days=2)),
        Enrolled("other", "active", None, NOW),
    )
    assert selects({"journey": "nurture"}, enrolments=passages)
    assert selects({"journey": "nurture", "is": "active"}, enrolments=passages)
    assert selects({"journey": "nurture", "is": "ended", "outcome": ["goal", "exited"]}, enrolments=passages)
    assert not selects({"journey": "nurture", "is": "ended", "outcome": "exited"}, enrolments=passages)
    assert selects({"journey": "nurture", "is": "ended", "older_than": "7d"}, enrolments=passages)
    assert not selects({"journey": "nurture", "is": "ended", "within": "7d"}, enrolments=passages)
    assert selects({"journey": ["third", "other"], "is": "active"}, enrolments=passages)
    assert selects({"journey": "third", "is": "never_entered"}, enrolments=passages)
    assert not selects({"journey": "nurture", "is": "never_entered"}, enrolments=passages)


def coupon(code: str, name: str, *, days: float) -> tuple[str, Any, dict[str, Any]]:
    """A coupon of the pool that ends in so many days."""
    ends = (NOW + timedelta(days=days)).isoformat()
    return "coupon_issued", NOW - timedelta(days=3), {"pool": name, "code": code, "expires_at": ends}


def test_a_coupon_is_held_until_it_ends_or_is_redeemed() -> None:
    history = (
        coupon("A", "welcome", days=2),
        coupon("B", "over", days=0),
        coupon("C", "used", days=2),
        coupon("D", "again", days=2),
        coupon("E", "again", days=1),
        ("coupon_redeemed", NOW - timedelta(days=1), {"pool": "used", "code": "C"}),
        ("coupon_redeemed", NOW - timedelta(days=1), {"pool": "again", "code": "D"}),
        ("coupon_redeemed", NOW, {"code": ["A"]}),
        ("coupon_issued", NOW, {"pool": "odd", "code": "F", "expires_at": 5}),
        ("coupon_issued", NOW, {"code": "G", "expires_at": "2099-01-01"}),
    )
    assert selects({"holds_coupon": "welcome"}, history=history)
    assert selects({"holds_coupon": ["over", "again"]}, history=history)
    assert selects({"holds_coupon": {"all_of": ["welcome", "again"]}}, history=history)
    assert selects({"holds_coupon": {"none_of": ["over", "used", "odd"]}}, history=history)
    assert not selects({"holds_coupon": "over"}, history=history)
    assert not selects({"holds_coupon": "used"}, history=history)
    assert selects({"holds_coupon": {"exists": True}}, history=history)
    assert not selects({"holds_coupon": {"exists": True}}, history=history[1:3] + history[5:6])
    assert selects({"holds_coupon": {"exists": False}}, history=())


def test_who_never_got_a_coupon_is_decided_by_the_profile_alone() -> None:
    rule = parse_rule({"holds_coupon": {"exists": True}})
    knows = {"registered": (NOW.date(), NOW.date())}
    assert rule.decide()(subject(seen=knows)) is False
    assert parse_rule({"holds_coupon": {"none_of": ["welcome"]}}).decide()(subject(seen=knows)) is True
    assert rule.decide()(subject(seen=knows | {"coupon_issued": (NOW.date(), NOW.date())})) is None
    assert rule.decide()(subject()) is None


def test_a_subject_is_made_of_a_profile() -> None:
    contact = Contact(
        contact_id="c-1",
        created_at=NOW,
        attributes={"timezone": "Europe/Berlin"},
        attributes_at={"tag:vip": NOW, "tag:gone": NOW},
        tags=frozenset({"vip", "old"}),
        points=7,
    )
    someone = subject_of(contact, now=NOW)
    assert str(someone.zone) == "Europe/Berlin"
    assert dict(someone.tagged_at) == {"vip": NOW}
    assert len(someone.tagged_at) == 1
    assert someone.tagged_at.get("gone") is None
    assert compile_rule({"all": [{"tag": "vip", "within": "1d"}, {"points": 7}]})(someone)
    assert (
        str(subject_of(Contact(contact_id="c-2", created_at=NOW), now=NOW, default_zone=subject().zone).zone) == "UTC"
    )


@pytest.mark.parametrize(
    "rule",
    [
        {"tag": {"any_of": ["a"], "all_of": ["b"]}}, {"tag": {"some_of": ["a"]}}, {"tag": []}, {"group": "a", "within": "3d"}, {"points": "many"},
        {"points": {"at_least": "5"}}, {"created": {}}, {"now": {}}, {"created": "2027-03-01"}, {"journey": "a", "is": "running"}, {"reachable": "fax"},
        {"address": "fax"}, {"bucket": {"salt": "s", "from": 0}}, {"bucket": {"salt": "s", "from": -1, "to": 5}}, {"holdout": {"salt": "s", "percent": True}},
        {"holdout": {"percent": 5}}, {"lifecycle": 5}, {"tag": "a", "topic": "b"}, {"not": {"wishes": "a"}}, "vip", {"all": []}, {"all": ["vip"]}, {"not": None},
    ],
)  # fmt: skip
def test_what_is_no_rule_is_refused_when_it_is_compiled(rule: Any) -> None:
    with pytest.raises(InvalidInput):
        compile_rule(rule if isinstance(rule, dict) else {"any": [rule]})
