"""What stands between a person and a message: a signed webhook, a WeChat account, a button that confirms, a colleague who approves."""

import html
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.project import Project
from local.cloud.local_cloud import LocalCloud
from local.loopback import Answer, call
from local.messages.message_folder import message_called
from local.messages.version import hand_in, packed
from local.problems import LocalError
from local.providers.record import Call, Fault
from local.running.file_operations import FileOperations
from local.running.operation_runs import run_operation
from tests.flows.message_journeys import add_journey
from tests.flows.projects import cloud_of, copy_content
from tests.flows.steps import (
    accepted,
    by_day,
    decided,
    end_workers,
    enrolment_of,
    eventually,
    heard,
    introduce,
    items,
    only,
    rows,
    travel,
    waiting_at,
)
from waypost import ids
from waypost.channels.wechat.fake import ACCOUNT
from waypost.channels.wecom.fake import FAKES
from waypost.contacts.channels import Channel

pytestmark = pytest.mark.flow

TRIAL = "trial"
WHATSAPP = Channel("whatsapp")

MEMBERS = {
    "members": [
        {"id": "lin.chen", "name": "陈琳", "email": "lin.chen@acme.example", "roles": ["editor"], "locale": "zh-CN"},
        {"id": "wei.zhang", "name": "Wei Zhang", "email": "wei.zhang@acme.example", "roles": ["lead"], "locale": "en"},
        {"id": "bo.li", "name": "李波", "email": "bo.li@acme.example", "channels": {"wecom": "LiBo"}},
    ],
    "queues": {"sales": ["lin.chen"], "service": ["lin.chen"]},
}
LATER_OPENID = "oLVPpjqs9BhvzwPj5A-vTYAX4HMd"
OPENID = "oLVPpjqs9BhvzwPj5A-vTYAX3GLc"
MAIL = """<mjml lang="zh-CN"><mj-body><mj-section><mj-column>
<mj-text>请确认订阅。</mj-text><mj-button href="{{ links.confirm_consent }}">去确认</mj-button>
</mj-column></mj-section></mj-body></mjml>
"""
REPLY = {"kind": "reply", "account": ACCOUNT}
REPLIES = [
    {"to": "staff_added_contact", "message": "new-friend"},
    {"to": "wechat_message_received", "contains": ["发货"], "message": "shipping"},
]
SCENES = {
    "mall-2": {
        "source": "万象城店",
        "staff": "lin.chen",
        "wechat": {"account": ACCOUNT},
        "wecom": {"members": ["bo.li"]},
    }
}
WELCOME = {"kind": "welcome", "url": "https://shop.example/new"}
CUSTOMER = "woAJ2GCAAAXtWyujaWJHDDGi0mACAAAA"
COUPON_MAIL = """<mjml lang="zh-CN"><mj-body><mj-section><mj-column>
<mj-text>券码 {{ coupon.code }}，{{ coupon.expires_at | date }} 前有效。</mj-text>
</mj-column></mj-section></mj-body></mjml>
"""
USED_MAIL = """<mjml lang="zh-CN"><mj-body><mj-section><mj-column>
<mj-text>订单 {{ event.properties.order_id | default('-') }} 已使用优惠券。</mj-text>
</mj-column></mj-section></mj-body></mjml>
"""
READER = {
    "user-agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Mobile/15E148",
    "accept-language": "zh-CN",
}
FORM = {**READER, "content-type": "application/x-www-form-urlencoded"}


