"""The pages on which people say what they want, as HTML. Called by the serve_page function."""

from http import HTTPStatus
from typing import assert_never

from waypost.contacts.channels import Channel, declared_channels
from waypost.contacts.consent import ALL_TOPICS
from waypost.pages import notices
from waypost.pages.rendering import render
from waypost.pages.texts import Texts
from waypost.tracking.declared_pages import DeclaredPages, Landing, Survey, Wording, in_language
from waypost.tracking.page_links import ConsentRequest
from waypost.tracking.serve_page import AS_IT_COMES, Choices, Form, Refused

Page = tuple[HTTPStatus, str]


def refused(words: Texts, why: Refused) -> Page:
    """The page for what is not taken; nothing has changed."""
    match why.reason:
        case "not_ours":
            return HTTPStatus.BAD_REQUEST, notices.not_ours(words)
        case "expired":
            return HTTPStatus.GONE, notices.expired(words)
        case "program":
            title = words.gettext("Nothing has changed")
            text = words.gettext(
                "This looked like a program. Please open the link in a browser and press the button there."
            )
            return HTTPStatus.FORBIDDEN, notices.notice(words, title, text)
        case "incomplete":
            title = words.gettext("Nothing has changed")
            return HTTPStatus.BAD_REQUEST, notices.notice(words, title, words.gettext("Please answer every question."))
        case _:
            assert_never(why.reason)


def asking_consent(words: Texts, asked: ConsentRequest | Refused, pages: DeclaredPages) -> Page:
    """The page with the button; opening it confirms nothing."""
    if isinstance(asked, Refused):
        return refused(words, asked)
    title = words.gettext("Do you agree?")
    text = words.gettext(
        "We may send you {channel} about {topic}. You can end it at any time by a link in each message.",
        channel=_channel(words, asked.channel),
        topic=_topic(words, asked.topic, pages),
    )
    return HTTPStatus.OK, render("confirm_consent", language=words.language, title=title, text=text)


def consent_confirmed(words: Texts, asked: ConsentRequest | Refused, pages: DeclaredPages) -> Page:
    """The page after the button."""
    if isinstance(asked, Refused):
        return refused(words, asked)
    text = words.gettext(
        "You agreed to {channel} about {topic}.",
        channel=_channel(words, asked.channel),
        topic=_topic(words, asked.topic, pages),
    )
    return HTTPStatus.OK, notices.notice(words, words.gettext("Thank you"), text)


def preferences(words: Texts, choices: Choices | Refused, pages: DeclaredPages, *, saved: bool = False) -> Page:
    """The page of channels, topics and frequency; ``saved`` says so above the form."""
    if isinstance(choices, Refused):
        return refused(words, choices)
    channels = [
        {
            "name": _channel(words, channel),
            "topics": [
                {
                    "value": f"{channel}/{topic}",
                    "name": _topic(words, topic, pages),
                    "wanted": choices.wants[channel, topic],
                }
                for topic in choices.topics
            ],
        }
        for channel in dict.fromkeys(channel for channel, _ in choices.wants)
    ]
    often = [{"value": AS_IT_COMES, "name": words.gettext("As it comes"), "chosen": choices.frequency is None}] + [
        {"value": name, "name": in_language(wording, words.language), "chosen": choices.frequency == name}
        for name, wording in pages.frequency.items()
    ]
    feedback = (
        words.gettext("Your choice is saved. A message that is already on its way may still arrive.") if saved else ""
    )
    return HTTPStatus.OK, render(
        "preferences",
        language=words.language,
        channels=channels,
        often=often if pages.frequency else [],
        feedback=feedback,
    )


def survey(words: Texts, asked: Survey | Refused) -> Page:
    """The questions."""
    return refused(words, asked) if isinstance(asked, Refused) else (HTTPStatus.OK, _survey(words, asked, {}))


def answered(words: Texts, answer: Survey | Refused, asked: Survey | Refused, form: Form) -> Page:
    """The page after the answers; one that is missing is asked for again, with what was chosen."""
    if isinstance(answer, Survey):
        title = in_language(answer.title, words.language)
        return HTTPStatus.OK, notices.notice(words, title, in_language(answer.thanks, words.language))
    if answer.reason == "incomplete" and isinstance(asked, Survey):
        return HTTPStatus.BAD_REQUEST, _survey(words, asked, form)
    return refused(words, answer)


def landing(words: Texts, page: Landing | None) -> Page:
    """A page of our own with one way on."""
    if page is None:
        return HTTPStatus.NOT_FOUND, notices.not_ours(words)
    shown: dict[str, Wording] = {"title": page.title, "text": page.text, "button": page.button}
    texts = {name: in_language(wording, words.language) for name, wording in shown.items()}
    return HTTPStatus.OK, render("landing", language=words.language, link=page.link, **texts)


def _survey(words: Texts, asked: Survey, form: Form) -> str:
    questions = [
        {
            "name": question.name,
            "text": in_language(question.text, words.language),
            "options": [
                {
                    "value": option.value,
                    "text": in_language(option.text, words.language),
                    "chosen": option.value in form.get(question.name, ()),
                }
                for option in question.options
            ],
        }
        for question in asked.questions
    ]
    feedback = words.gettext("Please answer every question.") if form else ""
    title = in_language(asked.title, words.language)
    return render("survey", language=words.language, title=title, questions=questions, feedback=feedback)


def _topic(words: Texts, topic: str, pages: DeclaredPages) -> str:
    if topic in {"", ALL_TOPICS}:
        return words.gettext("everything")
    return in_language(pages.topics.get(topic, {}), words.language) or topic


def _channel(words: Texts, channel: str) -> str:
    declared = declared_channels().get(Channel(channel))
    return declared.messages[words.language] if declared else channel
