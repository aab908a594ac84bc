"""The secret of the webhook API as a typed value, parsed once for each value that is read. Used by the receivers."""

import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

from waypost.events.ports import SecretStore
from waypost.events.secret_keys import Keys, key_problem, read_keys
from waypost.intake.public_key import Caller
from waypost.intake.sender_schemes import Scheme, secret_problem

SOURCE: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_NAMES: Final = ("write_keys", "server_keys", "sources")
_LONGEST_NAME: Final = 40


@dataclass(frozen=True, slots=True)
class WebhookSecrets:
    """``write_keys`` and ``server_keys`` of the Segment calls, the secrets of each source, and why entries were left out.

    A write key stands in pages and apps, so anybody may send with it; a server key is held by the company's own programs.
    """

    write_keys: tuple[str, ...] = ()
    server_keys: tuple[str, ...] = ()
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rejected: tuple[str, ...] = ()

    @classmethod
    def parse(cls, value: Mapping[str, Any], schemes: Mapping[str, Scheme]) -> Self:
        """Out of ``{"write_keys": […], "server_keys": […], "sources": {"<source>": ["whsec_…", …]}}``; a text may stand for a list.

        ``schemes`` are those of mapped sources; every other source signs as Standard Webhooks say.
        """
        write_keys = read_keys(value.get("write_keys"), "write_keys", _write_key_problem)
        server_keys = _server_keys(value.get("server_keys"), known=write_keys.usable)
        rejected = [
            *write_keys.rejected,
            *server_keys.rejected,
            *(f"{_shown(name)}: is unknown" for name in value if name not in _NAMES),
        ]
        sources: dict[str, tuple[str, ...]] = {}
        given = value.get("sources")
        if given is not None and not isinstance(given, dict):
            rejected.append("sources: should map sources to their secrets")
        for name, secrets in given.items() if isinstance(given, dict) else ():
            keys = _source_keys(name, secrets, schemes.get(name, Scheme()))
            sources[name] = keys.usable
            rejected += keys.rejected
        return cls(write_keys.usable, server_keys.usable, sources, tuple(rejected))

    def caller(self, given: str) -> Caller | None:
        """Who sends with this key, None when it is none; every one is compared, so that time says nothing about which."""
        is_server, is_writer = (
            [hmac.compare_digest(given.encode("utf-8", "replace"), key.encode()) for key in keys]
            for keys in (self.server_keys, self.write_keys)
        )
        return Caller(any(is_server), self.server_keys) if any((*is_server, *is_writer)) else None

    def of(self, source: str) -> tuple[str, ...]:
        """The secrets of a source; none when it has no usable one."""
        return self.sources.get(source, ())


@dataclass(slots=True, kw_only=True)
class KnownSecrets:
    """The secrets in a store, parsed when a new value is read. ``on_rejected`` is called once for such a value, with reasons."""

    store: SecretStore
    schemes: Mapping[str, Scheme]
    on_rejected: Callable[[Sequence[str]], None]
    _raw: Mapping[str, Any] | None = field(default=None, init=False, repr=False)
    _parsed: WebhookSecrets = field(default_factory=WebhookSecrets, init=False, repr=False)

    def read(self) -> WebhookSecrets:
        """The secrets, at most five minutes old while the store answers. Raises TemporarilyUnavailable."""
        return self._of(self.store.read())

    def read_again(self) -> WebhookSecrets:
        """The secrets for a caller whom the known ones did not satisfy."""
        return self._of(self.store.read_again())

    def _of(self, raw: Mapping[str, Any]) -> WebhookSecrets:
        if raw is not self._raw:
            self._raw, self._parsed = raw, WebhookSecrets.parse(raw, self.schemes)
            if self._parsed.rejected:
                self.on_rejected(self._parsed.rejected)
        return self._parsed


def _source_keys(name: str, given: Any, scheme: Scheme) -> Keys:
    where = f"sources.{_shown(name)}"
    if not SOURCE.fullmatch(name):
        return Keys(rejected=(f"{where}: should be the name of a source: a-z, 0-9, - and _",))
    return read_keys(given, where, lambda text: secret_problem(scheme, text))


def _server_keys(given: Any, *, known: tuple[str, ...]) -> Keys:
    """The server keys; one that is a write key too can be read in a page, so it stays a write key alone."""

    def problem(text: str) -> str:
        return _write_key_problem(text) or (
            "is a write key as well, which anybody can read; make another one" if text in known else ""
        )

    return read_keys(given, "server_keys", problem)


def _write_key_problem(text: str) -> str:
    return key_problem(text) or ("should have no colon: it ends the user name" if ":" in text else "")


def _shown(name: str) -> str:
    """A name of the secret, short and printable; what stands in the place of a name may be a key, so only its beginning."""
    return ascii(name[: _LONGEST_NAME if SOURCE.fullmatch(name) else 4])[1:-1]
