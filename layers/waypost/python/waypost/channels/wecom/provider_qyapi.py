"""WeCom messages through ``qyapi.weixin.qq.com``, by one app of one company.

Sources: https://developer.work.weixin.qq.com/document/path/92135 (to customers), .../92599 (welcome), .../90236 (to members), .../91039 (token) and
https://developer.work.weixin.qq.com/document/path/90313 (codes)
"""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, assert_never
from urllib.parse import urlencode

from waypost.channels.answers import Accepted, AddressGone, Answer, RefusedForNow, RefusedMessage, RefusedUs, Unclear
from waypost.channels.contract import Outgoing, Provider, ProviderPorts
from waypost.channels.wecom.channel import DUPLICATE_WITHIN, Kind, RenderedWeCom
from waypost.clock import Clock, real_now
from waypost.errors import RetryableError
from waypost.events.ports import SecretStore
from waypost.http.ports import Caller, NoAnswer, NotSent
from waypost.tencent.access_tokens import AccessToken, AccessTokens, NoToken
from waypost.tencent.api import CALL_TIMEOUT, REFUSED_TOKEN, TOKEN_TIMEOUT, Api, Replied, Reply, granted, replied

HOST: Final = "https://qyapi.weixin.qq.com"
_PATHS: Final[Mapping[Kind, str]] = {
    "customer": "/cgi-bin/externalcontact/add_msg_template",
    "welcome": "/cgi-bin/externalcontact/send_welcome_msg",
    "app": "/cgi-bin/message/send",
}
ASKED_AFTER: Final = timedelta(hours=1)
"""How long a member has for a task before it is first asked whether they sent it."""
_WRONG_SECRET: Final = 40001

LATER: Final = frozenset({-1, 41096, 45033})
"""41096: another app is sending the customer's welcome right now."""
QUOTA: Final = 45009
_BLOCKED_FOR: Final = timedelta(minutes=1)
"""How long a call is blocked at least after it was made too often. Source: document/path/90454."""
_GONE: Final[Mapping[Kind, frozenset[int]]] = {
    "customer": frozenset({40096, 84061}),
    "welcome": frozenset({40096, 84061}),
    "app": frozenset({40003, 60111, 81013}),
}
REFUSES_THE_ACCOUNT: Final = frozenset({40013, 40056, 48002, 50002, 60011, 60020, 84074, 301002, *REFUSED_TOKEN})
_OF_EVERYTHING: Final = frozenset({40013, 60020, *REFUSED_TOKEN})
"""These refuse messages of both kinds; the others the rights to one of them."""
_ADVICE: Final[Mapping[int, str]] = {
    40001: "put the app's secret into the channel's secret",
    40013: "the company's id is wrong",
    40056: "the app's id is wrong",
    48002: "the app has no right to this interface (客户联系 > 可调用应用)",
    50002: "the member is outside of what the app may see",
    60011: "the app may not see this member",
    60020: "add this address to the app's list (企业可信IP)",
    84074: "the app has no right to customers (客户联系 > 可调用应用)",
    301002: "the app's id belongs to another secret",
}
_WELCOME_TIMEOUT: Final = timedelta(seconds=4)
"""WeCom waits five seconds for the answer to its callback, during which the welcome is sent."""
NO_APP: Final = "no_app: name company and app in the choices wecom_corp and wecom_agent"
_ADDRESS: Final = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class AppToken:
    """A Grant of one app: ``gettoken``, which gives the same token until it ends and cannot be asked for another.

    A refused secret is read again once, so that one that an operator has just replaced works at once.
    """

    caller: Caller = field(repr=False)
    base: str
    corp: str
    secrets: SecretStore = field(repr=False)
    clock: Callable[[], datetime]

    def ask(self, *, force: bool) -> AccessToken | NoToken:
        """See Grant. Raises TemporarilyUnavailable while Secrets Manager has given no secret yet."""
        del force
        secret = str(self.secrets.read().get("secret", ""))
        answer = self._asked(secret)
        if not (isinstance(answer, NoToken) and answer.code == _WRONG_SECRET):
            return answer
        newer = str(self.secrets.read_again().get("secret", ""))
        return self._asked(newer) if newer != secret else answer

    def _asked(self, secret: str) -> AccessToken | NoToken:
        if not secret:
            return NoToken("the secret of the app is not set", code=_WRONG_SECRET)
        now = self.clock()
        query = urlencode({"corpid": self.corp, "corpsecret": secret})
        answer = self.caller.get(f"{self.base}/cgi-bin/gettoken?{query}", {}, timeout=TOKEN_TIMEOUT)
        return granted(replied(answer), now=now)


