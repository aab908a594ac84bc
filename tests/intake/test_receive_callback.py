"""Callbacks of providers: whose they are, what is kept before the answer, and the events they become."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

import pytest

from tests.fakes.world import World
from waypost.aws.notice_queue import body_of
from waypost.channels.callback_contract import CallbackNotice, CallbackRequest
from waypost.channels.registry import callback_reader, rights_in
from waypost.channels.wechat.fake import ACCOUNT, CALLBACK_TOKEN, ENCODING_KEY
from waypost.clock import parse_instant
from waypost.contacts.channels import Address, Channel
from waypost.errors import TemporarilyUnavailable
from waypost.events.envelope import Event
from waypost.events.listening import Listening
from waypost.http import encrypted_callback
from waypost.intake.receive_callback import MOST_BYTES, ReceiveCallback, Reply
from waypost.sending.ledger import Decision as LedgerDecision
from waypost.sending.ledger import LedgerRow
from waypost.sending.occasion import BroadcastSlot
from waypost.sending.request import SendRequest
from waypost.tencent.callbacks import as_xml
from waypost.tracking.record_delivery import delivery_events

NOW = parse_instant("2027-03-01T02:00:00.000Z")
KEY = "k" * 48
FOLLOWER = "oLVPpjqs9BhvzwPj5A-vTYAX3GLc"


@dataclass
class Queue:
    kept: list[CallbackNotice] = field(default_factory=list)
    fails: bool = False

    def put(self, notices: Sequence[CallbackNotice]) -> None:
        if self.fails:
            raise TemporarilyUnavailable("SendMessageBatch")
        self.kept += notices


@dataclass
class Secret:
    values: Mapping[str, Any]
    newer: Mapping[str, Any] | None = None

    def read(self) -> Mapping[str, Any]:
        return self.values

    def read_again(self) -> Mapping[str, Any]:
        return self.values if self.newer is None else self.newer


def door(queue: Queue, secret: Secret | None = None) -> ReceiveCallback:
    known = secret or Secret(
        {"callback_key": KEY, f"{ACCOUNT}.token": CALLBACK_TOKEN, f"{ACCOUNT}.encoding_key": ENCODING_KEY}
    )
    return ReceiveCallback(
        reader=callback_reader,
        secrets=dict.fromkeys(("email", "sms", "wechat"), known),
        queue=queue,
        real_clock=lambda: NOW,
    )


def aliyun(content: object, *, key: str = KEY, queue: Queue | None = None) -> tuple[Reply, list[CallbackNotice]]:
    queue = queue or Queue()
    request = CallbackRequest(account=key, method="POST", body=json.dumps(content).encode())
    return door(queue).receive("sms", request), queue.kept


def events(notices: Sequence[CallbackNotice]) -> list[Event]:
    return [event for notice in notices for event in delivery_events(json.loads(body_of(notice)), clock=lambda: NOW)]


RECEIPT = {
    "phone_number": "13800138000",
    "send_time": "2027-03-01 09:59:00",
    "report_time": "2027-03-01 09:59:30",
    "success": True,
    "err_code": "DELIVERED",
    "err_msg": "",
    "sms_size": "1",
    "biz_id": "932702304080415357^0",
    "out_id": "message_key=m-1&contact_id=c-1&journey=nurture",
}
REPLY = {
    "phone_number": "13800138000",
    "send_time": "2027-03-01 09:59:00",
    "content": "Ｒ",
    "dest_code": "0000",
    "sequence_id": "1234567890",
}


def test_receipts_of_a_batch_are_events_of_their_messages() -> None:
    reply, kept = aliyun([RECEIPT, {**RECEIPT, "success": False, "err_code": "UNDELIV", "biz_id": "2^0"}])
    assert (reply.status, json.loads(reply.text)["code"]) == (HTTPStatus.OK, 0)
    delivered, bounced = events(kept)
    assert (delivered.type, delivered.properties["message_key"], delivered.contact) == (
        "message_delivered",
        "m-1",
        {"contact_id": "c-1"},
    )
    assert delivered.occurred_at == parse_instant("2027-03-01T01:59:30.000Z")
    assert (bounced.type, bounced.properties["provider_word"]) == ("message_bounced", "UNDELIV")
    assert "suppression" not in bounced.properties


def test_a_repeated_callback_is_the_same_event() -> None:
    assert [each.id for each in events(aliyun([RECEIPT])[1])] == [each.id for each in events(aliyun([RECEIPT])[1])]
    assert [each.id for each in events(aliyun([REPLY])[1])] == [each.id for each in events(aliyun([REPLY])[1])]


@pytest.mark.parametrize("text", ["R", "r", "Ｒ", "TD", "退订", "退訂", " T "])
def test_a_reply_with_a_word_for_it_is_a_withdrawal_at_the_number(text: str, world: World) -> None:
    _, kept = aliyun([{**REPLY, "content": text}])
    recorded = world.record_delivery.record({str(number): body_of(each) for number, each in enumerate(kept)})
    assert not recorded.failed
    (event,) = events(kept)
    assert (event.type, event.contact) == ("unsubscribed", {"phone": "+8613800138000"})
    number = Address(Channel("sms"), "phone", "+8613800138000")
    assert world.addresses.of([number])[number.digest].withdrawn


def test_any_other_reply_is_what_was_written() -> None:
    (event,) = events(aliyun([{**REPLY, "content": "R you there?"}])[1])
    assert (event.type, event.properties["text"]) == ("sms_reply", "R you there?")


def test_an_item_that_says_nothing_loses_no_other() -> None:
    reply, kept = aliyun([None, {"phone_number": "1"}, 5, RECEIPT, {**REPLY, "content": "x" * 30_000}])
    assert (reply.status, reply.unreadable, len(kept)) == (HTTPStatus.OK, 4, 1)


@pytest.mark.parametrize("key", ["", "k" * 47, "ö" * 48])
def test_a_wrong_key_keeps_nothing(key: str) -> None:
    reply, kept = aliyun([RECEIPT], key=key)
    assert (reply.status, kept) == (HTTPStatus.FORBIDDEN, [])


def test_an_empty_or_short_key_in_the_secret_opens_to_nobody() -> None:
    for key in ("", "short"):
        queue = Queue()
        request = CallbackRequest(account=key, method="POST", body=b"[]")
        assert door(queue, Secret({"callback_key": key})).receive("sms", request).status == HTTPStatus.FORBIDDEN


def test_a_changed_key_is_known_at_once() -> None:
    request = CallbackRequest(account=KEY, method="POST", body=b"[]")
    assert door(Queue(), Secret({}, newer={"callback_key": KEY})).receive("sms", request).status == HTTPStatus.OK


def test_what_the_queue_does_not_have_is_not_answered_as_taken() -> None:
    reply, kept = aliyun([RECEIPT], queue=Queue(fails=True))
    assert (reply.status, reply.text, kept) == (HTTPStatus.SERVICE_UNAVAILABLE, "", [])


@pytest.mark.parametrize("channel", ["email", "nothing", "..", "sms/../wechat"])
def test_a_channel_without_callbacks_has_no_door(channel: str) -> None:
    request = CallbackRequest(account=KEY, method="POST", body=b"[]")
    assert door(Queue()).receive(channel, request).status == HTTPStatus.NOT_FOUND


def test_a_body_that_is_too_long_is_refused() -> None:
    request = CallbackRequest(account=KEY, method="POST", body=b" " * (MOST_BYTES + 1))
    assert door(Queue()).receive("sms", request).status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE


def wechat(
    document: Mapping[str, Any], *, at: datetime = NOW, token: str = CALLBACK_TOKEN, safe: bool = True
) -> tuple[Reply, list[CallbackNotice]]:
    """Post a document as WeChat does, in safe or clear mode."""
    queue, timestamp = Queue(), str(int(at.timestamp()))
    text = as_xml({"ToUserName": "gh_1", "FromUserName": FOLLOWER, "CreateTime": timestamp, **document})
    query = {"timestamp": timestamp, "nonce": "n-1"}
    values = {f"{ACCOUNT}.token": CALLBACK_TOKEN}
    if safe:
        key = encrypted_callback.key_of(ENCODING_KEY)
        assert key is not None
        sealed = encrypted_callback.seal(text.encode(), key=key, owner=ACCOUNT)
        text = as_xml({"ToUserName": "gh_1", "Encrypt": sealed})
        query["msg_signature"] = encrypted_callback.signature(token, timestamp, "n-1", sealed)
        values[f"{ACCOUNT}.encoding_key"] = ENCODING_KEY
    else:
        query["signature"] = encrypted_callback.signature(token, timestamp, "n-1")
    request = CallbackRequest(account=ACCOUNT, method="POST", query=query, body=text.encode())
    return door(queue, Secret(values)).receive("wechat", request), queue.kept


EVENTS = [
    ({"MsgType": "event", "Event": "subscribe", "EventKey": "qrscene_shop-7"}, "wechat_followed", {"scene": "shop-7"}),
    ({"MsgType": "event", "Event": "subscribe"}, "wechat_followed", {"scene": ""}),
    ({"MsgType": "event", "Event": "SCAN", "EventKey": "shop-7"}, "wechat_scanned", {"scene": "shop-7"}),
    ({"MsgType": "event", "Event": "CLICK", "EventKey": "menu-1"}, "wechat_menu_clicked", {"key": "menu-1"}),
    ({"MsgType": "event", "Event": "VIEW", "EventKey": "https://shop.example"}, "wechat_link_opened", {}),
    (
        {"MsgType": "event", "Event": "TEMPLATESENDJOBFINISH", "MsgID": "0", "Status": "failed:user block"},
        "wechat_template_finished",
        {"status": "failed:user block", "provider_message_id": "0"},
    ),
    ({"MsgType": "text", "Content": "你好", "MsgId": "9"}, "wechat_message_received", {"text": "你好", "kind": "text"}),
    (
        {
            "MsgType": "event",
            "Event": "subscribe_msg_popup_event",
            "SubscribeMsgPopupEvent": {"List": {"TemplateId": "T1", "SubscribeStatusString": "accept"}},
        },
        "wechat_subscription_accepted",
        {"template": "T1"},
    ),
]


@pytest.mark.parametrize("safe", [True, False])
@pytest.mark.parametrize(("document", "kind", "properties"), EVENTS)
def test_what_a_follower_does_is_an_event(
    document: dict[str, Any], kind: str, properties: dict[str, Any], *, safe: bool
) -> None:
    reply, kept = wechat(document, safe=safe)
    assert (reply.status, reply.text) == (HTTPStatus.OK, "success")
    (event,) = events(kept)
    assert (event.type, event.contact, event.is_our_own) == (kind, {"openid": f"{ACCOUNT}:{FOLLOWER}"}, True)
    assert properties.items() <= event.properties.items()


def test_each_template_of_a_pop_up_that_was_agreed_to_is_a_right() -> None:
    answers = [{"TemplateId": f"T{number}", "SubscribeStatusString": "accept"} for number in (1, 2)]
    refused = {"TemplateId": "T3", "SubscribeStatusString": "reject"}
    queue = Queue()
    timestamp = str(int(NOW.timestamp()))
    body = {
        "FromUserName": FOLLOWER,
        "CreateTime": timestamp,
        "MsgType": "event",
        "Event": "subscribe_msg_popup_event",
        "List": [*answers, refused],
    }
    request = CallbackRequest(
        account=ACCOUNT,
        method="POST",
        query={
            "timestamp": timestamp,
            "nonce": "n",
            "signature": encrypted_callback.signature(CALLBACK_TOKEN, timestamp, "n"),
        },
        body=json.dumps(body).encode(),
    )
    door(queue, Secret({f"{ACCOUNT}.token": CALLBACK_TOKEN})).receive("wechat", request)
    found = events(queue.kept)
    assert [event.properties["template"] for event in found] == ["T1", "T2"]
    assert len({event.id for event in found}) == 2
    assert [right.name for event in found for right in rights_in(event)] == ["template:T1", "template:T2"]


def sent_message(world: World, message_id: str) -> LedgerRow:
    """A follower's message that WeChat has taken under this id."""
    contact = world.have_contact(identities={"user_id": ["u-1"], "openid": [f"{ACCOUNT}:{FOLLOWER}"]})
    request = SendRequest(BroadcastSlot(contact.contact_id, "spring", "1", "first"), "spring/first")
    world.ledger.claim(request, channel="wechat", claim_id="c-1", at=world.clock(), local_time="10:00", touches=None)
    decision = LedgerDecision(world.clock(), "10:00", "sent", "every_guard_allowed", "wechat")
    world.ledger.settle(request, claim_id="c-1", state="accepted", decision=decision, provider_message_id=message_id)
    return world.ledger[request.message_key]


