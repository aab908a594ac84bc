"""Rules as authors write them: the forms, and what an author reads about a wrong one."""

from datetime import UTC, datetime
from typing import Any

import pytest

from waypost.authoring.rules import dump_rule, parse_rule, parse_where, uses_trigger
from waypost.authoring.rules.contradictions import never_together
from waypost.errors import InvalidInput
from waypost.segments.compile import Subject, compile_rule


@pytest.mark.parametrize(
    "rule",
    [
        {"all": [{"tag": "a"}, {"any": [{"tag": "b"}, {"not": {"tag": "c"}}]}]},
        {"attribute": "age", "at_least": 18},
        {"property": "order.total", "more_than": 99.5},
        {"attribute": "birthday", "at_most": "2027-03-01"},
        {"attribute": "seen", "exists": False},
        {"attribute": "tier", "in": ["gold", "silver"]},
        {"event": "order_placed", "at_least": 2, "within": "30d"},
        {"consent": "sms", "topic": "offers"},
    ],
)
def test_a_rule_in_its_normal_form_stays_as_it_is(rule: dict[str, Any]) -> None:
    assert dump_rule(parse_rule(rule)) == rule


def test_the_shorthand_of_where_is_written_out() -> None:
    where = {"coupon": ["A", "B"], "total": {"at_least": 5}, "paid": True}
    assert dump_rule(parse_where(where)) == {
        "all": [
            {"property": "coupon", "in": ["A", "B"]},
            {"property": "total", "at_least": 5},
            {"property": "paid", "equals": True},
        ]
    }
    assert dump_rule(parse_rule({"event": "order_placed", "where": {"coupon": "A"}})) == {
        "event": "order_placed",
        "where": {"property": "coupon", "equals": "A"},
    }


@pytest.mark.parametrize("name", ["提交订单", "注文_確定", "café_opened", "заказ_оплачен", "طلب_تم", "2_fa_enabled"])
def test_a_rule_asks_for_events_in_every_script_that_intake_takes(name: str) -> None:
    assert dump_rule(parse_rule({"event": name})) == {"event": name}


