"""Robots of Feishu groups, by ``open.feishu.cn`` (abroad ``open.larksuite.com``): five messages a second, a hundred a minute.

Source: https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from waypost.channels.answers import Answer
from waypost.channels.contract import ProviderPorts
from waypost.channels.robot.group_robots import Call, GroupRobots, refused, robots

_LATER: Final[Mapping[int, timedelta | None]] = {11232: timedelta(minutes=1)}
_GONE: Final = frozenset({19001})
_US: Final = {
    19021: "put the robot's signing key (签名校验) into the channel's secret",
    19022: "add our address to the robot's list (IP 白名单)",
}


class Feishu:
    """See Platform."""

    hosts = frozenset({"open.feishu.cn", "open.larksuite.com"})
    path = "/open-apis/bot/v2/hook/"

    def call(self, text: str, *, mentioned: str, key: str, at: datetime) -> Call:
        """See Platform. A post and no text: in a text a name could mention everybody. Phone numbers mention nobody here."""
        del mentioned
        lines = [[{"tag": "text", "text": line}] for line in text.split("\n")]
        body = {"msg_type": "post", "content": {"post": {"zh_cn": {"title": "", "content": lines}}}}
        if not key:
            return Call(body)
        timestamp = str(int(at.timestamp()))
        return Call({"timestamp": timestamp, "sign": signature(key, timestamp), **body})

    def code(self, content: Mapping[str, Any]) -> tuple[int, str]:
        """See Platform."""
        return int(content["code"]), str(content.get("msg", ""))

    def refusal(self, code: int, words: str) -> Answer:
        """See Platform."""
        del words
        return refused(code, later=_LATER, gone=_GONE, us=_US)


def signature(key: str, timestamp: str) -> str:
    """HMAC-SHA256 of nothing, by the seconds, a line break and the key."""
    digest = hmac.digest(f"{timestamp}\n{key}".encode(), b"", hashlib.sha256)
    return base64.b64encode(digest).decode()


def connect(settings: Mapping[str, str], ports: ProviderPorts) -> GroupRobots:
    """The robots of Feishu groups."""
    return robots(Feishu(), settings, ports)
