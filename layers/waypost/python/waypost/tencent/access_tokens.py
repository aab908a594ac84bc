"""Access tokens of WeChat and WeCom: shared by all processes, and refreshed once by one of them. Used by ``tencent.api``.

Each token lives two hours, and a provider counts how often it is asked for one. Before a token ends, one caller takes the
lease and gets the next one, while the others go on with the old: for five minutes both are valid. Source:
https://developers.weixin.qq.com/doc/service/api/base/api_getstableaccesstoken.html
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from waypost import ids
from waypost.errors import WaypostError

REFRESHED_AHEAD: Final = timedelta(minutes=5)
"""How long before its end a token is refreshed, and how long the old one lives beside the new."""
LEASED_FOR: Final = timedelta(seconds=15)
"""How long one caller may take to get a token before another one tries."""
TOO_LATE: Final = timedelta(seconds=10)
"""A token is not used in its last seconds: the call has to arrive before its end."""
WAITS: Final = (0.2, 0.4, 0.8, 1.6)
"""Seconds between two looks for the token that another caller is getting, where there is none to go on with."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token and when it ends, in real time. Its text is in no ``repr``, and so in no log."""

    text: str = field(repr=False)
    expires_at: datetime

    @property
    def version(self) -> str:
        """What stands for the token where the token itself must not."""
        return ids.digest("access_token", self.text)


@dataclass(frozen=True, slots=True)
class NoToken:
    """There is no token: the provider refused with ``code``, or it could not be reached (None). Nothing was sent.

    ``content`` is what else it answered.
    """

    reason: str
    code: int | None = None
    content: Mapping[str, Any] = field(default_factory=dict)


class Grant(Protocol):
    """Asks the provider for a token, once."""

    def ask(self, *, force: bool) -> AccessToken | NoToken:
        """The token that is valid now; with ``force`` another one, which ends that one."""
        ...


class TokenStore(Protocol):
    """Where all processes find a token by its name (``wechat/wx8f0a``)."""

    def load(self, name: str) -> AccessToken | None:
        """The token that was saved last, which may have ended. Read consistently."""
        ...

    def lease(self, name: str, *, seen: AccessToken | None, now: datetime, until: datetime) -> bool:
        """Take the right to replace ``seen``; False when another caller has it or has replaced it."""
        ...

    def save(self, name: str, token: AccessToken) -> None:
        """Store a token and give the lease back."""
        ...

    def release(self, name: str) -> None:
        """Give the lease back without a token."""
        ...


@dataclass(slots=True, kw_only=True)
class AccessTokens:
    """The token of one account. ``clock`` is the real one, ``sleep`` waits for another caller; it takes seconds."""

    name: str
    store: TokenStore = field(repr=False)
    grant: Grant = field(repr=False)
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]
    _known: AccessToken | None = field(default=None, init=False, repr=False)

    def current(self) -> AccessToken | NoToken:
        """A token that is valid now; most calls find it in this process."""
        if self._known is not None and self._known.expires_at - self.clock() > REFRESHED_AHEAD:
            return self._known
        return self._another_than(None)

    def renewed(self, refused: AccessToken) -> AccessToken | NoToken:
        """Another token than the one that the provider refused: one that was stored since, or a new one."""
        return self._another_than(refused)

    def _another_than(self, refused: AccessToken | None) -> AccessToken | NoToken:
        for pause in (*WAITS, None):
            now = self.clock()
            stored = self.store.load(self.name)
            usable = stored if stored is not None and _may_be_used(stored, refused, now) else None
            if usable is not None and (refused is not None or usable.expires_at - now > REFRESHED_AHEAD):
                self._known = usable
                return usable
            if self.store.lease(self.name, seen=stored, now=now, until=now + LEASED_FOR):
                return self._granted(usable, refused)
            if usable is not None:  # another caller is getting the next one
                return usable
            if pause is not None:
                self.sleep(pause)
        return NoToken("another process is getting the access token")

    def _granted(self, usable: AccessToken | None, refused: AccessToken | None) -> AccessToken | NoToken:
        """A new token; while the provider gives none, the old one, for which it is asked again when the lease is over."""
        try:
            answer = self.grant.ask(force=False)
            if refused is not None and isinstance(answer, AccessToken) and answer.text == refused.text:
                answer = self.grant.ask(force=True)
        except WaypostError:
            self.store.release(self.name)
            raise
        if isinstance(answer, AccessToken):
            self.store.save(self.name, answer)
            self._known = answer
            return answer
        if usable is not None:
            return usable
        self.store.release(self.name)
        return answer


def _may_be_used(token: AccessToken, refused: AccessToken | None, now: datetime) -> bool:
    return token.expires_at - now > TOO_LATE and (refused is None or token.text != refused.text)
