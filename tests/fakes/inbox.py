"""Inboxes in memory."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from waypost.channels.calls import FailedCall
from waypost.channels.inbox.box import SLOTS, Act, KeptMessage


class FakeInboxes:
    """An InboxWriter and InboxReader; ``fails_with`` is what the next call of a writer answers, by its name."""

    def __init__(self) -> None:
        self.numbers: Counter[str] = Counter()
        self.slots: dict[str, dict[int, KeptMessage]] = defaultdict(dict)
        self.fails_with: dict[str, FailedCall] = {}
        self.consistent_reads: list[bool] = []

    def next_number(self, digest: str, *, until: datetime) -> int | FailedCall:
        """See InboxWriter."""
        del until
        if failure := self.fails_with.get("next_number"):
            return failure
        self.numbers[digest] += 1
        return self.numbers[digest]

    def keep(self, digest: str, message: KeptMessage) -> str | FailedCall:
        """See InboxWriter."""
        if failure := self.fails_with.get("keep"):
            return failure
        self.slots[digest][message.number % SLOTS] = message
        return f"request-{message.number}"

    def messages(self, digest: str, *, consistent: bool) -> Sequence[KeptMessage]:
        """See InboxReader."""
        self.consistent_reads.append(consistent)
        return list(self.slots[digest].values())

    def note(self, digest: str, message: KeptMessage, act: Act, *, at: datetime) -> None:
        """See InboxReader."""
        slot = message.number % SLOTS
        kept = self.slots[digest][slot]
        if kept.number == message.number and act not in kept.done:
            self.slots[digest][slot] = replace(kept, done={**kept.done, act: at})
