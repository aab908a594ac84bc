"""Text messages in mainland China: the signature, each code of the provider, and what is reported of a template before it is sent."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.app import main, synthesize
from infra.project import Project
from lints.china import project_in_china
from local.providers.server import Providers
from tests.fakes.clock import FakeClock
from tests.fakes.secrets import FakeSecret
from tests.infra.template import NO_BUNDLING, whole
from waypost.channels.answers import Accepted, AddressGone, Answer, RefusedForNow, RefusedMessage, RefusedUs, Unclear
from waypost.channels.contract import Outgoing, Provider
from waypost.channels.registry import connect
from waypost.channels.sms.aliyun_signature import signed_headers
from waypost.channels.sms.approved_template import ApprovedTemplate, mainland_number
from waypost.channels.sms.authored_mainland import MainlandSms, problem_of_value, problems, warnings
from waypost.channels.sms.channel import RenderedSms
from waypost.channels.sms.fake import FAKES
from waypost.channels.sms.fake_aliyun import Aliyun as FakeAliyun
from waypost.channels.sms.provider_aliyun import Aliyun, answer_to, out_id
from waypost.channels.sms.routes import ByCountry, route
from waypost.contacts.channels import Address, Channel
from waypost.http.ports import Answer as HttpAnswer
from waypost.http.ports import Forbidden, NoAnswer, NotSent, Outcome
from waypost.http.poster import PinnedPoster

NOW = datetime(2027, 3, 1, 2, 5, tzinfo=UTC)
TEXT = "${name}，会员日全场八折，到店即享 拒收请回复R"
TAGS = {"message_key": "m-1", "contact_id": "c-1", "journey": "nurture", "address": "a" * 64}


def approved(value: str = "林", *, code: str = "SMS_154950909") -> ApprovedTemplate:
    return ApprovedTemplate(signature="路标商店", code=code, text=TEXT, values={"name": value})


def outgoing(
    content: ApprovedTemplate | None, *, to: str = "+8613800000001", key: str = "m-1"
) -> Outgoing[RenderedSms]:
    return Outgoing(
        to=Address(Channel("sms"), "phone", to),
        content=RenderedSms(text="Welcome", approved=content),
        message_key=key,
        transactional=False,
        unsubscribe_url="",
        tags={**TAGS, "message_key": key},
    )


# --- the call ----------------------------------------------------------------------------------------------------------


def test_a_call_is_signed_as_the_documented_example() -> None:
    headers = {
        "host": "ecs.cn-shanghai.aliyuncs.com",
        "x-acs-action": "RunInstances",
        "x-acs-date": "2023-10-26T10:22:32Z",
        "x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d",
        "x-acs-version": "2014-05-26",
    }
    query = "ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai"
    signed = signed_headers(headers, query=query, body=b"", key_id="YourAccessKeyId", key_secret="YourAccessKeySecret")
    assert signed["authorization"] == (
        "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;"
        "x-acs-signature-nonce;x-acs-version,"
        "Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    )


@dataclass
class Scripted:
    """A Poster that gives the outcomes it was given."""

    outcomes: list[Outcome]
    bodies: list[bytes] = field(default_factory=list)

    def post(self, url: str, body: bytes, headers: Mapping[str, str], **_: Any) -> Outcome:
        assert url == "https://dysmsapi.aliyuncs.com/"
        assert headers["authorization"]
        self.bodies.append(body)
        return self.outcomes.pop(0)


GOOD = {"access_key_id": "LTAI-local", "access_key_secret": "local-secret"}


def reply(code: str, *, status: int = 200) -> HttpAnswer:
    return HttpAnswer(status, body=json.dumps({"Code": code, "BizId": "9006^0"}).encode())


def sent(*outcomes: Outcome, secret: FakeSecret | None = None) -> tuple[Answer, Scripted]:
    poster = Scripted(list(outcomes))
    return Aliyun(poster, secret or FakeSecret(GOOD), "https://dysmsapi.aliyuncs.com/").send(
        outgoing(approved())
    ), poster


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("OK", Accepted("9006^0")),
        ("Throttling.User", RefusedForNow("Throttling.User")),
        ("isp.SYSTEM_ERROR", RefusedForNow("isp.SYSTEM_ERROR")),
        ("isv.BUSINESS_LIMIT_CONTROL", RefusedForNow("isv.BUSINESS_LIMIT_CONTROL", pause=timedelta(hours=1))),
        ("isv.MOBILE_NUMBER_ILLEGAL", AddressGone("isv.MOBILE_NUMBER_ILLEGAL", suppression="invalid_number")),
        ("isv.SMS_CONTENT_ILLEGAL", RefusedMessage("isv.SMS_CONTENT_ILLEGAL")),
        ("isv.BLACK_KEY_CONTROL_LIMIT", RefusedMessage("isv.BLACK_KEY_CONTROL_LIMIT")),
        ("isv.PARAM_LENGTH_LIMIT", RefusedMessage("isv.PARAM_LENGTH_LIMIT")),
        ("isv.PARAM_NOT_SUPPORT_URL", RefusedMessage("isv.PARAM_NOT_SUPPORT_URL")),
        ("isv.TEMPLATE_MISSING_PARAMETERS", RefusedMessage("isv.TEMPLATE_MISSING_PARAMETERS")),
        ("isv.A_CODE_OF_TOMORROW", RefusedMessage("isv.A_CODE_OF_TOMORROW")),
        ("isv.SMS_TEMPLATE_ILLEGAL", RefusedUs("isv.SMS_TEMPLATE_ILLEGAL", for_everyone=False)),
        ("isv.SMS_SIGNATURE_ILLEGAL", RefusedUs("isv.SMS_SIGNATURE_ILLEGAL", for_everyone=False)),
        ("isv.SMS_SIGNATURE_SCENE_ILLEGAL", RefusedUs("isv.SMS_SIGNATURE_SCENE_ILLEGAL", for_everyone=False)),
        ("isv.SIGN_STATE_ILLEGAL", RefusedUs("isv.SIGN_STATE_ILLEGAL", for_everyone=False)),
        ("isv.DENY_IP_RANGE", RefusedUs("isv.DENY_IP_RANGE")),
        ("isv.DAY_LIMIT_CONTROL", RefusedUs("isv.DAY_LIMIT_CONTROL")),
        ("isv.MONTH_LIMIT_CONTROL", RefusedUs("isv.MONTH_LIMIT_CONTROL")),
        ("isv.OUT_OF_SERVICE", RefusedUs("isv.OUT_OF_SERVICE")),
        ("isv.ACCOUNT_ABNORMAL", RefusedUs("isv.ACCOUNT_ABNORMAL")),
        ("isp.RAM_PERMISSION_DENY", RefusedUs("isp.RAM_PERMISSION_DENY")),
        ("InvalidTimeStamp.Expired", RefusedUs("InvalidTimeStamp.Expired")),
        ("SignatureNonceUsed", Unclear("SignatureNonceUsed")),
        ("isp.GATEWAY_ERROR", Unclear("isp.GATEWAY_ERROR")),
    ],
)
def test_a_code_is_one_of_the_six_answers(code: str, expected: Answer) -> None:
    answer, poster = sent(reply(code))
    assert answer == expected
    assert len(poster.bodies) == 1


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (NotSent("no connection in time"), RefusedForNow("no connection in time")),
        (NoAnswer("no answer within 10 seconds"), Unclear("no answer within 10 seconds")),
        (Forbidden("the URL should begin with https://"), RefusedUs("the URL should begin with https://")),
        (HttpAnswer(502, body=b"<html>"), Unclear("http_502")),
        (HttpAnswer(200, body=None), Unclear("http_200")),
        (HttpAnswer(200, body=b"[]"), Unclear("http_200")),
        (HttpAnswer(429, body=b""), RefusedForNow("http_429")),
        (reply("InternalError", status=500), Unclear("InternalError")),
        (reply("ServiceUnavailable", status=503), Unclear("ServiceUnavailable")),
    ],
)
def test_what_cannot_be_read_is_unclear_and_what_never_left_is_not(outcome: Outcome, expected: Answer) -> None:
    assert sent(outcome)[0] == expected


def test_a_key_that_was_just_changed_is_read_again() -> None:
    secret = FakeSecret({**GOOD, "access_key_secret": "old"}, newer=GOOD)
    assert sent(reply("SignatureDoesNotMatch", status=400), reply("OK"), secret=secret)[0] == Accepted("9006^0")
    assert sent(reply("SignatureDoesNotMatch", status=400))[0] == RefusedUs("SignatureDoesNotMatch")


def test_without_a_key_nothing_is_called() -> None:
    answer, poster = sent(secret=FakeSecret({"access_key_id": "", "access_key_secret": ""}))
    assert (answer, poster.bodies) == (RefusedUs("no_credentials"), [])


@pytest.mark.parametrize(
    ("content", "to", "reason"),
    [
        (approved(), "+85291234567", "not_a_mainland_number"),
        (None, "+8613800000001", "no_approved_template"),
        (approved("长" * 36), "+8613800000001", "variable name has 36 characters, and 1 to 35 are taken"),
        (approved(""), "+8613800000001", "variable name has 0 characters, and 1 to 35 are taken"),
    ],
)
def test_what_the_provider_would_refuse_is_refused_without_a_call(
    content: ApprovedTemplate | None, to: str, reason: str
) -> None:
    poster = Scripted([])
    answer = Aliyun(poster, FakeSecret(GOOD), "https://dysmsapi.aliyuncs.com/").send(outgoing(content, to=to))
    assert answer == RefusedMessage(reason)


def test_the_field_that_receipts_bring_back_keeps_to_its_length() -> None:
    assert out_id(TAGS) == "message_key=m-1&contact_id=c-1&journey=nurture"
    assert len(out_id({**TAGS, "journey": "旅" * 60})) <= 255
    assert out_id({**TAGS, "journey": "旅" * 60}).startswith("message_key=m-1&contact_id=c-1")


def test_an_unreadable_answer_is_never_taken_for_a_refusal() -> None:
    for content in (b"", b"{", b"[1]", b'{"code": 1}', b"null"):
        assert isinstance(answer_to(400, content), Unclear)


# --- over HTTP ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def fake() -> Iterator[FakeAliyun]:
    [fake] = [each for each in FAKES if isinstance(each, FakeAliyun)]
    yield fake
    fake.from_mainland, fake.is_strict = True, False


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW.isoformat())


@pytest.fixture
def providers(clock: FakeClock, fake: FakeAliyun) -> Iterator[Providers]:
    with Providers(clock=clock) as providers:
        yield providers


def over_http(providers: Providers, *, secret: FakeSecret | None = None, skew: timedelta = timedelta()) -> Aliyun:
    return Aliyun(
        PinnedPoster(loopback=True),
        secret or FakeSecret(GOOD),
        f"{providers.url}/",
        clock=lambda: datetime.now(UTC) + skew,
    )


@pytest.mark.flow
def test_the_text_on_the_phone_is_the_approved_one_with_its_signature(providers: Providers, fake: FakeAliyun) -> None:
    fake.learn({"mainland_sms": {"signature": "路标商店", "template": "SMS_7", "type": "promotional", "text": TEXT}})
    assert isinstance(over_http(providers).send(outgoing(approved(code="SMS_7"))), Accepted)
    [call] = providers.accepted
    assert call.content.text == approved(code="SMS_7").shown == "【路标商店】林，会员日全场八折，到店即享 拒收请回复R"
    assert (call.recipient, call.tags["message_key"], call.tags["contact_id"]) == ("+8613800000001", "m-1", "c-1")


@pytest.mark.flow
@pytest.mark.parametrize(
    ("secret", "skew"),
    [
        ({**GOOD, "access_key_secret": "wrong"}, timedelta()),
        ({**GOOD, "access_key_id": "LTAI-other"}, timedelta()),
        (GOOD, timedelta(minutes=16)),
        (GOOD, timedelta(minutes=-16)),
    ],
)
def test_the_gateway_refuses_a_wrong_key_and_a_wrong_time(
    providers: Providers, secret: dict[str, str], skew: timedelta
) -> None:
    answer = over_http(providers, secret=FakeSecret(secret), skew=skew).send(outgoing(approved()))
    assert isinstance(answer, RefusedUs)
    assert providers.accepted == []


@pytest.mark.flow
def test_the_gateway_takes_a_nonce_once(providers: Providers) -> None:
    provider = replace(over_http(providers), nonce=lambda: "0" * 32)
    assert isinstance(provider.send(outgoing(approved())), Accepted)
    assert provider.send(outgoing(approved())) == Unclear("SignatureNonceUsed")


@pytest.mark.flow
def test_a_caller_outside_of_the_mainland_is_refused(providers: Providers, fake: FakeAliyun) -> None:
    fake.from_mainland = False
    assert over_http(providers).send(outgoing(approved())) == RefusedUs("isv.DENY_IP_RANGE")


@pytest.mark.flow
def test_what_nobody_registered_is_refused(providers: Providers, fake: FakeAliyun) -> None:
    fake.is_strict = True
    assert over_http(providers).send(outgoing(approved(code="SMS_404"))) == RefusedUs(
        "isv.SMS_TEMPLATE_ILLEGAL", for_everyone=False
    )


@pytest.mark.flow
def test_a_link_in_a_variable_is_refused_by_the_provider(providers: Providers) -> None:
    answer = over_http(providers).send(outgoing(approved("https://a.cn/1")))
    assert answer == RefusedMessage("isv.PARAM_NOT_SUPPORT_URL")


@pytest.mark.flow
def test_the_forty_first_message_of_a_day_to_a_number_waits_an_hour(providers: Providers, clock: FakeClock) -> None:
    provider = over_http(providers)
    answers = [provider.send(outgoing(approved(), key=f"m-{number}")) for number in range(41)]
    assert {type(answer) for answer in answers[:40]} == {Accepted}
    assert answers[40] == RefusedForNow("isv.BUSINESS_LIMIT_CONTROL", pause=timedelta(hours=1))  # 40 of all senders
    clock.advance(hours=25)
    assert isinstance(provider.send(outgoing(approved(), key="m-99")), Accepted)


# --- which provider ----------------------------------------------------------------------------------------------------


class Named(Provider[RenderedSms]):
    """A provider that says who it is."""

    def __init__(self, name: str) -> None:
        self.name = name

    def send(self, outgoing: Outgoing[RenderedSms]) -> Answer:
        return Accepted(self.name)


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ("+8613800000001", "aliyun"),
        ("+8619900000001", "aliyun"),
        ("+85291234567", "end_user_messaging"),
        ("+886912345678", "end_user_messaging"),
        ("+15555550100", "end_user_messaging"),
        ("+861050000000", "end_user_messaging"),
    ],
)
def test_the_country_of_a_number_decides_which_provider_takes_it(to: str, expected: str) -> None:
    both = route({name: Named(name) for name in ("end_user_messaging", "aliyun")})
    assert both.send(outgoing(None, to=to)) == Accepted(expected)
    assert bool(mainland_number(to)) == (expected == "aliyun")


def test_two_providers_are_one_for_the_sender() -> None:
    settings = {"provider": "end_user_messaging,aliyun", "secret": "waypost/dev/sms"}

    class Ports:
        aws = secret = staticmethod(lambda _: None)
        poster = staticmethod(PinnedPoster)

    assert isinstance(connect(Channel("sms"), settings=settings, ports=Ports()), ByCountry)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="aliyun and one other"):
        route({"aliyun": Named("aliyun")})


# --- what is reported at synth ---------------------------------------------------------------------------------------------


def mainland(**changes: Any) -> MainlandSms:
    given = {
        "signature": "路标商店",
        "template": "SMS_154950909",
        "type": "promotional",
        "text": TEXT,
        "variables": {"name": "{{ contact.name | default('会员') }}"},
    }
    return MainlandSms.model_validate({**given, **changes})


def test_a_good_template_has_no_problem() -> None:
    assert list(problems(mainland(), is_marketing=True)) == []
    notice = mainland(type="notice", text="${name}，您的订单已发货。")
    assert list(problems(notice, is_marketing=False)) == []


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"text": "${name}，全场八折"}, "text", "must end with exactly 拒收请回复R"),
        ({"text": "${name}，全场八折 拒收请回复R。"}, "text", "must end with exactly 拒收请回复R"),
        ({"text": "${name}，全场八折 回T退订"}, "text", "must end with exactly 拒收请回复R"),
        ({"text": "【路标】${name}，全场八折 拒收请回复R"}, "text", "the provider puts the signature before it"),
        ({"text": "${name}，全场八折★ 拒收请回复R"}, "text", "has the symbol ★"),
        (
            {"text": "${name}${shop}，全场八折 拒收请回复R", "variables": {"name": "a", "shop": "b"}},
            "text",
            "side by side",
        ),
        ({"text": "${name}拒收请回复R"}, "text", "is one variable"),
        ({"text": "${name}，${name}，全场八折 拒收请回复R"}, "text", "stands in it 2 times"),
        ({"text": "${name}，到${shop}享八折 拒收请回复R"}, "variables.shop", "is missing"),
        ({"text": "全场八折 拒收请回复R"}, "variables.name", "the text has no ${name}"),
        ({"type": "notice"}, "type", "a marketing message needs a template of the type promotional"),
    ],
)
def test_what_is_refused_for_sure_is_named(changes: dict[str, Any], field: str, reason: str) -> None:
    assert any(where == field and reason in why for where, why in problems(mainland(**changes), is_marketing=True))


def test_a_notice_does_not_say_how_to_opt_out() -> None:
    found = dict(problems(mainland(type="notice"), is_marketing=False))
    assert "only a promotional text has 拒收请回复R" in found["text"]


@pytest.mark.parametrize(
    "changes",
    [
        {"text": "长" * 501},
        {"text": ""},
        {"template": "154950909"},
        {"signature": "【路标】"},
        {"signature": "路"},
        {"type": "marketing"},
        {"variables": {"名字": "x"}},
        {"sign": "x"},
    ],
)
def test_a_field_of_another_form_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        mainland(**changes)


@pytest.mark.parametrize(
    ("template", "shown", "reason"),
    [
        ("{{ links.unsubscribe }}", "https://x", "is a link"),
        ("{{ contact.page }}", "https://shop.cn/1", "is a link"),
        ("www.shop.cn", "www.shop.cn", "is a link"),
        ("{{ contact.name }}", "", "is empty for a contact of whom nothing is known"),
        ("{{ 'x' * 36 }}", "x" * 36, "has 36 characters; at most 35 are taken"),
    ],
)
def test_a_value_that_would_be_refused_is_named(template: str, shown: str, reason: str) -> None:
    assert reason in problem_of_value("name", template, shown)


@pytest.mark.parametrize(
    "text",
    [
        "请填写问卷",
        "好久不见，回来看看",
        "邀请好友注册有礼",
        "积分可兑换好礼",
        "点击下载APP",
        "低息贷款",
        "新楼盘开售",
        "诚聘店员",
    ],
)
def test_a_subject_that_reviewers_refuse_is_a_warning(text: str) -> None:
    assert len(list(warnings(text, is_promotional=False))) == 1


def test_a_coupon_is_a_warning_in_promotion_alone() -> None:
    assert len(list(warnings("送您优惠券", is_promotional=True))) == 1
    assert list(warnings("您的优惠券即将到期", is_promotional=False)) == []
    assert list(warnings(TEXT, is_promotional=True)) == []


MANIFEST = """kind: marketing
topic: product-news
channels: [sms]
mainland_sms:
  signature: 路标商店
  template: SMS_154950909
  type: promotional
  text: {text}
  variables:
    name: "{{{{ contact.name | default('会员') }}}}"
