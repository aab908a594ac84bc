"""``waypost contacts rebuild`` and ``waypost destinations``, without a cloud behind them."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from local.commands import destinations, rebuilding
from local.commands.app import app
from local.problems import LocalError
from local.running import background
from tests.contacts.test_rebuilding import World, event

ACCESS = {"endpoint_url": "http://127.0.0.1:9", "contacts_table": "t", "stage": "dev", "outputs": {}}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """A contact in a running system whose city is wrong."""
    world = World()
    contact = world.route(event(1, profile={"city": "Shanghai"}))
    world.clock.advance(hours=1)
    stored = world.contacts[contact.contact_id]
    stored.attributes["city"] = "Beijing"
    world.contacts.items[contact.contact_id] = json.dumps(stored.to_dict())
    monkeypatch.setattr(background, "access", lambda: ACCESS)
    monkeypatch.setattr(rebuilding, "contact_id_of", lambda *_: contact.contact_id)
    monkeypatch.setattr(rebuilding, "_rebuilder", lambda _: world.rebuilder())
    return world


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stdout


def test_a_difference_is_shown_and_is_the_exit_status(world: World) -> None:
    code, shown = run("contacts", "rebuild", "u-1")
    assert code == 1
    assert "Beijing" in shown
    assert "Shanghai" in shown
    assert "--write" in shown


def test_a_repair_is_written_once(world: World) -> None:
    code, shown = run("contacts", "rebuild", "u-1", "--write", "--json")
    assert (code, json.loads(shown)["written"]) == (0, True)
    code, shown = run("contacts", "rebuild", "u-1", "--json")
    assert (code, json.loads(shown)["differences"]) == (0, [])
    assert "is right" in run("contacts", "rebuild", "u-1")[1]


class Secrets:
    """SecretsManagerDestinations with one key."""

    def __init__(self, *_: Any) -> None:
        pass

    def read(self, _name: str) -> dict[str, Any]:
        return {"signing_keys": "a1B2", "url": "https://other.example.com/in"}


class States:
    """DynamoDestinationStates that remembers what was enabled."""

    enabled: list[str] = []  # noqa: RUF012 - shared on purpose, the command makes its own

    def __init__(self, *_: Any) -> None:
        pass

    def disabled_since(self, _name: str, _url: str) -> None:
        return None

    def enable(self, name: str) -> None:
        self.enabled.append(name)


@pytest.fixture
def declared(monkeypatch: pytest.MonkeyPatch) -> None:
    """One declared destination."""
    crm = {"kind": "standard_webhooks", "url": "https://crm.example.com/in", "events": ["order_*"]}
    monkeypatch.setattr(background, "access", lambda: ACCESS)
    monkeypatch.setattr(destinations, "_declared", lambda: {"crm": crm})
    monkeypatch.setattr(destinations, "SecretsManagerDestinations", Secrets)
    monkeypatch.setattr(destinations, "DynamoDestinationStates", States)
    monkeypatch.setattr(destinations, "client", lambda *_: None)


def test_destinations_are_listed_with_the_address_that_counts(declared: None) -> None:
    _, shown = run("destinations", "list", "--json")
    [crm] = json.loads(shown)
    assert (crm["url"], crm["gone_since"]) == ("https://other.example.com/in", None)
    assert "a1B2" not in shown
    assert "crm" in run("destinations", "list")[1]


def test_a_destination_is_enabled_by_its_name(declared: None) -> None:
    assert run("destinations", "enable", "crm")[0] == 0
    assert States.enabled == ["crm"]
    result = CliRunner().invoke(app, ["destinations", "enable", "crn"])
    assert isinstance(result.exception, LocalError)
    assert "did you mean 'crm'" in str(result.exception)
