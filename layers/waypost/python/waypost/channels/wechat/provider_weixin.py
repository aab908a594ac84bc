"""WeChat messages through ``api.weixin.qq.com``, for official accounts and mini programs.

A reply is handed over by no call: it stands in the answer to WeChat's own.

Sources: https://developers.weixin.qq.com/doc/service/api/notify/template/api_sendtemplatemessage.html,
https://developers.weixin.qq.com/doc/service/api/notify/notify/api_sendnewsubscribemsg.html,
https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/mp-message-management/subscribe-message/sendMessage.html and
https://developers.weixin.qq.com/doc/service/api/customer/message/api_sendcustommessage.html
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, assert_never

from waypost.channels.answers import Accepted, AddressGone, Answer, RefusedForNow, RefusedMessage, RefusedUs, Unclear
from waypost.channels.contract import Outgoing, Provider, ProviderPorts
from waypost.channels.wechat.channel import IMAGE, RenderedWeChat, openid_of
from waypost.clock import Clock, real_now
from waypost.errors import RetryableError
from waypost.events.ports import SecretStore
from waypost.http.ports import NoAnswer, NotSent, Poster
from waypost.tencent.access_tokens import AccessTokens, TokenStore
from waypost.tencent.api import REFUSED_TOKEN, Api, Replied, Reply, StableToken

HOST: Final = "https://api.weixin.qq.com"
_PATHS: Final[Mapping[str, str]] = {
    "template": "/cgi-bin/message/template/send",
    "subscription": "/cgi-bin/message/subscribe/bizsend",
    "mini_program": "/cgi-bin/message/subscribe/send",
    "customer_service": "/cgi-bin/message/custom/send",
}

DUPLICATE: Final = 40241
"""A template message of this ``client_msg_id`` was sent before."""
_LATER: Final = frozenset({-1, 43108, 45009, 45011, 9500002})
_GONE: Final[Mapping[int, str]] = {
    40003: "unfollowed", 43004: "unfollowed", 50005: "unfollowed",
    40249: "blocked", 43019: "blocked", 48002: "blocked",
}  # fmt: skip
_NO_RIGHT: Final = frozenset({43101, 45015, 45047})
"""Credits used up or refused; the conversation is closed; its allowance is used up."""
_REFUSES_THE_ACCOUNT: Final = frozenset({
    40002, 40013, 40125, 40164, 40243, 43107, 48001, 48004, 50002, 50004, 50007, 61004, 61007, *REFUSED_TOKEN,
})  # fmt: skip
_ADVICE: Final[Mapping[int, str]] = {
    40013: "the app id is wrong",
    40125: "put the account's secret into the channel's secret",
    40164: "add this address to the account's IP list (设置与开发 > 安全中心 > IP白名单)",
    43107: "WeChat has banned subscription messages of this account",
    48001: "the account has no right to this interface",
    48004: "WeChat has banned this interface for the account",
    50002: "the account is limited",
}
_ADDRESS: Final = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b")
_FIELD: Final = re.compile(r"\bdata\.(\w+)")


@dataclass(slots=True)
class Weixin(Provider[RenderedWeChat]):
    """``secrets`` has ``<account>.secret`` of each account; ``base`` is WeChat's host or that of a fake."""

    poster: Poster = field(repr=False)
    secrets: SecretStore = field(repr=False)
    tokens: TokenStore = field(repr=False)
    base: str
    accounts: tuple[str, ...]
    clock: Clock
    _apis: dict[str, Api] = field(default_factory=dict, init=False, repr=False)

    def send(self, outgoing: Outgoing[RenderedWeChat]) -> Answer:
        """See Provider."""
        content = outgoing.content
        if content.account not in self.accounts:
            return RefusedUs(f"no_account {content.account}: name it in the choice wechat_accounts", for_everyone=False)
        if content.kind == "reply":
            return self._in_answer(content)
        try:
            reply = self._api(content.account).post(
                _PATHS[content.kind], _body(outgoing), request_id=outgoing.message_key
            )
        except RetryableError as error:  # of the secret or of the token's item: there was no call with a message yet
            return RefusedForNow(str(error))
        return _answer(reply, alone=len(self.accounts) == 1)

    def _in_answer(self, content: RenderedWeChat) -> Answer:
        """A reply that is written into the answer, if somebody waits for one."""
        if not content.until:
            return RefusedMessage("no_callback")
        if self.clock().timestamp() > int(content.until):
            return RefusedMessage("too_late")
        return Accepted("", in_answer=_document(content))

    def _api(self, account: str) -> Api:
        api = self._apis.get(account) or self._connected(account)
        self._apis[account] = api
        return api

    def _connected(self, account: str) -> Api:
        grant = StableToken(
            poster=self.poster,
            base=self.base,
            app_id=account,
            secrets=self.secrets,
            secret_of=lambda values: str(values.get(f"{account}.secret", "")),
            clock=real_now,
        )
        tokens = AccessTokens(
            name=f"wechat/{account}", store=self.tokens, grant=grant, clock=real_now, sleep=time.sleep
        )
        return Api(poster=self.poster, base=self.base, tokens=tokens)


