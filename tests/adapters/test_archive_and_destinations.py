"""The archive in S3, destinations in DynamoDB and SQS, and the retention of stored events, against moto."""

import base64
import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import count
from typing import Any
from unittest.mock import Mock

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.adapters.stores import REGION, in_nurture
from tests.adapters.test_enrolment_rows import far_along
from tests.fakes.clock import FakeClock
from tests.fakes.world import event, send_request
from waypost.aws import table as items
from waypost.aws.destinations import (
    DeliveryBatch,
    DestinationQueues,
    DynamoDestinationStates,
    RememberedStates,
    SecretsManagerDestinations,
)
from waypost.aws.enrolments import FOR_EVER, DynamoEnrolments
from waypost.aws.event_archive import BY_TIME_TO_LIVE, S3EventArchive, stream_changes
from waypost.aws.history import DynamoHistory
from waypost.aws.ledger import DynamoLedger
from waypost.destinations.deliver_event import Delivered, GivenUp, NotWanted, Outcome, TryAgain
from waypost.errors import InvalidInput, TemporarilyUnavailable
from waypost.events.archive_events import ArchiveEvents, StreamChanges
from waypost.events.history import AppliedEvent
from waypost.events.retention import PASSAGES, Retention, RetentionClass
from waypost.files.folders import EVENTS, LEDGER, Folders
from waypost.journeys.enrolment import Enrolment, TriggerEvent
from waypost.journeys.ports import NEVER, EntryTerms
from waypost.sending.ledger import Decision

_numbers = count()
SHORT = RetentionClass("short", keep=timedelta(days=30), archive=timedelta(days=60))
RETENTION = Retention(types={"page_viewed": SHORT})


@pytest.fixture
def bucket(aws: None) -> tuple[Any, str]:
    """An S3 client and an empty bucket."""
    client, name = boto3.client("s3", region_name=REGION), f"files-{next(_numbers)}"
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return client, name


def test_an_event_expires_as_its_class_says(dynamodb: Any, table: str, clock: FakeClock) -> None:
    history = DynamoHistory(dynamodb, table, retention=RETENTION, clock=clock)
    for number, kind in enumerate(("page_viewed", "order_placed")):
        history.record("c-1", event(kind, clock(), f"e-{number}"), routed_at=clock(), version=number)
    found = {row["id"]: row for row in items.query(dynamodb, table, pk=items.contact_pk("c-1"), prefix="event#")}
    assert found["e-0"]["expires_at"] == int((clock() + timedelta(days=30)).timestamp())
    assert found["e-1"]["expires_at"] == int((clock() + timedelta(days=760)).timestamp())


def test_an_expired_event_that_is_still_there_counts_as_gone(dynamodb: Any, table: str, clock: FakeClock) -> None:
    history = DynamoHistory(dynamodb, table, retention=RETENTION, clock=clock)
    history.record("c-1", event("page_viewed", clock(), "e-1"), routed_at=clock())
    start = clock()
    clock.advance(days=29)
    assert [each.id for each in history.since("c-1", start)] == ["e-1"]
    clock.advance(days=1)
    assert history.since("c-1", start) == []
    assert history.applied("c-1") == []


def test_applied_events_come_whole_and_in_the_order_in_which_they_were_applied(
    dynamodb: Any, table: str, clock: FakeClock
) -> None:
    history = DynamoHistory(dynamodb, table, clock=clock)
    late, first = (
        event("order_placed", clock() - timedelta(hours=1), "e-late"),
        event("order_placed", clock(), "e-first"),
    )
    history.record("c-1", first, routed_at=clock(), version=1)
    history.record("c-1", late, routed_at=clock(), version=2)
    assert [each.event for each in sorted(history.applied("c-1"), key=lambda each: each.place)] == [first, late]


def stream(dynamodb: Any, table: str, *, name: str = "INSERT") -> dict[str, Any]:
    """Everything in the table, as the stream would give it."""
    image, by = ("OldImage", {"userIdentity": BY_TIME_TO_LIVE}) if name == "REMOVE" else ("NewImage", {})
    rows = [in_transit(row) for row in dynamodb.scan(TableName=table)["Items"]]
    keys = [{part: row[part] for part in ("pk", "sk")} for row in rows]
    changes = [{"Keys": key, image: row} for key, row in zip(keys, rows, strict=True)]
    return {"Records": [{"eventName": name, "dynamodb": change, **by} for change in changes]}


