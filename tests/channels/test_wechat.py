"""WeChat messages: what authors may write, what each kind posts, and what WeChat's answers mean."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.app import synthesize
from local.providers.server import Providers
from tests.fakes.clock import FakeClock
from tests.fakes.posted import ScriptedPoster
from tests.fakes.secrets import FakeSecret
from tests.fakes.token_store import FakeTokenStore
from tests.infra.template import NO_BUNDLING
from waypost.authoring.messages import MessageFolder
from waypost.channels.answers import Accepted, AddressGone, Answer, RefusedForNow, RefusedMessage, RefusedUs, Unclear
from waypost.channels.code_contract import MadeCode, NoCode
from waypost.channels.contract import Outgoing, ProviderPorts
from waypost.channels.people_contract import NotAnswered, NotKnown, Person
from waypost.channels.wechat.channel import ANSWERED_WITHIN, CHANNEL, REPEATABLE, Kind, RenderedWeChat
from waypost.channels.wechat.fake import ACCOUNT, FAKES, SECRET
from waypost.channels.wechat.fake import Weixin as Fake
from waypost.channels.wechat.fields import TYPES, name_problem, value_problem
from waypost.channels.wechat.people import Followers
from waypost.channels.wechat.provider_weixin import Weixin, connect
from waypost.channels.wechat.qr_codes import QrCodes
from waypost.contacts.channels import Address, Channel
from waypost.contacts.profile import Contact
from waypost.content.forbidden_words import ForbiddenWords
from waypost.content.message import PublishedMessage
from waypost.errors import InvalidInput, TemporarilyUnavailable
from waypost.http.ports import NoAnswer, NotSent, Outcome
from waypost.http.poster import PinnedPoster

OPENID = "oLVPpjqs9BhvzwPj5A-vTYAX3GLc"
TEMPLATE = "4m3vrpiSA-BDcL0YbQxVZm8KfYbC1aQqGJ3yq0b6n5E"
WECHAT = Channel("wechat")


def outgoing(
    kind: Kind = "template",
    *,
    fields: Mapping[str, str] | None = None,
    key: str = "m-1",
    openid: str = OPENID,
    **more: Any,
) -> Outgoing[RenderedWeChat]:
    usual = {"text": "您好"} if kind == "customer_service" else {"thing1": "订单已发货"}
    content = RenderedWeChat(
        kind, ACCOUNT, "" if kind == "customer_service" else TEMPLATE, fields if fields is not None else usual, **more
    )
    return Outgoing(
        to=Address(WECHAT, "openid", f"{ACCOUNT}:{openid}"),
        content=content,
        message_key=key,
        transactional=True,
        unsubscribe_url="",
        tags={"message_key": key, "contact_id": "c-1"},
    )


def provider(poster: Any, *, accounts: str = ACCOUNT, base: str = "", secret: Any = None) -> Weixin:
    ports = ProviderPorts(
        aws=lambda service: pytest.fail(f"{service} is not needed"),
        secret=lambda _: secret or FakeSecret(Fake.credentials),
        clock=FakeClock("2027-03-01T02:00:00+00:00"),
        poster=lambda: poster,
        tokens=lambda: STORE,
        inbox=pytest.fail,
    )
    return connect({"accounts": accounts, "secret": "s", "endpoint": base}, ports)


STORE = FakeTokenStore()


@pytest.fixture(autouse=True)
def _no_token_yet() -> None:
    STORE.tokens.clear()
    STORE.leases.clear()


def answered(
    answer: Mapping[str, Any] | Outcome, message: Outgoing[RenderedWeChat] | None = None, **options: Any
) -> tuple[Answer, ScriptedPoster]:
    """What the provider makes of WeChat's answer to a message."""
    token = {"access_token": "token-1", "expires_in": 7200}
    poster = ScriptedPoster(lambda url, _: token if "stable_token" in url else answer)
    return provider(poster, **options).send(message or outgoing()), poster