def result_of(*results: Mapping[str, str]) -> dict[str, Any]:
    listed = [{"TemplateId": "T1", "ErrorCode": "0", "ErrorStatus": "success", **each} for each in results]
    return {"MsgType": "event", "Event": "subscribe_msg_sent_event", "SubscribeMsgSentEvent": {"List": listed[0]}}


@pytest.mark.parametrize(
    ("document", "state", "closed"),
    [
        (result_of({"MsgID": "4711"}), "delivered", False),
        (result_of({"MsgID": "4711", "ErrorCode": "9504306", "ErrorStatus": "no user"}), "rejected", False),
        (
            {"MsgType": "event", "Event": "TEMPLATESENDJOBFINISH", "MsgID": "4711", "Status": "success"},
            "delivered",
            False,
        ),
        (
            {"MsgType": "event", "Event": "TEMPLATESENDJOBFINISH", "MsgID": "4711", "Status": "failed:user block"},
            "rejected",
            True,
        ),
        (
            {"MsgType": "event", "Event": "TEMPLATESENDJOBFINISH", "MsgID": "4711", "Status": "failed: system failed"},
            "rejected",
            False,
        ),
        (result_of({"MsgID": "1"}), "accepted", False),
        (result_of({"MsgID": "0"}), "accepted", False),
    ],
)
def test_what_became_of_a_message_settles_the_row_that_has_wechats_id(
    world: World, document: dict[str, Any], state: str, *, closed: bool
) -> None:
    row = sent_message(world, "4711")
    world.listening = Listening(settled=frozenset({"message_delivered", "message_failed"}))
    recorded = world.record_delivery.record({each.notice_id: body_of(each) for each in wechat(document)[1]})
    assert not recorded.failed
    assert (recorded.settled, recorded.queued) == (int(state != "accepted"), 0)
    assert world.ledger[row.message_key].state == state
    follower = Address(Channel("wechat"), "openid", f"{ACCOUNT}:{FOLLOWER}")
    record = world.addresses.of([follower]).get(follower.digest)
    assert bool(record and record.closed) is closed


