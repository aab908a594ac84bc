"""The follow_link function over HTTP."""

import base64
from typing import Any

import pytest

from functions.follow_link import handler
from tests.fakes.queue import FakeQueue
from tests.fakes.secrets import FakeSecret
from tests.functions_webhook.gateway import Context, Handle, ask, event
from tests.tracking.test_follow_link import LINK, NOW, FakeClicks, Rows
from tests.tracking.test_tracked_links import KEY, MAKER
from waypost.content.link_rewriting import TRAP, Link
from waypost.tracking.follow_link import FollowLink
from waypost.tracking.tracked_links import LIFE

HANDLE: Handle = handler.handle
AGENT = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"}


def path(url: str) -> str:
    return url.removeprefix("https://links.example.com")


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> FakeQueue:
    queue = FakeQueue()
    following = FollowLink(
        secret=FakeSecret({"link_keys": [KEY]}),
        rows=Rows(),
        clicks=FakeClicks(),
        queue=queue,
        clock=lambda: NOW,
        real_clock=lambda: NOW,
    )
    monkeypatch.setattr(handler, "follow_link", lambda: following)
    return queue


def test_a_link_redirects_and_passes_its_address_on_to_nobody(queue: FakeQueue) -> None:
    answer = ask(handler.handle, event("GET", path(MAKER.link(LINK)), headers=AGENT))
    assert answer.status == 302
    assert answer.headers["Location"].startswith("https://shop.example.com/guide?")
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"].startswith("no-store")
    assert [sent.type for sent in queue.sent] == ["message_clicked"]


def test_the_head_of_a_link_redirects_too_and_is_a_program(queue: FakeQueue) -> None:
    assert ask(handler.handle, event("HEAD", path(MAKER.link(LINK)), headers=AGENT)).status == 302
    assert [sent.type for sent in queue.sent] == ["message_scanned"]


def test_the_pixel_is_a_picture(queue: FakeQueue) -> None:
    answer: dict[str, Any] = HANDLE(event("GET", path(MAKER.pixel()), headers=AGENT), Context())
    assert (answer["statusCode"], answer["headers"]["Content-Type"]) == (200, "image/gif")
    assert base64.b64decode(answer["body"]).startswith(b"GIF89a")
    assert [sent.type for sent in queue.sent] == ["message_opened"]


def test_a_forged_pixel_is_a_picture_for_nothing(queue: FakeQueue) -> None:
    answer: dict[str, Any] = HANDLE(event("GET", "/o/forged.token", headers=AGENT), Context())
    assert answer["statusCode"] == 400
    assert queue.sent == []


@pytest.mark.parametrize("bad", ["/r/forged", "/r/a.b", "/r/caf\u00e9.\u4e2d/x", path(MAKER.link(LINK))[:-1]])
def test_a_damaged_link_gets_a_page_and_changes_nothing(queue: FakeQueue, bad: str) -> None:
    answer = ask(handler.handle, event("GET", bad, headers={**AGENT, "accept-language": "zh-CN"}))
    assert (answer.status, answer.headers["Content-Type"]) == (400, "text/html; charset=utf-8")
    assert "链接" in answer.text
    assert queue.sent == []


def test_the_hidden_link_gets_a_page(queue: FakeQueue) -> None:
    answer = ask(handler.handle, event("GET", path(MAKER.link(Link(TRAP, "", ""))), headers=AGENT))
    assert (answer.status, "Location" in answer.headers) == (200, False)


def test_an_old_link_gets_a_page(queue: FakeQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    late = NOW + LIFE
    following = handler.follow_link()
    monkeypatch.setattr(
        handler, "follow_link", lambda: FollowLink(**{**_fields(following), "real_clock": lambda: late})
    )
    assert ask(handler.handle, event("GET", path(MAKER.link(LINK)), headers=AGENT)).status == 410
    assert queue.sent == []


def _fields(following: FollowLink) -> dict[str, Any]:
    return {name: getattr(following, name) for name in FollowLink.__dataclass_fields__}
