"""WeCom messages: what authors may write, what each kind posts, and what WeCom's answers mean."""

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
from waypost.channels.code_contract import FormerCode, MadeCode, NoCode
from waypost.channels.contract import Outgoing, ProviderPorts
from waypost.channels.people_contract import NotAnswered, NotKnown, Person, ServingMember
from waypost.channels.wecom.channel import CHANNEL, REPEATABLE, Kind, RenderedWeCom
from waypost.channels.wecom.fake import AGENT, CORP, FAKES, SECRET
from waypost.channels.wecom.fake import Qyapi as Fake
from waypost.channels.wecom.people import Customers
from waypost.channels.wecom.provider_qyapi import ASKED_AFTER, NO_APP, Qyapi, connect
from waypost.channels.wecom.qr_codes import ContactWays
from waypost.channels.wecom.qr_codes import connect as connect_codes
from waypost.channels.wecom.staff import Organisation
from waypost.channels.wecom.staff import connect as connect_staff
from waypost.clock import parse_instant
from waypost.contacts.channels import Address, Channel
from waypost.contacts.profile import Contact
from waypost.contacts.tag_system import OutsideTag
from waypost.content.forbidden_words import ForbiddenWords
from waypost.content.message import PublishedMessage
from waypost.errors import InvalidInput
from waypost.http.ports import NoAnswer, NotSent, Outcome
from waypost.http.poster import PinnedPoster
from waypost.staff.outside_members import NoList

CUSTOMER = "woAJ2GCAAAXtWyujaWJHDDGi0mACAAAA"
MEMBER = "zhang.san"
WECOM = Channel("wecom")
UNTIL = str(int(parse_instant("2027-03-01T02:00:15.000Z").timestamp()))
"""Fifteen seconds from now."""


def outgoing(
    kind: Kind = "customer",
    *,
    fields: Mapping[str, str] | None = None,
    url: str = "",
    key: str = "m-1",
    code: str = "CODE",
) -> Outgoing[RenderedWeCom]:
    return Outgoing(
        to=Address(WECOM, "external_userid", MEMBER if kind == "app" else CUSTOMER),
        content=RenderedWeCom(kind, fields or {"text": "您好"}, url, code=code, until=UNTIL),
        message_key=key,
        transactional=True,
        unsubscribe_url="",
        tags={"message_key": key, "contact_id": "c-1"},
    )


def provider(
    poster: Any, *, agent: str = AGENT, base: str = "", secret: str = SECRET, clock: FakeClock | None = None
) -> Qyapi:
    ports = ports_with(poster, secret=secret, clock=clock)
    return connect({"corp": CORP, "agent": agent, "secret": "s", "endpoint": base}, ports)


def ports_with(poster: Any, *, secret: str = SECRET, clock: FakeClock | None = None) -> ProviderPorts:
    store = FakeTokenStore()
    return ProviderPorts(
        aws=lambda service: pytest.fail(f"{service} is not needed"),
        secret=lambda _: FakeSecret({"secret": secret}),
        clock=clock or FakeClock("2027-03-01T02:00:00+00:00"),
        poster=lambda: poster,
        tokens=lambda: store,
        inbox=pytest.fail,
    )


def answered(
    answer: Mapping[str, Any] | Outcome, message: Outgoing[RenderedWeCom] | None = None
) -> tuple[Answer, ScriptedPoster]:
    """What the provider makes of WeCom's answer to a message."""
    token = {"errcode": 0, "access_token": "token-1", "expires_in": 7200}
    poster = ScriptedPoster(lambda url, _: token if "gettoken" in url else answer)
    return provider(poster).send(message or outgoing()), poster


CARD = {"title": "本周新品", "description": "到店看看"}
URL = "https://shop.example/new"
ONCE = {"enable_duplicate_check": 1, "duplicate_check_interval": 600}


