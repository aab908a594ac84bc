"""Who watches which product: by event, for a time, so many at most. Called by the reaction to events, read by NotifyWatchers.

``product_watched`` names products (``product_id``, ``products`` …), what is watched (``for``: price, stock or all) and until when
(``until``, an instant); ``product_unwatched`` names those that are watched no more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal, Protocol

from waypost.clock import Clock, parse_instant
from waypost.codec import JsonForm
from waypost.events.envelope import Event
from waypost.products.purchases import products_in

WATCHED: Final = "product_watched"
UNWATCHED: Final = "product_unwatched"

WATCHED_FOR: Final = timedelta(days=90)
"""Without ``until``."""
LONGEST: Final = timedelta(days=365)
MOST_WATCHES: Final = 50
"""Products that a contact watches; another one takes the place of the oldest."""
LONGEST_ID: Final = 64
"""Characters of a product's id in the catalogue; nothing longer is watched."""

Watched = Literal["price", "stock", "all"]


@dataclass(frozen=True, slots=True)
class Watch(JsonForm):
    """What a contact watches of a product, since when and until when."""

    what: Watched
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Watches(JsonForm):
    """Everything that one contact watches, by product."""

    products: Mapping[str, Watch] = field(default_factory=dict)


class WatchStore(Protocol):
    """Keeps who watches what, by contact and by product."""

    def of_contact(self, contact_id: str) -> dict[str, Watch]:
        """What the contact watches, by product; what is over may be among it. Raises RetryableError."""
        ...

    def keep(
        self, contact_id: str, watches: Mapping[str, Watch], *, added: Sequence[str] = (), dropped: Sequence[str] = ()
    ) -> None:
        """Put this in the place of what the contact watched; ``added`` are new in it or changed, ``dropped`` no longer in it.

        Of one contact nothing else is kept meanwhile: its events come one after the other. Raises RetryableError.
        """
        ...

    def watchers(
        self, product_id: str, *, after: str | None, most: int
    ) -> tuple[Sequence[tuple[str, Watch]], str | None]:
        """Some contacts that watch the product, by id, and the cursor behind them; None: they were the last. Raises RetryableError."""
        ...


@dataclass(frozen=True, slots=True)
class WatchKeeper:
    """Keeps what contacts watch."""

    store: WatchStore
    clock: Clock

    def notice(self, event: Event, partitions: Sequence[str]) -> None:
        """Take up what the event says of watching; again for the same event it changes nothing. ``partitions``: the contact's ids."""
        if event.type not in {WATCHED, UNWATCHED}:
            return
        named = [id_ for id_ in products_in(event.properties) if len(id_) <= LONGEST_ID][:MOST_WATCHES]
        if event.type == WATCHED:
            self._watch(partitions[0], dict.fromkeys(named, _watch(event)))
            return
        for contact_id in partitions:
            self._unwatch(contact_id, named, event.occurred_at)

    def _watch(self, contact_id: str, added: Mapping[str, Watch]) -> None:
        now = self.clock()
        known = self.store.of_contact(contact_id)
        current = {id_: watch for id_, watch in known.items() if watch.until > now}
        found = {
            **current,
            **{id_: watch for id_, watch in added.items() if id_ not in known or known[id_].since <= watch.since},
        }
        newest = sorted(found, key=lambda id_: (found[id_].since, id_))[-MOST_WATCHES:]
        kept = {id_: found[id_] for id_ in newest if found[id_].until > now}
        if added:
            new, gone = [id_ for id_ in added if id_ in kept], [id_ for id_ in known if id_ not in kept]
            self.store.keep(contact_id, kept, added=new, dropped=gone)

    def _unwatch(self, contact_id: str, named: Sequence[str], at: datetime) -> None:
        known = self.store.of_contact(contact_id)
        dropped = [id_ for id_ in named if id_ in known and known[id_].since <= at]
        if dropped:
            kept = {id_: watch for id_, watch in known.items() if id_ not in dropped}
            self.store.keep(contact_id, kept, dropped=dropped)


def _watch(event: Event) -> Watch:
    what = event.properties.get("for")
    since = event.occurred_at
    until = min(_until(event.properties.get("until")) or since + WATCHED_FOR, since + LONGEST)
    match what:
        case "price" | "stock":
            return Watch(what, since, until)
        case _:
            return Watch("all", since, until)


def _until(given: Any) -> datetime | None:
    """The instant; None for what is none."""
    if not isinstance(given, str):
        return None
    try:
        return parse_instant(given)
    except ValueError:
        return None
