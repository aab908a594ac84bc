"""Mail and SMS over real boto3 clients: what is sent, and what every kind of failure means."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any, get_args

import pytest
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
)
from waypost.aws.email import SesEmail
from waypost.aws.sms import EndUserMessagingSms
from waypost.sending.channels import Accepted, Answer, OutgoingEmail, OutgoingSms, Refused, Unclear

from tests.adapters.wire import Wire
from waypost.aws.clients import provider_client
from waypost.content.render import RenderedEmail, RenderedSms

URL = "https://provider.example"
TAGS = {"message_key": "m-1", "contact_id": "c-1", "journey": "nurture"}
HEADERS = {"List-Unsubscribe": "<https://links.example/u/1>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
MAIL = OutgoingEmail(
    to="lin@example.com",
    content=RenderedEmail(subject="你好", html="<p>你好</p>", text="你好"),
    message_key="m-1",
    tags=TAGS,
    headers=HEADERS,
)
TEXT = OutgoingSms(
    to="+8613800000001", content=RenderedSms(text="你好"), message_key="m-1", transactional=False, tags=TAGS
)


@pytest.fixture(scope="module", autouse=True)
def account() -> Iterator[None]:
    """An account, for clients that reach nobody."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_DEFAULT_REGION", "ap-east-1")
        environment.setenv("AWS_ACCESS_KEY_ID", "testing")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        yield


@cache
def wired(service: str) -> tuple[Any, Wire]:
    """The client of a provider, as the functions make it, and its wire."""
    client = provider_client.__wrapped__(service)
    return client, Wire(client)


def ses(*answers: Any) -> tuple[SesEmail, Wire]:
    client, wire = wired("sesv2")
    return SesEmail(client, "Waypost <hello@example.com>", "waypost-dev"), wire.will_answer(*answers)


def messaging(*answers: Any, origination: str = "") -> tuple[EndUserMessagingSms, Wire]:
    client, wire = wired("pinpoint-sms-voice-v2")
    return EndUserMessagingSms(client, origination), wire.will_answer(*answers)


def refused_by_ses(code: str, status: int) -> tuple[int, dict[str, str], Any]:
    return status, {"x-amzn-ErrorType": code}, {"message": "no"}


def refused_by_messaging(code: str, status: int) -> tuple[int, dict[str, str], Any]:
    return status, {}, {"__type": code, "Message": "no"}


def test_a_mail_carries_its_key_its_headers_and_both_parts() -> None:
    channel, wire = ses((200, {}, {"MessageId": "ses-1"}))
    assert channel.send(MAIL) == Accepted("ses-1")
    assert wire.sent == {
        "FromEmailAddress": "Waypost <hello@example.com>",
        "Destination": {"ToAddresses": ["lin@example.com"]},
        "Content": {
            "Simple": {
                "Subject": {"Data": "你好", "Charset": "UTF-8"},
                "Body": {
                    "Text": {"Data": "你好", "Charset": "UTF-8"},
                    "Html": {"Data": "<p>你好</p>", "Charset": "UTF-8"},
                },
                "Headers": [{"Name": name, "Value": value} for name, value in HEADERS.items()],
            }
        },
        "EmailTags": [{"Name": name, "Value": value} for name, value in TAGS.items()],
        "ConfigurationSetName": "waypost-dev",
    }


@pytest.mark.parametrize(("transactional", "kind"), [(True, "TRANSACTIONAL"), (False, "PROMOTIONAL")])
def test_an_sms_carries_its_key_as_context(transactional: bool, kind: str) -> None:
    channel, wire = messaging((200, {}, {"MessageId": "sms-1"}), origination="WAYPOST")
    sms = OutgoingSms(to=TEXT.to, content=TEXT.content, message_key="m-1", transactional=transactional, tags=TAGS)
    assert channel.send(sms) == Accepted("sms-1")
    assert wire.sent == {
        "DestinationPhoneNumber": "+8613800000001",
        "OriginationIdentity": "WAYPOST",
        "MessageBody": "你好",
        "MessageType": kind,
        "Context": TAGS,
    }


def test_without_an_origination_the_account_chooses() -> None:
    channel, wire = messaging((200, {}, {"MessageId": "sms-1"}))
    channel.send(TEXT)
    assert "OriginationIdentity" not in wire.sent