# --- what is posted ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "path", "expected"),
    [
        (
            outgoing(url="https://shop.example/o/1", app_id="wxmini", page="pages/o?id=1"),
            "cgi-bin/message/template/send",
            {
                "template_id": TEMPLATE,
                "data": {"thing1": {"value": "订单已发货"}},
                "url": "https://shop.example/o/1",
                "miniprogram": {"appid": "wxmini", "pagepath": "pages/o?id=1"},
                "client_msg_id": "m-1",
            },
        ),
        (
            outgoing("subscription", url="https://shop.example/o/1"),
            "cgi-bin/message/subscribe/bizsend",
            {"template_id": TEMPLATE, "data": {"thing1": {"value": "订单已发货"}}, "page": "https://shop.example/o/1"},
        ),
        (
            outgoing("mini_program", page="pages/o?id=1"),
            "cgi-bin/message/subscribe/send",
            {
                "template_id": TEMPLATE,
                "data": {"thing1": {"value": "订单已发货"}},
                "page": "pages/o?id=1",
                "miniprogram_state": "formal",
                "lang": "zh_CN",
            },
        ),
        (outgoing("customer_service"), "cgi-bin/message/custom/send", {"msgtype": "text", "text": {"content": "您好"}}),
        (
            outgoing(
                "customer_service",
                fields={"title": "新品", "picture": "https://p.example/1.png"},
                url="https://shop.example",
            ),
            "cgi-bin/message/custom/send",
            {
                "msgtype": "news",
                "news": {
                    "articles": [{"title": "新品", "picurl": "https://p.example/1.png", "url": "https://shop.example"}]
                },
            },
        ),
    ],
)
def test_each_kind_is_posted_in_its_own_form(
    message: Outgoing[RenderedWeChat], path: str, expected: dict[str, Any]
) -> None:
    answer, poster = answered({"errcode": 0, "errmsg": "ok", "msgid": 200163836}, message)
    assert answer == Accepted("200163836")
    assert poster.paths() == ["cgi-bin/stable_token", path]
    assert poster.calls[-1][1] == {"touser": OPENID, **expected}


# --- what WeChat answers -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (-1, RefusedForNow("-1")),
        (45009, RefusedForNow("45009")),
        (45011, RefusedForNow("45011")),
        (43108, RefusedForNow("43108")),
        (40003, AddressGone("40003", "unfollowed")),
        (43004, AddressGone("43004", "unfollowed")),
        (50005, AddressGone("50005", "unfollowed")),
        (43019, AddressGone("43019", "blocked")),
        (48002, AddressGone("48002", "blocked")),
        (40249, AddressGone("40249", "blocked")),
        (40037, RefusedMessage("40037")),
        (41030, RefusedMessage("41030")),
        (45168, RefusedMessage("45168")),
        (99999, RefusedMessage("99999")),
        (40013, RefusedUs("40013 the app id is wrong")),
        (48001, RefusedUs("48001 the account has no right to this interface")),
        (48004, RefusedUs("48004 WeChat has banned this interface for the account")),
        (50002, RefusedUs("50002 the account is limited")),
        (61004, RefusedUs("61004")),
        (40241, Accepted("")),
    ],
)
def test_each_code_means_one_answer(code: int, expected: Answer) -> None:
    assert answered({"errcode": code, "errmsg": "some words rid: 1"})[0] == expected


@pytest.mark.parametrize("code", [43101, 45015, 45047])
def test_a_right_that_is_gone_refuses_the_message(code: int) -> None:
    answer = answered({"errcode": code, "errmsg": "user refuse to accept the msg"}, outgoing("subscription"))[0]
    assert isinstance(answer, RefusedMessage)
    assert answer.reason == str(code)


def test_a_field_that_is_refused_is_named_and_its_value_is_not() -> None:
    answer, _ = answered({"errcode": 47003, "errmsg": "argument invalid! data.thing1.value invalid 王小明 rid: 1"})
    assert answer == RefusedMessage("47003 thing1")


