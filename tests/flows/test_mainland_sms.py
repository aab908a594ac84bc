"""One channel, two providers: numbers of mainland China get the approved template, all others the text of their locale."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
import yaml

from infra.project import ROOT, Project
from local.cloud.assembly import synthesize
from local.cloud.local_cloud import LocalCloud
from local.providers.record import Call
from tests.flows.projects import copy_content
from tests.flows.steps import accepted, by_day, decided, introduce

pytestmark = pytest.mark.flow

JOURNEY = {
    "scenario": "thanks",
    "description": "Thanks for an order.",
    "owner": "growth team",
    "trigger": {"event": "order_placed"},
    "re_entry": "always",
}
DEFINITION = {
    "Comment": "Thanks.",
    "QueryLanguage": "JSONata",
    "StartAt": "Thank by text message",
    "States": {
        "Thank by text message": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Arguments": {
                "FunctionName": "${SendMessage}",
                "Payload": {"message": "thanks", "context": "{% $states.context %}"},
            },
            "End": True,
        }
    },
}
MESSAGE = {
    "kind": "marketing",
    "topic": "product-news",
    "channels": ["sms"],
    "mainland_sms": {
        "signature": "路标商店",
        "template": "SMS_200000001",
        "type": "promotional",
        "text": "${name}，感谢惠顾，会员日全场八折 拒收请回复R",
        "variables": {"name": "{{ contact.name | default('会员') }}"},
    },
}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    folder = tmp_path_factory.mktemp("mainland")
    journeys = copy_content(folder) / "journeys"
    message = journeys / "order-thanks" / "messages" / "thanks"
    message.mkdir(parents=True)
    for path, content in (
        (journeys / "order-thanks" / "journey.yaml", JOURNEY),
        (journeys / "order-thanks" / "definition.asl.yaml", DEFINITION),
        (message / "message.yaml", MESSAGE),
    ):
        path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    (message / "sms.zh-CN.txt").write_text("【路标】感谢惠顾 拒收请回复R", encoding="utf-8")
    (message / "sms.en.txt").write_text("Thank you. Reply STOP to opt out", encoding="utf-8")
    choices = {"context": {"sms_provider": "end_user_messaging,aliyun", "sms_two_way": "yes"}}
    (folder / "cdk.json").write_text(json.dumps(choices), encoding="utf-8")
    project = Project.at(folder)
    assembly = synthesize(project, ROOT / "out" / "assembly")
    with LocalCloud(folder / "cloud", project=project, assembly=assembly) as cloud:
        yield cloud


def ordered(cloud: LocalCloud, user_id: str, **traits: str) -> Call:
    """The call to a provider that the order of a new contact leads to."""
    by_day(cloud)
    introduce(cloud, user_id, **traits)
    accepted(cloud.tracking.track(user_id, "order_placed", {"order_id": f"o-{user_id}"}, at=cloud.clock.now()))
    cloud.time.settle()
    [call] = [call for call in cloud.providers.accepted if call.recipient == traits["phone"]]
    return call


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_a_number_of_mainland_china_gets_the_approved_template_in_whatever_locale(
    cloud: LocalCloud, locale: str
) -> None:
    user_id = f"lin-{locale.lower()}"
    phone = "+8613700000001" if locale == "en" else "+8613700000002"
    call = ordered(cloud, user_id, name="林", phone=phone, locale=locale)
    assert call.provider == "aliyun"
    assert call.content.text == "【路标商店】林，感谢惠顾，会员日全场八折 拒收请回复R"
    assert call.request["TemplateParam"] == '{"name": "林"}'
    [decision] = decided(cloud, user_id)
    assert (decision.outcome, decision.channel) == ("sent", "sms")


def test_a_number_elsewhere_gets_the_text_of_its_locale(cloud: LocalCloud) -> None:
    call = ordered(cloud, "ann", phone="+85291234567", locale="en")
    assert (call.provider, call.content.text) == ("end_user_messaging", "Thank you. Reply STOP to opt out")


def test_a_reply_that_wants_nothing_more_keeps_the_next_message_back(cloud: LocalCloud) -> None:
    phone = "+85291230000"
    ordered(cloud, "leaver", phone=phone, locale="en")
    reply = {
        "originationNumber": phone,
        "destinationNumber": "+12125550101",
        "messageKeyword": "STOP",
        "messageBody": "Stop",
        "inboundMessageId": "in-1",
    }
    cloud.client("sns").publish(TopicArn=cloud.access.outputs["SmsRepliesTopic"], Message=json.dumps(reply))
    cloud.time.settle()
    cloud.time.travel_to(cloud.clock.now() + timedelta(days=3))
    by_day(cloud)
    accepted(cloud.tracking.track("leaver", "order_placed", {"order_id": "o-again"}, at=cloud.clock.now()))
    cloud.time.settle()
    first, second = decided(cloud, "leaver")
    assert (first.outcome, second.outcome, second.reason) == ("sent", "skipped", "consent_withdrawn")
