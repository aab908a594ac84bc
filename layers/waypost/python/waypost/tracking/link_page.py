"""What is shown where a link of a message leads nowhere. Called by the follow_link function."""

import base64
from http import HTTPStatus
from typing import Final, assert_never

from waypost.pages.notices import not_ours, notice
from waypost.pages.rendering import served
from waypost.pages.texts import Texts
from waypost.tracking.follow_link import Followed, LeadsNowhere, LeadsTo, NotOurs, Over

PIXEL: Final = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
"""A transparent picture of one pixel: the shortest GIF that every program shows."""

UNSEEN: Final = {"Cache-Control": "no-store, max-age=0", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}
"""The headers of a picture or of a way on: it is asked for again each time, and its address is not passed on."""


def answer(words: Texts, followed: Followed) -> tuple[HTTPStatus, str, dict[str, str]]:
    """The status, the page and the headers for a link."""
    match followed:
        case LeadsTo(url=url):
            return HTTPStatus.FOUND, "", {**UNSEEN, "Location": url}
        case LeadsNowhere():
            title, text = words.gettext("There is nothing here"), words.gettext("This link leads nowhere.")
            return HTTPStatus.OK, notice(words, title, text), served()
        case Over():
            title = words.gettext("This link has expired")
            text = words.gettext("The message is too old. You find what is on offer now on our pages.")
            return HTTPStatus.GONE, notice(words, title, text), served()
        case NotOurs():
            return HTTPStatus.BAD_REQUEST, not_ours(words), served()
        case _:
            assert_never(followed)
