"""One request for approval: what, by whom, until when, and what was decided. Kept for good, as evidence."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, Protocol

from waypost import ids
from waypost.codec import JsonForm

Decision = Literal["approved", "rejected"]
ApprovalState = Literal["pending", "approved", "rejected", "expired"]
SubjectKind = Literal["message_version", "operation"]
"""What can be approved. A further kind is a member here and an arm of ``DecideApproval``."""


@dataclass(frozen=True, slots=True)
class Subject(JsonForm):
    """What is to be approved: ``digest`` is that of exactly what the approver is shown.

    Of an operation, ``version`` is 0 and ``request`` what its run is to do.
    """

    kind: SubjectKind
    name: str
    version: int
    digest: str
    request: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Approval(JsonForm):
    """A request, and what came of it. ``requested_by`` and ``approver`` are members of staff, never the same one.

    ``task_token`` is that of the run of an operation which waits for the decision.
    """

    id: str
    subject: Subject
    requested_by: str
    approver: str
    requested_at: datetime
    expires_at: datetime
    note: str = ""
    decision: Decision | None = None
    decided_at: datetime | None = None
    comment: str = ""
    task_token: str = ""

    def state(self, now: datetime) -> ApprovalState:
        """Where it stands: a request that nobody decided in time is expired."""
        if self.decision is not None:
            return self.decision
        return "pending" if now < self.expires_at else "expired"

    def decided(self, decision: Decision, *, at: datetime, comment: str) -> "Approval":
        """The request with its decision."""
        return replace(self, decision=decision, decided_at=at, comment=comment)


class ApprovalStore(Protocol):
    """Keeps the requests."""

    def load(self, approval_id: str) -> Approval | None:
        """The request, read consistently."""
        ...

    def open(self, approval: Approval) -> bool:
        """Keep a new request; False when there is one of this id."""
        ...

    def replace_undecided(self, approval: Approval) -> bool:
        """Write a decision, or what else has changed; False when the request was decided already."""
        ...


class WaitingRuns(Protocol):
    """The runs of operations that wait for a decision."""

    def answer(self, task_token: str, output: Mapping[str, Any]) -> bool:
        """Have the run go on with this answer; False when it waits no more."""
        ...


def request_digest(operation: str, request: Mapping[str, Any]) -> str:
    """The digest of what a run of an operation is to do."""
    return ids.digest("operation", operation, json.dumps(request, ensure_ascii=False, sort_keys=True), length=32)


def approval_id(subject: Subject, approver: str, requested_by: str) -> str:
    """The id of a request: the same question to the same person is asked once."""
    return "a-" + ids.digest(
        "approval", subject.kind, subject.name, str(subject.version), subject.digest, requested_by, approver
    )