def test_an_address_that_may_not_call_is_named_with_what_to_do() -> None:
    poster = ScriptedPoster(
        lambda _, __: {"errcode": 40164, "errmsg": "invalid ip 203.0.113.9 ipv6 ::ffff:203.0.113.9, not in whitelist"}
    )
    answer = provider(poster).send(outgoing())
    assert isinstance(answer, RefusedUs)
    assert answer.reason.startswith("40164 203.0.113.9: add this address to the account's IP list")
    assert answer.for_everyone
    other = provider(poster, accounts=f"{ACCOUNT},wx-other").send(outgoing())
    assert isinstance(other, RefusedUs)
    assert not other.for_everyone


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (NoAnswer("no answer within 8 seconds"), Unclear("no answer within 8 seconds")),
        (NotSent("no connection in time"), RefusedForNow("no connection in time")),
    ],
)
def test_what_may_have_arrived_is_unclear_and_nothing_else(outcome: Outcome, expected: Answer) -> None:
    assert answered(outcome)[0] == expected


def test_a_token_that_stays_refused_is_the_accounts_affair() -> None:
    assert isinstance(answered({"errcode": 40001, "errmsg": "invalid credential"})[0], RefusedUs)


def test_without_its_secret_or_account_nothing_is_sent() -> None:
    class Away(FakeSecret):
        def read(self) -> Mapping[str, Any]:
            raise TemporarilyUnavailable("GetSecretValue: throttled")

    poster = ScriptedPoster(lambda url, _: pytest.fail(f"{url} is called"))
    assert provider(poster, secret=Away({})).send(outgoing()) == RefusedForNow("GetSecretValue: throttled")
    assert isinstance(provider(poster, accounts="wx-other").send(outgoing()), RefusedUs)
    unset = provider(poster, secret=FakeSecret({f"{ACCOUNT}.secret": ""})).send(outgoing())
    assert unset == RefusedUs("40125 put the account's secret into the channel's secret")


# --- over HTTP, to the fake ----------------------------------------------------------------------------------------------


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock("2027-03-01T02:00:00+00:00")


@pytest.fixture
def fake() -> Fake:
    [fake] = FAKES
    return fake


@pytest.fixture
def real(clock: FakeClock) -> Iterator[Weixin]:
    with Providers(clock=clock) as providers:
        yield provider(PinnedPoster(loopback=True), base=providers.url)


@pytest.mark.flow
def test_a_rotated_token_costs_one_more_call_and_no_message(real: Weixin, fake: Fake) -> None:
    assert isinstance(real.send(outgoing(key="m-1")), Accepted)
    fake.rotate_token()
    assert isinstance(real.send(outgoing(key="m-2")), Accepted)
    assert {key for _, key in fake.sent_once} == {"m-1", "m-2"}


@pytest.mark.flow
def test_an_address_outside_the_list_gets_no_token_until_it_is_on_it(real: Weixin, fake: Fake) -> None:
    fake.allowed_from = frozenset({"198.51.100.1"})
    refused = real.send(outgoing())
    assert isinstance(refused, RefusedUs)
    assert fake.calls_from in refused.reason
    fake.allowed_from = frozenset({fake.calls_from})
    assert isinstance(real.send(outgoing()), Accepted)


@pytest.mark.flow
def test_a_code_of_a_scene_is_permanent_or_for_days(real: Weixin, clock: FakeClock) -> None:
    codes = QrCodes(real.accounts, clock)
    permanent = codes.make("shop-7", {"account": ACCOUNT})
    assert isinstance(permanent, MadeCode)
    assert permanent.expires_at is None
    assert permanent == codes.make("shop-7", {"account": ACCOUNT})
    assert permanent.picture.startswith("https://mp.weixin.qq.com/cgi-bin/showqrcode?ticket=gQ")
    assert permanent.picture.endswith("%3D%3D")
    temporary = codes.make("shop-7", {"account": ACCOUNT, "days": 30})
    assert isinstance(temporary, MadeCode)
    assert temporary.expires_at == clock() + timedelta(days=30)


