"""What a write key, which a browser shows to everybody, may do, and what needs a server key or a proven user."""

from typing import Any

import pytest

from tests.fakes.secrets import FakeSecret
from tests.intake.fakes import SECRETS, SERVER_KEY, WRITE_KEY, Desk, basic, call, posted
from waypost.events.envelope import SERVER_KEY_SOURCE, UNPROVEN_SOURCE, WRITE_KEY_SOURCE, Event
from waypost.intake import public_key
from waypost.intake.public_key import PublicKeyRules, user_hash_of
from waypost.intake.request_outcome import Accepted, Refused
from waypost.intake.webhook_secrets import WebhookSecrets

RULES = PublicKeyRules.from_dict({
    "server_only": {"events": ["order_*"], "attributes": ["level", "credit_*"], "tags": ["vip"], "groups": ["staff"]},
    "consent": ["email"],
})  # fmt: skip


@pytest.fixture(autouse=True)
def declared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public_key, "published_section", lambda _: {})
    public_key.load_public_key_rules.cache_clear()


@pytest.fixture
def rules(monkeypatch: pytest.MonkeyPatch) -> None:
    section = {
        "server_only": {kind: [each.pattern.replace(".*", "*") for each in patterns] for kind, patterns in RULES.server_only.items()},
        "consent": list(RULES.consent),
    }  # fmt: skip
    monkeypatch.setattr(public_key, "published_section", lambda _: section)
    public_key.load_public_key_rules.cache_clear()


def by_server(document: Any) -> Any:
    return posted(document, authorization=basic(SERVER_KEY))


def proof(user_id: str, key: str = SERVER_KEY) -> dict[str, Any]:
    return {"context": {"userHash": user_hash_of(user_id, key)}}


def only(desk: Desk) -> Event:
    (event,) = desk.queue.events.values()
    return event


@pytest.mark.parametrize(
    ("kind", "document"),
    [
        ("track", {"userId": "u-1", "event": "Points Earned", "properties": {"points": 1_000_000_000}}),
        ("track", {"userId": "u-1", "event": "points_spent", "properties": {"points": 5}}),
        ("track", {"userId": "u-1", "event": "Unsubscribed", "properties": {"channel": "email"}}),
        ("track", {"userId": "u-1", "event": "consent_withdrawn", "properties": {"channel": "email"}}),
        ("track", {"userId": "u-1", "event": "Consent Granted", "properties": {"channel": "email"}}),
        ("track", {"anonymousId": "a-1", "event": "unsubscribed"}),
        ("track", {"userId": "u-1", "event": "contact_imported", "properties": {"filled": {"level": "gold"}}}),
        ("track", {"userId": "u-1", "event": "Journey Requested", "properties": {"journey": "win-back"}}),
        ("track", {"userId": "u-1", "event": "Message Opened", "properties": {"channel": "email", "message_key": "m"}}),
        ("track", {"userId": "u-1", "event": "message_complained", "properties": {"channel": "email"}}),
        ("track", {"userId": "u-1", "event": "segmentEntered", "properties": {"segment": "vip-members"}}),
        ("track", {"userId": "u-1", "event": "contacts_merged", "properties": {"into": "c-1"}}),
        ("track", {"userId": "u-1", "event": "lifecycle-changed", "properties": {"to": "active"}}),
    ],
)
def test_a_write_key_may_not_send_what_changes_somebodys_standing(kind: str, document: dict[str, Any]) -> None:
    desk = Desk()
    outcome = desk.receiver.segment(kind, call(document))
    assert isinstance(outcome, Accepted)
    assert (outcome.count, outcome.rejected, outcome.beyond_write_key) == (0, 1, 1)
    [item] = desk.rejected.kept
    assert item.problems[0].reason.startswith("needs a server key")
    assert isinstance(desk.receiver.segment(kind, by_server(document)), Accepted)
    assert only(desk).source == SERVER_KEY_SOURCE


def test_one_item_beyond_a_write_key_loses_no_good_one_beside_it() -> None:
    desk = Desk()
    good = {"type": "track", "userId": "u-1", "event": "Seen"}
    bad = {"type": "track", "userId": "u-1", "event": "points_earned", "properties": {"points": 5}}
    outcome = desk.receiver.segment("batch", call({"batch": [good, bad, good | {"event": "Again"}]}))
    assert isinstance(outcome, Accepted)
    assert (outcome.count, outcome.rejected) == (2, 1)
    assert [warning.field for warning in outcome.warnings] == ["batch[1].event"]


def test_consent_in_traits_is_left_out_and_the_rest_is_taken() -> None:
    desk = Desk()
    traits = {"first_name": "Lin", "consent": {"email": True, "sms": False}}
    outcome = desk.receiver.segment("identify", call({"userId": "u-1", "traits": traits}))
    assert isinstance(outcome, Accepted)
    assert [each.field for each in outcome.warnings] == ["traits.consent.email", "traits.consent.sms"]
    assert outcome.beyond_write_key == 2
    assert only(desk).profile == {"first_name": "Lin", "consent": {}}
    assert only(desk).source == UNPROVEN_SOURCE


def test_a_server_key_may_do_everything() -> None:
    desk = Desk()
    traits = {"consent": {"email": True}, "tags": ["vip"], "level": "gold"}
    assert desk.receiver.segment("identify", by_server({"userId": "u-1", "traits": traits})) == Accepted(1)
    assert only(desk).profile == traits


