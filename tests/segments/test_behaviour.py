"""What conditions over events count: how often, how much, first and last, one after another."""

from decimal import Decimal
from typing import Any

import pytest

from tests.segments.people import SHANGHAI, ago, at, selects, subject
from waypost.errors import InvalidInput
from waypost.segments.compile import compile_rule
from waypost.segments.explain import explain

ORDERS = [
    ago("order_placed", {"total": 100, "category": "home", "items": ["a", "b"]}, days=90),
    ago("order_placed", {"total": 250.5, "category": "beauty", "items": ["b"]}, days=40),
    ago("order_placed", {"total": "free", "category": "beauty"}, days=10),
    ago("page_viewed", {"total": 7}, days=1),
]


def did(history: Any = ORDERS, **rule: Any) -> bool:
    return selects({"event": "order_placed", **rule}, history=history)


def test_counts_may_be_a_span() -> None:
    assert did(at_least=2, at_most=3)
    assert not did(at_least=2, at_most=2)
    assert did(more_than=2)
    assert not did(less_than=3)
    assert did(exactly=0, within="5d")


def test_the_value_that_comes_most_often_is_counted() -> None:
    assert did(repeated="category", exactly=2)
    assert did(repeated="items", exactly=2)
    assert did(repeated="items", exactly=1, within="50d")
    assert did(repeated="coupon", exactly=0)
    assert not did(repeated="total", at_least=2)
    assert explain(
        {"event": "order_placed", "repeated": "items", "at_least": 2}, subject(history=ORDERS)
    ).values.startswith("most events of one items = 2")


def test_within_and_older_than_leave_the_time_between_them() -> None:
    assert did(within="50d", older_than="20d", exactly=1)
    assert did(within="40d", older_than="10d", exactly=1)
    assert not did(occurrence="last", within="50d", older_than="10d")
    assert did(occurrence="last", within="50d", older_than="9d")
    with pytest.raises(InvalidInput, match="within and older_than may stand together"):
        compile_rule({"event": "order_placed", "within": "50d", "last_days": 5})


def test_what_follows_may_call_the_same_thing_otherwise_or_list_it() -> None:
    seen = [
        ago("product_viewed", {"product_id": "p-1"}, days=3),
        ago("order_placed", {"product_ids": ["p-2", "p-1"]}, days=2),
    ]
    for same, holds in (
        ({"product_id": "product_ids"}, True),
        ({"product_id": "product_id"}, False),
        ("product_ids", False),
    ):
        rule = {"event": "product_viewed", "followed_by": {"event": "order_placed", "same": same}}
        assert selects(rule, history=seen) is holds
        assert explain(rule, subject(history=seen)).holds is holds
    for wrong in ({}, {"a": "b", "c": "d"}, {"a": 5}, ["a"]):
        with pytest.raises(InvalidInput, match=r"rule\.same"):
            compile_rule({"event": "product_viewed", "followed_by": {"event": "order_placed", "same": wrong}})


def test_several_types_are_counted_together_and_any_means_all_but_conclusions() -> None:
    history = [*ORDERS, ago("tag_added", {"tag": "vip"}, days=1), ago("segment_entered", days=1)]
    assert selects({"event": ["order_placed", "page_viewed"], "exactly": 4}, history=history)
    assert selects({"event": "*", "exactly": 4}, history=history)
    assert selects({"event": "tag_added"}, history=history)


def test_the_order_of_the_history_does_not_matter() -> None:
    for rule in (
        {"occurrence": "last", "having": {"total": "free"}},
        {"sum": "total", "at_least": 350.5},
        {"occurrence": 2, "older_than": "30d"},
    ):
        assert did(**rule)
        assert did(list(reversed(ORDERS)), **rule)


def test_sums_leave_out_what_is_no_number() -> None:
    assert did(sum="total", exactly=350.5)
    assert did(average="total", exactly=175.25)
    assert did(smallest="total", exactly=100)
    assert did(largest="total", more_than=250)
    assert did([ago("order_placed", {"total": True}, days=1)], sum="total", exactly=0)
    assert not did([ago("order_placed", {"total": True}, days=1)], average="total", at_least=0)
    assert not did([], smallest="total", at_least=0)
    assert did([], sum="total", at_most=0)


def test_sums_are_exact_in_any_order() -> None:
    parts = [0.1] * 10 + [1e16, -1e16]
    history = [ago("order_placed", {"total": part}, days=1) for part in parts]
    assert did(history, sum="total", exactly=1.0)
    assert did(list(reversed(history)), sum="total", exactly=1.0)
    huge = [ago("order_placed", {"total": value}, days=1) for value in (1e308, 1e308, 10**400)]
    assert did(huge, sum="total", more_than=10**308)
    assert did(huge, average="total", more_than=10**308)