@pytest.mark.flow
@pytest.mark.parametrize(
    ("scene", "given", "expected"),
    [
        ("shop-7", {"account": "wx-other"}, NoCode("no_account wx-other: name it in the choice wechat_accounts")),
        ("s" * 65, {"account": ACCOUNT}, NoCode("40053")),
        ("shop-7", {"account": ACCOUNT, "days": 31}, NoCode("40052")),
    ],
)
def test_a_code_that_wechat_does_not_make_is_named(
    real: Weixin, clock: FakeClock, scene: str, given: dict[str, Any], expected: NoCode
) -> None:
    assert QrCodes(real.accounts, clock).make(scene, given) == expected


@pytest.mark.parametrize("outcome", [{"errcode": 45009}, NoAnswer("timeout"), NotSent("refused")])
def test_a_code_that_may_come_later_says_so(outcome: Mapping[str, Any] | Outcome, clock: FakeClock) -> None:
    token = {"access_token": "token-1", "expires_in": 7200}
    poster = ScriptedPoster(lambda url, _: token if "stable_token" in url else outcome)
    made = QrCodes(provider(poster).accounts, clock).make("shop-7", {"account": ACCOUNT})
    assert isinstance(made, NoCode)
    assert made.later


@pytest.mark.flow
def test_a_follower_is_known_by_the_unionid_of_the_open_platform(real: Weixin, fake: Fake) -> None:
    people = Followers(real.accounts)
    assert people.read(f"{ACCOUNT}:{OPENID}") == Person()
    fake.perform("follow", {"openid": OPENID, "unionid": "o6-union"})
    assert people.read(f"{ACCOUNT}:{OPENID}") == Person(identities={"unionid": "o6-union"})
    fake.unfollow(OPENID)
    assert people.read(f"{ACCOUNT}:{OPENID}") == Person()
    assert people.read(f"{ACCOUNT}:short") == NotKnown("40003")
    assert isinstance(people.read(f"wx-other:{OPENID}"), NotKnown)


@pytest.mark.parametrize("outcome", [{"errcode": 45009}, {"errcode": 48001}, NoAnswer("timeout"), NotSent("refused")])
def test_what_wechat_may_say_of_a_follower_later_is_asked_again(
    outcome: Mapping[str, Any] | Outcome, clock: FakeClock
) -> None:
    token = {"access_token": "token-1", "expires_in": 7200}
    poster = ScriptedPoster(lambda url, _: token if "stable_token" in url else outcome)
    assert isinstance(Followers(provider(poster).accounts).read(f"{ACCOUNT}:{OPENID}"), NotAnswered)


@pytest.mark.flow
def test_who_unfollows_is_gone_until_the_next_follow(real: Weixin, fake: Fake) -> None:
    fake.unfollow(OPENID)
    assert real.send(outgoing(key="m-1")) == AddressGone("43004", "unfollowed")
    fake.act(OPENID)
    assert isinstance(real.send(outgoing(key="m-2")), Accepted)


@pytest.mark.flow
@pytest.mark.parametrize("kind", ["subscription", "mini_program"])
def test_one_agreement_is_worth_one_message(real: Weixin, fake: Fake, kind: Kind) -> None:
    fake.agree(OPENID, TEMPLATE)
    assert isinstance(real.send(outgoing(kind)), Accepted)
    assert isinstance(real.send(outgoing(kind)), RefusedMessage)


@pytest.mark.flow
def test_a_conversation_takes_five_messages_in_two_days(real: Weixin, fake: Fake, clock: FakeClock) -> None:
    message = outgoing("customer_service")
    assert real.send(message) == RefusedMessage("45015", ends_right=True)
    fake.write(OPENID)
    assert [type(real.send(message)) for _ in range(5)] == [Accepted] * 5
    assert real.send(message) == RefusedMessage("45047", ends_right=True)
    clock.advance(hours=49)
    assert real.send(message) == RefusedMessage("45015", ends_right=True)
    fake.act(OPENID)
    assert [type(real.send(message)) for _ in range(3)] == [Accepted] * 3
    clock.advance(minutes=2)
    assert real.send(message) == RefusedMessage("45015", ends_right=True)


