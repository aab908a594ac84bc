"""Was it a reader or a program? Asked of every opening and click when it happens, and again by rescore_engagement.

What a program did is an event of another type (``message_prefetched``, ``message_scanned``), so that every rule, goal, wait and
figure that speaks of openings and clicks speaks of readers.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, assert_never

from waypost.events.message_events import MessageEvent
from waypost.tracking.visit import Act, Network, Visit

VERSION: Final = 1
"""Of the rules below; stored with each verdict."""

AT_ONCE: Final = 5
"""Seconds; nobody opens ``MANY_LINKS`` links of a mail in less."""

MANY_LINKS: Final = 3
TOO_SOON: Final[Mapping[Act, int]] = {"clicked": 5, "opened": 2}
"""Seconds after it was sent; no reader has got and read a message by then."""

_PROGRAMS: Final = re.compile(
    r"bot\b|crawl|spider|preview|scanner|externalhit|whatsapp/|headless|phantomjs|python-|curl/|wget/|go-http-client"
    r"|java/|okhttp|libwww|apache-httpclient|node-fetch|axios|barracuda|proofpoint|mimecast|symantec|trendmicro|fortinet|cisco|fireeye",
    re.IGNORECASE,
)
"""Sources: https://github.com/monperrus/crawler-user-agents, and the corpus of the tests."""

_APPLE_PRIVACY: Final = "Mozilla/5.0"
"""All that Apple's servers say when they load every picture of a mail, read or not (Mail Privacy Protection)."""

_GMAIL_AHEAD: Final = "Edge/12.246 Mozilla/5.0"
"""How Gmail loads pictures before it shows a mail. Source: https://bird.com/en-gb/blog/gmail-prefetching-images"""

_IMAGE_PROXIES: Final = ("GoogleImageProxy", "YahooMailProxy")
"""Programs that load a picture when its reader opens the mail; nothing follows links in their name."""

_SCANS_LINKS: Final[Mapping[Network, str]] = {
    "apple": "apple_network",
    "barracuda": "barracuda",
    "google": "google_network",
    "microsoft": "safe_links",
    "mimecast": "mimecast",
    "proofpoint": "proofpoint",
}
"""Networks from which no reader's browser follows a link: Safe Links and the like check it and send the browser itself on."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``by_reader``, and the one reason that decided."""

    by_reader: bool
    reason: str

    def event(self, act: Act) -> MessageEvent:
        """The type of the event that reports it."""
        match act:
            case "opened":
                return "message_opened" if self.by_reader else "message_prefetched"
            case "clicked":
                return "message_clicked" if self.by_reader else "message_scanned"
            case _:
                assert_never(act)


def judge(visit: Visit) -> Verdict:
    """The verdict on a visit; what proves a program comes first, what makes one likely last."""
    reason = _by_what_it_asked(visit) or _by_its_name(visit) or _by_its_network(visit) or _by_its_haste(visit)
    if reason:
        return Verdict(False, reason)
    proxied = any(name in visit.user_agent for name in _IMAGE_PROXIES)
    return Verdict(True, "image_proxy" if proxied else "nothing_against_it")


def _by_what_it_asked(visit: Visit) -> str:
    if visit.trapped:
        return "honeypot"
    if visit.method == "HEAD":
        return "head"
    return "prefetch" if "prefetch" in visit.purpose.lower() or "preview" in visit.purpose.lower() else ""


def _by_its_name(visit: Visit) -> str:
    agent = visit.user_agent.strip()
    proxied = any(name in agent for name in _IMAGE_PROXIES)
    if not agent:
        return "no_user_agent"
    if agent == _APPLE_PRIVACY:
        return "apple_mail_privacy"
    if agent.endswith(_GMAIL_AHEAD):
        return "gmail_prefetch"
    if proxied:
        return "image_proxy" if visit.act == "clicked" else ""
    return "program" if _PROGRAMS.search(agent) else ""


def _by_its_network(visit: Visit) -> str:
    """Outlook.com and Gmail load the pictures of mails that are read through their own servers: only clicks count."""
    match visit.act:
        case "clicked":
            return _SCANS_LINKS.get(visit.network, "")
        case "opened":
            return {"apple": "apple_mail_privacy"}.get(visit.network, "") or (
                _SCANS_LINKS[visit.network] if visit.network in {"barracuda", "mimecast", "proofpoint"} else ""
            )
        case _:
            assert_never(visit.act)


def _by_its_haste(visit: Visit) -> str:
    if visit.act == "clicked" and visit.links_at_once >= MANY_LINKS:
        return "many_links"
    return "too_soon" if visit.seconds < TOO_SOON[visit.act] else ""
