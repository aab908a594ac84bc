"""Following a link leads on, and says who did it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.fakes.queue import FakeQueue
from tests.fakes.secrets import FakeSecret
from tests.tracking.test_tracked_links import API, KEY, MAKER, MESSAGE, SENT
from waypost.content.link_rewriting import TRAP, Link
from waypost.sending.ledger import LedgerRow
from waypost.sending.occasion import BroadcastSlot
from waypost.tracking.follow_link import FollowLink, LeadsNowhere, LeadsTo, NotOurs, Over
from waypost.tracking.tracked_links import LIFE

NOW = SENT + timedelta(hours=2)
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
LINK = Link(1, "guide", "https://shop.example.com/guide?coupon=A%26B#top")


def request(agent: str = BROWSER, method: str = "GET", address: str = "203.0.113.9", **headers: str) -> dict[str, Any]:
    return {
        "headers": {"user-agent": agent, **{name.replace("_", "-"): value for name, value in headers.items()}},
        "requestContext": {"requestId": "req-1", "http": {"method": method, "sourceIp": address}},
    }


@dataclass
class FakeClicks:
    """RecentClicks in memory."""

    seen: dict[str, dict[int, datetime]] = field(default_factory=dict)

    def note(self, contact_id: str, message_key: str, *, link: int, at: datetime) -> Mapping[int, datetime]:
        """See RecentClicks."""
        self.seen.setdefault(message_key, {})[link] = at
        return self.seen[message_key]


@dataclass
class Rows:
    """SentRows with one row."""

    row: LedgerRow | None = None

    def row_of(self, contact_id: str, key_prefix: str) -> LedgerRow | None:
        """See SentRows."""
        mine = self.row and self.row.contact_id == contact_id and self.row.message_key.startswith(key_prefix)
        return self.row if mine else None


def followed_by(
    queue: FakeQueue, *, row: LedgerRow | None = None, now: datetime = NOW, clicks: FakeClicks | None = None
) -> FollowLink:
    return FollowLink(
        secret=FakeSecret({"link_keys": [KEY]}),
        rows=Rows(row),
        clicks=clicks or FakeClicks(),
        queue=queue,
        clock=lambda: now,
        real_clock=lambda: now,
    )


def token(url: str) -> str:
    return url.removeprefix(f"{API}/").partition("/")[2]


def test_a_reader_is_led_on_with_the_campaign_and_the_click_is_an_event() -> None:
    queue = FakeQueue()
    assert followed_by(queue).follow(token(MAKER.link(LINK)), request()) == LeadsTo(
        "https://shop.example.com/guide?coupon=A%26B&utm_source=waypost&utm_medium=email"
        "&utm_campaign=nurture&utm_content=welcome.guide#top"
    )
    (event,) = queue.sent
    assert (event.type, event.contact, event.occurred_at) == (
        "message_clicked",
        {"contact_id": MESSAGE.contact_id},
        NOW,
    )
    assert event.is_our_own
    assert {
        name: event.properties[name] for name in ("channel", "message_key", "journey", "message", "staff", "link")
    } == {
        "channel": "email",
        "message_key": MESSAGE.message_key,
        "journey": "nurture",
        "message": "welcome",
        "staff": "staff-7",
        "link": "guide",
    }
    assert event.properties["url"] == "https://shop.example.com/guide"
    assert event.properties["visit"]["seconds"] == 7200


def test_what_the_author_wrote_of_the_campaign_stays() -> None:
    link = Link(1, "", "https://shop.example.com/?utm_source=mine&utm_campaign=")
    answer = followed_by(FakeQueue()).follow(token(MAKER.link(link)), request())
    assert isinstance(answer, LeadsTo)
    assert answer.url == (
        "https://shop.example.com/?utm_source=mine&utm_campaign=&utm_medium=email&utm_content=welcome"
    )


def test_an_opened_message_is_an_event_once_an_hour() -> None:
    queue = FakeQueue()
    assert followed_by(queue).open(token(MAKER.pixel()), request())
    assert followed_by(queue, now=NOW + timedelta(minutes=9)).open(token(MAKER.pixel()), request())
    assert followed_by(queue, now=NOW + timedelta(days=1)).open(token(MAKER.pixel()), request())
    assert [event.type for event in queue.sent] == ["message_opened"] * 3
    assert len({event.id for event in queue.sent}) == 2


def test_who_follows_the_hidden_link_is_a_program_and_so_is_its_next_click() -> None:
    queue, clicks = FakeQueue(), FakeClicks()
    following = followed_by(queue, clicks=clicks)
    assert following.follow(token(MAKER.link(Link(TRAP, "", ""))), request()) == LeadsNowhere()
    assert isinstance(following.follow(token(MAKER.link(LINK)), request()), LeadsTo)
    assert [(event.type, event.properties["verdict"]) for event in queue.sent] == [("message_scanned", "honeypot")] * 2


def test_many_links_within_seconds_are_a_program() -> None:
    queue, clicks = FakeQueue(), FakeClicks()
    for number in range(1, 4):
        link = Link(number, "", f"https://shop.example.com/{number}")
        followed_by(queue, clicks=clicks).follow(token(MAKER.link(link)), request())
    assert [event.properties["verdict"] for event in queue.sent][-1] == "many_links"
    slow, clicks = FakeQueue(), FakeClicks()
    for number in range(1, 4):
        link = Link(number, "", f"https://shop.example.com/{number}")
        at = NOW + timedelta(seconds=10 * number)
        followed_by(slow, clicks=clicks, now=at).follow(token(MAKER.link(link)), request())
    assert [event.type for event in slow.sent] == ["message_clicked"] * 3


def test_no_event_holds_the_address_of_who_made_it() -> None:
    queue = FakeQueue()
    followed_by(queue).follow(token(MAKER.link(LINK)), request(address="203.0.113.77", x_forwarded_for="203.0.113.77"))
    followed_by(queue).open(token(MAKER.pixel()), request(address="203.0.113.77"))
    assert "203.0.113.77" not in str(queue.sent)


@pytest.mark.parametrize("bad", ["", "x.y", token(MAKER.link(LINK))[:-2], token(MAKER.pixel())])
def test_a_link_we_did_not_make_leads_nowhere_and_changes_nothing(bad: str) -> None:
    queue = FakeQueue()
    assert followed_by(queue).follow(bad, request()) == NotOurs()
    assert not followed_by(queue).open(token(MAKER.link(LINK)), request())
    assert queue.sent == []


def test_an_old_link_is_over_and_changes_nothing() -> None:
    queue, late = FakeQueue(), SENT + LIFE + timedelta(days=1)
    assert followed_by(queue, now=late).follow(token(MAKER.link(LINK)), request()) == Over()
    assert followed_by(queue, now=late).open(token(MAKER.pixel()), request())
    assert queue.sent == []


def test_a_reader_is_led_on_even_while_the_click_cannot_be_stored() -> None:
    answer = followed_by(FakeQueue(broken=True)).follow(token(MAKER.link(LINK)), request())
    assert isinstance(answer, LeadsTo)
    assert followed_by(FakeQueue(broken=True)).open(token(MAKER.pixel()), request())


ROW = LedgerRow(
    message_key=MESSAGE.message_key,
    occasion=BroadcastSlot(contact_id=MESSAGE.contact_id, campaign="sale", run="r-1", phase="main"),
    message="sale/reminder",
    state="accepted",
    channel="sms",
    claimed_at=SENT,
    links=["https://shop.example.com/b"],
)


def test_a_short_link_leads_where_its_message_says() -> None:
    queue = FakeQueue()
    answer = followed_by(queue, row=ROW).follow(token(MAKER.short_link(1)), request())
    assert answer == LeadsTo(
        "https://shop.example.com/b?utm_source=waypost&utm_medium=sms&utm_campaign=reminder&utm_content=reminder"
    )
    assert [(event.type, event.properties["channel"]) for event in queue.sent] == [("message_clicked", "sms")]


@pytest.mark.parametrize("row", [None, replace(ROW, links=[]), replace(ROW, message_key="m-" + "0c" * 12)])
def test_a_short_link_whose_message_is_gone_is_none(row: LedgerRow | None) -> None:
    queue = FakeQueue()
    assert followed_by(queue, row=row).follow(token(MAKER.short_link(1)), request()) == NotOurs()
    assert queue.sent == []
