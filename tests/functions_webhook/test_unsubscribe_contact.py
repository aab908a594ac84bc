"""The unsubscribe_contact function over HTTP."""

import json
from pathlib import Path

import pytest

from functions.unsubscribe_contact import handler
from tests.fakes.queue import FakeQueue
from tests.functions_webhook.conftest import LINK_KEY
from tests.functions_webhook.gateway import HttpAnswer, ask, event
from waypost.tracking.tokens import Unsubscription, sign

ASKED = Unsubscription(contact_id="c-" + "0a" * 12, journey="nurture", message_key="m-1", channel="email")
PATH = f"/u/{sign(ASKED, LINK_KEY)}"
FORM = {"content-type": "application/x-www-form-urlencoded"}


def get(path: str, **headers: str) -> HttpAnswer:
    return ask(
        handler.handle, event("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    )


def post(path: str, body: bytes = b"List-Unsubscribe=One-Click") -> HttpAnswer:
    return ask(handler.handle, event("POST", path, body, FORM))


def test_following_the_link_shows_a_button_and_changes_nothing(unsubscriptions: FakeQueue) -> None:
    answer = get(PATH, accept_language="zh-CN")
    assert answer.status == 200
    assert "退订" in answer.text
    assert '<form method="post"' in answer.text
    assert unsubscriptions.sent == []


def test_a_scanner_of_links_hears_that_the_page_is_there(unsubscriptions: FakeQueue) -> None:
    assert ask(handler.handle, event("HEAD", PATH)).status == 200
    assert ask(handler.handle, event("HEAD", "/u/forged")).status == 400
    assert unsubscriptions.sent == []


@pytest.mark.parametrize("path", ["/u/abc/def", "/u/", "/u/caf\u00e9.\u4e2d/x"])
def test_a_damaged_link_is_answered_with_the_page(unsubscriptions: FakeQueue, path: str) -> None:
    answer = get(path)
    assert (answer.status, answer.headers["Content-Type"]) == (400, "text/html; charset=utf-8")


def test_the_page_keeps_the_token_to_itself(unsubscriptions: FakeQueue) -> None:
    headers = get(PATH).headers
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert (headers["Referrer-Policy"], headers["Cache-Control"]) == ("no-referrer", "no-store")
    assert "script" not in headers["Content-Security-Policy"]


@pytest.mark.parametrize("body", [b"List-Unsubscribe=One-Click", b"confirm=yes", b""])
def test_the_button_and_one_click_unsubscribe_at_once(unsubscriptions: FakeQueue, body: bytes) -> None:
    answer = post(PATH, body)
    assert answer.status == 200
    assert [sent.type for sent in unsubscriptions.sent] == ["unsubscribed"]


def test_the_language_asked_for_wins(unsubscriptions: FakeQueue) -> None:
    assert "Unsubscribe?" in get(f"{PATH}?lang=en", accept_language="zh-CN").text
    assert "退订成功" in post(f"{PATH}?lang=zh-CN").text


@pytest.mark.parametrize("path", ["/u/forged", "/u/a.b", PATH[:-1], "/u/%00", "/u/中文"])
def test_a_forged_link_is_400_and_changes_nothing(unsubscriptions: FakeQueue, path: str) -> None:
    assert get(path).status == post(path).status == 400
    assert unsubscriptions.sent == []


def test_a_broken_queue_asks_to_come_back(unsubscriptions: FakeQueue) -> None:
    unsubscriptions.broken = True
    answer = post(PATH)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "60")
    assert "try again" in answer.text


def test_the_sample_event_is_accepted(unsubscriptions: FakeQueue) -> None:
    sample = json.loads(Path(handler.__file__).with_name("event.json").read_text(encoding="utf-8"))
    answer = ask(handler.handle, sample)
    assert answer.status == 200
    assert "退订成功" in answer.text
    assert len(unsubscriptions.sent) == 1
