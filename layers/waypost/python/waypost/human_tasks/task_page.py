"""The page on which a member of staff answers a task, as HTML. Called by the function answer_task."""

from datetime import datetime
from http import HTTPStatus
from typing import Any, Final, assert_never

from waypost.contacts.profile import Contact
from waypost.human_tasks.answer_task import Answered, Opened
from waypost.pages import notices
from waypost.pages.rendering import render
from waypost.pages.texts import Texts
from waypost.staff.human_task import LONGEST_NOTE, HumanTask, TaskAnswer, in_language

Page = tuple[HTTPStatus, str]
_TIME: Final = "%Y-%m-%d %H:%M"


def task(words: Texts, opened: Opened | None) -> Page:
    """What is to be done, with the buttons while an answer is awaited; else who answered and when, or that it is over."""
    if opened is None:
        return HTTPStatus.BAD_REQUEST, notices.not_ours(words)
    match opened.task.answer, opened.contact:
        case (None, None):
            return HTTPStatus.GONE, _over(words)
        case (None, Contact() as contact):
            return HTTPStatus.OK, _asking(words, opened, contact)
        case answer, _:
            return HTTPStatus.OK, _settled(words, opened, answer)


def answered(words: Texts, result: Answered | None) -> Page:
    """The page after a button: that it counted, or who was faster and when."""
    if result is None or not result.counted:
        opened = result.opened if result else None
        status, content = task(words, opened)
        was_other = (
            opened is not None and opened.task.answer is not None and opened.task.answered_by != opened.member.id
        )
        return (HTTPStatus.CONFLICT if was_other else status), content
    title = words.gettext("Thank you")
    text = words.gettext("Recorded: {answer}. You can close this page.", answer=_word(words, result.opened.task.answer))
    return HTTPStatus.OK, notices.notice(words, title, text)


def _asking(words: Texts, opened: Opened, contact: Contact) -> str:
    given = opened.task
    return render(
        "task",
        language=words.language,
        title=in_language(given.title, words.language),
        text=in_language(given.text, words.language),
        warning=" ".join(filter(None, (_belonging(words, opened), _warning(words, opened)))),
        facts=[each for each in _facts(words, opened, contact) if each["value"]],
        longest_note=LONGEST_NOTE,
    )


def _facts(words: Texts, opened: Opened, contact: Contact) -> list[dict[str, Any]]:
    """What the member has to know: about whom it is, how to reach them (not where a group reads it), and until when."""
    attributes = contact.attributes
    phone, email = ("" if opened.in_group else _text(attributes.get(name)) for name in ("phone", "email"))
    due = opened.task.due_at
    return [
        {"name": words.gettext("Contact"), "value": _name(contact), "href": ""},
        {"name": words.gettext("Phone"), "value": phone, "href": f"tel:{phone}"},
        {"name": words.gettext("E-mail"), "value": email, "href": f"mailto:{email}"},
        {"name": words.gettext("Until"), "value": _time(opened, due), "href": ""},
        {"name": words.gettext("Journey"), "value": opened.task.journey, "href": ""},
    ]


def _belonging(words: Texts, opened: Opened) -> str:
    """Whose link it is, where others can read it."""
    if not opened.in_group:
        return ""
    return words.gettext(
        "This link was posted in a group and belongs to {member}: whoever answers here answers for them.",
        member=opened.member.name,
    )


def _warning(words: Texts, opened: Opened) -> str:
    if opened.is_left:
        return words.gettext("The contact has left this journey; the task may not be needed any more.")
    if opened.is_late:
        return words.gettext("The deadline has passed. You can still answer; it counts as late.")
    return ""


def _settled(words: Texts, opened: Opened, answer: TaskAnswer | None) -> str:
    """Who answered what, and when."""
    given: HumanTask = opened.task
    by = opened.answered_by.name if opened.answered_by else given.answered_by
    at = _time(opened, given.answered_at) if given.answered_at else ""
    text = words.gettext("{member} answered at {time}: {answer}.", member=by, time=at, answer=_word(words, answer))
    note = "" if opened.in_group else given.note
    return notices.notice(words, words.gettext("This task has been answered"), f"{text} {note}".strip())


def _over(words: Texts) -> str:
    return notices.notice(
        words,
        words.gettext("This task is over"),
        words.gettext("It takes no answer any more. Nothing has changed."),
    )


def _word(words: Texts, answer: TaskAnswer | None) -> str:
    match answer:
        case "done":
            return words.gettext("Done")
        case "not_possible":
            return words.gettext("Not possible")
        case None:
            return ""
        case _:
            assert_never(answer)


def _name(contact: Contact) -> str:
    known = contact.attributes
    parts = (_text(known.get(name)) for name in ("first_name", "last_name"))
    return _text(known.get("name")) or " ".join(filter(None, parts))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _time(opened: Opened, instant: datetime) -> str:
    """On the member's clock."""
    return f"{instant.astimezone(opened.zone):{_TIME}} ({opened.zone.key})"
