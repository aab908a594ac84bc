"""Journey machines in memory."""

import json
from collections.abc import Mapping
from typing import Any

from tests.fakes.effects import Effects, effect


class FakeMachines:
    """Machines that only remember what was started; ``calls`` counts the tries, ``pending`` and ``not_begun`` are starts nobody looked at yet."""

    label = "machines"

    def __init__(self, effects: Effects | None = None) -> None:
        self.effects = effects or Effects()
        self.executions: dict[str, tuple[str, dict[str, Any]]] = {}
        self.pending: list[str] = []
        self.not_begun: list[str] = []
        self.calls = 0

    def __contains__(self, name: object) -> bool:
        return name in self.executions

    def __len__(self) -> int:
        return len(self.executions)

    @effect
    def start(self, journey: str, name: str, execution_input: Mapping[str, Any]) -> None:
        """See Machines. The same name with another input would be another execution elsewhere, so it is a mistake."""
        self.calls += 1
        given = json.loads(json.dumps(dict(execution_input)))
        assert self.executions.setdefault(name, (journey, given)) == (journey, given)
        self.pending.append(name)
        self.not_begun.append(name)
