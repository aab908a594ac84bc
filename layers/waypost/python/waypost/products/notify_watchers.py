"""Gives the event of a changed product to everybody who watches it. Called by notify_watchers, part by part."""

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
class Progress(JsonForm):
    """How far the news of a change has come: ``notified`` contacts, to be resumed behind the cursor ``after``."""

    change: ProductChange
    after: str | None = None
    notified: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifyWatchers:
    """Announces a change to each contact at most once: a call that is repeated makes events of the same ids.

    An offer that is no longer the product's is not announced, nor one that changed more than ``LATE`` ago.
    """

    states: StateReader
    watches: WatchStore
    queue: EventQueue
    clock: Clock

    def notify(self, payload: Mapping[str, Any], *, remaining: Remaining) -> dict[str, Any]:
        """A ProductChange, or what the last call answered → ``change``, ``notified``, ``after``, with ``done`` and ``outdated``.

        ``limited``: there are more who watch than are notified. Raises RetryableError.
        """
        progress = _progress(payload)
        if not self._holds(progress.change):
            return {**progress.to_dict(), "done": True, "outdated": True, "limited": False}
        given, done = 0, False
        while not done and given < EVENTS_PER_CALL and remaining() > RESERVE:
            most = min(PER_PAGE, MOST - progress.notified)
            found, after = self.watches.watchers(progress.change.product_id, after=progress.after, most=most)
            concerned = [contact_id for contact_id, watch in found if self._concerns(progress.change, watch)]
            if concerned:
                self.queue.send([self._event(progress.change, contact_id) for contact_id in concerned])
            given += len(concerned)
            progress = replace(progress, after=after, notified=progress.notified + len(concerned))
            done = after is None or progress.notified >= MOST
        return {**progress.to_dict(), "done": done, "outdated": False, "limited": done and progress.after is not None}

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


def _progress(payload: Mapping[str, Any]) -> Progress:
    """What the machine's Map passes first is the change itself."""
    return Progress.from_dict(payload if isinstance(payload.get("change"), Mapping) else {"change": payload})
