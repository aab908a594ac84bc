"""The feed of inboxes: whose it is, what is shown, and what becomes of what people do."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.inbox import FakeInboxes
from tests.fakes.secrets import FakeSecret
from tests.intake.fakes import SECRETS, SERVER_KEY, WRITE_KEY
from waypost.aws.notice_queue import body_of
from waypost.channels.callback_contract import CallbackNotice
from waypost.channels.inbox.box import LIFE, KeptMessage
from waypost.contacts.channels import Address, Channel
from waypost.errors import TemporarilyUnavailable
from waypost.events.envelope import Event
from waypost.intake.http_request import Request
from waypost.intake.public_key import user_hash_of
from waypost.intake.request_outcome import Refused
from waypost.intake.serve_inbox import MOST_IDS, Inbox, ServeInbox
from waypost.intake.webhook_secrets import KnownSecrets
from waypost.tracking.record_delivery import delivery_events

USER = "u-1042"
DIGEST = Address(Channel("inbox"), "user_id", USER).digest
PAGE = {"writeKey": WRITE_KEY, "userId": USER, "userHash": user_hash_of(USER, SERVER_KEY)}


def rejected(places: Sequence[str]) -> None:
    pytest.fail(f"left out: {places}")


class Queue:
    def __init__(self) -> None:
        self.kept: list[CallbackNotice] = []
        self.fails = False

    def put(self, notices: Sequence[CallbackNotice]) -> None:
        if self.fails:
            raise TemporarilyUnavailable("SendMessageBatch")
        self.kept += notices


class World:
    """A feed with the messages m-1 to m-3 of one user, sent an hour apart; m-3 is the newest."""

    def __init__(self) -> None:
        self.clock = FakeClock("2027-03-01T02:00:00.000Z")
        self.inboxes, self.queue = FakeInboxes(), Queue()
        self.feed = ServeInbox(
            secrets=KnownSecrets(store=FakeSecret(SECRETS), schemes={}, on_rejected=rejected),
            inboxes=self.inboxes,
            queue=self.queue,
            clock=self.clock,
        )
        for number in (1, 2, 3):
            self.keep(number)
            self.clock.advance(hours=1)

    def keep(self, number: int) -> None:
        self.inboxes.keep(
            DIGEST,
            KeptMessage(
                number=number,
                user_id=USER,
                title=f"title {number}",
                text="text",
                link="",
                unsubscribe_url="",
                tags={"message_key": f"m-{number}", "contact_id": "c-1", "journey": "nurture", "stream": "inbox/x"},
                sent_at=self.clock(),
                expires_at=self.clock() + LIFE,
            ),
        )

    def ask(self, action: str, *, authorization: str = "", **given: Any) -> Inbox | Refused:
        body = json.dumps({**PAGE, **given}).encode()
        headers = {"content-type": "text/plain;charset=UTF-8", "authorization": authorization}
        return self.feed.answer(action, Request(content=body, headers=headers))

    def shown(self, action: str = "list", **given: Any) -> Inbox:
        answer = self.ask(action, **given)
        assert isinstance(answer, Inbox)
        return answer

    def shown_ids(self) -> list[str]:
        return [each["id"] for each in self.shown().to_dict()["messages"]]

    def events(self) -> list[Event]:
        found = (delivery_events(json.loads(body_of(each)), clock=self.clock) for each in self.queue.kept)
        return [event for events in found for event in events]


@pytest.fixture
def world() -> World:
    return World()


# --- whose inbox it is -------------------------------------------------------------------------------------------------

REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "no key": ({"writeKey": ""}, 401, "writeKey"),
    "a key nobody has": ({"writeKey": "wk_guessed"}, 401, "writeKey"),
    "a key that is no text": ({"writeKey": [WRITE_KEY]}, 401, "writeKey"),
    "nobody": ({"userId": ""}, 400, "userId"),
    "no user": ({"userId": None}, 400, "userId"),
    "a list": ({"userId": [USER]}, 400, "userId"),
    "a number": ({"userId": 7}, 403, "userHash"),
    "a placeholder": ({"userId": "undefined"}, 400, "userId"),
    "no hash": ({"userHash": None}, 403, "userHash"),
    "another's hash": ({"userHash": user_hash_of("u-1", SERVER_KEY)}, 403, "userHash"),
    "a hash by a write key": ({"userHash": user_hash_of(USER, WRITE_KEY)}, 403, "userHash"),
    "a hash that is cut": ({"userHash": PAGE["userHash"][:-1]}, 403, "userHash"),
    "another user with my hash": ({"userId": "u-1043"}, 403, "userHash"),
}


@pytest.mark.parametrize("action", ["list", "seen", "dismissed"])
@pytest.mark.parametrize(("given", "status", "field"), REFUSED.values(), ids=REFUSED)
def test_nobody_reads_or_changes_an_inbox_without_proof(
    world: World, action: str, given: dict[str, Any], status: int, field: str
) -> None:
    refused = world.ask(action, ids=["m-1"], **given)
    assert isinstance(refused, Refused)
    assert (refused.status, refused.problems[0].field) == (status, field)
    assert (world.inboxes.consistent_reads, world.queue.kept) == ([], [])


def test_the_companys_own_server_reads_every_inbox(world: World) -> None:
    answer = world.shown(writeKey=SERVER_KEY, userHash="")
    assert answer.unseen == 3


def test_the_key_may_come_by_basic_authorization(world: World) -> None:
    basic = "Basic d2tfdGVzdF8xX29mX25vX3ZhbHVlOg=="  # the write key, and no password
    assert isinstance(world.ask("list", writeKey="", authorization=basic), Inbox)


def test_a_user_id_is_cleaned_as_that_of_an_event(world: World) -> None:
    assert world.shown(userId=f" {USER} ").unseen == 3


@pytest.mark.parametrize("action", ["", "delete", "LIST", "seen/1"])
def test_there_is_nothing_else_to_do(world: World, action: str) -> None:
    refused = world.ask(action)
    assert isinstance(refused, Refused)
    assert refused.status == 404


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"null", b"\xff"])
def test_what_is_no_json_object_is_refused(world: World, body: bytes) -> None:
    refused = world.feed.answer("list", Request(content=body, headers={"content-type": "text/plain"}))
    assert isinstance(refused, Refused)
    assert refused.status == 400


@pytest.mark.parametrize("ids", [None, "m-1", {"m-1": 1}, [1], [["m-1"]], ["m-1"] * (MOST_IDS + 1)])
def test_an_act_names_its_messages(world: World, ids: Any) -> None:
    refused = world.ask("seen", ids=ids)
    assert isinstance(refused, Refused)
    assert (refused.status, refused.problems[0].field) == (400, "ids")


# --- what is shown -----------------------------------------------------------------------------------------------------


def test_the_newest_message_is_the_first(world: World) -> None:
    shown = world.shown().to_dict()
    assert [each["id"] for each in shown["messages"]] == ["m-3", "m-2", "m-1"]
    assert shown["unseen"] == 3
    assert shown["messages"][2] == {
        "id": "m-1",
        "title": "title 1",
        "text": "text",
        "link": "",
        "unsubscribe": "",
        "sent_at": "2027-03-01T02:00:00.000Z",
        "seen": False,
    }


def test_a_user_without_messages_has_an_empty_inbox(world: World) -> None:
    other = "u-9"
    assert world.shown(userId=other, userHash=user_hash_of(other, SERVER_KEY)).to_dict() == {
        "success": True,
        "unseen": 0,
        "messages": [],
    }


def test_a_message_is_shown_for_a_month(world: World) -> None:
    world.clock.advance(days=30, hours=-2)  # m-1 and m-2 were sent two and three hours ago
    assert world.shown_ids() == ["m-3"]
    world.clock.advance(hours=1)
    assert world.shown_ids() == []


# --- what is done ------------------------------------------------------------------------------------------------------


def test_what_is_seen_stays_and_is_an_opening(world: World) -> None:
    assert world.shown("seen", ids=["m-3", "m-1"]).to_dict() == {"success": True, "noted": 2, "unseen": 1}
    assert {each["id"]: each["seen"] for each in world.shown().to_dict()["messages"]} == {
        "m-3": True,
        "m-2": False,
        "m-1": True,
    }
    assert sorted((each.type, each.properties["message_key"]) for each in world.events()) == [
        ("message_opened", "m-1"),
        ("message_opened", "m-3"),
    ]


def test_what_is_dismissed_is_gone_and_an_event_of_its_own(world: World) -> None:
    assert world.shown("dismissed", ids=["m-2"]).unseen == 2
    assert world.shown_ids() == ["m-3", "m-1"]
    [event] = world.events()
    assert (event.type, event.contact, event.is_our_own) == ("message_dismissed", {"contact_id": "c-1"}, True)
    assert event.occurred_at == world.clock()
    assert {name: event.properties[name] for name in ("channel", "message_key", "journey", "stream")} == {
        "channel": "inbox",
        "message_key": "m-2",
        "journey": "nurture",
        "stream": "inbox/x",
    }


def test_what_is_done_twice_is_one_event(world: World) -> None:
    world.shown("seen", ids=["m-1", "m-1"])
    assert world.shown("seen", ids=["m-1"]).noted == 0
    assert len(world.events()) == 1


def test_two_pages_at_once_make_events_of_one_id(world: World) -> None:
    before = dict(world.inboxes.slots[DIGEST])
    world.shown("dismissed", ids=["m-1"])
    world.inboxes.slots[DIGEST] = before  # the other page read it before this one wrote
    world.clock.advance(seconds=1)
    world.shown("dismissed", ids=["m-1"])
    assert [each.type for each in world.events()] == ["message_dismissed"] * 2
    assert len({each.id for each in world.events()}) == 1


def test_an_event_that_the_queue_did_not_take_is_not_noted(world: World) -> None:
    world.queue.fails = True
    with pytest.raises(TemporarilyUnavailable):
        world.ask("dismissed", ids=["m-1"])
    assert "m-1" in world.shown_ids()
    world.queue.fails = False
    assert world.shown("dismissed", ids=["m-1"]).noted == 1


def test_nothing_is_done_to_what_is_not_in_this_inbox(world: World) -> None:
    other = Address(Channel("inbox"), "user_id", "u-2").digest
    [mine, *_] = world.inboxes.slots[DIGEST].values()
    theirs = replace(mine, user_id="u-2", tags={**mine.tags, "message_key": "m-theirs"})
    world.inboxes.keep(other, theirs)
    assert world.shown("dismissed", ids=["m-theirs", "m-none", ""]).noted == 0
    assert (world.queue.kept, world.inboxes.slots[other]) == ([], {theirs.number: theirs})


def test_an_act_reads_what_was_written_just_before(world: World) -> None:
    world.shown()
    world.shown("seen", ids=["m-1"])
    assert world.inboxes.consistent_reads == [False, True]


def test_what_is_over_can_no_longer_be_dismissed(world: World) -> None:
    world.clock.advance(days=31)
    assert world.shown("dismissed", ids=["m-1"]).noted == 0
    assert timedelta(days=31) > LIFE