@pytest.mark.parametrize(
    ("message", "path", "expected"),
    [
        (
            outgoing(fields={"text": "您好", **CARD, "picture": "https://p.example/1.png"}, url=URL),
            "cgi-bin/externalcontact/add_msg_template",
            {
                "chat_type": "single",
                "external_userid": [CUSTOMER],
                "text": {"content": "您好"},
                "attachments": [
                    {
                        "msgtype": "link",
                        "link": {
                            "title": "本周新品",
                            "picurl": "https://p.example/1.png",
                            "desc": "到店看看",
                            "url": URL,
                        },
                    }
                ],
            },
        ),
        (
            outgoing("welcome", fields={"text": "您好", **CARD, "image": "https://wework.qpic.cn/1/0"}, url=URL),
            "cgi-bin/externalcontact/send_welcome_msg",
            {
                "welcome_code": "CODE",
                "text": {"content": "您好"},
                "attachments": [
                    {"msgtype": "image", "image": {"pic_url": "https://wework.qpic.cn/1/0"}},
                    {"msgtype": "link", "link": {"title": "本周新品", "desc": "到店看看", "url": URL}},
                ],
            },
        ),
        (
            outgoing("app"),
            "cgi-bin/message/send",
            {"touser": MEMBER, "agentid": 1000002, "msgtype": "text", "text": {"content": "您好"}, **ONCE},
        ),
        (
            outgoing("app", fields=CARD, url=URL),
            "cgi-bin/message/send",
            {"touser": MEMBER, "agentid": 1000002, "msgtype": "textcard", "textcard": {**CARD, "url": URL}, **ONCE},
        ),
    ],
)
def test_each_kind_is_posted_in_its_own_form(
    message: Outgoing[RenderedWeCom], path: str, expected: dict[str, Any]
) -> None:
    answer, poster = answered({"errcode": 0, "errmsg": "ok", "msgid": "msgGCAAA"}, message)
    assert answer == Accepted("msgGCAAA", ASKED_AFTER if message.content.kind == "customer" else None)
    assert poster.paths() == ["cgi-bin/gettoken", path]
    assert poster.calls[-1][1] == expected


@pytest.mark.parametrize(
    ("code", "kind", "expected"),
    [
        (-1, "customer", RefusedForNow("-1")),
        (45033, "app", RefusedForNow("45033")),
        (45009, "app", RefusedForNow("45009", pause=timedelta(minutes=1))),
        (84061, "customer", AddressGone("84061", "not_a_customer")),
        (40096, "customer", AddressGone("40096", "not_a_customer")),
        (81013, "app", AddressGone("81013", "not_a_member")),
        (60111, "app", AddressGone("60111", "not_a_member")),
        (84061, "app", RefusedMessage("84061")),
        (41048, "customer", RefusedMessage("41048")),
        (99999, "app", RefusedMessage("99999")),
        (41050, "welcome", RefusedMessage("41050")),
        (41051, "welcome", RefusedMessage("41051")),
        (41096, "welcome", RefusedForNow("41096")),
        (84061, "welcome", AddressGone("84061", "not_a_customer")),
        (40013, "app", RefusedUs("40013 the company's id is wrong")),
        (
            48002,
            "customer",
            RefusedUs("48002 the app has no right to this interface (客户联系 > 可调用应用)", for_everyone=False),
        ),
        (301002, "app", RefusedUs("301002 the app's id belongs to another secret", for_everyone=False)),
    ],
)
def test_each_code_means_one_answer(code: int, kind: Kind, expected: Answer) -> None:
    assert answered({"errcode": code, "errmsg": "some words"}, outgoing(kind))[0] == expected


