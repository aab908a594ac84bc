"""What a rule looks at."""

from typing import Any

import pytest

from waypost.contacts.channels import CONTACT_CHANNELS
from waypost.segments.dependencies import reads, reads_past
from waypost.segments.reads import Reads


def names(*each: str) -> frozenset[str]:
    return frozenset(each)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (None, Reads()),
        ({"attribute": "address.city", "equals": "x"}, Reads(attributes=names("address.city", "address"))),
        ({"attribute": "since", "within": "3d"}, Reads(attributes=names("since", "timezone"), time=True)),
        ({"attribute": "since", "before": "2027-03-01"}, Reads(attributes=names("since", "timezone"))),
        ({"attribute": "birthday", "age": 3}, Reads(attributes=names("birthday", "timezone"), time=True)),
        ({"property": "a", "equals_trigger": "b"}, Reads(property=True, trigger=True)),
        ({"coupon": "A"}, Reads(property=True)),
        ({"property": "at", "last_days": 3}, Reads(property=True, attributes=names("timezone"), time=True)),
        ({"metric": "last_order", "within": "3d"}, Reads(metrics=names("last_order"), attributes=names("timezone"), time=True)),
        ({"tag": {"all_of": ["a", "b"]}}, Reads(tags=names("a", "b"))),
        ({"tag": "a", "last_days": 3}, Reads(tags=names("a"), attributes=names("timezone"), time=True)),
        ({"group": ["a", "b"]}, Reads(groups=names("a", "b"))),
        ({"segment": "a"}, Reads(segments=names("a"))),
        ({"metric": "rfm_r", "at_least": 4}, Reads(metrics=names("rfm_r"))),
        ({"points": {"at_least": 4}}, Reads(points=True)),
        ({"created": {"within": "1d"}}, Reads(time=True)),
        ({"locale": "zh"}, Reads(attributes=names("locale"))),
        ({"region": "上海"}, Reads(attributes=names("city", "province"))),
        ({"lifecycle": "active"}, Reads(lifecycle=True)),
        ({"lifecycle": "active", "within": "3d"}, Reads(lifecycle=True, history=True, events=names("lifecycle_changed"), time=True)),
        ({"consent": "email"}, Reads(consents=names("email"))),
        ({"reachable": "any"}, Reads(consents=names(*CONTACT_CHANNELS), suppressions=True, identities=True, attributes=names("email", "phone", "push_tokens"))),
        ({"address": "sms"}, Reads(attributes=names("phone"))),
        ({"identity": "openid"}, Reads(identities=True)),
        ({"suppressed": "email"}, Reads(suppressions=True)),
        ({"journey": "a"}, Reads(journeys=names("a"), enrolments=True)),
        ({"holds_coupon": "a"}, Reads(history=True, events=names("coupon_issued", "coupon_redeemed"), time=True)),
        ({"bucket": {"salt": "a", "from": 0, "to": 5}}, Reads()),
        ({"event": "a"}, Reads(history=True, events=names("a"))),
        ({"event": ["a", "b"], "within": "3d"}, Reads(history=True, events=names("a", "b"), time=True)),
        ({"event": "*"}, Reads(history=True, any_event=True)),
        ({"event": "a", "where": {"x": 1}}, Reads(history=True, events=names("a"))),
        ({"event": "a", "where": {"tag": "vip"}}, Reads(history=True, events=names("a"), tags=names("vip"))),
        ({"event": "a", "count": "days", "at_least": 2}, Reads(history=True, events=names("a"), attributes=names("timezone"))),
        ({"event": "a", "followed_by": {"event": "b", "within": "3d"}}, Reads(history=True, events=names("a", "b"))),
        ({"event": "a", "not_followed_by": {"event": "b", "within": "3d"}}, Reads(history=True, events=names("a", "b"), time=True)),
        ({"engagement": "opened"}, Reads(history=True, events=names("message_opened"))),
        ({"engagement": "opened", "of_last": 3}, Reads(history=True, events=names("message_opened", "message_delivered"))),
        ({"engagement": "clicked", "channel": "sms"}, Reads(history=True, events=names("message_clicked"))),
        ({"all": [{"tag": "a"}, {"not": {"any": [{"tag": "b"}, {"points": 3}]}}]}, Reads(tags=names("a", "b"), points=True)),
    ],
)  # fmt: skip
def test_a_rule_names_what_it_looks_at(rule: Any, expected: Reads) -> None:
    assert reads(rule) == expected
    assert reads_past(rule) is (expected.history or expected.enrolments)


def test_what_two_rules_look_at_adds_up() -> None:
    both = reads({"tag": "a"}) | reads({"event": "b", "within": "1d"})
    assert both == reads({"any": [{"tag": "a"}, {"event": "b", "within": "1d"}]})
    assert Reads.of_all([]) == Reads()
