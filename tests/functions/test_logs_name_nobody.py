"""Logs, metrics and errors carry ids; never an address, a number or a name (design rule 12)."""

import json
from typing import Any

import pytest

from tests.functions.conftest import Deployment, sample
from waypost.channels.answers import RefusedMessage, Unclear
from waypost.errors import WaypostError

SECRETS = ("lin.mei@example.com", "example.com", "13800000042", "林美", "\\u6797\\u7f8e", "LIN-SECRET")


def story(deployment: Deployment) -> None:
    """Every function is called, with success and without."""
    world = deployment.world
    records = sample("route_events")["Records"]
    deployment.begin()
    deployment.call("route_events")
    deployment.call("send_message")
    deployment.call("record_delivery")
    deployment.call("pause_journey")
    answered = envelope(records, "survey_answered", {"interest": "LIN-SECRET"}, "2026-03-04T03:00:00.000Z")
    world.clock.set("2026-03-04T03:00:00Z")
    deployment.call("route_events", {"Records": [answered]})
    asks = sample("pause_journey") | {"context": sample("close_enrolment")["context"]}
    asks["context"]["State"] = sample("pause_journey")["context"]["State"]
    assert deployment.call("pause_journey", asks)["result"]["event"]["properties"] == {"interest": "LIN-SECRET"}
    for name in ("update_contact", "evaluate_segment"):
        deployment.call(name, sample(name) | {"context": asks["context"]})
    deployment.call("resume_journey")
    deployment.call("sweep_journeys")
    assert deployment.call("close_enrolment")["closed"], "the story has come to its end"


def envelope(records: list[dict[str, Any]], kind: str, properties: dict[str, Any], at: str) -> dict[str, Any]:
    """A message of the queue with another event of the same contact."""
    event = json.loads(records[0]["body"])
    body = event | {"id": f"e-{kind}", "type": kind, "properties": properties, "occurred_at": at, "received_at": at}
    return records[0] | {"messageId": f"message-{kind}", "body": json.dumps(body)}


def assert_nobody_is_named(text: str) -> None:
    for secret in SECRETS:
        assert secret not in text


def test_a_whole_story_names_nobody(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    story(deployment)
    output = deployment.logs.getvalue() + "".join(capsys.readouterr())
    assert_nobody_is_named(output)
    assert '"journeys":' in output, "what moved is in it"
    assert "c-21c9fa0ee133efc0e6794803" in output, "ids are there to find everything by"


@pytest.mark.parametrize("answer", [RefusedMessage("MessageRejected"), Unclear("ReadTimeoutError")])
def test_a_message_that_was_not_sent_names_nobody(deployment: Deployment, answer: Any) -> None:
    deployment.begin()
    deployment.world.email.answers = [answer]
    assert deployment.call("send_message")["outcome"] in {"rejected", "unknown"}
    assert_nobody_is_named(deployment.logs.getvalue())


def test_a_message_that_cannot_be_filled_in_names_the_variable_only(deployment: Deployment) -> None:
    deployment.begin()
    contact_id = sample("send_message")["context"]["Execution"]["Input"]["contact_id"]
    contact = deployment.world.contacts[contact_id]
    del contact.attributes["name"]
    deployment.world.contacts.put(contact)
    assert deployment.call("send_message")["outcome"] == "skipped"
    assert "contact.name" in deployment.logs.getvalue()
    assert_nobody_is_named(deployment.logs.getvalue())


@pytest.mark.parametrize(
    "changes",
    [
        {"contact": {"email": "lin.mei@example.com", "contact_id": "c-nobody"}},
        {"contact": {}},
        {"occurred_at": "lin.mei@example.com"},
        {"contact": None},
        {"contact": "lin.mei@example.com"},
    ],
)
def test_an_event_that_fails_names_nobody(
    deployment: Deployment, changes: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    record = sample("route_events")["Records"][0]
    broken = record | {"body": json.dumps(json.loads(record["body"]) | changes)}
    deployment.call("route_events", {"Records": [broken]})
    assert_nobody_is_named(deployment.logs.getvalue() + "".join(capsys.readouterr()))


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("pause_journey", {"until": {"date": "name", "at": "25:00"}}),
        ("pause_journey", {"until": {"anniversary": "email", "at": "10:61"}}),
        ("send_message", {"message": "unwritten"}),
    ],
)
@pytest.mark.filterwarnings("ignore:No application metrics to publish")
def test_an_error_that_a_journey_sees_names_nobody(deployment: Deployment, name: str, changes: dict[str, Any]) -> None:
    deployment.begin()
    with pytest.raises(WaypostError) as failed:
        deployment.call(name, sample(name) | changes)
    assert_nobody_is_named(str(failed.value) + deployment.logs.getvalue())