@pytest.mark.parametrize(
    ("content", "kind", "expected"),
    [
        ({"invaliduser": MEMBER}, "app", AddressGone("invaliduser", "not_a_member")),
        ({"unlicenseduser": MEMBER}, "app", RefusedMessage("unlicenseduser")),
        ({"fail_list": [CUSTOMER]}, "customer", RefusedMessage("fail_list")),
        ({"invaliduser": "", "fail_list": [], "msgid": "m"}, "customer", Accepted("m", ASKED_AFTER)),
    ],
)
def test_a_success_that_leaves_the_recipient_out_is_none(
    content: Mapping[str, Any], kind: Kind, expected: Answer
) -> None:
    assert answered({"errcode": 0, "errmsg": "ok", **content}, outgoing(kind))[0] == expected


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (NoAnswer("no answer within 8 seconds"), Unclear("no answer within 8 seconds")),
        (NotSent("no connection in time"), RefusedForNow("no connection in time")),
    ],
)
def test_what_may_have_arrived_is_unclear_and_nothing_else(outcome: Outcome, expected: Answer) -> None:
    assert answered(outcome)[0] == expected


@pytest.mark.parametrize(
    ("seconds", "code", "reason"),
    [(15, "CODE", "welcome_code_over"), (3_600, "CODE", "welcome_code_over"), (0, "", "no_welcome_code")],
)
def test_a_welcome_whose_code_is_over_or_missing_is_no_call(seconds: int, code: str, reason: str) -> None:
    clock = FakeClock("2027-03-01T02:00:00+00:00")
    clock.advance(seconds=seconds)
    poster = ScriptedPoster(lambda url, _: pytest.fail(f"{url} is called"))
    assert provider(poster, clock=clock).send(outgoing("welcome", code=code)) == RefusedMessage(reason)


def test_a_call_with_a_welcome_takes_no_longer_than_its_code_is_good() -> None:
    clock = FakeClock("2027-03-01T02:00:00+00:00")
    clock.advance(seconds=13)
    token = {"errcode": 0, "access_token": "token-1", "expires_in": 7200}
    poster = ScriptedPoster(lambda url, _: token if "gettoken" in url else {"errcode": 0})
    assert isinstance(provider(poster, clock=clock).send(outgoing("welcome")), Accepted)
    assert poster.timeouts[-1] == timedelta(seconds=2)
    clock.advance(seconds=-13)
    assert isinstance(provider(poster, clock=clock).send(outgoing("welcome")), Accepted)
    assert poster.timeouts[-1] == timedelta(seconds=4)


def test_without_its_secret_or_app_nothing_is_sent() -> None:
    poster = ScriptedPoster(lambda url, _: pytest.fail(f"{url} is called"))
    assert provider(poster, secret="").send(outgoing()) == RefusedUs(
        "40001 put the app's secret into the channel's secret"
    )
    assert isinstance(provider(poster, agent="").send(outgoing()), RefusedUs)


# --- over HTTP, to the fake ----------------------------------------------------------------------------------------------


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock("2027-03-01T02:00:00+00:00")


@pytest.fixture
def fake() -> Fake:
    [fake] = FAKES
    return fake


@pytest.fixture
def real(clock: FakeClock) -> Iterator[Qyapi]:
    with Providers(clock=clock) as providers:
        yield provider(PinnedPoster(loopback=True), base=providers.url, clock=clock)


@pytest.mark.flow
def test_a_rotated_token_costs_one_more_call_and_no_message(real: Qyapi, fake: Fake) -> None:
    assert isinstance(real.send(outgoing()), Accepted)
    fake.rotate_token()
    assert isinstance(real.send(outgoing(key="m-2")), Accepted)
    assert fake.tasks == [CUSTOMER, CUSTOMER]


@pytest.mark.flow
def test_an_address_outside_the_list_is_refused_even_with_a_token(real: Qyapi, fake: Fake) -> None:
    assert isinstance(real.send(outgoing()), Accepted)
    fake.allowed_from = frozenset({"198.51.100.1"})
    assert real.send(outgoing(key="m-2")) == RefusedUs(
        f"60020 {fake.calls_from}: add this address to the app's list (企业可信IP)"
    )


@pytest.mark.flow
def test_who_is_no_friend_or_member_any_more_is_gone(real: Qyapi, fake: Fake) -> None:
    fake.remove(CUSTOMER)
    fake.remove(MEMBER)
    assert real.send(outgoing()) == AddressGone("84061", "not_a_customer")
    assert real.send(outgoing("app")) == AddressGone("81013", "not_a_member")


