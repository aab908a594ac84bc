"""The queue, the secrets and the webhook log on AWS, as moto plays it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError
from moto import mock_aws

from tests.adapters.on_moto import ClientOnMoto
from tests.intake.fakes import NOW
from waypost.aws.queue import ATTEMPTS, MAX_BYTES, SqsEventQueue
from waypost.aws.rejected_items import MAX_ITEM, SqsRejectedItems
from waypost.aws.secrets import SecretsManagerSecret
from waypost.aws.webhook_log import DynamoWebhookLog
from waypost.errors import ServiceRefused, TemporarilyUnavailable
from waypost.events.envelope import Event
from waypost.intake.request_outcome import Problem, RejectedItem

EVENT = Event(
    id="shop:1", type="order_placed", contact={"user_id": "u1"}, occurred_at=NOW, received_at=NOW, source="shop"
)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in {
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        yield


@pytest.fixture
def sqs(aws: None) -> Any:
    return ClientOnMoto("sqs", "eu-west-1")


@pytest.fixture
def queue(sqs: Any) -> SqsEventQueue:
    return SqsEventQueue(sqs, sqs.create_queue(QueueName="events.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"])


def received(queue: SqsEventQueue) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    while batch := queue.client.receive_message(QueueUrl=queue.url, MaxNumberOfMessages=10, AttributeNames=["All"]).get(
        "Messages"
    ):
        messages += batch
        for message in batch:
            queue.client.delete_message(QueueUrl=queue.url, ReceiptHandle=message["ReceiptHandle"])
    return messages


@pytest.mark.parametrize("given", [{"userId": "u", "note": "中\x01\ufffe"}, "text", None, {"big": "中" * 400_000}])
def test_a_rejected_item_is_kept_with_its_reasons_however_odd_and_long_it_is(sqs: Any, given: Any) -> None:
    items = SqsRejectedItems(sqs, sqs.create_queue(QueueName="rejected-items")["QueueUrl"])
    problem = Problem("batch[1].会员", "should be 中文")
    kept = RejectedItem(
        source="segment", where="batch[1]", given=given, problems=[problem], received_at=NOW, correlation_id="r-1"
    )
    items.keep([kept] * 12)
    message = sqs.receive_message(QueueUrl=items.url, MessageAttributeNames=["All"])["Messages"][0]
    body = json.loads(message["Body"])
    assert body["problems"] == ["batch[1].会员: should be 中文"]
    assert body["given"] == json.dumps(given)[:MAX_ITEM]
    assert (body["source"], body["where"], body["correlation_id"]) == ("segment", "batch[1]", "r-1")
    assert message["MessageAttributes"]["reason"]["StringValue"].isascii()


def test_events_arrive_whole_and_in_order_in_the_group_of_their_contact(queue: SqsEventQueue) -> None:
    events = [replace(EVENT, id=f"shop:{number}", properties={"note": "中文\x01\ufffe"}) for number in range(25)]
    queue.send(events)
    messages = received(queue)
    assert [Event.from_dict(json.loads(message["Body"])) for message in messages] == events
    assert {message["Attributes"]["MessageGroupId"] for message in messages} == {EVENT.group}


def test_an_event_sent_twice_is_one_message(queue: SqsEventQueue) -> None:
    queue.send([EVENT])
    queue.send([EVENT, EVENT])
    assert len(received(queue)) == 1


def test_a_long_or_strange_id_is_hashed_for_deduplication(queue: SqsEventQueue) -> None:
    queue.send([replace(EVENT, id="x" * 200), replace(EVENT, id="中文"), replace(EVENT, id="shop:1")])
    ids = [message["Attributes"]["MessageDeduplicationId"] for message in received(queue)]
    assert [len(one) for one in ids] == [64, 64, 6]


class FlakySqs:
    """Refuses some entries of a call, as SQS does under load."""

    def __init__(self, refusals: list[set[int]]) -> None:
        self.refusals = refusals
        self.calls: list[list[dict[str, Any]]] = []

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        self.calls.append(Entries)
        refused = self.refusals.pop(0) if self.refusals else set()
        return {"Failed": [{"Id": str(number), "Code": "InternalError", "SenderFault": False} for number in refused]}


def sent(flaky: FlakySqs) -> list[list[str]]:
    return [[json.loads(entry["MessageBody"])["id"] for entry in entries] for entries in flaky.calls]


def test_what_sqs_refuses_is_sent_again_before_later_events() -> None:
    flaky = FlakySqs([{1, 2}, {0}])
    SqsEventQueue(flaky, "url").send([replace(EVENT, id=str(number)) for number in range(11)])
    assert sent(flaky) == [[str(number) for number in range(10)], ["1", "2"], ["1"], ["10"]]


def test_what_sqs_refuses_to_the_end_is_an_error_and_stops_what_follows() -> None:
    flaky = FlakySqs([{0}] * ATTEMPTS)
    with pytest.raises(TemporarilyUnavailable, match="InternalError"):
        SqsEventQueue(flaky, "url").send([replace(EVENT, id=str(number)) for number in range(11)])
    assert len(flaky.calls) == ATTEMPTS


def test_a_call_stays_below_the_size_limit() -> None:
    flaky = FlakySqs([])
    large = replace(EVENT, properties={"note": "中" * 10_000})
    SqsEventQueue(flaky, "url").send([large] * 20)
    sizes = [sum(len(entry["MessageBody"]) for entry in entries) for entries in flaky.calls]
    assert max(sizes) <= MAX_BYTES
    assert sum(len(entries) for entries in flaky.calls) == 20


def test_a_missing_queue_is_refused_for_good(sqs: Any) -> None:
    with pytest.raises(ServiceRefused):
        SqsEventQueue(sqs, "https://sqs.eu-west-1.amazonaws.com/1/none.fifo").send([EVENT])


def test_no_events_are_no_call() -> None:
    flaky = FlakySqs([])
    SqsEventQueue(flaky, "url").send([])
    assert flaky.calls == []


def test_a_secret_is_read_once_in_five_minutes_and_again_for_a_stranger_every_thirty_seconds(aws: None) -> None:
    client = boto3.client("secretsmanager")
    client.create_secret(Name="webhooks", SecretString='{"write_keys": ["old"]}')
    now = NOW
    secret = SecretsManagerSecret(client, "webhooks", clock=lambda: now)
    assert secret.read() == {"write_keys": ["old"]}
    client.put_secret_value(SecretId="webhooks", SecretString='{"write_keys": ["new"]}')
    now += timedelta(seconds=29)
    assert secret.read_again() == {"write_keys": ["old"]}
    now += timedelta(seconds=1)
    assert secret.read() == {"write_keys": ["old"]}
    assert secret.read_again() == secret.read() == {"write_keys": ["new"]}
    client.put_secret_value(SecretId="webhooks", SecretString='{"write_keys": ["newest"]}')
    now += timedelta(minutes=5)
    assert secret.read() == {"write_keys": ["newest"]}


@pytest.mark.parametrize("text", ["plain text", "[]"])
def test_a_secret_that_is_not_an_object_is_named(aws: None, text: str) -> None:
    client = boto3.client("secretsmanager")
    client.create_secret(Name="webhooks", SecretString=text)
    with pytest.raises(TemporarilyUnavailable, match="JSON"):
        SecretsManagerSecret(client, "webhooks").read()


def test_a_secret_stored_as_bytes_is_named_and_the_last_good_value_stays(aws: None) -> None:
    client = boto3.client("secretsmanager")
    client.create_secret(Name="webhooks", SecretBinary=b'{"write_keys": ["bytes"]}')
    now = NOW
    secret = SecretsManagerSecret(client, "webhooks", clock=lambda: now)
    with pytest.raises(TemporarilyUnavailable, match="text"):
        secret.read()
    client.put_secret_value(SecretId="webhooks", SecretString='{"write_keys": ["good"]}')
    secret.read()
    client.put_secret_value(SecretId="webhooks", SecretBinary=b'{"write_keys": ["bytes"]}')
    now += timedelta(hours=6)
    assert secret.read() == {"write_keys": ["good"]}


def test_after_a_call_that_stalled_secrets_manager_is_left_alone_for_the_whole_half_minute() -> None:
    class StallingSecretsManager:
        def __init__(self) -> None:
            self.now = NOW
            self.calls = 0

        def get_secret_value(self, **_: str) -> dict[str, str]:
            self.calls += 1
            if self.calls == 1:
                return {"SecretString": '{"write_keys": ["good"]}'}
            self.now += timedelta(seconds=24)
            raise ReadTimeoutError(endpoint_url="https://secretsmanager.example")

    client = StallingSecretsManager()
    secret = SecretsManagerSecret(client, "webhooks", clock=lambda: client.now)
    secret.read()
    client.now += timedelta(minutes=6)
    assert secret.read() == {"write_keys": ["good"]}
    client.now += timedelta(seconds=29)
    assert secret.read() == {"write_keys": ["good"]}
    assert client.calls == 2
    client.now += timedelta(seconds=1)
    secret.read()
    assert client.calls == 3


@pytest.mark.parametrize("fault", ["not JSON", "[]", "deleted"])
def test_the_last_good_secret_stays_in_use_while_there_is_no_other(aws: None, fault: str) -> None:
    client = boto3.client("secretsmanager")
    client.create_secret(Name="webhooks", SecretString='{"write_keys": ["good"]}')
    now = NOW
    secret = SecretsManagerSecret(client, "webhooks", clock=lambda: now)
    secret.read()
    if fault == "deleted":
        client.delete_secret(SecretId="webhooks")
    else:
        client.put_secret_value(SecretId="webhooks", SecretString=fault)
    now += timedelta(hours=6)
    assert secret.read() == secret.read_again() == {"write_keys": ["good"]}
    if fault == "deleted":
        client.restore_secret(SecretId="webhooks")
    client.put_secret_value(SecretId="webhooks", SecretString='{"write_keys": ["mended"]}')
    assert secret.read() == {"write_keys": ["good"]}, "asked again too soon"
    now += timedelta(seconds=30)
    assert secret.read() == {"write_keys": ["mended"]}


def test_a_secret_never_shows_itself(aws: None) -> None:
    client = boto3.client("secretsmanager")
    client.create_secret(Name="webhooks", SecretString='{"write_keys": ["hidden"]}')
    secret = SecretsManagerSecret(client, "webhooks")
    secret.read()
    assert "hidden" not in repr(secret)


def test_the_log_knows_a_webhook_for_a_day(aws: None) -> None:
    client = boto3.client("dynamodb")
    client.create_table(
        TableName="contacts",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
    now = NOW
    log = DynamoWebhookLog(client, "contacts", clock=lambda: now)
    assert not log.has("shop", "msg_1")
    log.add("shop", "msg_1")
    assert log.has("shop", "msg_1")
    assert not log.has("crm", "msg_1")
    now += timedelta(days=1)
    assert not log.has("shop", "msg_1")
