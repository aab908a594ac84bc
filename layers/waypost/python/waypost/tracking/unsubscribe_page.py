"""The page behind an unsubscribe link. Called by the unsubscribe_contact function."""

from waypost.contacts.channels import Channel, declared_channels
from waypost.pages.rendering import render, served
from waypost.pages.texts import Texts
from waypost.tracking.tokens import Unsubscription


def headers() -> dict[str, str]:
    """The headers of every answer: the address of the page holds the token."""
    return served(form_action="'self'")


def asking(words: Texts, asked: Unsubscription) -> str:
    """The page with the button. Opening it changes nothing: mail scanners follow every link."""
    channel = _channel(words, asked)
    text = (
        words.gettext("You will get no more {channel} from us about {topic}.", channel=channel, topic=asked.topic)
        if asked.topic
        else words.gettext("You will get no more {channel} from us.", channel=channel)
    )
    return render("unsubscribe", language=words.language, title=words.gettext("Unsubscribe?"), text=text)


def done(words: Texts, asked: Unsubscription) -> str:
    """The page after the button."""
    channel = _channel(words, asked)
    text = (
        words.gettext(
            "You will get no more {channel} about {topic}. A message that is already on its way may still arrive.",
            channel=channel,
            topic=asked.topic,
        )
        if asked.topic
        else words.gettext(
            "You will get no more {channel} from us. A message that is already on its way may still arrive.",
            channel=channel,
        )
    )
    return _notice(words, words.gettext("You are unsubscribed"), text)


def not_ours(words: Texts) -> str:
    """The page for a token we did not sign."""
    return _notice(
        words,
        words.gettext("This link does not work"),
        words.gettext("It may have been cut off. Please open it again from the message, or copy it completely."),
    )


def later(words: Texts) -> str:
    """The page while the queue cannot be reached."""
    return _notice(
        words,
        words.gettext("Please try again"),
        words.gettext("We could not save your choice just now. Nothing has changed yet; please try again in a minute."),
    )


def _channel(words: Texts, asked: Unsubscription) -> str:
    declared = declared_channels().get(Channel(asked.channel))
    return declared.messages[words.language] if declared else asked.channel


def _notice(words: Texts, title: str, text: str) -> str:
    return render("notice", language=words.language, title=title, text=text)