"""


def project_with(folder: Path, text: str | None) -> Project:
    """A project in China whose journey sends one text message."""
    project_in_china(folder)
    journey = folder / "statemachines" / "journeys" / "order-follow-up"
    message = journey / "messages" / "thanks"
    message.mkdir(parents=True)
    manifest = MANIFEST.format(text=text) if text else MANIFEST.partition("mainland_sms")[0]
    (message / "message.yaml").write_text(manifest, encoding="utf-8")
    (message / "sms.zh-CN.txt").write_text("【路标】全场八折 拒收请回复R", encoding="utf-8")
    (message / "sms.en.txt").write_text("20 % off. Reply STOP to opt out", encoding="utf-8")
    definition = journey / "definition.asl.yaml"
    content = definition.read_text(encoding="utf-8").replace("${PauseJourney}", "${SendMessage}")
    content = content.replace("lambda:invoke.waitForTaskToken", "lambda:invoke").replace("for: 2d", "message: thanks")
    definition.write_text(content, encoding="utf-8")
    return Project.at(folder)


def test_text_messages_are_sent_from_china_through_aliyun(tmp_path: Path) -> None:
    project = project_with(tmp_path, TEXT)
    assembly = synthesize(
        project=project, context={**NO_BUNDLING, "sms_provider": "aliyun"}, output=tmp_path / "cdk.out"
    )
    [stack] = assembly.stacks
    template = whole(Path(assembly.directory), stack.id)
    variables = template.functions()["send_message"]["Environment"]["Variables"]
    assert variables["WAYPOST_SMS_PROVIDER"] == "aliyun"
    assert template.one("SecretsManager::Secret", Name="waypost/dev/sms")
    assert "sms-voice" not in json.dumps(template.content)
    assert not [each for each in stack.messages if "mainland_sms" in str(each.entry.data)]


def test_a_message_without_its_template_is_refused_where_nothing_else_takes_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = project_with(tmp_path, None)
    assert main(["-c", "sms_provider=aliyun", "--output", str(tmp_path / "cdk.out")], project=project) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert "messages/thanks: sms: has no mainland_sms" in line


def test_a_variable_that_an_author_forgot_fails_the_synth(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = project_with(tmp_path, "${name}，到${shop}享八折 拒收请回复R")
    assert main(["-c", "sms_provider=aliyun", "--output", str(tmp_path / "cdk.out")], project=project) == 1
    assert "message.yaml: mainland_sms.variables.shop: is missing" in capsys.readouterr().err


def test_a_subject_that_will_be_refused_is_a_warning_of_the_synth(tmp_path: Path) -> None:
    project = project_with(tmp_path, "${name}，请填写问卷 拒收请回复R")
    assembly = synthesize(
        project=project, context={**NO_BUNDLING, "sms_provider": "aliyun"}, output=tmp_path / "cdk.out"
    )
    [stack] = assembly.stacks
    assert any("reads as surveys" in str(message.entry.data) for message in stack.messages)


def test_a_deployment_may_have_both(tmp_path: Path) -> None:
    assembly = synthesize(
        context={**NO_BUNDLING, "sms_provider": "end_user_messaging,aliyun"}, output=tmp_path / "cdk.out"
    )
    [stack] = assembly.stacks
    variables = whole(Path(assembly.directory), stack.id).functions()["send_message"]["Environment"]["Variables"]
    assert variables["WAYPOST_SMS_PROVIDER"] == "end_user_messaging,aliyun"
    assert {"WAYPOST_SMS_ORIGINATION", "WAYPOST_SMS_SECRET"} <= variables.keys()
    assert any("has no mainland_sms" in str(message.entry.data) for message in stack.messages)


def test_a_provider_that_nobody_knows_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-c", "sms_provider=aliyun,twilio"]) == 1
    assert (
        "context sms_provider: must be one of end_user_messaging, aliyun, or several with commas"
        in capsys.readouterr().err
    )
