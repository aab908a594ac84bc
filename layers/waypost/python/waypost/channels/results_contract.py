"""How a channel is asked what became of messages that members of staff send: ``channels/<name>/results.py``.

A provider that takes a message as a task for a member of staff reports nothing: ``connect(settings, ports)`` of that file gives
a Results, which ``tracking.ask_task_results`` asks. What it learns goes into the queue of notices, as a notice of ``source``.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskResult:
    """How a task stands. ``member`` is who has to send the message, as the provider names people; "" while it names none.

    ``sent`` and ``failed`` are final: the member did it, at ``at``. ``word`` is what ``notices.py`` of the channel reads.
    """

    state: Literal["waiting", "sent", "failed"]
    member: str = ""
    word: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NotLearnt:
    """The provider gave no answer that helps. ``ends_run``: it gives none to other questions either."""

    reason: str
    ends_run: bool


class Results(Protocol):
    """Asks the provider of a channel, once per call. Never raises for what the provider or the network does."""

    source: ClassVar[str]
    """The source of the notices, a key of ``SOURCES`` in ``notices.py``."""
    withdrawn: ClassVar[str]
    """The word for a task that was taken back because its member did not send it."""

    def ask(self, message_id: str) -> TaskResult | NotLearnt:
        """How the task stands that the provider calls so."""
        ...

    def remind(self, message_id: str) -> NotLearnt | None:
        """Have the provider remind the member of a task; None when it did."""
        ...

    def withdraw(self, message_id: str) -> NotLearnt | None:
        """Take a task back, so that it can be sent no more; None when it is gone."""
        ...
