"""On the embedded cloud: a message that sells what its contact has bought is dropped, another waits for the hour at which its contact reads."""

import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from local.cloud.assembly import Assembly
from local.cloud.local_cloud import LocalCloud
from tests.flows.steps import accepted, decided, introduce, local_time, travel
from waypost.clock import parse_instant

pytestmark = pytest.mark.flow

JOURNEY = """scenario: {name}
description: {name}
owner: growth team
trigger: {{ event: {event} }}
re_entry: always
"""
DEFINITION = """Comment: One message.
QueryLanguage: JSONata
StartAt: The message
States:
  The message:
    Type: Task
    Resource: arn:aws:states:::lambda:invoke
    Arguments:
      FunctionName: "${{SendMessage}}"
      Payload: {{ message: {name}, context: "{{% $states.context %}}" }}
    End: true
"""
MESSAGE = "kind: marketing\ntopic: nurture\nchannels: [sms]\n{more}\n"
READS_AT = 20


def add_journeys(statemachines: Path) -> None:
    """Two journeys alone, and the hours of reading among the metrics."""
    journeys = statemachines / "journeys"
    shutil.rmtree(journeys)
    for name, event, more in (
        ("serum-offer", "serum_looked_at", "sells: serum-30"),
        ("weekly-tip", "tip_wanted", "best_hour: true"),
    ):
        message = journeys / name / "messages" / name
        message.mkdir(parents=True)
        (journeys / name / "journey.yaml").write_text(JOURNEY.format(name=name, event=event), encoding="utf-8")
        (journeys / name / "definition.asl.yaml").write_text(DEFINITION.format(name=name), encoding="utf-8")
        (message / "message.yaml").write_text(MESSAGE.format(more=more), encoding="utf-8")
        (message / "sms.zh-CN.txt").write_text("【Waypost】本周新品，回复 T 退订", encoding="utf-8")
    metrics = statemachines / "contacts" / "metrics.yaml"
    declared = yaml.safe_load(metrics.read_text(encoding="utf-8"))
    declared["best_hour"] = {"half_life": "30d"}
    metrics.write_text(yaml.safe_dump(declared, allow_unicode=True), encoding="utf-8")


@pytest.fixture(scope="module")
def cloud(
    changed_assembly: Callable[[Callable[[Path], None]], Assembly], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalCloud]:
    with LocalCloud(tmp_path_factory.mktemp("cloud"), assembly=changed_assembly(add_journeys)) as cloud:
        yield cloud


def happens(cloud: LocalCloud, user_id: str, event: str, **properties: object) -> None:
    accepted(cloud.tracking.track(user_id, event, properties, at=cloud.clock.now()))
    cloud.time.settle()


def test_a_message_that_sells_what_somebody_bought_is_dropped_for_them_alone(cloud: LocalCloud) -> None:
    travel(cloud, local_time(cloud, 10, in_days=1))
    for user_id, product in (("u-owner", "serum-30"), ("u-other", "cream-50"), ("u-none", "")):
        introduce(cloud, user_id)
        if product:
            order = {"order_id": f"o-{user_id}", "total": 199, "products": [{"product_id": product, "quantity": 1}]}
            happens(cloud, user_id, "order_placed", **order)
        happens(cloud, user_id, "serum_looked_at")
    found = {user_id: decided(cloud, user_id) for user_id in ("u-owner", "u-other", "u-none")}
    assert {user_id: [(each.outcome, each.reason) for each in decisions] for user_id, decisions in found.items()} == {
        "u-owner": [("skipped", "already_bought")],
        "u-other": [("sent", "every_guard_allowed")],
        "u-none": [("sent", "every_guard_allowed")],
    }


def test_a_message_waits_for_the_hour_that_the_night_has_learnt(cloud: LocalCloud) -> None:
    travel(cloud, local_time(cloud, 10, in_days=1))
    for user_id in ("u-evening", "u-unknown"):
        introduce(cloud, user_id)
    for days in range(1, 6):
        at = local_time(cloud, READS_AT, in_days=-days)
        seen = {"channel": "sms", "message_key": f"m-{days}", "link": "one", "verdict": "nothing_against_it"}
        accepted(cloud.tracking.track("u-evening", "message_clicked", seen, at=at))
    cloud.time.settle()
    travel(cloud, local_time(cloud, 10, in_days=1))  # past three at night
    for user_id in ("u-evening", "u-unknown"):
        happens(cloud, user_id, "tip_wanted")
    assert [each.outcome for each in decided(cloud, "u-unknown")] == ["sent"]
    [waits] = decided(cloud, "u-evening")
    assert (waits.outcome, waits.reason) == ("deferred", "best_hour")

    evening = local_time(cloud, READS_AT)
    travel(cloud, evening - timedelta(minutes=1))
    assert len(decided(cloud, "u-evening")) == 1
    travel(cloud, evening + timedelta(minutes=40))
    sent = decided(cloud, "u-evening")[-1]
    assert sent.outcome == "sent"
    assert evening <= parse_instant(sent.at) < evening + timedelta(minutes=35)
