"""Push messages: what each platform gets, and what SNS says of a device."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from infra.app import synthesize
from local.providers.server import Providers
from tests.infra.template import NO_BUNDLING
from waypost.aws.clients import provider_client
from waypost.aws.provider_calls import SendingService
from waypost.channels.answers import Accepted, AddressGone, Answer, RefusedForNow, RefusedMessage, RefusedUs
from waypost.channels.calls import ErrorAnswer, FailedCall, NeverSent, NoAnswer
from waypost.channels.contract import Outgoing
from waypost.channels.push.channel import RenderedPush
from waypost.channels.push.provider_sns import Sns
from waypost.contacts.channels import Address, Channel
from waypost.errors import InvalidInput

ACCOUNT = "arn:aws:sns:us-east-1:000000000000"
IOS, ANDROID = f"{ACCOUNT}:app/APNS/shop", f"{ACCOUNT}:app/GCM/shop"
ENDPOINT = f"{ACCOUNT}:endpoint/APNS/shop/1"


def outgoing(platform: str, *, device: str = "ab12", link: str = "shop://new") -> Outgoing[RenderedPush]:
    return Outgoing(
        to=Address(Channel("push"), "push_tokens", device, platform),
        content=RenderedPush(title="New in", text="Tea is here", link=link),
        message_key="m-1",
        transactional=False,
        unsubscribe_url="",
        tags={"message_key": "m-1", "contact_id": "c-1"},
    )


class Scripted:
    """An AWS service that answers the two calls as given."""

    def __init__(self, *answers: Mapping[str, Any] | FailedCall) -> None:
        self.answers = list(answers)
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def call(self, operation: Callable[[Any], Any]) -> Mapping[str, Any] | FailedCall:
        operation(self)
        return self.answers.pop(0)

    def create_platform_endpoint(self, **request: Any) -> None:
        self.calls.append(("create_platform_endpoint", request))

    def publish(self, **request: Any) -> None:
        self.calls.append(("publish", request))


def sent(*answers: Mapping[str, Any] | FailedCall, platform: str = "ios") -> tuple[Answer, Scripted]:
    service = Scripted(*answers)
    return Sns(service, {"ios": IOS, "android": ANDROID}).send(outgoing(platform)), service


# --- over HTTP ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def providers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Providers]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with Providers() as providers:
        for name, url in providers.endpoints.items():
            monkeypatch.setenv(name, url)
        yield providers


@pytest.mark.flow
@pytest.mark.parametrize(("platform", "link"), [("ios", "shop://new"), ("android", "shop://new"), ("iOS", "")])
def test_each_platform_gets_title_text_link_and_key_in_its_own_form(
    providers: Providers, platform: str, link: str
) -> None:
    provider = Sns(SendingService(provider_client.__wrapped__("sns")), {"ios": IOS, "android": ANDROID})
    assert isinstance(provider.send(outgoing(platform, link=link)), Accepted)
    [call] = providers.accepted
    assert (call.recipient, call.content.subject, call.content.text) == ("ab12", "New in", "Tea is here")
    assert call.tags == {"message_key": "m-1", "contact_id": "c-1"}
    payload = call.request["payload"]
    given = payload["fcmV1Message"]["message"]["data"] if platform == "android" else payload
    assert given.get("link", "") == link


@pytest.mark.flow
def test_the_same_device_is_the_same_endpoint_each_time(providers: Providers) -> None:
    provider = Sns(SendingService(provider_client.__wrapped__("sns")), {"ios": IOS})
    for device in ("ab12", "ab12", "cd34"):
        provider.send(outgoing("ios", device=device))
    first, again, other = (call.request["TargetArn"] for call in providers.accepted)
    assert first == again != other


# --- what SNS says -----------------------------------------------------------------------------------------------------


def test_a_message_lives_a_day_on_its_way() -> None:
    for platform, prefix in (("ios", "APNS"), ("android", "FCM")):
        _, service = sent(
            {"EndpointArn": ENDPOINT.replace("APNS", "GCM" if prefix == "FCM" else "APNS")},
            {"MessageId": "1"},
            platform=platform,
        )
        request = service.calls[1][1]
        assert request["MessageAttributes"][f"AWS.SNS.MOBILE.{prefix}.TTL"]["StringValue"] == "86400"
        assert json.loads(request["Message"])["default"] == "Tea is here"


def test_an_endpoint_that_the_app_made_with_attributes_of_its_own_is_used() -> None:
    message = f"Invalid parameter: Token Reason: Endpoint {ENDPOINT} already exists with the same Token, but different attributes."
    answer, service = sent(ErrorAnswer(400, "InvalidParameter", message=message), {"MessageId": "1"})
    assert answer == Accepted("1")
    assert service.calls[1][1]["TargetArn"] == ENDPOINT


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (NoAnswer("ReadTimeoutError"), RefusedForNow("ReadTimeoutError")),
        (ErrorAnswer(500, "InternalError"), RefusedForNow("InternalError")),
        (NeverSent("ConnectTimeoutError", temporary=True), RefusedForNow("ConnectTimeoutError")),
        (ErrorAnswer(400, "Throttling"), RefusedForNow("Throttling")),
        (ErrorAnswer(404, "NotFound"), RefusedUs("NotFound", for_everyone=False)),
        (ErrorAnswer(403, "AuthorizationError"), RefusedUs("AuthorizationError")),
        (
            ErrorAnswer(400, "InvalidParameter", message="PlatformApplicationArn"),
            RefusedUs("InvalidParameter", for_everyone=False),
        ),
        (
            ErrorAnswer(400, "InvalidParameter", message="Invalid parameter: Token Reason: too long"),
            AddressGone("InvalidParameter Token", suppression="unregistered"),
        ),
    ],
)
def test_a_device_that_cannot_be_registered_has_got_nothing_and_so_is_never_unclear(
    failure: FailedCall, expected: Answer
) -> None:
    answer, service = sent(failure)
    assert answer == expected
    assert [name for name, _ in service.calls] == ["create_platform_endpoint"]


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (ErrorAnswer(404, "NotFound"), RefusedForNow("NotFound")),
        (ErrorAnswer(400, "EndpointDisabled"), AddressGone("EndpointDisabled", suppression="unregistered")),
        (ErrorAnswer(400, "PlatformApplicationDisabled"), RefusedUs("PlatformApplicationDisabled", for_everyone=False)),
        (ErrorAnswer(400, "InvalidParameter", message="Message too long"), RefusedMessage("InvalidParameter")),
    ],
)
def test_what_sns_says_of_a_message_is_what_it_means(failure: FailedCall, expected: Answer) -> None:
    assert sent({"EndpointArn": ENDPOINT}, failure)[0] == expected


def test_a_platform_without_an_application_asks_for_one_and_an_unknown_one_is_refused() -> None:
    provider = Sns(Scripted(), {"ios": "", "android": ANDROID})
    assert provider.send(outgoing("ios")) == RefusedUs("no_application_for_ios", for_everyone=False)
    assert provider.send(outgoing("watch")) == RefusedMessage("unknown_platform")


# --- in the account ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["push_application_ios", "push_application_android"])
def test_the_arn_of_something_else_is_refused_by_name(tmp_path: Path, key: str) -> None:
    with pytest.raises(InvalidInput, match=f"context {key}: must be the ARN of an SNS platform application"):
        synthesize(context={**NO_BUNDLING, key: f"{ACCOUNT}:alarms"}, output=tmp_path)
