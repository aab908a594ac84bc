"""The serve_inbox function over HTTP."""

import json
from typing import Any

import pytest

from functions.serve_inbox import handler
from tests.functions_webhook.gateway import Handle, HttpAnswer, ask, event
from tests.intake.test_serve_inbox import PAGE, World
from waypost.pages.inbox_script import inbox_script

HANDLE: Handle = handler.handle


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    monkeypatch.setattr(handler, "serve_inbox", lambda: world.feed)
    return world


def posted(action: str, **given: Any) -> HttpAnswer:
    body = json.dumps({**PAGE, **given}).encode()
    return ask(HANDLE, event("POST", f"/v1/inbox/{action}", body, {"content-type": "text/plain;charset=UTF-8"}))


def test_a_page_gets_the_inbox_and_nobody_may_keep_it(world: World) -> None:
    answer = posted("list")
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
    assert [each["id"] for each in answer.json["messages"]] == ["m-3", "m-2", "m-1"]


def test_what_a_page_reports_is_in_the_queue_when_it_is_answered(world: World) -> None:
    answer = posted("dismissed", ids=["m-1"])
    assert (answer.status, answer.json) == (200, {"success": True, "noted": 1, "unseen": 2})
    assert [each.detail["act"] for each in world.queue.kept] == ["dismissed"]


@pytest.mark.parametrize(
    ("action", "given", "status"),
    [("list", {"userHash": "0" * 64}, 403), ("list", {"writeKey": "x"}, 401), ("burn", {}, 404), ("seen", {}, 400)],
)
def test_a_refusal_says_why(world: World, action: str, given: dict[str, Any], status: int) -> None:
    answer = posted(action, **given)
    assert (answer.status, answer.json["success"]) == (status, False)
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_service_that_fails_asks_the_page_to_come_again(world: World) -> None:
    world.queue.fails = True
    answer = posted("seen", ids=["m-1"])
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")


def test_the_script_may_stand_on_any_page_and_is_kept_for_an_hour() -> None:
    answer = ask(HANDLE, event("GET", "/v1/inbox.js"))
    assert (answer.status, answer.text) == (200, inbox_script())
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer.headers["Cache-Control"] == "public, max-age=3600"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
