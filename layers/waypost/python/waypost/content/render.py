"""Fills a published message in for one contact. Called by the sender, after the guards and before the claim."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from waypost.contacts.channels import Channel
from waypost.content.message import PublishedMessage
from waypost.content.templates import HTML, TEXT, BrokenTemplateError, UnknownVariableError, fill, prepared
from waypost.errors import FinalError


class MessageNotRenderable(FinalError):
    """A message cannot be filled in for this contact; the text names the variable, never a value."""


@dataclass(frozen=True, slots=True)
class RenderedEmail:
    """A mail ready to send; ``subject`` is one line."""

    subject: str
    html: str
    text: str


@dataclass(frozen=True, slots=True)
class RenderedSms:
    """An SMS ready to send."""

    text: str


def render(
    message: PublishedMessage,
    *,
    channel: Channel,
    locale: str | None,
    default_locale: str,
    variables: Mapping[str, Any],
) -> RenderedEmail | RenderedSms:
    """The message on ``channel`` in the locale nearest to ``locale``.

    ``variables`` has the keys ``contact, event, journey, message, links``, and ``products`` for a message that asks for
    them. Raises MessageNotRenderable.
    """
    variants = message.email if channel == "email" else message.sms
    if not variants:
        raise MessageNotRenderable(f"{message.name} has no {channel}")
    chosen = choose_locale(locale, variants, default_locale)
    place = f"{message.name} {channel}.{chosen}"
    values = prepared(variables)
    if channel == "email":
        mail = message.email[chosen]
        return RenderedEmail(
            subject=_not_empty(" ".join(_fill(mail.subject, values, TEXT, place).split()), place),
            html=_fill(mail.html, values, HTML, place),
            text=_fill(mail.text, values, TEXT, place),
        )
    return RenderedSms(text=_not_empty(_fill(message.sms[chosen].text, values, TEXT, place).strip(), place))


def choose_locale(wanted: str | None, available: Collection[str], default: str) -> str:
    """The locale to use: the wanted one, else one of its language, else the default, else the first.

    ``zh-Hans`` and ``zh`` find ``zh-CN``, ``en-GB`` finds ``en``; upper and lower case and ``_`` make no difference.
    """
    spelled = {locale.casefold(): locale for locale in sorted(available)}
    exact = (wanted or "").replace("_", "-").casefold()
    language = exact.split("-")[0]
    of_the_language = [locale for locale in spelled if locale.split("-")[0] == language]
    fallback = default.casefold()
    for candidate in (exact, language, fallback if fallback in of_the_language else "", *of_the_language, fallback):
        if candidate in spelled:
            return spelled[candidate]
    return next(iter(spelled.values()))


def _fill(template: str, values: Mapping[str, Any], kind: str, place: str) -> str:
    try:
        return fill(template, values, kind)
    except UnknownVariableError as error:
        raise MessageNotRenderable(f"{place}: {error.variable or 'a variable'} is unknown") from None
    except BrokenTemplateError as error:
        raise MessageNotRenderable(f"{place}: {error.reason} in line {error.line}") from None


def _not_empty(text: str, place: str) -> str:
    if not text:
        raise MessageNotRenderable(f"{place}: nothing is left of it")
    return text
