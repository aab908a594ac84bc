"""The versions of messages and the requests for approval, in memory."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from waypost.approvals.approval import Approval
from waypost.content.message_library import LibraryEntry


class FakeLibrary:
    """A LibraryStore; ``glances`` counts the reads of senders, ``others`` are written first, as by a faster process."""

    def __init__(self) -> None:
        self.entries: dict[str, LibraryEntry] = {}
        self.glances = 0
        self.others: list[LibraryEntry] = []

    def __contains__(self, message: object) -> bool:
        return message in self.entries

    def glance(self, message: str) -> LibraryEntry | None:
        """See LibraryStore."""
        self.glances += 1
        return self.entries.get(message)

    def load(self, message: str) -> LibraryEntry | None:
        """See LibraryStore."""
        return self.entries.get(message)

    def save(self, entry: LibraryEntry) -> bool:
        """See LibraryStore."""
        if self.others:
            other = self.others.pop(0)
            self.entries[other.message] = other
        known = self.entries.get(entry.message)
        if known is not None and known.revision != entry.revision:
            return False
        self.entries[entry.message] = replace(entry, revision=entry.revision + 1)
        return True


class FakeApprovals:
    """An ApprovalStore."""

    def __init__(self) -> None:
        self.requests: dict[str, Approval] = {}

    def __contains__(self, approval_id: object) -> bool:
        return approval_id in self.requests

    def load(self, approval_id: str) -> Approval | None:
        """See ApprovalStore."""
        return self.requests.get(approval_id)

    def open(self, approval: Approval) -> bool:
        """See ApprovalStore."""
        return self.requests.setdefault(approval.id, approval) is approval

    def replace_undecided(self, approval: Approval) -> bool:
        """See ApprovalStore."""
        known = self.requests.get(approval.id)
        if known is None or known.decision is not None:
            return False
        self.requests[approval.id] = approval
        return True


class FakeRuns:
    """WaitingRuns; ``waiting`` are the task tokens of runs, ``answers`` what each was given."""

    def __init__(self) -> None:
        self.waiting: set[str] = set()
        self.answers: dict[str, Mapping[str, Any]] = {}

    def answer(self, task_token: str, output: Mapping[str, Any]) -> bool:
        """See WaitingRuns."""
        if task_token not in self.waiting:
            return False
        self.waiting.remove(task_token)
        self.answers[task_token] = output
        return True
