"""Gives the event of a changed product to everybody who watches it. Called by tell_watchers, part by part."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from waypost import ids
from waypost.bulk.run_slice import RESERVE, Remaining
from waypost.clock import Clock
from waypost.codec import JsonForm
from waypost.events.envelope import OWN_SOURCE, Event
from waypost.events.ports import EventQueue
from waypost.products.changes import CHANGED, ProductChange
from waypost.products.states import Offer, StateReader
from waypost.products.watching import Watch, WatchStore

PER_PAGE: Final = 500
EVENTS_PER_CALL: Final = 2_000
"""After so many the call ends, and the machine waits: events of other contacts come between."""
MOST: Final = 100_000
"""Contacts that hear of one change."""
LATE: Final = timedelta(hours=6)
"""What changed longer ago is news no more."""


@dataclass(frozen=True, slots=True)
class Telling(JsonForm):
    """How far the news of a change has come: ``told`` contacts, to be resumed behind the cursor ``after``."""

    change: ProductChange
    after: str | None = None
    told: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TellWatchers:
    """Tells of one change at most once each contact: a call that is repeated makes events of the same ids.

    Nothing is told of an offer that is no longer the product's, nor of one that changed more than ``LATE`` ago.
    """

    states: StateReader
    watches: WatchStore
    queue: EventQueue
    clock: Clock

    def tell(self, payload: Mapping[str, Any], *, remaining: Remaining) -> dict[str, Any]:
        """A ProductChange, or what the last call answered → ``change``, ``told``, ``after``, with ``done`` and ``outdated``.

        ``limited``: there are more who watch than are told. Raises RetryableError.
        """
        telling = _telling(payload)
        if not self._holds(telling.change):
            return {**telling.to_dict(), "done": True, "outdated": True, "limited": False}
        given, done = 0, False
        while not done and given < EVENTS_PER_CALL and remaining() > RESERVE:
            most = min(PER_PAGE, MOST - telling.told)
            found, after = self.watches.watchers(telling.change.product_id, after=telling.after, most=most)
            concerned = [contact_id for contact_id, watch in found if self._concerns(telling.change, watch)]
            if concerned:
                self.queue.send([self._event(telling.change, contact_id) for contact_id in concerned])
            given += len(concerned)
            telling = replace(telling, after=after, told=telling.told + len(concerned))
            done = after is None or telling.told >= MOST
        return {**telling.to_dict(), "done": done, "outdated": False, "limited": done and telling.after is not None}

    def _holds(self, change: ProductChange) -> bool:
        """Whether the change is news, and the product's latest."""
        state = self.states.read([change.product_id]).get(change.product_id)
        if state is None or self.clock() - change.at > LATE:
            return False
        return state.run == change.run or state.offer.same_as(Offer(change.price, change.change != "out_of_stock"))

    def _concerns(self, change: ProductChange, watch: Watch) -> bool:
        return watch.since <= change.at and watch.until > self.clock() and change.concerns(watch.what)

    def _event(self, change: ProductChange, contact_id: str) -> Event:
        return Event(
            id="e-" + ids.digest(CHANGED, change.run, change.product_id, contact_id),
            type=CHANGED,
            contact={"contact_id": contact_id},
            occurred_at=change.at,
            received_at=self.clock(),
            source=OWN_SOURCE,
            properties=change.properties(),
            correlation_id=change.run,
        )


def _telling(payload: Mapping[str, Any]) -> Telling:
    """What the machine's Map passes first is the change itself."""
    return Telling.from_dict(payload if isinstance(payload.get("change"), Mapping) else {"change": payload})
