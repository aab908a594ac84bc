"""Events leave and come in: into the archive, to other systems that fail and recover, and from a shop in its own form."""

import base64
import gzip
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.project import ROOT
from local.cloud.assembly import Assembly
from local.cloud.local_cloud import LocalCloud
from local.loopback import Answer, call
from tests.destinations_receiver import ReceiveWebhook, receiving
from tests.flows.steps import accepted, by_day, contact_id, eventually, only, rows, sign_up
from waypost.aws.contacts import DynamoContacts
from waypost.aws.event_archive import S3EventArchive
from waypost.aws.history import DynamoHistory
from waypost.aws.queue import SqsEventQueue
from waypost.aws.table import profile_key, profiles_table
from waypost.contacts.rebuilding import Rebuilder
from waypost.files.folders import EVENTS, Folders

pytestmark = pytest.mark.flow

DESTINATIONS = ("crm", "analytics")
SHOPIFY_SECRET = "shpss_of_this_flow"
SAMPLE = ROOT / "tests" / "intake" / "samples" / "shopify-orders-create.json"


@pytest.fixture(scope="module")
def receiver() -> Iterator[ReceiveWebhook]:
    """The CRM's end: it fails at first."""
    with receiving() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def collector() -> Iterator[ReceiveWebhook]:
    """The analytics platform's end."""
    with receiving() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def cloud(
    tmp_path_factory: pytest.TempPathFactory,
    changed_assembly: Callable[[Callable[[Path], None]], Assembly],
    receiver: ReceiveWebhook,
    collector: ReceiveWebhook,
) -> Iterator[LocalCloud]:
    """The project with both destinations switched on, and their addresses on this machine."""
    folder = tmp_path_factory.mktemp("systems")
    with LocalCloud(folder / "cloud", assembly=changed_assembly(switch_destinations_on)) as cloud:
        receiver.key = point(cloud, "crm", receiver.url)
        cloud.client("events").update_api_destination(
            Name="waypost-dev-to-analytics", InvocationEndpoint=collector.url, HttpMethod="POST"
        )
        trust_the_shop(cloud)
        cloud.time.settle()
        by_day(cloud)
        yield cloud


def switch_destinations_on(statemachines: Path) -> None:
    """Enable both destinations."""
    for name in DESTINATIONS:
        file = statemachines / "contacts" / "destinations" / f"{name}.yaml"
        file.write_text(file.read_text(encoding="utf-8").replace("enabled: false", "enabled: true"), encoding="utf-8")


def trust_the_shop(cloud: LocalCloud) -> None:
    """Put the shop's secret where the operator puts it."""
    secrets = cloud.client("secretsmanager")
    known = json.loads(secrets.get_secret_value(SecretId="waypost/dev/webhooks")["SecretString"])
    known["sources"]["shopify"] = SHOPIFY_SECRET
    secrets.put_secret_value(SecretId="waypost/dev/webhooks", SecretString=json.dumps(known))


def point(cloud: LocalCloud, destination: str, url: str) -> str:
    """Send a destination's webhooks to ``url``; gives its key, which the receiver checks with."""
    secrets, name = cloud.client("secretsmanager"), f"waypost/{cloud.access.stage}/destinations/{destination}"
    secret = json.loads(secrets.get_secret_value(SecretId=name)["SecretString"])
    secrets.put_secret_value(SecretId=name, SecretString=json.dumps(secret | {"url": url}))
    return f"whsec_{secret['signing_keys']}"


def order(cloud: LocalCloud, user_id: str, order_id: str, total: float) -> None:
    """A contact orders something."""
    properties = {"order_id": order_id, "total": total}
    accepted(cloud.tracking.track(user_id, "order_placed", properties, at=cloud.clock.now(), message_id=order_id))


def archived(cloud: LocalCloud) -> dict[str, list[dict[str, Any]]]:
    """Day → the events in the archive."""
    s3, bucket = cloud.client("s3"), cloud.access.outputs["FilesBucket"]
    found: dict[str, list[dict[str, Any]]] = {}
    for entry in s3.list_objects_v2(Bucket=bucket, Prefix="events/").get("Contents", []):
        day = entry["Key"].split("/")[1].removeprefix("day=")
        lines = gzip.decompress(s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()).splitlines()
        found.setdefault(day, []).extend(json.loads(line) for line in lines)
    return found


def dead_letters(cloud: LocalCloud, destination: str) -> list[dict[str, Any]]:
    """What was given up, with the reasons."""
    sqs = cloud.client("sqs")
    url = sqs.get_queue_url(QueueName=f"waypost-dev-to-{destination}-dead-letters")["QueueUrl"]
    found: list[dict[str, Any]] = sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], VisibilityTimeout=0
    ).get("Messages", [])
    return found


def test_an_event_is_delivered_signed_once_the_receiver_is_back(cloud: LocalCloud, receiver: ReceiveWebhook) -> None:
    sign_up(cloud, "buyer", owner="manager7078")
    cloud.time.settle()
    receiver.answers = [500, "cut", 503, 200]
    order(cloud, "buyer", "o-1", 250)
    eventually(cloud, lambda: len(receiver.received) >= 4, "the receiver was asked four times")
    cloud.time.settle()
    assert len(receiver.received) == 4, "after the 200 it is asked no more"
    assert all(each.genuine for each in receiver.received)
    assert len(set(receiver.ids)) == 1
    content = json.loads(receiver.received[-1].body)
    assert content["type"] == "order_placed"
    assert content["data"] == {
        "lead_id": "buyer",
        "contact_id": contact_id("buyer"),
        "email": "buyer@example.com",
        "phone": only(rows(cloud, "buyer", "profile"))["attributes"]["phone"],
        "owner": "manager7078",
        "order_id": "o-1",
        "total": 250,
        "happened": "order_placed",
        "origin": "waypost",
    }


