"""The page behind an unsubscribe link. Called by the unsubscribe_contact function."""

from waypost.contacts.channels import Channel, declared_channels
from waypost.pages.notices import notice
from waypost.pages.rendering import render
from waypost.pages.texts import Texts
from waypost.tracking.tokens import Unsubscription


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
    return notice(words, words.gettext("You are unsubscribed"), text)


def _channel(words: Texts, asked: Unsubscription) -> str:
    declared = declared_channels().get(Channel(asked.channel))
    return declared.messages[words.language] if declared else asked.channel
