"""The names by which a message may call its reader. Used where a message's variables are made.

Anybody can write a name into a sign-up form. Mail programs make links of what looks like one, so a name that does is not used:
the message says what its author wrote for a contact without a name.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from waypost.contacts.cleaning.text import half_width

_NAME: Final = re.compile(
    r"(?:.*_)?(?:name|nickname|surname|salutation|firstname|lastname|fullname)|.*(?:姓名|昵称|称呼|姓|名)"
)
_DOTS: Final = str.maketrans("。．｡", "...")
_LINK: Final = re.compile(
    r"""
    :\s?//                                      # any scheme
    | \b(?:https?|hxxps?|ftp|mailto|tel|javascript)\s?:
    | \bwww\d?\s?\.
    | [a-z0-9-]\.[a-z]{2,24}\s?[/?#:]           # a bare domain with a path
    | [a-z0-9-]{2,}\.(?:com|net|org|cn|top|xyz|info|biz|io|ru|site|online|shop|club|vip|link|cc|icu|app|dev|me
        |store|live|click|buzz|bid|loan|tech|space|cloud|mobi|asia|pro|ai|tv|us|eu|uk|de|fr|it|es|nl|br|jp|kr|hk|tw|pl|ua
        |tk|ml|cf|gq|pw|ws|ly|gg)(?![a-z0-9-])  # not those that are surnames (li, ng, to, ma, page)
    | [a-z0-9-]\.(?:com?|net|org|gov|edu|ac)\.[a-z]{2}(?![a-z0-9-])
    | \w\.(?:中国|中國|公司|网络|网址|在线|商城|рф|рус|укр|한국|भारत)(?!\w)
    | (?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])  # an IP address
    | \]\s?\(                                   # a link in Markdown
    | @[a-z0-9-]+\.[a-z]{2,}                    # an e-mail address
    """,
    re.IGNORECASE | re.VERBOSE,
)


def looks_like_link(text: str) -> bool:
    """Whether a mail program, or a reader, may take the text for a link."""
    return _LINK.search(half_width(text).translate(_DOTS)) is not None


def fit_for_greetings(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes without the names that look like links."""
    return {
        name: value
        for name, value in attributes.items()
        if not (isinstance(value, str) and _NAME.fullmatch(name) and looks_like_link(value))
    }
