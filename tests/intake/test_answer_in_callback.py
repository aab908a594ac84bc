"""Keywords and follows of an official account are answered in the answer to WeChat's own call, alike when it calls again."""

import json
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Final

import pytest

from tests.fakes.callback_door import CallbackDoor, as_request
from tests.fakes.posted import ScriptedPoster
from tests.fakes.published_journeys import published
from tests.fakes.secrets import FakeSecret
from tests.fakes.token_store import FakeTokenStore
from tests.fakes.world import World
from waypost.aws.notice_queue import body_of
from waypost.channels.callback_contract import XML
from waypost.channels.contract import ProviderPorts
from waypost.channels.fake_contract import HttpRequest, SentContent, UnreadableAnswer
from waypost.channels.wechat.fake import ACCOUNT, CALLBACK_TOKEN, ENCODING_KEY
from waypost.channels.wechat.fake import Weixin as Fake
from waypost.channels.wechat.provider_weixin import connect
from waypost.contacts.channels import Address, Channel
from waypost.content.folding import fold
from waypost.content.forbidden_words import ForbiddenWords
from waypost.content.message import PublishedMessage
from waypost.intake.declared_replies import DeclaredReplies
from waypost.intake.receive_callback import Reply
from waypost.tencent.xml_document import read_xml
from waypost.tracking.record_delivery import delivery_events

OPENID = "oLVPpjqs9BhvzwPj5A-vTYAX3GLc"
WECHAT = Channel("wechat")
WROTE, FOLLOWED = "wechat_message_received", "wechat_followed"


def reply(name: str, url: str = "", **fields: str) -> PublishedMessage:
    """A reply as it is published."""
    variant = {"kind": "reply", "account": ACCOUNT, "template": "", "url": url, "app_id": "", "page": ""}
    variant |= {"until": "{{ event.properties.answered_until | default('') }}"}
    variant |= {f"field.{field}": text for field, text in fields.items()}
    return PublishedMessage.from_dict(
        {
            "name": name,
            "kind": "transactional",
            "topic": "service",
            "channels": ["wechat"],
            "variants": {"wechat": {"zh-CN": variant}},
        }
    )


MESSAGES = (
    reply("offers", "https://shop.example/offers", title="本周优惠", description="全场八折"),
    reply("shipping", text="{{ contact.name | default('您好') }}，包裹已发出"),
    reply("map", image="MEDIA-ID-1"),
    reply("welcome", text="欢迎关注"),
    reply("shop", text="欢迎来到 {{ event.properties.scene }}"),
    reply("default", text="没有听懂“{{ event.properties.text }}”"),
)
ALL: Final[dict[str, list[dict[str, Any]]]] = {
    "rules": [
        {"to": [WROTE], "message": "replies/offers", "equals": [fold("优惠"), fold("SALE")]},
        {"to": [WROTE], "message": "replies/shipping", "contains": [fold("发货"), fold("物流")]},
        {"to": ["wechat_menu_clicked"], "message": "replies/map", "when": {"key": ["map"]}},
        {"to": [FOLLOWED, "wechat_scanned"], "message": "replies/shop", "when": {"scene": ["shop-*"]}},
        {"to": [FOLLOWED], "message": "replies/welcome"},
        {"to": [WROTE], "message": "replies/default"},
    ]
}


class Door(CallbackDoor):
    """The door for the callbacks of an official account."""

    fake: Fake

    def seen(self, posted: HttpRequest) -> SentContent | None:
        """What the follower sees of the answer."""
        return self.shown(posted, self.take(as_request(posted)))

    def shown(self, posted: HttpRequest, taken: Reply) -> SentContent | None:
        assert taken.status == HTTPStatus.OK
        shown = self.fake.seen_in(posted, taken.text)
        return shown.content if shown else None


@pytest.fixture
def door() -> Door:
    messages = {f"replies/{each.name}": each for each in MESSAGES}
    world = World(published=replace(published(), messages={**published().messages, **messages}))
    ports = ProviderPorts(
        aws=pytest.fail,
        secret=lambda _: FakeSecret({}),
        clock=world.clock,
        poster=lambda: ScriptedPoster(lambda *_: pytest.fail("a reply is handed over by no call")),
        tokens=FakeTokenStore,
        inbox=pytest.fail,
    )
    world.providers[WECHAT].real = connect({"accounts": ACCOUNT}, ports)
    secret = {f"{ACCOUNT}.token": CALLBACK_TOKEN, f"{ACCOUNT}.encoding_key": ENCODING_KEY}
    return Door(world, WECHAT, Fake(), DeclaredReplies.from_dict(ALL), secret)


@pytest.mark.parametrize(
    ("text", "subject", "shown"),
    [
        ("优惠", "本周优惠", "全场八折\nhttps://shop.example/offers"),
        ("優惠", "本周优惠", "全场八折\nhttps://shop.example/offers"),
        (" ｓａｌｅ ", "本周优惠", "全场八折\nhttps://shop.example/offers"),
        ("有优惠吗", "", "没有听懂“有优惠吗”"),
        ("什么时候发货？", "", "您好，包裹已发出"),
        ("什麼時候發貨", "", "您好，包裹已发出"),
        ("<&>]]>", "", "没有听懂“<&>]]>”"),
    ],
)
@pytest.mark.parametrize("safe", [True, False])
def test_what_somebody_writes_is_answered_by_its_keyword(
    door: Door, text: str, subject: str, shown: str, safe: bool
) -> None:
    if not safe:
        door.secret = {f"{ACCOUNT}.token": CALLBACK_TOKEN}
    seen = door.seen(door.fake.says(OPENID, text, safe=safe))
    assert seen is not None
    assert (seen.subject, seen.text) == (subject, shown)


