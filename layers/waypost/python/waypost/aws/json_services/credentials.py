"""The credentials that calls are signed with: the environment's on Lambda, botocore's chain of sources anywhere else."""

import os
from dataclasses import dataclass
from threading import Lock
from typing import Any, Protocol

from botocore.exceptions import NoCredentialsError


@dataclass(frozen=True, slots=True)
class Credentials:
    """An access key, its secret, and the session's token if it is a temporary one."""

    access_key: str
    secret_key: str
    token: str | None = None

    def __repr__(self) -> str:
        return f"Credentials({self.access_key})"


class CredentialSource(Protocol):
    """Where credentials come from."""

    def current(self) -> Credentials:
        """The credentials that are valid now. Raises NoCredentialsError."""
        ...

    def renewed(self, expired: Credentials) -> Credentials | None:
        """Credentials instead of ones that a service calls expired; None when there are no other ones."""
        ...


def from_environment() -> Credentials | None:
    """The credentials in the environment, which is where Lambda puts those of the function's role."""
    environment = os.environ
    access_key, secret_key = environment.get("AWS_ACCESS_KEY_ID"), environment.get("AWS_SECRET_ACCESS_KEY")
    if not access_key or not secret_key:
        return None
    return Credentials(access_key, secret_key, environment.get("AWS_SESSION_TOKEN") or None)


class DefaultCredentials:
    """A CredentialSource: the environment, else what botocore finds (container, SnapStart, profile, instance).

    botocore renews temporary credentials before they end, so its own are asked for at every call.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._found: Any = None  # botocore's, which has no types

    def current(self) -> Credentials:
        """See CredentialSource."""
        return from_environment() or self._from_botocore()

    def renewed(self, expired: Credentials) -> Credentials | None:
        """See CredentialSource."""
        with self._lock:
            self._found = None
        current = self.current()
        return current if current != expired else None

    def _from_botocore(self) -> Credentials:
        with self._lock:
            if self._found is None:
                from botocore.session import Session  # noqa: PLC0415 - 45 ms that no function on Lambda needs

                self._found = Session().get_credentials()
            found = self._found
        if found is None:
            raise NoCredentialsError
        frozen = found.get_frozen_credentials()
        return Credentials(frozen.access_key, frozen.secret_key, frozen.token)
