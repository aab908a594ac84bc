"""Decide on a request for approval, with evidence. Called by the function decide_approval."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, assert_never
from zoneinfo import ZoneInfo

from waypost.approvals.approval import Approval, ApprovalStore, Decision, Subject, WaitingRuns, request_digest
from waypost.approvals.approval_links import read_token
from waypost.approvals.publish_message import STRANGER, changed
from waypost.approvals.request_approval import reminder_name
from waypost.approvals.text_difference import ChangedLine, changed_lines
from waypost.channels.email.channel import RenderedEmail
from waypost.channels.registry import plugin
from waypost.clock import Clock
from waypost.contacts.channels import Channel
from waypost.content.catalogue import MessageCatalogue
from waypost.content.message import PublishedMessage
from waypost.content.message_library import LibraryEntry, LibraryStore, texts_digest, version_key
from waypost.content.render import MessageNotRenderable
from waypost.errors import InvalidInput
from waypost.events.ports import SecretStore
from waypost.files.ports import Files
from waypost.sending.ports import DeferredSends
from waypost.staff.directory import StaffDirectory
from waypost.tracking.tokens import link_keys

LONGEST_COMMENT: Final = 1_000


@dataclass(frozen=True, slots=True)
class View:
    """One channel and language of what is to be approved: its words, the HTML of a mail, and what differs from what goes out now."""

    name: str
    fields: Mapping[str, str]
    html: str = ""
    changes: Sequence[ChangedLine] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideApproval:
    """Shows requests to who is asked, and takes their decisions. ``messages`` gives the messages as they go out now."""

    store: ApprovalStore
    messages: Callable[[], MessageCatalogue]
    library: LibraryStore
    files: Files
    schedules: DeferredSends
    staff: Callable[[], StaffDirectory]
    secret: SecretStore
    runs: Callable[[], WaitingRuns]
    clock: Clock

    def read(self, token: str) -> Approval | None:
        """The request behind a link, or None when we did not sign it, or its member is no longer the one who decides."""
        found = read_token(token, link_keys(self.secret.read())) or read_token(
            token, link_keys(self.secret.read_again())
        )
        approval = self.store.load(found[0]) if found else None
        if found is None or approval is None:
            return None
        member = self.staff().members.get(approval.approver)
        return approval if member is not None and member.contact_id == found[1] else None

    def views(self, approval: Approval) -> list[View]:
        """What is to be approved, filled in for a contact of whom nothing is known; empty when it is not what was asked for."""
        match approval.subject.kind:
            case "message_version":
                return self._message_views(approval)
            case "operation":
                return _operation_views(approval.subject)
            case _:
                assert_never(approval.subject.kind)

    def decide(self, token: str, *, decision: str, digest: str, comment: str) -> Approval | None:
        """Keep the decision, then do what it allows; None for a link that is not ours.

        Pressed again, the decision that was kept is acted on once more, so that a crash in between leaves nothing undone.
        Raises InvalidInput when another version was looked at, the request is over, or the run that asked waits no more.
        """
        approval = self.read(token)
        if approval is None:
            return None
        now, wanted = self.clock(), _decision(decision)
        if digest != approval.subject.digest:
            raise InvalidInput("digest", "is not that of what is to be approved")
        is_first = approval.decision is None
        if is_first:
            if approval.state(now) == "expired":
                raise InvalidInput("request", "expired")
            if wanted == "approved" and not self.views(approval):
                raise InvalidInput("content", "is not what was asked for")
            self.store.replace_undecided(approval.decided(wanted, at=now, comment=comment[:LONGEST_COMMENT]))
            approval = self.store.load(approval.id) or approval
        self.schedules.cancel(reminder_name(approval.id))
        if not self._act(approval) and is_first:
            raise InvalidInput("request", "the run that asked waits no more")
        return approval

    def _act(self, approval: Approval) -> bool:
        """Do what the decision allows; False when nobody waits for it."""
        match approval.subject.kind:
            case "message_version":
                changed(self.library, approval.subject.name, lambda entry: _with_decision(entry, approval))
                return True
            case "operation":
                return self.runs().answer(approval.task_token, _answer(approval))
            case _:
                assert_never(approval.subject.kind)

    def _message_views(self, approval: Approval) -> list[View]:
        subject = approval.subject
        content = self.files.read(version_key(subject.name, subject.version))
        if content is None or texts_digest(content) != subject.digest:
            return []
        message = PublishedMessage.from_dict(json.loads(content))
        before = self.messages().message(subject.name)
        return [
            _with_changes(_view(message, channel, locale), before, channel, locale)
            for channel in message.channels
            for locale in sorted(message.variants[channel])
        ]


def _operation_views(subject: Subject) -> list[View]:
    """What the run is to do, field by field; empty when it is not what was asked for."""
    if request_digest(subject.name, subject.request) != subject.digest:
        return []
    return [View(subject.name, {name: _as_text(value) for name, value in subject.request.items()})]


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _answer(approval: Approval) -> dict[str, Any]:
    """What the run that waits is given."""
    return {
        "approval": approval.id,
        "decision": approval.decision,
        "by": approval.approver,
        "comment": approval.comment,
    }


def _decision(given: str) -> Decision:
    match given:
        case "approved":
            return "approved"
        case "rejected":
            return "rejected"
        case _:
            raise InvalidInput("decision", "should be approved or rejected")


def _with_changes(view: View, before: PublishedMessage, channel: Channel, locale: str) -> View:
    """The view with the lines that differ from what goes out now: all of them in a language that is new."""
    known = locale in before.variants.get(channel, {})
    shown_before = _view(before, channel, locale).fields if known else {}
    return replace(view, changes=changed_lines(shown_before, view.fields))


def _view(message: PublishedMessage, channel: Channel, locale: str) -> View:
    name = f"{channel}.{locale}"
    try:
        content = plugin(channel).render(
            message, locale=locale, default_locale=locale, zone=ZoneInfo("UTC"), variables=STRANGER
        )
    except MessageNotRenderable as error:
        return View(name, {"error": str(error)})
    if isinstance(content, RenderedEmail):
        return View(name, {"subject": content.subject, "text": content.text}, content.html)
    fields = {key: _as_text(value) for key, value in asdict(content).items()}
    return View(name, {key: value for key, value in fields.items() if value})


def _with_decision(entry: LibraryEntry, approval: Approval) -> LibraryEntry:
    """The entry once its version was decided on; an approved one goes live, unless a later one was approved since."""
    version, decision = entry.known(approval.subject.version), approval.decision
    if (
        version is None
        or decision is None
        or version.digest != approval.subject.digest
        or version.decided_at is not None
    ):
        return entry
    decided_at = approval.decided_at or approval.requested_at
    decided = replace(
        version, state=decision, decided_by=approval.approver, decided_at=decided_at, approval_id=approval.id
    )
    after = entry.with_version(decided)
    return after.going_live(version.version, at=decided_at, by=approval.approver) if decision == "approved" else after
