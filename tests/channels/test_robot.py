"""Robots of staff groups: what each platform gets, how it is signed, and what its answers mean."""

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from local.providers.server import Providers, fakes
from tests.fakes.clock import FakeClock
from tests.fakes.posted import ScriptedPoster
from tests.fakes.secrets import FakeSecret
from tests.fakes.token_store import FakeTokenStore
from waypost.authoring.messages import MessageFolder
from waypost.channels.answers import Accepted, AddressGone, Answer, RefusedForNow, RefusedMessage, RefusedUs, Unclear
from waypost.channels.contract import Outgoing, Provider, ProviderPorts
from waypost.channels.registry import connect
from waypost.channels.robot.channel import CHANNEL, MOST_BYTES, RenderedRobot
from waypost.channels.robot.provider_dingtalk import signed_query
from waypost.channels.robot.provider_feishu import signature
from waypost.contacts.channels import Address, Channel
from waypost.contacts.profile import Contact
from waypost.content.forbidden_words import ForbiddenWords
from waypost.content.message import PublishedMessage
from waypost.http.ports import Answer as HttpAnswer
from waypost.http.ports import NoAnswer, NotSent, Outcome
from waypost.http.poster import PinnedPoster

ROBOT = Channel("robot")
ALL = "dingtalk,feishu,wecom_robot"
AT = datetime(2027, 3, 8, 2, tzinfo=UTC)
SECRET = {
    "ding": "https://oapi.dingtalk.com/robot/send?access_token=abc",
    "ding.secret": "SECdef",
    "lark": "https://open.feishu.cn/open-apis/bot/v2/hook/abc",
    "lark.secret": "zs0T",
    "wecom": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=abc",
    "elsewhere": "https://evil.example/robot/send?access_token=abc",
}
OK = {"ding": {"errcode": 0}, "lark": {"code": 0}, "wecom": {"errcode": 0}}


def outgoing(
    robot: str, text: str = "林 想了解年度方案", *, mentioned: str = "+8613800138000"
) -> Outgoing[RenderedRobot]:
    return Outgoing(
        to=Address(ROBOT, "staff_robot", robot, mentioned),
        content=RenderedRobot(text),
        message_key="m-1",
        transactional=True,
        unsubscribe_url="",
        tags={"message_key": "m-1"},
    )


def provider(poster: Any, *, names: str = ALL, secret: Mapping[str, str] = SECRET, **settings: str) -> Provider[Any]:
    ports = ProviderPorts(
        aws=lambda _: pytest.fail("a robot calls no AWS service"),
        secret=lambda _: FakeSecret(secret),
        poster=lambda: poster,
        clock=FakeClock(AT.isoformat()),
        tokens=FakeTokenStore,
        inbox=pytest.fail,
    )
    return connect(ROBOT, settings={"provider": names, "secret": "waypost/dev/robot", **settings}, ports=ports)


@pytest.mark.parametrize(
    ("robot", "host", "body"),
    [
        (
            "ding",
            "oapi.dingtalk.com",
            {
                "msgtype": "text",
                "text": {"content": "林 想了解年度方案\n@13800138000"},
                "at": {"atMobiles": ["13800138000"], "isAtAll": False},
            },
        ),
        (
            "lark",
            "open.feishu.cn",
            {
                "msg_type": "post",
                "content": {
                    "post": {"zh_cn": {"title": "", "content": [[{"tag": "text", "text": "林 想了解年度方案"}]]}}
                },
            },
        ),
        (
            "wecom",
            "qyapi.weixin.qq.com",
            {"msgtype": "text", "text": {"content": "林 想了解年度方案", "mentioned_mobile_list": ["13800138000"]}},
        ),
    ],
)
def test_the_address_says_whose_robot_it_is_and_what_it_gets(robot: str, host: str, body: dict[str, Any]) -> None:
    poster = says(OK[robot])
    assert provider(poster).send(outgoing(robot)) == Accepted("")
    [(url, content)] = poster.calls
    assert urlsplit(url).netloc == host
    sent = {name: value for name, value in content.items() if name not in {"timestamp", "sign"}}
    assert sent == body


def says(outcome: Outcome | Mapping[str, Any]) -> ScriptedPoster:
    """A platform that answers this, whatever it is asked."""
    return ScriptedPoster(lambda _url, _content: outcome)