def test_different_values_and_the_most_frequent_ones() -> None:
    assert did(distinct="items", exactly=2)
    assert did(distinct="category", exactly=2)
    assert did(most_frequent="category", equals="beauty")
    assert not did(most_frequent="category", **{"in": ["home", "garden"]})
    tied = ORDERS[:2]
    assert did(tied, most_frequent="category", equals="beauty")
    assert did(tied, most_frequent="category", equals="home")
    assert not did([], most_frequent="category", equals="home")
    assert did(
        [ago("order_placed", {"n": 1}, days=1), ago("order_placed", {"n": True}, days=1)], distinct="n", exactly=2
    )


def test_days_weeks_and_months_are_local() -> None:
    late = [
        at("order_placed", "2027-02-27T23:30:00+08:00"),
        at("order_placed", "2027-02-28T00:30:00+08:00"),
        at("order_placed", "2027-03-01T00:30:00+08:00"),
    ]

    def local(**rule: Any) -> bool:
        return selects({"event": "order_placed", **rule}, history=late, zone=SHANGHAI)

    assert local(count="days", exactly=3)
    assert local(count="days_in_a_row", exactly=3)
    assert local(count="weeks", exactly=2)
    assert local(count="months", exactly=2)
    assert selects({"event": "order_placed", "count": "days", "exactly": 2}, history=late)  # in UTC


def test_a_run_of_days_has_no_gap() -> None:
    history = [ago("order_placed", days=each) for each in (1, 2, 4, 5, 6, 6, 9)]
    assert did(history, count="days_in_a_row", exactly=3)
    assert not did([], count="days_in_a_row", at_least=1)


def test_first_last_and_nth_are_chosen_before_the_window_is_asked() -> None:
    assert did(occurrence="first", older_than="60d")
    assert not did(occurrence="first", within="30d")
    assert did(occurrence="last", within="30d")
    assert did(occurrence=2, days_since=40)
    assert not did(occurrence=4)
    assert did(occurrence="first", where={"category": "beauty"}, within="60d")
    assert not did([], occurrence="last")


def test_having_asks_the_chosen_event_where_chooses() -> None:
    assert did(occurrence="last", having={"category": "beauty"})
    assert not did(occurrence="first", having={"category": "beauty"})
    assert did(occurrence="first", where={"category": "beauty"}, having={"total": {"more_than": 200}})


def test_events_of_one_instant_keep_their_order() -> None:
    twins = [ago("order_placed", {"n": 1}, days=1), ago("order_placed", {"n": 2}, days=1)]
    assert did(twins, occurrence="first", having={"n": 1})
    assert did(twins, occurrence="last", having={"n": 2})


CHECKOUTS = [
    ago("checkout_started", {"cart": "1"}, hours=50),
    ago("order_placed", {"cart": "1"}, hours=49),
    ago("checkout_started", {"cart": "2"}, hours=5),
    ago("order_placed", {"cart": "3"}, hours=4),
    ago("checkout_started", {}, hours=1),
]


def began(history: Any = CHECKOUTS, **rule: Any) -> bool:
    return selects({"event": "checkout_started", **rule}, history=history)


def test_one_thing_after_another() -> None:
    assert began(followed_by={"event": "order_placed"}, exactly=2)
    assert began(followed_by={"event": "order_placed", "same": "cart"}, exactly=1)
    assert began(followed_by={"event": "order_placed", "within": "30m"}, exactly=0)
    assert began(followed_by={"event": "order_placed", "within": "1h"}, exactly=2)
    assert began(followed_by={"event": "order_placed", "where": {"cart": "3"}}, exactly=2)


def test_what_did_not_follow_counts_only_when_the_time_is_over() -> None:
    never = {"event": "order_placed", "same": "cart"}
    assert began(not_followed_by=never, exactly=2)
    assert began(not_followed_by={**never, "within": "2h"}, exactly=1)
    assert began(not_followed_by={**never, "within": "1h"}, exactly=2)
    assert began(not_followed_by={"event": "order_placed", "within": "30m"}, exactly=3)


def test_later_means_later() -> None:
    together = [ago("checkout_started", days=1), ago("order_placed", days=1)]
    assert not began(together, followed_by={"event": "order_placed"})
    twice = [ago("checkout_started", days=2), ago("checkout_started", days=1)]
    assert began(twice, followed_by={"event": "checkout_started"}, exactly=1)


def test_a_sequence_may_go_on() -> None:
    then = {"event": "order_placed", "followed_by": {"event": "review_written", "within": "7d"}}
    assert not began(followed_by=then)
    assert began([*CHECKOUTS, ago("review_written", hours=3)], followed_by=then, exactly=2)
    assert began(followed_by={"event": "order_placed", "not_followed_by": {"event": "review_written"}}, exactly=2)


