"""HTTP to a server on this machine. Used by everything in the local tools that talks to the embedded cloud or to itself."""

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; ``headers`` have lower-case names."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


def call(
    method: str, url: str, *, body: bytes | None = None, headers: dict[str, str] | None = None, timeout: float = 30.0
) -> Answer:
    """One request, any status is an answer. Raises OSError when nothing listens or nothing comes back in ``timeout``."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=timeout)
    try:
        connection.request(method, f"{parts.path}?{parts.query}" if parts.query else parts.path, body, headers or {})
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, found, response.read())
    except http.client.HTTPException as error:
        raise ConnectionError(f"{method} {url}: {error!r}") from error
    finally:
        connection.close()


def call_json(method: str, url: str, content: Any = None, *, timeout: float = 30.0) -> Any:
    """One request with a JSON body, answered in JSON. Raises OSError, also for a status of 400 and more."""
    body = None if content is None else json.dumps(content).encode()
    answer = call(method, url, body=body, headers={"content-type": "application/json"}, timeout=timeout)
    if answer.status >= 400:
        raise OSError(f"{method} {url} answered {answer.status}: {answer.body[:500].decode(errors='replace')}")
    return answer.json()