@pytest.mark.flow
def test_a_repeated_template_message_goes_out_once(real: Weixin, fake: Fake, clock: FakeClock) -> None:
    assert isinstance(real.send(outgoing()), Accepted)
    assert isinstance(real.send(outgoing()), Accepted)
    clock.advance(seconds=int((REPEATABLE - timedelta(seconds=1)).total_seconds()))
    assert isinstance(real.send(outgoing()), Accepted)
    assert len(fake.sent_once) == 1


# --- fields --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "is_taken"),
    [
        ("thing1", "二十个字以内的事物名称可以有字母和数字1", True),
        ("thing1", "二十个字以内的事物名称可以有字母和数字123", False),
        ("thing1", "两\n行", False),
        ("character_string2", "SF1234567890123 (A)", True),
        ("character_string2", "订单123", False),
        ("character_string2", "9" * 33, False),
        ("number3", "12.5", True),
        ("number3", "12 件", False),
        ("letter4", "ABc", True),
        ("letter4", "A1", False),
        ("symbol5", "~!@#￥", True),
        ("symbol5", "a", False),
        ("phrase6", "配送中", True),
        ("phrase6", "正在配送之中", False),
        ("phrase6", "OK", False),
        ("time7", "15:01", True),
        ("time7", "2019年10月1日 15:01", True),
        ("time7", "2019-10-01 15:01:30", True),
        ("time7", "2019年10月1日 15:01~2019年10月1日 18:00", True),
        ("time7", "明天下午", False),
        ("date8", "2019年10月1日", True),
        ("date8", "25:99", False),
        ("amount9", "¥12.50", True),
        ("amount9", "￥1,299元", True),
        ("amount9", "12.5元", True),
        ("amount9", "免费", False),
        ("phone_number10", "+86-0766-66888866", True),
        ("phone_number10", "+86-0766-668888660", False),
        ("car_number11", "粤A8Z888挂", True),
        ("car_number11", "粤A8Z888挂挂挂", False),
        ("name12", "欧阳娜娜", True),
        ("name12", "Margaret Thatcher", True),
        ("name12", "一二三四五六七八九十一", False),
        ("const13", "已发货", True),
    ],
)
def test_a_field_takes_what_its_type_says(name: str, value: str, is_taken: bool) -> None:
    assert (value_problem(name, value) == "") is is_taken


def test_every_type_of_field_is_tried_and_other_names_are_none() -> None:
    assert len(TYPES) == 13
    assert [bool(name_problem(name)) for name in ("thing1", "first", "remark", "thing", "keyword1", "thing1 ")] == [
        False, True, True, True, True, True,
    ]  # fmt: skip
    assert "thing1" in value_problem("first", "x")


# --- authored ------------------------------------------------------------------------------------------------------------

MANIFEST = """\
kind: transactional
topic: orders
channels: [wechat]
wechat: { kind: template, account: wx8f0a1b2c3d4e5f6a, template: t-1, url: "https://shop.example/o" }
"""


def authored(
    folder: Path, manifest: str = MANIFEST, texts: str = "thing1: 您的订单已发货\n"
) -> tuple[dict[str, Any], str]:
    """The published variant, or what is wrong."""
    message = folder / "shipped"
    message.mkdir()
    (message / "message.yaml").write_text(manifest, encoding="utf-8")
    (message / "wechat.zh-CN.yaml").write_text(texts, encoding="utf-8")
    published, problems = MessageFolder(
        message, folder / "look", "zh-CN", lambda path: path.name, ForbiddenWords()
    ).read()
    found = "; ".join(f"{each.file} {each.field}: {each.reason}" for each in problems)
    return (published["variants"]["wechat"]["zh-CN"] if published else {}), found