def letter(salutation: str) -> dict[str, str]:
    """The file of a webhook message."""
    return {"webhook.zh-CN.json": json.dumps({"template": "letter-7", "salutation": salutation}, ensure_ascii=False)}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("other-channels")
    journeys = copy_content(folder) / "journeys"
    salutation = "{{ contact.name | default('您') }}，您好"
    add_journey(journeys, "letter", "order_placed", {"channels": ["webhook"]}, letter(salutation))
    wechat = {"kind": "template", "account": ACCOUNT, "template": "4m3vrpiSA-BDcL0YbQxVZm8KfYbC1aQqGJ3yq0b6n5E"}
    add_journey(
        journeys,
        "shipped",
        "order_shipped",
        {"channels": ["wechat"], "wechat": {**wechat, "url": "https://shop.example/orders"}},
        {
            "wechat.zh-CN.yaml": "thing1: 您的订单已发货\ncharacter_string2: \"{{ event.properties.order_id | default('-') }}\"\n"
        },
    )
    subject = {"zh-CN": "请确认订阅"}
    add_journey(
        journeys, "opt-in", "consent_requested", {"channels": ["email"], "subject": subject}, {"email.zh-CN.mjml": MAIL}
    )
    add_journey(
        journeys,
        "parcel",
        "parcel_late",
        {"channels": ["whatsapp", "sms"], "whatsapp": {"kind": "text"}},
        {"whatsapp.zh-CN.yaml": "text: 您的包裹晚到一天", "sms.zh-CN.txt": "您的包裹晚到一天"},
    )
    friend = folder / "statemachines" / "replies" / "new-friend"
    shipping = friend.parent / "shipping"
    for each in (friend, shipping):
        each.mkdir(parents=True)
    for path, content in (
        (
            friend / "message.yaml",
            {"kind": "transactional", "topic": "service", "channels": ["wecom"], "wecom": WELCOME},
        ),
        (friend / "wecom.zh-CN.yaml", {"text": "您好，很高兴认识您", "title": "本周新品"}),
        (
            shipping / "message.yaml",
            {"kind": "transactional", "topic": "service", "channels": ["wechat"], "wechat": REPLY},
        ),
        (shipping / "wechat.zh-CN.yaml", {"text": "包裹已发出，{{ event.properties.text | default('') }}"}),
        (friend.parents[1] / "replies.yaml", {"replies": REPLIES}),
        (friend.parents[1] / "scenes.yaml", {"scenes": SCENES}),
    ):
        path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    gift = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {
            "FunctionName": "${IssueCoupon}",
            "Payload": {"pool": "welcome-10", "context": "{% $states.context %}"},
        },
    }
    add_journey(
        journeys,
        "gift",
        "review_written",
        {"channels": ["email"], "subject": {"zh-CN": "{{ coupon.label }}"}, "coupon": "welcome-10"},
        {"email.zh-CN.mjml": COUPON_MAIL},
        before=gift,
    )
    add_journey(
        journeys,
        "gift-used",
        "coupon_redeemed",
        {"channels": ["email"], "subject": subject},
        {"email.zh-CN.mjml": USED_MAIL},
    )
    a_day = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Arguments": {
            "FunctionName": "${PauseJourney}",
            "Payload": {"for": "1d", "context": "{% $states.context %}"},
        },
    }
    add_journey(journeys, TRIAL, "trial_started", {"channels": ["webhook"]}, letter("试用"), before=a_day)
    shop_codes = {
        "label": {"zh-CN": "商城券"},
        "benefit": {"kind": "free_shipping"},
        "valid": {"days": 30},
        "codes": "imported",
    }
    coupons = folder / "statemachines" / "coupons" / "shop-codes.yaml"
    coupons.write_text(yaml.safe_dump(shop_codes, allow_unicode=True), encoding="utf-8")
    tags = folder / "statemachines" / "contacts" / "tags.yaml"
    declared = yaml.safe_load(tags.read_text(encoding="utf-8"))
    declared["tags"]["vip"]["wecom"] = {"group": "客户等级", "name": "VIP"}
    tags.write_text(yaml.safe_dump(declared, allow_unicode=True), encoding="utf-8")
    staff = folder / "statemachines" / "staff"
    staff.mkdir(exist_ok=True)
    (staff / "members.yaml").write_text(yaml.safe_dump(MEMBERS, allow_unicode=True), encoding="utf-8")
    return Project.at(folder)


