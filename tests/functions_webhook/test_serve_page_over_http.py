"""The serve_page function over HTTP: what people see, in both languages, and what every answer keeps to itself."""

import pytest

from functions.serve_page import handler
from tests.fakes.queue import FakeQueue
from tests.functions_webhook.gateway import HttpAnswer, ask, event
from tests.tracking.test_serve_page import BROWSER, CONFIRM, PREFERENCES, SENT, SURVEY, serving
from waypost.pages.texts import LANGUAGES
from waypost.tracking.page_links import LIVES

FORM = {"content-type": "application/x-www-form-urlencoded", "user-agent": BROWSER}
PAGES = {"confirm": f"/c/{CONFIRM}", "preferences": f"/p/{PREFERENCES}", "survey": f"/s/{SURVEY}/interest"}
EVERY_PAGE = pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> FakeQueue:
    queue = FakeQueue()
    service = serving(queue)
    monkeypatch.setattr(handler, "serve_page", lambda: service)
    return queue


def get(path: str, language: str = "en", method: str = "GET") -> HttpAnswer:
    return ask(handler.handle, event(method, path, headers={"accept-language": language, "user-agent": BROWSER}))


def post(path: str, body: bytes = b"") -> HttpAnswer:
    return ask(handler.handle, event("POST", path, body, FORM))


@EVERY_PAGE
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_looking_at_a_page_changes_nothing(queue: FakeQueue, path: str, method: str) -> None:
    answer = get(path, method=method)
    assert answer.status == 200
    assert queue.sent == []


@EVERY_PAGE
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_speaks_the_readers_language_and_posts_to_itself(queue: FakeQueue, path: str, language: str) -> None:
    page = get(path, language).text
    assert f'<html lang="{language}">' in page
    assert f'<form method="post" action="?lang={language}">' in page
    assert page.count("<label") >= 1
    assert "<script" not in page
    assert " style=" not in page


@EVERY_PAGE
def test_a_page_keeps_its_address_to_itself(queue: FakeQueue, path: str) -> None:
    headers = get(path).headers
    assert (headers["Referrer-Policy"], headers["Cache-Control"]) == ("no-referrer", "no-store")
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "form-action 'self'" in headers["Content-Security-Policy"]
    assert "script" not in headers["Content-Security-Policy"]


def test_the_buttons_do_what_they_say(queue: FakeQueue) -> None:
    assert "You agreed" in post(PAGES["confirm"]).text
    assert "is saved" in post(PAGES["preferences"], b"want=email%2Fnurture&frequency=weekly").text
    assert "Thank you" in post(PAGES["survey"], b"interest=home&q2=weekly&q3=sale").text
    assert [each.type for each in queue.sent] == ["consent_confirmed", "preferences_changed", "survey_answered"]


def test_an_answer_that_is_missing_is_asked_for_with_what_was_chosen(queue: FakeQueue) -> None:
    answer = post(PAGES["survey"], b"interest=home")
    assert answer.status == 400
    assert 'value="home" required checked' in answer.text
    assert "answer every question" in answer.text
    assert queue.sent == []


@pytest.mark.parametrize("path", ["/c/forged", "/p/forged", "/s/forged/interest", f"/s/{SURVEY}/other", "/c/a/b/c"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_link_that_is_not_ours_gets_a_page_and_changes_nothing(queue: FakeQueue, path: str, method: str) -> None:
    answer = get(path) if method == "GET" else post(path)
    assert (answer.status, answer.headers["Content-Type"]) == (400, "text/html; charset=utf-8")
    assert queue.sent == []


@EVERY_PAGE
def test_a_link_that_is_over_gets_a_page_and_changes_nothing(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = FakeQueue()
    late = serving(queue, now=SENT + 2 * max(LIVES.values()))
    monkeypatch.setattr(handler, "serve_page", lambda: late)
    assert (get(path).status, post(path).status) == (410, 410)
    assert "expired" in get(path).text
    assert queue.sent == []


def test_a_landing_page_is_for_everybody(queue: FakeQueue) -> None:
    assert 'href="https://shop.example.com/guide"' in get("/l/welcome").text.replace("&#x2f;", "/")
    assert get("/l/other").status == 404
