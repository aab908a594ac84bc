"""Messages of the on-site inbox: what is kept, what its store's answers mean, and what authors may write."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.inbox import FakeInboxes
from waypost.authoring.messages import MessageFolder
from waypost.channels.answers import Accepted, Answer, RefusedForNow, RefusedMessage, RefusedUs, Unclear
from waypost.channels.calls import ErrorAnswer, FailedCall, NeverSent, NoAnswer
from waypost.channels.contract import Outgoing
from waypost.channels.inbox.box import COUNTED_FOR, LIFE, SLOTS
from waypost.channels.inbox.channel import CHANNEL, RenderedInbox
from waypost.channels.inbox.notices import detail_of, read_act
from waypost.channels.inbox.provider_dynamodb import DynamoDb
from waypost.contacts.channels import Address, Channel
from waypost.content.forbidden_words import ForbiddenWords
from waypost.content.render import Filler, MessageNotRenderable
from waypost.content.templates import prepared

INBOX = Channel("inbox")
TO = Address(INBOX, "user_id", "u-1042")
AT = "2027-03-01T02:00:00.000Z"


def outgoing(*, transactional: bool = False) -> Outgoing[RenderedInbox]:
    return Outgoing(
        to=TO,
        content=RenderedInbox(title="New in", text="Tea is here", link="/tea"),
        message_key="m-1",
        transactional=transactional,
        unsubscribe_url="https://links.example.com/u/1",
        tags={"message_key": "m-1", "contact_id": "c-1"},
    )


def sent(inboxes: FakeInboxes, **options: bool) -> Answer:
    return DynamoDb(inboxes=inboxes, clock=FakeClock(AT)).send(outgoing(**options))


# --- what is kept ------------------------------------------------------------------------------------------------------


def test_a_message_is_kept_in_the_inbox_of_its_user_for_a_month() -> None:
    inboxes = FakeInboxes()
    assert sent(inboxes) == Accepted("request-1")
    [kept] = inboxes.messages(TO.digest, consistent=True)
    now = FakeClock(AT)()
    assert (kept.title, kept.text, kept.link, kept.user_id) == ("New in", "Tea is here", "/tea", "u-1042")
    assert (kept.message_key, kept.sent_at, kept.expires_at) == ("m-1", now, now + LIFE)
    assert kept.unsubscribe_url == "https://links.example.com/u/1"


def test_what_is_no_marketing_offers_no_way_to_unsubscribe() -> None:
    inboxes = FakeInboxes()
    sent(inboxes, transactional=True)
    assert [each.unsubscribe_url for each in inboxes.messages(TO.digest, consistent=True)] == [""]


def test_an_inbox_never_holds_more_than_its_slots() -> None:
    inboxes = FakeInboxes()
    for _ in range(3 * SLOTS + 7):
        sent(inboxes)
    numbers = sorted(each.number for each in inboxes.messages(TO.digest, consistent=True))
    assert numbers == list(range(2 * SLOTS + 8, 3 * SLOTS + 8))


def test_the_count_outlives_every_message_that_ttl_has_yet_to_remove() -> None:
    assert timedelta(days=30) < COUNTED_FOR - LIFE


# --- what the store answers --------------------------------------------------------------------------------------------

FAILURES: dict[str, tuple[FailedCall, Answer, Answer]] = {
    # what fails, what it means of the count, what it means of the message
    "throttled": (
        ErrorAnswer(400, "ProvisionedThroughputExceededException"),
        RefusedForNow("ProvisionedThroughputExceededException"),
        RefusedForNow("ProvisionedThroughputExceededException"),
    ),
    "too fast for the account": (
        ErrorAnswer(400, "RequestLimitExceeded"),
        RefusedForNow("RequestLimitExceeded"),
        RefusedForNow("RequestLimitExceeded"),
    ),
    "no table": (
        ErrorAnswer(400, "ResourceNotFoundException"),
        RefusedUs("ResourceNotFoundException"),
        RefusedUs("ResourceNotFoundException"),
    ),
    "no right": (
        ErrorAnswer(400, "AccessDeniedException"),
        RefusedUs("AccessDeniedException"),
        RefusedUs("AccessDeniedException"),
    ),
    "overtaken": (
        ErrorAnswer(400, "ConditionalCheckFailedException"),
        RefusedMessage("overtaken"),
        RefusedMessage("overtaken"),
    ),
    "server error": (
        ErrorAnswer(500, "InternalServerError"),
        RefusedForNow("InternalServerError"),
        Unclear("InternalServerError"),
    ),
    "timeout": (NoAnswer("ReadTimeoutError"), RefusedForNow("ReadTimeoutError"), Unclear("ReadTimeoutError")),
    "no connection": (
        NeverSent("ConnectTimeoutError", temporary=True),
        RefusedForNow("ConnectTimeoutError"),
        RefusedForNow("ConnectTimeoutError"),
    ),
}


@pytest.mark.parametrize(("failure", "of_count", "of_message"), FAILURES.values(), ids=FAILURES)
def test_only_a_message_that_may_lie_in_its_slot_is_unclear(
    failure: FailedCall, of_count: Answer, of_message: Answer
) -> None:
    inboxes = FakeInboxes()
    inboxes.fails_with = {"next_number": failure}
    assert sent(inboxes) == of_count
    inboxes.fails_with = {"keep": failure}
    assert sent(inboxes) == of_message
    assert inboxes.messages(TO.digest, consistent=True) == []


# --- filling in --------------------------------------------------------------------------------------------------------


def filled(link: str, **contact: Any) -> RenderedInbox:
    variables: dict[str, Any] = {name: {} for name in ("event", "journey", "message", "links")}
    filler = Filler(prepared(variables | {"contact": contact}), "sample")
    return CHANNEL.fill({"title": "Hello\n{{ contact.name }}", "text": " Hi ", "link": link}, filler)


@pytest.mark.parametrize("link", ["", "https://shop.example/a", "http://shop.example", "/orders?id=1"])
def test_a_message_leads_to_the_web_or_into_the_site(link: str) -> None:
    assert filled(link, name="Lin") == RenderedInbox("Hello Lin", "Hi", link)


@pytest.mark.parametrize(
    "home", ["javascript:alert(1)", " JavaScript:x", "data:text/html,x", "//evil.example", "shop", "https://a b"]
)
def test_a_value_of_a_contact_cannot_make_a_script_of_the_link(home: str) -> None:
    with pytest.raises(MessageNotRenderable, match="the link is no address"):
        filled("{{ contact.home }}", name="Lin", home=home)


# --- authoring ---------------------------------------------------------------------------------------------------------


def authored(folder: Path, texts: str) -> tuple[dict[str, Any], str]:
    """The published variant, or what is wrong."""
    message = folder / "shipped"
    message.mkdir()
    (message / "message.yaml").write_text("kind: transactional\ntopic: orders\nchannels: [inbox]\n", encoding="utf-8")
    (message / "inbox.zh-CN.yaml").write_text(texts, encoding="utf-8")
    published, problems = MessageFolder(
        message, folder / "look", "zh-CN", lambda path: path.name, ForbiddenWords()
    ).read()
    found = "; ".join(f"{each.file} {each.field}: {each.reason}" for each in problems)
    return (published["variants"]["inbox"]["zh-CN"] if published else {}), found


def test_a_message_is_one_file_for_each_locale(tmp_path: Path) -> None:
    variant, problems = authored(tmp_path, "title: 您的订单已发货\ntext: 点开看看它到哪儿了\nlink: /orders\n")
    assert problems == ""
    assert variant == {"title": "您的订单已发货", "text": "点开看看它到哪儿了", "link": "/orders"}


def test_a_message_need_not_lead_anywhere(tmp_path: Path) -> None:
    assert authored(tmp_path, "title: 您好\ntext: 周日休息\n")[0]["link"] == ""


@pytest.mark.parametrize(
    ("texts", "reason"),
    [
        ("text: 您好\n", "title: is missing"),
        ("title: 您好\n", "text: is missing"),
        ("title: ''\ntext: 您好\n", "title: is missing"),
        ("title: 您好\ntext: 您好\nlnk: /a\n", "lnk: is unknown; a message has title, text, link"),
        ("title: |\n  您\n  好\ntext: 您好\n", "one line"),
        (f"title: {'字' * 121}\ntext: 您好\n", "at most 120 characters"),
        ("title: 您好\ntext: 您好\nlink: shop.example\n", "should begin with https:// or"),
        ("title: 您好\ntext: 您好\nlink: 'javascript:alert(1)'\n", "should begin with https:// or"),
        (f"title: 您好\ntext: {'字' * 1_400}\n", "at most 4,000"),
        ("title: '{{ contact.nmae.x.y }'\ntext: 您好\n", "title"),
        ("title: [您好]\ntext: 您好\n", "should be one text"),
    ],
)
def test_what_no_page_could_show_is_refused_when_it_is_published(tmp_path: Path, texts: str, reason: str) -> None:
    assert reason in authored(tmp_path, texts)[1]


# --- what readers do ---------------------------------------------------------------------------------------------------


def test_an_act_that_is_none_ends_in_the_dead_letters() -> None:
    with pytest.raises(ValueError, match="unknown act 'burned'"):
        read_act({**detail_of("seen", {"message_key": "m-1"}, at=AT), "act": "burned"})
