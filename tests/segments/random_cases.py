"""Conditions over times and contacts all of whose times lie where mistakes hide, by number: the same number, the same case.

Plain chance tries many more of them in a second than a search that can also make a case smaller; these are small.
"""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from functools import cmp_to_key
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from tests.segments.strategies import AROUND, EDGES, LATER, NOWS, PERIODS, seen_in
from waypost.segments.comparing import order
from waypost.segments.compile import Subject

SPANS = {"30m": 1800, "1h": 3600, "1d": 86_400, "2d": 2 * 86_400, "7d": 7 * 86_400}
DELAYS = (0, 0, 1, 3, 40)
LIMITS = ("at_least", "at_most", "exactly", "more_than", "less_than")


def case_in_time(number: int) -> tuple[dict[str, Any], Subject]:
    """A condition and a contact. Of four cases one asks an attribute, the others ask events."""
    chance = Random(number)  # noqa: S311 - a test that must be repeatable
    zone = ZoneInfo(chance.choice([*EDGES]))
    edges = EDGES[zone.key]
    now = chance.choice(NOWS)
    if edges and chance.random() < 0.7:
        now = chance.choice(edges) + chance.choice(AROUND) + chance.choice(LATER)
    near = _near(chance, now, zone)
    facts: dict[str, Any] = {"attributes": {}, "tags": frozenset(), "now": now, "zone": zone}
    if number % 4 == 0:
        at = near()
        value = chance.choice([at.isoformat(), at.astimezone(zone).date().isoformat()])
        operator = _window(chance, now, zone, near)
        while len(operator) > 1:  # an attribute is asked one thing
            operator = _window(chance, now, zone, near)
        return {"attribute": "a", **operator}, Subject(**{**facts, "attributes": {"a": value}})
    history = _history(chance, near)
    rule = {
        "event": "order_placed",
        **(_window(chance, now, zone, near) if chance.random() < 0.8 else {}),
        **_measured(chance),
    }
    return rule, Subject(**facts, history=history, seen=seen_in(history))


def _near(chance: Random, now: datetime, zone: ZoneInfo) -> Callable[[], datetime]:
    """Times at the ends of what windows reach to: so long ago, local midnights, changes of the clocks; or nearly there."""
    today = now.astimezone(zone).date()

    def near() -> datetime:
        at = chance.choice([
            now - timedelta(seconds=chance.choice([0, *SPANS.values()])),
            datetime.combine(today + timedelta(days=chance.randint(-8, 1)), time(), zone).astimezone(UTC),
            chance.choice([now, *EDGES[zone.key]]),
        ])  # fmt: skip
        return at + chance.choice([timedelta(), *AROUND])

    return near


def _window(chance: Random, now: datetime, zone: ZoneInfo, near: Callable[[], datetime]) -> dict[str, Any]:  # noqa: C901, PLR0911 - one branch per word
    today = now.astimezone(zone).date()

    def day() -> str:
        return (today + timedelta(days=chance.randint(-8, 1))).isoformat()

    def moment() -> str:
        return chance.choice([day(), day(), near().isoformat()])

    match chance.randrange(11):
        case 0:
            return {"within": chance.choice([*SPANS])}
        case 1:
            return {"older_than": chance.choice([*SPANS])}
        case 2:
            shorter, longer = sorted(chance.sample(range(len(SPANS)), 2))
            return {"within": [*SPANS][longer], "older_than": [*SPANS][shorter]}
        case 3:
            return {"last_days": chance.choice([1, 2, 3, 7])}
        case 4:
            return {"period": chance.choice(PERIODS)}
        case 5:
            return {"on": day()}
        case 6:
            return {chance.choice(["before", "after"]): moment()}
        case 7:
            return {"between": sorted([moment(), moment()], key=cmp_to_key(lambda one, other: order(one, other) or 0))}
        case 8:
            return {
                "days_since": chance.choice(
                    [0, 1, 2, {"at_least": 1, "at_most": 3}, {"more_than": 0}, {"less_than": 2}]
                )
            }
        case 9:
            return {"weekday": chance.sample(["mon", "tue", "wed", "thu", "fri", "sat", "sun"], 3)}
        case _:
            return {"time_of_day": chance.choice([["00:00", "02:00"], ["22:00", "00:30"], ["12:00", "00:00"]])}


def _measured(chance: Random) -> dict[str, Any]:
    """How often, which time, or what comes after."""
    limit = {chance.choice(LIMITS): chance.choice([1, 1, 2, 3])}
    following: dict[str, Any] = {"event": chance.choice(["page_viewed", "order_placed"])}
    if chance.random() < 0.5:
        following["within"] = chance.choice([*SPANS])
    if chance.random() < 0.5:
        following |= {"same": chance.choice(["b", {"b": "c"}])}
    return chance.choice([
        {},
        limit,
        {"occurrence": chance.choice(["first", "last", 1, 2, 3])},
        {"count": chance.choice(["days", "weeks", "months", "days_in_a_row"]), **limit},
        {chance.choice(["distinct", "repeated", "sum", "largest"]): "b", **limit},
        {"followed_by": following},
        {"not_followed_by": following},
    ])  # fmt: skip


def _history(chance: Random, near: Callable[[], datetime]) -> list[tuple[str, datetime, dict[str, Any]]]:
    """Two to seven events in the order in which they arrived, some days after they had happened, some at one instant."""
    times = [near() for _ in range(chance.randint(2, 5))]
    values = (0, 1, 2, "x", [1, 2], ["x", "x", 1])
    events = [
        (
            chance.choice(["order_placed", "order_placed", "page_viewed"]),
            chance.choice(times),
            {name: chance.choice(values) for name in ("b", "c") if chance.random() < 0.8},
        )
        for _ in range(chance.randint(2, 7))
    ]
    return sorted(events, key=lambda event: event[1] + timedelta(days=chance.choice(DELAYS)))