def test_a_message_is_its_kind_its_template_and_a_text_for_each_field(tmp_path: Path) -> None:
    texts = "thing1: \"{{ event.properties.product | default('商品') }}\"\ncharacter_string2: SF123\n"
    variant, problems = authored(tmp_path, texts=texts)
    assert problems == ""
    assert variant == {
        "kind": "template",
        "account": "wx8f0a1b2c3d4e5f6a",
        "template": "t-1",
        "url": "https://shop.example/o",
        "app_id": "",
        "page": "",
        "field.thing1": "{{ event.properties.product | default('商品') }}",
        "field.character_string2": "SF123",
    }


@pytest.mark.parametrize(
    ("changed", "texts", "expected"),
    [
        (
            {"kind: transactional": "kind: marketing"},
            "thing1: 新品\n",
            "message.yaml kind: a template message may not advertise",
        ),
        (
            {},
            "thing1: 二十个字以内的事物名称可以有字母和数字一二三\n",
            "wechat.zh-CN.yaml thing1: has 22 characters; at most 20 are taken",
        ),
        ({}, "character_string1: 订单\n", "without Chinese"),
        ({}, "first: 您好\n", "wechat.zh-CN.yaml first: should be a type with a number, such as thing1"),
        ({}, "thing1: {{ contact.name }}\n", "put what begins with {{ into quotes"),
        ({}, "thing1: \n", "wechat.zh-CN.yaml thing1: is empty"),
        ({}, "- x\n", "should have a line for each text, such as thing1"),
        ({}, 'thing1: "{{ contact.nam', "not YAML"),
        ({}, 'thing1: "{{ contact.nam }}"\n', "contact.nam"),
        ({"wechat: {": "description: x\n#"}, "thing1: 订单\n", "message.yaml wechat: is missing"),
        ({"template: t-1, ": ""}, "thing1: 订单\n", "message.yaml wechat.template: is missing"),
        ({"kind: template": "kind: letter"}, "thing1: 订单\n", "kind"),
        ({"kind: template": "kind: mini_program"}, "thing1: 订单\n", "url"),
    ],
)
def test_what_wechat_would_refuse_is_refused_before_anything_is_deployed(
    tmp_path: Path, changed: Mapping[str, str], texts: str, expected: str
) -> None:
    manifest = MANIFEST
    for old, new in changed.items():
        assert old in manifest
        manifest = manifest.replace(old, new)
    assert expected in authored(tmp_path, manifest, texts)[1]


@pytest.mark.parametrize(
    ("texts", "problem"),
    [
        ("text: 您好，有什么可以帮您？\n", ""),
        ("title: 新品\ndescription: 今天到店\n", ""),
        ("text: 您好\ntitle: 新品\n", "should have a text, or a title"),
        ("greeting: 您好\n", "should have a text, or a title"),
        ("title: 新品\nthing1: 您好\n", "should be text, or title, description, picture"),
        (f"text: {'好' * 700}\n", "takes 2,100 bytes; at most 2,048 can be sent"),
    ],
)
def test_a_customer_service_message_is_a_text_or_a_card(tmp_path: Path, texts: str, problem: str) -> None:
    manifest = (
        "kind: transactional\ntopic: service\nchannels: [wechat]\nwechat: { kind: customer_service, account: wx1 }\n"
    )
    found = authored(tmp_path, manifest, texts)[1]
    assert problem in found
    assert bool(problem) == bool(found)


@pytest.mark.parametrize(
    ("url", "texts", "problem"),
    [
        ("", "text: 您好\n", ""),
        ("", "image: MEDIA-ID-1\n", ""),
        ("https://shop.example", "title: 新品\ndescription: 今天到店\n", ""),
        ("", "title: 新品\n", "message.yaml wechat.url: is missing: a card opens it"),
        ("https://shop.example", "text: 您好\n", "should have a text, an image, or a title"),
        ("", "text: 您好\nimage: MEDIA-ID-1\n", "should have a text, an image, or a title"),
        ("", "thing1: 您好\ntext: 您好\n", "should be text, image, or title, description, picture"),
        ("", f"text: {'好' * 700}\n", "takes 2,100 bytes; at most 2,048 can be sent"),
    ],
)
def test_a_reply_is_a_text_a_picture_or_a_card(tmp_path: Path, url: str, texts: str, problem: str) -> None:
    manifest = (
        "kind: transactional\ntopic: service\nchannels: [wechat]\n"
        f"wechat: {{ kind: reply, account: wx1, url: '{url}' }}\n"
    )
    found = authored(tmp_path, manifest, texts)[1]
    assert problem in found
    assert bool(problem) == bool(found)


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        ("", RefusedMessage("no_callback")),
        ("1000000000", RefusedMessage("too_late")),
        ("1909530000", Accepted("", in_answer={"MsgType": "text", "Content": "您好"})),
    ],
)
def test_a_reply_is_written_into_an_answer_that_somebody_waits_for(until: str, expected: Answer) -> None:
    given = outgoing("reply", fields={"text": "您好"}, until=until)
    answer, poster = answered({}, given)
    assert (answer, poster.calls) == (expected, [])


