"""The providers answer a real boto3 client as Amazon SES and AWS End User Messaging do, and fail on request."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError, ReadTimeoutError

from local.providers.record import Fault, FaultKind
from local.providers.server import Providers
from waypost.contacts.channels import Channel

pytestmark = pytest.mark.flow  # for its sockets

Send = Callable[[str], Any]


@pytest.fixture
def reported() -> list[dict[str, Any]]:
    """What the providers put on the event bus."""
    return []


@pytest.fixture
def providers(reported: list[dict[str, Any]]) -> Iterator[Providers]:
    with Providers(publish_events=reported.extend, delivery_events=True) as providers:
        yield providers


@pytest.fixture
def email(providers: Providers) -> Send:
    service = client("sesv2", providers)
    return lambda key: service.send_email(
        FromEmailAddress="Waypost <hello@waypost.example>",
        Destination={"ToAddresses": ["lin@example.com"]},
        Content={
            "Simple": {
                "Subject": {"Data": "Hello"},
                "Body": {"Html": {"Data": "<p>Hello Lin</p>"}, "Text": {"Data": "Hello Lin"}},
                "Headers": [{"Name": "List-Unsubscribe", "Value": "<https://example.com/u>"}],
            }
        },
        EmailTags=[{"Name": "message_key", "Value": key}],
        ConfigurationSetName="waypost-dev",
    )


@pytest.fixture
def sms(providers: Providers) -> Send:
    service = client("pinpoint-sms-voice-v2", providers)
    return lambda key: service.send_text_message(
        DestinationPhoneNumber="+8613800138000", MessageBody="Hello", Context={"message_key": key}
    )


@pytest.fixture(params=["email", "sms"])
def send(request: pytest.FixtureRequest) -> Send:
    """Each of the two channels."""
    chosen: Send = request.getfixturevalue(request.param)
    return chosen


def client(service: str, providers: Providers) -> Any:
    return boto3.client(
        service,
        endpoint_url=providers.url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}, connect_timeout=1, read_timeout=0.3),
    )


def test_an_accepted_message_has_an_id_and_is_kept_under_its_key(providers: Providers, send: Send) -> None:
    message_id = send("m-1")["MessageId"]
    [call] = providers.calls
    assert (call.outcome, call.message_key, call.message_id) == ("accepted", "m-1", message_id)
    assert providers.calls_per_key() == providers.accepted_per_key() == {"m-1": 1}


def test_a_mail_is_kept_as_its_reader_gets_it(providers: Providers, email: Send) -> None:
    email("m-1")
    [call] = providers.calls
    content = call.content
    assert (content.subject, content.html, content.text) == ("Hello", "<p>Hello Lin</p>", "Hello Lin")
    assert content.headers == {"List-Unsubscribe": "<https://example.com/u>"}


@pytest.mark.parametrize(
    ("kind", "codes"),
    [
        ("throttle", {"TooManyRequestsException", "ThrottlingException"}),
        ("reject", {"MessageRejected", "ValidationException"}),
        ("error", {"InternalServerException", "InternalServiceErrorException"}),
        ("refuse_us", {"SendingPausedException", "ServiceQuotaExceededException"}),
    ],
)
def test_a_refusal_has_the_code_of_the_provider(
    providers: Providers, send: Send, kind: FaultKind, codes: set[str]
) -> None:
    providers.fail(Fault(kind=kind))
    with pytest.raises(ClientError) as refused:
        send("m-1")
    assert refused.value.response["Error"]["Code"] in codes
    assert (providers.calls_per_key(), providers.accepted_per_key()) == ({"m-1": 1}, {})


def test_a_stalled_message_is_accepted_although_the_client_gives_up(providers: Providers, send: Send) -> None:
    providers.fail(Fault(kind="stall", seconds=60))
    with pytest.raises(ReadTimeoutError):
        send("m-1")
    assert providers.accepted_per_key() == {"m-1": 1}


def test_a_dropped_connection_accepts_nothing(providers: Providers, send: Send) -> None:
    providers.fail(Fault(kind="drop"))
    with pytest.raises(ConnectionClosedError):
        send("m-1")
    assert providers.accepted == []


def test_refused_connections_are_felt_at_once_and_end(providers: Providers, send: Send) -> None:
    send("m-1")
    with providers.refusing_connections(), pytest.raises(EndpointConnectionError):
        send("m-2")
    send("m-3")
    assert [call.message_key for call in providers.calls] == ["m-1", "m-3"]


def test_a_fault_is_used_up_and_may_be_for_one_message_only(providers: Providers, send: Send) -> None:
    providers.fail(Fault(kind="throttle", times=2, message_key="m-2"))
    send("m-1")
    for _ in range(2):
        with pytest.raises(ClientError):
            send("m-2")
    send("m-2")
    assert providers.calls_per_key() == {"m-1": 1, "m-2": 3}
    assert providers.accepted_per_key() == {"m-1": 1, "m-2": 1}


def test_a_fault_may_be_for_one_provider_only(providers: Providers, email: Send, sms: Send) -> None:
    providers.fail(Fault(kind="reject", channel=Channel("sms")))
    email("m-1")
    with pytest.raises(ClientError):
        sms("m-2")


def test_what_becomes_of_a_mail_is_reported_with_its_key(
    providers: Providers, email: Send, reported: list[dict[str, Any]]
) -> None:
    email("m-1")
    assert providers.rest(within=5)
    [call] = providers.calls
    providers.report(call, "bounced")
    providers.report(call, "complained")
    assert [entry["DetailType"] for entry in reported] == [
        "Email Sent",
        "Email Delivered",
        "Email Bounced",
        "Email Complaint Received",
    ]
    details = [json.loads(entry["Detail"]) for entry in reported]
    assert {entry["Source"] for entry in reported} == {"aws.ses"}
    assert all(detail["mail"]["tags"]["message_key"] == ["m-1"] for detail in details)
    assert all(detail["mail"]["messageId"] == call.message_id for detail in details)


def test_what_becomes_of_an_sms_is_reported_with_its_key(
    providers: Providers, sms: Send, reported: list[dict[str, Any]]
) -> None:
    sms("m-1")
    assert providers.rest(within=5)
    [entry] = reported
    detail = json.loads(entry["Detail"])
    assert entry["Source"] == "aws.sms-voice"
    assert (detail["eventType"], detail["context"]) == ("TEXT_DELIVERED", {"message_key": "m-1"})
