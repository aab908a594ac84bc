"""The OpenAPI document and the Swagger page."""

import gzip
import json
import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest

from functions.receive_webhook import handler
from tests.functions_webhook.gateway import ask, event
from waypost.intake import api_document, segment_spec
from waypost.pages.rendering import integrity


@pytest.fixture(scope="module")
def document() -> Any:
    answer = ask(handler.handle, event("GET", "/openapi.json"))
    assert answer.status == 200
    return answer.json


def references(value: Any) -> Iterator[str]:
    match value:
        case {"$ref": str(reference)}:
            yield reference
        case dict():
            for member in value.values():
                yield from references(member)
        case list():
            for element in value:
                yield from references(element)


def test_every_public_route_is_described_with_body_security_and_answers(document: Any) -> None:
    expected = {f"/v1/{call}" for call in segment_spec.MODELS} | {"/v1/webhooks/{source}"}
    assert set(document["paths"]) == expected
    for path in document["paths"].values():
        operation = path["post"]
        assert operation["requestBody"]["content"]["application/json"]["schema"]
        assert operation["summary"]
        assert {"202", "400", "401", "413", "415", "503"} <= set(operation["responses"])
        assert set(operation["security"][0]) <= set(document["components"]["securitySchemes"])


def test_every_reference_leads_to_a_schema(document: Any) -> None:
    found = set(references(document))
    assert found
    assert {reference.rpartition("/")[2] for reference in found} <= set(document["components"]["schemas"])


def test_the_fields_are_those_that_are_checked(document: Any) -> None:
    schemas = document["components"]["schemas"]
    assert document["openapi"].startswith("3.1")
    assert schemas["Track"]["required"] == ["event"]
    assert {"userId", "anonymousId", "messageId", "sentAt", "context"} <= set(schemas["Track"]["properties"])
    assert schemas["WebhookEvent"]["required"] == ["type", "contact"]
    kinds = [
        choice["allOf"][1]["properties"]["type"]["const"]
        for choice in schemas["Batch"]["properties"]["batch"]["items"]["oneOf"]
    ]
    assert kinds == list(segment_spec.CALLS)


def test_signed_webhooks_need_all_three_headers(document: Any) -> None:
    (needed,) = document["paths"]["/v1/webhooks/{source}"]["post"]["security"]
    schemes = document["components"]["securitySchemes"]
    assert {schemes[name]["name"] for name in needed} == {"webhook-id", "webhook-timestamp", "webhook-signature"}


def test_the_swagger_page_holds_the_document_and_travels_packed(document: Any) -> None:
    answer = ask(handler.handle, event("GET", "/docs", headers={"accept-encoding": "gzip"}))
    page = gzip.decompress(answer.text.encode("latin-1")).decode()
    assert answer.status == 200
    assert "swagger-ui" in page
    assert json.dumps(document["info"]["title"]) in page
    assert len(answer.text) < 1_000_000


def test_the_swagger_page_runs_the_viewer_and_nothing_else(document: Any) -> None:
    described = {**document, "info": {**document["info"], "title": "</script><script>alert(1)</script>"}}
    page = api_document.swagger_page(described)
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    policy = unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1])  # type: ignore[index]
    assert len(scripts) == 2
    assert policy.count("sha256-") == 2
    assert all(integrity(script) in policy for script in scripts)
    assert json.loads(re.search(r'id="document">(.*?)</script>', page, re.DOTALL)[1]) == described  # type: ignore[index]
    around = re.sub(r"(?s)<(script|style)[^>]*>.*?</\1>", "", page)
    assert not re.search(r"<(?:script|link|img|iframe)\b", around)
