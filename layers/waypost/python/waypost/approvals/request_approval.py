"""Ask a second person for approval: the request is kept, a notice goes to that person, a reminder is booked. Used by operations."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, assert_never

from waypost.approvals.approval import Approval, ApprovalStore, Subject, approval_id
from waypost.clock import Clock, format_instant
from waypost.errors import InvalidInput
from waypost.sending.occasion import StaffNotice
from waypost.sending.ports import DeferredSends
from waypost.sending.request import SendRequest
from waypost.sending.send_message import SendMessage
from waypost.staff.directory import Member, StaffDirectory

NOTICE: Final = "notices/approval-requested"
"""The message of the request and of its reminder."""
REQUESTED: Final = "approval_requested"
REMINDER: Final = "approval_reminder"
LIFE: Final = timedelta(days=7)
REMINDED_AFTER: Final = timedelta(days=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestApproval:
    """Opens requests. Who asks never approves."""

    store: ApprovalStore
    sender: SendMessage
    schedules: DeferredSends
    staff: Callable[[], StaffDirectory]
    clock: Clock

    def people(self, by: Any, approver: Any) -> tuple[Member, Member]:
        """Who asks and who decides. Raises InvalidInput for somebody who is no member, and for the same person."""
        staff = self.staff()
        asking, deciding = staff.member(by, "by"), staff.member(approver, "approver")
        if asking.id == deciding.id:
            raise InvalidInput("approver", f"{asking.id} asks; another member of staff has to approve")
        return asking, deciding

    def ask(
        self, subject: Subject, *, asking: Member, deciding: Member, note: str, task_token: str = ""
    ) -> tuple[Approval, str]:
        """The request and what became of its notice; asked again, the same request, and no second notice.

        ``task_token``: the run that waits for the decision; of a state that is tried again, the later one counts.
        """
        now = self.clock()
        approval = Approval(
            id=approval_id(subject, deciding.id, asking.id),
            subject=subject,
            requested_by=asking.id,
            approver=deciding.id,
            requested_at=now,
            expires_at=now + LIFE,
            note=note,
            task_token=task_token,
        )
        if not self.store.open(approval):
            known = self.store.load(approval.id)
            if known is not None and known.task_token != task_token:
                self.store.replace_undecided(replace(known, task_token=task_token))
        kept = self.store.load(approval.id) or approval
        remind_at = kept.requested_at + REMINDED_AFTER
        if kept.state(now) == "pending" and now < remind_at:
            reminder = _notice(REMINDER, kept, deciding)
            self.schedules.send_at(reminder_name(kept.id), remind_at, _at(reminder, kept.expires_at).to_dict())
        sent = self.sender.send(_notice(REQUESTED, kept, deciding))
        return kept, sent.outcome


def reminder_name(approval_id: str) -> str:
    """The name of the schedule of a reminder."""
    return f"approval-{approval_id}-reminder"


def _notice(notice: str, approval: Approval, deciding: Member) -> SendRequest:
    details = {
        "what": _what(approval.subject),
        "requested_by": approval.requested_by,
        "note": approval.note,
        "until": format_instant(approval.expires_at),
    }
    occasion = StaffNotice(deciding.contact_id, notice=notice, about=approval.id, details=details)
    return SendRequest(occasion, NOTICE)


def _what(subject: Subject) -> str:
    match subject.kind:
        case "message_version":
            return f"{subject.name} · {subject.version}"
        case "operation":
            named = (subject.request.get(field) for field in ("action", "journey"))
            return " · ".join([subject.name, *(each for each in named if isinstance(each, str) and each)])
        case _:
            assert_never(subject.kind)


def _at(request: SendRequest, send_by: datetime) -> SendRequest:
    """A reminder that comes after the request has ended makes no sense."""
    return SendRequest(request.occasion, request.message, send_by=send_by)
