"""Lead a reader on from a link of a message, and record who opened and clicked what. Called by the follow_link function."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from waypost import ids
from waypost.clock import Clock
from waypost.content.link_rewriting import TRAP, Link, TrackedMessage
from waypost.errors import RetryableError
from waypost.events.envelope import OWN_SOURCE, Event
from waypost.events.ports import EventQueue, SecretStore
from waypost.sending.ledger import LedgerRow
from waypost.sending.occasion import journey_of
from waypost.tracking.tokens import link_keys
from waypost.tracking.tracked_links import FollowedLink, is_over, read_link, read_pixel, read_short_link
from waypost.tracking.verdict import AT_ONCE, VERSION, judge
from waypost.tracking.visit import Act, Visit

_log: Final = logging.getLogger(__name__)
SOURCE: Final = f"{OWN_SOURCE}.links"
UTM_SOURCE: Final = OWN_SOURCE


@dataclass(frozen=True, slots=True)
class LeadsTo:
    """The link leads to ``url``."""

    url: str


@dataclass(frozen=True, slots=True)
class LeadsNowhere:
    """No reader sees this link."""


@dataclass(frozen=True, slots=True)
class Over:
    """The link was good once."""


@dataclass(frozen=True, slots=True)
class NotOurs:
    """We did not sign this link, or not all of it arrived."""


Followed = LeadsTo | LeadsNowhere | Over | NotOurs


class SentRows(Protocol):
    """Finds messages by what a short link has room for; ``waypost.sending.ledger.Ledger`` does."""

    def row_of(self, contact_id: str, key_prefix: str) -> LedgerRow | None:
        """The contact's message whose key begins with this."""
        ...


class RecentClicks(Protocol):
    """Notes which links of a message were followed within about a minute."""

    def note(self, contact_id: str, message_key: str, *, link: int, at: datetime) -> Mapping[int, datetime]:
        """Note one more; when each link was followed last, with this one."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowLink:
    """Reads the links of messages. ``real_clock`` says which of them are over, ``clock`` when an event occurred.

    A reader is led on whatever else fails: then the click is lost, which the log says.
    """

    secret: SecretStore
    rows: SentRows
    clicks: RecentClicks
    queue: EventQueue
    clock: Clock
    real_clock: Clock

    def follow(self, token: str, request: Mapping[str, Any]) -> Followed:
        """Where the link leads; ``request`` is the HTTP API's event. Raises TemporarilyUnavailable."""
        found = self._read(token, link_keys(self.secret.read())) or self._read(
            token, link_keys(self.secret.read_again())
        )
        if found is None:
            return NotOurs()
        if is_over(found.message, now=self.real_clock()):
            return Over()
        try:
            self._record("clicked", found.message, found.link, request)
        except RetryableError as error:
            _log.warning("a click was lost: %s", type(error).__name__)
        return LeadsNowhere() if found.link.index == TRAP else LeadsTo(with_campaign(found))

    def open(self, token: str, request: Mapping[str, Any]) -> bool:
        """Whether the token is of a message that was opened just now. Raises TemporarilyUnavailable."""
        message = read_pixel(token, link_keys(self.secret.read())) or read_pixel(
            token, link_keys(self.secret.read_again())
        )
        if message is None:
            return False
        if not is_over(message, now=self.real_clock()):
            try:
                self._record("opened", message, None, request)
            except RetryableError as error:
                _log.warning("an opening was lost: %s", type(error).__name__)
        return True

    def _read(self, token: str, keys: list[str]) -> FollowedLink | None:
        if found := read_link(token, keys):
            return found
        short = read_short_link(token, keys)
        row = self.rows.row_of(short.contact_id, short.key_prefix) if short else None
        if short is None or row is None or row.claimed_at is None or not 1 <= short.index <= len(row.links):
            return None
        message = TrackedMessage(
            contact_id=row.contact_id,
            message_key=row.message_key,
            channel=row.channel or "",
            journey=journey_of(row.occasion),
            message=row.message.rpartition("/")[2],
            sent_at=row.claimed_at,
        )
        return FollowedLink(message, Link(short.index, "", row.links[short.index - 1]))

    def _record(self, act: Act, message: TrackedMessage, link: Link | None, request: Mapping[str, Any]) -> None:
        now = self.clock()
        visit = Visit.of(act, request, seconds=max(int((now - message.sent_at).total_seconds()), 0))
        if link is not None:
            visit = self._among_others(visit, message, link, now)
        verdict = judge(visit)
        about: dict[str, Any] = {
            "channel": message.channel,
            "message_key": message.message_key,
            "journey": message.journey,
            "message": message.message,
        }
        if message.staff:
            about["staff"] = message.staff
        if link is not None and link.index != TRAP:
            about |= {"link": link.name or str(link.index), "url": _page_of(link.target)}
        type_ = verdict.event(act)
        # the same picture loaded again within the hour, or the same link followed again within the minute, is one event
        span = now.strftime("%Y-%m-%dT%H:%M" if link else "%Y-%m-%dT%H")
        place = str(link.index) if link else ""
        self.queue.send(
            [
                Event(
                    id=ids.event_id(SOURCE, [type_, message.message_key, place, span]),
                    type=type_,
                    contact={"contact_id": message.contact_id},
                    occurred_at=now,
                    received_at=now,
                    source=SOURCE,
                    properties=about
                    | {"verdict": verdict.reason, "verdict_version": VERSION, "visit": visit.to_dict()},
                    correlation_id=request["requestContext"].get("requestId", ""),
                )
            ]
        )

    def _among_others(self, visit: Visit, message: TrackedMessage, link: Link, now: datetime) -> Visit:
        """The visit, with what else of the message was followed just before."""
        followed = self.clicks.note(message.contact_id, message.message_key, link=link.index, at=now)
        at_once = [index for index, at in followed.items() if (now - at).total_seconds() < AT_ONCE]
        return replace(visit, links_at_once=len(at_once), trapped=TRAP in followed)


def with_campaign(followed: FollowedLink) -> str:
    """The target with what web analytics reads of a campaign (``utm_*``); what the author wrote there stays.

    Source: https://support.google.com/analytics/answer/10917952
    """
    message, link = followed.message, followed.link
    parts = urlsplit(link.target)
    campaign = {
        "utm_source": UTM_SOURCE,
        "utm_medium": message.channel,
        "utm_campaign": message.journey or message.message,
        "utm_content": message.message + (f".{link.name}" if link.name else ""),
    }
    given = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    added = urlencode({name: value for name, value in campaign.items() if name not in given})
    return urlunsplit(parts._replace(query=f"{parts.query}&{added}" if parts.query and added else parts.query or added))


def _page_of(target: str) -> str:
    """The page a link leads to, without what was filled in for this reader."""
    return urlunsplit(urlsplit(target)._replace(query="", fragment=""))
