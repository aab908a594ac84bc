"""Mail and SMS over the clients of the functions, ours and botocore's: what is sent, and what every kind of failure means."""

import json
from collections.abc import Iterator
from dataclasses import replace
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

from tests.adapters.botocore_model import model
from tests.adapters.wire import Wire
from waypost.aws import clients
from waypost.aws.provider_calls import SendingService
from waypost.channels.answers import Accepted, AddressGone, Answer, RefusedForNow, RefusedMessage, RefusedUs, Unclear
from waypost.channels.calls import NO_ACCESS
from waypost.channels.contract import Outgoing
from waypost.channels.email.channel import RenderedEmail
from waypost.channels.email.provider_ses import Ses
from waypost.channels.sms.channel import RenderedSms
from waypost.channels.sms.provider_end_user_messaging import EndUserMessaging
from waypost.contacts.channels import Address, Channel

URL = "https://provider.example"
TAGS = {"message_key": "m-1", "contact_id": "c-1", "journey": "nurture"}
HEADERS = {"List-Unsubscribe": "<https://links.example/u/1>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
MAIL = Outgoing(
    to=Address(Channel("email"), "email", "lin@example.com"),
    content=RenderedEmail(subject="你好", html="<p>你好</p>", text="你好"),
    message_key="m-1",
    transactional=False,
    unsubscribe_url="https://links.example/u/1",
    tags=TAGS,
)
TEXT = Outgoing(
    to=Address(Channel("sms"), "phone", "+8613800000001"),
    content=RenderedSms(text="你好"),
    message_key="m-1",
    transactional=False,
    unsubscribe_url="https://links.example/u/1",
    tags=TAGS,
)


@pytest.fixture(scope="module", autouse=True)
def account() -> Iterator[None]:
    """An account, for clients that reach nobody."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_DEFAULT_REGION", "ap-east-1")
        environment.setenv("AWS_ACCESS_KEY_ID", "testing")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        yield


@pytest.fixture(params=[True, False], ids=["ours", "botocore"], autouse=True)
def _lean(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have clients of ours; behind a proxy, for example, they are botocore's, and every test holds of both."""
    monkeypatch.setattr(clients, "_OF_PROVIDERS", replace(clients._OF_PROVIDERS, lean=request.param))


@cache
def wired(service: str, calls: clients.Calls) -> tuple[Any, Wire]:
    """The client of a provider, as the functions make it, and its wire."""
    client = clients._made(service, calls)
    return client, Wire(client)


def ses(*answers: Any) -> tuple[Ses, Wire]:
    client, wire = wired("sesv2", clients._OF_PROVIDERS)
    return Ses(
        SendingService(client), "Waypost <hello@example.com>", ("help@example.com",), "waypost-dev"
    ), wire.will_answer(*answers)


def messaging(*answers: Any, origination: str = "") -> tuple[EndUserMessaging, Wire]:
    client, wire = wired("pinpoint-sms-voice-v2", clients._OF_PROVIDERS)
    return EndUserMessaging(SendingService(client), origination), wire.will_answer(*answers)


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
        "EmailTags": [
            *({"Name": name, "Value": value} for name, value in TAGS.items()),
            {"Name": "ses:feedback-id-a", "Value": "nurture"},
            {"Name": "ses:feedback-id-b", "Value": "marketing"},
        ],
        "ConfigurationSetName": "waypost-dev",
        "ReplyToAddresses": ["help@example.com"],
    }


