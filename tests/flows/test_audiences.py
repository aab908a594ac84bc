"""An audience, a preview and a card on the embedded cloud: sixty contacts come in by the webhook, the machines ask them all."""

import json
import random
from datetime import timedelta
from typing import Any

import pytest

from local.cloud.local_cloud import LocalCloud
from local.problems import LocalError
from local.running.audience_operations import AudienceOperations
from tests.flows.steps import accepted, contact_id
from waypost.audiences.sketches import SetDigest
from waypost.aws.contacts import DynamoContacts
from waypost.aws.history import DynamoHistory
from waypost.segments.buckets import sample
from waypost.segments.compile import compile_rule
from waypost.segments.subject import subject_of

PEOPLE = [f"audience-{number:02d}" for number in range(60)]
RULE: dict[str, Any] = {
    "all": [
        {"attribute": "brigade", "equals": "audience"},
        {"attribute": "gender", "equals": "female"},
        {"event": "basket_filled", "within": "30d"},
        {"not": {"event": "basket_paid", "within": "30d"}},
    ]
}


@pytest.fixture(scope="module")
def people(cloud: LocalCloud) -> list[str]:
    """Sixty contacts, half of them women, with baskets filled and paid now and long ago; their ids."""
    chance, now = random.Random(7), cloud.clock.now()  # noqa: S311 - people, not secrets
    calls: list[dict[str, Any]] = []
    for person in PEOPLE:
        about = {
            "gender": chance.choice(["female", "male"]),
            "city": chance.choice(["上海市", "杭州市"]),
            "brigade": "audience",
        }
        calls.append({"type": "identify", "userId": person, "traits": {**about, "consent": {"email": True}}})
        for event in ("basket_filled", "basket_paid"):
            if chance.random() < 0.6:
                then = now - timedelta(days=chance.choice([1, 5, 40, 90]))
                calls.append({"type": "track", "userId": person, "event": event, "timestamp": then.isoformat()})
    for start in range(0, len(calls), 40):
        accepted(cloud.tracking.post("batch", {"batch": calls[start : start + 40]}))
    cloud.time.settle()
    return [contact_id(person) for person in PEOPLE]


@pytest.fixture
def operations(cloud: LocalCloud) -> AudienceOperations:
    return AudienceOperations(cloud.access.to_dict())


def asked_one_by_one(cloud: LocalCloud, people: list[str]) -> set[str]:
    """Whom the rule selects of them, each loaded as a whole with all events."""
    database, table = cloud.client("dynamodb"), cloud.access.contacts_table
    contacts, history = DynamoContacts(database, table), DynamoHistory(database, table, clock=cloud.clock.now)
    holds, found = compile_rule(RULE), set()
    for each in people:
        contact = contacts.load(each)
        assert contact is not None
        events = [
            (event.type, event.occurred_at, event.properties)
            for event in history.since(each, cloud.clock.now() - timedelta(days=365))
        ]
        if holds(subject_of(contact, now=cloud.clock.now(), default_zone=cloud.default_zone, history=events)):
            found.add(each)
    return found


def content(cloud: LocalCloud, operations: AudienceOperations, key: str) -> str:
    body = cloud.client("s3").get_object(Bucket=operations.bucket, Key=key)["Body"]
    return str(body.read().decode())


@pytest.mark.flow
def test_an_audience_is_whom_the_rule_selects_and_a_preview_says_so_before(
    cloud: LocalCloud, operations: AudienceOperations, people: list[str]
) -> None:
    wanted = asked_one_by_one(cloud, people)
    assert 3 < len(wanted) < 30
    previewed = operations.preview({"rule": RULE})
    built = operations.build({"rule": RULE, "audience": "baskets", "slices": 3})
    assert previewed["count"] == built["count"] == len(wanted)
    assert previewed["digest"] == built["digest"] == SetDigest.of(wanted).text
    assert [each["contact_id"] for each in built["sample"]] == sample(wanted, 10, "baskets")

    manifest = json.loads(content(cloud, operations, built["manifest"]))
    lines = [line for file in manifest["files"] for line in content(cloud, operations, file["key"]).splitlines()]
    assert {json.loads(line)["contact_id"] for line in lines} == wanted
    assert len(lines) == len(wanted)

    again = operations.build({"rule": RULE, "audience": "baskets", "run": built["run"]})
    assert again == built
    second = operations.build({"rule": RULE, "audience": "baskets", "limit": 3})
    assert (second["count"], second["beyond_limit"]) == (3, len(wanted) - 3)
    assert second["run"] != built["run"]

    card = content(cloud, operations, built["card"])
    assert "人群画像" in card
    assert "<script" not in card
    listed = cloud.client("s3").list_objects_v2(
        Bucket=operations.bucket, Prefix=f"audiences/preview/{previewed['run']}/"
    )
    assert [item["Key"] for item in listed["Contents"]] == [previewed["card"]]


@pytest.mark.flow
def test_a_request_that_makes_no_sense_is_refused_with_the_reason(operations: AudienceOperations) -> None:
    with pytest.raises(LocalError, match="AudienceRefused: segment: unknown segment"):
        operations.build({"segment": "nobody-declared-this"})
    with pytest.raises(LocalError, match="PreviewRefused: limit: expected a whole number"):
        operations.preview({"rule": RULE, "limit": -1})
