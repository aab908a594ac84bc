"""Callbacks of WeCom: whose they are, and the events of customers that they become."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

import pytest

from tests.fakes.secrets import FakeSecret
from tests.fakes.world import World
from waypost.aws.notice_queue import body_of
from waypost.channels.callback_contract import CallbackNotice, CallbackRequest
from waypost.channels.registry import callback_reader
from waypost.channels.wecom.fake import CALLBACK_TOKEN, CORP, ENCODING_KEY
from waypost.clock import parse_instant
from waypost.events.envelope import Event
from waypost.events.history import RecordedEvent
from waypost.http import encrypted_callback
from waypost.intake.receive_callback import ReceiveCallback, Reply
from waypost.staff.directory import StaffDirectory
from waypost.staff.relations import relations
from waypost.tencent.callbacks import as_xml
from waypost.tracking.record_delivery import delivery_events

NOW = parse_instant("2027-03-01T02:00:00.000Z")
CUSTOMER = "woAJ2GCAAAXtWyujaWJHDDGi0mACAAAA"
SECRETS = {"callback_token": CALLBACK_TOKEN, "encoding_key": ENCODING_KEY}


@dataclass
class Queue:
    kept: list[CallbackNotice] = field(default_factory=list)

    def put(self, notices: Sequence[CallbackNotice]) -> None:
        self.kept += notices


def sealed(
    text: str, *, at: datetime = NOW, token: str = CALLBACK_TOKEN, owner: str = CORP
) -> tuple[str, dict[str, str]]:
    """A text as WeCom encrypts and signs it: the ciphertext, and the query beside it."""
    key = encrypted_callback.key_of(ENCODING_KEY)
    assert key is not None
    timestamp, ciphertext = str(int(at.timestamp())), encrypted_callback.seal(text.encode(), key=key, owner=owner)
    signed = encrypted_callback.signature(token, timestamp, "n-1", ciphertext)
    return ciphertext, {"timestamp": timestamp, "nonce": "n-1", "msg_signature": signed}


def post(
    document: Mapping[str, Any],
    *,
    at: datetime = NOW,
    token: str = CALLBACK_TOKEN,
    owner: str = CORP,
    secrets: Mapping[str, str] = SECRETS,
) -> tuple[Reply, list[CallbackNotice]]:
    """Post a document as WeCom does."""
    known = {"ToUserName": CORP, "FromUserName": "sys", "CreateTime": int(at.timestamp()), "MsgType": "event"}
    ciphertext, query = sealed(as_xml({**known, **document}), at=at, token=token, owner=owner)
    body = as_xml({"ToUserName": CORP, "AgentID": "", "Encrypt": ciphertext}).encode()
    return received(CallbackRequest(account=CORP, method="POST", query=query, body=body), secrets)


def received(request: CallbackRequest, secrets: Mapping[str, str] = SECRETS) -> tuple[Reply, list[CallbackNotice]]:
    queue = Queue()
    door = ReceiveCallback(
        reader=callback_reader, secrets={"wecom": FakeSecret(secrets)}, queue=queue, real_clock=lambda: NOW
    )
    return door.receive("wecom", request), queue.kept


def changed(change: str, **more: str) -> dict[str, str]:
    return {
        "Event": "change_external_contact",
        "ChangeType": change,
        "UserID": "zhang.san",
        "ExternalUserID": CUSTOMER,
        **more,
    }


def events(notices: Sequence[CallbackNotice]) -> list[Event]:
    return [event for notice in notices for event in delivery_events(json.loads(body_of(notice)), clock=lambda: NOW)]


@pytest.mark.parametrize(
    ("document", "kind", "properties"),
    [
        (changed("add_external_contact", State="shop-7"), "staff_added_contact", {"state": "shop-7"}),
        (changed("add_external_contact"), "staff_added_contact", {"state": ""}),
        (changed("add_half_external_contact", State="shop-7"), "contact_added_staff", {"state": "shop-7"}),
        (changed("edit_external_contact"), "staff_edited_contact", {}),
        (changed("del_external_contact", Source="DELETE_BY_TRANSFER"), "staff_removed_contact", {"by": "staff"}),
        (changed("del_follow_user"), "staff_removed_contact", {"by": "contact"}),
        (
            changed("transfer_fail", FailReason="customer_refused"),
            "staff_transfer_failed",
            {"reason": "customer_refused"},
        ),
    ],
)
def test_what_happens_between_a_customer_and_a_member_is_an_event(
    document: dict[str, str], kind: str, properties: dict[str, str]
) -> None:
    reply, kept = post(document)
    assert (reply.status, reply.text) == (HTTPStatus.OK, "success")
    (event,) = events(kept)
    assert (event.type, event.contact, event.is_our_own) == (kind, {"external_userid": CUSTOMER}, True)
    assert event.properties == {"channel": "wecom", "staff": "zhang.san", **properties}
    assert event.occurred_at == NOW


def test_who_added_a_customer_is_known_from_the_callbacks() -> None:
    staff = StaffDirectory.from_dict(
        {
            "members": {
                id_: {"name": id_, "email": f"{id_}@shop.example", "roles": [], "channels": {"wecom": f"{id_}.wx"}}
                for id_ in ("zhang", "li")
            }
        }
    )
    at = {"zhang.wx": NOW - timedelta(days=2), "li.wx": NOW - timedelta(days=1)}
    found = [
        event
        for member, when in at.items()
        for event in events(
            post(changed("add_external_contact", UserID=member, CreateTime=str(int(when.timestamp()))))[1]
        )
    ]
    recorded = [RecordedEvent(each.id, each.type, each.occurred_at, NOW, each.properties) for each in found]
    assert [(each.member.id, each.added_at) for each in relations(recorded, staff)] == [
        ("zhang", at["zhang.wx"]),
        ("li", at["li.wx"]),
    ]
    removed = events(post(changed("del_follow_user", UserID="zhang.wx"))[1])
    recorded += [RecordedEvent(each.id, each.type, each.occurred_at, NOW, each.properties) for each in removed]
    assert [each.member.id for each in relations(recorded, staff)] == ["li"]


def test_a_friend_added_is_a_contact_with_the_external_userid(world: World) -> None:
    _, kept = post(changed("add_external_contact", State="shop-7"))
    assert world.record_delivery.record({each.notice_id: body_of(each) for each in kept}).queued == 1
    (event,) = events(kept)
    contact = world.contacts.load(world.route(event).contact_id)
    assert contact is not None
    assert contact.identities["external_userid"] == [CUSTOMER]
    assert world.contacts.resolve({"external_userid": CUSTOMER})["external_userid"] == contact.contact_id


def test_the_welcome_code_is_kept_nowhere() -> None:
    _, kept = post(changed("add_external_contact", WelcomeCode="CODE-OF-20-SECONDS"))
    assert "CODE-OF-20-SECONDS" not in body_of(kept[0])


def test_a_repetition_is_the_same_event_and_another_change_is_another() -> None:
    first, again = (events(post(changed("add_external_contact"))[1])[0] for _ in range(2))
    assert first.id == again.id
    assert events(post(changed("del_follow_user"))[1])[0].id != first.id
    assert events(post(changed("add_external_contact", UserID="li.si"))[1])[0].id != first.id


@pytest.mark.parametrize(
    "document",
    [
        {"Event": "change_external_tag", "ChangeType": "update", "Id": "etAJ", "TagType": "tag"},
        {"Event": "change_external_chat", "ChangeType": "create", "ChatId": "wrAJ"},
        {"Event": "change_contact", "ChangeType": "update_user", "UserID": "zhang.san"},
    ],
)
def test_what_concerns_no_customer_is_answered_and_left(document: dict[str, str]) -> None:
    reply, kept = post(document)
    assert (reply.status, reply.unreadable, kept) == (HTTPStatus.OK, 0, [])


def test_a_change_that_names_nobody_is_counted_as_unreadable() -> None:
    reply, kept = post({"Event": "change_external_contact", "ChangeType": "add_external_contact"})
    assert (reply.status, reply.unreadable, kept) == (HTTPStatus.OK, 1, [])


def test_a_change_of_a_later_release_of_wecom_is_no_event() -> None:
    assert events(post(changed("renamed_external_contact"))[1]) == []


@pytest.mark.parametrize(
    "sent",
    [
        {"token": "another"},
        {"owner": "ww0000000000000000"},
        {"at": NOW - timedelta(minutes=6)},
        {"secrets": {}},
        {"secrets": {"callback_token": CALLBACK_TOKEN}},
    ],
    ids=["forged", "of another company", "replayed", "no secrets", "no encoding key"],
)
def test_what_is_not_wecoms_keeps_nothing(sent: dict[str, Any]) -> None:
    reply, kept = post(changed("add_external_contact"), **sent)
    assert (reply.status, kept) == (HTTPStatus.FORBIDDEN, [])


def test_a_callback_in_clear_is_refused() -> None:
    text, timestamp = as_xml(changed("add_external_contact")), str(int(NOW.timestamp()))
    signed = encrypted_callback.signature(CALLBACK_TOKEN, timestamp, "n")
    query = {"timestamp": timestamp, "nonce": "n", "signature": signed, "msg_signature": signed}
    reply, kept = received(CallbackRequest(account=CORP, method="POST", query=query, body=text.encode()))
    assert (reply.status, kept) == (HTTPStatus.FORBIDDEN, [])


def test_the_check_of_the_address_is_answered_decrypted() -> None:
    echostr, query = sealed("4711")
    reply, _ = received(CallbackRequest(account=CORP, method="GET", query={**query, "echostr": echostr}))
    assert (reply.status, reply.text) == (HTTPStatus.OK, "4711")