@pytest.mark.usefixtures("rules")
def test_what_is_declared_as_the_servers_is_left_out_by_name() -> None:
    desk = Desk()
    traits = {"level": "gold", "credit_limit": 9, "city": "Wuhan", "tags": ["vip", "new"], "leave_groups": ["staff"],
              "consent": {"email": True, "sms": True}}  # fmt: skip
    outcome = desk.receiver.segment("identify", call({"userId": "u-1", "traits": traits}))
    assert isinstance(outcome, Accepted)
    assert {each.field for each in outcome.warnings} == {
        "traits.level", "traits.credit_limit", "traits.tags", "traits.leave_groups", "traits.consent.sms",
    }  # fmt: skip
    assert only(desk).profile == {"city": "Wuhan", "tags": ["new"], "leave_groups": [], "consent": {"email": True}}


@pytest.mark.usefixtures("rules")
@pytest.mark.parametrize(
    ("kind", "document"),
    [
        ("track", {"event": "Order Placed", "properties": {"total": 10**9}}),
        ("group", {"groupId": "staff"}),
        ("track", {"event": "group_left", "properties": {"group": "staff"}}),
    ],
)
def test_what_is_declared_as_the_servers_is_no_event_of_a_write_key(kind: str, document: dict[str, Any]) -> None:
    desk = Desk()
    for proven in ({}, proof("u-1")):
        outcome = desk.receiver.segment(kind, call({"userId": "u-1", **document, **proven}))
        assert isinstance(outcome, Accepted)
        assert outcome.rejected == 1
    assert desk.receiver.segment(kind, by_server({"userId": "u-1", **document})) == Accepted(1)


def test_a_proven_user_may_withdraw_their_own_consent() -> None:
    desk = Desk()
    asked = {"userId": "u-1", "event": "unsubscribed", "properties": {"channel": "email"}}
    assert desk.receiver.segment("track", call(asked | proof("u-1"))) == Accepted(1)
    assert only(desk).source == WRITE_KEY_SOURCE


@pytest.mark.parametrize(
    "context",
    [{}, proof("u-2"), proof("u-1", WRITE_KEY), {"context": {"userHash": "0" * 64}}, {"context": {"userHash": ""}}, {"context": {"userHash": "ü"}}],
)  # fmt: skip
def test_a_hash_of_another_user_or_under_another_key_proves_nothing(context: dict[str, Any]) -> None:
    desk = Desk()
    desk.receiver.segment("identify", call({"userId": "u-1", "traits": {"city": "Wuhan"}} | context))
    assert only(desk).source == UNPROVEN_SOURCE


def test_a_hash_may_stand_in_the_context_of_the_batch_and_in_either_spelling() -> None:
    desk = Desk()
    item = {"type": "track", "userId": "u-1", "event": "Seen"}
    shared = {"user_hash": user_hash_of("u-1", SERVER_KEY).upper()}
    desk.receiver.segment("batch", call({"batch": [item], "context": shared}))
    assert only(desk).source == WRITE_KEY_SOURCE


def test_the_hash_is_hmac_sha256_in_hex() -> None:
    """The value is that of ``openssl dgst -sha256 -hmac key``."""
    assert user_hash_of("u-1", "key") == "7918bbf141a8482b421eab095a74c40e995f985f6452bf436fb9feb70bac2a9a"


def test_a_key_in_both_lists_is_a_write_key_and_an_alarm() -> None:
    secrets = WebhookSecrets.parse({"write_keys": [WRITE_KEY], "server_keys": [WRITE_KEY, SERVER_KEY]}, {})
    assert secrets.server_keys == (SERVER_KEY,)
    assert secrets.rejected == ("server_keys[0]: is a write key as well, which anybody can read; make another one",)
    caller = secrets.caller(WRITE_KEY)
    assert caller is not None
    assert not caller.is_server


def test_without_server_keys_every_key_there_is_is_a_write_key() -> None:
    desk = Desk(secrets=FakeSecret({name: each for name, each in SECRETS.items() if name != "server_keys"}))
    points = {"userId": "u-1", "event": "points_earned", "properties": {"points": 5}}
    outcome = desk.receiver.segment("track", call(points))
    assert isinstance(outcome, Accepted)
    assert outcome.rejected == 1
    assert isinstance(desk.receiver.segment("track", by_server(points)), Refused)


def test_a_server_key_works_where_browsers_put_theirs_too() -> None:
    desk = Desk()
    points = {"userId": "u-1", "event": "points_earned", "properties": {"points": 5}, "writeKey": SERVER_KEY}
    assert desk.receiver.segment("track", posted(points)) == Accepted(1)


@pytest.mark.parametrize("user_id", ["undefined", "null", "guest"])
def test_the_hash_of_a_placeholder_proves_nobody(user_id: str) -> None:
    desk = Desk()
    document = {"userId": user_id, "anonymousId": "a-1", "event": "unsubscribed", **proof(user_id)}
    outcome = desk.receiver.segment("track", call(document))
    assert isinstance(outcome, Accepted)
    assert (outcome.count, outcome.rejected) == (0, 1)


@pytest.mark.parametrize("user_id", ["Lin@Example.com", "会员-7", "42"])
def test_the_hash_is_that_of_the_user_id_as_it_is_sent(user_id: str) -> None:
    desk = Desk()
    desk.receiver.segment("track", call({"userId": user_id, "event": "Seen", **proof(user_id)}))
    assert only(desk).source == WRITE_KEY_SOURCE