def message(kind: Kind = "template", account: str = ACCOUNT) -> PublishedMessage:
    variant = {
        "kind": kind,
        "account": account,
        "template": "t-1",
        "url": "",
        "app_id": "",
        "page": "",
        "field.thing1": "x",
    }
    return PublishedMessage("shipped", "transactional", "orders", (WECHAT,), {WECHAT: {"zh-CN": variant}})


def test_a_message_goes_to_the_openid_of_its_own_account(clock: FakeClock) -> None:
    contact = Contact(contact_id="c-1", created_at=clock(), identities={"openid": [f"{ACCOUNT}:oA1", "wx-other:oB2"]})
    assert [each.text for each in CHANNEL.addresses_for(message(), contact)] == [f"{ACCOUNT}:oA1"]
    assert [each.text for each in CHANNEL.addresses_for(message(account="wx-other"), contact)] == ["wx-other:oB2"]
    assert list(CHANNEL.addresses_for(message(account="wx-third"), contact)) == []


def test_only_a_template_message_and_a_reply_may_be_repeated() -> None:
    assert CHANNEL.repeatable_for(message()) == REPEATABLE
    assert CHANNEL.repeatable_for(message("reply")) == ANSWERED_WITHIN
    for kind in ("subscription", "mini_program", "customer_service"):
        assert CHANNEL.repeatable_for(message(kind)) is None


def test_what_is_no_app_id_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="context wechat_accounts: must be app ids such as wx8f0a1b2c3d4e5f6a"):
        synthesize(context={**NO_BUNDLING, "wechat_accounts": "my shop"}, output=tmp_path)


def test_no_secret_stands_in_what_is_shown_of_a_provider() -> None:
    assert SECRET not in repr(provider(ScriptedPoster(lambda _, __: {})))


@pytest.mark.parametrize(
    ("event", "properties", "action"),
    [
        ("wechat_followed", {"account": ACCOUNT, "scene": "shop-7"}, ("follow", {"scene": "shop-7"})),
        ("wechat_unfollowed", {"account": ACCOUNT}, ("unfollow", {})),
        ("wechat_message_received", {"text": "你好", "kind": "text"}, ("write", {"text": "你好"})),
        ("wechat_scanned", {"scene": 7}, ("scan", {"scene": "7"})),
        ("wechat_menu_clicked", {"key": "coupons"}, ("tap", {"key": "coupons"})),
        ("wechat_subscription_accepted", {"template": TEMPLATE}, ("agree", {"template": TEMPLATE})),
    ],
)
def test_an_event_of_a_follower_comes_to_be_by_an_act_in_the_account(
    event: str, properties: dict[str, Any], action: tuple[str, dict[str, str]]
) -> None:
    name, values = action
    assert Fake().action_for(event, f"{ACCOUNT}:{OPENID}", properties) == (name, {"openid": OPENID, **values})
    assert values.keys() <= Fake.actions[name].values.keys()
    assert Fake().action_for(event, f"wx0000000000000000:{OPENID}", properties) is None


def test_an_order_is_no_act_in_the_account() -> None:
    assert Fake().action_for("order_placed", f"{ACCOUNT}:{OPENID}", {"total": 5}) is None
