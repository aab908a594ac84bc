"""The sending policy in force: what was deployed, with the changes that were made since. Asked by the sender for each message.

A change is picked up within a minute, at the price of one small read a minute for each process that sends.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from waypost.clock import Clock
from waypost.errors import WaypostError
from waypost.sending.budget import BUDGETS
from waypost.sending.channel_order import SWITCH_AFTER
from waypost.sending.judge import all_guards
from waypost.sending.policy import SendingPolicy, Setting
from waypost.sending.policy_change import LOOKED_AFTER, PolicyStore
from waypost.sending.receivers import RECEIVERS


@dataclass(slots=True, kw_only=True)
class PolicyInForce:
    """Gives the policy. What cannot be read or applied leaves the last good one in force, and ``report`` is given the reason."""

    deployed: SendingPolicy
    store: PolicyStore
    clock: Clock
    report: Callable[[str], None]
    _known: SendingPolicy | None = field(default=None, init=False)
    _revision: int = field(default=0, init=False)
    _looked_at: datetime | None = field(default=None, init=False)

    def __call__(self) -> SendingPolicy:
        """The policy in force, a minute old at most."""
        now = self.clock()
        if self._looked_at is None or not timedelta() <= now - self._looked_at < LOOKED_AFTER:
            self._looked_at = now
            self._look()
        return self._known or self.deployed

    def _look(self) -> None:
        try:
            change = self.store.current()
            if change is not None and change.revision != self._revision:
                self._known, self._revision = usable(self.deployed.with_changes(change.changes)), change.revision
        except (WaypostError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            self.report(f"{type(error).__name__}: {error}")


def all_settings() -> list[Setting[Any]]:
    """The settings of all guards, and the sender's own."""
    return [*(setting for guard in all_guards() for setting in guard.settings), *BUDGETS, RECEIVERS, SWITCH_AFTER]


def usable(policy: SendingPolicy) -> SendingPolicy:
    """The policy, once every guard could read its settings. Raises what their readers raise."""
    for setting in all_settings():
        policy.of(setting)
    return policy
