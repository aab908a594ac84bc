"""From counted calls to the load at which a quota breaks."""

from typing import Any

import pytest

from benchmarks.counting_proxy import Call
from benchmarks.journey_cost import NOTICES_IN_A_BATCH, JourneyCost, Passage, Usage
from benchmarks.prices import processor_seconds
from benchmarks.quotas import FARTHEST_PAUSE, LOADS, QUOTAS, Headroom, Quota, arithmetic, first_to_break, per_touch
from waypost.journeys.ports import SHARDS

NOTHING = dict.fromkeys(QUOTAS, 0.0)


def headroom(limit: float, per_touch_: float, fixed: float = 0.0) -> Headroom:
    quota = Quota("something", limit, "a page", "ask")
    return Headroom(name="something", quota=quota, per_touch=per_touch_, fixed=fixed)


@pytest.mark.parametrize(
    ("limit", "per_touch_", "load", "needed", "share"),
    [
        (300, 0.375, 100_000, 10.42, 0.035),  # a start for three of eight touches
        (300, 0.375, 10_000_000, 1041.67, 3.47),
        (5_000, 3.75, 1_000_000, 1041.67, 0.208),
        (100, 4.2 * 0.08, 1_000_000, 93.33, 0.933),  # 4.2 events of 80 ms each: readers that are busy
    ],
)
def test_a_rate_is_what_a_touch_takes_times_the_touches_of_a_second(
    limit: float, per_touch_: float, load: int, needed: float, share: float
) -> None:
    found = headroom(limit, per_touch_)
    assert found.needed(load) == pytest.approx(needed, abs=0.005)
    assert found.share(load) == pytest.approx(share, rel=0.01)


def test_a_quota_breaks_at_the_load_that_fills_it() -> None:
    found = headroom(300, 0.375)
    assert found.breaks_at == pytest.approx(2_880_000)
    assert found.share(2_880_000) == pytest.approx(1)
    assert headroom(300, 0.0).breaks_at is None
    assert headroom(300, 1.0, fixed=100).breaks_at == pytest.approx(200 * 3600)


def test_the_first_to_break_comes_first_and_what_nothing_takes_last() -> None:
    counted = NOTHING | {"express_starts": 1.5, "mails": 1.0, "table_writes": 30.0}
    found = arithmetic(counted)
    assert [each.name for each in found[:3]] == ["mails", "table_writes", "express_starts"]
    assert all(each.breaks_at is None for each in found[3:])
    assert [each.name for each in first_to_break(found, 100_000)] == ["mails"]
    assert [each.name for each in first_to_break(found, 10_000_000)] == ["mails", "table_writes"]


def test_schedules_are_open_by_minute_and_shard_and_not_by_contact() -> None:
    [open_] = [each for each in arithmetic(NOTHING) if each.name == "schedules_open"]
    assert open_.needed(LOADS[0]) == open_.needed(LOADS[-1]) == SHARDS * FARTHEST_PAUSE < open_.quota.limit


def test_what_was_not_counted_is_not_taken_for_nothing() -> None:
    with pytest.raises(KeyError, match="mails"):
        arithmetic({name: value for name, value in NOTHING.items() if name != "mails"})


def call(function: str, service: str, operation: str, **counted: Any) -> Call:
    return Call(function=function, service=service, operation=operation, **{"status": 200, **counted})


def test_a_touch_takes_what_was_counted_of_the_messages_that_went_out() -> None:
    usage = Usage(
        hops=3,
        invocations={"route_events": 8, "receive_webhook": 2, "send_message": 2},
        calls=[
            call("pause_journey", "scheduler", "CreateSchedule"),
            call("pause_journey", "scheduler", "CreateSchedule", status=409),
            call("pause_journey", "dynamodb", "PutItem", write_units=2.0, notes=1),
            call("route_events", "dynamodb", "PutItem", write_units=6.0),
            call("route_events", "eventbridge", "PutEvents", entries=4),
        ],
    )
    notices = [call("record_delivery", "dynamodb", "UpdateItem", write_units=1.0) for _ in range(2)]
    noticed = Usage(hops=3, invocations={**usage.invocations, "record_delivery": 2}, calls=[*usage.calls, *notices])
    cost = JourneyCost(
        passages=[
            Passage(scenario="a", ends="completed", sent={"email": 2}, usage=usage),
            Passage(scenario="out", ends="none", sent={}, usage=Usage(hops=50)),
        ],
        noticed=Passage(scenario="a", ends="completed", sent={"email": 2}, usage=noticed),
        notices=2,
        sweep=Usage(),
    )

    counted = per_touch(cost)

    assert counted["express_starts"] == 1.5
    assert counted["schedules_created"] == 1, "one that is there already was asked for all the same"
    assert counted["table_writes"] == 4 + 1
    assert counted["bus_events"] == 2
    assert counted["api_throttle"] == 1
    routing = 4 * processor_seconds("route_events", 512) + (0.005 + 0.01) / 2
    others = processor_seconds("receive_webhook", 512) + processor_seconds("send_message", 512) + 0.08
    assert counted["readers"] == pytest.approx(routing)
    notice = processor_seconds("record_delivery", 512) / NOTICES_IN_A_BATCH + 0.005
    assert counted["concurrency"] == pytest.approx(routing + others + notice)
    assert counted["due_shard_writes"] == pytest.approx(1 / 2 / SHARDS)
    assert counted.keys() == QUOTAS.keys()