@pytest.mark.flow
def test_a_code_welcomes_once_and_for_twenty_seconds(real: Qyapi, fake: Fake, clock: FakeClock) -> None:
    code = fake.add_friend(CUSTOMER)
    assert real.send(outgoing("welcome", code="ANOTHER")) == RefusedMessage("41050")
    assert isinstance(real.send(outgoing("welcome", code=code)), Accepted)
    assert real.send(outgoing("welcome", code=code)) == RefusedMessage("41051")
    late, greeted = fake.add_friend(CUSTOMER), fake.add_friend(CUSTOMER, being_greeted=True)
    assert real.send(outgoing("welcome", code=greeted)) == RefusedForNow("41096")
    assert isinstance(real.send(outgoing("welcome", code=greeted)), Accepted)
    clock.advance(seconds=14)
    assert isinstance(real.send(outgoing("welcome", code=late)), Accepted)
    assert fake.welcomed == [CUSTOMER] * 3


@pytest.mark.flow
def test_a_repeated_app_message_is_seen_once_while_it_may_be_repeated(
    real: Qyapi, fake: Fake, clock: FakeClock
) -> None:
    assert isinstance(real.send(outgoing("app")), Accepted)
    clock.advance(seconds=int(REPEATABLE.total_seconds()))
    assert isinstance(real.send(outgoing("app")), Accepted)
    assert fake.delivered == 1


# --- authored, and who gets it -------------------------------------------------------------------------------------------


CARD_CODE = {"members": [MEMBER], "confirm": False}
DESK_CODE = {"members": [MEMBER, "li.bo"], "confirm": True}


@pytest.mark.flow
def test_a_contact_way_keeps_its_code_when_its_members_change(real: Qyapi, fake: Fake) -> None:
    maker = ContactWays(real.api)
    first = maker.make("desk", DESK_CODE)
    assert isinstance(first, MadeCode)
    assert (first.url, first.expires_at) == ("", None)
    former = FormerCode(DESK_CODE, first.picture, first.provider_id)
    assert maker.make("desk", {"members": ["li.bo", "wang.wu"], "confirm": False}, former) == first
    [way] = fake.ways.values()
    assert (way.members, way.state, way.skip_verify) == (["li.bo", "wang.wu"], "desk", True)


@pytest.mark.flow
def test_a_contact_way_of_one_member_becomes_another_code_for_several(real: Qyapi, fake: Fake) -> None:
    maker = ContactWays(real.api)
    card = maker.make("shop-7", CARD_CODE)
    assert isinstance(card, MadeCode)
    desk = maker.make("shop-7", DESK_CODE, FormerCode(CARD_CODE, card.picture, card.provider_id))
    assert isinstance(desk, MadeCode)
    assert desk.picture != card.picture
    assert [(way.type, way.members) for way in fake.ways.values()] == [(1, [MEMBER]), (2, [MEMBER, "li.bo"])]


@pytest.mark.flow
def test_who_scans_a_code_adds_its_member_with_its_parameter(real: Qyapi, fake: Fake) -> None:
    ContactWays(real.api).make("desk", DESK_CODE)
    posted = fake.perform("scan-code", {"customer": CUSTOMER, "state": "desk"})
    assert posted is not None
    with pytest.raises(ValueError, match="no code has 'shop-9'"):
        fake.perform("scan-code", {"customer": CUSTOMER, "state": "shop-9"})


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        ({"errcode": 45009}, NoCode("45009", later=True)),
        ({"errcode": 60111}, NoCode("60111")),
        ({"errcode": 84074}, NoCode("84074 the app has no right to customers (客户联系 > 可调用应用)")),
        (NotSent("no connection in time"), NoCode("no connection in time", later=True)),
    ],
)
def test_a_contact_way_that_wecom_does_not_make_is_named(
    outcome: Mapping[str, Any] | Outcome, expected: NoCode
) -> None:
    token = {"errcode": 0, "access_token": "token-1", "expires_in": 7200}
    poster = ScriptedPoster(lambda url, _: token if "gettoken" in url else outcome)
    assert ContactWays(provider(poster).api).make("shop-7", CARD_CODE) == expected
    assert connect_codes({}, ports_with(poster)).make("shop-7", CARD_CODE) == NoCode(NO_APP)


