"""Calls that go wrong: what is repeated, what is signed again, and what the caller learns, as from botocore."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any
from zlib import crc32

import boto3
import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    HTTPClientError,
    NoCredentialsError,
    ReadTimeoutError,
)

from tests.adapters.wire import Wire
from waypost.aws.json_services import credentials as sources
from waypost.aws.json_services.answers import Refused
from waypost.aws.json_services.client import JsonClient
from waypost.aws.json_services.connections import Answer, NoAnswer
from waypost.aws.json_services.credentials import Credentials, DefaultCredentials
from waypost.aws.json_services.endpoints import Endpoint
from waypost.aws.json_services.retries import CAPACITY, COST, COST_OF_TIMEOUT, Quota, seconds_before
from waypost.aws.json_services.services import DYNAMODB, EVENTS, SES, SQS, Service

NOW = datetime(2026, 11, 29, 20, 0, tzinfo=UTC)
URL = "https://dynamodb.eu-west-1.amazonaws.com"
KEY = {"TableName": "contacts", "Key": {"pk": {"S": "contact#1"}}}
TORN = NoAnswer(ConnectionClosedError(endpoint_url=URL))
LATE = NoAnswer(ReadTimeoutError(endpoint_url=URL), timed_out=True)
FIRST = Credentials("AKID", "secret", "token-1")


def answer(body: Any, status: int = 200, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, named, body if isinstance(body, bytes) else json.dumps(body).encode())


def refused(code: str, status: int = 400, **more: Any) -> Answer:
    return answer({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "no", **more}, status)


OK = answer({"Item": {"pk": {"S": "contact#1"}}})


@dataclass
class Script:
    """A Transport that gives these answers in turn, the last one for ever, and keeps the requests."""

    answers: list[Answer | NoAnswer]
    requests: list[tuple[Mapping[str, str], Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    def post(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer | NoAnswer:
        self.paths.append(path)
        self.requests.append((dict(headers), json.loads(body)))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@dataclass
class Keys:
    """A CredentialSource; ``next`` are the ones after a renewal."""

    now: Credentials = FIRST
    next: Credentials | None = None

    def current(self) -> Credentials:
        return self.now

    def renewed(self, expired: Credentials) -> Credentials | None:
        self.now, renewed = self.next or self.now, self.next
        return renewed


@dataclass
class Calling:
    """A client on a script, and the seconds that it waited."""

    script: Script
    client: JsonClient
    waits: list[float]


def calling(*answers: Answer | NoAnswer, service: Service = DYNAMODB, keys: Keys | None = None) -> Calling:
    script, waits = Script(list(answers)), list[float]()
    client = JsonClient(
        service,
        Endpoint.of(URL, "eu-west-1"),
        transport=script,
        credentials=keys or Keys(),
        attempts=4,
        clock=lambda: NOW,
        wait=waits.append,
    )
    return Calling(script, client, waits)


def test_a_call_says_what_it_wants_and_who_asks() -> None:
    call = calling(OK)

    found = call.client.get_item(**KEY)

    [(headers, body)] = call.script.requests
    assert body == KEY
    assert headers["x-amz-target"] == "DynamoDB_20120810.GetItem"
    assert headers["content-type"] == "application/x-amz-json-1.0"
    assert headers["x-amz-security-token"] == "token-1"
    assert "x-amz-security-token" in headers["authorization"]
    assert found["Item"] == {"pk": {"S": "contact#1"}}
    assert found["ResponseMetadata"]["RetryAttempts"] == 0


@pytest.mark.parametrize("first", [
    refused("ProvisionedThroughputExceededException"), refused("ThrottlingException"), refused("RequestLimitExceeded"),
    refused("InternalServerError", 500), answer(b"<html>busy</html>", 503), answer(b"", 502), answer(b"", 504),
    TORN, LATE, answer(b"{", 200), answer(b"[]", 200),
    answer(OK.body, x_amz_crc32=str(crc32(b"another body"))),
])  # fmt: skip
def test_what_may_pass_is_tried_again(first: Answer | NoAnswer) -> None:
    call = calling(first, first, OK)

    assert call.client.get_item(**KEY)["ResponseMetadata"]["RetryAttempts"] == 2

    assert len(call.script.requests) == 3
    assert len(call.waits) == 2


def test_an_answer_with_its_own_checksum_is_taken() -> None:
    call = calling(answer(OK.body, x_amz_crc32=str(crc32(OK.body))))
    assert "Item" in call.client.get_item(**KEY)


@pytest.mark.parametrize("first", [
    refused("ConditionalCheckFailedException"), refused("ValidationException"), refused("ResourceNotFoundException"),
    refused("AccessDeniedException"), refused("SomethingNew"), answer(b"<html>moved</html>", 301), answer(b"no", 413),
])  # fmt: skip
def test_what_cannot_pass_is_not_tried_again(first: Answer) -> None:
    call = calling(first, OK)

    with pytest.raises(ClientError):
        call.client.get_item(**KEY)

    assert len(call.script.requests) == 1


@pytest.mark.parametrize(
    ("last", "error"), [(TORN, ConnectionClosedError), (LATE, ReadTimeoutError), (answer(b"{"), HTTPClientError)]
)
def test_after_four_attempts_the_caller_learns_why(last: Answer | NoAnswer, error: type[BotoCoreError]) -> None:
    call = calling(last)

    with pytest.raises(error):
        call.client.get_item(**KEY)

    assert len(call.script.requests) == 4


ERRORS = [
    (400, {}, {"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException", "message": "The conditional request failed", "Item": {"pk": {"S": "x"}}}),
    (400, {}, {"__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException", "Message": "cancelled", "CancellationReasons": [{"Code": "None"}, {"Code": "ConditionalCheckFailed", "Message": "no"}]}),
    (400, {}, {"__type": "com.amazon.coral.validate#ValidationException", "message": "bad"}),
    (400, {"x-amzn-errortype": "ThrottlingException:http://internal.amazon.com/coral/"}, {"message": "slow"}),
    (400, {}, {"__type": "FutureException:more"}),
    (400, {}, {}),
    (403, {}, {"message": "no"}),
    (413, {}, {"code": "TooLarge"}),
]  # fmt: skip


@pytest.mark.parametrize(("status", "headers", "body"), ERRORS)
def test_an_error_is_the_one_that_botocore_raises(
    status: int, headers: dict[str, str], body: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "none")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
    stock = boto3.client("dynamodb", region_name="eu-west-1")
    Wire(stock).will_answer((status, headers, body))
    call = calling(Answer(status, headers, json.dumps(body).encode()))
    call.script.answers *= 2

    with pytest.raises(ClientError) as theirs:
        stock.transact_write_items(TransactItems=[{}])
    with pytest.raises(ClientError) as ours:
        call.client.transact_write_items(TransactItems=[])

    assert ours.value.operation_name == theirs.value.operation_name
    assert ours.value.response["Error"]["Code"] == theirs.value.response["Error"]["Code"]
    assert ours.value.response["Error"]["Message"] == theirs.value.response["Error"]["Message"]
    assert ours.value.response.get("CancellationReasons") == theirs.value.response.get("CancellationReasons")
    assert ours.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


@pytest.mark.parametrize(("status", "headers", "body"), [*ERRORS, (400, {}, {"Code": "Odd#TooLarge:now"})])
def test_an_error_of_a_mail_is_the_one_that_botocore_raises(
    status: int, headers: dict[str, str], body: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "none")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
    stock = boto3.client("sesv2", region_name="eu-west-1")
    Wire(stock).will_answer((status, headers, body))
    call = calling(Answer(status, headers, json.dumps(body).encode()), service=SES)
    call.script.answers *= 2

    with pytest.raises(ClientError) as theirs:
        stock.send_email(Content={})
    with pytest.raises(ClientError) as ours:
        call.client.send_email(Content={})

    assert ours.value.operation_name == theirs.value.operation_name
    assert ours.value.response["Error"]["Code"] == theirs.value.response["Error"]["Code"]
    assert ours.value.response["Error"]["Message"] == theirs.value.response["Error"]["Message"]


def test_a_mail_goes_to_the_path_of_its_operation() -> None:
    call = calling(answer({"MessageId": "ses-1"}), service=SES)

    assert call.client.send_email(Content={})["MessageId"] == "ses-1"

    [(headers, _)] = call.script.requests
    assert call.script.paths == ["/v2/email/outbound-emails"]
    assert headers["content-type"] == "application/json"
    assert "x-amz-target" not in headers
    assert "/eu-west-1/ses/aws4_request" in headers["authorization"]


def test_a_page_instead_of_an_error_has_its_status_as_code() -> None:
    with pytest.raises(ClientError) as raised:
        calling(answer(b"<html>Forbidden</html>", 403)).client.get_item(**KEY)

    assert raised.value.response["Error"]["Code"] == "403"


def test_a_service_that_spoke_xml_gives_the_code_of_that_time() -> None:
    gone = answer(
        {"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "gone"},
        400,
        x_amzn_query_error="AWS.SimpleQueueService.NonExistentQueue;Sender",
    )
    with pytest.raises(ClientError) as raised:
        calling(gone, service=SQS).client.send_message(QueueUrl="q", MessageBody="b")

    error = raised.value.response["Error"]
    assert (error["Code"], error["QueryErrorCode"]) == ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")


def test_every_attempt_of_a_transaction_has_the_same_token() -> None:
    call = calling(TORN, OK)
    call.client.transact_write_items(TransactItems=[])
    call.client.transact_write_items(TransactItems=[])
    call.client.transact_write_items(TransactItems=[], ClientRequestToken="mine")

    first, again, other, given = (body["ClientRequestToken"] for _, body in call.script.requests)
    assert first == again != other
    assert given == "mine"


def test_expired_credentials_are_replaced_and_the_call_is_signed_again_at_once() -> None:
    keys = Keys(next=Credentials("AKID-2", "other", "token-2"))
    call = calling(refused("ExpiredTokenException"), OK, keys=keys)

    call.client.get_item(**KEY)

    assert [headers["x-amz-security-token"] for headers, _ in call.script.requests] == ["token-1", "token-2"]
    assert call.waits == []


def test_credentials_that_nothing_replaces_are_an_error() -> None:
    call = calling(refused("ExpiredTokenException"))

    with pytest.raises(ClientError, match="ExpiredTokenException"):
        call.client.get_item(**KEY)

    assert len(call.script.requests) == 1


@pytest.mark.parametrize("ahead", [timedelta(minutes=20), -timedelta(hours=3)])
def test_a_clock_that_is_wrong_is_set_by_the_service(ahead: timedelta) -> None:
    date = format_datetime(NOW + ahead, usegmt=True)
    skewed = answer({"__type": "com.amazon.coral.service#InvalidSignatureException"}, 400, date=date)
    call = calling(skewed, OK)

    call.client.get_item(**KEY)
    call.client.get_item(**KEY)

    stamps = [headers["x-amz-date"] for headers, _ in call.script.requests]
    theirs = (NOW + ahead).strftime("%Y%m%dT%H%M%SZ")
    assert stamps == ["20261129T200000Z", theirs, theirs]


@pytest.mark.parametrize("date", [format_datetime(NOW, usegmt=True), "", "yesterday"])
def test_a_wrong_signature_at_the_right_time_is_an_error(date: str) -> None:
    call = calling(answer({"__type": "x#InvalidSignatureException"}, 403, date=date))

    with pytest.raises(ClientError, match="InvalidSignatureException"):
        call.client.get_item(**KEY)

    assert len(call.script.requests) == 1


def test_a_process_that_meets_failures_only_stops_repeating() -> None:
    call = calling(TORN)
    for _ in range(CAPACITY // COST):
        with pytest.raises(ConnectionClosedError):
            call.client.get_item(**KEY)
    before = len(call.script.requests)

    with pytest.raises(ConnectionClosedError):
        call.client.get_item(**KEY)

    assert len(call.script.requests) == before + 1


def test_success_earns_repetitions_and_timeouts_cost_more() -> None:
    quota = Quota(capacity=COST_OF_TIMEOUT)
    assert quota.take(LATE) == COST_OF_TIMEOUT
    assert quota.take(TORN) is None
    quota.succeeded(COST)
    assert quota.take(TORN) == COST
    for _ in range(3 * COST_OF_TIMEOUT):
        quota.succeeded(0)
    assert (quota.take(LATE), quota.take(TORN)) == (COST_OF_TIMEOUT, None)


@pytest.mark.parametrize(
    ("failed", "attempt", "longest"),
    [
        (TORN, 2, 0.025),
        (TORN, 4, 0.1),
        (Refused("ThrottlingException", 400, "", Exception()), 2, 1.0),
        (Refused("ThrottlingException", 400, "", Exception()), 9, 20.0),
    ],
)
def test_waits_grow_and_are_spread(failed: Refused | NoAnswer, attempt: int, longest: float) -> None:
    waits = [seconds_before(attempt, failed, slot=0.025) for _ in range(300)]
    assert 0 <= min(waits) < longest / 4
    assert longest * 3 / 4 < max(waits) <= longest


def test_a_time_goes_out_as_botocore_writes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "none")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
    entry = {"Time": NOW.replace(microsecond=999_000), "Detail": "{}", "DetailType": "林", "Source": "waypost"}
    stock = boto3.client("events", region_name="eu-west-1")
    wire = Wire(stock).will_answer((200, {}, {"FailedEntryCount": 0}))
    stock.put_events(Entries=[entry])
    call = calling(answer({"FailedEntryCount": 0}), service=EVENTS)

    call.client.put_events(Entries=[entry])
    elsewhere = NOW.astimezone(timezone(timedelta(hours=8)))
    call.client.put_events(Entries=[entry | {"Time": elsewhere}])

    whole = {"Entries": [entry | {"Time": int(NOW.timestamp())}]}
    assert [body for _, body in call.script.requests] == [wire.sent, whole]


def test_what_has_no_place_in_a_call_is_refused_before_it_is_sent() -> None:
    call = calling(OK)
    with pytest.raises(TypeError):
        call.client.put_item(TableName="contacts", Item={"pk": {"SS": {"a", "b"}}})
    assert call.script.requests == []


VALUES = {
    "S": {"S": "B"},
    "B": {"B": b"\x00\xff"},
    "BS": {"BS": [b"1", b"2"]},
    "M": {"M": {"B": {"B": b"in a map"}, "L": {"L": [{"L": [{"B": b"deep"}]}, {"N": "1"}, {"NULL": True}]}}},
}


@pytest.mark.parametrize("wrapped", [
    lambda item: {"Item": item}, lambda item: {"Attributes": item}, lambda item: {"Items": [item, {}]},
    lambda item: {"Responses": {"contacts": [item]}}, lambda item: {"Items": [{"pk": {"S": '"B"'}}, item]},
])  # fmt: skip
def test_binary_values_go_and_come_as_with_botocore(wrapped: Callable[[Any], dict[str, Any]]) -> None:
    call = calling(OK)
    call.client.put_item(TableName="contacts", Item=VALUES)
    sent = call.script.requests[0][1]["Item"]
    assert sent["B"] == {"B": "AP8="}

    call = calling(answer(wrapped(sent)))

    assert call.client.get_item(**KEY) | {"ResponseMetadata": ...} == wrapped(VALUES) | {"ResponseMetadata": ...}


def test_unprocessed_items_go_back_as_they_came() -> None:
    left = {"UnprocessedItems": {"contacts": [{"PutRequest": {"Item": {"way": {"B": "AP8="}}}}]}}
    call = calling(answer(left))
    again = call.client.batch_write_item(RequestItems={})["UnprocessedItems"]
    call.client.batch_write_item(RequestItems=again)
    assert call.script.requests[1][1] == {"RequestItems": left["UnprocessedItems"]}


def test_pages_are_asked_for_one_after_the_other() -> None:
    call = calling(answer({"Items": [1], "LastEvaluatedKey": {"pk": {"S": "a"}}}), answer({"Items": [2]}))

    pages = call.client.get_paginator("query").paginate(TableName="contacts", Limit=1)

    assert next(pages)["Items"] == [1]
    assert len(call.script.requests) == 1
    assert next(pages)["Items"] == [2]
    assert next(pages, None) is None
    assert call.script.requests[1][1] == {"TableName": "contacts", "Limit": 1, "ExclusiveStartKey": {"pk": {"S": "a"}}}


def test_an_operation_that_is_not_declared_is_named() -> None:
    with pytest.raises(AttributeError, match="scan"):
        calling(OK).client.scan(TableName="contacts")


def test_the_trace_of_an_invocation_goes_along_and_is_not_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "waypost-dev-route-events")
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-69a5;Parent=ab\n;Sampled=0")
    call = calling(OK)

    call.client.get_item(**KEY)

    [(headers, _)] = call.script.requests
    assert headers["x-amzn-trace-id"] == "Root=1-69a5;Parent=ab%0A;Sampled=0"
    assert "x-amzn-trace-id" not in headers["authorization"]


class Chain:
    """botocore's session with credentials that it renews by itself."""

    made = 0

    def __init__(self, found: bool) -> None:
        self.found = found

    def __call__(self) -> "Chain":
        type(self).made += 1
        return self

    def get_credentials(self) -> "Chain | None":
        return self if self.found else None

    def get_frozen_credentials(self) -> Credentials:
        return Credentials(f"AKID-{self.made}", "secret", "token")


@pytest.fixture
def nothing_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def test_credentials_come_from_the_environment_at_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "")
    source = DefaultCredentials()
    first = source.current()
    assert first == Credentials("AKID", "secret", None)
    assert source.renewed(first) is None

    monkeypatch.setenv("AWS_SESSION_TOKEN", "newer")

    assert source.renewed(first) == source.current() == Credentials("AKID", "secret", "newer")


@pytest.mark.usefixtures("nothing_in_the_environment")
def test_elsewhere_botocore_finds_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.session.Session", Chain(found=True))
    source = DefaultCredentials()

    first = source.current()
    assert source.current() == first, "looked for once"

    renewed = source.renewed(first)
    assert renewed is not None
    assert renewed != first


@pytest.mark.usefixtures("nothing_in_the_environment")
def test_without_credentials_nothing_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.session.Session", Chain(found=False))
    assert sources.from_environment() is None
    with pytest.raises(NoCredentialsError):
        DefaultCredentials().current()
