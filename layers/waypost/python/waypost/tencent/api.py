"""Calls of the interfaces of WeChat and WeCom, with an access token that is renewed when it is refused.

They answer HTTP 200 with an ``errcode``; a success may leave it out. A refused token means that nothing was done, so that
the call is made once more with another one. Used by the providers of their channels. Source:
https://developers.weixin.qq.com/doc/oplatform/Return_codes/Return_code_descriptions_new.html
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, assert_never
from urllib.parse import urlencode

from waypost.events.ports import SecretStore
from waypost.http.ports import ANSWER_LIMIT, Answer, Caller, Forbidden, NoAnswer, NotSent, Outcome, Poster
from waypost.tencent.access_tokens import AccessToken, AccessTokens, NoToken
from waypost.tencent.scrubbing import scrubbed

CALL_TIMEOUT: Final = timedelta(seconds=8)
TOKEN_TIMEOUT: Final = timedelta(seconds=4)
REFUSED_TOKEN: Final = frozenset({40001, 40014, 42001, 42007})
"""The token is wrong or has ended."""
_WRONG_SECRET: Final = frozenset({40001, 40125})
_JSON: Final[Mapping[str, str]] = {"content-type": "application/json; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Replied:
    """What the provider answered: ``code`` 0 for a success. ``message`` is for people and holds no secret."""

    code: int
    message: str = ""
    content: Mapping[str, Any] = field(default_factory=dict, repr=False)


Reply = Replied | NotSent | NoAnswer
"""``NotSent``: nothing was done. ``NoAnswer``: it may have been done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """The interface of one account; ``base`` is ``https://api.weixin.qq.com`` or that of a fake."""

    poster: Caller = field(repr=False)
    base: str
    tokens: AccessTokens = field(repr=False)

    def post(
        self, path: str, content: Mapping[str, Any], *, request_id: str = "", timeout: timedelta = CALL_TIMEOUT
    ) -> Reply:
        """Call once; once more with another token when the first one is refused.

        ``request_id`` names the call in a header, for the logs of what stands in between; the providers do not read it.
        """
        headers = {**_JSON, "x-request-id": request_id} if request_id else _JSON
        # what is escaped as \uXXXX is shown to the reader as such
        body = json.dumps(content, ensure_ascii=False).encode()

        def call(token: AccessToken) -> Outcome:
            return self.poster.post(f"{self.base}{path}?access_token={token.text}", body, headers, timeout=timeout)

        return self._with_token(call)

    def get(self, path: str, asked: Mapping[str, str], *, answer_limit: int = ANSWER_LIMIT) -> Reply:
        """Call an interface that is read by GET, as ``post`` does."""

        def call(token: AccessToken) -> Outcome:
            url = f"{self.base}{path}?{urlencode({'access_token': token.text, **asked})}"
            return self.poster.get(url, {}, timeout=CALL_TIMEOUT, answer_limit=answer_limit)

        return self._with_token(call)

    def _with_token(self, call: Callable[[AccessToken], Outcome]) -> Reply:
        token = self.tokens.current()
        if isinstance(token, NoToken):
            return without_a_token(token)
        reply = replied(call(token))
        if not isinstance(reply, Replied) or reply.code not in REFUSED_TOKEN:
            return reply
        another = self.tokens.renewed(token)
        return without_a_token(another) if isinstance(another, NoToken) else replied(call(another))


def without_a_token(missing: NoToken) -> Reply:
    """What the lack of a token says of the call it was for: nothing was sent."""
    if missing.code is None:
        return NotSent(f"access token: {missing.reason}")
    return Replied(missing.code, missing.reason, missing.content)


def replied(outcome: Outcome) -> Reply:
    """An HTTP answer as a reply. One of another form than JSON says that nothing was done (4xx), or nothing at all."""
    match outcome:
        case Answer(status=status, body=body):
            content = _content(body or b"")
            if content is None:
                return NotSent(f"http_{status}") if 400 <= status < 500 else NoAnswer(f"http_{status}")
            code = content.get("errcode", 0)
            if status >= 500 or not isinstance(code, int):
                return NoAnswer(f"http_{status}")
            return Replied(code, scrubbed(str(content.get("errmsg", ""))), content)
        case Forbidden(reason=reason):
            return NotSent(reason)
        case NotSent() | NoAnswer():
            return outcome
        case _:
            assert_never(outcome)


def _content(body: bytes) -> dict[str, Any] | None:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class StableToken:
    """A Grant of an official account or mini program: ``stable_token``, which does not end the token that others use.

    ``secret_of(secrets)`` finds the account's secret, "" when there is none. A wrong one is read again once, so that one that
    an operator has just replaced works at once.
    """

    poster: Poster = field(repr=False)
    base: str
    app_id: str
    secrets: SecretStore = field(repr=False)
    secret_of: Callable[[Mapping[str, Any]], str]
    clock: Callable[[], datetime]

    def ask(self, *, force: bool) -> AccessToken | NoToken:
        """See Grant. Raises TemporarilyUnavailable while Secrets Manager has given no secret yet."""
        secret = self.secret_of(self.secrets.read())
        answer = self._asked(secret, force=force)
        if isinstance(answer, NoToken) and (answer.code is None or answer.code not in _WRONG_SECRET):
            return answer
        if isinstance(answer, NoToken) and (newer := self.secret_of(self.secrets.read_again())) != secret:
            return self._asked(newer, force=force)
        return answer

    def _asked(self, secret: str, *, force: bool) -> AccessToken | NoToken:
        if not secret:
            return NoToken("the secret of the account is not set", code=40125)
        now = self.clock()
        content = {
            "grant_type": "client_credential",
            "appid": self.app_id,
            "secret": secret,
            "force_refresh": force,
        }
        body = json.dumps(content).encode()
        return granted(
            replied(self.poster.post(f"{self.base}/cgi-bin/stable_token", body, _JSON, timeout=TOKEN_TIMEOUT)), now=now
        )


def granted(reply: Reply, *, now: datetime) -> AccessToken | NoToken:
    """The token in an answer ``{access_token, expires_in}``, counted from ``now``, when it was asked for."""
    match reply:
        case Replied(code=0, content=content):
            text, seconds = content.get("access_token"), content.get("expires_in")
            if not isinstance(text, str) or not text or not isinstance(seconds, int):
                return NoToken("the answer holds no access token")
            return AccessToken(text, now + timedelta(seconds=seconds))
        case Replied(code=code, message=message, content=content):
            return NoToken(message, code, content)
        case NotSent(reason=reason) | NoAnswer(reason=reason):
            return NoToken(reason)
        case _:
            assert_never(reply)
