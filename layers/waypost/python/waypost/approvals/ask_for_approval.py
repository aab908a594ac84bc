"""Have a run of an operation wait until a second person has decided. Called by request_approval, from operations."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from waypost.approvals.approval import Subject, request_digest
from waypost.approvals.request_approval import RequestApproval
from waypost.clock import format_instant
from waypost.errors import InvalidInput

LARGEST: Final = 16_000
"""Characters of what a run is to do: the approver reads all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskForApproval:
    """Asks on behalf of runs."""

    approvals: RequestApproval

    def ask(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Execute ``{task_token, operation, run, request: {…, by, approver}}``.

        ``request`` is what the approver is shown, and ``run`` the name of the execution: each asks on its own. The decision goes
        to the task token as ``{approval, decision: approved | rejected, by, comment}``. Raises InvalidInput naming the field.
        """
        request = payload["request"]
        if not isinstance(request, Mapping) or len(repr(request)) > LARGEST:
            raise InvalidInput("request", f"should be an object of at most {LARGEST:,} characters")
        asking, deciding = self.approvals.people(request.get("by"), request.get("approver"))
        operation, shown = str(payload["operation"]), {**request, "run": str(payload["run"])}
        subject = Subject("operation", operation, 0, request_digest(operation, shown), shown)
        note = request.get("reason")
        approval, notice = self.approvals.ask(
            subject,
            asking=asking,
            deciding=deciding,
            note=note if isinstance(note, str) else "",
            task_token=str(payload["task_token"]),
        )
        return {"approval": approval.id, "expires_at": format_instant(approval.expires_at), "notice": notice}
