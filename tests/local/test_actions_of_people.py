"""What people do at the fakes of providers: the callback that follows is posted to our API as the provider posts it."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from typer.testing import CliRunner

from local.commands.app import app
from local.problems import LocalError
from local.providers.server import Providers, fakes
from local.running import background
from waypost.channels.callback_contract import CallbackAnswer, CallbackRequest
from waypost.channels.fake_contract import FakeProvider, HttpRequest
from waypost.channels.registry import callback_reader
from waypost.clock import real_now
from waypost.contacts.channels import Channel
from waypost.tracking.record_delivery import delivery_events, notices_in

pytestmark = pytest.mark.flow  # for its sockets

WECOM = Channel("wecom")
ACTIONS = [
    (channel, fake, action) for channel, mounted in fakes().items() for fake in mounted for action in fake.actions
]


class Api(HTTPServer):
    """Keeps what is posted to it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Door)
        self.posted: list[HttpRequest] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/stage"


class _Door(BaseHTTPRequestHandler):
    server: Api

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        path = self.path.removeprefix("/stage")
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.posted.append(HttpRequest(method="POST", path=path, headers=headers, body=body))
        self.send_response(200)
        self.send_header("content-length", "7")
        self.end_headers()
        self.wfile.write(b"success")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the name is http.server's
        """Nothing to log."""


@pytest.fixture
def api() -> Iterator[Api]:
    with Api() as api:
        threading.Thread(target=api.serve_forever, daemon=True).start()
        yield api
        api.shutdown()


@pytest.fixture
def published() -> list[str]:
    """What is published to topics of ours."""
    return []


@pytest.fixture
def providers(api: Api, published: list[str]) -> Iterator[Providers]:
    with Providers(publish_to_topic=lambda _, message: published.append(message)) as providers:
        providers.api_url = api.url
        yield providers


def taken(channel: str, fake: FakeProvider, posted: HttpRequest) -> CallbackAnswer:
    """What our reader makes of a callback. Fails for one that it refuses."""
    read, target = callback_reader(channel), urlsplit(posted.path)
    assert read is not None
    assert target.path.startswith(f"/v1/callbacks/{channel}/")
    request = CallbackRequest(
        account=target.path.rpartition("/")[2],
        method=posted.method,
        query={name: values[0] for name, values in parse_qs(target.query).items()},
        body=posted.body,
    )
    answer = read(request, fake.credentials, now=real_now())
    assert isinstance(answer, CallbackAnswer)
    return answer


@pytest.mark.parametrize(("channel", "fake", "action"), ACTIONS, ids=lambda each: str(getattr(each, "provider", each)))
def test_a_callback_of_an_action_is_one_that_our_reader_takes(
    providers: Providers, api: Api, published: list[str], channel: Channel, fake: FakeProvider, action: str
) -> None:
    if fake.actions[action].needs:
        with pytest.raises(ValueError, match=fake.actions[action].needs.removeprefix("a ").partition(" ")[0]):
            providers.perform(channel, action)
        return
    answers = providers.perform(channel, action, times=2)
    assert len(api.posted) == len(answers)
    for posted in api.posted:
        assert taken(channel, fake, posted).unreadable == 0
    for message in published:
        [notice] = notices_in(json.dumps({"Type": "Notification", "Message": message}))
        [event] = delivery_events(notice, clock=real_now)
        assert event.properties["channel"] == channel


def test_a_callback_that_is_posted_again_is_the_same_notice(providers: Providers, api: Api) -> None:
    answers = providers.perform(WECOM, "add-customer", {"state": "shop-7"}, times=3)
    assert [(each.status, each.body) for each in answers] == [(200, b"success")] * 3
    [fake] = fakes()[WECOM]
    notices = [taken("wecom", fake, posted).notices for posted in api.posted]
    assert len({notice.notice_id for [notice] in notices}) == 1
    [notice] = notices[0]
    assert notice.detail["document"]["State"] == "shop-7"


@pytest.mark.parametrize(
    ("channel", "action", "values", "reason"),
    [
        ("wecom", "dance", {}, "nobody can do 'dance'"),
        ("fax", "add-customer", {}, "at fax nobody"),
        ("wecom", "add-customer", {"colour": "red"}, "colour: add-customer takes customer, member, state"),
        ("wecom", "add-customer", {"customer": "lin"}, "external_userid"),
    ],
)
def test_an_action_that_the_provider_does_not_have_is_refused(
    providers: Providers, api: Api, channel: str, action: str, values: dict[str, str], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        providers.perform(Channel(channel), action, values)
    assert api.posted == []


class Control:
    """The control API of a running system."""

    def __init__(self, answer: Any) -> None:
        self.answer, self.asked = answer, list[Any]()

    def __call__(self, method: str, path: str, request: Any = None) -> Any:
        self.asked.append((method, path, request))
        return self.answer


def act(monkeypatch: pytest.MonkeyPatch, answer: Any, *arguments: str) -> tuple[str, list[Any]]:
    control = Control(answer)
    monkeypatch.setattr(background, "control", control)
    result = CliRunner().invoke(app, ["act", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout, control.asked


def test_the_command_posts_and_shows_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ("wecom", "add-customer", "-v", "state=shop-7", "--times", "2")
    shown, asked = act(monkeypatch, [{"status": 200, "body": "success"}], *arguments)
    assert "answered 200 success" in shown
    request = {"channel": "wecom", "action": "add-customer", "values": {"state": "shop-7"}, "times": 2}
    assert asked == [("POST", "/actions", request)]
    assert json.loads(act(monkeypatch, [], *arguments, "--json")[0]) == []
    assert "posts nothing" in act(monkeypatch, [], *arguments)[0]


def test_the_command_shows_what_can_be_done_on_a_channel(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {
        "wecom": {"add-customer": {"summary": "friends", "values": {"state": ""}}},
        "wechat": {"follow": {"summary": "follows", "values": {}}},
    }
    shown, _ = act(monkeypatch, known)
    assert "add-customer" in shown
    assert "follow" in shown
    assert json.loads(act(monkeypatch, known, "wecom", "--json")[0]) == {"wecom": known["wecom"]}


def test_a_value_without_a_name_is_refused() -> None:
    result = CliRunner().invoke(app, ["act", "wecom", "add-customer", "-v", "shop-7"])
    assert isinstance(result.exception, LocalError)
    assert "NAME=VALUE" in str(result.exception)
