"""A Poster that answers from a script."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from waypost.http.ports import ANSWER_LIMIT, Answer, Outcome

Script = Callable[[str, dict[str, Any]], Mapping[str, Any] | Outcome]


@dataclass
class ScriptedPoster:
    """A Poster; ``script(url, content)`` gives the answer to a JSON body, as JSON or as what became of the call."""

    script: Script
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    timeouts: list[timedelta] = field(default_factory=list)

    def post(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        timeout: timedelta,
        answer_limit: int = ANSWER_LIMIT,
    ) -> Outcome:
        assert timeout > timedelta()
        assert headers["content-type"].startswith("application/json")
        assert answer_limit
        content = json.loads(body)
        self.bodies.append(body)
        self.timeouts.append(timeout)
        self.calls.append((url, content))
        answer = self.script(url, content)
        return Answer(200, body=json.dumps(answer).encode()) if isinstance(answer, Mapping) else answer

    def get(
        self, url: str, headers: Mapping[str, str], *, timeout: timedelta, answer_limit: int = ANSWER_LIMIT
    ) -> Outcome:
        assert timeout > timedelta()
        assert answer_limit
        del headers
        self.calls.append((url, {}))
        answer = self.script(url, {})
        return Answer(200, body=json.dumps(answer).encode()) if isinstance(answer, Mapping) else answer

    def paths(self) -> list[str]:
        """The paths that were called, in order."""
        return [url.partition("?")[0].split("/", 3)[3] for url, _ in self.calls]
