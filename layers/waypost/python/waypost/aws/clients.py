"""AWS clients, made once per process and only when first called. Used by the handlers' wiring.

Every client has a connect timeout of one second and a read timeout below the functions' own, so that a stalled call
ends in our code and not in a killed function. Provider clients never retry behind the ledger's back (design rule 13).

They come from botocore itself: boto3 makes the same clients, and imports resources and S3 transfers that nothing here
uses (a tenth of the import time).
"""

import gc
from functools import cache
from threading import Lock
from typing import Any, Final

from botocore.config import Config
from botocore.session import Session

CONNECT_TIMEOUT: Final = 1  # seconds
READ_TIMEOUT: Final = 5  # seconds
PROVIDER_READ_TIMEOUT: Final = 10  # seconds
BULK_READ_TIMEOUT: Final = 20  # seconds
BULK_CONNECTIONS: Final = 16

UNCHECKED: Final = frozenset({"dynamodb"})
"""Services whose calls botocore does not check before sending: for a contact with its identities that takes a third of what
the call costs us, and DynamoDB refuses a malformed request by itself. Of others an empty name may change the path of the
request and so its meaning; those stay checked."""

_MAKING: Final = Lock()
"""Clients may be shared by threads, but a session must not make two at a time. Source: boto3 guide, "Multithreading"."""


class LazyClient:
    """A client that is made at its first call: most invocations use only some of the services their function may call."""

    def __init__(self, service: str, config: Config) -> None:
        self._service = service
        self._config = config

    def __getattr__(self, name: str) -> Any:
        with _MAKING:
            made = _made(self._service, self._config)
        return getattr(made, name)


@cache
def client(service: str) -> LazyClient:
    """The client of an AWS service whose calls are idempotent or conditional, with the SDK's standard retries."""
    return LazyClient(
        service,
        Config(
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=READ_TIMEOUT,
            retries={"total_max_attempts": 4, "mode": "standard"},
            parameter_validation=service not in UNCHECKED,
        ),
    )


@cache
def provider_client(service: str) -> LazyClient:
    """The client of a service that sends messages: one attempt, because a second one may send twice."""
    return LazyClient(
        service,
        Config(
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=PROVIDER_READ_TIMEOUT,
            retries={"total_max_attempts": 1},
        ),
    )


@cache
def bulk_client(service: str) -> LazyClient:
    """The client of a bulk run: patient, and slower by itself for as long as the service throttles (adaptive retries)."""
    return LazyClient(
        service,
        Config(
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=BULK_READ_TIMEOUT,
            max_pool_connections=BULK_CONNECTIONS,
            retries={"total_max_attempts": 10, "mode": "adaptive"},
            parameter_validation=service not in UNCHECKED,
        ),
    )


@cache
def _made(service: str, config: Config) -> Any:
    return _session().create_client(service, config=config)


@cache
def _session() -> Session:
    gc.freeze()  # what was imported stays: a collection that walks through it takes 30 ms and finds nothing
    return Session()
