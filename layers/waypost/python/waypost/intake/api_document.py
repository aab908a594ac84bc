"""The OpenAPI document and Swagger page of the event API. Called by the receive_webhook function.

Powertools' event handler writes the document out of the routes; the bodies are the pydantic models that check requests,
so the document cannot drift from the code. What only the document needs is imported on the first request for it.
"""

from pathlib import Path
from typing import Any, Final, TypeAlias

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from pydantic import BaseModel

from waypost.intake import segment_spec, webhook_body
from waypost.intake.http_request import MAX_BODY, MAX_EVENT

_TITLE: Final = "Waypost events"
_DESCRIPTION: Final = f"""
Tell Waypost what happened. What of a request can be used is stored durably: 202 says that this is all of it, 200 that
there is something to read, `warnings` for what was left out and `rejected` for the number of items of which no event could
be made; these are kept for an operator. After any other answer nothing was done. A body has at most {MAX_BODY} bytes, an
event at most {MAX_EVENT}. Send JSON uncompressed: a gateway that reads it as text damages gzip. Repeating a request is
harmless: events are known by their ids. Values that stand for a missing identity (`undefined`, `null`, `0`, `guest`,
`[object Object]` …) identify nobody and are left out.

Segment and RudderStack SDKs work with the routes below `/v1/` and a write key, which may identify and track, or a server
key, which may do everything: points, consent, other addresses. They hear 200 instead of 202, because
several of them take only 200 for success.
"""
_Security: TypeAlias = list[dict[str, list[str]]]
_SEGMENT_SECURITY: Final[_Security] = [{"write_key": []}]
_WEBHOOK_SECURITY: Final[_Security] = [{"webhook_id": [], "webhook_timestamp": [], "webhook_signature": []}]


def segment_route(call: str) -> dict[str, Any]:
    """What the document says about a Segment call: arguments for the event handler's ``post``."""
    model = segment_spec.MODELS[call]
    return {
        "summary": (model.__doc__ or "").partition(".")[0],
        "tags": ["Segment HTTP tracking API"],
        "operation_id": call,
        "security": _SEGMENT_SECURITY,
        "responses": {
            200: _accepted("to SDKs that announce themselves, and to everybody where something was left out"),
            202: _accepted(),
            **_refused(400, 401, 413, 415, 503),
        },
        "openapi_extensions": {"requestBody": _body({"$ref": f"#/components/schemas/{model.__name__}"})},
    }


def webhook_route() -> dict[str, Any]:
    """What the document says about signed webhooks: arguments for the event handler's ``post``."""
    either = [{"$ref": f"#/components/schemas/{name}"} for name in ("WebhookEvent", "WebhookEvents")]
    return {
        "summary": "Take in a signed webhook",
        "description": (
            "Signed as standardwebhooks.com says, with one of the secrets of `{source}`. A webhook id that was accepted "
            "before answers 200 and does nothing. It is remembered only after its events are stored, so an attempt that was cut off can "
            "be repeated."
        ),
        "tags": ["Standard Webhooks"],
        "operation_id": "webhook",
        "security": _WEBHOOK_SECURITY,
        "responses": {
            200: _accepted("where something was left out, or the webhook came before"),
            202: _accepted(),
            **_refused(400, 401, 404, 413, 415, 503),
        },
        "openapi_extensions": {"requestBody": _body({"oneOf": either})},
    }