SES_REFUSALS = [
    ("TooManyRequestsException", 429, Refused("TooManyRequestsException", temporary=True)),
    ("LimitExceededException", 400, Refused("LimitExceededException", temporary=True)),
    ("ThrottlingException", 400, Refused("ThrottlingException", temporary=True)),
    ("AnythingElse", 429, Refused("AnythingElse", temporary=True)),
    ("MessageRejected", 400, Refused("MessageRejected", temporary=False)),
    ("MailFromDomainNotVerifiedException", 400, Refused("MailFromDomainNotVerifiedException", temporary=False)),
    ("BadRequestException", 400, Refused("BadRequestException", temporary=False)),
    ("AccessDeniedException", 403, Refused("AccessDeniedException", temporary=False)),
    ("NotFoundException", 404, Refused("NotFoundException", temporary=False)),
    ("InternalServiceErrorException", 500, Unclear("InternalServiceErrorException")),
    ("ServiceUnavailable", 503, Unclear("ServiceUnavailable")),
]
SMS_REFUSALS = [
    ("ThrottlingException", 400, Refused("ThrottlingException", temporary=True)),
    ("ServiceQuotaExceededException", 400, Refused("ServiceQuotaExceededException", temporary=False)),
    ("ValidationException", 400, Refused("ValidationException", temporary=False)),
    ("ConflictException", 400, Refused("ConflictException", temporary=False)),
    ("InternalServerException", 500, Unclear("InternalServerException")),
]
BROKEN = [
    (ConnectTimeoutError(endpoint_url=URL), Refused("ConnectTimeoutError", temporary=True)),
    (EndpointConnectionError(endpoint_url=URL), Refused("EndpointConnectionError", temporary=True)),
    (ReadTimeoutError(endpoint_url=URL), Unclear("ReadTimeoutError")),
    (ConnectionClosedError(endpoint_url=URL), Unclear("ConnectionClosedError")),
    (SSLError(endpoint_url=URL, error="broken"), Unclear("SSLError")),
    (ProxyConnectionError(proxy_url=URL), Unclear("ProxyConnectionError")),
]


@pytest.mark.parametrize(("code", "status", "answer"), SES_REFUSALS)
def test_what_ses_answers_is_asked_for_once(code: str, status: int, answer: Answer) -> None:
    channel, wire = ses(refused_by_ses(code, status))
    assert channel.send(MAIL) == answer
    assert len(wire.requests) == 1


@pytest.mark.parametrize(("code", "status", "answer"), SMS_REFUSALS)
def test_what_end_user_messaging_answers_is_asked_for_once(code: str, status: int, answer: Answer) -> None:
    channel, wire = messaging(refused_by_messaging(code, status))
    assert channel.send(TEXT) == answer
    assert len(wire.requests) == 1


@pytest.mark.parametrize(("error", "answer"), BROKEN, ids=[type(error).__name__ for error, _ in BROKEN])
def test_a_broken_connection_is_refused_only_if_it_was_never_opened(error: Exception, answer: Answer) -> None:
    mail, mail_wire = ses(error)
    assert mail.send(MAIL) == answer
    text, text_wire = messaging(error)
    assert text.send(TEXT) == answer
    assert (len(mail_wire.requests), len(text_wire.requests)) == (1, 1)


def test_a_5xx_without_a_name_is_unclear() -> None:
    channel, _ = ses((502, {}, {}))
    answer = channel.send(MAIL)
    assert isinstance(answer, Unclear)
    assert answer.reason


def test_what_botocore_itself_refuses_never_left_us() -> None:
    channel, wire = messaging((200, {}, {"MessageId": "sms-1"}))
    broken = OutgoingSms(to="", content=TEXT.content, message_key="m-1", transactional=False, tags=TAGS)
    assert channel.send(broken) == Refused("ParamValidationError", temporary=False)
    assert wire.requests == []


def test_a_second_message_on_the_same_client_is_a_call_of_its_own() -> None:
    channel, wire = ses(refused_by_ses("TooManyRequestsException", 429), (200, {}, {"MessageId": "ses-2"}))
    assert isinstance(channel.send(MAIL), Refused)
    assert channel.send(MAIL) == Accepted("ses-2")
    assert len(wire.requests) == 2


def test_the_key_of_a_message_appears_in_every_request() -> None:
    channel, wire = ses((200, {}, {"MessageId": "ses-1"}))
    channel.send(MAIL)
    assert {"Name": "message_key", "Value": "m-1"} in json.loads(wire.requests[0].body)["EmailTags"]


def test_there_are_three_kinds_of_answer() -> None:
    assert set(get_args(Answer)) == {Accepted, Refused, Unclear}
