"""AWS clients, made once per process and only when first called. Used by the handlers' wiring.

Every client has a connect timeout of one second and a read timeout below the functions' own, so that a stalled call
ends in our code and not in a killed function. Provider clients never retry behind the ledger's back (design rule 13).

The calls of every event and every message go through ``json_services``, which costs a fifth of botocore's time per call and
imports none of it. All else comes from botocore itself: boto3 makes the same clients, and imports resources and S3 transfers that
nothing here uses (a tenth of the import time).
"""

import gc
from dataclasses import dataclass, replace
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from waypost.aws.json_services.client import JsonClient
from waypost.aws.json_services.connections import Connections
from waypost.aws.json_services.credentials import DefaultCredentials
from waypost.aws.json_services.endpoints import Endpoint, endpoint
from waypost.aws.json_services.services import SERVICES

if TYPE_CHECKING:
    from botocore.session import Session

CONNECT_TIMEOUT: Final = 1  # seconds
READ_TIMEOUT: Final = 5  # seconds
PROVIDER_READ_TIMEOUT: Final = 10  # seconds
BULK_READ_TIMEOUT: Final = 20  # seconds
BULK_CONNECTIONS: Final = 16
ATTEMPTS: Final = 4
BULK_ATTEMPTS: Final = 10

UNCHECKED: Final = frozenset({"dynamodb"})
"""Services whose calls botocore does not check before sending: for a contact with its identities that takes a third of what
the call costs us, and DynamoDB refuses a malformed request by itself. Of others an empty name may change the path of the
request and so its meaning; those stay checked."""

_MAKING: Final = Lock()
"""Clients may be shared by threads, but a session must not make two at a time. Source: boto3 guide, "Multithreading"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """How a client calls: seconds until it gives up an answer, attempts, connections; ``lean`` without botocore where possible,
    ``address`` where another one than the service's own is called."""

    read_timeout: int
    retries: str
    attempts: int
    connections: int = 10
    lean: bool = False
    address: str = ""


_USUAL: Final = Calls(read_timeout=READ_TIMEOUT, retries="standard", attempts=ATTEMPTS, lean=True)
_OF_PROVIDERS: Final = Calls(read_timeout=PROVIDER_READ_TIMEOUT, retries="standard", attempts=1, lean=True)
_BULK: Final = Calls(
    read_timeout=BULK_READ_TIMEOUT, retries="adaptive", attempts=BULK_ATTEMPTS, connections=BULK_CONNECTIONS
)


class LazyClient:
    """A client that is made at its first call: most invocations use only some of the services their function may call."""

    def __init__(self, service: str, calls: Calls) -> None:
        self._service = service
        self._calls = calls
        self._client: Any = None

    def __getattr__(self, name: str) -> Any:
        with _MAKING:
            if self._client is None:
                self._client = _made(self._service, self._calls)
        found = getattr(self._client, name)
        setattr(self, name, found)
        return found


@cache
def client(service: str) -> LazyClient:
    """The client of an AWS service whose calls are idempotent or conditional, with the SDK's standard retries."""
    return LazyClient(service, _USUAL)


@cache
def provider_client(service: str, address: str = "") -> LazyClient:
    """The client of a service that sends messages: one attempt, because a second one may send twice.

    ``address`` is another one than the service's own, for which a developer's machine has a stand-in.
    """
    return LazyClient(service, replace(_OF_PROVIDERS, address=address))


@cache
def bulk_client(service: str) -> LazyClient:
    """The client of a bulk run: patient, and slower by itself for as long as the service throttles (adaptive retries)."""
    return LazyClient(service, _BULK)


def _made(service: str, calls: Calls) -> Any:
    if calls.lean and (made := _lean(service, calls)) is not None:
        return made
    from botocore.config import Config  # noqa: PLC0415 - 45 ms, for what only botocore does

    return _session().create_client(
        service,
        endpoint_url=calls.address or None,
        config=Config(
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=calls.read_timeout,
            max_pool_connections=calls.connections,
            retries={"total_max_attempts": calls.attempts, "mode": calls.retries},
            parameter_validation=service not in UNCHECKED,
        ),
    )


def _lean(service: str, calls: Calls) -> JsonClient | None:
    """A client without botocore, or None where the service or the environment needs it."""
    known = SERVICES.get(service)
    if known is None or (called := endpoint(known)) is None:
        return None
    if calls.address:
        called = Endpoint.of(calls.address, called.region)
    return JsonClient(
        known,
        called,
        transport=Connections(called, connect_timeout=CONNECT_TIMEOUT, read_timeout=calls.read_timeout),
        credentials=_credentials(),
        attempts=calls.attempts,
    )


@cache
def _credentials() -> DefaultCredentials:
    return DefaultCredentials()


@cache
def _session() -> "Session":
    from botocore.session import Session  # noqa: PLC0415 - 45 ms, for what only botocore does

    gc.freeze()  # what was imported stays: a collection that walks through it takes 30 ms and finds nothing
    return Session()
