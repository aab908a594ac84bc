"""The changes of the sending policy as they are kept. Read by the sender, and by the journey engine, which loads no guard for that."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from waypost.codec import JsonForm

LOOKED_AFTER: Final = timedelta(minutes=1)
"""How long a process applies what it knows before it looks again."""


@dataclass(frozen=True, slots=True)
class PolicyChange(JsonForm):
    """The changes that hold since ``at``: sections that replace the deployed ones, in their published form.

    ``revision`` counts changes. ``version`` is that of the whole policy then, ``policy`` the whole of it.
    """

    revision: int
    changes: Mapping[str, Any]
    at: datetime
    by: str
    reason: str
    version: str
    policy: Mapping[str, Any]


class PolicyStore(Protocol):
    """Keeps the changes of the policy."""

    def current(self) -> PolicyChange | None:
        """The newest one, perhaps a second late; None when nothing was changed."""
        ...

    def put(self, change: PolicyChange) -> bool:
        """Keep a change; False when its revision is taken, because another was faster."""
        ...

    def newest(self, limit: int) -> list[PolicyChange]:
        """The latest changes, newest first, read consistently."""
        ...