def document(app: APIGatewayHttpResolver, api_url: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document of the routes of ``app``."""
    import json  # noqa: PLC0415 - see the module's docstring

    from aws_lambda_powertools.event_handler.openapi.models import APIKey, APIKeyIn, HTTPBase, Server  # noqa: PLC0415
    from pydantic.json_schema import models_json_schema  # noqa: PLC0415

    header = APIKeyIn.header
    text = app.get_openapi_json_schema(
        title=_TITLE,
        version="1",
        description=_DESCRIPTION.strip(),
        servers=[Server(url=api_url or "/")],
        security_schemes={
            "write_key": HTTPBase(scheme="basic", description="A write key or a server key as user name, no password."),
            "webhook_id": APIKey(name="webhook-id", in_=header, description="The same for every attempt of a webhook."),
            "webhook_timestamp": APIKey(name="webhook-timestamp", in_=header, description="Seconds since 1970."),
            "webhook_signature": APIKey(
                name="webhook-signature",
                in_=header,
                description="`v1,` and the base64 HMAC-SHA256 of `id.timestamp.body`; several are separated by spaces.",
            ),
        },
    )
    described: dict[str, Any] = json.loads(text)
    models: list[type[BaseModel]] = [
        *segment_spec.MODELS.values(),
        webhook_body.WebhookEvent,
        webhook_body.WebhookEvents,
    ]
    _, schemas = models_json_schema(
        [(model, "validation") for model in models], ref_template="#/components/schemas/{model}"
    )
    described["components"]["schemas"] = schemas["$defs"] | _ANSWERS
    described["components"]["schemas"]["Batch"]["properties"]["batch"]["items"] = {
        "oneOf": [_typed(call, model) for call, model in segment_spec.CALLS.items()]
    }
    return described


def _typed(call: str, model: type[BaseModel]) -> dict[str, Any]:
    typed = {"type": "object", "required": ["type"], "properties": {"type": {"const": call}}}
    return {"allOf": [{"$ref": f"#/components/schemas/{model.__name__}"}, typed]}


def swagger_page(described: dict[str, Any]) -> str:
    """The Swagger page of a document: one page that loads nothing from elsewhere and runs nothing but the viewer."""
    from aws_lambda_powertools.event_handler.openapi import swagger_ui  # noqa: PLC0415 - see the module's docstring
    from minijinja import safe  # noqa: PLC0415

    from waypost.pages.rendering import content_policy, integrity, render  # noqa: PLC0415

    folder = Path(swagger_ui.__file__).parent
    viewer = (folder / "swagger-ui-bundle.min.js").read_text(encoding="utf-8")
    return render(
        "api_document",
        language="en",
        document=described,
        scripts=[safe(viewer), safe(_SHOW)],
        swagger_style=safe((folder / "swagger-ui.min.css").read_text(encoding="utf-8")),
        swagger_policy=content_policy(
            style_src="'unsafe-inline'",  # the viewer sets styles of elements that it draws
            script_src=f"{integrity(viewer)} {integrity(_SHOW)}",
            img_src="data:",
            connect_src="'self'",
        ),
    )


_SHOW: Final = """
SwaggerUIBundle({
  spec: JSON.parse(document.getElementById("document").textContent),
  dom_id: "#swagger-ui",
  docExpansion: "list",
  deepLinking: true,
  filter: true,
  layout: "BaseLayout",
  showExtensions: true,
  showCommonExtensions: true,
  presets: [SwaggerUIBundle.presets.apis],
  withCredentials: true,
});
"""
_PROBLEM: Final = {
    "type": "object",
    "required": ["field", "reason"],
    "properties": {
        "field": {"type": "string", "examples": ["batch[3].event"]},
        "reason": {"type": "string", "examples": ["is required"]},
    },
}
_ANSWERS: Final[dict[str, Any]] = {
    "Problem": _PROBLEM,
    "AcceptedAnswer": {
        "type": "object",
        "required": ["success", "accepted"],
        "properties": {
            "success": {"const": True},
            "accepted": {"type": "integer", "description": "How many events are stored."},
            "rejected": {
                "type": "integer",
                "description": "Of how many items no event could be made; absent for none.",
            },
            "warnings": {
                "type": "array",
                "description": "What was left out, and why an item was rejected; the first 200.",
                "items": {"$ref": "#/components/schemas/Problem"},
            },
        },
    },
    "RefusedAnswer": {
        "type": "object",
        "required": ["success", "error", "errors", "code", "message"],
        "properties": {
            "success": {"const": False},
            "error": {"$ref": "#/components/schemas/Problem"},
            "errors": {
                "type": "array",
                "description": "The first 20 problems; the first of them is `error`.",
                "items": {"$ref": "#/components/schemas/Problem"},
            },
            "code": {"type": "string", "examples": ["bad_request"]},
            "message": {"type": "string", "examples": ["batch[3].event: is required"]},
        },
    },
}
_MEANINGS: Final = {
    400: "The request cannot be read; nothing was done.",
    401: "The key or signature is missing or wrong; nothing was done.",
    404: "There can be no such source.",
    413: "The body, or the only event, is too large; nothing was done.",
    415: "The body is not JSON in UTF-8, plain or gzip; nothing was done.",
    503: "The events may not be stored; send the request again after `Retry-After` seconds.",
}


def _accepted(to_whom: str = "") -> dict[str, Any]:
    return _answer(f"What can be used is stored durably{f' ({to_whom})' if to_whom else ''}.", "AcceptedAnswer")


def _refused(*statuses: int) -> dict[int, dict[str, Any]]:
    return {status: _answer(_MEANINGS[status], "RefusedAnswer") for status in statuses}


def _answer(description: str, name: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}},
    }


def _body(schema: dict[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": schema}}}
