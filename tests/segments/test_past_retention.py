"""One answer of a rule once events are past their retention: for bulk runs, beside other conditions and in explanations.

The profile's days outlive the events. Whatever asks a rule gets one answer: what the profile decides, what the compiled
rule says with the events that are left, and what the explanation says.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.segments.people import NOW, ago, subject
from tests.segments.random_cases import case_in_time
from tests.segments.strategies import RULES, SUBJECTS, seen_in
from waypost.segments.compile import Subject, compile_rule, decide_from_profile
from waypost.segments.explain import explain

QUICK = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
KEPT_OF_ALL = st.lists(st.booleans(), max_size=20)


def answers(rule: dict[str, Any], someone: Subject) -> set[bool]:
    """What every way of asking says; one answer where they agree."""
    found = {compile_rule(rule)(someone), explain(rule, someone).holds, explain(rule, someone, language="zh-CN").holds}
    decided = decide_from_profile(rule)(someone)
    return found if decided is None else found | {decided}


def aged(history: list[Any], *, keep: dict[str, int] | int, **facts: Any) -> Subject:
    """A contact whose events older than so many days are gone; the profile knows the days of all of them."""
    left = [
        each for each in history if NOW - each[1] < timedelta(days=keep if isinstance(keep, int) else keep[each[0]])
    ]
    return subject(history=left, seen=seen_in(history), **facts)


READER = aged(
    [
        ago("message_delivered", {"channel": "email", "journey": "y", "message_key": "m1"}, days=200),
        ago("message_opened", {"channel": "email", "message_key": "m1"}, days=120),
    ],
    keep={"message_delivered": 760, "message_opened": 90},
)
GOT_Y = {"event": "message_delivered", "where": {"journey": "y"}}


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ({"event": "message_opened"}, True),
        ({"event": "message_opened", "within": "180d"}, True),
        ({"event": "message_opened", "within": "90d"}, False),
        ({"event": "message_opened", "exactly": 0}, False),
        ({"event": "message_opened", "at_least": 2}, False),
        ({"engagement": "unsubscribed"}, False),
    ],
)
def test_the_days_of_the_profile_count_beside_any_other_condition(rule: dict[str, Any], holds: bool) -> None:
    assert answers(rule, READER) == {holds}
    assert answers({"not": rule}, READER) == {not holds}
    assert answers({"all": [rule, GOT_Y]}, READER) == {holds}
    assert answers({"all": [GOT_Y, {"not": rule}]}, READER) == {not holds}
    assert answers({"any": [rule, {"not": GOT_Y}]}, READER) == {holds}
    assert answers({"all": [rule, rule, rule, GOT_Y]}, READER) == {holds}  # sorts the history by type


def test_an_explanation_names_the_days_that_decided() -> None:
    assert explain({"event": "message_opened", "within": "180d"}, READER).values == (
        f"0 times; known by day only: {(NOW - timedelta(days=120)).date()}"
    )
    assert "day only" not in explain({"event": "message_opened"}, subject(history=[ago("message_opened")])).values
    both = aged([ago("order_placed", days=700), ago("order_placed", days=500)], keep=90)
    assert "仅知日期：首次" in explain({"event": "order_placed"}, both, language="zh-CN").values


def test_a_stage_reached_before_the_events_that_are_kept_has_no_moment() -> None:
    someone = aged([ago("lifecycle_changed", {"to": "active"}, days=40)], keep=30, lifecycle="active")
    assert answers({"lifecycle": "active"}, someone) == {True}
    assert answers({"lifecycle": "active", "within": "60d"}, someone) == {False}


@QUICK
@given(RULES, SUBJECTS, KEPT_OF_ALL)
def test_every_way_of_asking_agrees_whatever_events_are_gone(
    rule: dict[str, Any], someone: Subject, kept: list[bool]
) -> None:
    history = list(someone.history)
    left = [each for each, stays in zip(history, [*kept, *[False] * len(history)], strict=False) if stays]
    assert len(answers(rule, replace(someone, history=left, seen=seen_in(history)))) == 1


@pytest.mark.parametrize("seed", range(3))
def test_combinations_agree_with_their_parts_when_events_are_gone(seed: int) -> None:
    for number in range(seed * 200, seed * 200 + 200):
        rule, someone = case_in_time(number)
        other, _ = case_in_time(number + 1)
        left = replace(someone, history=list(someone.history)[number % 3 :])
        one, two = compile_rule(rule)(left), compile_rule(other)(left)
        assert answers({"all": [rule, other]}, left) == {one and two}, number
        assert answers({"any": [other, rule]}, left) == {one or two}, number
        assert answers({"not": rule}, left) == {not one}, number
