"""Every kind of identity, devices, groups and points, through both doors: signed webhooks and Segment calls."""

from typing import Any

import pytest

from tests.intake.fakes import NOW
from waypost.events.envelope import IDENTITY_KINDS, Event
from waypost.intake import segment_spec, webhook_body
from waypost.intake.event_collector import Reading
from waypost.intake.public_key import Caller

TOKEN = {"token": "fcm-1", "platform": "android"}


def webhook(document: dict[str, Any]) -> Reading:
    return webhook_body.read(
        {"type": "seen"} | document, source="shop", webhook_id="msg_1", received_at=NOW, correlation_id="req-1"
    )


def segment(call: str, document: dict[str, Any]) -> Reading:
    return segment_spec.read(call, document, caller=Caller(is_server=True), received_at=NOW, correlation_id="req-1")


def only(reading: Reading) -> Event:
    assert reading.problems == []
    (event,) = reading.events
    return event


def wrong(reading: Reading) -> list[tuple[str, str]]:
    return [(problem.field, problem.reason) for problem in reading.problems]


def test_a_webhook_names_its_contact_by_any_kind_of_identity() -> None:
    contact = {
        "user_id": "u-1", "anonymous_id": "a-1", "unionid": "o6_bmasdasdsad6_2sgVt7hMZOPfL",
        "external_userid": "wmqfasd1e19278asdasdAAAA", "openid": "wx8f0a:oLVPpjqs9BhvzwPj5A-vTYAX3GLc",
        "email": "mei@example.com", "phone": "+8613800138000",
    }  # fmt: skip
    assert set(contact) == set(IDENTITY_KINDS)
    assert only(webhook({"contact": contact})).contact == contact
    for kind, value in contact.items():
        assert only(webhook({"contact": {kind: value}})).contact == {kind: value}


def test_a_webhook_may_spell_them_as_wechat_does() -> None:
    event = only(webhook({"contact": {"unionId": "o6", "openId": "wx1:o1", "externalUserId": "wm1"}}))
    assert event.contact == {"unionid": "o6", "openid": "wx1:o1", "external_userid": "wm1"}


@pytest.mark.parametrize(
    ("contact", "field", "reason"),
    [
        ({"openid": "oLVPpjqs9Bhv"}, "contact.openid", "should be <account>:<openid>"),
        ({"openid": ":o1"}, "contact.openid", "should be <account>:<openid>"),
        ({"openid": "wx1:o 1"}, "contact.openid", "should be <account>:<openid>"),
        ({"unionid": "o6 bmasd"}, "contact.unionid", "should be a unionid"),
        ({"external_userid": "小林"}, "contact.external_userid", "should be an external_userid"),
        ({"union": "o6"}, "contact.union", "is not a field of this format"),
    ],
)
def test_a_wrong_identity_is_refused_with_field_and_reason(contact: dict[str, str], field: str, reason: str) -> None:
    ((found, why),) = wrong(webhook({"contact": {"user_id": "u-1"} | contact}))
    assert (found, why[: len(reason)]) == (field, reason)


def test_traits_of_identify_and_of_any_other_calls_context_name_identities() -> None:
    traits = {"unionId": "o6", "openid": "wx1:o1", "external_userid": "wm1", "plan": "pro"}
    event = only(segment("identify", {"userId": "u-1", "traits": traits}))
    assert event.contact == {"user_id": "u-1", "unionid": "o6", "openid": "wx1:o1", "external_userid": "wm1"}
    assert event.profile == {"plan": "pro"}
    event = only(segment("track", {"event": "Seen", "userId": "u-1", "context": {"traits": traits}}))
    assert event.contact == {"user_id": "u-1", "unionid": "o6", "openid": "wx1:o1", "external_userid": "wm1"}
    assert event.profile == {}