VIP, BUYER = OutsideTag("客户等级", "VIP"), OutsideTag("客户等级", "老客")


@pytest.mark.flow
def test_a_customer_is_known_with_members_unionid_and_the_companys_tags(
    real: Qyapi, fake: Fake, clock: FakeClock
) -> None:
    people = Customers(real.api)
    assert people.read(CUSTOMER) == NotKnown("84061")
    fake.perform("add-customer", {"customer": CUSTOMER, "member": "li.bo", "unionid": "o6-union"})
    first = clock()
    clock.advance(days=1)
    fake.perform("add-customer", {"customer": CUSTOMER, "member": "an.wu"})
    assert people.change_tags(CUSTOMER, "li.bo", put=[VIP, BUYER], take=[]) is None
    assert people.change_tags(CUSTOMER, "li.bo", put=[], take=[BUYER]) is None
    assert people.read(CUSTOMER) == Person(
        identities={"unionid": "o6-union"},
        served_by=[
            ServingMember(member="li.bo", since=first, tags=frozenset({VIP})),
            ServingMember(member="an.wu", since=clock()),
        ],
    )


@pytest.mark.flow
def test_a_tag_that_is_there_is_used_and_one_that_is_not_is_made_once(real: Qyapi, fake: Fake) -> None:
    fake.perform("add-customer", {"customer": CUSTOMER, "member": "li.bo"})
    fake.perform("tag-customer", {"customer": CUSTOMER, "member": "li.bo", "group": "客户等级", "tag": "VIP"})
    people = Customers(real.api)
    for _ in range(2):
        assert people.change_tags(CUSTOMER, "li.bo", put=[VIP, BUYER], take=[]) is None
    assert sorted(fake.customers.tags.values()) == [tuple(VIP), tuple(BUYER)]
    assert people.change_tags(CUSTOMER, "li.bo", put=[], take=[OutsideTag("客户等级", "没有")]) is None
    assert fake.customers.marks == 2
    assert people.change_tags(CUSTOMER, "nobody", put=[VIP], take=[]) == NotKnown("84061")


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        ({"errcode": 45033}, NotAnswered("45033")),
        ({"errcode": 45009}, NotAnswered("45009")),
        ({"errcode": 40096}, NotKnown("40096")),
        ({"errcode": 84074}, NotAnswered("84074 the app has no right to customers (客户联系 > 可调用应用)")),
        (NoAnswer("no answer within 8 seconds"), NotAnswered("no answer within 8 seconds")),
    ],
)
def test_what_may_be_answered_later_is_told_apart_from_nobody(
    outcome: Mapping[str, Any] | Outcome, expected: NotKnown | NotAnswered
) -> None:
    token = {"errcode": 0, "access_token": "token-1", "expires_in": 7200}
    people = Customers(provider(ScriptedPoster(lambda url, _: token if "gettoken" in url else outcome)).api)
    assert people.read(CUSTOMER) == expected
    assert people.change_tags(CUSTOMER, MEMBER, put=[VIP], take=[]) == expected


def test_a_customer_of_many_members_is_read_page_by_page() -> None:
    pages = {"": ["a", "b"], "next": ["c"]}

    def answer(url: str, _: Any) -> Mapping[str, Any]:
        if "gettoken" in url:
            return {"errcode": 0, "access_token": "token-1", "expires_in": 7200}
        cursor = "next" if "cursor=next" in url else ""
        follows = [{"userid": each, "createtime": 1_790_000_000 + ord(each)} for each in pages[cursor]]
        return {"errcode": 0, "external_contact": {}, "follow_user": follows, "next_cursor": "" if cursor else "next"}

    found = Customers(provider(ScriptedPoster(answer)).api).read(CUSTOMER)
    assert isinstance(found, Person)
    assert [each.member for each in found.served_by] == ["a", "b", "c"]


