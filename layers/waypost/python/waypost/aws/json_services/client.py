"""Calls a service as boto3's client does: the same methods, parameters, answers and exceptions, for the operations that are used."""

import os
import sys
import time
import uuid
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, Final
from urllib.parse import quote

import orjson

from waypost.aws.json_services import answers, retries
from waypost.aws.json_services.answers import Refused
from waypost.aws.json_services.connections import Answer, NoAnswer, Transport
from waypost.aws.json_services.credentials import Credentials, CredentialSource
from waypost.aws.json_services.endpoints import Endpoint
from waypost.aws.json_services.services import PAGES, Operation, Service
from waypost.aws.json_services.signature import signed
from waypost.clock import real_now

EXPIRED_CODES: Final = frozenset({"ExpiredToken", "ExpiredTokenException"})
SKEWED_CODES: Final = frozenset({
    "InvalidSignatureException", "RequestExpired", "RequestInTheFuture", "RequestTimeTooSkewed", "SignatureDoesNotMatch",
})  # fmt: skip
"""What a service may call a signature whose time is not its own."""

SKEW_THAT_MATTERS: Final = timedelta(minutes=4)
"""A signature is good for five minutes; the clocks' difference is looked at to the second."""

_AGENT: Final = f"waypost md/Python#{sys.version_info.major}.{sys.version_info.minor}"


@dataclass(frozen=True, slots=True)
class Meta:
    """What boto3's client says of itself, as far as it is asked for."""

    service_name: str
    endpoint_url: str
    region_name: str


class JsonClient:
    """A client of one service. It may be shared by threads.

    Operations are methods (``put_item``) and take the parameters of boto3's. They raise ClientError, or the BotoCoreError of a
    connection (ConnectTimeoutError, ReadTimeoutError, …), after ``attempts`` at most.
    """

    def __init__(
        self,
        service: Service,
        endpoint: Endpoint,
        *,
        transport: Transport,
        credentials: CredentialSource,
        attempts: int,
        clock: Callable[[], datetime] = real_now,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self.meta = Meta(service.name, endpoint.url, endpoint.region)
        self._service = service
        self._endpoint = endpoint
        self._transport = transport
        self._credentials = credentials
        self._attempts = attempts
        self._clock = clock
        self._wait = wait
        self._quota = retries.Quota()
        self._ahead = timedelta(0)  # the service's clock, of ours
        for method, operation in service.operations.items():
            setattr(self, method, partial(self._called, operation))

    def __getattr__(self, name: str) -> Callable[..., dict[str, Any]]:
        raise AttributeError(f"{self._service.name} has no operation {name!r} here; add it to json_services.services")

    def get_paginator(self, method: str) -> "Pages":
        """The pages of an operation, as boto3's client gives them."""
        return Pages(self._service.operations[method], self._called, *PAGES[method])

    def _called(self, operation: Operation, **parameters: Any) -> dict[str, Any]:
        """One call, repeated where botocore's standard mode repeats it."""
        if operation.token:
            parameters.setdefault(operation.token, str(uuid.uuid4()))
        body = orjson.dumps(parameters, default=_in_json, option=orjson.OPT_PASSTHROUGH_DATETIME)
        paid = 0
        attempt = 0
        while True:
            attempt += 1
            outcome = self._outcome(operation, body, attempt)
            if isinstance(outcome, dict):
                self._quota.succeeded(paid)
                return outcome
            price = self._quota.take(outcome) if attempt < self._attempts and retries.may_be_repeated(outcome) else None
            if price is None:
                raise outcome.error
            paid = price
            self._wait(retries.seconds_before(attempt + 1, outcome, slot=self._service.slot))

    def _outcome(self, operation: Operation, body: bytes, attempt: int) -> dict[str, Any] | Refused | NoAnswer:
        """The answer of one attempt; signed once more when only its credentials or its time were refused."""
        credentials = self._credentials.current()
        outcome = self._attempt(operation, body, attempt, credentials)
        if not isinstance(outcome, Refused):
            return outcome
        if outcome.code in EXPIRED_CODES and (renewed := self._credentials.renewed(credentials)):
            return self._attempt(operation, body, attempt, renewed)
        if outcome.code in SKEWED_CODES and self._set_by(outcome.date):
            return self._attempt(operation, body, attempt, credentials)
        return outcome

    def _attempt(
        self, operation: Operation, body: bytes, attempt: int, credentials: Credentials
    ) -> dict[str, Any] | Refused | NoAnswer:
        path = self._endpoint.path.rstrip("/") + operation.path
        headers = signed(
            {"host": self._endpoint.authority, **self._service.headers_of(operation)},
            body,
            credentials=credentials,
            region=self._endpoint.region,
            service=self._service.signing_name,
            at=self._clock() + self._ahead,
            path=path,
        )
        headers |= {"user-agent": _AGENT, **_trace()}
        answer = self._transport.post(path, headers, body)
        return answer if isinstance(answer, NoAnswer) else self._read(answer, operation, attempt)

    def _read(self, answer: Answer, operation: Operation, attempt: int) -> dict[str, Any] | Refused | NoAnswer:
        return answers.read(answer, operation.name, attempts=attempt, is_rest=self._service.is_rest)

    def _set_by(self, date: str) -> bool:
        """Take the service's time for ours when they differ; whether they do."""
        try:
            theirs = parsedate_to_datetime(date)
        except ValueError:
            return False
        ahead = theirs.replace(tzinfo=theirs.tzinfo or UTC) - self._clock()
        if abs(ahead - self._ahead) < SKEW_THAT_MATTERS:
            return False
        self._ahead = ahead
        return True


@dataclass(frozen=True, slots=True)
class Pages:
    """The answers of an operation that gives them page by page."""

    operation: Operation
    call: Callable[..., dict[str, Any]]
    stopped: str
    begin: str

    def paginate(self, **parameters: Any) -> Iterator[dict[str, Any]]:
        """Each page, asked for when the one before has been used."""
        while True:
            page = self.call(self.operation, **parameters)
            yield page
            if not page.get(self.stopped):
                return
            parameters[self.begin] = page[self.stopped]


def _in_json(value: Any) -> float | str:
    """A time or bytes as the protocol has them. Raises TypeError for anything else."""
    match value:
        case datetime():
            return value.timestamp() if value.microsecond else int(value.timestamp())
        case bytes():
            return b64encode(value).decode()
        case _:
            raise TypeError(f"a {type(value).__name__} has no place in a call")


def _trace() -> Mapping[str, str]:
    """The trace that the call belongs to, by which Lambda also finds functions that call themselves without end."""
    trace = os.environ.get("_X_AMZN_TRACE_ID")
    if not trace or "AWS_LAMBDA_FUNCTION_NAME" not in os.environ:
        return {}
    return {"x-amzn-trace-id": quote(trace, safe="-=;:+&[]{}\"',")}