@pytest.mark.parametrize(("transactional", "kind"), [(True, "TRANSACTIONAL"), (False, "PROMOTIONAL")])
def test_an_sms_carries_its_key_as_context(transactional: bool, kind: str) -> None:
    channel, wire = messaging((200, {}, {"MessageId": "sms-1"}), origination="WAYPOST")
    assert channel.send(replace(TEXT, transactional=transactional)) == Accepted("sms-1")
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
    ("TooManyRequestsException", 429, RefusedForNow("TooManyRequestsException")),
    ("LimitExceededException", 400, RefusedForNow("LimitExceededException")),
    ("ThrottlingException", 400, RefusedForNow("ThrottlingException")),
    ("AnythingElse", 429, RefusedForNow("AnythingElse")),
    ("MessageRejected", 400, RefusedMessage("MessageRejected")),
    ("MailFromDomainNotVerifiedException", 400, RefusedUs("MailFromDomainNotVerifiedException")),
    ("AccountSuspendedException", 400, RefusedUs("AccountSuspendedException")),
    ("SendingPausedException", 400, RefusedUs("SendingPausedException")),
    ("SignatureDoesNotMatch", 403, RefusedUs("SignatureDoesNotMatch")),
    ("BadRequestException", 400, RefusedMessage("BadRequestException")),
    ("AccessDeniedException", 403, RefusedUs("AccessDeniedException")),
    ("NotFoundException", 404, RefusedUs("NotFoundException")),
    ("InternalServiceErrorException", 500, Unclear("InternalServiceErrorException")),
    ("ServiceUnavailable", 503, Unclear("ServiceUnavailable")),
]
UNDECLARED_REFUSALS = [
    ("ConflictException", 409, RefusedForNow("ConflictException")),
    ("ConcurrentModificationException", 400, RefusedForNow("ConcurrentModificationException")),
    ("RequestLimitExceeded", 400, RefusedForNow("RequestLimitExceeded")),
    ("SlowDown", 400, RefusedForNow("SlowDown")),
    ("DailyQuotaExceededException", 400, RefusedUs("DailyQuotaExceededException")),
    ("PaymentRequired", 402, RefusedUs("PaymentRequired")),
    ("SomethingNew", 401, RefusedUs("SomethingNew")),
    ("RequestTimeout", 400, Unclear("RequestTimeout")),
]
SMS_REFUSALS = [
    ("ThrottlingException", 400, RefusedForNow("ThrottlingException")),
    ("ServiceQuotaExceededException", 400, RefusedUs("ServiceQuotaExceededException")),
    ("AccessDeniedException", 400, RefusedUs("AccessDeniedException")),
    ("ResourceNotFoundException", 400, RefusedUs("ResourceNotFoundException")),
    ("ValidationException", 400, RefusedMessage("ValidationException")),
    ("ConflictException", 400, RefusedMessage("ConflictException")),
    ("InternalServerException", 500, Unclear("InternalServerException")),
]
BROKEN = [
    (ConnectTimeoutError(endpoint_url=URL), RefusedForNow("ConnectTimeoutError")),
    (EndpointConnectionError(endpoint_url=URL), RefusedForNow("EndpointConnectionError")),
    (ReadTimeoutError(endpoint_url=URL), Unclear("ReadTimeoutError")),
    (ConnectionClosedError(endpoint_url=URL), Unclear("ConnectionClosedError")),
    (SSLError(endpoint_url=URL, error="broken"), Unclear("SSLError")),
    (ProxyConnectionError(proxy_url=URL), Unclear("ProxyConnectionError")),
]


@pytest.mark.parametrize(("code", "status", "answer"), [*SES_REFUSALS, *UNDECLARED_REFUSALS])
def test_what_ses_answers_is_asked_for_once(code: str, status: int, answer: Answer) -> None:
    channel, wire = ses(refused_by_ses(code, status))
    assert channel.send(MAIL) == answer
    assert len(wire.requests) == 1


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        ("Email address is not verified. The following identities failed the check: a@b.example", "NOT_VERIFIED"),
        ("Email address not verified: a@b.example", "NOT_VERIFIED"),
        ("Sending suspended for this account. For more information, check the inbox", "SUSPENDED"),
        ("Sending paused for this account.", "SUSPENDED"),
        ("Your account's ability to send email has been disabled.", "SUSPENDED"),
    ],
)
def test_a_mail_that_is_rejected_because_of_the_account_refuses_us_and_names_no_address(
    message: str, answer: str
) -> None:
    channel, _ = ses((400, {"x-amzn-ErrorType": "MessageRejected"}, {"message": message}))
    expected = RefusedUs(f"MessageRejected {answer}", for_everyone=answer == "SUSPENDED")
    assert channel.send(MAIL) == expected


@pytest.mark.parametrize(
    ("code", "status"),
    [("TooManyRequestsException", 429), ("ThrottlingException", 400), ("LimitExceededException", 400)],
)
def test_a_daily_quota_that_is_used_up_refuses_us_and_a_rate_refuses_for_now(code: str, status: int) -> None:
    for message, answer in {
        "Daily message quota exceeded.": RefusedUs(f"{code} DAILY_QUOTA"),
        "Maximum sending rate exceeded.": RefusedForNow(code),
    }.items():
        channel, _ = ses((status, {"x-amzn-ErrorType": code}, {"message": message}))
        assert channel.send(MAIL) == answer


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
    client, wire = wired("pinpoint-sms-voice-v2", replace(clients._OF_PROVIDERS, lean=False))
    channel = EndUserMessaging(SendingService(client), "")
    wire.will_answer((200, {}, {"MessageId": "sms-1"}))
    assert channel.send(replace(TEXT, to=replace(TEXT.to, text=""))) == RefusedMessage("ParamValidationError")
    assert wire.requests == []