def test_an_event_is_filtered_by_what_the_contact_is_too() -> None:
    rule = {"event": "order_placed", "where": {"all": [{"property": "total", "at_least": 200}, {"tag": "vip"}]}}
    assert selects(rule, history=ORDERS, tags=frozenset({"vip"}))
    assert not selects(rule, history=ORDERS)


def test_new_key_words_are_names_of_properties_in_the_shorthand() -> None:
    history = [ago("order_placed", {"points": 5, "journey": "nurture", "group": "a"}, days=1)]
    assert did(history, where={"points": {"at_least": 5}, "journey": "nurture", "group": ["a", "b"]})


MAILS = [
    ago("message_delivered", {"channel": "email", "message_key": "1", "journey": "a"}, days=9),
    ago("message_opened", {"channel": "email", "message_key": "1", "journey": "a"}, days=8),
    ago("message_delivered", {"channel": "email", "message_key": "2", "journey": "b"}, days=7),
    ago("message_delivered", {"channel": "sms", "message_key": "s", "journey": "b"}, days=6),
    ago("message_delivered", {"channel": "email", "message_key": "3", "journey": "b"}, days=5),
    ago("unsubscribed", {"channel": "sms"}, days=1),
]


def test_engagement_is_behaviour() -> None:
    assert selects({"engagement": "delivered", "exactly": 4}, history=MAILS)
    assert selects({"engagement": "delivered", "channel": "sms", "within": "7d"}, history=MAILS)
    assert selects({"engagement": "opened", "of_journey": "a"}, history=MAILS)
    assert not selects({"engagement": "opened", "of_journey": ["b", "c"]}, history=MAILS)
    assert selects({"engagement": "unsubscribed", "channel": "sms"}, history=MAILS)
    assert not selects({"engagement": "unsubscribed", "channel": "email"}, history=MAILS)


def test_the_last_messages_are_those_that_arrived_where_it_is_known() -> None:
    unopened = {"engagement": "opened", "exactly": 0}
    assert selects({**unopened, "of_last": 2}, history=MAILS)
    assert not selects({**unopened, "of_last": 3}, history=MAILS)  # the first of them was opened
    assert not selects({**unopened, "of_last": 4}, history=MAILS)  # there were only three
    assert selects({**unopened, "of_last": 2, "of_journey": "b"}, history=MAILS)
    assert selects({"engagement": "opened", "of_last": 3, "at_least": 1}, history=MAILS)


@pytest.mark.parametrize("key", [None, 5, ["1"], {"a": 1}, Decimal("sNaN")])
def test_a_message_key_that_is_no_text_belongs_to_no_message(key: Any) -> None:
    history = [
        *MAILS,
        ago("message_opened", {"channel": "email", "message_key": key}, hours=2),
        ago("message_delivered", {"channel": "email", "message_key": key}),
    ]
    rule = {"engagement": "opened", "of_last": 3, "exactly": 0}
    assert selects(rule, history=history)
    assert explain(rule, subject(history=history)).holds


@pytest.mark.parametrize(
    "rule",
    [
        {"event": "a", "sum": "total"},
        {"event": "a", "sum": 5, "at_least": 1},
        {"event": "a", "sum": "total", "average": "total", "at_least": 1},
        {"event": "a", "count": "hours", "at_least": 1},
        {"event": "a", "occurrence": 0},
        {"event": "a", "occurrence": True},
        {"event": "a", "occurrence": "first", "at_least": 2},
        {"event": "a", "most_frequent": "category"},
        {"event": "a", "followed_by": {"event": "b", "at_least": 2}},
        {"event": "a", "followed_by": {"where": {"x": 1}}},
        {"event": "a", "followed_by": {"event": "b", "within": "soon"}},
        {"event": "a", "at_least": True},
        {"event": "a", "until": "2d"},
        {"engagement": "opened", "channel": "sms"},
        {"engagement": "adored"},
        {"engagement": "opened", "of_last": 0},
        {"engagement": "opened", "of_last": 2, "within": "3d"},
    ],
)
def test_what_is_no_condition_over_events_is_refused_when_it_is_compiled(rule: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        compile_rule(rule)


def test_many_conditions_agree_with_each_alone() -> None:
    kinds = ["order_placed", "page_viewed", "checkout_started", "nothing"]
    conditions: list[dict[str, Any]] = [{"event": kind, "at_least": 2} for kind in kinds] + [
        {"event": "*", "at_least": 4}
    ]
    history = [*ORDERS, *CHECKOUTS]
    each = [selects(condition, history=history) for condition in conditions]
    assert each == [True, False, True, False, True]
    assert selects(
        {
            "all": [
                condition if holds else {"not": condition} for condition, holds in zip(conditions, each, strict=True)
            ]
        },
        history=history,
    )