@pytest.mark.parametrize(
    ("rule", "field", "reason"),
    [
        ("vip", "entry", "expected a rule"),
        ({}, "entry", "expected one of the key words"),
        ({"atribute": "a", "equals": 1}, "entry", "did you mean 'attribute' instead of 'atribute'?"),
        ({"tag": "a", "event": "b"}, "entry", "expected one key word, got tag and event"),
        ({"attribute": "a"}, "entry", "expected exactly one operator"),
        ({"attribute": "a", "equals": 1, "in": [1]}, "entry", "got equals, in"),
        ({"attribute": "a", "equal": 1}, "entry.equal", "did you mean 'equals'?"),
        ({"attribute": "a", "in": "x"}, "entry.in", "expected a list, got 'x'; write [x]"),
        ({"attribute": "a", "equals": [1]}, "entry.equals", "expected text, a number, true or false"),
        ({"attribute": "a", "exists": "yes"}, "entry.exists", "expected true or false, got 'yes'"),
        ({"attribute": 3, "equals": 1}, "entry.attribute", "expected text, got 3"),
        ({"all": {"tag": "x"}}, "entry.all", "expected a list"),
        ({"all": []}, "entry.all", "at least 1 item"),
        ({"any": [{"tag": "a"}, {"not": {"attribute": "age", "at_least": "18"}}]}, "entry.any[1].not.at_least", "'18'"),
        ({"event": "Order Placed"}, "entry.event", "did you mean 'order_placed'?"),
        ({"event": "orderPlaced"}, "entry.event", "did you mean 'order_placed'?"),
        ({"event": "提交 订单！"}, "entry.event", "did you mean '提交_订单'?"),
        ({"event": "Заказ Оплачен"}, "entry.event", "did you mean 'заказ_оплачен'?"),
        ({"event": "!!!"}, "entry.event", "expected an event type in snake_case"),
        ({"event": "x" * 101}, "entry.event", "expected an event type in snake_case"),
        ({"event": "order_placed", "within": "30 days"}, "entry.within", "45s, 30m, 3h or 2d"),
        ({"event": "order_placed", "at_least": 1, "exactly": 1}, "entry", "only one of at_least, at_most, exactly"),
        ({"event": "order_placed", "where": {}}, "entry.where", "is empty"),
        ({"event": "order_placed", "where": {"properti": "x", "equals": 1}}, "entry.where", "needs a 'property'"),
        ({"event": "order_placed", "where": {"total": {"atleast": 1}}}, "entry.where", "did you mean 'at_least'?"),
        ({"event": "order_placed", "where": {"total": None}}, "entry.where", "total: expected a value"),
        ({"consent": "emial"}, "entry.consent", "did you mean 'email'?"),
        ({"property": "event.properties.total", "at_least": 1}, "entry.property", "write 'total'"),
        ({"property": "properties.total", "at_least": 1}, "entry.property", "write 'total'"),
        (
            {"event": "order_placed", "where": {"event.properties.total": {"at_least": 1}}},
            "entry.where.property",
            "write 'total'",
        ),
        (
            {"attribute": "waiting_for", "contains_property": "event.properties.sku"},
            "entry.contains_property",
            "write 'sku'",
        ),
        (
            {"attribute": "code", "equals_trigger": "event.left_on.properties.code"},
            "entry.equals_trigger",
            "write 'code'",
        ),
        ({"event": "order_placed", "sum": "event.properties.total", "at_least": 100}, "entry.sum", "write 'total'"),
    ],
)
def test_a_wrong_rule_names_its_place_and_the_way_out(rule: Any, field: str, reason: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_rule(rule, where="entry")
    assert caught.value.field == field
    assert reason in caught.value.reason


def test_several_mistakes_are_counted() -> None:
    with pytest.raises(InvalidInput, match=r"rule.all\[0\].equal: .* \(and 1 more\)"):
        parse_rule({"all": [{"attribute": "a", "equal": 1}, {"event": "A b"}]})


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"tag": "a"}, False),
        ({"property": "a", "equals": 1}, False),
        ({"not": {"any": [{"tag": "a"}, {"property": "cart", "equals_trigger": "cart"}]}}, True),
        ({"event": "order_placed", "where": {"property": "cart", "equals_trigger": "cart"}}, True),
        ({"event": "a", "followed_by": {"event": "b", "where": {"property": "c", "equals_trigger": "c"}}}, True),
        ({"engagement": "opened", "occurrence": "last", "having": {"property": "c", "equals_trigger": "c"}}, True),
    ],
)
def test_a_rule_that_asks_for_the_trigger_is_known(rule: dict[str, Any], expected: bool) -> None:
    assert uses_trigger(parse_rule(rule)) is expected


