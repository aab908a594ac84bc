"""The page on which a member decides: what it shows, what a button does, in both languages and without a script."""

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from functions.decide_approval import handler
from local.messages.chromium import DESKTOP, PHONE, Chromium
from tests.approvals.test_publish_message import NOTICE
from tests.fakes.published_journeys import JOURNEY, email, journey, published
from tests.fakes.staff import directory
from tests.fakes.world import World
from tests.functions.conftest import LambdaContext, sample

MESSAGE = f"{JOURNEY}/welcome"
WORDS = {
    "subject": "Spring is here",
    "html": '<html lang="en"><body style="color: green"><h1>Spring</h1><script>1</script><a href="{{ links.unsubscribe }}">x</a></body></html>',
    "text": "Spring <is> here {{ links.unsubscribe }}",
}
WINTER = {**WORDS, "subject": "Winter is here"}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    given, notices = (
        published(
            journey(messages={"welcome": {**email("welcome"), "variants": {"email": {"zh-CN": WINTER, "en": WINTER}}}})
        ),
        published(journey("notices", messages={"approval-requested": NOTICE})),
    )
    made = World(
        published=replace(given, messages={**given.messages, **notices.messages}),
        staff=directory("lin.chen", "wei.zhang", locale="en"),
    )
    content = {**email("welcome"), "variants": {"email": {"zh-CN": WORDS, "en": WORDS}}}
    made.files.write("library/inbox/1.json", json.dumps(content).encode())
    request = {
        "action": "publish",
        "message": MESSAGE,
        "file": "library/inbox/1.json",
        "by": "lin.chen",
        "note": "<b>Spring</b>",
    }
    made.publish_message.act({**request, "approver": "wei.zhang"})
    monkeypatch.setattr(handler, "decide_approval", lambda: made.decide_approval)
    monkeypatch.setattr(handler, "clock", lambda: made.clock)
    return made


def call(
    world: World, method: str = "GET", token: str = "", view: str = "", lang: str = "en", body: str = ""
) -> dict[str, Any]:
    token = token or str(world.email.sent[-1].content.text).rpartition("/a/")[2]
    event = sample("decide_approval")
    path = f"/a/{token}" + (f"/{view}" if view else "")
    event["rawPath"] = event["requestContext"]["http"]["path"] = path
    event["requestContext"]["http"]["method"] = method
    event["queryStringParameters"] = {"lang": lang}
    event["body"] = base64.b64encode(body.encode()).decode()
    answer: dict[str, Any] = handler.handle(event, LambdaContext())  # type: ignore[arg-type]
    return answer


def header(answer: Mapping[str, Any], name: str) -> str:
    return str(answer["headers"].get(name) or answer["headers"].get(name.lower()))


class Form(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.buttons: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        if tag == "input":
            self.fields[str(given["name"])] = str(given["value"])
        if tag == "button":
            self.buttons.append(str(given["value"]))


def form(answer: Mapping[str, Any]) -> Form:
    found = Form()
    found.feed(answer["body"])
    return found


def test_the_page_shows_what_is_approved_and_decides_nothing(world: World) -> None:
    answer = call(world)
    assert answer["statusCode"] == 200
    for shown in (
        MESSAGE,
        "lin.chen",
        "Spring is here",
        "<b>Spring",
        "Spring <is> here",
        "email.en",
        "email.zh-CN",
    ):
        assert shown in unescape(answer["body"]), shown
    assert "<b>" not in answer["body"]
    assert form(answer).buttons == ["approved", "rejected"]
    assert "script" not in form(answer).tags
    policy = header(answer, "Content-Security-Policy")
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert header(answer, "Cache-Control") == "no-store"
    assert next(iter(world.approvals.requests.values())).decision is None


def test_the_page_shows_the_lines_that_differ_from_what_goes_out(world: World) -> None:
    body = unescape(call(world)["body"])
    assert "<ins>Spring is here</ins>" in body
    assert "<del>Winter is here</del>" in body
    assert body.count("<del>") == 2, "in each language the subject alone differs"


def test_the_page_is_in_the_readers_language(world: World) -> None:
    assert "批准" in call(world, lang="zh-CN")["body"]
    assert "Approve" in call(world, lang="en")["body"]


def test_a_mail_is_shown_with_its_styles_and_nothing_that_runs(world: World) -> None:
    answer = call(world, view="email.en")
    assert (answer["statusCode"], "color: green" in answer["body"]) == (200, True)
    policy = header(answer, "Content-Security-Policy")
    assert policy.startswith("sandbox; default-src 'none'")
    assert "script-src" not in policy
    assert call(world, view="email.fr")["statusCode"] == 404


@pytest.mark.parametrize(("button", "state"), [("approved", "approved"), ("rejected", "rejected")])
def test_a_button_decides(world: World, button: str, state: str) -> None:
    digest = form(call(world)).fields["digest"]
    answer = call(world, "POST", body=f"digest={digest}&decision={button}&comment=Fine")
    assert answer["statusCode"] == 200
    [approval] = world.approvals.requests.values()
    assert (approval.decision, approval.comment) == (state, "Fine")
    after = call(world)
    assert form(after).buttons == []
    assert "Fine" in after["body"]


def test_another_version_than_was_shown_is_refused(world: World) -> None:
    assert call(world, "POST", body="digest=d-2&decision=approved")["statusCode"] == 409
    assert call(world, "POST", body="")["statusCode"] == 409


def test_a_link_that_is_not_ours_gets_a_page(world: World) -> None:
    for method, view in (("GET", ""), ("POST", ""), ("GET", "email.en")):
        answer = call(world, method, token="WyJhIl0.c2ln", view=view, body="decision=approved")
        assert answer["statusCode"] in {400, 404}
        assert "does not work" in answer["body"]


def test_the_page_fits_a_phone_and_a_desktop(world: World, chromium: str, tmp_path: Path) -> None:
    """Kept beside the test's output, to be looked at."""
    page = tmp_path / "approval.html"
    page.write_text(call(world)["body"], encoding="utf-8")
    with Chromium(chromium) as browser:
        for look in (PHONE, DESKTOP):
            (tmp_path / f"{look.name}.png").write_bytes(browser.picture(page, look))
    width = int.from_bytes((tmp_path / "phone.png").read_bytes()[16:20], "big")
    assert width == PHONE.width * PHONE.scale, "nothing is wider than the phone"
