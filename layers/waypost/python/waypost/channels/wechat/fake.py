"""Answers as ``api.weixin.qq.com`` does, for one account: tokens, and messages in each of their kinds.

It knows who follows, who agreed to which template how often, and whose conversation is open. Sources: those of
``provider_weixin.py``, and https://developers.weixin.qq.com/doc/oplatform/Return_codes/Return_code_descriptions_new.html
"""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final, assert_never
from urllib.parse import parse_qs, urlencode, urlsplit

from waypost import ids
from waypost.channels import fake_contract as contract
from waypost.channels.wechat.qr_codes import LONGEST_SCENE, MOST_DAYS, MOST_PERMANENT
from waypost.clock import real_now
from waypost.http import encrypted_callback
from waypost.tencent.callbacks import SUCCESS, as_xml
from waypost.tencent.xml_document import read_xml

ACCOUNT: Final = "wx8f0a1b2c3d4e5f6a"
SECRET: Final = "0f6c9d3b1e7a4a52b8c6d4e2f0a1b3c5"  # noqa: S105 -- of the fake alone
CALLBACK_TOKEN: Final = "waypostCallbackToken"  # noqa: S105
ACCOUNT_NAME: Final = "gh_8d3f5a7b1c2e"
"""What WeChat calls the account where it writes to us."""
ENCODING_KEY: Final = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"

_TOKEN: Final = "/cgi-bin/stable_token"  # noqa: S105
_CODE: Final = "/cgi-bin/qrcode/create"
_PERSON: Final = "/cgi-bin/user/info"
_LONGEST_CODE: Final = MOST_DAYS * 86_400
_KINDS: Final = {
    "/cgi-bin/message/template/send": "template",
    "/cgi-bin/message/subscribe/bizsend": "subscription",
    "/cgi-bin/message/subscribe/send": "mini_program",
    "/cgi-bin/message/custom/send": "customer_service",
}
_OPENID: Final = re.compile(r"o[A-Za-z0-9_-]{5,63}")
_TEMPLATE_ID: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_LIVES: Final = timedelta(hours=2)
_BOTH_LIVE: Final = timedelta(minutes=5)
_DUPLICATE_WITHIN: Final = timedelta(minutes=1)
_ONCE_WITHIN: Final = timedelta(minutes=10)
_AFTER_A_MESSAGE: Final = (5, timedelta(hours=48))
_AFTER_AN_ACT: Final = (3, timedelta(minutes=1))
_MOST: Final = {
    "thing": 20, "const": 20, "character_string": 32, "number": 32, "letter": 32, "symbol": 5, "phrase": 5,
    "phone_number": 17, "car_number": 8, "name": 20,
}  # fmt: skip
_FIRST_MESSAGE: Final = 24_000_000_000_000_000
_MOST_REPLY: Final = 2_048
_HELD_BY: Final = {"text": "Content", "image": "Image", "news": "Articles"}
_EVENTS: Final = {"follow": "subscribe", "unfollow": "unsubscribe", "scan": "SCAN", "tap": "CLICK"}
_ACTIONS: Final = {
    "wechat_message_received": "write", "wechat_followed": "follow", "wechat_unfollowed": "unfollow",
    "wechat_scanned": "scan", "wechat_menu_clicked": "tap", "wechat_subscription_accepted": "agree",
}  # fmt: skip
"""The action by which each event of a follower comes to be."""
_SOMEONE: Final = {"openid": "oLVPpjqs9BhvzwPj5A-vTYAX3GLc"}
"""Who does something where no person is named."""
_WITHOUT_CHINESE: Final = {"character_string", "number", "letter", "phone_number"}


@dataclass(slots=True)
class _Conversation:
    """How many customer-service messages are left, and until when."""

    left: int
    until: datetime


@dataclass(slots=True)
class _State:
    tokens: dict[str, datetime] = field(default_factory=dict)
    newest: str = ""
    credits: dict[tuple[str, str], int] = field(default_factory=dict)
    conversations: dict[str, _Conversation] = field(default_factory=dict)
    unfollowed: set[str] = field(default_factory=set)
    unionids: dict[str, str] = field(default_factory=dict)
    sent_once: dict[tuple[str, str], datetime] = field(default_factory=dict)
    written: int = 0
    permanent: set[str] = field(default_factory=set)