def test_the_result_of_a_message_of_another_system_is_nobodys(world: World) -> None:
    recorded = world.record_delivery.record(
        {each.notice_id: body_of(each) for each in wechat(result_of({"MsgID": "4711"}))[1]}
    )
    assert (recorded.failed, recorded.settled, recorded.queued) == ({}, 0, 0)


def test_an_unfollow_is_an_event_and_a_withdrawal(world: World) -> None:
    _, kept = wechat({"MsgType": "event", "Event": "unsubscribe"})
    assert [event.type for event in events(kept)] == ["wechat_unfollowed", "unsubscribed"]
    assert not world.record_delivery.record({each.notice_id: body_of(each) for each in kept}).failed
    follower = Address(Channel("wechat"), "openid", f"{ACCOUNT}:{FOLLOWER}")
    assert world.addresses.of([follower])[follower.digest].withdrawn


def test_a_repetition_by_wechat_is_the_same_event() -> None:
    document = {"MsgType": "event", "Event": "CLICK", "EventKey": "menu-1"}
    assert events(wechat(document)[1])[0].id == events(wechat(document)[1])[0].id


@pytest.mark.parametrize("safe", [True, False])
def test_a_forged_or_old_callback_of_wechat_keeps_nothing(*, safe: bool) -> None:
    document = {"MsgType": "text", "Content": "hi", "MsgId": "1"}
    for reply, kept in (
        wechat(document, token="another", safe=safe),
        wechat(document, at=NOW - timedelta(minutes=6), safe=safe),
    ):
        assert (reply.status, kept) == (HTTPStatus.FORBIDDEN, [])


def test_the_check_of_the_address_is_echoed() -> None:
    timestamp = str(int(NOW.timestamp()))
    query = {
        "timestamp": timestamp,
        "nonce": "n",
        "echostr": "4711",
        "signature": encrypted_callback.signature(CALLBACK_TOKEN, timestamp, "n"),
    }
    reply = door(Queue()).receive("wechat", CallbackRequest(account=ACCOUNT, method="GET", query=query))
    assert (reply.status, reply.text) == (HTTPStatus.OK, "4711")
