"""What comes back over the wire to a real boto3 client, without a wire: answers and broken connections."""

import io
import json
from collections.abc import Iterator
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse


class _Body(io.BytesIO):
    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self.read()


class Wire:
    """Stands in for the network of one client; ``answers`` are given in turn, the last one for ever.

    An answer is ``(status, headers, body)`` or the exception of a broken connection. botocore's own retries are still
    in place, so ``requests`` counts every attempt.
    """

    def __init__(self, client: Any) -> None:
        self.answers: list[tuple[int, dict[str, str], Any] | Exception] = []
        self.requests: list[AWSPreparedRequest] = []
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

    def _send(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        status, headers, body = answer
        return AWSResponse(request.url, status, headers, _Body(json.dumps(body).encode()))
