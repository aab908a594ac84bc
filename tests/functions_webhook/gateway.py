"""The HTTP API in front of the functions, as a test sees it. Used by the function tests."""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

Handle = Callable[[dict[str, Any], Any], dict[str, Any]]


class Context:
    """What Lambda tells a function of itself."""

    function_name = "waypost-dev-receive-webhook"
    memory_limit_in_mb = 256
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:waypost-dev-receive-webhook"
    aws_request_id = "0a0b0c0d-0000-4000-8000-000000000000"


@dataclass(frozen=True)
class HttpAnswer:
    """What the client sees."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


def event(
    method: str,
    path: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    *,
    encoded: bool | None = None,
) -> dict[str, Any]:
    """The event of payload format 2.0; like the real gateway, text travels as text and everything else in base64."""
    named = {name.lower(): value for name, value in (headers or {}).items()}
    path, _, query = path.partition("?")
    media_type = named.get("content-type", "").partition(";")[0]
    as_base64 = not media_type.startswith("text/") and media_type != "application/json" if encoded is None else encoded
    made: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": named,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api",
            "domainName": "api.execute-api.eu-west-1.amazonaws.com",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": "",
            },
            "requestId": "req-1",
            "routeKey": "$default",
            "stage": "$default",
            "time": "02/Mar/2026:04:00:00 +0000",
            "timeEpoch": 1772424000000,
        },
        "isBase64Encoded": bool(body) and as_base64,
    }
    if query:
        made["queryStringParameters"] = dict(parse_qsl(query, keep_blank_values=True))
    if body:
        made["body"] = base64.b64encode(body).decode() if as_base64 else body.decode("utf-8", "replace")
    return made


def ask(handle: Handle, made: dict[str, Any]) -> HttpAnswer:
    """Call the function and read its answer as the gateway would."""
    answer = handle(made, Context())
    body = answer["body"]
    text = base64.b64decode(body).decode("latin-1") if answer["isBase64Encoded"] else body
    return HttpAnswer(answer["statusCode"], answer.get("headers", {}), text or "")
