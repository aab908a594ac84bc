"""Gives links of a rehearsal's own cloud an address that is the same in every run. Used by rehearsals."""

import re
from dataclasses import replace
from typing import Final

from waypost.channels.fake_contract import SentContent

ADDRESS: Final = "https://rehearsal.invalid"
"""Stands for the address of the cloud, which is another in each run and is gone after it; the name is reserved (RFC 2606)."""

_SHORT: Final = 14
"""The characters at the end of a short link that hold its signature, which has 10 bytes."""


def stable(content: SentContent, api_url: str) -> SentContent:
    """The content with ``ADDRESS`` for ``api_url`` and without the signatures of links, whose secret is another in each run."""
    own = re.compile(rf"{re.escape(api_url)}(?P<path>/[a-z]+/[\w\-]+?)(?:\.[\w\-]+|[\w\-]{{{_SHORT}}})(?![\w\-.])")

    def shown(text: str) -> str:
        return own.sub(rf"{ADDRESS}\g<path>", text).replace(api_url, ADDRESS)

    return replace(content, subject=shown(content.subject), text=shown(content.text), html=shown(content.html))