def test_a_wrong_identity_among_traits_is_refused() -> None:
    assert wrong(segment("identify", {"userId": "u-1", "traits": {"openid": "o1"}}))[0][0] == "traits.openid"
    assert wrong(segment("identify", {"userId": "u-1", "traits": {"unionid": 7}})) == [
        ("traits.unionid", "should be text")
    ]
    twice = {"unionid": "o6", "unionId": "o7"}
    assert wrong(segment("identify", {"userId": "u-1", "traits": twice})) == [
        ("traits.unionId", "should be the only unionid")
    ]


def external(*ids: tuple[str, str], **more: str) -> dict[str, Any]:
    given = [{"id": value, "type": kind, "collection": "users", "encoding": "none", **more} for kind, value in ids]
    return {"userId": "u-1", "event": "Seen", "context": {"externalIds": given}}


def test_external_ids_of_users_are_identities() -> None:
    ids = external(("unionid", "o6"), ("openid", "wx1:o1"), ("email", "Mei@Example.com"), ("phone", "138 0013 8000"))
    assert only(segment("track", ids)).contact == {
        "user_id": "u-1", "unionid": "o6", "openid": "wx1:o1", "email": "mei@example.com", "phone": "+8613800138000",
    }  # fmt: skip


def test_external_ids_we_do_not_keep_are_left_alone() -> None:
    assert only(segment("track", external(("ga_client_id", "1.2")))).contact == {"user_id": "u-1"}
    assert only(segment("track", external(("unionid", "o6"), collection="accounts"))).contact == {"user_id": "u-1"}
    assert only(segment("track", external(("email", "5f1d"), encoding="sha256"))).contact == {"user_id": "u-1"}


@pytest.mark.parametrize(
    ("ids", "field", "reason"),
    [
        ([("openid", "o1")], "context.externalIds[0].id", "should be <account>:<openid>"),
        ([("openid", "wx1:o1"), ("openid", "wx2:o2")], "context.externalIds[1].id", "should be the only openid"),
        ([("user_id", "u-2")], "context.externalIds", "should not differ from the call's own user_id"),
        ([("unionid", "")], "context.externalIds[0].id", ""),
    ],
)
def test_external_ids_that_cannot_be_are_refused(ids: list[tuple[str, str]], field: str, reason: str) -> None:
    ((found, why),) = wrong(segment("track", external(*ids)))
    assert found == field
    assert reason in why


def test_a_call_may_be_known_by_an_external_id_alone() -> None:
    call = external(("user_id", "u-7"))
    del call["userId"]
    assert only(segment("track", call)).contact == {"user_id": "u-7"}


def test_the_token_of_a_device_comes_with_every_call() -> None:
    context = {"device": {"id": "B5372DB0", "type": "Android", "token": "fcm-1"}}
    assert only(segment("screen", {"userId": "u-1", "context": context})).profile == {"push_tokens": [TOKEN]}
    assert only(segment("screen", {"userId": "u-1", "context": {"device": {"type": "ios"}}})).profile == {}
    for unusable in ("t" * 5000, "null", "undefined", "(null)", "[object Object]", "fcm\ufffd"):
        assert only(segment("screen", {"userId": "u-1", "context": {"device": {"token": unusable}}})).profile == {}
    batch = {"batch": [{"type": "screen", "userId": "u-1"}], "context": context}
    assert only(segment("batch", batch)).profile == {"push_tokens": [TOKEN]}


def test_devices_among_traits_and_in_a_profile_are_checked() -> None:
    assert only(segment("identify", {"userId": "u-1", "traits": {"pushTokens": [TOKEN]}})).profile == {
        "push_tokens": [TOKEN]
    }
    assert only(webhook({"contact": {"user_id": "u-1"}, "profile": {"push_tokens": None}})).profile == {
        "push_tokens": None
    }
    for given in (
        "fcm-1",
        ["fcm-1"],
        [{"token": "fcm-1"}],
        [{**TOKEN, "app": "x"}],
        [{**TOKEN, "token": ""}],
        [{**TOKEN, "token": "undefined"}],
        [TOKEN] * 21,
    ):
        [(field, _)] = wrong(webhook({"contact": {"user_id": "u-1"}, "profile": {"push_tokens": given}}))
        assert field.removesuffix("[0]") == "profile.push_tokens"