@dataclass(slots=True, kw_only=True)
class Qyapi(Provider[RenderedWeCom]):
    """``corp`` and ``agent`` are empty where WeCom is not set up."""

    api: Api = field(repr=False)
    corp: str
    agent: str
    clock: Clock

    def send(self, outgoing: Outgoing[RenderedWeCom]) -> Answer:
        """See Provider. A message to a customer is accepted when its task exists; a member has to send it."""
        if not (self.corp and self.agent.isdigit()):
            return RefusedUs(NO_APP)
        kind, timeout = outgoing.content.kind, CALL_TIMEOUT
        if kind == "welcome":
            left = self._left_for(outgoing.content)
            if isinstance(left, RefusedMessage):
                return left
            timeout = min(left, _WELCOME_TIMEOUT)
        try:
            reply = self.api.post(_PATHS[kind], self._body(outgoing), request_id=outgoing.message_key, timeout=timeout)
        except RetryableError as error:  # of the secret or of the token's item: there was no call with a message yet
            return RefusedForNow(str(error))
        answer = _answer(reply, kind)
        return (
            replace(answer, asked_after=ASKED_AFTER) if kind == "customer" and isinstance(answer, Accepted) else answer
        )

    def _left_for(self, welcome: RenderedWeCom) -> timedelta | RefusedMessage:
        """How long the code of a welcome is still good; a spent one is not sent, because WeCom would refuse it."""
        if not (welcome.code and welcome.until.isdigit()):
            return RefusedMessage("no_welcome_code")
        left = datetime.fromtimestamp(int(welcome.until), tz=UTC) - self.clock()
        return left if left > timedelta(0) else RefusedMessage("welcome_code_over")

    def _body(self, outgoing: Outgoing[RenderedWeCom]) -> dict[str, Any]:
        content, fields = outgoing.content, outgoing.content.fields
        match content.kind:
            case "customer":
                return {"chat_type": "single", "external_userid": [outgoing.to.text], **_to_customer(content)}
            case "welcome":
                return {"welcome_code": content.code, **_to_customer(content)}
            case "app":
                card = {name: fields[name] for name in ("title", "description") if name in fields}
                shown: dict[str, Any] = (
                    {"msgtype": "text", "text": {"content": fields["text"]}}
                    if "text" in fields
                    else {"msgtype": "textcard", "textcard": card | {"url": content.url}}
                )
                once = {
                    "enable_duplicate_check": 1,
                    "duplicate_check_interval": int(DUPLICATE_WITHIN.total_seconds()),
                }
                return {"touser": outgoing.to.text, "agentid": int(self.agent), **shown, **once}
            case _:
                assert_never(content.kind)


def _to_customer(content: RenderedWeCom) -> dict[str, Any]:
    """The text and the attachments of what customers get."""
    fields = content.fields
    names = {"title": "title", "picture": "picurl", "description": "desc"}
    card = {theirs: fields[ours] for ours, theirs in names.items() if ours in fields}
    attachments: list[dict[str, Any]] = []
    if "image" in fields:
        attachments.append({"msgtype": "image", "image": {"pic_url": fields["image"]}})
    if card:
        attachments.append({"msgtype": "link", "link": card | {"url": content.url}})
    text = {"text": {"content": fields["text"]}} if "text" in fields else {}
    return {**text, **({"attachments": attachments} if attachments else {})}


def _answer(reply: Reply, kind: Kind) -> Answer:
    match reply:
        case Replied(code=0, content=content):
            return _taken(content)
        case Replied():
            return _refusal(reply, kind)
        case NotSent(reason=reason):
            return RefusedForNow(reason)
        case NoAnswer(reason=reason):
            return Unclear(reason)
        case _:
            assert_never(reply)


def _taken(content: Mapping[str, Any]) -> Answer:
    """A success, which may name the one recipient as one whom nothing was sent to."""
    if content.get("invaliduser"):
        return AddressGone("invaliduser", suppression="not_a_member")
    if content.get("unlicenseduser"):
        return RefusedMessage("unlicenseduser")
    if content.get(
        "fail_list"
    ):  # no friend of a member, or over what a customer gets in a month: WeCom does not say which
        return RefusedMessage("fail_list")
    return Accepted(str(content.get("msgid", "")))


def _refusal(reply: Replied, kind: Kind) -> Answer:
    code = reply.code
    if code in LATER:
        return RefusedForNow(str(code))
    if code == QUOTA:
        return RefusedForNow(str(code), pause=_BLOCKED_FOR)
    if code in _GONE[kind]:
        return AddressGone(str(code), suppression="not_a_member" if kind == "app" else "not_a_customer")
    if code in REFUSES_THE_ACCOUNT:
        return RefusedUs(with_advice(reply), for_everyone=code in _OF_EVERYTHING)
    return RefusedMessage(str(code))


def with_advice(reply: Replied) -> str:
    """The code of a refusal, with the address that WeCom does not know and what helps, where that is known."""
    named = _ADDRESS.search(reply.message) if reply.code in _ADVICE else None
    advice = ": ".join(part for part in (named[0] if named else "", _ADVICE.get(reply.code, "")) if part)
    return f"{reply.code} {advice}".strip()


def connect(settings: Mapping[str, str], ports: ProviderPorts) -> Qyapi:
    """The provider, from the settings ``secret``, ``corp``, ``agent`` and ``endpoint`` (of a fake)."""
    corp, agent = settings.get("corp", ""), settings.get("agent", "")
    return Qyapi(api=api_of(settings, ports), corp=corp, agent=agent, clock=ports.clock)


def api_of(settings: Mapping[str, str], ports: ProviderPorts) -> Api:
    """WeCom's interface for the company's app; settings as above."""
    base, corp, agent = settings.get("endpoint") or HOST, settings.get("corp", ""), settings.get("agent", "")
    caller = ports.poster()
    grant = AppToken(
        caller=caller, base=base, corp=corp, secrets=ports.secret(settings.get("secret", "")), clock=real_now
    )
    tokens = AccessTokens(
        name=f"wecom/{corp}/{agent}", store=ports.tokens(), grant=grant, clock=real_now, sleep=time.sleep
    )
    return Api(poster=caller, base=base, tokens=tokens)