def in_transit(row: dict[str, Any]) -> dict[str, Any]:
    """An item as JSON: binary values in Base64."""
    return {
        name: {"B": base64.b64encode(value["B"]).decode()} if "B" in value else value for name, value in row.items()
    }


def test_stored_events_go_into_the_archive_and_come_back_as_they_were(
    dynamodb: Any, table: str, bucket: tuple[Any, str], clock: FakeClock
) -> None:
    client, name = bucket
    history = DynamoHistory(dynamodb, table, retention=RETENTION, clock=clock)
    kept = [event("page_viewed", clock(), "e-1", path="/a"), event("order_placed", clock() - timedelta(days=3), "e-2")]
    for number, each in enumerate(kept):
        history.record("c-1", each, routed_at=clock(), version=number)
    history.mark_routed("c-1", kept[0], at=clock(), decisions=[])
    archive = S3EventArchive(client, name, Folders(reads=(EVENTS,), writes=(EVENTS,)))
    invocation = stream(dynamodb, table)
    archiver = ArchiveEvents(store=archive, retention=RETENTION)
    assert archiver.archive(stream_changes(invocation)) == {"events": 2, "rows": 0, "objects": 2}
    assert archiver.archive(stream_changes(invocation)) == {"events": 2, "rows": 0, "objects": 2}
    keys = [entry["Key"] for entry in client.list_objects_v2(Bucket=name)["Contents"]]
    assert [key.split("/")[1] for key in keys] == ["day=2027-02-26", "day=2027-03-01"]
    tags = client.get_object_tagging(Bucket=name, Key=keys[1])["TagSet"]
    assert tags == [{"Key": "retention", "Value": "short"}]
    expected = [AppliedEvent(each, clock(), number) for number, each in enumerate(kept)]
    assert sorted(archive.applied("c-1"), key=lambda each: each.place) == expected
    assert [each.event.id for each in archive.applied("c-1", since=date(2027, 3, 1))] == ["e-1"]
    assert list(archive.applied("c-2")) == []


def a_passage(dynamodb: Any, table: str, clock: FakeClock) -> Enrolment:
    """A journey that has ended, with a message that was skipped and the event that began it."""
    started = event("order_placed", clock(), "e-1")
    DynamoHistory(dynamodb, table, clock=clock).record("c-1", started, routed_at=clock())
    enrolments, ledger = DynamoEnrolments(dynamodb, table), DynamoLedger(dynamodb, table)
    passage = in_nurture("n-1", "c-1", TriggerEvent("e-1", "order_placed", clock(), {}), clock())
    assert enrolments.open(passage, EntryTerms(one_at_a_time=True, not_since=NEVER)) is None
    request = send_request(passage, "welcome", state="welcome")
    ledger.skip(request, decision=Decision(clock(), clock().isoformat(), "skipped", "no_consent", "email"))
    walked = far_along(replace(passage, revision=1), clock, 3)
    assert enrolments.save(walked)
    assert enrolments.end(replace(walked, revision=2).ended("goal", clock()))
    found = enrolments.load("c-1", "n-1")
    assert found is not None
    return found


def test_what_a_journey_leaves_expires_after_its_last_day_but_for_what_keeps_the_contact_out(
    dynamodb: Any, table: str, clock: FakeClock
) -> None:
    a_passage(dynamodb, table, clock)
    found = {row["sk"].split("#")[0]: row.get("expires_at") for row in items.query(dynamodb, table, pk="contact#c-1")}
    last = int((clock() + PASSAGES.keep).timestamp())
    assert (found["enrolment"], found["message"]) == (last, last)
    assert found["reentry"] == FOR_EVER
    held = EntryTerms(one_at_a_time=True, exclusive_group="onboarding")
    store = DynamoEnrolments(dynamodb, table)
    other = in_nurture(
        "n-2", "c-2", TriggerEvent("e-1", "order_placed", clock(), {}), clock(), exclusive_group="onboarding"
    )
    assert store.open(other, held) is None
    rows = {row["sk"]: row.get("expires_at") for row in items.query(dynamodb, table, pk="contact#c-2")}
    assert set(rows.values()) == {None}, "as long as the journey lasts"
    assert store.end(replace(other, revision=1).ended("completed", clock()))
    rows = {row["sk"].split("#")[0]: row["expires_at"] for row in items.query(dynamodb, table, pk="contact#c-2")}
    assert rows == {"enrolment": last, "group": last, "reentry": last}


