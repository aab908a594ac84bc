"""The pages that say one thing, whatever the link was for. Used by the functions that answer people's links."""

from waypost.pages.rendering import render
from waypost.pages.texts import Texts


def notice(words: Texts, title: str, text: str) -> str:
    """A page that says one thing."""
    return render("notice", language=words.language, title=title, text=text)


def not_ours(words: Texts) -> str:
    """The page for a token we did not sign."""
    return notice(
        words,
        words.gettext("This link does not work"),
        words.gettext("It may have been cut off. Please open it again from the message, or copy it completely."),
    )


def expired(words: Texts) -> str:
    """The page for a token whose time is over."""
    return notice(
        words,
        words.gettext("This link has expired"),
        words.gettext("It was good for a limited time. Nothing has changed."),
    )


def later(words: Texts) -> str:
    """The page while a service behind us cannot be reached."""
    return notice(
        words,
        words.gettext("Please try again"),
        words.gettext("We could not save your choice just now. Nothing has changed yet; please try again in a minute."),
    )
