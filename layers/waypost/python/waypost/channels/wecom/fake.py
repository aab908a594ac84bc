"""Answers as ``qyapi.weixin.qq.com`` does, for one app of one company: its token, app messages, welcomes, and tasks for members.

Sources: those of ``provider_qyapi.py``.
"""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final, assert_never
from urllib.parse import parse_qs, urlencode, urlsplit

from waypost.channels import fake_contract as contract
from waypost.channels.wecom import fake_contact_ways, fake_customers, fake_organisation, fake_tasks
from waypost.clock import real_now
from waypost.http import encrypted_callback
from waypost.tencent.callbacks import as_xml

CORP: Final = "ww8f0a1b2c3d4e5f6a"
AGENT: Final = "1000002"
SECRET: Final = "HmRYfGm2dLq9XrTtUuVvWw0123456789abcdefghijk"  # noqa: S105 -- of the fake alone

CALLBACK_TOKEN: Final = "waypostWeComToken"  # noqa: S105
ENCODING_KEY: Final = "kWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"

_TOKEN: Final = "/cgi-bin/gettoken"  # noqa: S105
_KINDS: Final = {
    "/cgi-bin/externalcontact/add_msg_template": "customer",
    "/cgi-bin/externalcontact/send_welcome_msg": "welcome",
    "/cgi-bin/message/send": "app",
}
_ASKED: Final = frozenset(
    {*fake_tasks.CALLS, *fake_contact_ways.CALLS, *fake_customers.CALLS, *fake_organisation.CALLS}
)
"""Calls that send no message."""
_CUSTOMER: Final = re.compile(r"w[mo][A-Za-z0-9_-]{20,62}")
_MEMBER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}")
_LIVES: Final = timedelta(hours=2)
_MOST: Final = {"customer": 4_000, "welcome": 4_000, "app": 2_048}
_MOST_ATTACHMENTS: Final = 9
_WELCOME_WITHIN: Final = timedelta(seconds=20)
_PAIR: Final = {"customer": "woAJ2GCAAAXtWyujaWJHDDGi0mACAAAA", "member": "zhang.san"}
"""Whom an action is about where nobody is named."""


@dataclass(slots=True)
class _Friend:
    """A customer whom a member has just added, and whether the welcome went out."""

    customer: str
    added_at: datetime
    welcomed: bool = False


@dataclass(slots=True)
class _State:
    token: str = ""
    ends: datetime | None = None
    secret: str = SECRET
    strangers: set[str] = field(default_factory=set)
    delivered: dict[str, datetime] = field(default_factory=dict)
    tasks: fake_tasks.CompanyTasks = field(default_factory=fake_tasks.CompanyTasks)
    ways: fake_contact_ways.ContactWays = field(default_factory=fake_contact_ways.ContactWays)
    organisation: fake_organisation.Organisation = field(default_factory=fake_organisation.Organisation)
    customers: fake_customers.CompanyCustomers = field(default_factory=fake_customers.CompanyCustomers)
    members: dict[str, str] = field(default_factory=dict)
    friends: dict[str, _Friend] = field(default_factory=dict)
    greeted_by_another: set[str] = field(default_factory=set)


