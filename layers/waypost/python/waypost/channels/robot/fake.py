"""Answers as the robots of DingTalk, Feishu and WeCom groups do: address, signature, time, form and how often.

Sources: those of ``provider_dingtalk.py``, ``provider_feishu.py`` and ``provider_wecom_robot.py``.
"""

import base64
import hashlib
import hmac
from abc import abstractmethod
from collections import defaultdict, deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final
from urllib.parse import parse_qs, urlsplit

from waypost.channels import fake_contract as contract
from waypost.clock import real_now

_MINUTE: Final = timedelta(minutes=1)
_HOUR: Final = timedelta(hours=1)
_MUTED_FOR: Final = timedelta(minutes=10)


class _Robots(contract.FakeProvider):
    """The robots of one platform, by the key in their address. ``robots`` are key → name; a removed one is unknown."""

    endpoints = ("WAYPOST_ROBOT_ENDPOINT",)
    carries: ClassVar[frozenset[str]] = frozenset({"message_key"})
    refusals: ClassVar[frozenset[contract.RefusalKind]] = frozenset(contract.REFUSAL_KINDS)
    words: ClassVar[frozenset[str]] = frozenset()
    fates: ClassVar[Mapping[contract.Fate, str]] = {}
    choices: ClassVar[Mapping[str, str]] = {"robot_names": "sales,dingtalk-sales,feishu-sales,wecom-sales"}
    robots: ClassVar[Mapping[str, str]]
    path: ClassVar[str]
    codes: ClassVar[Mapping[contract.RefusalKind, tuple[int, str]]]
    fine: ClassVar[str] = "ok"
    most_a_minute: ClassVar[int] = 20

    def __init__(self) -> None:
        self._taken: dict[str, deque[datetime]] = defaultdict(deque)
        self._muted: dict[str, datetime] = {}

    def forget(self) -> None:
        """See FakeProvider."""
        self._taken.clear()
        self._muted.clear()

    def recognises(self, request: contract.HttpRequest) -> bool:
        """See FakeProvider."""
        return urlsplit(request.path).path.startswith(self.path)

    def read(self, request: contract.HttpRequest) -> contract.SentMessage:
        """See FakeProvider."""
        target, content = urlsplit(request.path), request.json()
        query = {name: values[0] for name, values in parse_qs(target.query).items()}
        key, message_key = self.key_of(target.path, query), request.headers.get("x-request-id", "")
        return contract.SentMessage(
            recipient=self.robots.get(key, ""),
            tags={"message_key": message_key} if message_key else {},
            content=contract.SentContent(text=self.shown(content)),
            request={"key": key, "query": query, "content": content, "size": len(request.body)},
        )

    def check(self, message: contract.SentMessage) -> None:
        """See FakeProvider: the robot first, then who asks, then how often, then what."""
        given = message.request
        if given["key"] not in self.robots:
            raise contract.RefusedRequestError(self.refusal("address_gone"))
        self.check_signature(given["query"], given["content"])
        if self.is_too_fast(given["key"]):
            raise contract.RefusedRequestError(self.refusal("throttle"))
        if not message.content.text:
            raise contract.RefusedRequestError(self.refusal("reject"))
        self.check_form(given["content"], given["size"])
        self._taken[given["key"]].append(self.clock())

    def is_too_fast(self, key: str) -> bool:
        """Whether the robot has taken as many messages as it may within a minute."""
        taken, now = self._taken[key], self.clock()
        while taken and now - taken[0] >= _MINUTE:
            taken.popleft()
        return len(taken) >= self.most_a_minute

    def new_id(self) -> str:
        """See FakeProvider: a robot gives no id."""
        return ""

    def notice(
        self, word: str, message: contract.SentMessage, *, message_id: str, sent_at: datetime, at: datetime
    ) -> Any:
        """See FakeProvider: a robot says nothing to an event bus."""
        del message, message_id, sent_at, at
        raise ValueError(f"{self.provider.upper()} robots do not say {word!r}")

    @abstractmethod
    def key_of(self, path: str, query: Mapping[str, str]) -> str:
        """The key in an address."""

    def shown(self, content: Mapping[str, Any]) -> str:
        """The text that the group reads."""
        return str(content.get("text", {}).get("content", ""))

    def answer(self, code: int, words: str) -> contract.HttpAnswer:
        """An answer as the platform words it; code 0 is that it took the message."""
        return contract.HttpAnswer(status=200, content={"errcode": code, "errmsg": words})

    def accepted(self, message_id: str) -> contract.HttpAnswer:
        """See FakeProvider."""
        del message_id
        return self.answer(0, self.fine)

    def refusal(self, kind: contract.RefusalKind) -> contract.HttpAnswer:
        """See FakeProvider."""
        if kind == "error":
            return contract.HttpAnswer(status=502, text="<html>502 Bad Gateway</html>")
        return self.answer(*self.codes[kind])

    @abstractmethod
    def check_form(self, content: Mapping[str, Any], size: int) -> None:
        """Raise RefusedRequestError for a message that the platform cannot read."""

    def check_signature(self, query: Mapping[str, str], content: Mapping[str, Any]) -> None:
        """Raise RefusedRequestError for a request that is not the company's; WeCom looks at the address alone."""
        del query, content