@pytest.mark.parametrize(
    ("rule", "field", "reason"),
    [
        ({"attribute": "a", "equals": 1, "ignore_case": True, "at_least": 2}, "entry", "put two comparisons in a list under 'all'"),
        ({"attribute": "a", "at_least": 1, "ignore_case": True}, "entry", "'ignore_case' goes with equals"),
        ({"attribute": "a", "between": [5, 1]}, "entry.between", "the smaller number first"),
        ({"attribute": "a", "between": [1, "2027-01-01"]}, "entry.between", "two numbers or two dates"),
        ({"attribute": "a", "between": ["2027-02-01", "2027-01-01"]}, "entry.between", "the earlier date first"),
        ({"attribute": "a", "matches": "(?=x)"}, "entry.matches", "RE2's syntax"),
        ({"attribute": "a", "matches": "x" * 1_001}, "entry.matches", "at most 1,000 characters"),
        ({"attribute": "a", "matches": r"\pL{900}"}, "entry.matches", "too large"),
        ({"attribute": "a", "age": {"atleast": 18}}, "entry.age", "did you mean 'at_least'?"),
        ({"attribute": "a", "age": "18"}, "entry.age", "such as {at_least: 18}, got '18'"),
        ({"attribute": "a", "period": "this_moth"}, "entry.period", "did you mean 'this_month'?"),
        ({"attribute": "a", "weekday": ["monday"]}, "entry.weekday", "did you mean 'mon'?"),
        ({"attribute": "a", "month": 13}, "entry.month", "expected a number from 1 to 12 or a list of them, got 13"),
        ({"event": "a", "month": [1.0]}, "entry.month", "expected a number from 1 to 12"),
        ({"attribute": "a", "on": "2027-W09-1"}, "entry.on", "expected a date such as 2027-03-01"),
        ({"event": "a", "after": "2027-W09-1"}, "entry.after", "expected a date (2027-03-01)"),
        ({"attribute": "a", "at_least": "2027-W09-1"}, "entry.at_least", "expected a number, a date"),
        ({"event": "a", "period": "next_month"}, "entry.period", "'next_month' lies ahead; expected one of today, yesterday"),
        ({"event": "a", "period": "this_moth"}, "entry.period", "did you mean 'this_month'?"),
        ({"event": "a", "between": ["2027-03-01T10:00:00Z", "2027-03-01T09:00:00Z"]}, "entry.between", "the earlier date first"),
        ({"event": "a", "time_of_day": ["T0900", "18:00"]}, "entry.time_of_day", "such as [09:00, 21:00]"),
        ({"attribute": "a", "time_of_day": ["9:00", "21:00"]}, "entry.time_of_day", "such as [09:00, 21:00]"),
        ({"attribute": "a", "anniversary": {"next_day": 3}}, "entry.anniversary", "did you mean 'next_days'?"),
        ({"attribute": "a", "on": "2027-03-01T10:00:00Z"}, "entry.on", "expected a date such as 2027-03-01"),
        ({"attribute": "a", "before": "soon"}, "entry.before", "expected a date (2027-03-01)"),
        ({"attribute": "a", "last_days": 0}, "entry.last_days", "expected a number of days from 1 to 36,600, got 0; today alone is 1"),
        ({"attribute": "a", "next_days": 2.5}, "entry.next_days", "expected a whole number of days, got 2.5"),
        ({"event": "a", "within": "3d", "last_days": 3}, "entry", "expected only one of within"),
        ({"event": "a", "within": "1h", "older_than": "1d"}, "entry", "did you mean within: 1d, older_than: 1h?"),
        ({"event": "a", "within": "1d", "older_than": "1h", "last_days": 3}, "entry", "(within and older_than may stand together)"),
        ({"event": "a", "followed_by": {"event": "b", "same": {"c": "d", "e": "f"}}}, "entry.followed_by.same", "expected one property"),
        ({"event": "a", "followed_by": {"event": "b", "same": {"c": 5}}}, "entry.followed_by.same", "expected a name, got 5"),
        ({"event": "a", "repeated": "product_id"}, "entry", "'repeated' needs one of at_least"),
        ({"event": "a", "repeated": "product_id", "at_least": 0}, "entry", "0 holds for everybody"),
        ({"event": "a", "sum": "total"}, "entry", "'sum' needs one of at_least"),
        ({"event": "a", "at_least": 1.5}, "entry", "at_least: expected a whole number from 0 on, got 1.5"),
        ({"event": "a", "at_least": 0}, "entry", "0 holds for everybody"),
        ({"event": "a", "having": {"x": 1}}, "entry", "'having' needs an 'occurrence'"),
        ({"event": "a", "equals": 5}, "entry", "'most_frequent' goes with 'equals' or 'in'"),
        ({"event": "a", "ocurrence": "first"}, "entry.ocurrence", "did you mean 'occurrence'?"),
        ({"event": ["a", "Order Placed"]}, "entry.event", "did you mean 'order_placed'?"),
        ({"event": "a", "followed_by": {"event": "b", "withn": "3d"}}, "entry.followed_by.withn", "did you mean 'within'?"),
        ({"event": "a", "where": {"points": {}}}, "entry.where", "points: expected a value"),
        ({"engagement": "opend"}, "entry.engagement", "did you mean 'opened'?"),
        ({"engagement": "opened", "channel": "sms"}, "entry", "nothing reports 'opened' on sms; it is known on email"),
        ({"engagement": "opened", "of_last": 3, "within": "3d"}, "entry", "'of_last' and 'within' cannot stand together"),
        ({"tag": {"any": ["a"]}}, "entry.tag", "did you mean 'any_of'?"),
        ({"tag": {"any_of": "a"}}, "entry.tag", "any_of: expected a list of names"),
        ({"tag": []}, "entry.tag", "at least one name"),
        ({"tag": {"exists": "no"}}, "entry.tag", "exists: true (any at all) or exists: false (none at all)"),
        ({"tag": {"exists": False, "any_of": ["a"]}}, "entry.tag", "nothing beside it"),
        ({"tag": {"exist": False}}, "entry.tag", "did you mean 'exists'?"),
        ({"tag": {"exists": False}, "within": "3d"}, "entry", "since when is asked of a tag by its name"),
        ({"segment": {"exists": False}}, "entry.segment", "unknown word 'exists'"),
        ({"group": "a", "within": "3d"}, "entry.within", "unknown field 'within'"),
        ({"lifecycle": {"any_of": ["a"]}}, "entry.lifecycle", "expected a name"),
        ({"journey": "a", "is": "running"}, "entry.is", "expected 'entered', 'active', 'ended' or 'never_entered'"),
        ({"journey": "a", "outcome": "gaol"}, "entry", "did you mean 'goal'?"),
        ({"consent": "email", "is": "grant"}, "entry.is", "did you mean 'granted'?"),
        ({"reachable": "emial"}, "entry.reachable", "did you mean 'email'?"),
        ({"identity": "open_id"}, "entry.identity", "did you mean 'openid'?"),
        ({"region": "上誨"}, "entry.region", "is no province or city of China"),
        ({"created": {}}, "entry.created", "expected a time word"),
        ({"bucket": {"salt": "a", "from": 50, "to": 50}}, "entry.bucket", "'to' larger than 'from'"),
        ({"bucket": {"salt": "a", "from": 0, "to": 33.333}}, "entry.bucket.to", "at most two decimals"),
        ({"holdout": {"salt": "a", "percent": 0}}, "entry.holdout.percent", "expected a percentage greater than 0"),
        ({"holdout": {"percent": 5}}, "entry.holdout.salt", "is missing"),
        ({"points": {"at_least": "5"}}, "entry.points", "at_least: expected a number"),
        ({"metrics": "a", "at_least": 5}, "entry", "did you mean 'metric' instead of 'metrics'?"),
    ],
)  # fmt: skip
def test_a_wrong_word_names_its_place_and_the_nearest_right_one(rule: Any, field: str, reason: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_rule(rule, where="entry")
    assert reason in caught.value.reason
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("rule", "field", "reason"),
    [
        ({"attribute": "a", "age": {"at_least": -3}}, "age", "at_least: expected a number of years from 0 to 1,000, got -3; for a date that lies ahead ask days_until"),
        ({"attribute": "a", "age": 17.5}, "age", "expected a whole number of years, got 17.5"),
        ({"attribute": "a", "age": {"between": [1990, 1999]}}, "age", "for the year of a birth write between: [1990-01-01, 1990-12-31]"),
        ({"attribute": "a", "length": 1.5}, "length", "expected a whole number of characters, got 1.5"),
        ({"attribute": "a", "length": {"less_than": 0}}, "length", "can never hold: no number of characters is less_than 0"),
        ({"attribute": "a", "size": {"at_most": -1}}, "size", "at_most: expected a number of elements from 0 on, got -1"),
        ({"attribute": "a", "days_since": {"at_most": 2.5}}, "days_since", "at_most: expected a whole number of days, got 2.5"),
        ({"attribute": "a", "days_since": -1}, "days_since", "for days that lie ahead write days_until"),
        ({"attribute": "a", "days_until": -1}, "days_until", "for days gone by write days_since"),
        ({"attribute": "a", "days_since": 40_000}, "days_since", "expected a number of days from 0 to 36,600, got 40000; use before with a date"),
        ({"event": "a", "days_since": -1}, "days_since", "today is 0, and nothing has happened after it"),
        ({"tag": "a", "days_since": {"between": [10, 5]}}, "days_since", "the smaller number first"),
        ({"points": 1.5}, "points", "expected a whole number of points, got 1.5"),
        ({"attribute": "a", "at_least": float("nan")}, "at_least", "expected a number, a date"),
        ({"attribute": "a", "equals": float("inf")}, "equals", "expected text, a number, true or false, got inf"),
        ({"attribute": "a", "between": [0, float("inf")]}, "between", "expected two numbers or two dates"),
        ({"attribute": "a", "contains": ""}, "contains", "every text contains it: ask is_empty: false instead"),
        ({"attribute": "a", "contains_any": ["x", ""]}, "contains_any[1]", "expected something to look for"),
        ({"attribute": "a", "in": []}, "in", "expected at least one value, got []"),
        ({"event": "a", "at_least": float("nan")}, "at_least", "expected a number, got nan"),
        ({"event": "a", "exactly": -1}, "", "exactly: expected a whole number from 0 on, got -1"),
        ({"event": "a", "occurrence": -1}, "occurrence", "expected first, last or a whole number from 1 on, got -1; the last but one"),
        ({"event": "a", "occurrence": 1.5}, "occurrence", "expected first, last or a whole number from 1 on, got 1.5"),
        ({"engagement": "opened", "of_last": 0}, "of_last", "expected a number of messages from 1 to 1,000, got 0"),
        ({"event": "a", "count": "days", "last_days": 3, "at_least": 4}, "", "last_days 3 has no number of days that is at_least 4"),
        ({"now": {"within": "3d"}}, "now.within", "expected one of after, before, between, month, on, time_of_day, weekday"),
        ({"now": {}}, "now", "expected a word of the calendar"),
        ({"now": {"on": "2027-01-01", "before": "2027-02-01"}}, "now", "expected only one of on, before, after, between"),
        ({"journey": "a", "is": "never_entered", "outcome": "goal"}, "", "'never_entered' has no outcome"),
        ({"identity": "email", "account": "wx"}, "", "'account' goes with openid alone"),
        ({"suppressed": "email", "reason": "hard_bonce"}, "reason", "did you mean 'hard_bounce'?"),
        ({"locale": "Chinese"}, "locale", "expected a language tag such as zh, zh-CN or en, got 'Chinese'"),
        ({"bucket": {"salt": "a", "from": -1, "to": 5}}, "bucket.from", "expected a percentage from 0 to 100, got -1"),
        ({"holdout": {"salt": "a", "percent": float("nan")}}, "holdout.percent", "expected a percentage from 0 to 100, got nan"),
        ({"event": "a", "time_of_day": ["09:00", "09:00"]}, "time_of_day", "leave it out to mean the whole day"),
    ],
)  # fmt: skip
def test_a_number_or_a_value_that_nobody_can_mean_is_refused_with_a_way_out(rule: Any, field: str, reason: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_rule(rule, where="entry")
    assert reason in caught.value.reason
    assert caught.value.field == ".".join(filter(None, ("entry", field)))


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        ({"attribute": "a", "age": {"at_least": 30, "at_most": 20}}, "entry.age"),
        ({"attribute": "a", "age": {"more_than": 20, "less_than": 21}}, "entry.age"),
        ({"points": {"equals": 5, "at_most": 3}}, "entry.points"),
        ({"event": "a", "at_least": 5, "at_most": 2}, "entry"),
        ({"event": "a", "less_than": 0}, "entry"),
        ({"event": "a", "more_than": 1, "less_than": 2}, "entry"),
        ({"event": "a", "sum": "total", "at_least": 500, "at_most": 100}, "entry"),
        ({"engagement": "opened", "of_last": 3, "at_least": 4}, "entry"),
        ({"consent": "email", "is": "none", "within": "3d"}, "entry"),
        ({"journey": "a", "is": "active", "outcome": "goal"}, "entry"),
        ({"metric": "rfm_r", "at_least": 6}, "entry"),
        ({"metric": "churn_score", "less_than": 0}, "entry"),
    ],
)
def test_a_condition_that_can_never_hold_is_refused(rule: Any, field: str) -> None:
    with pytest.raises(InvalidInput, match="can never hold") as caught:
        parse_rule(rule, where="entry")
    assert caught.value.field == field