class Qyapi(contract.FakeProvider):
    """One app. ``allowed_from`` are the addresses that may call it (None: all); every call is checked, not the token's alone."""

    provider = "qyapi"
    endpoints = ("WAYPOST_WECOM_ENDPOINT",)
    choices: ClassVar[Mapping[str, str]] = {"wecom_corp": CORP, "wecom_agent": AGENT}
    credentials: ClassVar[Mapping[str, str]] = {
        "secret": SECRET,
        "callback_token": CALLBACK_TOKEN,
        "encoding_key": ENCODING_KEY,
    }
    carries: ClassVar[frozenset[str]] = frozenset({"message_key"})
    refusals: ClassVar[frozenset[contract.RefusalKind]] = frozenset(contract.REFUSAL_KINDS)
    words: ClassVar[frozenset[str]] = frozenset()
    fates: ClassVar[Mapping[contract.Fate, str]] = {}
    actions: ClassVar[Mapping[str, contract.Action]] = {
        "add-customer": contract.Action(
            summary="a member and a customer become friends: add_external_contact with a code for one welcome",
            values={**_PAIR, "state": "", "unionid": ""},
        ),
        "add-member": contract.Action(
            summary="a customer adds a member who has not confirmed it yet: add_half_external_contact, with a code",
            values={**_PAIR, "state": ""},
        ),
        "confirm-task": contract.Action(
            summary="a member sends the message that waits for a customer; WeCom posts nothing, it is asked every hour",
            needs="a message that waits",
            values={**_PAIR, "outcome": "sent"},
        ),
        "scan-code": contract.Action(
            summary="a customer adds the member of a contact way by its code: add_external_contact with its parameter",
            needs="a code made by make-codes",
            values={"customer": _PAIR["customer"], "state": "shop-7", "unionid": ""},
        ),
        "tag-customer": contract.Action(
            summary="a member puts a tag of the company on a customer, or takes it off: edit_external_contact",
            needs="a customer of the member",
            values={**_PAIR, "group": "客户等级", "tag": "VIP"},
        ),
        "hire": contract.Action(
            summary="a member comes to the company; WeCom is asked for its members by sync-staff",
            values={"member": _PAIR["member"], "name": "张三", "department": "门店", "leader": ""},
        ),
        "dismiss": contract.Action(
            summary="a member leaves the company",
            needs="a member who was hired",
            values={"member": _PAIR["member"]},
        ),
        "remove-customer": contract.Action(summary="a member removes a customer: del_external_contact", values=_PAIR),
        "remove-member": contract.Action(summary="a customer removes a member: del_follow_user", values=_PAIR),
    }

    def __init__(self) -> None:
        self.allowed_from: frozenset[str] | None = None
        self.calls_from = "203.0.113.9"
        self._state = _State()

    # --- what people and operators do ------------------------------------------------------------------------------

    def forget(self) -> None:
        """See FakeProvider."""
        self.allowed_from, self._state = None, _State()

    @property
    def tasks(self) -> list[str]:
        """The customers for whom a member was given a message to send, in order."""
        return self._state.tasks.customers

    @property
    def organisation(self) -> fake_organisation.Organisation:
        """The departments and members."""
        return self._state.organisation

    @property
    def customers(self) -> fake_customers.CompanyCustomers:
        """The customers, and the company's tags."""
        return self._state.customers

    @property
    def ways(self) -> Mapping[str, fake_contact_ways.ContactWay]:
        """The contact ways, by their config_id."""
        return self._state.ways.ways

    @property
    def reminders(self) -> Mapping[str, int]:
        """How often each member was reminded."""
        return self._state.tasks.reminders

    def confirm(self, customer: str, *, outcome: str = "sent") -> None:
        """The member sends the oldest message that waits for a customer. Raises ValueError where none does."""
        self._state.tasks.confirm(customer, outcome, now=self.clock())

    @property
    def delivered(self) -> int:
        """How many app messages members saw."""
        return len(self._state.delivered)

    def perform(self, action: str, values: Mapping[str, str]) -> contract.HttpRequest | contract.Published | None:
        """See FakeProvider."""
        match action:
            case "hire":
                self._state.organisation.hire(
                    values["member"], values["name"], values["department"], values.get("leader", "")
                )
                return None
            case "dismiss":
                self._state.organisation.dismiss(values["member"])
                return None
            case _:
                return self._between(action, values)

    def _between(self, action: str, values: Mapping[str, str]) -> contract.HttpRequest | contract.Published | None:
        """What happens between a customer and a member."""
        customer = values["customer"]
        member = values.get("member") or self._state.ways.with_state(values["state"]).members[0]
        if not (_CUSTOMER.fullmatch(customer) and _MEMBER.fullmatch(member)):
            raise ValueError("customer: an external_userid such as wo…; member: a userid")
        match action:
            case "add-customer" | "add-member" | "scan-code":
                change = "add_half_external_contact" if action == "add-member" else "add_external_contact"
                if change == "add_external_contact":
                    self._state.customers.add(
                        customer,
                        member,
                        state=values.get("state", ""),
                        unionid=values.get("unionid", ""),
                        now=self.clock(),
                    )
                given = {"WelcomeCode": self.add_friend(customer), "State": values.get("state", "")}
                self._state.members[customer] = member
                return self.callback(change, customer, member, **{name: text for name, text in given.items() if text})
            case "confirm-task":
                self.confirm(customer, outcome=values["outcome"])
                return None
            case "tag-customer":
                self._state.customers.toggle(customer, member, values["group"], values["tag"])
                return self.callback("edit_external_contact", customer, member)
            case "remove-customer":
                self._state.customers.remove(customer, member)
                return self.callback("del_external_contact", customer, member)
            case "remove-member":
                self._state.customers.remove(customer, member)
                return self.callback("del_follow_user", customer, member)
            case _:
                return super().perform(action, values)

    def add_friend(self, customer: str, *, being_greeted: bool = False) -> str:
        """A member adds a customer: the code of the welcome. ``being_greeted``: another app is sending one right now."""
        code = f"CALLBACK_CODE_{uuid.uuid4().hex}"
        self._state.friends[code] = _Friend(customer, self.clock())
        if being_greeted:
            self._state.greeted_by_another.add(code)
        return code

    def callback(self, change: str, customer: str, member: str, **more: str) -> contract.HttpRequest:
        """What WeCom posts about a customer and a member now, to the path behind the address of the API."""
        created, sent = int(self.clock().timestamp()), str(int(real_now().timestamp()))
        document = {
            "ToUserName": CORP,
            "FromUserName": "sys",
            "CreateTime": created,
            "MsgType": "event",
            "Event": "change_external_contact",
            "ChangeType": change,
            "UserID": member,
            "ExternalUserID": customer,
            **more,
        }
        key = encrypted_callback.key_of(ENCODING_KEY) or b""
        ciphertext = encrypted_callback.seal(as_xml(document).encode(), key=key, owner=CORP)
        signed = encrypted_callback.signature(CALLBACK_TOKEN, sent, "1", ciphertext)
        query = urlencode({"msg_signature": signed, "timestamp": sent, "nonce": "1"})
        return contract.HttpRequest(
            method="POST",
            path=f"/v1/callbacks/wecom/{CORP}?{query}",
            headers={"content-type": "text/xml"},
            body=as_xml({"ToUserName": CORP, "Encrypt": ciphertext, "AgentID": AGENT}).encode(),
        )

    @property
    def codes(self) -> list[str]:
        """The codes of welcomes that were given, in order."""
        return list(self._state.friends)

    @property
    def welcomed(self) -> list[str]:
        """The customers who got a welcome, in the order in which they were added."""
        return [each.customer for each in self._state.friends.values() if each.welcomed]

    def rotate_token(self) -> None:
        """End the token."""
        self._state.token = ""

    def remove(self, userid: str) -> None:
        """A customer has no member as a friend any more, or a member has left."""
        self._state.strangers.add(userid)

    # --- what functions call -----------------------------------------------------------------------------------------

    def recognises(self, request: contract.HttpRequest) -> bool:
        """See FakeProvider."""
        return urlsplit(request.path).path in {_TOKEN, *_KINDS, *_ASKED}

    def answer_aside(self, request: contract.HttpRequest) -> contract.HttpAnswer | None:
        """See FakeProvider: a token is asked for, or something that is no message."""
        target = urlsplit(request.path)
        if target.path == _TOKEN:
            return self._token(request, {name: values[0] for name, values in parse_qs(target.query).items()})
        return self._asked(request) if target.path in _ASKED else None

    def _token(self, request: contract.HttpRequest, asked: Mapping[str, str]) -> contract.HttpAnswer:
        if request.method != "GET" or not asked.get("corpsecret"):
            return _error(41004, "corpsecret missing")
        if asked.get("corpid") != CORP:
            return _error(40013, "invalid corpid")
        if asked["corpsecret"] != self._state.secret:
            return _error(40001, "invalid credential")
        if self._is_shut_out:
            return _error(60020, self._shut_out)
        now, state = real_now(), self._state
        if not state.token or state.ends is None or state.ends <= now:
            state.token, state.ends = uuid.uuid4().hex, now + _LIVES
        seconds = int((state.ends - now).total_seconds())
        return contract.HttpAnswer(
            status=200,
            content={"errcode": 0, "errmsg": "ok", "access_token": state.token, "expires_in": seconds},
        )

    def _asked(self, request: contract.HttpRequest) -> contract.HttpAnswer:
        target = urlsplit(request.path)
        asked = {name: values[0] for name, values in parse_qs(target.query).items()}
        try:
            self._check_token(asked.get("access_token", ""))
        except contract.RefusedRequestError as refused:
            return refused.answer
        if target.path in fake_organisation.CALLS:
            return self._state.organisation.answer(target.path, asked)
        if target.path in fake_customers.CALLS:
            return self._state.customers.answer(target.path, asked if request.method == "GET" else request.json())
        if target.path in fake_contact_ways.CALLS:
            return self._state.ways.answer(target.path, request.json())
        return self._state.tasks.answer(target.path, request.json(), now=self.clock())

    def taken(self, message: contract.SentMessage, message_id: str) -> None:
        """See FakeProvider."""
        if message.request["kind"] == "customer":
            member = self._state.members.get(message.recipient, _PAIR["member"])
            self._state.tasks.give(message_id, message.recipient, member)

    def read(self, request: contract.HttpRequest) -> contract.SentMessage:
        """See FakeProvider."""
        target, content = urlsplit(request.path), request.json()
        key = request.headers.get("x-request-id", "")
        customers = content.get("external_userid") or [""]
        friend = self._state.friends.get(str(content.get("welcome_code", "")))
        return contract.SentMessage(
            recipient=friend.customer if friend else str(content.get("touser") or customers[0]),
            tags={"message_key": key} if key else {},
            content=_shown(content),
            request={
                "kind": _KINDS[target.path],
                "token": parse_qs(target.query).get("access_token", [""])[0],
                **content,
            },
        )

    def check(self, message: contract.SentMessage) -> None:
        """See FakeProvider."""
        given = message.request
        self._check_token(given["token"])
        text = str(given.get("text", {}).get("content", ""))
        if len(text.encode()) > _MOST[given["kind"]]:
            raise _refused(45002, "content size out of limit")
        if not message.content.text and not message.content.subject:
            raise _refused(44004, "empty content")
        if len(given.get("attachments", ())) > _MOST_ATTACHMENTS:
            raise _refused(40058, "invalid Request Parameter, attachments size out of limit")
        match given["kind"]:
            case "customer":
                self._check_task(given)
            case "welcome":
                self._check_welcome(given)
            case _:
                self._check_app_message(given, message.recipient)

    def _check_token(self, token: str) -> None:
        state = self._state
        if not state.token or token != state.token:
            raise _refused(40014, "invalid access_token")
        if state.ends is None or state.ends <= real_now():
            raise _refused(42001, "access_token expired")
        if self._is_shut_out:
            raise _refused(60020, self._shut_out)

    def _check_task(self, given: Mapping[str, Any]) -> None:
        [customer] = given["external_userid"]
        if given.get("chat_type", "single") != "single" or not _CUSTOMER.fullmatch(customer):
            raise _refused(40096, "invalid external userid")
        if customer in self._state.strangers:
            raise _refused(84061, "not external contact")

    def _check_welcome(self, given: Mapping[str, Any]) -> None:
        """A code is good once and for 20 seconds; one of two apps that greet at a time is asked to come again."""
        code = str(given.get("welcome_code", ""))
        friend = self._state.friends.get(code)
        if friend is None or self.clock() - friend.added_at > _WELCOME_WITHIN:
            raise _refused(41050, "invalid welcome code or expired")
        if friend.welcomed:
            raise _refused(41051, "welcome msg has been distributed")
        if code in self._state.greeted_by_another:
            self._state.greeted_by_another.remove(code)
            raise _refused(41096, "welcome msg is being distributed")
        friend.welcomed = True

    def _check_app_message(self, given: Mapping[str, Any], member: str) -> None:
        """The same message is shown once within the interval; a repetition of it is answered as the first was."""
        if given.get("agentid") != int(AGENT):
            raise _refused(40056, "invalid agentid")
        if not _MEMBER.fullmatch(member) or member in self._state.strangers:
            raise _refused(81013, "user & party & tag all invalid")
        body = repr(sorted((name, value) for name, value in given.items() if name != "token"))
        lasting = timedelta(seconds=given.get("duplicate_check_interval", 1_800))
        shown_at, now = self._state.delivered.get(body), self.clock()
        if given.get("enable_duplicate_check") and shown_at is not None and now - shown_at < lasting:
            raise contract.RefusedRequestError(self.accepted(self.new_id()))
        self._state.delivered[body] = now

    @property
    def _is_shut_out(self) -> bool:
        return self.allowed_from is not None and self.calls_from not in self.allowed_from

    @property
    def _shut_out(self) -> str:
        return f"not allow to access from your ip, hint: [1], from ip: {self.calls_from}, more info at https://open.work.weixin.qq.com"

    def accepted(self, message_id: str) -> contract.HttpAnswer:
        """See FakeProvider."""
        return contract.HttpAnswer(status=200, content={"errcode": 0, "errmsg": "ok", "msgid": message_id})

    def refusal(self, kind: contract.RefusalKind) -> contract.HttpAnswer:
        """See FakeProvider."""
        match kind:
            case "throttle":
                return _error(45033, "api concurrent out of limit")
            case "reject":
                return _error(45002, "content size out of limit")
            case "refuse_us":
                return _error(60020, self._shut_out)
            case "address_gone":
                return _error(84061, "not external contact")
            case "error":
                return contract.HttpAnswer(status=502, text="<html>502 Bad Gateway</html>")
            case _:
                assert_never(kind)

    def new_id(self) -> str:
        """See FakeProvider."""
        return f"msg{uuid.uuid4().hex}"

    def notice(
        self, word: str, message: contract.SentMessage, *, message_id: str, sent_at: datetime, at: datetime
    ) -> Any:
        """See FakeProvider: WeCom says nothing to an event bus."""
        del message, message_id, sent_at, at
        raise ValueError(f"WeCom does not say {word!r}")


def _shown(content: Mapping[str, Any]) -> contract.SentContent:
    """The message as the reader gets it: the text, and the card below it."""
    card: Mapping[str, Any] = content.get("textcard") or {}
    pictures = list[str]()
    for attachment in content.get("attachments", ()):
        if attachment["msgtype"] == "image":
            pictures.append(attachment["image"]["pic_url"])
        else:
            card = attachment["link"]
    lines = [
        content.get("text", {}).get("content", ""),
        *pictures,
        *(card.get(name, "") for name in ("description", "desc", "url")),
    ]
    return contract.SentContent(text="\n".join(str(line) for line in lines if line), subject=str(card.get("title", "")))


def _error(code: int, message: str) -> contract.HttpAnswer:
    return contract.HttpAnswer(status=200, content={"errcode": code, "errmsg": message})


def _refused(code: int, message: str) -> contract.RefusedRequestError:
    return contract.RefusedRequestError(_error(code, message))


FAKES: Final = (Qyapi(),)