class Weixin(contract.FakeProvider):
    """One account. ``allowed_from`` are the addresses that may get a token (None: all)."""

    provider = "weixin"
    endpoints = ("WAYPOST_WECHAT_ENDPOINT",)
    choices: ClassVar[Mapping[str, str]] = {"wechat_accounts": ACCOUNT}
    credentials: ClassVar[Mapping[str, str]] = {
        f"{ACCOUNT}.secret": SECRET,
        f"{ACCOUNT}.token": CALLBACK_TOKEN,
        f"{ACCOUNT}.encoding_key": ENCODING_KEY,
    }
    carries: ClassVar[frozenset[str]] = frozenset({"message_key"})
    refusals: ClassVar[frozenset[contract.RefusalKind]] = frozenset(contract.REFUSAL_KINDS)
    words: ClassVar[frozenset[str]] = frozenset()
    fates: ClassVar[Mapping[contract.Fate, str]] = {}
    actions: ClassVar[Mapping[str, contract.Action]] = {
        "write": contract.Action(summary="a person writes to the account", values={**_SOMEONE, "text": "你好"}),
        "follow": contract.Action(
            summary="a person follows the account, with a scene by a QR code of it",
            values={**_SOMEONE, "scene": "", "unionid": ""},
        ),
        "unfollow": contract.Action(summary="a person follows the account no more", values=_SOMEONE),
        "scan": contract.Action(
            summary="a follower scans a QR code of the account", values={**_SOMEONE, "scene": "shop-7"}
        ),
        "tap": contract.Action(summary="a follower taps an item of the menu", values={**_SOMEONE, "key": "menu-1"}),
        "agree": contract.Action(
            summary="a person agrees to one message of a template",
            values={**_SOMEONE, "template": "4m3vrpiSA-BDcL0YbQxVZm8KfYbC1aQqGJ3yq0b6n5E"},
        ),
    }

    def __init__(self) -> None:
        self.allowed_from: frozenset[str] | None = None
        self.calls_from = "203.0.113.9"
        self._state = _State()

    # --- what people and operators do ------------------------------------------------------------------------------

    def forget(self) -> None:
        """Begin with an account that nobody follows or has agreed to anything in."""
        self.allowed_from, self._state = None, _State()

    @property
    def sent_once(self) -> Mapping[tuple[str, str], datetime]:
        """When the template message of each openid and ``client_msg_id`` went out."""
        return self._state.sent_once

    def rotate_token(self) -> None:
        """End every token, as another system does that asks for one by ``/cgi-bin/token``."""
        self._state.tokens.clear()
        self._state.newest = ""

    def agree(self, openid: str, template: str) -> None:
        """The person agrees to one message of a template."""
        self._state.credits[openid, template] = self._state.credits.get((openid, template), 0) + 1

    def credits_of(self, openid: str, template: str) -> int:
        """How many messages of a template the person still takes."""
        return self._state.credits.get((openid, template), 0)

    def refuse(self, openid: str, template: str) -> None:
        """The person takes no message of a template any more; nothing is called back."""
        self._state.credits[openid, template] = 0

    def write(self, openid: str) -> None:
        """The person sends a message."""
        self._open(openid, *_AFTER_A_MESSAGE)

    def act(self, openid: str) -> None:
        """The person follows, scans a code or taps the menu."""
        self._state.unfollowed.discard(openid)
        known = self._state.conversations.get(openid)
        if known is None or known.until < self.clock() + _AFTER_AN_ACT[1]:
            self._open(openid, *_AFTER_AN_ACT)

    def unfollow(self, openid: str) -> None:
        """The person follows no more."""
        self._state.unfollowed.add(openid)
        self._state.conversations.pop(openid, None)

    # --- what WeChat posts ------------------------------------------------------------------------------------------

    def says(self, openid: str, text: str, *, safe: bool = True) -> contract.HttpRequest:
        """The person writes to the account: what WeChat posts then, to the path behind the address of the API."""
        self.write(openid)
        self._state.written += 1
        message_id = str(_FIRST_MESSAGE + self._state.written)
        return self._posted({"MsgType": "text", "Content": text, "MsgId": message_id}, openid, safe=safe)

    def does(self, openid: str, event: str, key: str = "", *, safe: bool = True) -> contract.HttpRequest:
        """The person follows, scans or taps (``subscribe``, ``SCAN``, ``CLICK``), or unfollows: what WeChat posts then."""
        if event == "unsubscribe":
            self.unfollow(openid)
        else:
            self.act(openid)
        return self._posted({"MsgType": "event", "Event": event, "EventKey": key}, openid, safe=safe)

    def _posted(self, document: Mapping[str, Any], openid: str, *, safe: bool) -> contract.HttpRequest:
        created, sent = int(self.clock().timestamp()), str(int(real_now().timestamp()))
        plain = as_xml({"ToUserName": ACCOUNT_NAME, "FromUserName": openid, "CreateTime": created, **document})
        signed = encrypted_callback.signature(CALLBACK_TOKEN, sent, "1")
        query, body = {"signature": signed, "timestamp": sent, "nonce": "1", "openid": openid}, plain
        if safe:
            ciphertext = encrypted_callback.seal(plain.encode(), key=_key(), owner=ACCOUNT)
            query |= {
                "encrypt_type": "aes",
                "msg_signature": encrypted_callback.signature(CALLBACK_TOKEN, sent, "1", ciphertext),
            }
            body = as_xml({"ToUserName": ACCOUNT_NAME, "Encrypt": ciphertext})
        return contract.HttpRequest(
            method="POST",
            path=f"/v1/callbacks/wechat/{ACCOUNT}?{urlencode(query)}",
            headers={"content-type": "text/xml"},
            body=body.encode(),
        )

    def perform(self, action: str, values: Mapping[str, str]) -> contract.HttpRequest | contract.Published | None:
        """See FakeProvider."""
        openid = values["openid"]
        if not _OPENID.fullmatch(openid):
            raise ValueError("openid: an id such as oLVPpjqs9BhvzwPj5A-vTYAX3GLc")
        match action:
            case "write":
                return self.says(openid, values["text"])
            case "agree":
                return self._agreed(openid, values["template"])
            case "follow" | "unfollow" | "scan" | "tap":
                if unionid := values.get("unionid"):
                    self._state.unionids[openid] = unionid
                key = values.get("scene") or values.get("key") or ""
                return self.does(openid, _EVENTS[action], f"qrscene_{key}" if key and action == "follow" else key)
            case _:
                return super().perform(action, values)

    def _agreed(self, openid: str, template: str) -> contract.HttpRequest:
        """The person agrees to one message of a template in the pop-up."""
        self.agree(openid, template)
        answer = {"TemplateId": template, "SubscribeStatusString": "accept", "PopupScene": "0"}
        event = {"MsgType": "event", "Event": "subscribe_msg_popup_event", "SubscribeMsgPopupEvent": {"List": answer}}
        return self._posted(event, openid, safe=True)

    def seen_in(self, posted: contract.HttpRequest, answer: str) -> contract.SentMessage | None:
        """See FakeProvider. Source: https://developers.weixin.qq.com/doc/service/guide/product/message/Passive_user_reply_message.html."""
        if answer in {"", SUCCESS}:
            return None
        query = {name: values[0] for name, values in parse_qs(urlsplit(posted.path).query).items()}
        try:
            document = read_xml(_unsealed(answer) if "encrypt_type" in query else answer.encode())
        except ValueError as error:
            raise contract.UnreadableAnswer(str(error)) from None
        if (document.get("ToUserName"), document.get("FromUserName")) != (query["openid"], ACCOUNT_NAME):
            raise contract.UnreadableAnswer("the parties are not those of the message")
        return contract.SentMessage(
            recipient=f"{ACCOUNT}:{query['openid']}",
            tags={},
            content=_reply_in(document),
            request={"kind": "reply", **document},
        )

    def action_for(
        self, event: str, address: str, properties: Mapping[str, Any]
    ) -> tuple[str, Mapping[str, str]] | None:
        """See FakeProvider."""
        account, _, openid = address.rpartition(":")
        action = _ACTIONS.get(event)
        if action is None or account != ACCOUNT:
            return None
        taken = self.actions[action].values.keys() & properties.keys()
        return action, {"openid": openid, **{name: str(properties[name]) for name in sorted(taken)}}

    def _open(self, openid: str, messages: int, lasting: timedelta) -> None:
        self._state.conversations[openid] = _Conversation(messages, self.clock() + lasting)

    # --- what functions call -----------------------------------------------------------------------------------------

    def recognises(self, request: contract.HttpRequest) -> bool:
        """See FakeProvider."""
        return urlsplit(request.path).path in {_TOKEN, _CODE, _PERSON, *_KINDS}

    def answer_aside(self, request: contract.HttpRequest) -> contract.HttpAnswer | None:
        """See FakeProvider: a token, a QR code or what is known of a follower is asked for."""
        target = urlsplit(request.path)
        asked = {name: values[0] for name, values in parse_qs(target.query).items()}
        if target.path == _CODE:
            return self._coded(request, asked.get("access_token", ""))
        if target.path == _PERSON:
            return self._person(asked)
        return self._token_for(request) if target.path == _TOKEN else None

    def _coded(self, request: contract.HttpRequest, token: str) -> contract.HttpAnswer:
        """Source: https://developers.weixin.qq.com/doc/service/api/qrcode/qrcodes/api_createqrcode."""
        try:
            self._check_token(token)
        except contract.RefusedRequestError as refused:
            return refused.answer
        asked = request.json()
        scene = str(asked.get("action_info", {}).get("scene", {}).get("scene_str", ""))
        lasts, action = asked.get("expire_seconds"), asked.get("action_name")
        is_permanent = action == "QR_LIMIT_STR_SCENE"
        if not (is_permanent or action == "QR_STR_SCENE") or not 1 <= len(scene) <= LONGEST_SCENE:
            return _error(40053, "invalid action info rid: 1")
        if not is_permanent and not (isinstance(lasts, int) and 0 < lasts <= _LONGEST_CODE):
            return _error(40052, "invalid action name rid: 1")
        if is_permanent:
            self._state.permanent.add(scene)
        if len(self._state.permanent) > MOST_PERMANENT:
            return _error(45029, "qrcode count out of limit rid: 1")
        ticket = f"gQ{ids.digest(scene, str(action))}=="
        made = {"ticket": ticket, "url": f"http://weixin.qq.com/q/{ids.digest(ticket)}"}
        return contract.HttpAnswer(status=200, content=made if is_permanent else {**made, "expire_seconds": lasts})

    def _person(self, asked: Mapping[str, str]) -> contract.HttpAnswer:
        """Source: https://developers.weixin.qq.com/doc/service/api/usermanage/userinfo/api_userinfo."""
        try:
            self._check_token(asked.get("access_token", ""))
        except contract.RefusedRequestError as refused:
            return refused.answer
        openid = asked.get("openid", "")
        if not _OPENID.fullmatch(openid):
            return _error(40003, "invalid openid rid: 1")
        if openid in self._state.unfollowed:
            return contract.HttpAnswer(status=200, content={"subscribe": 0, "openid": openid})
        known = self._state.unionids.get(openid)
        about = {"subscribe": 1, "openid": openid, "language": "zh_CN", **({"unionid": known} if known else {})}
        return contract.HttpAnswer(status=200, content=about)

    def _token_for(self, request: contract.HttpRequest) -> contract.HttpAnswer:
        asked = request.json()
        if self.allowed_from is not None and self.calls_from not in self.allowed_from:
            return _error(40164, f"invalid ip {self.calls_from} ipv6 ::ffff:{self.calls_from}, not in whitelist rid: 1")
        if asked.get("grant_type") != "client_credential":
            return _error(40002, "invalid grant_type")
        if asked.get("appid") != ACCOUNT:
            return _error(40013, "invalid appid")
        if asked.get("secret") != SECRET:
            return _error(40125, "invalid appsecret, view more at http://t.cn/RAEkdVq")
        now, state = real_now(), self._state
        ends = state.tokens.get(state.newest)
        if ends is None or asked.get("force_refresh") or ends - now <= _BOTH_LIVE:
            state.tokens = {
                token: min(each, now + _BOTH_LIVE)
                for token, each in state.tokens.items()
                if each > now and not asked.get("force_refresh")
            }
            state.newest, ends = f"76_{uuid.uuid4().hex}", now + _LIVES
            state.tokens[state.newest] = ends
        return contract.HttpAnswer(
            status=200, content={"access_token": state.newest, "expires_in": int((ends - now).total_seconds())}
        )

    def read(self, request: contract.HttpRequest) -> contract.SentMessage:
        """See FakeProvider."""
        target, content = urlsplit(request.path), request.json()
        key = content.get("client_msg_id") or request.headers.get("x-request-id", "")
        return contract.SentMessage(
            recipient=f"{ACCOUNT}:{content.get('touser', '')}",
            tags={"message_key": key} if key else {},
            content=_shown(content),
            request={
                "kind": _KINDS[target.path],
                "token": parse_qs(target.query).get("access_token", [""])[0],
                **content,
            },
        )

    def check(self, message: contract.SentMessage) -> None:
        """See FakeProvider. The last check takes the credit or the message of the conversation."""
        given, openid = message.request, str(message.request.get("touser", ""))
        self._check_token(str(given["token"]))
        if not _OPENID.fullmatch(openid):
            raise _refused(40003, "invalid openid rid: 1")
        if openid in self._state.unfollowed:
            raise _refused(43004, "require subscribe rid: 1")
        if given["kind"] != "customer_service":
            self._check_template(given)
        match given["kind"]:
            case "template":
                self._send_once(openid, str(given.get("client_msg_id", "")))
            case "subscription" | "mini_program":
                left = self.credits_of(openid, given["template_id"])
                if not left:
                    raise _refused(43101, "user refuse to accept the msg rid: 1")
                self._state.credits[openid, given["template_id"]] = left - 1
            case _:
                conversation = self._state.conversations.get(openid)
                if conversation is None or conversation.until <= self.clock():
                    raise _refused(45015, "response out of time limit or subscription is canceled rid: 1")
                if not conversation.left:
                    raise _refused(45047, "out of response count limit rid: 1")
                conversation.left -= 1

    def _check_token(self, token: str) -> None:
        ends = self._state.tokens.get(token)
        if ends is None:
            raise _refused(
                40001,
                "invalid credential, access_token is invalid or not latest, could get access_token by getStableAccessToken rid: 1",
            )
        if ends <= real_now():
            raise _refused(42001, "access_token expired rid: 1")

    def _check_template(self, given: Mapping[str, Any]) -> None:
        if not _TEMPLATE_ID.fullmatch(str(given.get("template_id", ""))):
            raise _refused(40037, "invalid template_id rid: 1")
        for name, field_ in given.get("data", {}).items():
            value, kind = str(field_.get("value", "")), re.sub(r"\d+$", "", name)
            too_long = len(value) > _MOST.get(kind, 64)
            has_chinese = kind in _WITHOUT_CHINESE and any("\u3400" <= each <= "\u9fff" for each in value)
            if not value or too_long or has_chinese:
                raise _refused(47003, f"argument invalid! data.{name}.value invalid rid: 1")

    def _send_once(self, openid: str, client_msg_id: str) -> None:
        """A template message of one id goes out once within ten minutes."""
        key, now = (openid, client_msg_id), self.clock()
        sent_at = self._state.sent_once.get(key) if client_msg_id else None
        if sent_at is not None and now - sent_at < _DUPLICATE_WITHIN:
            raise _refused(40241, "duplicate message rid: 1")
        if sent_at is not None and now - sent_at < _ONCE_WITHIN:
            raise contract.RefusedRequestError(self.accepted("0"))
        self._state.sent_once[key] = now

    def accepted(self, message_id: str) -> contract.HttpAnswer:
        """See FakeProvider."""
        return contract.HttpAnswer(status=200, content={"errcode": 0, "errmsg": "ok", "msgid": int(message_id)})

    def refusal(self, kind: contract.RefusalKind) -> contract.HttpAnswer:
        """See FakeProvider."""
        match kind:
            case "throttle":
                return _error(45009, "reach max api daily quota limit rid: 1")
            case "reject":
                return _error(47003, "argument invalid! data.thing1.value invalid rid: 1")
            case "refuse_us":
                return _error(48004, "api forbidden for irregularities rid: 1")
            case "address_gone":
                return _error(43004, "require subscribe rid: 1")
            case "error":
                return contract.HttpAnswer(status=502, text="<html>502 Bad Gateway</html>")
            case _:
                assert_never(kind)

    def new_id(self) -> str:
        """See FakeProvider."""
        return str(uuid.uuid4().int % 10**18)

    def notice(
        self, word: str, message: contract.SentMessage, *, message_id: str, sent_at: datetime, at: datetime
    ) -> Any:
        """See FakeProvider: WeChat says nothing to an event bus."""
        del message, message_id, sent_at, at
        raise ValueError(f"WeChat does not say {word!r}")