class DingTalk(_Robots):
    """Robots that check a signature; one that was too fast is muted for ten minutes."""

    provider = "dingtalk"
    path = "/robot/send"
    token: ClassVar[str] = "5c7a1e2d3f408b1f6a3e2f4d4d6e9f0b"  # noqa: S105 -- of the fake alone
    secret: ClassVar[str] = "SEC0123456789abcdef0123456789abcdef"  # noqa: S105 -- of the fake alone
    robots: ClassVar[Mapping[str, str]] = {token: "sales"}
    url: ClassVar[str] = f"https://oapi.dingtalk.com/robot/send?access_token={token}"
    credentials: ClassVar[Mapping[str, str]] = {
        "sales": url,
        "sales.secret": secret,
        "dingtalk-sales": url,
        "dingtalk-sales.secret": secret,
    }
    codes: ClassVar[Mapping[contract.RefusalKind, tuple[int, str]]] = {
        "throttle": (130101, "send too fast, exceed 20 times per minute"),
        "reject": (430102, "text is not allowed"),
        "refuse_us": (310000, "sign not match"),
        "address_gone": (300001, "token is not exist"),
    }

    def key_of(self, path: str, query: Mapping[str, str]) -> str:
        """See _Robots."""
        del path
        return query.get("access_token", "")

    def check_signature(self, query: Mapping[str, str], content: Mapping[str, Any]) -> None:
        """See _Robots."""
        del content
        timestamp = query.get("timestamp", "")
        digest = hmac.digest(self.secret.encode(), f"{timestamp}\n{self.secret}".encode(), hashlib.sha256)
        if (
            not timestamp.isdigit()
            or abs(real_now().timestamp() * 1000 - int(timestamp)) > _HOUR.total_seconds() * 1000
        ):
            raise contract.RefusedRequestError(self.answer(310000, "invalid timestamp"))
        if query.get("sign") != base64.b64encode(digest).decode():
            raise contract.RefusedRequestError(self.answer(310000, "sign not match"))

    def is_too_fast(self, key: str) -> bool:
        """See _Robots."""
        now = self.clock()
        if super().is_too_fast(key):
            self._muted[key] = now + _MUTED_FOR
        return self._muted.get(key, now) > now

    def check_form(self, content: Mapping[str, Any], size: int) -> None:
        """See _Robots. Who is mentioned has to stand in the text, or nobody is."""
        mobiles = content.get("at", {}).get("atMobiles", [])
        if (
            content.get("msgtype") != "text"
            or size > 20_000
            or any(f"@{each}" not in self.shown(content) for each in mobiles)
        ):
            raise contract.RefusedRequestError(self.answer(40035, "param error"))