def test_one_bad_device_loses_no_good_one_beside_it() -> None:
    devices = [{"token": "null", "platform": "ios"}, TOKEN, "fcm-2", {"token": "fcm-3"}]
    sent = webhook({"contact": {"user_id": "u-1"}, "profile": {"push_tokens": devices}})
    assert [event.profile for event in sent.events] == [{"push_tokens": [TOKEN]}]
    assert [problem.field for problem in sent.problems] == [f"profile.push_tokens[{index}]" for index in (0, 2, 3)]
    many = [{"token": f"fcm-{number}", "platform": "android"} for number in range(25)]
    [event] = webhook({"contact": {"user_id": "u-1"}, "profile": {"push_tokens": many}}).events
    assert event.profile["push_tokens"] == many[-20:]


def test_groups_are_joined_and_left_by_profile_and_by_events() -> None:
    profile = {"groups": ["beijing", " beijing"], "leave_groups": ["wuhan"], "remove_tags": ["new"]}
    assert only(webhook({"contact": {"user_id": "u-1"}, "profile": profile})).profile == {
        "groups": ["beijing"], "leave_groups": ["wuhan"], "remove_tags": ["new"],
    }  # fmt: skip
    joined = only(segment("group", {"userId": "u-1", "groupId": "acme", "traits": {"name": "Acme"}}))
    assert (joined.type, joined.properties["group"], joined.profile) == ("group_joined", "acme", {})


@pytest.mark.parametrize(
    ("profile", "field"),
    [({"groups": "beijing"}, "profile.groups"), ({"leave_groups": [""]}, "profile.leave_groups[0]"), ({"remove_tags": [1]}, "profile.remove_tags[0]")],
)  # fmt: skip
def test_wrong_lists_of_names_are_refused(profile: dict[str, Any], field: str) -> None:
    assert [each for each, _ in wrong(webhook({"contact": {"user_id": "u-1"}, "profile": profile}))] == [field]


@pytest.mark.parametrize("points", [None, "7", 7.5, True, -1, 1_000_000_001])
def test_points_that_cannot_be_counted_are_refused(points: Any) -> None:
    document = {"type": "points_earned", "contact": {"user_id": "u-1"}, "properties": {"points": points}}
    assert wrong(webhook(document)) == [("properties.points", "should be a whole number from 0 to 1,000,000,000")]
    call = {"userId": "u-1", "event": "Points Spent", "properties": {"points": points}}
    assert wrong(segment("track", call))[0][0] == "properties.points"


def test_a_group_event_without_a_group_is_refused() -> None:
    document = {"type": "group_left", "contact": {"user_id": "u-1"}}
    assert [field for field, _ in wrong(webhook(document))] == ["properties.group"]
    assert only(webhook({**document, "properties": {"group": "acme"}})).properties == {"group": "acme"}


def test_a_balance_is_not_a_trait() -> None:
    reading = segment("identify", {"userId": "u-1", "traits": {"points": 100, "plan": "pro"}})
    assert only(reading).profile == {"plan": "pro"}
    assert [warning.field for warning in reading.warnings] == ["traits.points"]


@pytest.mark.parametrize(
    ("given", "spelled"),
    [
        ("Ann@Example.COM", "ann@example.com"),
        ("ann+shop@example.com", "ann+shop@example.com"),
        ("U-17", "U-17"),
        ("Ann@intranet", "Ann@intranet"),
        ("@Ann", "@Ann"),
        ("Ann@Example.com/7", "Ann@Example.com/7"),
    ],
)
def test_a_user_id_that_is_an_address_is_spelled_as_one_at_every_door(given: str, spelled: str) -> None:
    assert only(webhook({"contact": {"user_id": given}})).contact == {"user_id": spelled}
    assert only(segment("track", {"userId": given, "event": "Seen"})).contact == {"user_id": spelled}
    assert only(segment("track", {"anonymousId": given, "event": "Seen"})).contact == {"anonymous_id": given}