def _body(outgoing: Outgoing[RenderedWeChat]) -> dict[str, Any]:
    content, to = outgoing.content, {"touser": openid_of(outgoing.to)}
    values = {name: {"value": value} for name, value in content.fields.items()}
    opens = {"miniprogram": {"appid": content.app_id, "pagepath": content.page}} if content.app_id else {}
    template = {"template_id": content.template, "data": values}
    match content.kind:
        case "template":
            link = {"url": content.url} if content.url else {}
            return to | template | link | opens | {"client_msg_id": outgoing.message_key}
        case "subscription":
            link = {"page": content.url} if content.url else {}
            return to | template | link | opens
        case "mini_program":
            page = {"page": content.page} if content.page else {}
            return to | template | page | {"miniprogram_state": "formal", "lang": "zh_CN"}
        case "customer_service" if "text" in content.fields:
            return to | {"msgtype": "text", "text": {"content": content.fields["text"]}}
        case "customer_service":
            names = {"title": "title", "description": "description", "picture": "picurl"}
            card = {theirs: content.fields[ours] for ours, theirs in names.items() if ours in content.fields}
            return to | {"msgtype": "news", "news": {"articles": [card | {"url": content.url}]}}
        case "reply":
            raise AssertionError("a reply is handed over by no call")
        case _:
            assert_never(content.kind)


def _document(content: RenderedWeChat) -> dict[str, Any]:
    """What a reply adds to who gets it. To a message WeChat takes one article, so that a card has one.

    Source: https://developers.weixin.qq.com/doc/service/guide/product/message/Passive_user_reply_message.html
    """
    fields = content.fields
    if "text" in fields:
        return {"MsgType": "text", "Content": fields["text"]}
    if IMAGE in fields:
        return {"MsgType": "image", "Image": {"MediaId": fields[IMAGE]}}
    names = {"title": "Title", "description": "Description", "picture": "PicUrl"}
    card = {theirs: fields.get(ours, "") for ours, theirs in names.items()}
    return {"MsgType": "news", "ArticleCount": 1, "Articles": {"item": card | {"Url": content.url}}}


def _answer(reply: Reply, *, alone: bool) -> Answer:
    """``alone``: there is no other account, so that what is refused to it is refused to everybody."""
    match reply:
        case Replied(code=0, content=content):
            return Accepted(str(content.get("msgid", "")))
        case Replied() if reply.code == DUPLICATE:
            return Accepted("")
        case Replied():
            return _refusal(reply, alone=alone)
        case NotSent(reason=reason):
            return RefusedForNow(reason)
        case NoAnswer(reason=reason):
            return Unclear(reason)
        case _:
            assert_never(reply)


def _refusal(reply: Replied, *, alone: bool) -> Answer:
    code = reply.code
    if code in _LATER:
        return RefusedForNow(str(code))
    if code in _GONE:
        return AddressGone(str(code), suppression=_GONE[code])
    if code in _REFUSES_THE_ACCOUNT:
        named = _ADDRESS.search(reply.message)
        advice = ": ".join(part for part in (named[0] if named else "", _ADVICE.get(code, "")) if part)
        return RefusedUs(f"{code} {advice}".strip(), for_everyone=alone)
    if code in _NO_RIGHT:
        return RefusedMessage(str(code), ends_right=True)
    named = _FIELD.search(reply.message)  # the rest of the text may hold the value
    return RefusedMessage(f"{code} {named[1]}" if named else str(code))


def connect(settings: Mapping[str, str], ports: ProviderPorts) -> Weixin:
    """The provider, from the settings ``secret``, ``accounts`` (app ids with commas between) and ``endpoint`` (of a fake)."""
    accounts = tuple(filter(None, (each.strip() for each in settings.get("accounts", "").split(","))))
    return Weixin(
        poster=ports.poster(),
        secrets=ports.secret(settings.get("secret", "")),
        tokens=ports.tokens(),
        base=settings.get("endpoint") or HOST,
        accounts=accounts,
        clock=ports.clock,
    )
