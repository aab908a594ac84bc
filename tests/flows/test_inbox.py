"""The on-site inbox on the embedded cloud: a journey sends to it, the page shows it, and the journey goes on by what the reader does."""

import json
import shutil
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from infra.project import ROOT, Project
from local.cloud.local_cloud import LocalCloud
from local.loopback import call
from local.messages.chromium import DESKTOP, PHONE, Chromium, Look
from tests.flows.projects import cloud_of, copy_content
from tests.flows.steps import accepted, by_day, decided, heard, introduce, travel
from tests.pages.live_page import LivePage, live_page, site
from waypost.intake.public_key import user_hash_of

pytestmark = pytest.mark.flow

EXAMPLE = ROOT / "examples" / "inbox"
"""The page and the journey that docs/channels/inbox.md shows."""
NOTE = "coupon-note"
SHOWN = ROOT / "out" / "pages"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("inbox")
    journeys = copy_content(folder) / "journeys"
    shutil.copytree(EXAMPLE / NOTE, journeys / NOTE)
    return Project.at(folder)


@pytest.fixture(scope="module")
def cloud(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    with cloud_of(project, tmp_path_factory.mktemp("cloud")) as cloud:
        yield cloud


def enters(cloud: LocalCloud, user_id: str, *, wants: bool = True) -> None:
    """The contact's coupon expires soon, and the note about it is sent."""
    by_day(cloud)
    introduce(cloud, user_id, name="林", consent={"email": True, "inbox": wants})
    accepted(cloud.tracking.track(user_id, "coupon_expiring", {}, at=cloud.clock.now()))
    cloud.time.settle()


def page_asks(cloud: LocalCloud, user_id: str, action: str, **given: Any) -> dict[str, Any]:
    """What the page of the shop, where the user is signed in, gets."""
    proof = user_hash_of(user_id, cloud.access.server_key)
    body = {"writeKey": cloud.access.write_key, "userId": user_id, "userHash": proof, **given}
    answer = call(
        "POST",
        f"{cloud.access.api_url}/v1/inbox/{action}",
        body=json.dumps(body).encode(),
        headers={"content-type": "text/plain;charset=UTF-8", "origin": "https://shop.example"},
    )
    assert answer.status == 200, answer.body
    assert answer.headers["access-control-allow-origin"] == "*"
    content: dict[str, Any] = answer.json()
    return content


def outcomes(cloud: LocalCloud, user_id: str) -> list[tuple[str, str | None]]:
    return [(decision.outcome, decision.channel) for decision in decided(cloud, user_id)]


def acts(cloud: LocalCloud, user_id: str) -> list[str]:
    types = (str(row["type"]) for row in heard(cloud, user_id).values())
    return sorted(each for each in types if each.startswith("message_"))


def test_who_puts_the_note_away_ends_the_journey_and_gets_no_mail(cloud: LocalCloud) -> None:
    enters(cloud, "u-reads")
    [kept] = [each for each in cloud.providers.accepted if each.recipient == "u-reads"]
    assert (kept.channel, kept.content.subject) == ("inbox", "优惠券快到期了")

    inbox = page_asks(cloud, "u-reads", "list")
    [note] = inbox["messages"]
    assert (inbox["unseen"], note["id"], note["text"]) == (1, kept.message_key, "林，您的优惠券还有三天可以用。")
    assert "/u/" in note["unsubscribe"]
    assert call("GET", note["link"]).status == 302  # a link that is counted

    for _ in range(2):  # as a page does that lost the first answer
        page_asks(cloud, "u-reads", "seen", ids=[note["id"]])
        page_asks(cloud, "u-reads", "dismissed", ids=[note["id"]])
    cloud.time.travel_to(cloud.clock.now() + timedelta(minutes=1))
    cloud.time.settle()
    assert page_asks(cloud, "u-reads", "list") == {"success": True, "unseen": 0, "messages": []}
    assert acts(cloud, "u-reads") == ["message_dismissed", "message_opened", "message_scanned"]

    travel(cloud, cloud.clock.now() + timedelta(days=4))
    assert outcomes(cloud, "u-reads") == [("sent", "inbox")]


def test_who_only_looks_at_it_is_reminded_by_mail(cloud: LocalCloud) -> None:
    enters(cloud, "u-looks")
    [note] = page_asks(cloud, "u-looks", "list")["messages"]
    page_asks(cloud, "u-looks", "seen", ids=[note["id"]])
    travel(cloud, cloud.clock.now() + timedelta(days=3, minutes=1))
    by_day(cloud)
    assert outcomes(cloud, "u-looks") == [("sent", "inbox"), ("sent", "email")]
    assert page_asks(cloud, "u-looks", "list")["unseen"] == 0


def test_marketing_needs_consent_to_the_inbox(cloud: LocalCloud) -> None:
    enters(cloud, "u-declines", wants=False)
    decision = decided(cloud, "u-declines")[0]
    assert (decision.outcome, decision.reason) == ("skipped", "consent_withdrawn")
    assert page_asks(cloud, "u-declines", "list")["messages"] == []


def test_another_users_inbox_stays_closed(cloud: LocalCloud) -> None:
    enters(cloud, "u-private")
    body = {"writeKey": cloud.access.write_key, "userId": "u-private"}
    for proof in ("", user_hash_of("u-other", cloud.access.server_key)):
        answer = call(
            "POST",
            f"{cloud.access.api_url}/v1/inbox/list",
            body=json.dumps({**body, "userHash": proof}).encode(),
            headers={"content-type": "application/json"},
        )
        assert answer.status == 403
        assert b"\xe4\xbc\x98" not in answer.body  # nothing of the message


# --- the script on a page of another origin ----------------------------------------------------------------------------

INBOX = "document.querySelector('script').nextElementSibling.shadowRoot"
PANEL, BELL = f"{INBOX}.querySelector('section')", f"{INBOX}.querySelector('button')"
FOCUS = f"{INBOX}.activeElement"


def shop(cloud: LocalCloud, user_id: str, language: str = "zh-CN") -> str:
    """The example's page, as the shop's server writes it for the user who is signed in."""
    html = (EXAMPLE / "shop.html").read_text(encoding="utf-8").replace('lang="zh-CN"', f'lang="{language}"')
    for name, value in {
        "API_URL": cloud.access.api_url,
        "WRITE_KEY": cloud.access.write_key,
        "USER_ID": user_id,
        "USER_HASH": user_hash_of(user_id, cloud.access.server_key),
    }.items():
        html = html.replace(name, value)
    return html


def strict(cloud: LocalCloud) -> str:
    """A policy under which only the script and its requests may come from elsewhere."""
    api = "/".join(cloud.access.api_url.split("/")[:3])
    return f"default-src 'none'; script-src {api}; connect-src {api}"


def test_a_person_finds_and_dismisses_a_message_on_a_page_of_another_origin(cloud: LocalCloud, chromium: str) -> None:
    enters(cloud, "u-browser")
    with (
        site(shop(cloud, "u-browser"), policy=strict(cloud)) as url,
        Chromium(chromium) as browser,
        live_page(browser, url) as page,
    ):
        page.until(f"{BELL}.ariaLabel === '消息, 1 条未读'")
        assert page.value(f"{INBOX}.host.lang") == "zh-CN"
        pictures(page, "inbox-closed.zh-CN")

        page.press("Tab")  # by the keyboard alone
        assert page.value(f"{FOCUS} === {BELL}")
        page.press("Enter", text="\r")
        page.until(f"{BELL}.ariaLabel === '消息'")  # what is shown is seen
        assert page.value(f"[{BELL}.ariaExpanded, {PANEL}.hidden, {FOCUS} === {PANEL}]") == ["true", False, True]
        assert page.value(f"{PANEL}.querySelector('h3').textContent") == "优惠券快到期了"
        assert "林，您的优惠券还有三天可以用。" in page.value(f"{PANEL}.innerText")
        assert "/r/" in page.value(f"{PANEL}.querySelector('a').href")
        assert page.value(f"getComputedStyle({PANEL}).position") == "fixed"  # the policy left the style alone
        pictures(page, "inbox-open.zh-CN")

        names = []
        for _ in range(4):
            page.press("Tab")
            names.append(page.value(f"{FOCUS}.ariaLabel || {FOCUS}.textContent"))
        title = "优惠券快到期了"
        assert names == ["关闭", f"查看: {title}", f"退订: {title}", f"删除: {title}"]
        page.press("Enter", text="\r")
        page.until(f"{PANEL}.querySelector('output').textContent === '已删除'")
        assert page.value(f"[{PANEL}.querySelectorAll('li').length, {FOCUS} === {PANEL}]") == [0, True]
        page.press("Escape")
        assert page.value(f"[{PANEL}.hidden, {FOCUS} === {BELL}, {BELL}.ariaExpanded]") == [True, True, "false"]

    cloud.time.travel_to(cloud.clock.now() + timedelta(minutes=1))
    cloud.time.settle()
    assert acts(cloud, "u-browser") == ["message_dismissed", "message_opened"]
    travel(cloud, cloud.clock.now() + timedelta(days=4))
    assert outcomes(cloud, "u-browser") == [("sent", "inbox")]


def test_several_messages_in_english_and_what_the_page_says_when_nothing_answers(
    cloud: LocalCloud, chromium: str
) -> None:
    for _ in range(2):  # one passage after the other
        enters(cloud, "u-many")
        travel(cloud, cloud.clock.now() + timedelta(days=4))
    with site(shop(cloud, "u-many", "en")) as url, Chromium(chromium) as browser, live_page(browser, url) as page:
        page.until(f"{BELL}.ariaLabel === 'Messages, 2 unread'")
        page.value(f"{BELL}.click()")
        page.until(f"{BELL}.ariaLabel === 'Messages'")
        pictures(page, "inbox-open.en")
        page.value(f"{PANEL}.querySelector('li').lastChild.click()")
        page.until(f"{PANEL}.querySelectorAll('li').length === 1")
        assert page.value(f"{FOCUS} === {PANEL}.querySelector('li').lastChild")  # the next one, to go on

        page.value("window.fetch = () => Promise.reject(new Error('offline'))")
        page.value(f"{FOCUS}.click()")
        page.until(f"{PANEL}.querySelector('output').textContent === 'Not available'")
        assert page.value(f"{PANEL}.querySelectorAll('li').length") == 1  # nothing is gone that may still be there


def test_a_visitor_who_is_not_signed_in_sees_no_bell(cloud: LocalCloud, chromium: str) -> None:
    page_of_nobody = shop(cloud, "").replace('data-hash="', 'onload="window.done = true" data-hash="')
    with site(page_of_nobody) as url, Chromium(chromium) as browser, live_page(browser, url) as page:
        page.until("window.done")
        assert page.value("document.querySelector('script').nextElementSibling.tagName") == "P"


def pictures(page: LivePage, name: str) -> None:
    """Keep what is seen, at the width of a phone and of a desktop; nothing makes the page wider than it is."""
    SHOWN.mkdir(parents=True, exist_ok=True)
    for look in (PHONE, DESKTOP, Look(name="phone-dark", width=PHONE.width, scale=PHONE.scale, dark=True)):
        SHOWN.joinpath(f"{name}.{look.name}.png").write_bytes(page.look(look))
        assert page.value("document.documentElement.scrollWidth <= innerWidth"), f"wider than a {look.name}"