@pytest.mark.flow
def test_the_company_is_read_by_departments_with_who_leads_whom(real: Qyapi, fake: Fake) -> None:
    company = Organisation(real.api)
    for userid, name, department, leader in (
        ("boss", "王总", "公司", ""),
        ("wei.zhang", "张伟", "门店", ""),
        ("LinChen", "陈琳", "门店", ""),
        ("LiBo", "李波", "门店", "LinChen"),
        ("gone", "走了", "门店", ""),
    ):
        fake.organisation.hire(userid, name, department, leader, leads=userid in {"boss", "wei.zhang"})
    fake.perform("dismiss", {"member": "gone"})
    found = company.members()
    assert not isinstance(found, NoList)
    assert {each.userid: (each.name, each.department, each.manager) for each in found} == {
        "boss": ("王总", "公司", ""),
        "wei.zhang": ("张伟", "门店", "boss"),
        "LinChen": ("陈琳", "门店", "wei.zhang"),
        "LiBo": ("李波", "门店", "LinChen"),
    }


@pytest.mark.flow
def test_a_members_customers_are_read_page_by_page(real: Qyapi, fake: Fake, clock: FakeClock) -> None:
    company = Organisation(real.api)
    assert company.customers("li.bo") == []
    for number in range(101):
        customer = f"woAJ2GCAAAXtWyujaWJHDDGi0mAC{number:04}"
        fake.customers.add(customer, "li.bo", state="shop-7", now=clock())
    found = company.customers("li.bo")
    assert not isinstance(found, NoList)
    assert (len(found), found[-1].address[-4:], found[0].state, found[0].since) == (101, "0100", "shop-7", clock())


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        ({"errcode": 45033}, NoList("45033", later=True)),
        ({"errcode": 60011}, NoList("60011 the app may not see this member")),
        (NoAnswer("timeout"), NoList("timeout", later=True)),
    ],
)
def test_a_list_that_cannot_be_had_as_a_whole_is_none(outcome: Mapping[str, Any] | Outcome, expected: NoList) -> None:
    def answer(url: str, _: Any) -> Mapping[str, Any] | Outcome:
        if "gettoken" in url:
            return {"errcode": 0, "access_token": "token-1", "expires_in": 7200}
        return {"errcode": 0, "department": [{"id": 1, "name": "公司"}]} if "department/list" in url else outcome

    assert Organisation(provider(ScriptedPoster(answer)).api).members() == expected
    assert connect_staff({}, ports_with(ScriptedPoster(answer))).members() == NoList(NO_APP)


def authored(folder: Path, wecom: str, texts: str) -> tuple[dict[str, Any], str]:
    """The published variant, or what is wrong."""
    message = folder / "new-arrivals"
    message.mkdir()
    manifest = f"kind: transactional\ntopic: orders\nchannels: [wecom]\n{wecom}\n"
    (message / "message.yaml").write_text(manifest, encoding="utf-8")
    (message / "wecom.zh-CN.yaml").write_text(texts, encoding="utf-8")
    published, problems = MessageFolder(
        message, folder / "look", "zh-CN", lambda path: path.name, ForbiddenWords()
    ).read()
    found = "; ".join(f"{each.file} {each.field}: {each.reason}" for each in problems)
    return (published["variants"]["wecom"]["zh-CN"] if published else {}), found


def test_a_message_is_its_kind_its_link_and_its_texts(tmp_path: Path) -> None:
    variant, problems = authored(tmp_path, f"wecom: {{ kind: customer, url: '{URL}' }}", "text: 您好\ntitle: 新品\n")
    assert problems == ""
    assert variant == {"kind": "customer", "url": URL, "field.text": "您好", "field.title": "新品"}


