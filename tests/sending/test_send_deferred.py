"""Messages that waited are sent many at a time: each at most once, with an answer of its own."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.provider import FakeProvider
from tests.fakes.published_journeys import JOURNEY, either, email, journey, published
from tests.fakes.world import World, send_request
from waypost.channels.answers import Accepted, AddressGone, Answer, RefusedForNow, RefusedMessage, RefusedUs, Unclear
from waypost.channels.contract import Outgoing
from waypost.contacts.channels import Channel
from waypost.sending.request import SendRequest

EMAIL, SMS = Channel("email"), Channel("sms")
MESSAGE = "welcome"
READERS = ("c-1", "c-2", "c-3", "c-4", "c-5", "c-6")


class Together(FakeProvider):
    """A provider that takes several messages in one call and answers for each; ``batches`` are the keys of each call."""

    def __init__(self) -> None:
        super().__init__("email")
        self.batches: list[list[str]] = []

    def send_all(self, outgoing: Sequence[Outgoing[Any]]) -> Sequence[Answer]:
        """See Provider."""
        self.batches.append([each.message_key for each in outgoing])
        return super().send_all(outgoing)


@pytest.fixture
def world() -> World:
    return World(
        published=published(journey(messages={MESSAGE: email(MESSAGE), "either": either("either", "sms", "email")}))
    )


@pytest.fixture
def provider(world: World) -> Together:
    provider = Together()
    world.providers[EMAIL] = world.email = provider
    return provider


def requests(world: World, contacts: Sequence[str] = READERS) -> dict[str, SendRequest]:
    """The first deferred attempt of a message to each of these contacts, by an id of the queue."""
    found: dict[str, SendRequest] = {}
    for contact_id in contacts:
        attributes = {
            "email": f"{contact_id}@example.com",
            "phone": f"+86138000000{contact_id[2:]:0>2}",
            "locale": "en",
            "name": "Lin",
        }
        world.have_contact(contact_id, attributes=attributes, identities={"user_id": [contact_id]})
        found[f"q-{contact_id}"] = send_request(world.have_enrolment(contact_id), MESSAGE, state="Welcome")
    return found


def bodies(given: Mapping[str, SendRequest]) -> dict[str, str]:
    return {body_id: json.dumps(request.to_dict()) for body_id, request in given.items()}


def test_what_is_due_at_once_shares_a_call(world: World, provider: Together) -> None:
    given = requests(world)
    sent = world.send_deferred.send(bodies(given))
    assert {result.outcome for result in sent.results.values()} == {"sent"}
    assert provider.batches == [[request.message_key for request in given.values()]]


def test_a_batch_that_comes_again_calls_no_provider(world: World, provider: Together) -> None:
    given = bodies(requests(world))
    first = world.send_deferred.send(given)
    assert world.send_deferred.send(given).results == first.results
    assert len(provider.batches) == 1


def test_one_contact_twice_in_a_batch_is_one_message(world: World, provider: Together) -> None:
    [(body_id, request)] = requests(world, ["c-1"]).items()
    sent = world.send_deferred.send(bodies({body_id: request, "again": request}))
    assert provider.calls[request.message_key] == 1
    assert sent.results[body_id].outcome == "sent"


def test_each_message_has_the_answer_that_was_given_for_it(world: World, provider: Together) -> None:
    given = requests(world)
    provider.answers = [
        Accepted("1"),
        RefusedForNow("ACCOUNT_THROTTLED", pause=timedelta(minutes=1)),
        RefusedMessage("MESSAGE_REJECTED"),
        AddressGone("gone", "hard_bounce"),
        RefusedUs("ACCOUNT_SENDING_PAUSED"),
        Unclear("ReadTimeoutError"),
    ]
    sent = world.send_deferred.send(bodies(given))
    assert [sent.results[body_id].outcome for body_id in given] == [
        "sent", "deferred", "rejected", "rejected", "deferred", "unknown",
    ]  # fmt: skip
    assert sent.account_refusals == 1
    assert sent.outcomes()["deferred"] == 2
    rows = [world.ledger[request.message_key] for request in given.values()]
    assert [row.state for row in rows] == ["accepted", "deferred", "rejected", "rejected", "deferred", "unknown"]


def test_only_what_was_definitely_refused_is_handed_over_again(world: World, provider: Together) -> None:
    given = requests(world, READERS[:3])
    keys = [request.message_key for request in given.values()]
    provider.answers = [Accepted("1"), RefusedForNow("ACCOUNT_THROTTLED"), Unclear("dropped"), Accepted("2")]
    sent = world.send_deferred.send(bodies(given))
    assert provider.batches == [keys, keys[1:2]]
    assert [sent.results[body_id].outcome for body_id in given] == ["sent", "sent", "unknown"]


def test_a_call_without_an_answer_leaves_every_message_unknown(world: World, provider: Together) -> None:
    given = requests(world)
    provider.answers = [Unclear("ReadTimeoutError")] * len(given)
    sent = world.send_deferred.send(bodies(given))
    assert {result.outcome for result in sent.results.values()} == {"unknown"}
    again = world.send_deferred.send(bodies(given))
    assert {result.outcome for result in again.results.values()} == {"unknown"}
    assert len(provider.batches) == 1


def test_a_message_that_fails_holds_up_no_other(world: World, provider: Together) -> None:
    given = bodies(requests(world, READERS[:2]))
    sent = world.send_deferred.send({"broken": "no JSON", "strange": "{}", **given})
    assert set(sent.failed) == {"broken", "strange"}
    assert {result.outcome for result in sent.results.values()} == {"sent"}
    assert len(provider.sent) == 2


def test_channels_are_called_one_by_one(world: World, provider: Together) -> None:
    given = requests(world, READERS[:2])
    other = requests(world, ["c-9"])["q-c-9"]
    by_sms = replace(other, message=f"{JOURNEY}/either")
    sent = world.send_deferred.send(bodies({**given, "by sms": by_sms}))
    assert provider.batches == [[request.message_key for request in given.values()]]
    assert sent.results["by sms"].channel == "sms"
