"""Robots of WeCom groups, by ``qyapi.weixin.qq.com``: the key is in the address, twenty messages a minute.

Sources: https://developer.work.weixin.qq.com/document/path/91770 and https://developer.work.weixin.qq.com/document/path/90313
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from waypost.channels.answers import Answer
from waypost.channels.contract import ProviderPorts
from waypost.channels.robot.group_robots import Call, GroupRobots, refused, robots

_LATER: Final[Mapping[int, timedelta | None]] = {-1: None, 45033: None, 45009: timedelta(minutes=1)}
_GONE: Final = frozenset({93000})
_US: Final = {
    60020: "add our address to the list of the company (企业可信IP)",
    93004: "the robot is switched off",
    93008: "the robot is no longer in its group",
}


class WeComRobot:
    """See Platform."""

    hosts = frozenset({"qyapi.weixin.qq.com"})
    path = "/cgi-bin/webhook/send"

    def call(self, text: str, *, mentioned: str, key: str, at: datetime) -> Call:
        """See Platform. Nothing is signed."""
        del key, at
        mobile = mentioned.removeprefix("+86").removeprefix("+")
        body: dict[str, Any] = {"content": text}
        if mobile:
            body["mentioned_mobile_list"] = [mobile]
        return Call({"msgtype": "text", "text": body})

    def code(self, content: Mapping[str, Any]) -> tuple[int, str]:
        """See Platform."""
        return int(content["errcode"]), str(content.get("errmsg", ""))

    def refusal(self, code: int, words: str) -> Answer:
        """See Platform."""
        del words
        return refused(code, later=_LATER, gone=_GONE, us=_US)


def connect(settings: Mapping[str, str], ports: ProviderPorts) -> GroupRobots:
    """The robots of WeCom groups."""
    return robots(WeComRobot(), settings, ports)
