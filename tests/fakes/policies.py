"""PolicyStore in memory."""

from tests.fakes.effects import Effects, effect
from waypost.sending.policy_change import PolicyChange


class FakePolicies:
    """PolicyStore; ``reads`` counts how often the current change was asked for."""

    label = "policies"

    def __init__(self, effects: Effects | None = None) -> None:
        self.effects = effects or Effects()
        self.changes: list[PolicyChange] = []
        self.reads = 0

    def current(self) -> PolicyChange | None:
        """See PolicyStore."""
        self.reads += 1
        return self.changes[-1] if self.changes else None

    @effect
    def put(self, change: PolicyChange) -> bool:
        """See PolicyStore."""
        if change in self.changes[-1:]:
            return True
        if change.revision != len(self.changes) + 1:
            return False
        self.changes.append(change)
        return True

    def newest(self, limit: int) -> list[PolicyChange]:
        """See PolicyStore."""
        return self.changes[::-1][:limit]
