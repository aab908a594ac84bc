"""What the robots of all platforms have in common: the secret, one call, and the reading of an answer. Used by the providers.

The channel's secret has for each robot, under its name, the address that the platform shows for it, and under
``<name>.secret`` the key by which its messages are signed, where it was made with one.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Protocol, assert_never
from urllib.parse import urlsplit

from waypost.channels.answers import Accepted, AddressGone, Answer, RefusedForNow, RefusedMessage, RefusedUs, Unclear
from waypost.channels.contract import Outgoing, Provider, ProviderPorts
from waypost.channels.robot.channel import RenderedRobot
from waypost.clock import real_now
from waypost.errors import RetryableError
from waypost.events.ports import SecretStore
from waypost.http.ports import Answer as HttpAnswer
from waypost.http.ports import Forbidden, NoAnswer, NotSent, Poster

PROVIDERS: Final = ("dingtalk", "feishu", "wecom_robot")
NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")
SIGNING: Final = ".secret"
TIMEOUT: Final = timedelta(seconds=10)
REMOVED: Final = "robot_removed"

_ANSWER_LIMIT: Final = 4_096
_JSON: Final = {"content-type": "application/json; charset=utf-8", "user-agent": "Waypost/1.0"}


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a robot: the query that is added to its address, and the body."""

    body: Mapping[str, Any]
    query: str = ""


class Platform(Protocol):
    """How one platform's robots are spoken to."""

    @property
    def hosts(self) -> frozenset[str]:
        """The hosts of its addresses."""
        ...

    @property
    def path(self) -> str:
        """How the path of an address begins."""
        ...

    def call(self, text: str, *, mentioned: str, key: str, at: datetime) -> Call:
        """The call that says the text, signed where there is a ``key``; ``mentioned`` is a phone number, or empty."""
        ...

    def code(self, content: Mapping[str, Any]) -> tuple[int, str]:
        """The code of an answer, 0 for a message that was taken, and its words."""
        ...

    def refusal(self, code: int, words: str) -> Answer:
        """What a code other than 0 means."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRobots(Provider[RenderedRobot]):
    """The robots of one platform. ``secret`` is None where no robot was named; ``endpoint`` takes the place of the host (of a fake)."""

    platform: Platform
    poster: Poster = field(repr=False)
    secret: SecretStore | None = field(repr=False)
    endpoint: str = ""
    real_clock: Callable[[], datetime] = real_now

    def send(self, outgoing: Outgoing[RenderedRobot]) -> Answer:
        """See Provider."""
        if self.secret is None:
            return RefusedUs("no_robot: name the robots in the choice robot_names")
        try:
            content = self.secret.read()
            if not _usable(content.get(outgoing.to.text)):
                content = self.secret.read_again()
        except RetryableError as error:
            return RefusedForNow(str(error))
        url, key = content.get(outgoing.to.text), content.get(outgoing.to.text + SIGNING)
        if not _usable(url):
            return RefusedMessage("unknown_robot: its address is not in the channel's secret")
        if not self.owns(str(url)):
            return RefusedUs("wrong_address: it is no robot's of this platform", for_everyone=False)
        return self._said(outgoing, str(url), key if isinstance(key, str) else "")

    def owns(self, url: str) -> bool:
        """Whether an address is that of a robot of this platform."""
        parts = urlsplit(url)
        return (
            parts.scheme == "https"
            and parts.netloc in self.platform.hosts
            and parts.path.startswith(self.platform.path)
        )

    def has(self, robot: str) -> bool:
        """Whether the secret has this robot, as one of this platform. Raises TemporarilyUnavailable."""
        return self.secret is not None and self.owns(str(self.secret.read().get(robot) or ""))

    def _said(self, outgoing: Outgoing[RenderedRobot], url: str, key: str) -> Answer:
        call = self.platform.call(outgoing.content.text, mentioned=outgoing.to.qualifier, key=key, at=self.real_clock())
        parts = urlsplit(url)
        base = self.endpoint or f"https://{parts.netloc}"
        query = "&".join(filter(None, (parts.query, call.query)))
        answer = self.poster.post(
            f"{base}{parts.path}?{query}" if query else base + parts.path,
            json.dumps(call.body, ensure_ascii=False).encode(),
            {**_JSON, "x-request-id": outgoing.message_key},
            timeout=TIMEOUT,
            answer_limit=_ANSWER_LIMIT,
        )
        match answer:
            case HttpAnswer():
                return self._judged(answer)
            case Forbidden(reason=reason):
                return RefusedUs(reason, for_everyone=False)
            case NotSent(reason=reason):
                return RefusedForNow(reason)
            case NoAnswer(reason=reason):
                return Unclear(reason)
            case _:
                assert_never(answer)

    def _judged(self, answer: HttpAnswer) -> Answer:
        if answer.status == 429:
            return RefusedForNow("http_429")
        try:
            content = json.loads(answer.body or b"")
            code, words = self.platform.code(content)
        except (ValueError, TypeError, KeyError, RecursionError):
            return Unclear(f"http_{answer.status}")
        return Accepted("") if code == 0 else self.platform.refusal(code, words)


def refused(
    code: int,
    *,
    later: Mapping[int, timedelta | None],
    gone: frozenset[int],
    us: Mapping[int, str],
) -> Answer:
    """What a code of one of these sets means; every other one refuses the message. ``us`` says what an operator has to do."""
    if code in later:
        return RefusedForNow(str(code), pause=later[code])
    if code in gone:
        return AddressGone(str(code), suppression=REMOVED)
    if code in us:
        return RefusedUs(f"{code} {us[code]}", for_everyone=False)
    return RefusedMessage(str(code))


def robots(platform: Platform, settings: Mapping[str, str], ports: ProviderPorts) -> GroupRobots:
    """The robots of a platform, from the settings ``secret`` and ``endpoint``."""
    return GroupRobots(
        platform=platform,
        poster=ports.poster(),
        secret=ports.secret(settings["secret"]) if "secret" in settings else None,
        endpoint=settings.get("endpoint", ""),
    )


def _usable(value: Any) -> bool:
    return isinstance(value, str) and bool(value)