@pytest.mark.parametrize(
    "rules",
    [
        [{"attribute": "a", "age": {"at_least": 30}}, {"attribute": "a", "age": {"at_most": 20}}],
        [{"attribute": "a", "at_least": 30}, {"tag": "b"}, {"attribute": "a", "less_than": 30}],
        [{"attribute": "a", "equals": 5}, {"attribute": "a", "more_than": 5}],
        [{"attribute": "a", "equals": "x"}, {"attribute": "a", "in": ["y", "z"]}],
        [{"attribute": "a", "equals": "x", "ignore_case": True}, {"attribute": "a", "equals": "Y"}],
        [{"attribute": "a", "after": "2027-03-05"}, {"attribute": "a", "before": "2027-03-06"}],
        [{"attribute": "a", "on": "2027-03-05"}, {"attribute": "a", "between": ["2027-03-06", "2027-03-07"]}],
        [{"attribute": "a", "at_least": "2027-03-05"}, {"attribute": "a", "at_most": "2027-03-04"}],
        [{"attribute": "a", "after": "2027-03-20T00:00:00Z"}, {"attribute": "a", "before": "2027-03-05"}],
        [{"attribute": "a", "within": "7d"}, {"attribute": "a", "older_than": "7d"}],
        [{"attribute": "a", "last_days": 7}, {"attribute": "a", "days_since": {"at_least": 7}}],
        [{"attribute": "a", "next_days": 7}, {"attribute": "a", "days_since": 1}],
        [{"attribute": "a", "days_until": {"at_least": 5}}, {"attribute": "a", "days_until": {"less_than": 5}}],
        [{"metric": "m", "at_least": 5}, {"metric": "m", "between": [1, 2]}],
        [{"points": {"at_least": 5}}, {"points": {"at_most": 3}}],
        [{"tag": "vip"}, {"not": {"tag": "vip"}}],
        [{"lifecycle": "new"}, {"lifecycle": ["active", "mature"]}],
    ],
)  # fmt: skip
def test_rules_that_exclude_each_other_are_reported_in_an_all(rules: list[dict[str, Any]]) -> None:
    [(place, reason)] = contradictions_of({"any": [{"tag": "c"}, {"all": rules}]})
    assert place == "rule.any[1].all"
    assert reason.startswith("can never hold")
    assert not contradictions_of({"any": rules})


