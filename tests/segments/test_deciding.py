"""What the profile alone decides: what never happened, what happened for certain, and what only the history can tell."""

from datetime import date, timedelta
from typing import Any

import pytest

from tests.segments.people import NOW, SHANGHAI, subject
from waypost.contacts.fitting import MOST_SEEN
from waypost.segments.compile import decide_from_profile

TODAY = NOW.date()


def decided(rule: dict[str, Any], seen: dict[str, tuple[int, int]] | None, **facts: Any) -> bool | None:
    """The decision for a contact with these events: the first and the last of a type, in days before today."""
    days = (
        None
        if seen is None
        else {
            kind: (TODAY - timedelta(days=first), TODAY - timedelta(days=last)) for kind, (first, last) in seen.items()
        }
    )
    return decide_from_profile(rule)(subject(seen=days, **facts))


@pytest.mark.parametrize(
    ("rule", "seen", "answer"),
    [
        ({"event": "order_placed"}, {}, False),
        ({"event": "order_placed"}, {"order_placed": (90, 3)}, True),
        ({"event": "order_placed"}, None, None),
        ({"event": "order_placed", "exactly": 0}, {}, True),
        ({"event": "order_placed", "exactly": 0}, {"order_placed": (90, 3)}, False),
        ({"event": "order_placed", "within": "30d"}, {"order_placed": (90, 40)}, False),
        ({"event": "order_placed", "within": "30d"}, {"order_placed": (90, 3)}, True),
        ({"event": "order_placed", "within": "30d"}, {"order_placed": (90, 30)}, None),  # some of that day is inside
        ({"event": "order_placed", "within": "30d"}, {"order_placed": (90, 31)}, False),
        ({"event": "order_placed", "before": "2027-01-01"}, {"order_placed": (20, 3)}, False),
        ({"event": "order_placed", "before": "2027-01-01"}, {"order_placed": (90, 3)}, True),
        ({"event": "order_placed", "between": ["2027-02-10", "2027-02-20"]}, {"order_placed": (90, 3)}, None),
        ({"event": "order_placed", "at_least": 2}, {"order_placed": (90, 3)}, True),  # the first and the last
        ({"event": "order_placed", "at_least": 3}, {"order_placed": (90, 3)}, None),
        ({"event": "order_placed", "at_least": 2}, {"order_placed": (3, 3)}, None),
        ({"event": "order_placed", "at_most": 1}, {"order_placed": (90, 3)}, False),
        ({"event": "order_placed", "less_than": 2}, {"order_placed": (90, 3)}, False),
        ({"event": "order_placed", "more_than": 1}, {"order_placed": (90, 3)}, True),
        ({"event": ["order_placed", "page_viewed"], "at_least": 2}, {"order_placed": (3, 3), "page_viewed": (2, 2)}, True),
        ({"event": "*", "within": "7d"}, {"order_placed": (90, 40)}, False),
        ({"event": "*", "within": "7d"}, {"tag_added": (1, 1)}, False),
        ({"event": "*", "within": "7d"}, {"page_viewed": (2, 2)}, True),
        ({"event": "order_placed", "where": {"total": 5}}, {"order_placed": (90, 3)}, None),
        ({"event": "order_placed", "where": {"total": 5}}, {}, False),
        ({"event": "order_placed", "sum": "total", "at_most": 5}, {}, True),
        ({"event": "order_placed", "average": "total", "at_most": 5}, {}, False),
        ({"event": "order_placed", "occurrence": "last", "older_than": "30d"}, {"order_placed": (90, 40)}, None),
        ({"event": "order_placed", "occurrence": "last", "older_than": "30d"}, {}, False),
        ({"event": "order_placed", "occurrence": "first", "within": "7d"}, {"order_placed": (90, 40)}, False),
        ({"event": "order_placed", "followed_by": {"event": "refund"}}, {"refund": (1, 1)}, False),
        ({"engagement": "opened", "of_last": 3, "exactly": 0}, {"message_delivered": (9, 1)}, None),
        ({"engagement": "opened", "of_last": 3, "exactly": 0}, {}, False),
        ({"journey": "nurture"}, {}, None),
        ({"lifecycle": "active", "within": "7d"}, {}, False),
    ],
)  # fmt: skip
def test_the_days_of_an_event_type_rule_it_out_or_prove_it(
    rule: dict[str, Any], seen: Any, answer: bool | None
) -> None:
    assert decided(rule, seen) is answer
    turned = None if answer is None else not answer
    assert decided({"not": rule}, seen) is turned


def test_one_part_that_settles_it_is_enough() -> None:
    unknown = {"event": "order_placed", "where": {"total": 5}}
    seen = {"order_placed": (9, 1)}
    assert decided({"all": [unknown, {"tag": "vip"}]}, seen) is False
    assert decided({"any": [unknown, {"tag": "vip"}]}, seen, tags=frozenset({"vip"})) is True
    assert decided({"all": [unknown, {"tag": "vip"}]}, seen, tags=frozenset({"vip"})) is None
    assert decided({"any": [unknown, {"event": "refund"}]}, seen) is None
    assert decided({"all": [{"event": "refund"}, unknown]}, seen) is False


def test_the_stage_itself_is_known() -> None:
    rule = {"lifecycle": "active", "within": "7d"}
    seen = {"lifecycle_changed": (9, 1)}
    assert decided(rule, seen, lifecycle="dormant") is False
    assert decided(rule, seen, lifecycle="active") is None


def test_a_rule_over_the_profile_is_always_decided() -> None:
    assert decide_from_profile(None)(subject()) is True
    assert decided({"attribute": "age", "at_least": 18}, None, attributes={"age": 18}) is True


def test_days_are_those_of_utc_whatever_the_contact_s_zone() -> None:
    """A day of ``seen`` that reaches into the window from outside proves nothing."""
    assert decided({"event": "order_placed", "on": "2027-02-28"}, {"order_placed": (1, 1)}, zone=SHANGHAI) is None
    assert decided({"event": "order_placed", "last_days": 2}, {"order_placed": (0, 0)}, zone=SHANGHAI) is True


def test_a_profile_that_stopped_counting_types_rules_nothing_out() -> None:
    full = {f"kind_{number}": (date(2027, 1, 1), date(2027, 1, 1)) for number in range(MOST_SEEN)}
    someone = subject(seen=full)
    assert decide_from_profile({"event": "order_placed"})(someone) is None
    assert decide_from_profile({"event": "kind_7"})(someone) is True
    assert decide_from_profile({"event": "kind_7", "within": "1d"})(someone) is False
