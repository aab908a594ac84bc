"""One request for approval: what, by whom, until when, and what was decided. Kept for good, as evidence."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, Protocol

from waypost import ids
from waypost.codec import JsonForm

Decision = Literal["approved", "rejected"]
ApprovalState = Literal["pending", "approved", "rejected", "expired"]
SubjectKind = Literal["message_version"]
"""What can be approved. A further kind is a member here and an arm of ``DecideApproval``."""


@dataclass(frozen=True, slots=True)
class Subject(JsonForm):
    """What is to be approved: ``digest`` is that of exactly what the approver is shown."""

    kind: SubjectKind
    name: str
    version: int
    digest: str


@dataclass(frozen=True, slots=True)
class Approval(JsonForm):
    """A request, and what came of it. ``requested_by`` and ``approver`` are members of staff, never the same one."""

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

    def decide(self, approval: Approval) -> bool:
        """Write a decision; False when the request was decided already."""
        ...


def approval_id(subject: Subject, approver: str, requested_by: str) -> str:
    """The id of a request: the same question to the same person is asked once."""
    return "a-" + ids.digest(
        "approval", subject.kind, subject.name, str(subject.version), subject.digest, requested_by, approver
    )
