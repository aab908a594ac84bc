"""Tags by rule, their end, scores, RFM, stages and segments by metric: from events and a night on the embedded cloud."""

import json
from datetime import timedelta
from typing import Any

import pytest

from local.cloud.local_cloud import LocalCloud
from tests.flows.steps import accepted, eventually, introduce, local_time, only, rows, traits, travel

pytestmark = pytest.mark.flow


def profile(cloud: LocalCloud, user_id: str) -> dict[str, Any]:
    return only(rows(cloud, user_id, "profile"))


def events_of(cloud: LocalCloud, user_id: str, kind: str) -> list[dict[str, Any]]:
    """The properties of the contact's events of a type, oldest first."""
    found = [row for row in rows(cloud, user_id, "event").values() if row["type"] == kind]
    return [row["properties"] for row in sorted(found, key=lambda row: row["occurred_at"])]


def order(cloud: LocalCloud, user_id: str, number: int, *, total: int, days: float = 0) -> None:
    given = {"order_id": f"{user_id}-{number}", "total": total}
    at = cloud.clock.now() - timedelta(days=days)
    accepted(cloud.tracking.track(user_id, "order_placed", given, at=at))


def refresh(cloud: LocalCloud, **given: Any) -> dict[str, Any]:
    """Start refresh-contacts as a marketer does, and wait for its output."""
    machines = cloud.client("stepfunctions")
    arn = next(
        each["stateMachineArn"]
        for page in machines.get_paginator("list_state_machines").paginate()
        for each in page["stateMachines"]
        if each["name"].endswith("refresh-contacts")
    )
    started = machines.start_execution(stateMachineArn=arn, input=json.dumps(given))["executionArn"]

    def state() -> dict[str, Any]:
        described: dict[str, Any] = machines.describe_execution(executionArn=started)
        return described

    eventually(cloud, lambda: state()["status"] != "RUNNING", "the refresh is over")
    over = state()
    assert over["status"] == "SUCCEEDED", over
    cloud.time.settle()
    output: dict[str, Any] = json.loads(over["output"])
    return output


def test_three_days_of_filling_the_cart_give_a_tag_and_an_order_takes_it(cloud: LocalCloud) -> None:
    introduce(cloud, "carter")
    for days in (2, 1, 0):
        at = cloud.clock.now() - timedelta(days=days)
        accepted(cloud.tracking.track("carter", "product_added", {"product_id": f"p-{days}"}, at=at))
    cloud.time.settle()
    assert profile(cloud, "carter")["tags"] == ["high-intent-cart"]
    assert profile(cloud, "carter")["lifecycle"] == "lead"

    order(cloud, "carter", 1, total=268)
    cloud.time.settle()
    assert profile(cloud, "carter")["tags"] == []
    assert [(each["tag"], each["by"]) for each in events_of(cloud, "carter", "tag_added")] == [
        ("high-intent-cart", "rule")
    ]
    assert [(each["tag"], each["by"]) for each in events_of(cloud, "carter", "tag_removed")] == [
        ("high-intent-cart", "rule")
    ]
    assert [(each["from"], each["to"]) for each in events_of(cloud, "carter", "lifecycle_changed")] == [
        ("", "lead"),
        ("lead", "new"),
    ]


def test_an_undeclared_tag_is_left_out_at_the_door_with_the_nearest(cloud: LocalCloud) -> None:
    for name, reason in {
        "intrest-home": "did you mean 'interest-home'?",
        "dormant-warning": "given and taken by its rule alone",
    }.items():
        answer = cloud.tracking.identify("undeclared", traits("undeclared", tags=[name]), at=cloud.clock.now())
        assert (answer.status, answer.json()["accepted"]) == (200, 1)
        assert reason in answer.body.decode()


def test_a_night_ends_tags_and_computes_everybodys_metrics(cloud: LocalCloud) -> None:
    now = cloud.clock.now()
    nearly_over = now - timedelta(days=14) + timedelta(minutes=1)
    accepted(cloud.tracking.identify("regular", traits("regular", tags=["in-consultation"]), at=nearly_over))
    introduce(cloud, "looker")
    order(cloud, "looker", 1, total=10, days=120)
    for number in range(6):
        order(cloud, "regular", number, total=1000, days=number)
    cloud.time.settle()
    assert profile(cloud, "regular")["tags"] == ["in-consultation", "repeat-buyer"]
    assert ("in-consultation", "hand") in [
        (each["tag"], each["by"]) for each in events_of(cloud, "regular", "tag_added")
    ]

    travel(cloud, local_time(cloud, 3, in_days=1) + timedelta(minutes=1))
    regular, looker = profile(cloud, "regular"), profile(cloud, "looker")
    assert regular["tags"] == ["repeat-buyer"]
    assert {"tag": "in-consultation", "by": "expiry"}.items() <= events_of(cloud, "regular", "tag_removed")[0].items()
    assert (regular["metrics"]["rfm_frequency"], regular["metrics"]["rfm_monetary"]) == (6, 6000)
    assert regular["metrics"]["rfm"] > looker["metrics"]["rfm"]
    assert regular["metrics"]["activity"] > 40
    assert (regular["lifecycle"], looker["lifecycle"]) == ("mature", "dormant")
    assert (regular["metrics"]["churn_risk"], looker["metrics"]["churn_risk"]) == ("low", "high")

    again = refresh(cloud)
    assert again["contacts"] >= 2
    assert {name: again[name] for name in ("changed", "tags_expired", "stages_changed", "failed")} == {
        "changed": again["measured"], "tags_expired": 0, "stages_changed": 0, "failed": 0,
    }  # fmt: skip