def test_a_property_that_can_never_be_so_is_reported_where_it_stands() -> None:
    rule = {"not": {"event": "a", "followed_by": {"event": "b", "where": {"total": {"at_least": 50, "at_most": 5}}}}}
    [(place, _)] = contradictions_of(rule)
    assert place == "rule.not.followed_by.where.all"


@pytest.mark.parametrize(
    "rule",
    [
        {"attribute": "a", "at_least": 2.5},
        {"attribute": "a", "between": [-5, -2.5]},
        {"attribute": "a", "days_until": {"at_most": 30}},
        {"attribute": "a", "days_since": 3.0},
        {"attribute": "a", "age": {"less_than": 1}},
        {"attribute": "a", "age": {"at_least": 300}},
        {"attribute": "a", "length": 0},
        {"attribute": "a", "size": {"at_least": 0}},
        {"attribute": "a", "equals": ""},
        {"metric": "activity", "at_least": -2.5},
        {"points": {"less_than": 0}},
        {"event": "a", "sum": "total", "less_than": -0.5},
        {"event": "a", "at_most": 0},
        {"event": "a", "count": "days", "last_days": 3, "at_least": 3},
        {"engagement": "opened", "of_last": 3, "exactly": 3},
        {"tag": "a", "within": "7d", "older_than": "1d"},
        {"event": "a", "followed_by": {"event": "b", "same": {"c": "d"}}},
        {"bucket": {"salt": "a", "from": 0, "to": 100}},
        {"identity": "openid", "account": "wx"},
        {"all": [{"attribute": "a", "older_than": "7d"}, {"attribute": "a", "within": "30d"}]},
        {"all": [{"attribute": "a", "at_least": 5}, {"attribute": "a", "at_most": 5}]},
        {"all": [{"attribute": "a", "after": "2027-03-05"}, {"attribute": "a", "on": "2027-03-06"}]},
        {"all": [{"attribute": "a", "equals": "x", "ignore_case": True}, {"attribute": "a", "equals": "X"}]},
        {"all": [{"attribute": "a", "contains": "x"}, {"attribute": "a", "contains": "y"}]},
        {"all": [{"event": "a", "within": "7d"}, {"event": "a", "older_than": "30d"}]},
        {"all": [{"tag": "a", "within": "7d"}, {"not": {"tag": "a", "within": "3d"}}]},
        {"all": [{"attribute": "a", "at_least": "{% $x %}"}, {"attribute": "a", "at_most": 5}]},
    ],
)  # fmt: skip
def test_what_can_be_meant_stays_allowed(rule: dict[str, Any]) -> None:
    assert not contradictions_of(rule)


