"""A TokenStore in memory."""

from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

from waypost.clock import format_instant, parse_instant
from waypost.tencent.access_tokens import AccessToken


@dataclass
class FakeTokenStore:
    """A TokenStore; ``tokens`` are those stored, ``leases`` until when each is leased."""

    tokens: dict[str, AccessToken] = field(default_factory=dict)
    leases: dict[str, datetime] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def load(self, name: str) -> AccessToken | None:
        return self.tokens.get(name)

    def lease(self, name: str, *, seen: AccessToken | None, now: datetime, until: datetime) -> bool:
        with self._lock:
            stored = self.tokens.get(name)
            if (stored and stored.version) != (seen and seen.version) or self.leases.get(name, now) > now:
                return False
            self.leases[name] = until
            return True

    def save(self, name: str, token: AccessToken) -> None:
        with self._lock:
            self.tokens[name] = AccessToken(token.text, parse_instant(format_instant(token.expires_at)))
            self.leases.pop(name, None)

    def release(self, name: str) -> None:
        self.leases.pop(name, None)
