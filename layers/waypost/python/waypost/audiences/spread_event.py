"""Give one event to every contact whose profile fits a rule. Called by spread_event, part by part.

Something happens that is about no single contact (a product is back in stock), and everybody who waits for it gets an event of
the same type and properties. What follows is the router's: a journey that the event triggers asks its own conditions again.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from waypost import ids
from waypost.bulk.run_slice import RESERVE, Remaining
from waypost.clock import Clock, format_instant
from waypost.codec import JsonForm
from waypost.errors import InvalidInput
from waypost.events.envelope import Event
from waypost.events.message_events import MESSAGE_EVENTS
from waypost.events.names import snake_case
from waypost.events.ports import EventQueue
from waypost.segments.membership_query import MembershipQuery
from waypost.segments.ports import ProfileScan
from waypost.segments.vocabulary import CONCLUSIONS

SOURCE: Final = "spread-event"
LARGEST: Final = 32 * 1024
"""Bytes of the properties, as at the webhooks."""
EVENTS_PER_CALL: Final = 2_000
"""After so many the call ends, and the machine waits: events of other contacts come between."""
MOST: Final = 1_000_000
"""Contacts of one run."""
_FIELDS: Final = frozenset({"run", "at", "event", "properties", "rule", "most", "after", "read", "given"})


@dataclass(frozen=True, slots=True)
class Spread(JsonForm):
    """A run and how far it has come: ``read`` profiles, ``given`` events, to be resumed behind the cursor ``after``."""

    run: str
    at: datetime
    event: str
    rule: Mapping[str, Any]
    properties: Mapping[str, Any]
    most: int = MOST
    after: str | None = None
    read: int = 0
    given: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SpreadEvent:
    """Reads the base once, in one line; a call that is repeated gives nobody a second event, because their ids are the same."""

    scan: ProfileScan
    queue: EventQueue
    default_zone: ZoneInfo
    clock: Clock

    def spread(self, payload: Mapping[str, Any], *, remaining: Remaining) -> dict[str, Any]:
        """``{run, event, rule, properties?, most?}``, or what the last call answered → the same, with ``done``.

        It happens when the first call is made; ``most`` is how many contacts get it at most. ``done`` when the base is read or ``most`` is reached
        (``limited``). Raises InvalidInput naming the field, and RetryableError.
        """
        spread, query = _checked({"at": format_instant(self.clock()), **payload})
        view = self.scan.viewer(query.reads, now=spread.at, default_zone=self.default_zone)
        given, done = 0, False
        for page in self.scan.stored(0, 1, reads=query.reads, after=spread.after):
            subjects = (replace(view(stored), properties=spread.properties) for stored in page)
            fitting = [subject.contact_id for subject in subjects if query.decide(subject)]
            chosen = fitting[: spread.most - spread.given]
            self._give(spread, chosen)
            given += len(chosen)
            spread = replace(spread, after=page.after, read=spread.read + len(page), given=spread.given + len(chosen))
            done = page.after is None or spread.given >= spread.most
            if done or given >= EVENTS_PER_CALL or remaining() < RESERVE:
                break
        return {**spread.to_dict(), "done": done, "limited": spread.given >= spread.most and spread.after is not None}

    def _give(self, spread: Spread, contact_ids: Sequence[str]) -> None:
        now = self.clock()
        if events := [
            Event(
                id="e-" + ids.digest("spread", spread.run, contact_id),
                type=spread.event,
                contact={"contact_id": contact_id},
                occurred_at=spread.at,
                received_at=now,
                source=SOURCE,
                properties=dict(spread.properties),
                correlation_id=spread.run,
            )
            for contact_id in contact_ids
        ]:
            self.queue.send(events)


def _checked(payload: Mapping[str, Any]) -> tuple[Spread, MembershipQuery]:
    """The run and its rule. Raises InvalidInput naming the field."""
    given = {name: value for name, value in payload.items() if name not in {"done", "limited"}}
    if strangers := sorted(given.keys() - _FIELDS):
        raise InvalidInput(strangers[0], "unknown field; expected event, properties, rule and most")
    event, rule, most = given.get("event"), given.get("rule"), given.get("most", MOST)
    if not isinstance(event, str) or not event or snake_case(event) != event:
        raise InvalidInput("event", f"expected an event type in snake_case, such as back_in_stock, got {event!r}")
    if event in CONCLUSIONS or event in MESSAGE_EVENTS:
        raise InvalidInput("event", f"{event} is an event that Waypost makes itself; choose a type of your own")
    if not isinstance(rule, Mapping) or not rule:
        raise InvalidInput("rule", 'expected a rule such as {"attribute": "waiting_for", "contains_property": "sku"}')
    properties = given.get("properties", {})
    if not isinstance(properties, Mapping) or len(json.dumps(properties).encode()) > LARGEST:
        raise InvalidInput("properties", f'expected a mapping of at most {LARGEST} bytes, such as {{"sku": "s-1"}}')
    if not isinstance(most, int) or isinstance(most, bool) or not 1 <= most <= MOST:
        raise InvalidInput("most", f"expected a number of contacts from 1 to {MOST:,}, got {most!r}")
    query = MembershipQuery(rule)
    if query.reads.looks_back() or query.reads.trigger:
        raise InvalidInput(
            "rule",
            "asks for past events or journeys; ask for attributes, tags, segments here and the rest in the journey's entry",
        )
    _ = query.decide  # a rule that means nothing is refused before a profile is read
    return Spread.from_dict({**given, "properties": properties}), query
