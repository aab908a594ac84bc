"""Robots of DingTalk groups, by ``oapi.dingtalk.com``: signed, twenty messages a minute.

Sources: https://open.dingtalk.com/document/robots/custom-robot-access and
https://open.dingtalk.com/document/orgapp/customize-robot-security-settings
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from waypost.channels.answers import Answer, RefusedMessage
from waypost.channels.contract import ProviderPorts
from waypost.channels.robot.group_robots import Call, GroupRobots, refused, robots

_NOT_VERIFIED: Final = 310000
_KEYWORDS: Final = "keywords not in content"
_LATER: Final[Mapping[int, timedelta | None]] = {
    -1: None,
    410100: timedelta(minutes=1),
    130101: timedelta(minutes=10),  # a robot that was too fast says nothing for so long
}
_GONE: Final = frozenset({300001, 400013, 400101, 400106})
_US: Final = {
    _NOT_VERIFIED: "put the robot's signing key (加签) into the channel's secret, and add our address to its list",
    400102: "the robot is switched off in its group",
}


class DingTalk:
    """See Platform."""

    hosts = frozenset({"oapi.dingtalk.com"})
    path = "/robot/send"

    def call(self, text: str, *, mentioned: str, key: str, at: datetime) -> Call:
        """See Platform. Who is mentioned has to stand in the text too."""
        mobile = mentioned.removeprefix("+86").removeprefix("+")
        shown = f"{text}\n@{mobile}" if mobile else text
        body = {
            "msgtype": "text",
            "text": {"content": shown},
            "at": {"atMobiles": [mobile] if mobile else [], "isAtAll": False},
        }
        return Call(body, signed_query(key, at=at) if key else "")

    def code(self, content: Mapping[str, Any]) -> tuple[int, str]:
        """See Platform."""
        return int(content["errcode"]), str(content.get("errmsg", ""))

    def refusal(self, code: int, words: str) -> Answer:
        """See Platform. One code is for three checks; a keyword that the text lacks is the message's fault."""
        if code == _NOT_VERIFIED and _KEYWORDS in words:
            return RefusedMessage(f"{code} {_KEYWORDS}")
        return refused(code, later=_LATER, gone=_GONE, us=_US)


def signed_query(key: str, *, at: datetime) -> str:
    """``timestamp=…&sign=…``: HMAC-SHA256 of the milliseconds, a line break and the key itself, by the key."""
    timestamp = str(int(at.timestamp() * 1000))
    digest = hmac.digest(key.encode(), f"{timestamp}\n{key}".encode(), hashlib.sha256)
    return urlencode({"timestamp": timestamp, "sign": base64.b64encode(digest).decode()})


def connect(settings: Mapping[str, str], ports: ProviderPorts) -> GroupRobots:
    """The robots of DingTalk groups."""
    return robots(DingTalk(), settings, ports)