class Feishu(_Robots):
    """Robots that check a signature and the form of a post."""

    provider = "feishu"
    path = "/open-apis/bot/v2/hook/"
    hook: ClassVar[str] = "0f9a2c1e-5b38-4d1b-a994-0123456789ab"
    secret: ClassVar[str] = "zs0TQ2m1Vw9cXr7YfGm2dL"  # noqa: S105 -- of the fake alone
    robots: ClassVar[Mapping[str, str]] = {hook: "sales"}
    url: ClassVar[str] = f"https://open.feishu.cn/open-apis/bot/v2/hook/{hook}"
    credentials: ClassVar[Mapping[str, str]] = {
        "sales": url,
        "sales.secret": secret,
        "feishu-sales": url,
        "feishu-sales.secret": secret,
    }
    most_a_minute = 100
    codes: ClassVar[Mapping[contract.RefusalKind, tuple[int, str]]] = {
        "throttle": (11232, "frequency limited psm[lark.oapi.app_platform_runtime]appID[1500]"),
        "reject": (19024, "Key Words Not Found"),
        "refuse_us": (19022, "Ip Not Allowed"),
        "address_gone": (19001, "param invalid: incoming webhook access token invalid"),
    }
    fine = "success"

    def key_of(self, path: str, query: Mapping[str, str]) -> str:
        """See _Robots."""
        del query
        return path.removeprefix(self.path)

    def answer(self, code: int, words: str) -> contract.HttpAnswer:
        """See _Robots."""
        return contract.HttpAnswer(status=200, content={"code": code, "msg": words, "data": {}})

    def shown(self, content: Mapping[str, Any]) -> str:
        """See _Robots."""
        post = content.get("content", {}).get("post", {}).get("zh_cn", {})
        return "\n".join("".join(str(part.get("text", "")) for part in line) for line in post.get("content", []))

    def check_signature(self, query: Mapping[str, str], content: Mapping[str, Any]) -> None:
        """See _Robots."""
        del query
        timestamp = str(content.get("timestamp", ""))
        digest = hmac.digest(f"{timestamp}\n{self.secret}".encode(), b"", hashlib.sha256)
        is_recent = timestamp.isdigit() and abs(real_now().timestamp() - int(timestamp)) <= _HOUR.total_seconds()
        if not is_recent or content.get("sign") != base64.b64encode(digest).decode():
            words = "sign match fail or timestamp is not within one hour from current time"
            raise contract.RefusedRequestError(self.answer(19021, words))

    def check_form(self, content: Mapping[str, Any], size: int) -> None:
        """See _Robots."""
        if content.get("msg_type") != "post" or size > 20 * 1024:
            raise contract.RefusedRequestError(self.answer(9499, "Bad Request"))


class WeComRobot(_Robots):
    """Robots that know who asks by the key alone."""

    provider = "wecom_robot"
    path = "/cgi-bin/webhook/send"
    key: ClassVar[str] = "6a93f160-70aa-4bc4-97a0-0123456789ab"
    robots: ClassVar[Mapping[str, str]] = {key: "sales"}
    url: ClassVar[str] = f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={key}"
    credentials: ClassVar[Mapping[str, str]] = {"sales": url, "wecom-sales": url}
    codes: ClassVar[Mapping[contract.RefusalKind, tuple[int, str]]] = {
        "throttle": (45009, "api freq out of limit"),
        "reject": (40058, "text.content exceed max length 2048"),
        "refuse_us": (93004, "robot is disabled"),
        "address_gone": (93000, "invalid webhook url"),
    }

    def key_of(self, path: str, query: Mapping[str, str]) -> str:
        """See _Robots."""
        del path
        return query.get("key", "")

    def check_form(self, content: Mapping[str, Any], size: int) -> None:
        """See _Robots."""
        del size
        if content.get("msgtype") != "text":
            raise contract.RefusedRequestError(self.answer(40008, "invalid message type"))
        if len(self.shown(content).encode()) > 2_048:
            raise contract.RefusedRequestError(self.answer(40058, "text.content exceed max length 2048"))


FAKES: Final = (DingTalk(), Feishu(), WeComRobot())