@pytest.fixture(scope="module")
def cloud(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    with cloud_of(project, tmp_path_factory.mktemp("cloud")) as cloud:
        yield cloud


def happens(cloud: LocalCloud, user_id: str, event: str, **properties: Any) -> None:
    """The event, by day, and all that it leads to."""
    by_day(cloud)
    accepted(cloud.tracking.track(user_id, event, properties, at=cloud.clock.now()))
    cloud.time.settle()


def sent_to(cloud: LocalCloud, recipient: str) -> list[Call]:
    return [call for call in cloud.providers.accepted if call.recipient == recipient]


def test_a_webhook_message_arrives_signed_once_in_the_form_that_was_written(cloud: LocalCloud) -> None:
    introduce(cloud, "u-letter", name="林")
    happens(cloud, "u-letter", "order_placed", order_id="o-1")
    [arrived] = sent_to(cloud, "u-letter")
    body = json.loads(arrived.request["body"])
    assert body["data"]["content"] == {"template": "letter-7", "salutation": "林，您好"}
    assert arrived.request["headers"]["webhook-id"] == body["data"]["message_key"] == arrived.message_key
    [decision] = decided(cloud, "u-letter")
    assert (decision.outcome, decision.channel) == ("sent", "webhook")


def test_a_webhook_whose_receiver_breaks_off_is_unknown_and_not_repeated(cloud: LocalCloud) -> None:
    introduce(cloud, "u-broken")
    cloud.providers.fail(Fault(kind="drop"))
    happens(cloud, "u-broken", "order_placed", order_id="o-2")
    [decision] = decided(cloud, "u-broken")
    assert decision.outcome == "unknown"
    [row] = rows(cloud, "u-broken", "message").values()
    assert [each.outcome for each in cloud.providers.calls if each.message_key == row["message_key"]] == ["drop"]


def test_a_template_message_reaches_the_follower_in_the_account_it_names(cloud: LocalCloud) -> None:
    introduce(cloud, "u-follower", openid=f"{ACCOUNT}:{OPENID}")
    happens(cloud, "u-follower", "order_shipped", order_id="A-1042")
    [arrived] = sent_to(cloud, f"{ACCOUNT}:{OPENID}")
    assert arrived.request["client_msg_id"] == arrived.message_key
    assert arrived.request["data"]["character_string2"] == {"value": "A-1042"}
    [decision] = decided(cloud, "u-follower")
    assert (decision.outcome, decision.channel) == ("sent", "wechat")


def test_a_message_to_a_person_without_an_openid_waits_for_one(cloud: LocalCloud) -> None:
    introduce(cloud, "u-stranger")
    happens(cloud, "u-stranger", "order_shipped", order_id="A-1043")
    [decision] = decided(cloud, "u-stranger")
    assert (decision.outcome, decision.reason) == ("deferred", "missing_address")
    follower = f"{ACCOUNT}:{LATER_OPENID}"
    introduce(cloud, "u-stranger", openid=follower)
    cloud.time.travel_to(cloud.clock.now() + timedelta(minutes=5))
    cloud.time.settle()
    [arrived] = sent_to(cloud, follower)
    assert arrived.request["data"]["character_string2"] == {"value": "A-1043"}


def test_a_text_by_whatsapp_goes_out_while_the_conversation_is_open_and_by_sms_after_it(cloud: LocalCloud) -> None:
    phone = "+16505550123"
    introduce(cloud, "u-writer", phone=phone)
    cloud.providers.perform(WHATSAPP, "write", {"phone": phone, "text": "Where is it?"})
    cloud.time.settle()
    happens(cloud, "u-writer", "parcel_late", order_id="A-1")
    cloud.time.travel_to(cloud.clock.now() + timedelta(hours=25))
    happens(cloud, "u-writer", "parcel_late", order_id="A-2")
    assert [call.channel for call in sent_to(cloud, phone)] == ["whatsapp", "sms"]
    first, second = sorted(decided(cloud, "u-writer"), key=lambda each: each.at)
    assert (first.outcome, first.channel, second.outcome, second.channel) == ("sent", "whatsapp", "sent", "sms")

    [by_whatsapp, _] = sent_to(cloud, phone)
    for word in ("delivered", "read"):
        cloud.providers.say(by_whatsapp, word)
    cloud.providers.perform(WHATSAPP, "write", {"phone": phone, "text": "STOP"})
    cloud.time.settle()
    states = {row["message_key"]: row["state"] for row in rows(cloud, "u-writer", "message").values()}
    assert states[by_whatsapp.message_key] == "delivered"
    kept = [row.get("type") for row in items(cloud).everything(ids.contact_id("user_id", "u-writer"))]
    assert (kept.count("message_opened"), kept.count("whatsapp_reply"), kept.count("unsubscribed")) == (1, 1, 1)


def test_a_new_friend_in_wecom_is_welcomed_before_the_callback_is_answered(cloud: LocalCloud) -> None:
    [wecom] = FAKES
    values = {"customer": CUSTOMER, "member": "lin.chen.wx", "state": "shop-7"}
    answers = cloud.providers.perform(Channel("wecom"), "add-customer", values, times=2)
    [code] = wecom.codes
    assert [(answer.status, answer.body) for answer in answers] == [(200, b"success")] * 2
    assert wecom.welcomed == [CUSTOMER]

    cloud.time.settle()
    [arrived] = sent_to(cloud, CUSTOMER)
    assert (arrived.content.subject, arrived.content.text.splitlines()[0]) == ("本周新品", "您好，很高兴认识您")
    friend = ids.contact_id("external_userid", CUSTOMER)
    kept = items(cloud).everything(friend)
    [added] = [row for row in kept if row.get("type") == "staff_added_contact"]
    assert added["properties"] == {"channel": "wecom", "staff": "lin.chen.wx", "state": "shop-7"}
    [row] = [row for row in kept if str(row["sk"]).startswith("message#")]
    assert (row["state"], row["message"], row["message_key"]) == (
        "accepted",
        "replies/new-friend",
        arrived.message_key,
    )
    assert code not in json.dumps(kept, default=str)


def test_a_keyword_is_answered_in_the_answer_to_wechats_call_alike_and_counted_once(cloud: LocalCloud) -> None:
    writer = "oLVPpjqs9BhvzwPj5A-vTYAX5KWe"
    values = {"openid": writer, "text": "什麼時候發貨"}
    answers = cloud.providers.perform(Channel("wechat"), "write", values, times=2)
    assert [answer.status for answer in answers] == [200, 200]
    [seen] = sent_to(cloud, f"{ACCOUNT}:{writer}")
    assert (seen.content.text, seen.request["kind"]) == ("包裹已发出，什麼時候發貨", "reply")

    cloud.time.settle()
    kept = items(cloud).everything(ids.contact_id("openid", f"{ACCOUNT}:{writer}"))
    [written] = [row for row in kept if row.get("type") == "wechat_message_received"]
    assert written["properties"]["text"] == "什麼時候發貨"
    [row] = [row for row in kept if str(row["sk"]).startswith("message#")]
    assert (row["state"], row["message"]) == ("accepted", "replies/shipping")
    other = cloud.providers.perform(Channel("wechat"), "write", {"openid": writer, "text": "你好"})
    assert [(answer.status, answer.body) for answer in other] == [(200, b"success")]


def test_a_code_is_made_once_and_who_follows_by_it_is_known(cloud: LocalCloud) -> None:
    access = {"outputs": cloud.access.outputs, "endpoint_url": cloud.access.endpoint_url}
    first, again = (run_operation(access, "make-codes", {}) for _ in range(2))
    assert (first["made"], first["failed"], again["made"], again["alive"]) == (2, [], 0, 2)
    with pytest.raises(LocalError, match="not declared"):
        run_operation(access, "make-codes", {"scenes": ["nowhere"]})

    follower = "oLVPpjqs9BhvzwPj5A-vTYAX6FSc"
    cloud.providers.perform(Channel("wechat"), "follow", {"openid": follower, "scene": "mall-2"}, times=2)
    cloud.time.settle()
    kept = items(cloud).everything(ids.contact_id("openid", f"{ACCOUNT}:{follower}"))
    [followed] = [row for row in kept if row.get("type") == "wechat_followed"]
    assert {"scene": "mall-2", "came_from": "万象城店", "staff": "lin.chen"}.items() <= followed["properties"].items()
    [profile] = [row for row in kept if "attributes" in row]
    assert {"first_source": "万象城店", "owner": "lin.chen"}.items() <= profile["attributes"].items()

    customer = "woAJ2GCAAAXtWyujaWJHDDGi0mACBBBB"
    cloud.providers.perform(Channel("wecom"), "scan-code", {"customer": customer, "state": "mall-2"})
    cloud.time.settle()
    kept = items(cloud).everything(ids.contact_id("external_userid", customer))
    [added] = [row for row in kept if row.get("type") == "staff_added_contact"]
    assert {"state": "mall-2", "came_from": "万象城店", "staff": "LiBo"}.items() <= added["properties"].items()
    [profile] = [row for row in kept if "attributes" in row]
    assert {"first_source": "万象城店", "owner": "LiBo"}.items() <= profile["attributes"].items()


def test_the_follower_and_the_customer_of_one_unionid_are_one_contact_whose_tags_are_alike(cloud: LocalCloud) -> None:
    [wecom] = FAKES
    follower, customer = "oLVPpjqs9BhvzwPj5A-vTYAX7UNI", "woAJ2GCAAAXtWyujaWJHDDGi0mACUNIO"
    unionid = "o6_bmasdasdsad6_2sgVt7hMZOPfL"
    cloud.providers.perform(Channel("wechat"), "follow", {"openid": follower, "unionid": unionid})
    cloud.time.settle()
    pair = {"customer": customer, "member": "LiBo"}
    cloud.providers.perform(Channel("wecom"), "add-customer", {**pair, "unionid": unionid})
    cloud.time.settle()
    known = [ids.contact_id("openid", f"{ACCOUNT}:{follower}"), ids.contact_id("external_userid", customer)]

    def profile() -> dict[str, Any]:
        kept = [
            row for each in known for row in items(cloud).everything(each) if "wecom_staff" in row.get("attributes", {})
        ]
        return only({str(number): row for number, row in enumerate(kept)})

    assert profile()["identities"] == {
        "openid": [f"{ACCOUNT}:{follower}"],
        "external_userid": [customer],
        "unionid": [unionid],
    }
    assert profile()["attributes"]["wecom_staff"] == ["LiBo"]

    cloud.providers.perform(Channel("wecom"), "tag-customer", {**pair, "group": "客户等级", "tag": "VIP"})
    cloud.time.settle()
    assert "vip" in profile()["tags"]
    introduce(cloud, "u-union", unionid=unionid, remove_tags=["vip"])
    cloud.time.settle()
    assert (wecom.customers.tags_of(customer, "LiBo"), wecom.customers.marks) == ([], 1)


def test_a_coupon_is_issued_and_the_order_that_names_it_redeems_it_once(cloud: LocalCloud) -> None:
    introduce(cloud, "u-coupon")
    happens(cloud, "u-coupon", "review_written")
    [gift] = sent_to(cloud, "u-coupon@example.com")
    [code] = re.findall(r"券码 ([A-Z0-9-]+)", gift.content.text)
    [held] = rows(cloud, "u-coupon", "coupon").values()
    assert (held["code"], held["pool"]) == (code, "welcome-10")
    for _ in range(2):
        happens(cloud, "u-coupon", "order_paid", order_id="o-9", coupon=code.lower())
    [_, thanks] = sent_to(cloud, "u-coupon@example.com")
    assert "订单 o-9 已使用优惠券" in thanks.content.text
    [held] = rows(cloud, "u-coupon", "coupon").values()
    assert held["redeemed_by"]
    assert types_of(cloud, "u-coupon").count("coupon_redeemed") == 1


def test_codes_of_the_shop_are_taken_into_their_pool_once(cloud: LocalCloud, tmp_path: Path) -> None:
    access = {"outputs": cloud.access.outputs, "endpoint_url": cloud.access.endpoint_url}
    file = tmp_path / "codes.csv"
    file.write_text("code,valid_until\nSHOP-1,\nSHOP-2,2099-01-01T00:00:00+08:00\nno code,\n", encoding="utf-8")
    given = {"pool": "shop-codes", "file": FileOperations(access).upload(file)}
    first, again = (run_operation(access, "import-coupons", given) for _ in range(2))
    assert (first["added"], first["there"], first["rejected"]) == (2, 0, 1)
    assert (again["added"], again["there"]) == (0, 2)
    assert first["rejections"][0]["row"] == 4
    with pytest.raises(LocalError, match="welcome-10 generates its codes"):
        run_operation(access, "import-coupons", {**given, "pool": "welcome-10"})


def link_in(message: Call, path: str) -> str:
    """The link to a page in a mail."""
    found: list[str] = re.findall(rf'https?://[^"\s<>]+/{path}/[\w.~-]+', html.unescape(message.content.html))
    return found[0]


def types_of(cloud: LocalCloud, user_id: str) -> list[str]:
    return [row["type"] for row in heard(cloud, user_id).values()]


def consents(cloud: LocalCloud, user_id: str) -> dict[str, Any]:
    """What the profile says of consent."""
    [profile] = rows(cloud, user_id, "profile").values()
    return dict(profile["consents"])


def test_consent_begins_with_the_button_and_not_with_the_link(cloud: LocalCloud) -> None:
    introduce(cloud, "u-asked", consent={})
    happens(cloud, "u-asked", "consent_requested", topic="news", text_version="2027-01")
    [mail] = sent_to(cloud, "u-asked@example.com")
    page = link_in(mail, "c")

    scanned = call("GET", page, headers=READER)
    cloud.time.settle()
    assert (scanned.status, b"<form" in scanned.body) == (200, True)
    assert "consent_confirmed" not in types_of(cloud, "u-asked")
    assert "email/news" not in consents(cloud, "u-asked")

    pressed: list[Answer] = [call("POST", page, body=b"", headers=FORM) for _ in range(2)]
    cloud.time.settle()
    assert [answer.status for answer in pressed] == [200, 200]
    assert types_of(cloud, "u-asked").count("consent_confirmed") == 1
    [evidence] = [row for row in heard(cloud, "u-asked").values() if row["type"] == "consent_confirmed"]
    assert consents(cloud, "u-asked")["email/news"]["granted"] is True
    assert evidence["properties"]["topic"] == "news"
    assert evidence["properties"]["text_version"] == "2027-01"


def test_a_changed_message_goes_out_only_after_a_second_person_approved_it(cloud: LocalCloud, project: Project) -> None:
    access = {"outputs": cloud.access.outputs, "endpoint_url": cloud.access.endpoint_url}
    folder = project.folder / "statemachines" / "journeys" / "letter" / "messages" / "letter"
    for file, text in letter("尊敬的会员").items():
        (folder / file).write_text(text, encoding="utf-8")
    key = hand_in(packed(message_called("letter/letter", project)), access)
    by_day(cloud)
    given = {"action": "publish", "message": "letter/letter", "file": key, "by": "lin.chen", "approver": "wei.zhang"}
    published = run_operation(access, "publish-message", given)
    cloud.time.settle()

    introduce(cloud, "u-before", name="林")
    happens(cloud, "u-before", "order_placed", order_id="o-3")
    assert salutation(cloud, "u-before") == "林，您好"

    [notice] = sent_to(cloud, "wei.zhang@acme.example")
    page = link_in(notice, "a")
    digest = re.findall(r'name="digest" value="([^"]+)"', call("GET", page, headers=READER).body.decode())[0]
    approved = call("POST", page, body=f"decision=approved&digest={digest}".encode(), headers=FORM)
    assert approved.status == 200
    end_workers(cloud, "send_message")  # a process that knows the version before sends it for half a minute

    by_day(cloud)
    introduce(cloud, "u-after", name="林")
    happens(cloud, "u-after", "order_placed", order_id="o-4")
    assert salutation(cloud, "u-after") == "尊敬的会员"
    shown = run_operation(access, "publish-message", {"action": "show", "message": "letter/letter"})
    assert str(published["version"]) in json.dumps(shown)


def started(cloud: LocalCloud, user_id: str) -> None:
    introduce(cloud, user_id)
    happens(cloud, user_id, "trial_started")


def control(cloud: LocalCloud, action: str, **given: str) -> dict[str, Any]:
    asked = {"action": action, "journey": TRIAL, "by": "lin.chen", "reason": "the trial's page is down", **given}
    answer = run_operation(cloud.access.to_dict(), "journey-control", asked)
    cloud.time.travel_to(cloud.clock.now() + timedelta(minutes=2))  # every process has looked at the policy again
    return answer


def test_a_paused_journey_waits_and_a_stopped_one_ends_after_a_second_person_approved(cloud: LocalCloud) -> None:
    by_day(cloud)
    started(cloud, "u-first")
    assert control(cloud, "pause")["state"] == "paused"
    started(cloud, "u-refused")
    travel(cloud, cloud.clock.now() + timedelta(hours=30))
    assert (sent_to(cloud, "u-first"), waiting_at(cloud, "u-first")) == ([], ["Before it"])
    assert waiting_at(cloud, "u-refused") == []

    assert control(cloud, "resume")["released"] == 1
    cloud.time.settle()
    assert len(sent_to(cloud, "u-first")) == 1
    started(cloud, "u-second")
    assert control(cloud, "show")["contacts"] == 1

    with ThreadPoolExecutor() as pool:
        stop = pool.submit(control, cloud, "stop", approver="wei.zhang")
        eventually(cloud, lambda: approvals_of(cloud, "journey-control"), "the request for approval")
        [page] = approvals_of(cloud, "journey-control")
        shown = call("GET", page, headers=READER).body.decode()
        assert "Approve this operation?" in shown or "批准这项操作" in shown
        assert "u-second" not in shown
        digest = re.findall(r'name="digest" value="([^"]+)"', shown)[0]
        assert call("POST", page, body=f"decision=approved&digest={digest}".encode(), headers=FORM).status == 200
        answer = stop.result()
    assert (answer["stopped"], answer["approved_by"]) == (1, "wei.zhang")
    assert enrolment_of(cloud, "u-second", TRIAL).outcome == "stopped"
    travel(cloud, cloud.clock.now() + timedelta(days=2))
    assert sent_to(cloud, "u-second") == []


def approvals_of(cloud: LocalCloud, operation: str) -> list[str]:
    """The pages that a member was sent, for requests about an operation."""
    notices = [each for each in sent_to(cloud, "wei.zhang@acme.example") if operation in str(each.request)]
    return [link_in(notice, "a") for notice in notices]


def salutation(cloud: LocalCloud, user_id: str) -> str:
    [arrived] = sent_to(cloud, user_id)
    return str(json.loads(arrived.request["body"])["data"]["content"]["salutation"])
