"""Task tokens in memory."""

import json
from collections.abc import Mapping
from typing import Any

from tests.fakes.effects import Effects, effect


class FakeTokens:
    """TaskTokens: the first answer to a token ends its task; a closed token takes none."""

    label = "tokens"

    def __init__(self, effects: Effects | None = None) -> None:
        self.effects = effects or Effects()
        self.ended: dict[str, dict[str, Any]] = {}
        self.closed: set[str] = set()

    def __contains__(self, token: object) -> bool:
        return token in self.ended

    def __getitem__(self, token: str) -> dict[str, Any]:
        return self.ended[token]

    def close(self, token: str) -> None:
        """The task of this token has ended in another way (its function failed, it was tried again)."""
        self.closed.add(token)

    @effect
    def succeed(self, token: str, output: Mapping[str, Any]) -> None:
        """See TaskTokens."""
        self._end(token, json.loads(json.dumps(dict(output))))

    @effect
    def fail(self, token: str, *, error: str, cause: str) -> None:
        """See TaskTokens."""
        self._end(token, {"error": error, "cause": cause})

    def _end(self, token: str, outcome: dict[str, Any]) -> None:
        if token not in self.closed:
            self.ended.setdefault(token, outcome)
