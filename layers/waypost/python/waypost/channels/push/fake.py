"""Answers as SNS mobile push does.

Sources: https://docs.aws.amazon.com/sns/latest/api/API_CreatePlatformEndpoint.html,
https://docs.aws.amazon.com/sns/latest/api/API_Publish.html and https://docs.aws.amazon.com/sns/latest/api/CommonErrors.html
"""

import json
import re
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Final, assert_never
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from waypost.channels import fake_contract as contract

_NAMESPACE: Final = "http://sns.amazonaws.com/doc/2010-03-31/"
_APPLE_TOKEN: Final = re.compile(r"[0-9A-Fa-f]{1,400}")
_MOST_BYTES: Final = 4096
_ACCOUNT: Final = "arn:aws:sns:us-east-1:000000000000"


class Sns(contract.FakeProvider):
    """CreatePlatformEndpoint and Publish. It remembers the devices that were registered with it."""

    provider = "sns"
    endpoints = ("AWS_ENDPOINT_URL_SNS",)
    choices: ClassVar[Mapping[str, str]] = {
        "push_application_ios": f"{_ACCOUNT}:app/APNS_SANDBOX/local",
        "push_application_android": f"{_ACCOUNT}:app/GCM/local",
    }
    refusals: ClassVar[frozenset[contract.RefusalKind]] = frozenset(contract.REFUSAL_KINDS)
    words: ClassVar[frozenset[str]] = frozenset()
    fates: ClassVar[Mapping[contract.Fate, str]] = {}

    def __init__(self) -> None:
        self._tokens: dict[str, str] = {}

    def recognises(self, request: contract.HttpRequest) -> bool:
        """See FakeProvider."""
        return b"Version=2010-03-31" in request.body and _form(request).get("Action", "") in {
            "CreatePlatformEndpoint",
            "Publish",
        }

    def answer_aside(self, request: contract.HttpRequest) -> contract.HttpAnswer | None:
        """See FakeProvider: a device is registered. The same token of an application always gets the same endpoint."""
        form = _form(request)
        if form["Action"] != "CreatePlatformEndpoint":
            return None
        application, token = form.get("PlatformApplicationArn", ""), form.get("Token", "")
        if ":app/" not in application:
            return _error(
                400, "InvalidParameter", "Invalid parameter: PlatformApplicationArn Reason: Wrong number of slashes"
            )
        if not token or ("/APNS" in application and not _APPLE_TOKEN.fullmatch(token)):
            return _error(
                400,
                "InvalidParameter",
                "Invalid parameter: Token Reason: iOS device tokens must be no more than 400 hexadecimal characters",
            )
        name = uuid.uuid5(uuid.NAMESPACE_URL, f"{application}/{token}")
        endpoint = f"{application.replace(':app/', ':endpoint/', 1)}/{name}"
        self._tokens[endpoint] = token
        return _result("CreatePlatformEndpoint", f"<EndpointArn>{escape(endpoint)}</EndpointArn>")

    def read(self, request: contract.HttpRequest) -> contract.SentMessage:
        """See FakeProvider."""
        form = _form(request)
        payload = _payload(form)
        if "fcmV1Message" in payload:
            message = payload["fcmV1Message"]["message"]
            alert, tags = message["notification"], {**message["data"]}
            tags.pop("link", None)
        else:
            alert, tags = payload.get("aps", {}).get("alert", {}), payload.get("waypost", {})
        return contract.SentMessage(
            recipient=self._tokens.get(form.get("TargetArn", ""), ""),
            tags=tags,
            content=contract.SentContent(text=alert.get("body", ""), subject=alert.get("title", "")),
            request={**form, "payload": payload},
        )

    def check(self, message: contract.SentMessage) -> None:
        """See FakeProvider."""
        payload = json.dumps(message.request["payload"], ensure_ascii=False)
        problems = {
            "TargetArn Reason: No endpoint found for the target arn specified": not message.recipient,
            "Message Reason: No message for the platform of the endpoint": not message.request["payload"],
            "Message too long": len(payload.encode()) > _MOST_BYTES,
        }
        for reason, is_wrong in problems.items():
            if is_wrong:
                raise contract.RefusedRequestError(_error(400, "InvalidParameter", f"Invalid parameter: {reason}"))

    def accepted(self, message_id: str) -> contract.HttpAnswer:
        """See FakeProvider."""
        return _result("Publish", f"<MessageId>{message_id}</MessageId>")

    def refusal(self, kind: contract.RefusalKind) -> contract.HttpAnswer:
        """See FakeProvider."""
        match kind:
            case "throttle":
                return _error(400, "Throttling", "Rate exceeded")
            case "reject":
                return _error(400, "InvalidParameter", "Invalid parameter: Message too long")
            case "refuse_us":
                return _error(400, "PlatformApplicationDisabled", "Platform application is disabled")
            case "address_gone":
                return _error(400, "EndpointDisabled", "Endpoint is disabled")
            case "error":
                return _error(500, "InternalError", "An internal error occurred")
            case _:
                assert_never(kind)

    def new_id(self) -> str:
        """See FakeProvider."""
        return str(uuid.uuid4())

    def notice(
        self, word: str, message: contract.SentMessage, *, message_id: str, sent_at: datetime, at: datetime
    ) -> Any:
        """See FakeProvider: SNS reports nothing."""
        del message, message_id, sent_at, at
        raise ValueError(f"SNS does not say {word!r}")


def _form(request: contract.HttpRequest) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(request.body.decode()).items()}


def _payload(form: Mapping[str, str]) -> dict[str, Any]:
    """What the platform of the endpoint gets."""
    kind = form.get("TargetArn", "//").split("/")[1]
    payload: dict[str, Any] = json.loads(json.loads(form.get("Message", "{}")).get(kind, "{}"))
    return payload


def _result(action: str, content: str) -> contract.HttpAnswer:
    text = (
        f'<{action}Response xmlns="{_NAMESPACE}"><{action}Result>{content}</{action}Result>'
        f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata></{action}Response>"
    )
    return contract.HttpAnswer(status=200, text=text)


def _error(status: int, code: str, message: str) -> contract.HttpAnswer:
    fault = "Receiver" if status >= 500 else "Sender"
    text = (
        f'<ErrorResponse xmlns="{_NAMESPACE}"><Error><Type>{fault}</Type><Code>{code}</Code>'
        f"<Message>{escape(message)}</Message></Error><RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
    )
    return contract.HttpAnswer(status=status, text=text)


FAKES: Final = (Sns(),)