def test_rows_whose_time_is_over_go_into_the_archive_as_they_were(
    dynamodb: Any, table: str, bucket: tuple[Any, str], clock: FakeClock
) -> None:
    client, name = bucket
    passage = a_passage(dynamodb, table, clock)
    archiver = ArchiveEvents(store=S3EventArchive(client, name, Folders(writes=(LEDGER,))), retention=RETENTION)
    for _ in range(2):
        written = archiver.archive(stream_changes(stream(dynamodb, table, name="REMOVE")))
        assert written == {"events": 0, "rows": 2, "objects": 1}
    [key] = [entry["Key"] for entry in client.list_objects_v2(Bucket=name, Prefix="ledger/")["Contents"]]
    assert key.startswith("ledger/day=2027-03-01/passages-")
    assert client.get_object_tagging(Bucket=name, Key=key)["TagSet"] == [{"Key": "retention", "Value": "passages"}]
    body = gzip.decompress(client.get_object(Bucket=name, Key=key)["Body"].read())
    lines = {line["kind"]: line for line in map(json.loads, body.splitlines())}
    assert Enrolment.from_dict(lines["enrolment"]) == passage
    assert (lines["message"]["state"], lines["message"]["contact_id"]) == ("skipped", "c-1")


def test_nothing_but_inserted_events_and_expired_rows_is_archived(dynamodb: Any, table: str, clock: FakeClock) -> None:
    a_passage(dynamodb, table, clock)
    assert stream_changes(stream(dynamodb, table, name="MODIFY")) == StreamChanges()
    removed = stream(dynamodb, table, name="REMOVE")
    by_hand = {"Records": [record | {"userIdentity": None} for record in removed["Records"]]}
    assert stream_changes(by_hand) == StreamChanges()
    assert [row["sk"].split("#")[0] for row in stream_changes(removed).rows] == ["enrolment", "message"]
    assert stream_changes({"Records": [{"eventName": "REMOVE", "dynamodb": {"Keys": {}}}]}) == StreamChanges()


def test_a_destination_that_is_gone_stays_gone_for_its_address_alone(
    dynamodb: Any, table: str, clock: FakeClock
) -> None:
    states = DynamoDestinationStates(dynamodb, table)
    assert states.disabled_since("crm", "https://a.example.com") is None
    states.disable("crm", "https://a.example.com", at=clock())
    assert states.disabled_since("crm", "https://a.example.com") == clock()
    assert states.disabled_since("crm", "https://b.example.com") is None
    assert states.disabled_since("erp", "https://a.example.com") is None
    states.enable("crm")
    assert states.disabled_since("crm", "https://a.example.com") is None


def test_a_state_is_looked_up_again_after_a_minute(dynamodb: Any, table: str, clock: FakeClock) -> None:
    stored = DynamoDestinationStates(dynamodb, table)
    remembered = RememberedStates(stored, clock=clock)
    assert remembered.disabled_since("crm", "u") is None
    stored.disable("crm", "u", at=clock())
    assert remembered.disabled_since("crm", "u") is None
    clock.advance(minutes=1)
    assert remembered.disabled_since("crm", "u") is not None


def test_each_destination_has_a_secret_of_its_own(aws: None) -> None:
    client = boto3.client("secretsmanager", region_name=REGION)
    for name in ("crm", "erp"):
        client.create_secret(Name=f"waypost/t/{name}", SecretString=json.dumps({"signing_keys": name}))
    secrets = SecretsManagerDestinations(client, "waypost/t/")
    assert [secrets.read(name)["signing_keys"] for name in ("crm", "erp", "crm")] == ["crm", "erp", "crm"]


@dataclass
class FakeDeliverer:
    """Gives the planned outcomes; an exception is raised."""

    outcomes: list[Any]
    asked: list[tuple[str, int]] = field(default_factory=list)

    def deliver(self, name: str, detail: Mapping[str, Any], *, attempt: int) -> Outcome:
        self.asked.append((name, attempt))
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome  # type: ignore[no-any-return]


@pytest.fixture
def queues(aws: None) -> tuple[Any, str, str]:
    """An SQS client, and the queue of a destination with its dead letters."""
    client, stage = boto3.client("sqs", region_name=REGION), f"t{next(_numbers)}"
    letters = client.create_queue(QueueName=f"{stage}-to-crm-dead-letters")["QueueUrl"]
    return client, client.create_queue(QueueName=f"{stage}-to-crm")["QueueUrl"], letters