def _reply_in(document: Mapping[str, Any]) -> contract.SentContent:
    """What the person sees of an answer. Raises UnreadableAnswer for what WeChat shows as an error."""
    kind = str(document.get("MsgType", ""))
    held = document.get(_HELD_BY.get(kind, ""))
    if not held or not str(document.get("CreateTime", "")).isdigit():
        raise contract.UnreadableAnswer("a part is missing, or the kind is none")
    match kind:
        case "text":
            if len(str(held).encode()) > _MOST_REPLY:
                raise contract.UnreadableAnswer("the text is too long")
            return contract.SentContent(text=str(held))
        case "image":
            return contract.SentContent(text=str(held["MediaId"]))
        case _:
            article = held["item"]
            if document.get("ArticleCount") != "1" or not isinstance(article, dict) or not article.get("Title"):
                raise contract.UnreadableAnswer("a message is answered by one article")
            parts = (str(article.get(name, "")) for name in ("Description", "Url"))
            return contract.SentContent(text="\n".join(filter(None, parts)), subject=str(article["Title"]))


def _key() -> bytes:
    return encrypted_callback.key_of(ENCODING_KEY) or b""


def _unsealed(answer: str) -> bytes:
    """The plain document of an encrypted answer. Raises ValueError."""
    sealed = read_xml(answer.encode())
    ciphertext, stamp = str(sealed.get("Encrypt", "")), str(sealed.get("TimeStamp", ""))
    given = str(sealed.get("MsgSignature", ""))
    if not encrypted_callback.is_signed(given, CALLBACK_TOKEN, stamp, str(sealed.get("Nonce", "")), ciphertext):
        raise ValueError("the answer is not signed")
    plain = encrypted_callback.unseal(ciphertext, key=_key(), owner=ACCOUNT)
    if plain is None:
        raise ValueError("the answer is not encrypted for this account")
    return plain


def _shown(content: Mapping[str, Any]) -> contract.SentContent:
    """The message as the reader gets it: the fields of a template a line each."""
    if "data" in content:
        return contract.SentContent(
            text="\n".join(f"{name}: {each.get('value', '')}" for name, each in content["data"].items())
        )
    if "text" in content:
        return contract.SentContent(text=str(content["text"].get("content", "")))
    article: Mapping[str, Any] = next(iter(content.get("news", {}).get("articles", [])), {})
    return contract.SentContent(
        text="\n".join(str(article[name]) for name in ("description", "url") if article.get(name)),
        subject=str(article.get("title", "")),
    )


def _error(code: int, message: str) -> contract.HttpAnswer:
    return contract.HttpAnswer(status=200, content={"errcode": code, "errmsg": message})


def _refused(code: int, message: str) -> contract.RefusedRequestError:
    return contract.RefusedRequestError(_error(code, message))


FAKES: Final = (Weixin(),)
