"""Push messages through SNS, to an app of Apple's platforms and one of Android's.

A device is an endpoint of the app's platform application; SNS gives the same endpoint for the same token. Sources:
https://docs.aws.amazon.com/sns/latest/api/API_CreatePlatformEndpoint.html,
https://docs.aws.amazon.com/sns/latest/api/API_Publish.html and
https://docs.aws.amazon.com/sns/latest/dg/sns-send-custom-platform-specific-payloads-mobile-devices.html
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from waypost.channels.answers import Accepted, AddressGone, Answer, RefusedForNow, RefusedMessage, RefusedUs, Unclear
from waypost.channels.calls import AwsService, ErrorAnswer, FailedCall, answer_to
from waypost.channels.contract import Outgoing, Provider, ProviderPorts
from waypost.channels.push.channel import RenderedPush

PLATFORMS: Final = ("ios", "android")
"""The platforms of devices that an app can be named for, as Segment's SDKs spell them in ``context.device.type``."""

_SECONDS_TO_LIVE: Final = "86400"
"""How long Apple and Firebase keep a message for a device that is off; without it four weeks."""
_KNOWN_ENDPOINT: Final = re.compile(r"Endpoint (arn:\S+) already exists with the same token", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sns(Provider[RenderedPush]):
    """SNS mobile push. ``applications``: platform → ARN of the platform application."""

    service: AwsService
    applications: Mapping[str, str]

    def send(self, outgoing: Outgoing[RenderedPush]) -> Answer:
        """See Provider. The message key is part of the payload, so that the app can say which message was opened."""
        platform = outgoing.to.qualifier.lower()
        if platform not in PLATFORMS:
            return RefusedMessage("unknown_platform")
        application = self.applications.get(platform, "")
        if not application:
            return RefusedUs(f"no_application_for_{platform}", for_everyone=False)
        endpoint = self._endpoint(application, outgoing.to.text)
        if not isinstance(endpoint, str):
            return endpoint
        kind = application.split("/")[1]
        answer = self.service.call(
            lambda client: client.publish(
                TargetArn=endpoint,
                MessageStructure="json",
                Message=json.dumps(_payloads(kind, outgoing), ensure_ascii=False),
                MessageAttributes=_attributes(kind),
            )
        )
        if isinstance(answer, Mapping):
            return Accepted(answer["MessageId"])
        return answer_to(answer, known=_known)

    def _endpoint(self, application: str, token: str) -> str | Answer:
        """The ARN of the device's endpoint, which is made unless it is there; or why there is none."""
        answer = self.service.call(
            lambda client: client.create_platform_endpoint(PlatformApplicationArn=application, Token=token)
        )
        if isinstance(answer, Mapping):
            return str(answer["EndpointArn"])
        # an endpoint that the app's own server made, with attributes of its own, is named in the refusal
        if isinstance(answer, ErrorAnswer) and (known := _KNOWN_ENDPOINT.search(answer.message)):
            return known[1]
        return _without_a_message(answer)


def _without_a_message(failure: FailedCall) -> Answer:
    """What a failed registration says. No message was handed over, so what is unclear may be repeated."""
    answer = answer_to(failure, known=_known_of_registration)
    return RefusedForNow(answer.reason) if isinstance(answer, Unclear) else answer


def _known_of_registration(error: ErrorAnswer) -> Answer | None:
    match error.code:
        case "InvalidParameter" if "Token" in error.message:
            return AddressGone("InvalidParameter Token", suppression="unregistered")
        case "InvalidParameter" | "NotFound" | "PlatformApplicationDisabled":
            return RefusedUs(error.code, for_everyone=False)
        case _:
            return _known(error)


def _known(error: ErrorAnswer) -> Answer | None:
    match error.code:
        case "EndpointDisabled":
            return AddressGone(error.code, suppression="unregistered")
        case "NotFound":  # deleted since it was asked for: the next attempt makes it again
            return RefusedForNow(error.code)
        case "PlatformApplicationDisabled":  # of this platform; those of the other one go out
            return RefusedUs(error.code, for_everyone=False)
        case "AuthorizationError":
            return RefusedUs(error.code)
        case _:
            return None


def _payloads(kind: str, outgoing: Outgoing[RenderedPush]) -> dict[str, str]:
    """The message by platform, as SNS takes it: JSON texts within JSON."""
    content, tags = outgoing.content, dict(outgoing.tags)
    extra: dict[str, Any] = {"link": content.link} if content.link else {}
    if kind == "GCM":
        shown = {"title": content.title, "body": content.text}
        message: dict[str, Any] = {"fcmV1Message": {"message": {"notification": shown, "data": {**tags, **extra}}}}
    else:
        alert = {"title": content.title, "body": content.text}
        message = {"aps": {"alert": alert, "sound": "default"}, "waypost": tags, **extra}
    return {"default": content.text, kind: json.dumps(message, ensure_ascii=False)}


def _attributes(kind: str) -> dict[str, dict[str, str]]:
    values = {f"AWS.SNS.MOBILE.{'FCM' if kind == 'GCM' else kind}.TTL": _SECONDS_TO_LIVE}
    if kind != "GCM":
        values["AWS.SNS.MOBILE.APNS.PUSH_TYPE"] = "alert"
    return {name: {"DataType": "String", "StringValue": value} for name, value in values.items()}


def connect(settings: Mapping[str, str], ports: ProviderPorts) -> Sns:
    """The provider, from the settings ``application_ios`` and ``application_android``, which may be empty."""
    return Sns(ports.aws("sns"), {platform: settings.get(f"application_{platform}", "") for platform in PLATFORMS})
