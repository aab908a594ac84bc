"""The page on which a member of staff decides. Called by the function decide_approval."""

from collections.abc import Sequence
from typing import Final, assert_never

from waypost.approvals.approval import Approval, ApprovalState, Subject
from waypost.approvals.decide_approval import View
from waypost.clock import Clock
from waypost.pages.rendering import render, served
from waypost.pages.texts import Texts

MAIL_POLICY: Final = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; frame-ancestors 'none'; base-uri 'none'"
"""A mail has styles of its own and pictures from elsewhere; nothing in it runs or is sent."""


def headers() -> dict[str, str]:
    """The headers of the page: its address is a secret."""
    return served(form_action="'self'")


def mail_headers() -> dict[str, str]:
    """The headers of a mail that the page leads to."""
    return {**served(), "Content-Security-Policy": MAIL_POLICY}


def asking(words: Texts, approval: Approval, views: Sequence[View], token: str, clock: Clock) -> str:
    """What is to be approved, with the buttons while it can be decided. Opening it changes nothing: scanners follow links."""
    state = approval.state(clock())
    facts = [
        *_subject(words, approval.subject),
        (words.gettext("Asked for by"), approval.requested_by),
        (words.gettext("Until"), approval.expires_at.strftime("%Y-%m-%d %H:%M UTC")),
        (words.gettext("Note"), approval.note),
        (words.gettext("Fingerprint"), approval.subject.digest[:12]),
    ]
    return render(
        "approval",
        language=words.language,
        title=_question(words, approval.subject) if state == "pending" else _state(words, state),
        facts=[(name, value) for name, value in facts if value],
        views=[
            {
                "name": view.name,
                "fields": list(view.fields.items()),
                "changes": view.changes,
                "mail": f"{token}/{view.name}" if view.html else "",
            }
            for view in views
        ],
        compared=approval.subject.kind == "message_version",
        digest=approval.subject.digest,
        open=state == "pending" and bool(views),
        missing="" if views else words.gettext("What is stored is not what was asked for. It cannot be approved."),
        comment=approval.comment,
    )


def done(words: Texts, approval: Approval) -> str:
    """The page after a button."""
    state: ApprovalState = approval.decision or "pending"
    text = words.gettext("Decided by {member}. You can close this page.", member=approval.approver)
    return render("notice", language=words.language, title=_state(words, state), text=text)


def refused(words: Texts) -> str:
    """The page for a request that is over, or for another version than was shown."""
    return render(
        "notice",
        language=words.language,
        title=words.gettext("This cannot be decided any more"),
        text=words.gettext("The request has ended, or the message was changed since. Ask for a new one."),
    )


def not_ours(words: Texts) -> str:
    """The page for a link we did not sign."""
    return render(
        "notice",
        language=words.language,
        title=words.gettext("This link does not work"),
        text=words.gettext("It may have been cut off. Please open it again from the message, or copy it completely."),
    )


def _subject(words: Texts, subject: Subject) -> list[tuple[str, str]]:
    match subject.kind:
        case "message_version":
            return [(words.gettext("Message"), subject.name), (words.gettext("Version"), str(subject.version))]
        case "operation":
            return [(words.gettext("Operation"), subject.name)]
        case _:
            assert_never(subject.kind)


def _question(words: Texts, subject: Subject) -> str:
    match subject.kind:
        case "message_version":
            return words.gettext("Approve this message?")
        case "operation":
            return words.gettext("Approve this operation?")
        case _:
            assert_never(subject.kind)


def _state(words: Texts, state: ApprovalState) -> str:
    match state:
        case "pending":
            return words.gettext("Not decided yet")
        case "approved":
            return words.gettext("Approved")
        case "rejected":
            return words.gettext("Rejected")
        case "expired":
            return words.gettext("The request has ended")
        case _:
            assert_never(state)
