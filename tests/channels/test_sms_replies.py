"""What people send back by text message: a wish to get nothing more is kept at the address, the rest is an event."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from infra.app import main, synthesize
from tests.fakes.clock import FakeClock
from tests.fakes.world import World
from tests.infra.template import NO_BUNDLING, whole
from waypost.channels.reply_words import wish_in
from waypost.contacts.channels import Address, Channel
from waypost.contacts.consent import ALL_TOPICS
from waypost.errors import InvalidInput
from waypost.tracking.record_delivery import delivery_events

PHONE = "+8613800000001"


def payload(text: str, *, reply_id: str = "in-1", sender: str = PHONE) -> dict[str, Any]:
    """What AWS publishes for a message to a two-way number."""
    return {
        "originationNumber": sender,
        "destinationNumber": "+12125550101",
        "messageKeyword": "KEYWORD_000000000000",
        "messageBody": text,
        "inboundMessageId": reply_id,
        "previousPublishedMessageId": "sms-1",
    }


def by_sns(detail: Mapping[str, Any]) -> str:
    """How a queue gets it from a topic."""
    return json.dumps(
        {
            "Type": "Notification",
            "MessageId": "sns-1",
            "TopicArn": "arn:aws:sns:eu-west-1:123456789012:waypost-dev-replies",
            "Message": json.dumps(detail),
            "Timestamp": "2027-03-01T02:00:00.000Z",
        }
    )


# --- words -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "STOP",
        "stop",
        " Stop. ",
        "STOPALL",
        "Stop all",
        "UNSUBSCRIBE",
        "unsubscribe!",
        "TD",
        "ＳＴＯＰ",
        "“stop”",
        "opt-out",
    ],
)
@pytest.mark.parametrize("provider", ["end_user_messaging", "aliyun"])
def test_a_word_of_every_provider_is_a_wish_in_any_spelling(text: str, provider: str) -> None:
    assert wish_in(text, provider=provider) == "opt_out"


@pytest.mark.parametrize(
    "text",
    [
        "R",
        "r",
        "Ｒ",
        " r。",
        "T",
        "N",
        "n!",
        "QX",
        "0000",
        "００００",
        "退订",
        "退订。",
        "【退订】",
        "退訂",
        "取消",
        "拒收",
        "T D",
    ],
)
def test_a_word_of_mainland_china_is_a_wish_there(text: str) -> None:
    assert wish_in(text, provider="aliyun") == "opt_out"


@pytest.mark.parametrize("text", ["R", "T", "N", "0000", "QX"])
def test_a_single_letter_is_no_wish_where_nobody_is_asked_for_one(text: str) -> None:
    assert wish_in(text, provider="end_user_messaging") == ""


@pytest.mark.parametrize(
    "text",
    ["", "。", "don't stop", "Please stop by at noon", "我不想取消订单", "收到", "R2", "00000", "好的，退订吧谢谢"],
)
@pytest.mark.parametrize("provider", ["end_user_messaging", "aliyun"])
def test_a_word_within_a_sentence_is_no_wish(text: str, provider: str) -> None:
    assert wish_in(text, provider=provider) == ""


@pytest.mark.parametrize("text", ["START", "start", "Join", "UNSTOP"])
def test_a_wish_to_come_back_is_read(text: str) -> None:
    assert wish_in(text, provider="end_user_messaging") == "opt_in"


# --- what becomes of them ----------------------------------------------------------------------------------------------


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock("2027-03-01T02:05:00.000Z")


@pytest.fixture
def address() -> Address:
    return Address(Channel("sms"), "phone", PHONE)


def notice(detail: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": "sns-1", "source": "aws.sms-voice.reply", "detail": detail}


def test_a_wish_to_get_nothing_more_is_an_unsubscribe_of_everything(clock: FakeClock, address: Address) -> None:
    [event] = delivery_events(notice(payload("Stop")), clock=clock)
    assert (event.type, event.contact, event.is_our_own) == ("unsubscribed", {"phone": PHONE}, True)
    assert event.properties == {
        "channel": "sms",
        "topic": "",
        "address": address.digest,
        "message_key": "",
        "journey": "",
        "word": "Stop",
    }


@pytest.mark.parametrize(("text", "wish"), [("Where is my order?", ""), ("START", "opt_in")])
def test_any_other_reply_is_an_event_with_its_text(clock: FakeClock, text: str, wish: str) -> None:
    [event] = delivery_events(notice(payload(text)), clock=clock)
    assert (event.type, event.contact) == ("sms_reply", {"phone": PHONE})
    assert (event.properties["text"], event.properties["wish"]) == (text, wish)


def test_a_long_reply_keeps_its_beginning(clock: FakeClock) -> None:
    [event] = delivery_events(notice(payload("x" * 5_000)), clock=clock)
    assert len(event.properties["text"]) == 1_600


def test_the_same_reply_again_is_the_same_event(clock: FakeClock) -> None:
    first, again, other = (
        delivery_events(notice(payload("hello", reply_id=reply_id)), clock=clock)[0].id for reply_id in ("1", "1", "2")
    )
    assert first == again != other


def test_a_reply_from_nobody_is_refused(clock: FakeClock) -> None:
    with pytest.raises(InvalidInput, match="came from nobody"):
        delivery_events(notice(payload("STOP", sender="")), clock=clock)


def test_a_withdrawal_is_kept_at_the_address_before_it_is_an_event(address: Address) -> None:
    world = World()
    recorded = world.record_delivery.record({"q-1": by_sns(payload("TD"))})
    assert (recorded.failed, recorded.queued) == ({}, 1)
    record = world.addresses.of([address])[address.digest]
    assert record.withdrawn == {ALL_TOPICS: world.clock()}
    assert not record.closed


def test_what_somebody_wrote_withdraws_nothing(address: Address) -> None:
    world = World()
    assert world.record_delivery.record({"q-1": by_sns(payload("Thank you"))}).queued == 1
    assert world.addresses.of([address]) == {}


@pytest.mark.parametrize(
    "text",
    [
        '{"Type": "Notification"}',
        '{"Type": "Notification", "Message": "{"}',
        '{"Type": "Notification", "Message": "[]"}',
    ],
)
def test_a_notification_that_is_no_reply_ends_in_the_dead_letters(text: str) -> None:
    recorded = World().record_delivery.record({"q-1": text})
    assert list(recorded.failed) == ["q-1"]


# --- in the account ----------------------------------------------------------------------------------------------------


def test_replies_come_by_a_topic_that_only_text_messaging_of_this_account_may_publish_to(tmp_path: Path) -> None:
    assembly = synthesize(context={**NO_BUNDLING, "sms_two_way": "yes"}, output=tmp_path / "cdk.out")
    [stack] = assembly.stacks
    template = whole(Path(assembly.directory), stack.id)
    [topic] = template.all("SNS::Topic")
    subscription = template.one("SNS::Subscription", Protocol="sqs")
    assert subscription["TopicArn"] == {"Ref": topic}
    assert not subscription.get("RawMessageDelivery")  # record_delivery tells it apart by its envelope
    statements = template.one("SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    [allowed] = [each for each in statements if each["Effect"] == "Allow"]
    assert allowed["Principal"] == {"Service": "sms-voice.amazonaws.com"}
    assert allowed["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    assert template.content["Outputs"]["SmsRepliesTopic"]["Value"] == {"Ref": topic}


def test_without_two_way_numbers_there_is_no_topic(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assembly = synthesize(context=NO_BUNDLING, output=tmp_path / "cdk.out")
    [stack] = assembly.stacks
    assert not whole(Path(assembly.directory), stack.id).all("SNS::Topic")
    assert main(["-c", "sms_two_way=true"]) == 1
    assert "context sms_two_way: must be one of yes, no, not 'true'" in capsys.readouterr().err
