"""Finds the links of a journey's messages and tries each. Used by the go/no-go list."""

import re
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from waypost.authoring.message_templates import SAMPLE_LINKS
from waypost.content.link_rewriting import texts_in

MOST: Final = 200
"""Links that are tried; a journey with more has most of them in loops."""
SECONDS: Final = 10.0
SIDE_BY_SIDE: Final = 8
AGENT: Final = "Mozilla/5.0 (compatible; waypost-link-check)"
"""Some shops answer 403 to the name of a library."""

_LINK: Final = re.compile(r"""https?://[^\s"'<>()\\，。；、]+""")
_NAMESPACE: Final = re.compile(r"""\sxmlns(?::\w+)?=["'][^"']*["']""")
_AT_THE_END: Final = ".,;:!?"
_NO_HEAD: Final = frozenset({403, 404, 405, 501})
"""Statuses with which servers answer HEAD though GET is served."""


@dataclass(frozen=True, slots=True)
class FoundLinks:
    """Links with the messages that hold them; ``filled_in`` are those with values that only sending knows."""

    fixed: Mapping[str, Sequence[str]]
    filled_in: Mapping[str, Sequence[str]]


def find_links(messages: Mapping[str, Mapping[str, Any]]) -> FoundLinks:
    """The links in every text of these published messages, by name; what ``links`` fills in is made by Waypost and left out."""
    fixed: dict[str, list[str]] = defaultdict(list)
    filled: dict[str, list[str]] = defaultdict(list)
    for name, message in messages.items():
        for text in texts_in(message):
            for link in _LINK.findall(_NAMESPACE.sub("", text)):
                known = filled if "{" in link else fixed
                url = link.rstrip(_AT_THE_END)
                if url not in SAMPLE_LINKS.values() and name not in known[url]:
                    known[url].append(name)
    return FoundLinks(dict(fixed), dict(filled))


def broken_links(links: Iterable[str]) -> dict[str, str]:
    """Link → why it does not open; those that open are not in it."""
    tried = list(links)[:MOST]
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        return {link: reason for link, reason in zip(tried, pool.map(_reason, tried), strict=True) if reason}


def _reason(link: str) -> str:
    """Why the link does not open; "" when it does. Redirects are followed."""
    try:
        status = _status("HEAD", link)
        if status in _NO_HEAD:
            status = _status("GET", link)
    except (OSError, ValueError) as error:
        return f"cannot be reached ({getattr(error, 'reason', error)})"
    return f"answers {status}" if status >= HTTPStatus.BAD_REQUEST else ""


def _status(method: str, link: str) -> int:
    request = urllib.request.Request(link, method=method, headers={"User-Agent": AGENT})  # noqa: S310 - http and https alone are found
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310 - the same
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code