def contradictions_of(rule: dict[str, Any]) -> list[tuple[str, str]]:
    """The warnings about a rule whose parts exclude each other."""
    return list(never_together(dump_rule(parse_rule(rule)) or {}, "rule"))


def nested(depth: int, word: str = "not") -> dict[str, Any]:
    """A rule in so many others."""
    rule: dict[str, Any] = {"tag": "a"}
    for _ in range(depth):
        rule = {word: rule} if word == "not" else {word: [rule]}
    return rule


def deep_list(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def within_events(depth: int) -> dict[str, Any]:
    rule: dict[str, Any] = {"property": "a", "equals": 1}
    for _ in range(depth):
        rule = {"event": "seen", "where": {"all": [rule]}}
    return rule


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (nested(20), "nested deeper than 20 levels"),
        (nested(100_000), "nested deeper than 20 levels"),
        (nested(100_000, "all"), "nested deeper than 20 levels"),
        (within_events(5_000), "nested deeper than 20 levels"),
        ({"attribute": "a", "in": deep_list(100_000)}, "values nested deeper than 4 levels"),
        ({"event": "seen", "where": {"a": {"in": deep_list(100_000)}}}, "values nested deeper than 4 levels"),
        ({"attribute": "a", "in": [f"v{number}" for number in range(10_001)]}, "lists more than 10,000 values"),
        ({"any": [{"attribute": "a", "in": ["x"] * 600} for _ in range(20)]}, "lists more than 10,000 values"),
        ({"any": [{"tag": f"t{number}"} for number in range(1_001)]}, "more than 1,000 conditions"),
        ({"attribute": "a", "equals": "x" * 10_001}, "text of 10,001 characters"),
        ({"attribute": "a", "contains": "x\ud800"}, "half of a character"),
        (deep_list(100_000), "expected a rule"),
        ({"all": deep_list(100_000)}, "nested deeper"),
    ],
)
def test_a_hostile_rule_is_refused_with_a_reason(rule: Any, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        parse_rule(rule)


def test_the_largest_rules_that_are_allowed_are_compiled() -> None:
    someone = Subject(attributes={"a": "v9999"}, tags=frozenset(), now=datetime(2027, 3, 1, tzinfo=UTC))
    for rule, holds in (
        (nested(19), True),
        ({"attribute": "a", "in": [f"v{number}" for number in range(10_000)]}, True),
        ({"any": [{"attribute": "a", "equals": number} for number in range(1_000)]}, False),
        ({"any": [{"event": f"e{number}"} for number in range(1_000)]}, False),
    ):
        assert compile_rule(dump_rule(parse_rule(rule)))(someone) is holds


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+$",
        "(a|a)*b",
        "(a|aa)+$",
        "^(([a-z])+.)+[A-Z]([a-z])+$",
        "(x+x+)+y",
        "a{1,1000}b",
        "(.*)(.*)(.*)(.*)(.*)=$",
    ],
)
def test_an_expression_that_hangs_elsewhere_answers_here(pattern: str) -> None:
    """RE2 takes time linear in the text; a backtracking engine would need longer than the universe has."""
    holds = compile_rule(dump_rule(parse_rule({"attribute": "a", "matches": pattern})))
    text = "a" * 20_000 + "!"
    assert holds(Subject(attributes={"a": text}, tags=frozenset(), now=datetime(2027, 3, 1, tzinfo=UTC))) is False


