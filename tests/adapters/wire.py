"""What comes back over the wire to a real client, boto3's or ours, without a wire: answers and broken connections."""

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from waypost.aws.json_services.client import JsonClient
from waypost.aws.json_services.connections import Answer, NoAnswer


class _Body(io.BytesIO):
    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self.read()


@dataclass(frozen=True, slots=True)
class SentBody:
    """A request of the client that is ours."""

    body: bytes


class Wire:
    """Stands in for the network of one client; ``answers`` are given in turn, the last one for ever.

    An answer is ``(status, headers, body)`` or the exception of a broken connection. The client's own retries are still
    in place, so ``requests`` counts every attempt.
    """

    def __init__(self, client: Any) -> None:
        self.answers: list[tuple[int, dict[str, str], Any] | Exception] = []
        self.requests: list[AWSPreparedRequest | SentBody] = []
        if isinstance(client, JsonClient):
            client._transport = self
        else:
            client.meta.events.register_first("before-send", self._send)

    def will_answer(self, *answers: tuple[int, dict[str, str], Any] | Exception) -> "Wire":
        """Start again with these answers."""
        self.answers, self.requests = list(answers), []
        return self

    @property
    def sent(self) -> dict[str, Any]:
        """The body of the only request."""
        (request,) = self.requests
        content: dict[str, Any] = json.loads(request.body)
        return content

    def next(self) -> tuple[int, dict[str, str], Any] | Exception:
        """The answer whose turn it is."""
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def post(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer | NoAnswer:
        """See ``waypost.aws.json_services.connections.Transport``."""
        del path, headers
        self.requests.append(SentBody(body))
        answer = self.next()
        if isinstance(answer, Exception):
            return NoAnswer(answer)
        status, named, content = answer
        return Answer(status, {name.lower(): value for name, value in named.items()}, json.dumps(content).encode())

    def _send(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        self.requests.append(request)
        answer = self.next()
        if isinstance(answer, Exception):
            raise answer
        status, headers, body = answer
        return AWSResponse(request.url, status, headers, _Body(json.dumps(body).encode()))