def test_an_api_destination_is_called_with_its_key_for_what_its_rule_selects(
    cloud: LocalCloud, collector: ReceiveWebhook
) -> None:
    before = len(collector.received)
    order(cloud, "buyer", "o-small", 5)
    order(cloud, "buyer", "o-large", 500)
    eventually(cloud, lambda: len(collector.received) > before, "the large order arrives")
    cloud.time.settle()
    sent = [json.loads(each.body)["data"] for each in collector.received[before:]]
    assert sent == [{"contact": contact_id("buyer"), "order_id": "o-large", "total": 500}]
    secret = cloud.client("secretsmanager").get_secret_value(SecretId="waypost/dev/destinations/analytics")
    key = json.loads(secret["SecretString"])["api_key"]
    assert collector.received[-1].headers["x-api-key"] == key
    template = json.dumps(cloud.assembly.template)
    assert key not in template


def test_a_shop_in_its_own_form_makes_a_contact_and_an_event(cloud: LocalCloud) -> None:
    answers = [shopify(cloud) for _ in range(2)]
    assert [answer.json()["accepted"] for answer in answers] == [1, 0]
    cloud.time.settle()
    kept = rows(cloud, "shopify-115310627314723954")
    [event] = [row for sk, row in kept.items() if sk.startswith("event#") and row["type"] == "order_placed"]
    assert event["properties"]["products"] == ["serum-30", "cream-50"]
    assert kept["profile"]["attributes"]["city"]


def shopify(cloud: LocalCloud) -> Answer:
    """The sample order, as Shopify posts it; its day is moved to the virtual one."""
    content = json.loads(SAMPLE.read_text(encoding="utf-8")) | {"created_at": cloud.clock.now().isoformat()}
    body = json.dumps(content).encode()
    signature = base64.b64encode(hmac.digest(SHOPIFY_SECRET.encode(), body, hashlib.sha256)).decode()
    headers = {
        "content-type": "application/json",
        "x-shopify-topic": "orders/create",
        "x-shopify-hmac-sha256": signature,
    }
    return accepted(call("POST", f"{cloud.access.api_url}/v1/webhooks/shopify", body=body, headers=headers))


def test_every_event_is_in_the_archive_by_its_day(cloud: LocalCloud) -> None:
    order(cloud, "buyer", "o-archived", 20)
    cloud.time.settle()
    kept = {row["id"]: row for row in rows(cloud, "buyer", "event").values()}
    eventually(
        cloud,
        lambda: kept.keys() <= {event["id"] for events in archived(cloud).values() for event in events},
        "the archive has caught up",
    )
    by_id = {event["id"]: (day, event) for day, events in archived(cloud).items() for event in events}
    for id_, row in kept.items():
        day, event = by_id[id_]
        assert day == row["occurred_at"][:10]
        assert event["contact_id"] == contact_id("buyer")
        assert event["properties"] == row["properties"]
    s3, bucket = cloud.client("s3"), cloud.access.outputs["FilesBucket"]
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket, Prefix="events/")["Contents"]]
    tags = [s3.get_object_tagging(Bucket=bucket, Key=key)["TagSet"] for key in keys if "/transaction-" in key]
    assert tags
    assert all(each == [{"Key": "retention", "Value": "transaction"}] for each in tags)


def test_a_profile_is_rebuilt_from_table_and_archive(cloud: LocalCloud) -> None:
    cloud.time.settle()
    dynamodb, table = cloud.client("dynamodb"), cloud.access.contacts_table
    rebuilder = Rebuilder(
        contacts=DynamoContacts(dynamodb, table),
        table=DynamoHistory(dynamodb, table, clock=cloud.clock.now),
        archive=S3EventArchive(cloud.client("s3"), cloud.access.outputs["FilesBucket"], Folders(reads=(EVENTS,))),
        queue=SqsEventQueue(cloud.client("sqs"), cloud.access.outputs["EventsQueueUrl"]),
        clock=cloud.clock.now,
    )
    assert rebuilder.compare(contact_id("buyer")).differences == ()
    dynamodb.update_item(
        TableName=profiles_table(table),
        Key=profile_key(contact_id("buyer")),
        UpdateExpression="SET attributes.#o = :o",
        ExpressionAttributeNames={"#o": "owner"},
        ExpressionAttributeValues={":o": {"S": "somebody"}},
    )
    [difference] = rebuilder.repair(contact_id("buyer")).differences
    assert (difference.field, difference.name, difference.rebuilt) == ("attributes", "owner", "manager7078")
    cloud.time.settle()
    assert rebuilder.compare(contact_id("buyer")).differences == ()
    assert "profile_rebuilt" in {row["type"] for row in rows(cloud, "buyer", "event").values()}


def test_a_receiver_that_is_gone_gets_nothing_more(cloud: LocalCloud, receiver: ReceiveWebhook) -> None:
    receiver.answers = [410, 200]
    before = len(receiver.received)
    order(cloud, "buyer", "o-gone", 30)
    cloud.time.settle()
    order(cloud, "buyer", "o-after", 30)
    cloud.time.settle()
    assert len(receiver.received) == before + 1
    reasons = [letter["MessageAttributes"]["reason"]["StringValue"] for letter in dead_letters(cloud, "crm")]
    assert len(reasons) == 2
    assert all("410" in reason for reason in reasons)
