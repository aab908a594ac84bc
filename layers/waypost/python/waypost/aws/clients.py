"""boto3 clients, made once per process and only when first used. Called by the handlers' wiring.

Every client has a connect timeout of one second and a read timeout below the functions' own, so that a stalled call
ends in our code and not in a killed function. Provider clients never retry behind the ledger's back (design rule 13).
"""

from functools import cache
from typing import Any, Final

import boto3
from botocore.config import Config

CONNECT_TIMEOUT: Final = 1  # seconds
READ_TIMEOUT: Final = 5  # seconds
PROVIDER_READ_TIMEOUT: Final = 10  # seconds


@cache
def client(service: str) -> Any:
    """The client of an AWS service whose calls are idempotent or conditional, with the SDK's standard retries."""
    return boto3.client(
        service,
        config=Config(
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=READ_TIMEOUT,
            retries={"total_max_attempts": 4, "mode": "standard"},
        ),
    )


@cache
def provider_client(service: str) -> Any:
    """The client of a service that sends messages: one attempt, because a second one may send twice."""
    return boto3.client(
        service,
        config=Config(
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=PROVIDER_READ_TIMEOUT,
            retries={"total_max_attempts": 1},
        ),
    )