def received(client: Any, url: str, count: int) -> dict[str, Any]:
    """The messages of a queue as Lambda gets them."""
    for number in range(count):
        client.send_message(QueueUrl=url, MessageBody=json.dumps({"detail": {"number": number}}))
    messages = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"])["Messages"]
    arn = client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return {
        "Records": [
            {
                "messageId": each["MessageId"],
                "receiptHandle": each["ReceiptHandle"],
                "body": each["Body"],
                "attributes": each["Attributes"],
                "eventSourceARN": arn,
            }
            for each in messages
        ]
    }


def test_a_batch_names_what_comes_back_and_sets_aside_what_does_not(queues: tuple[Any, str, str]) -> None:
    client, url, letters = queues
    batch = received(client, url, 6)
    deliverer = FakeDeliverer(
        [
            Delivered(200),
            NotWanted(),
            TryAgain("answered 500", timedelta(seconds=5)),
            GivenUp("answered 410 Gone"),
            TemporarilyUnavailable("GetSecretValue: Throttling"),
            InvalidInput("detail", "is no event envelope"),
        ]
    )
    prefix = url.rsplit("/", 1)[1].removesuffix("crm")
    processor = DeliveryBatch(deliverer=deliverer, queues=DestinationQueues(client, prefix))  # type: ignore[arg-type]
    answer = processor.process(batch)
    ids = [record["messageId"] for record in batch["Records"]]
    assert answer == {"batchItemFailures": [{"itemIdentifier": ids[2]}, {"itemIdentifier": ids[4]}]}
    assert deliverer.asked == [("crm", 1)] * 6
    given_up = client.receive_message(QueueUrl=letters, MaxNumberOfMessages=10, MessageAttributeNames=["All"])[
        "Messages"
    ]
    reasons = {each["MessageAttributes"]["reason"]["StringValue"] for each in given_up}
    assert reasons == {"answered 410 Gone", "InvalidInput: detail: is no event envelope"}
    assert [type(outcome) for _, _, outcome in processor.outcomes][4] is TryAgain


def test_a_message_that_is_none_is_set_aside(queues: tuple[Any, str, str]) -> None:
    client, url, letters = queues
    client.send_message(QueueUrl=url, MessageBody="{")
    batch = received(client, url, 0)
    prefix = url.rsplit("/", 1)[1].removesuffix("crm")
    processor = DeliveryBatch(deliverer=FakeDeliverer([]), queues=DestinationQueues(client, prefix))  # type: ignore[arg-type]
    assert processor.process(batch) == {"batchItemFailures": []}
    assert client.receive_message(QueueUrl=letters)["Messages"]


def test_the_pause_of_a_message_is_its_own(queues: tuple[Any, str, str]) -> None:
    client, url, _ = queues
    batch = received(client, url, 1)
    prefix = url.rsplit("/", 1)[1].removesuffix("crm")
    deliverer = FakeDeliverer([TryAgain("no answer", timedelta(seconds=0.2))])
    DeliveryBatch(deliverer=deliverer, queues=DestinationQueues(client, prefix)).process(batch)  # type: ignore[arg-type]
    hidden = client.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessagesNotVisible"])
    assert hidden["Attributes"]["ApproximateNumberOfMessagesNotVisible"] == "1"


@pytest.mark.parametrize("code", ["InvalidParameterValue", "RequestThrottled", "ReceiptHandleIsInvalid"])
def test_a_message_that_cannot_be_hidden_or_set_aside_brings_back_no_other(
    queues: tuple[Any, str, str], code: str
) -> None:
    client, url, _ = queues
    batch = received(client, url, 4)
    deliverer = FakeDeliverer(
        [Delivered(200), TryAgain("answered 503", timedelta(hours=12)), GivenUp("answered 410 Gone"), Delivered(204)]
    )
    refused = ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 400}}, "AnyOperation")
    broken = Mock(wraps=client)
    broken.change_message_visibility.side_effect = broken.send_message.side_effect = refused
    prefix = url.rsplit("/", 1)[1].removesuffix("crm")
    answer = DeliveryBatch(deliverer=deliverer, queues=DestinationQueues(broken, prefix)).process(batch)  # type: ignore[arg-type]
    ids = [record["messageId"] for record in batch["Records"]]
    assert answer == {"batchItemFailures": [{"itemIdentifier": ids[1]}, {"itemIdentifier": ids[2]}]}
    assert deliverer.asked == [("crm", 1)] * 4