def test_a_text_that_is_no_unicode_matches_nothing() -> None:
    holds = compile_rule({"attribute": "a", "matches": "."})
    assert holds(Subject(attributes={"a": "\ud800"}, tags=frozenset(), now=datetime(2027, 3, 1, tzinfo=UTC))) is False


@pytest.mark.parametrize(
    ("rule", "normal"),
    [
        ({"attribute": "a", "age": 30}, {"attribute": "a", "age": {"equals": 30}}),
        ({"attribute": "a", "weekday": "mon"}, {"attribute": "a", "weekday": ["mon"]}),
        ({"attribute": "a", "month": 3}, {"attribute": "a", "month": [3]}),
        ({"points": 0}, {"points": {"equals": 0}}),
        ({"event": "a", "at_least": 2, "at_most": 5}, {"event": "a", "at_least": 2, "at_most": 5}),
        ({"journey": "a", "is": "active"}, {"journey": "a", "is": "active"}),
        ({"event": "a", "where": {"b": {"contains": "X", "ignore_case": True}}}, {"event": "a", "where": {"property": "b", "contains": "X", "ignore_case": True}}),
        ({"event": "a", "occurrence": "last", "having": {"b": 1}}, {"event": "a", "occurrence": "last", "having": {"property": "b", "equals": 1}}),
    ],
)  # fmt: skip
def test_short_forms_are_written_out(rule: dict[str, Any], normal: dict[str, Any]) -> None:
    assert dump_rule(parse_rule(rule)) == normal
    assert dump_rule(parse_rule(normal)) == normal


def test_words_that_a_journey_computes_are_taken_as_they_are() -> None:
    rule = {
        "all": [
            {"attribute": "a", "at_least": "{% $x %}"},
            {"event": "seen", "within": "{% $y %}", "at_least": "{% $z %}"},
        ]
    }
    assert dump_rule(parse_rule(rule)) == rule
