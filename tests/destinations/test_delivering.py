"""Other systems receive what happened: signed, at least once, and only as long as they want it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_socket
from standardwebhooks import Webhook

from tests.destinations_receiver import ReceiveWebhook, receiving
from tests.fakes.contacts import FakeContacts
from waypost.contacts.profile import Contact
from waypost.destinations import retrying
from waypost.destinations.declared import Destination
from waypost.destinations.deliver_event import Delivered, DeliverEvent, GivenUp, NotWanted, Outcome, TryAgain
from waypost.errors import InvalidInput
from waypost.http.poster import PinnedPoster

NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
KEY = "whsec_" + "a1B2" * 12
OLD_KEY = "whsec_" + "Z9y8" * 12
DETAIL = {
    "contact_id": "c-1",
    "id": "shop:order-7",
    "type": "order_placed",
    "contact": {"user_id": "u-1"},
    "occurred_at": "2026-03-02T03:59:00.000Z",
    "received_at": "2026-03-02T03:59:01.000Z",
    "source": "shop",
    "properties": {"order_id": "o-7", "total": 250, "items": [{"sku": "x"}]},
    "profile": {},
    "correlation_id": "r-1",
}


@dataclass
class FakeStates:
    """DestinationStates in memory."""

    gone: dict[tuple[str, str], datetime] = field(default_factory=dict)

    def disabled_since(self, destination: str, url: str) -> datetime | None:
        return self.gone.get((destination, url))

    def disable(self, destination: str, url: str, *, at: datetime) -> None:
        self.gone[destination, url] = at

    def enable(self, destination: str) -> None:
        self.gone = {place: at for place, at in self.gone.items() if place[0] != destination}


@dataclass
class FakeSecrets:
    """DestinationSecrets in memory."""

    values: dict[str, Mapping[str, Any]]

    def read(self, destination: str) -> Mapping[str, Any]:
        return self.values[destination]


@dataclass
class Scene:
    """A deliverer and what stands around it."""

    receiver: ReceiveWebhook
    states: FakeStates = field(default_factory=FakeStates)
    contacts: FakeContacts = field(default_factory=FakeContacts)
    secret: dict[str, Any] = field(default_factory=lambda: {"signing_keys": [KEY]})
    now: datetime = NOW
    options: dict[str, Any] = field(default_factory=dict)

    def deliver(self, detail: Mapping[str, Any] = DETAIL, *, attempt: int = 1) -> Outcome:
        """One attempt to tell the CRM."""
        given: dict[str, Any] = {
            "kind": "standard_webhooks",
            "url": "https://crm.example.com/in",
            "events": ("order_*",),
        }
        deliverer = DeliverEvent(
            destinations={"crm": Destination("crm", **given | self.options)},
            contacts=self.contacts,
            secrets=FakeSecrets({"crm": {"url": self.receiver.url, **self.secret}}),
            states=self.states,
            poster=PinnedPoster(loopback=True),
            real_clock=lambda: self.now,
        )
        return deliverer.deliver("crm", detail, attempt=attempt)


@pytest.fixture
def scene() -> Iterator[Scene]:
    """A receiver on the loopback, which these tests may reach."""
    pytest_socket.enable_socket()
    with receiving(KEY) as receiver:
        yield Scene(receiver, now=datetime.now(UTC))  # the library that verifies reads the real clock


def test_an_event_is_posted_with_a_signature_that_the_reference_library_accepts(scene: Scene) -> None:
    assert scene.deliver() == Delivered(200)
    [got] = scene.receiver.received
    assert got.genuine
    assert (got.path, got.headers["content-type"]) == ("/hooks", "application/json")
    content = json.loads(got.body)
    assert (content["type"], content["timestamp"]) == ("order_placed", "2026-03-02T03:59:00.000Z")
    assert content["data"] == DETAIL


def test_both_keys_sign_while_they_are_exchanged(scene: Scene) -> None:
    scene.secret = {"signing_keys": [KEY, OLD_KEY]}
    scene.deliver()
    [got] = scene.receiver.received
    for key in (KEY, OLD_KEY):
        assert Webhook(key).verify(got.body, got.headers)


def test_every_attempt_has_the_same_id_and_body_and_a_signature_of_its_own(scene: Scene) -> None:
    scene.receiver.answers = [500, 200]
    assert isinstance(scene.deliver(), TryAgain)
    scene.now += timedelta(seconds=60)
    assert scene.deliver(attempt=2) == Delivered(200)
    first, second = scene.receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert "." not in first.headers["webhook-id"]
    assert first.body == second.body
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]


def test_other_events_and_other_contacts_have_other_ids(scene: Scene) -> None:
    for change in ({}, {"id": "shop:order-8"}, {"contact_id": "c-2"}):
        scene.deliver({**DETAIL, **change})
    assert len(set(scene.receiver.ids)) == 3


@pytest.mark.parametrize("answer", [301, 302, 307, 400, 401, 404, 429, 500, 502, 503, "cut"])
def test_whatever_is_no_success_is_tried_again(scene: Scene, answer: Any) -> None:
    scene.receiver.answers = [
        (answer, {"location": f"{scene.receiver.url}/elsewhere"}) if answer in {301, 302, 307} else answer
    ]
    outcome = scene.deliver()
    assert isinstance(outcome, TryAgain)
    assert timedelta(seconds=4) < outcome.pause < timedelta(seconds=6)
    assert len(scene.receiver.received) == 1, "no redirect is followed, and nothing is repeated behind our back"


@pytest.mark.parametrize("answer", ["slow", "drip"])
def test_a_receiver_that_does_not_answer_in_time_is_tried_again(scene: Scene, answer: str) -> None:
    scene.receiver.answers = [answer]
    scene.options = {"timeout": timedelta(seconds=0.3)}
    outcome = scene.deliver()
    assert isinstance(outcome, TryAgain)
    assert "no answer within" in outcome.reason


def test_a_receiver_that_is_down_is_tried_again(scene: Scene) -> None:
    scene.secret |= {"url": "http://127.0.0.1:9/"}
    outcome = scene.deliver()
    assert isinstance(outcome, TryAgain)


def test_a_receiver_that_asks_for_time_gets_it(scene: Scene) -> None:
    scene.receiver.answers = [(429, {"retry-after": "3600"})]
    outcome = scene.deliver()
    assert isinstance(outcome, TryAgain)
    assert outcome.pause == timedelta(hours=1)


def test_a_receiver_that_is_gone_gets_nothing_more_until_it_is_enabled(scene: Scene) -> None:
    scene.receiver.answers = [410, 200]
    assert isinstance(scene.deliver(), GivenUp)
    assert isinstance(scene.deliver(), GivenUp)
    assert len(scene.receiver.received) == 1
    scene.states.enable("crm")
    assert scene.deliver() == Delivered(200)


def test_a_new_address_is_a_new_receiver(scene: Scene) -> None:
    scene.receiver.answers = [410, 200]
    scene.deliver()
    scene.secret |= {"url": f"{scene.receiver.url}/new"}
    assert scene.deliver() == Delivered(200)


def test_the_last_attempt_is_the_last(scene: Scene) -> None:
    scene.receiver.answers = [500]
    outcome = scene.deliver(attempt=retrying.ATTEMPTS)
    assert isinstance(outcome, GivenUp)
    assert "answered 500" in outcome.reason


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"where": {"property": "total", "at_least": 100}}, True),
        ({"where": {"property": "total", "more_than": 250}}, False),
        (
            {"where": {"any": [{"property": "total", "less_than": 1}, {"property": "order_id", "starts_with": "o-"}]}},
            True,
        ),
        ({"events": ("order_placed",)}, True),
        ({"events": ("lead_*",)}, False),
    ],
)
def test_only_what_the_rule_selects_is_sent(scene: Scene, options: dict[str, Any], wanted: bool) -> None:
    scene.options = options
    assert isinstance(scene.deliver(), Delivered if wanted else NotWanted)


def test_the_payload_has_the_declared_fields_also_those_of_the_profile(scene: Scene) -> None:
    scene.contacts.put(Contact("c-1", NOW, attributes={"email": "u1@example.com"}))
    scene.options = {
        "fields": {
            "order": "properties.order_id",
            "mail": "attributes.email",
            "missing": "attributes.nothing",
            "origin": {"constant": "waypost"},
        }
    }
    scene.deliver()
    data = json.loads(scene.receiver.received[0].body)["data"]
    assert data == {"order": "o-7", "mail": "u1@example.com", "missing": None, "origin": "waypost"}


def test_a_destination_that_is_declared_no_more_gives_up(scene: Scene) -> None:
    deliverer = DeliverEvent(
        destinations={},
        contacts=scene.contacts,
        secrets=FakeSecrets({}),
        states=scene.states,
        poster=PinnedPoster(),
    )
    assert isinstance(deliverer.deliver("crm", DETAIL, attempt=1), GivenUp)


@pytest.mark.parametrize(
    ("detail", "field"),
    [
        ({}, "contact_id"),
        ({"contact_id": "c-1"}, "id"),
        ({**DETAIL, "occurred_at": "now"}, "occurred_at"),
        ({**DETAIL, "contact": None}, "contact"),
        ({**DETAIL, "type": None}, "type"),
    ],
)
def test_what_is_no_event_is_refused(scene: Scene, detail: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        scene.deliver(detail)
    assert caught.value.field == field


def test_a_secret_without_a_key_is_refused(scene: Scene) -> None:
    scene.secret = {}
    with pytest.raises(InvalidInput, match="signing_keys"):
        scene.deliver()


def test_the_attempts_span_three_days_and_come_apart_a_little() -> None:
    pauses = [retrying.pause_after(attempt, "msg_1") for attempt in range(1, retrying.ATTEMPTS)]
    total = sum((pause for pause in pauses if pause is not None), timedelta(0))
    assert timedelta(days=3) < total < timedelta(days=4)
    assert all(pause is not None and pause <= retrying.LONGEST_PAUSE for pause in pauses)
    assert retrying.pause_after(retrying.ATTEMPTS, "msg_1") is None
    assert len({retrying.pause_after(3, f"msg_{number}") for number in range(20)}) > 10
    assert retrying.pause_after(1, "msg_1", retry_after=timedelta(days=9)) == retrying.LONGEST_PAUSE


@pytest.mark.parametrize("asked", [timedelta(hours=12), timedelta(hours=11, minutes=59), timedelta(days=365)])
def test_a_receiver_that_asks_for_half_a_day_is_hidden_for_less_than_a_queue_can(asked: timedelta) -> None:
    pause = retrying.pause_after(2, "msg_1", retry_after=asked)
    assert pause is not None
    assert timedelta(hours=11) < pause <= timedelta(hours=12) - timedelta(seconds=180)  # the function's timeout
