"""Webhook messages: what the receiver gets, what its answers mean, and what an author may write."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from standardwebhooks.webhooks import Webhook as Verifier

from infra.app import synthesize
from tests.fakes.clock import FakeClock
from tests.infra.template import NO_BUNDLING
from waypost.authoring.messages import MessageFolder
from waypost.authoring.problems import Problem
from waypost.channels.answers import Accepted, AddressGone, RefusedForNow, RefusedMessage, RefusedUs, Unclear
from waypost.channels.answers import Answer as OurAnswer
from waypost.channels.contract import Outgoing, ProviderPorts
from waypost.channels.registry import plugin
from waypost.channels.webhook.channel import RenderedWebhook
from waypost.channels.webhook.fake import SIGNING_KEY
from waypost.channels.webhook.provider_standard_webhooks import IN_SECRET, StandardWebhooks, connect
from waypost.contacts.channels import Address, Channel
from waypost.content.forbidden_words import NOTHING_FORBIDDEN
from waypost.content.render import Filler, MessageNotRenderable
from waypost.content.templates import prepared
from waypost.errors import InvalidInput, TemporarilyUnavailable
from waypost.http.ports import ANSWER_LIMIT, Answer, Forbidden, NoAnswer, NotSent, Outcome

NOW = datetime(2027, 3, 1, 2, 5, tzinfo=UTC)
URL = "https://letters.example/messages"


@dataclass
class Call:
    url: str
    body: bytes
    headers: Mapping[str, str]


class OnePoster:
    """A Poster that gives these answers in turn."""

    def __init__(self, *answers: Outcome) -> None:
        self.answers = list(answers)
        self.calls: list[Call] = []

    def get(self, url: str, headers: Mapping[str, str], *, timeout: timedelta, answer_limit: int = 0) -> Outcome:
        pytest.fail(f"{url} is read: {headers}, {timeout}, {answer_limit}")

    def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, timeout: timedelta, answer_limit: int = ANSWER_LIMIT
    ) -> Outcome:
        self.calls.append(Call(url, body, headers))
        return self.answers.pop(0)


class Secret:
    """A secret with this content, or one that cannot be read."""

    def __init__(self, content: Mapping[str, Any] | None) -> None:
        self.content = content

    def read(self) -> Mapping[str, Any]:
        if self.content is None:
            raise TemporarilyUnavailable("Secrets Manager is busy")
        return self.content

    read_again = read


def outgoing(content: Mapping[str, Any] | None = None) -> Outgoing[RenderedWebhook]:
    return Outgoing(
        to=Address(Channel("webhook"), "user_id", "u-1042"),
        content=RenderedWebhook(content or {"text": "你好"}),
        message_key="m-1",
        transactional=False,
        unsubscribe_url="https://links.example/u/1",
        tags={"message_key": "m-1", "contact_id": "c-1", "address": "digest", "journey": "nurture"},
    )


def sent(
    *answers: Outcome, secret: Mapping[str, Any] | None = {"signing_keys": [SIGNING_KEY]}, url: str = URL
) -> tuple[OurAnswer, OnePoster]:
    poster = OnePoster(*answers)
    provider = StandardWebhooks(
        poster=poster,
        secret=Secret(secret),
        url=url,
        clock=FakeClock(NOW.isoformat()),
        real_clock=lambda: datetime.now(UTC),
    )
    return provider.send(outgoing()), poster


def answer(status: int, content: Any = None) -> Answer:
    return Answer(status, body=None if content is None else json.dumps(content).encode())


# --- what the receiver gets ----------------------------------------------------------------------------------------------


def test_the_receiver_gets_the_content_signed_and_named_by_its_key() -> None:
    _, poster = sent(answer(202, {"id": "letter-9"}))
    [call] = poster.calls
    assert (call.url, call.headers["webhook-id"], call.headers["content-type"]) == (URL, "m-1", "application/json")
    assert Verifier(SIGNING_KEY).verify(call.body.decode(), dict(call.headers)) == {
        "type": "message",
        "timestamp": "2027-03-01T02:05:00.000Z",
        "data": {
            "message_key": "m-1",
            "contact_id": "c-1",
            "journey": "nurture",
            "user_id": "u-1042",
            "transactional": False,
            "unsubscribe_url": "https://links.example/u/1",
            "content": {"text": "你好"},
        },
    }


def test_keys_can_be_changed_without_losing_a_message() -> None:
    newer = "whsec_" + "c2VjcmV0IG9mIHRoZSBuZXh0IHF1YXJ0ZXIhIQ=="
    _, poster = sent(answer(200), secret={"signing_keys": [newer, SIGNING_KEY]})
    [call] = poster.calls
    for key in (newer, SIGNING_KEY):
        assert Verifier(key).verify(call.body.decode(), dict(call.headers))


def test_the_address_may_stand_in_the_secret() -> None:
    _, poster = sent(
        answer(200), secret={"signing_keys": SIGNING_KEY, "url": "https://hooks.example/t/0a1b"}, url=IN_SECRET
    )
    assert [call.url for call in poster.calls] == ["https://hooks.example/t/0a1b"]


# --- what it answers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (answer(202, {"id": "letter-9"}), Accepted("letter-9")),
        (answer(204), Accepted("m-1")),
        (answer(200, ["no", "object"]), Accepted("m-1")),
        (answer(200, {"id": "x" * 900}), Accepted("x" * 200)),
        (answer(422, {"code": "unknown_contact"}), AddressGone("unknown_contact", suppression="unregistered")),
        (answer(404, {"code": "unknown_contact"}), AddressGone("unknown_contact", suppression="unregistered")),
        (answer(422, {"code": "content"}), RefusedMessage("http_422")),
        (answer(400), RefusedMessage("http_400")),
        (answer(413), RefusedMessage("http_413")),
        (answer(401), RefusedUs("http_401")),
        (answer(404), RefusedUs("http_404")),
        (answer(410), RefusedUs("http_410")),
        (answer(301), RefusedUs("http_301")),
        (answer(429), RefusedForNow("http_429")),
        (answer(408), RefusedForNow("http_408")),
        (answer(500, {"code": "unknown_contact"}), Unclear("http_500")),
        (answer(503), Unclear("http_503")),
        (NotSent("the host is unknown"), RefusedForNow("the host is unknown")),
        (NoAnswer("no answer within 10 seconds"), Unclear("no answer within 10 seconds")),
        (Forbidden("the host leads to a private address"), RefusedUs("the host leads to a private address")),
    ],
)
def test_what_a_receiver_says_is_what_it_means(outcome: Outcome, expected: OurAnswer) -> None:
    result, poster = sent(outcome)
    assert result == expected
    assert len(poster.calls) == 1


@pytest.mark.parametrize(
    ("secret", "url", "expected"),
    [
        ({}, URL, RefusedUs("no_signing_keys")),
        ({"signing_keys": ["whsec_c2hvcnQ="]}, URL, RefusedUs("no_signing_keys")),
        ({"signing_keys": SIGNING_KEY}, IN_SECRET, RefusedUs("no_url")),
        (None, URL, RefusedForNow("Secrets Manager is busy")),
    ],
)
def test_without_an_address_or_a_key_nothing_leaves(
    secret: Mapping[str, Any] | None, url: str, expected: OurAnswer
) -> None:
    result, poster = sent(secret=secret, url=url)
    assert (result, poster.calls) == (expected, [])


def test_a_deployment_that_names_no_receiver_asks_for_one() -> None:
    clock = FakeClock(NOW.isoformat())
    ports = ProviderPorts(aws=Mock(), secret=Mock(), poster=OnePoster, tokens=Mock(), inbox=Mock(), clock=clock)
    provider = connect({}, ports)
    assert provider.send(outgoing()) == RefusedUs("no_receiver: name it in the choice webhook_url")
    ports.secret.assert_not_called()  # type: ignore[attr-defined]


# --- content -------------------------------------------------------------------------------------------------------------


def filled(content: Any, contact: Mapping[str, Any]) -> Any:
    variables: dict[str, Any] = {name: {} for name in ("event", "journey", "message", "links")} | {"contact": contact}
    templates = {"content": json.dumps(content)}
    return plugin(Channel("webhook")).fill(templates, Filler(prepared(variables), "letter webhook.en")).content


def test_every_text_is_filled_in_and_everything_else_stays() -> None:
    content = {"to": "{{ contact.name }}", "lines": ["Hi {{ contact.name }}", {"n": 2}], "express": True, "note": None}
    assert filled(content, {"name": "Lin"}) == {
        "to": "Lin",
        "lines": ["Hi Lin", {"n": 2}],
        "express": True,
        "note": None,
    }


def test_a_value_with_quotes_adds_no_member() -> None:
    name = 'Lin", "express": true, "x": "'
    assert filled({"to": "{{ contact.name }}", "express": False}, {"name": name}) == {"to": name, "express": False}


def test_what_is_unknown_of_a_contact_is_named() -> None:
    with pytest.raises(MessageNotRenderable, match=r"contact\.name is unknown"):
        filled({"to": "{{ contact.name }}"}, {})


def read(folder: Path, text: str) -> list[Problem]:
    message = folder / "letter"
    message.mkdir()
    (message / "message.yaml").write_text("kind: transactional\ntopic: service\nchannels: [webhook]\n")
    (message / "webhook.en.json").write_text(text, encoding="utf-8")
    published, problems = MessageFolder(message, folder, "en", lambda path: path.name, NOTHING_FORBIDDEN).read()
    assert (published is None) is bool(problems)
    return problems


def test_an_authored_object_is_published(tmp_path: Path) -> None:
    assert read(tmp_path, '{"to": "{{ contact.name | default(\\"you\\") }}", "copies": 2}') == []


@pytest.mark.parametrize(
    ("text", "field", "reason"),
    [
        ("[1]", "", "must be a JSON object"),
        ("{}", "", "must be a JSON object"),
        ('{"a": }', "", "is no JSON: Expecting value in line 1"),
        ('{"a": 1, "a": 2}', "a", "is there twice in one object"),
        ('{"a": NaN}', "", "NaN is no JSON"),
        ('{"a": {"b": ["x", "{{ contact.nme.x | nofilter }}"]}}', "a.b.1", "nofilter"),
        ('{"a": "' + "x" * 70_000 + '"}', "", "at most 65,536 can be sent"),
        ("[" * 100_000, "", "is nested too deeply"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_its_place(tmp_path: Path, text: str, field: str, reason: str) -> None:
    [problem] = read(tmp_path, text)
    assert (problem.file, problem.field) == ("webhook.en.json", field)
    assert reason in problem.reason


# --- in the account ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["http://letters.example", "https://10.0.0.8/x", "https://user:pw@letters.example"])
def test_an_address_that_is_not_posted_to_is_refused_by_name(tmp_path: Path, url: str) -> None:
    with pytest.raises(InvalidInput, match="context webhook_url: should be"):
        synthesize(context={**NO_BUNDLING, "webhook_url": url}, output=tmp_path)


@pytest.mark.parametrize("url", [URL, IN_SECRET])
def test_the_sender_gets_the_secret_of_a_receiver_and_no_secret_without_one(tmp_path: Path, url: str) -> None:
    def secrets(context: Mapping[str, Any], folder: str) -> list[str]:
        synthesize(context={**NO_BUNDLING, **context}, output=tmp_path / folder)
        [template] = (tmp_path / folder).glob("waypost-dev.template.json")
        resources = json.loads(template.read_text(encoding="utf-8"))["Resources"].values()
        return [each["Properties"]["Name"] for each in resources if each["Type"] == "AWS::SecretsManager::Secret"]

    assert "waypost/dev/webhook" in secrets({"webhook_url": url}, "with")
    assert "waypost/dev/webhook" not in secrets({}, "without")