def test_a_welcome_is_filled_in_with_its_code(tmp_path: Path) -> None:
    texts = "text: 您好\nimage: https://wework.qpic.cn/wwpic/1/0\n"
    variant, problems = authored(tmp_path, "wecom: { kind: welcome }", texts)
    assert problems == ""
    assert variant == {
        "kind": "welcome",
        "url": "",
        "code": "{{ event.properties.welcome_code | default('') }}",
        "until": "{{ event.properties.welcome_until | default('') }}",
        "field.text": "您好",
        "field.image": "https://wework.qpic.cn/wwpic/1/0",
    }


def test_nobody_reads_words_in_the_code_of_a_welcome() -> None:
    assert CHANNEL.words(outgoing("welcome", code="BEST-EVER").content).split() == ["welcome", "您好"]


@pytest.mark.parametrize(
    ("wecom", "texts", "reason"),
    [
        ("", "text: 您好\n", "{kind: customer}, {kind: welcome} or {kind: app}"),
        ("wecom: { kind: welcome }", "image: https://p.example/1.png\n", "media/uploadimg"),
        ("wecom: { kind: app }", "text: 您好\nimage: https://wework.qpic.cn/1/0\n", "has no place"),
        ("wecom: { kind: customer }", "title: 新品\n", "are both needed for a card"),
        (f"wecom: {{ kind: customer, url: '{URL}' }}", "text: 您好\n", "a card opens the url"),
        ("wecom: { kind: customer }", "subject: 您好\n", "should be text, image, or title"),
        ("wecom: { kind: customer }", "text: ''\n", "is empty"),
        ("wecom: { kind: customer }", "text: [您好]\n", "should be one text"),
        ("wecom: { kind: customer }", "您好\n", "a line for each text"),
        ("wecom: { kind: customer }", "text: '未完\n", "not YAML"),
        (f"wecom: {{ kind: app, url: '{URL}' }}", "text: 您好\ntitle: 新品\ndescription: 到店\n", "no room for both"),
        (f"wecom: {{ kind: app, url: '{URL}' }}", "title: 新品\n", "needs one"),
        (
            f"wecom: {{ kind: app, url: '{URL}' }}",
            "title: 新品\ndescription: 到店\npicture: https://p.example/1.png\n",
            "has no place",
        ),
        ("wecom: { kind: app }", f"text: {'字' * 683}\n", "text takes 2,049 bytes; at most 2,048"),
    ],
)
def test_what_wecom_would_not_show_is_refused_when_it_is_published(
    tmp_path: Path, wecom: str, texts: str, reason: str
) -> None:
    assert reason in authored(tmp_path, wecom, texts)[1]


@pytest.mark.parametrize(("kind", "expected"), [("customer", [CUSTOMER]), ("welcome", [CUSTOMER]), ("app", [MEMBER])])
def test_what_is_for_members_goes_to_no_customer_nor_the_other_way_round(kind: str, expected: list[str]) -> None:
    contact = Contact(
        "c-1", created_at=FakeClock("2027-03-01T02:00:00+00:00")(), identities={"external_userid": [CUSTOMER, MEMBER]}
    )
    message = PublishedMessage.from_dict(
        {
            "name": "new-arrivals", "kind": "transactional", "topic": "orders", "channels": ["wecom"],
            "variants": {"wecom": {"zh-CN": {"kind": kind, "url": "", "field.text": "您好"}}},
        }
    )  # fmt: skip
    assert [each.text for each in CHANNEL.addresses_for(message, contact)] == expected
    assert (CHANNEL.repeatable_for(message) is None) is (kind != "app")


@pytest.mark.parametrize(
    ("choices", "reason"),
    [
        ({"wecom_corp": "my shop", "wecom_agent": "1"}, "context wecom_corp: must be a company's id"),
        ({"wecom_corp": CORP}, "context wecom_agent: must be the id of an app"),
        ({"wecom_agent": AGENT}, "context wecom_agent: must be the id of an app"),
    ],
)
def test_choices_that_name_no_app_are_refused(tmp_path: Path, choices: dict[str, str], reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        synthesize(context={**NO_BUNDLING, **choices}, output=tmp_path)
