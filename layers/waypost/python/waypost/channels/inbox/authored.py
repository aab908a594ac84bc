"""A message of an inbox as authored: ``inbox.<locale>.yaml`` with ``title``, ``text`` and, where it leads somewhere, ``link``."""

from typing import Final

from waypost.channels.authored_contract import AuthoredChannel, Source, UnusableFile, yaml_texts
from waypost.channels.inbox.channel import CHANNEL, LINK, RenderedInbox
from waypost.content.templates import TEXT

MOST_TITLE: Final = 120
_NEEDED: Final = ("title", "text")
_NAMES: Final = (*_NEEDED, "link")


class AuthoredInbox(AuthoredChannel):
    """One file for each locale has all of the message."""

    kind = "yaml"

    def compile(self, source: Source) -> dict[str, str]:
        """See AuthoredChannel."""
        texts = yaml_texts(source, example="title: 您的订单已发货")
        for name in texts.keys() - set(_NAMES):
            raise UnusableFile(source.path, name, f"is unknown; a message has {', '.join(_NAMES)}")
        for name in _NEEDED:
            if not texts.get(name):
                raise UnusableFile(source.path, name, "is missing")
        title, link = texts["title"], texts.get("link", "")
        if "\n" in title or len(title) > MOST_TITLE:
            raise UnusableFile(source.path, "title", f"should be one line of at most {MOST_TITLE} characters")
        for name, text in texts.items():
            source.templates.check(source.path, name, text, TEXT)
        shown = RenderedInbox(*(source.templates.shown(each, TEXT) for each in (title, texts["text"], link)))
        if shown.link and "{" not in link and not LINK.fullmatch(link):
            raise UnusableFile(source.path, "link", "should begin with https:// or, for a page of the site, with /")
        if reason := CHANNEL.over_limit(shown):
            raise UnusableFile(source.path, "", reason)
        return {"title": title, "text": texts["text"], "link": link}


AUTHORED: Final = AuthoredInbox()