def test_dingtalk_is_signed_by_its_milliseconds_and_its_key() -> None:
    query = parse_qs(signed_query("SECdef", at=AT))
    timestamp = str(int(AT.timestamp() * 1000))
    expected = hmac.new(b"SECdef", f"{timestamp}\nSECdef".encode(), hashlib.sha256).digest()
    assert query == {"timestamp": [timestamp], "sign": [base64.b64encode(expected).decode()]}


def test_feishu_signs_nothing_by_its_seconds_and_its_key() -> None:
    expected = hmac.new(b"1599360473\nzs0T", b"", hashlib.sha256).digest()
    assert signature("zs0T", "1599360473") == base64.b64encode(expected).decode()


CODES: list[tuple[str, int, str, type[Answer], timedelta | None]] = [
    ("ding", -1, "system busy", RefusedForNow, None),
    ("ding", 130101, "send too fast, exceed 20 times per minute", RefusedForNow, timedelta(minutes=10)),
    ("ding", 410100, "too fast", RefusedForNow, timedelta(minutes=1)),
    ("ding", 310000, "sign not match", RefusedUs, None),
    ("ding", 310000, "keywords not in content", RefusedMessage, None),
    ("ding", 400102, "robot is disabled", RefusedUs, None),
    ("ding", 300001, "token is not exist", AddressGone, None),
    ("ding", 400013, "the group is dismissed", AddressGone, None),
    ("ding", 430101, "unsafe link", RefusedMessage, None),
    ("lark", 11232, "frequency limited", RefusedForNow, timedelta(minutes=1)),
    ("lark", 19021, "sign match fail", RefusedUs, None),
    ("lark", 19022, "Ip Not Allowed", RefusedUs, None),
    ("lark", 19024, "Key Words Not Found", RefusedMessage, None),
    ("lark", 19001, "incoming webhook access token invalid", AddressGone, None),
    ("lark", 9499, "Bad Request", RefusedMessage, None),
    ("wecom", 45009, "api freq out of limit", RefusedForNow, timedelta(minutes=1)),
    ("wecom", -1, "system busy", RefusedForNow, None),
    ("wecom", 93000, "invalid webhook url", AddressGone, None),
    ("wecom", 93004, "robot is disabled", RefusedUs, None),
    ("wecom", 60020, "not allow to access from your ip", RefusedUs, None),
    ("wecom", 40058, "exceed max length", RefusedMessage, None),
]


@pytest.mark.parametrize(("robot", "code", "words", "kind", "pause"), CODES)
def test_a_code_is_what_the_platform_means_by_it(
    robot: str, code: int, words: str, kind: type[Answer], pause: timedelta | None
) -> None:
    content = {"code": code, "msg": words} if robot == "lark" else {"errcode": code, "errmsg": words}
    answer = provider(says(content)).send(outgoing(robot))
    assert type(answer) is kind
    assert str(code) in answer.reason  # type: ignore[union-attr]
    assert getattr(answer, "pause", None) == pause
    if isinstance(answer, RefusedUs):
        assert not answer.for_everyone, "the other robots go on"


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        (NotSent("refused"), RefusedForNow),
        (NoAnswer("no answer within 10 seconds"), Unclear),
        (HttpAnswer(429), RefusedForNow),
        (HttpAnswer(502, body=b"<html>"), Unclear),
        (HttpAnswer(200, body=b"[]"), Unclear),
        (HttpAnswer(200, body=b'{"errcode": "many"}'), Unclear),
    ],
)
def test_what_is_no_word_of_the_platform(outcome: Any, kind: type[Answer]) -> None:
    assert type(provider(says(outcome)).send(outgoing("ding"))) is kind


def test_an_address_that_is_no_robots_is_not_called() -> None:
    poster = says({})
    answer = provider(poster).send(outgoing("elsewhere"))
    assert isinstance(answer, RefusedUs)
    assert answer.reason.startswith("wrong_address")
    assert isinstance(provider(poster).send(outgoing("nobody")), RefusedMessage)
    assert poster.calls == []


def test_without_a_robot_the_choice_is_named() -> None:
    ports = ProviderPorts(
        aws=lambda _: pytest.fail("a robot calls no AWS service"),
        secret=lambda _: FakeSecret({}),
        poster=lambda: says({}),
        clock=FakeClock(AT.isoformat()),
        tokens=FakeTokenStore,
        inbox=pytest.fail,
    )
    answer = connect(ROBOT, settings={"provider": "dingtalk"}, ports=ports).send(outgoing("ding"))
    assert isinstance(answer, RefusedUs)
    assert "robot_names" in answer.reason