def test_a_second_message_on_the_same_client_is_a_call_of_its_own() -> None:
    channel, wire = ses(refused_by_ses("TooManyRequestsException", 429), (200, {}, {"MessageId": "ses-2"}))
    assert isinstance(channel.send(MAIL), RefusedForNow)
    assert channel.send(MAIL) == Accepted("ses-2")
    assert len(wire.requests) == 2


def test_the_key_of_a_message_appears_in_every_request() -> None:
    channel, wire = ses((200, {}, {"MessageId": "ses-1"}))
    channel.send(MAIL)
    assert {"Name": "message_key", "Value": "m-1"} in json.loads(wire.requests[0].body)["EmailTags"]


@pytest.mark.parametrize(
    ("code", "reason", "answer"),
    [
        ("ConflictException", "DESTINATION_PHONE_NUMBER_OPTED_OUT", AddressGone),
        ("ConflictException", "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION", RefusedMessage),
        ("ConflictException", "NO_ORIGINATION_IDENTITIES_FOUND", RefusedUs),
        ("ConflictException", "DESTINATION_PHONE_NUMBER_NOT_VERIFIED", RefusedUs),
        ("ConflictException", "NUMBER_CAPABILITIES_MISMATCH", RefusedUs),
        ("ConflictException", "MESSAGE_TYPE_MISMATCH", RefusedUs),
        ("ConflictException", "RESOURCE_NOT_ACTIVE", RefusedUs),
        ("ValidationException", "SENDER_ID_NOT_REGISTERED", RefusedUs),
        ("ValidationException", "INVALID_ARN", RefusedUs),
        ("ValidationException", "INVALID_IDENTITY_FOR_DESTINATION_COUNTRY", RefusedUs),
        ("ValidationException", "INTERNATIONAL_SENDING_NOT_SUPPORTED", RefusedUs),
        ("ValidationException", "SENDER_ID_NOT_SUPPORTED", RefusedUs),
        ("ValidationException", "COUNTRY_NOT_ENABLED", RefusedUs),
        ("ConflictException", "REGISTRATION_NOT_COMPLETE", RefusedUs),
        ("ValidationException", "CHANNEL_NOT_ENABLED", RefusedUs),
        ("ValidationException", "DESTINATION_COUNTRY_BLOCKED", RefusedMessage),
        ("ValidationException", "MAXIMUM_SIZE_EXCEEDED", RefusedMessage),
        ("AccessDeniedException", "INSUFFICIENT_ACCOUNT_REPUTATION", RefusedUs),
        ("ServiceQuotaExceededException", "", RefusedUs),
        ("ValidationException", "PRICE_OVER_THRESHOLD", RefusedMessage),
        ("ServiceQuotaExceededException", "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT", RefusedUs),
        ("AccessDeniedException", "ACCOUNT_DISABLED", RefusedUs),
        ("ResourceNotFoundException", "", RefusedUs),
    ],
)
def test_the_reason_of_end_user_messaging_says_whom_it_refuses(code: str, reason: str, answer: type[Answer]) -> None:
    channel, _ = messaging((400, {}, {"__type": code, "Message": "no", "Reason": reason}))
    found = channel.send(TEXT)
    assert type(found) is answer
    assert getattr(found, "reason", "") == f"{code} {reason}".strip()


def test_a_transactional_mail_has_no_unsubscribe_headers() -> None:
    channel, wire = ses((200, {}, {"MessageId": "ses-1"}))
    channel.send(replace(MAIL, transactional=True))
    assert wire.sent["Content"]["Simple"]["Headers"] == []


DECLARED = [
    *(
        ("sesv2", "SendEmail", code)
        for code, _, _ in SES_REFUSALS
        if code not in {"AnythingElse", "ServiceUnavailable"}
    ),
    *(("pinpoint-sms-voice-v2", "SendTextMessage", code) for code, _, _ in SMS_REFUSALS),
]
OF_EVERY_SERVICE = NO_ACCESS | {"ThrottlingException", "InternalServiceErrorException"}


@pytest.mark.parametrize(("service", "operation", "code"), DECLARED)
def test_every_code_that_has_a_meaning_is_declared_by_the_operation(service: str, operation: str, code: str) -> None:
    declared = {shape.name for shape in model(service).operation_model(operation).error_shapes}
    assert code in declared | OF_EVERY_SERVICE


def test_there_are_six_kinds_of_answer() -> None:
    assert set(get_args(Answer)) == {Accepted, RefusedForNow, RefusedMessage, AddressGone, RefusedUs, Unclear}
