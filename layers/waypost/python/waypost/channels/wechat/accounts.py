"""The official accounts and mini programs that a deployment may speak for, each with its own access token. Used by what calls WeChat."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from waypost.channels.contract import ProviderPorts
from waypost.clock import real_now
from waypost.events.ports import SecretStore
from waypost.http.ports import Caller
from waypost.tencent.access_tokens import AccessTokens, TokenStore
from waypost.tencent.api import Api, Replied, StableToken

HOST: Final = "https://api.weixin.qq.com"
LATER: Final = frozenset({-1, 43108, 45009, 45011, 9500002})
"""Codes of what passes by itself."""
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


@dataclass(slots=True)
class Accounts:
    """``names`` are app ids; ``secrets`` has ``<account>.secret`` of each; ``base`` is WeChat's host or that of a fake."""

    names: tuple[str, ...]
    poster: Caller = field(repr=False)
    secrets: SecretStore = field(repr=False)
    tokens: TokenStore = field(repr=False)
    base: str
    _apis: dict[str, Api] = field(default_factory=dict, init=False, repr=False)

    @classmethod
    def connect(cls, settings: Mapping[str, str], ports: ProviderPorts) -> Self:
        """From the settings ``secret``, ``accounts`` (app ids with commas between) and ``endpoint`` (of a fake)."""
        return cls(
            names=tuple(filter(None, (each.strip() for each in settings.get("accounts", "").split(",")))),
            poster=ports.poster(),
            secrets=ports.secret(settings.get("secret", "")),
            tokens=ports.tokens(),
            base=settings.get("endpoint") or HOST,
        )

    def missing(self, account: str) -> str:
        """Why nothing can be called for this account; "" when it is one of ours."""
        return "" if account in self.names else f"no_account {account}: name it in the choice wechat_accounts"

    def api(self, account: str) -> Api:
        """What calls WeChat for this account."""
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


def with_advice(reply: Replied) -> str:
    """The code of a refusal, the address that WeChat names in it, and what to do about it."""
    named = _ADDRESS.search(reply.message)
    advice = ": ".join(part for part in (named[0] if named else "", _ADVICE.get(reply.code, "")) if part)
    return f"{reply.code} {advice}".strip()
