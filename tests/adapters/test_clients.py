"""Clients are made late and once."""

import os
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ParamValidationError

from waypost.aws import clients
from waypost.aws.json_services.client import JsonClient


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> None:
    """An account, for clients that call nothing."""
    for name, value in {"DEFAULT_REGION": "ap-east-1", "ACCESS_KEY_ID": "none", "SECRET_ACCESS_KEY": "none"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)


def test_a_client_is_made_at_its_first_call_and_only_then(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def make(service: str, _: object) -> type[str]:
        made.append(service)
        return str

    monkeypatch.setattr(clients, "_made", make)

    lazy = clients.client.__wrapped__("scheduler")
    assert made == []

    assert lazy.upper("told") == "TOLD"
    assert made == ["scheduler"]


def test_all_adapters_of_a_service_share_one_client() -> None:
    first, second = clients.client("scheduler"), clients.client("scheduler")

    assert first.meta is second.meta


def test_only_clients_of_providers_make_a_single_attempt() -> None:
    assert clients.client("scheduler").meta.config.retries["total_max_attempts"] > 1
    assert clients.provider_client("sns").meta.config.retries["total_max_attempts"] == 1
    assert (ours := clients.provider_client.__wrapped__("sesv2")).meta.service_name == "sesv2"
    assert (type(ours._client), ours._client._attempts) == (JsonClient, 1)


@pytest.mark.parametrize("service", ["dynamodb", "events", "sqs"])
def test_what_every_event_calls_is_called_without_botocore(service: str) -> None:
    assert isinstance(clients._made(service, clients.client(service)._calls), JsonClient)
    assert not isinstance(clients._made(service, clients.bulk_client(service)._calls), JsonClient)


@pytest.mark.parametrize(
    "environment",
    [
        {"HTTPS_PROXY": "http://proxy.example:3128"},
        {"AWS_USE_FIPS_ENDPOINT": "true"},
        {"AWS_PROFILE": "shop"},
        {"AWS_DEFAULT_REGION": "us-gov-west-1"},
    ],
)
def test_what_only_botocore_can_is_left_to_it(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert clients._lean("dynamodb", clients.client("dynamodb")._calls) is None


def test_the_router_and_the_sender_import_no_botocore_to_get_a_client() -> None:
    code = (
        "import sys\nfrom waypost.aws import clients\n"
        "for each in ('dynamodb', 'sqs', 'events'): clients.client(each).meta\n"
        "print([name for name in ('botocore.session', 'botocore.client', 'boto3') if name in sys.modules])"
    )
    found = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ)
    )

    assert found.stdout.strip() == "[]"


def checks(lazy: clients.LazyClient, operation: str, **request: Any) -> bool:
    """Whether botocore looks at a request of the wrong type before it would be sent; nothing is."""
    lazy.meta.events.register("before-call", lambda **_: (SimpleNamespace(status_code=200), {}))
    try:
        getattr(lazy, operation)(**request)
    except ParamValidationError:
        return True
    return False


def test_only_what_goes_to_the_table_is_not_checked_before_it_is_sent() -> None:
    item = {"TableName": "contacts", "Item": {"pk": {"S": 7}}}

    assert not checks(clients.bulk_client.__wrapped__("dynamodb"), "put_item", **item)
    assert checks(clients.bulk_client.__wrapped__("s3"), "get_object", Bucket="files", Key="")
    assert checks(clients.client.__wrapped__("scheduler"), "get_schedule", Name=7)
