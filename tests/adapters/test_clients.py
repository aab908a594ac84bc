"""Clients are made late and once."""

import pytest

from waypost.aws import clients


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
    assert clients.client("dynamodb").meta.config.retries["total_max_attempts"] > 1
    assert clients.provider_client("sesv2").meta.config.retries["total_max_attempts"] == 1