@pytest.mark.parametrize(
    ("event", "key", "shown"),
    [
        ("subscribe", "", "欢迎关注"),
        ("subscribe", "qrscene_shop-7", "欢迎来到 shop-7"),
        ("subscribe", "qrscene_mall-7", "欢迎关注"),
        ("SCAN", "shop-7", "欢迎来到 shop-7"),
        ("SCAN", "mall-7", None),
        ("CLICK", "map", "MEDIA-ID-1"),
        ("CLICK", "other", None),
        ("unsubscribe", "", None),
        ("VIEW", "https://shop.example", None),
    ],
)
def test_what_somebody_does_is_answered_by_its_rule_or_by_success(
    door: Door, event: str, key: str, shown: str | None
) -> None:
    seen = door.seen(door.fake.does(OPENID, event, key))
    assert (seen.text if seen else None) == shown


def test_the_answer_goes_from_the_account_to_who_wrote_and_is_no_call(door: Door) -> None:
    taken = door.take(as_request(door.fake.says(OPENID, "发货")))
    assert taken.content_type == XML
    assert {"Encrypt", "MsgSignature", "TimeStamp", "Nonce"} == read_xml(taken.text.encode()).keys()
    row = door.row_of(taken, "openid", f"{ACCOUNT}:{OPENID}")
    assert (row.state, row.channel, row.message) == ("accepted", "wechat", "replies/shipping")


def test_a_repeated_callback_is_answered_alike_and_counted_once(door: Door) -> None:
    posted = door.fake.says(OPENID, "发货")
    first = door.take(as_request(posted))
    contact_id = door.world.contacts.resolve({"openid": f"{ACCOUNT}:{OPENID}"})["openid"]
    door.world.published.messages["replies/shipping"] = reply("shipping", text="新的文字")  # type: ignore[index]
    again = door.take(as_request(posted))
    texts = [door.shown(posted, each) for each in (first, again)]
    assert texts[0] == texts[1] is not None
    assert [each.answered.is_repeated for each in (first, again) if each.answered] == [False, True]
    assert len([row for row in door.world.ledger.rows if row[0] == contact_id]) == 1
    ids = {
        event.id
        for notice in door.queue.kept
        for event in delivery_events(json.loads(body_of(notice)), clock=door.world.clock)
    }
    assert (len(door.queue.kept), len(ids)) == (2, 1)


def test_a_repetition_while_the_first_call_is_answered_gets_the_same_answer(door: Door) -> None:
    posted = door.fake.says(OPENID, "发货")
    others: list[Reply] = []
    door.world.providers[WECHAT].during_call = lambda: others.append(door.take(as_request(posted)))
    first = door.take(as_request(posted))
    assert door.shown(posted, first) == door.shown(posted, others[0]) is not None
    assert door.row_of(first, "openid", f"{ACCOUNT}:{OPENID}").state == "accepted"


@pytest.mark.parametrize(("seconds", "is_answered"), [(0, True), (20, True), (21, False)])
def test_nothing_is_answered_that_wechat_does_not_wait_for(door: Door, seconds: int, is_answered: bool) -> None:
    posted = door.fake.says(OPENID, "发货")
    door.world.clock.advance(seconds=seconds)
    assert (door.seen(posted) is not None) is is_answered


def test_forbidden_words_that_a_value_brings_are_not_answered(door: Door) -> None:
    word = {"lists": [{"name": "w", "source": "s", "way_out": "x"}], "phrases": ["赌博"], "folded": ["赌博"]}
    door.world.words = ForbiddenWords.from_dict({**word, "owners": [[0]], "allowed": []})
    taken = door.take(as_request(door.fake.says(OPENID, "赌 博")))
    assert taken.text == "success"
    assert taken.answered is not None
    assert taken.answered.outcome == "skipped"
    assert taken.answered.reason.startswith("forbidden_words")


def test_who_is_suppressed_gets_success(door: Door) -> None:
    address = Address(WECHAT, "openid", f"{ACCOUNT}:{OPENID}")
    door.world.addresses.suppress(address.digest, channel=WECHAT, reason="blocked", at=door.world.clock())
    assert door.take(as_request(door.fake.says(OPENID, "发货"))).text == "success"


def test_a_text_that_wechat_would_not_show_is_not_answered(door: Door) -> None:
    taken = door.take(as_request(door.fake.says(OPENID, "长" * 700)))
    assert taken.text == "success"
    assert taken.answered is not None
    assert "takes" in taken.answered.reason


def test_another_account_is_not_answered_by_this_one(door: Door) -> None:
    rules = [{**each, "when": {**each.get("when", {}), "account": ["wx0other"]}} for each in ALL["rules"]]
    door.replies = DeclaredReplies.from_dict({"rules": rules})
    assert door.take(as_request(door.fake.says(OPENID, "发货"))).text == "success"


def test_without_a_rule_no_sender_is_made(door: Door) -> None:
    door.replies = DeclaredReplies()
    assert door.take(as_request(door.fake.says(OPENID, "发货"))).answered is None
    assert door.world.contacts.resolve({"openid": f"{ACCOUNT}:{OPENID}"}) == {}


@pytest.mark.parametrize(
    "answer",
    ["{}", "<xml><ToUserName>x</ToUserName></xml>", "<xml><Encrypt>abc</Encrypt></xml>"],
)
def test_the_fake_shows_an_error_for_what_wechat_cannot_read(door: Door, answer: str) -> None:
    with pytest.raises(UnreadableAnswer):
        door.fake.seen_in(door.fake.says(OPENID, "你好"), answer)