def test_a_name_that_brings_a_tag_mentions_nobody() -> None:
    poster = says(OK["lark"])
    provider(poster).send(outgoing("lark", '<at user_id="all">所有人</at>', mentioned=""))
    [[part]] = poster.calls[0][1]["content"]["post"]["zh_cn"]["content"]
    assert part == {"tag": "text", "text": '<at user_id="all">所有人</at>'}


def test_a_robot_speaks_to_staff_alone_and_mentions_by_phone() -> None:
    message = PublishedMessage.from_dict(
        {"name": "lead", "kind": "transactional", "topic": "staff", "channels": ["robot"], "variants": {}}
    )
    known = {"staff_robot": "sales", "phone": "+8613800138000"}
    member = Contact(contact_id="staff-lin_chen", created_at=AT, attributes=known)
    customer = Contact(contact_id="c-1", created_at=AT, attributes=known)
    assert [each.qualifier for each in CHANNEL.addresses_for(message, member)] == ["+8613800138000"]
    assert list(CHANNEL.addresses_for(message, customer)) == []


def test_a_text_has_room_for_the_mention() -> None:
    assert CHANNEL.over_limit(RenderedRobot("x" * MOST_BYTES)) == ""
    assert "at most" in CHANNEL.over_limit(RenderedRobot("甲" * 667))


@pytest.fixture
def local(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Providers, FakeClock]]:
    clock = FakeClock(AT.isoformat())
    with Providers(clock=clock) as providers:
        yield providers, clock


@pytest.mark.flow
@pytest.mark.parametrize(
    ("robot", "most", "pause"),
    [
        ("dingtalk-sales", 20, timedelta(minutes=10)),
        ("feishu-sales", 100, timedelta(minutes=1)),
        ("wecom-sales", 20, timedelta(minutes=1)),
    ],
)
def test_the_fakes_let_a_robot_say_so_much_a_minute(
    local: tuple[Providers, FakeClock], robot: str, most: int, pause: timedelta
) -> None:
    providers, clock = local
    endpoint = providers.endpoints["WAYPOST_ROBOT_ENDPOINT"]
    secret = {name: value for fake in fakes()[ROBOT] for name, value in fake.credentials.items()}
    spoken = provider(PinnedPoster(loopback=True), secret=secret, endpoint=endpoint)
    answers = [spoken.send(outgoing(robot)) for _ in range(most + 1)]
    assert answers[:most] == [Accepted("")] * most
    assert isinstance(answers[-1], RefusedForNow)
    assert answers[-1].pause == pause
    clock.advance(minutes=1)
    later = spoken.send(outgoing(robot))
    assert isinstance(later, RefusedForNow if robot.startswith("dingtalk") else Accepted), (
        "one is muted for ten minutes"
    )


@pytest.mark.flow
@pytest.mark.parametrize("robot", ["dingtalk-sales", "feishu-sales"])
def test_the_fakes_refuse_what_another_key_signed(local: tuple[Providers, FakeClock], robot: str) -> None:
    providers, _ = local
    secret = {name: value for fake in fakes()[ROBOT] for name, value in fake.credentials.items()}
    endpoint = providers.endpoints["WAYPOST_ROBOT_ENDPOINT"]
    for wrong in ("another", ""):
        spoken = provider(PinnedPoster(loopback=True), secret={**secret, f"{robot}.secret": wrong}, endpoint=endpoint)
        assert isinstance(spoken.send(outgoing(robot)), RefusedUs)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("有任务：{{ links.task }}", "links.task is a member's own link"),
        ("请审批：{{ links.approval }}", "links.approval is a member's own link"),
        ("有任务：{{ links.task_in_group }}", ""),
    ],
)
def test_a_link_of_one_member_is_not_posted_in_a_group(tmp_path: Path, text: str, reason: str) -> None:
    folder = tmp_path / "offer"
    folder.mkdir()
    (folder / "message.yaml").write_text("kind: transactional\ntopic: staff\nchannels: [robot]\n", encoding="utf-8")
    (folder / "robot.zh-CN.txt").write_text(text, encoding="utf-8")
    _, problems = MessageFolder(folder, tmp_path / "look", "zh-CN", lambda path: path.name, ForbiddenWords()).read()
    assert bool(problems) is bool(reason)
    assert all(reason in each.reason for each in problems)
