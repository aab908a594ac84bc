"""Why a contact is in a segment or not, in words."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.segments.people import NOW, SHANGHAI, ago, subject
from waypost.authoring.rules.sample import sample
from waypost.errors import InvalidInput
from waypost.segments.calendar import PERIODS
from waypost.segments.compile import Subject
from waypost.segments.explain import explain
from waypost.segments.subject import Enrolled


def explained(rule: Any, someone: Subject | None = None, **facts: Any) -> list[str]:
    return list(explain(rule, someone or subject(zone=SHANGHAI, **facts)).lines())


def test_the_tree_says_each_condition_and_the_value_that_decided() -> None:
    rule = {
        "all": [
            {"attribute": "city", "equals": "上海市"},
            {"attribute": "birthday", "age": {"between": [25, 35]}},
            {"event": "order_placed", "within": "30d", "at_most": 0},
            {"not": {"any": [{"tag": ["vip", "gold"]}, {"points": {"more_than": 5000}}]}},
        ]
    }
    assert explained(rule, sample()) == [
        "✗ all of these hold",
        "  ✓ city is 上海市  [city = 上海市]",
        "  ✓ birthday is an age of from 25 to 35  [birthday = 1996-11-25 (29)]",
        "  ✗ order_placed, in the last 30d, at most 0 times  [1 time, wanted at most 0; last 2026-11-05 18:20 +08:00]",
        "  ✗ this does not hold",
        "    ✓ at least one of these holds",
        "      ✓ has the tag vip or gold  [vip (since 2026-10-01 09:00 +08:00)]",
        "      ✗ has more than 5000 points  [points = 1200]",
    ]


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        ({"attribute": "company", "exists": True}, "✗ company is there  [company is missing]"),
        ({"event": "order_placed", "sum": "total", "at_least": 500}, "✓ order_placed, sum of total: at least 500  [sum of total = 638; last 2026-11-05 18:20 +08:00]"),
        ({"event": "refund_requested"}, "✗ refund_requested  [0 times]"),
        ({"event": "cart_updated", "count": "days_in_a_row", "at_least": 4}, "✗ cart_updated, at least 4 days in a row  [3 days in a row, wanted at least 4; last 2026-11-20 22:05 +08:00]"),
        ({"event": "order_placed", "occurrence": 4}, "✗ order_placed, time: 4  [no such event]"),
        ({"lifecycle": "dormant"}, "✗ is in the stage dormant  [lifecycle = active, since 2026-11-10 03:30 +08:00]"),
        ({"consent": "sms"}, "✗ granted for sms  [sms: withdrawn, 2026-10-01 10:05 +08:00 (waypost)]"),
        ({"reachable": "sms"}, "✗ can be reached on sms  [sms: address ✓, withdrawn, invalid_number]"),
        ({"journey": "cart-reminder", "is": "active"}, "✓ is in the journey cart-reminder now  [cart-reminder active 2026-11-20 23:05 +08:00]"),
        ({"engagement": "opened", "of_last": 3, "exactly": 0}, "✓ opened, of the last 3 messages, exactly 0 times  [0 / 3, wanted exactly 0 times]"),
        ({"holds_coupon": "welcome-10"}, "✗ has a valid coupon of welcome-10  [birthday-month (2026-11-30 23:59 +08:00)]"),
        ({"holds_coupon": {"exists": True}}, "✓ has a valid coupon  [birthday-month (2026-11-30 23:59 +08:00)]"),
        ({"holds_coupon": {"exists": False}}, "✗ has no valid coupon  [birthday-month (2026-11-30 23:59 +08:00)]"),
        ({"region": "浙江"}, "✗ lives in 浙江  [city = 上海市, province = 上海市]"),
    ],
)  # fmt: skip
def test_a_condition_reads_as_a_sentence(rule: Any, line: str) -> None:
    assert explained(rule, sample()) == [line]


@pytest.mark.parametrize(
    ("rule", "values"),
    [
        ({"event": "order_placed", "sum": "total", "at_least": 5}, 'sum of total = 20; last 2026-11-05 18:20 +08:00; "150", true counts as nothing, it is no number'),
        ({"event": "order_placed", "smallest": "total", "at_least": 5}, 'smallest total = 20; last 2026-11-05 18:20 +08:00; "150", true counts as nothing, it is no number'),
        ({"event": "order_placed", "where": {"total": {"at_least": 100}}}, '0 times; "150", true counts as nothing, it is no number'),
        ({"event": "order_placed", "where": {"any": [{"property": "total", "equals": 150}, {"property": "shop", "equals": "hk"}]}}, '0 times; "150", true counts as nothing, it is no number'),
        ({"event": "order_placed", "where": {"total": {"in": [20, 150]}}}, '1 time; last 2026-11-05 18:20 +08:00; "150", true counts as nothing, it is no number'),
        ({"event": "order_placed", "where": {"total": "150"}}, "1 time; last 2026-11-05 18:20 +08:00"),
        ({"event": "order_placed", "where": {"total": {"exists": True}}}, "3 times; last 2026-11-05 18:20 +08:00"),
        ({"event": "order_placed", "distinct": "total", "at_least": 1}, "different values of total = 3; last 2026-11-05 18:20 +08:00"),
        ({"attribute": "score", "at_least": 10}, 'score = 12; "12" counts as nothing, it is no number'),
        ({"attribute": "score", "between": [10, 20]}, 'score = 12; "12" counts as nothing, it is no number'),
        ({"attribute": "score", "equals": "12"}, "score = 12"),
        ({"attribute": "plan", "at_least": 10}, "plan is missing"),
    ],
)  # fmt: skip
def test_a_value_that_is_no_number_is_named_where_numbers_are_compared(rule: Any, values: str) -> None:
    at = datetime(2026, 11, 5, 10, 20, tzinfo=UTC)
    history = [("order_placed", at, {"total": total}) for total in ("150", 20, True)]
    subject = replace(sample(), history=history, attributes={"score": "12"})
    assert explain(rule, subject).values == values


def test_chinese_is_spoken_too() -> None:
    rule = {"all": [{"region": "上海"}, {"not": {"event": "order_placed", "within": "30d"}}]}
    assert list(explain(rule, sample(), language="zh-CN").lines()) == [
        "✗ 以下全部成立",
        "  ✓ 在 上海  [city = 上海市, province = 上海市]",
        "  ✗ 以下不成立",
        "    ✓ order_placed, 最近 30d 内  [1 次; 最近一次 2026-11-05 18:20 +08:00]",
    ]


@pytest.mark.parametrize("period", PERIODS)
def test_every_period_has_words_in_both_languages(period: str) -> None:
    english, chinese = (
        explain({"attribute": "a", "period": period}, sample(), language=each).label for each in ("en", "zh-CN")
    )
    assert english == f"a {period.replace('_', ' ')}"
    assert english != chinese


def test_the_json_form_is_plain() -> None:
    plain = explain({"not": {"tag": "vip"}}, sample()).to_dict()
    assert json.loads(json.dumps(plain)) == {
        "label": "this does not hold",
        "holds": False,
        "values": "",
        "children": [
            {"label": "has the tag vip", "holds": True, "values": "vip (since 2026-10-01 09:00 +08:00)", "children": []}
        ],
    }


def test_everybody_is_explained_too() -> None:
    assert explained(None) == ["✓ everybody"]


def test_long_values_are_cut() -> None:
    [line] = explained({"attribute": "a", "equals": "x"}, attributes={"a": "y" * 5_000})
    assert len(line) < 300
    [line] = explained({"tag": [f"tag-{number}" for number in range(1_000)]})
    assert len(line) < 300


def test_what_is_no_rule_is_refused_before_anything_is_explained() -> None:
    with pytest.raises(InvalidInput):
        explain({"any": [{"tag": "vip"}, {"attribute": "a", "equal": 1}]}, subject(tags=frozenset({"vip"})))


def test_a_passage_without_an_outcome_and_events_without_properties_are_explained() -> None:
    assert explained({"journey": "a"}, enrolments=(Enrolled("a", "active", None, NOW),)) == [
        "✓ has entered the journey a  [a active 2027-03-01 10:00 +08:00]"
    ]
    assert explained({"event": "seen", "occurrence": "last"}, history=[ago("seen", days=1)]) == [
        "✓ seen, time: last  [2027-02-28 10:00 +08:00]"
    ]
