"""Counts what becomes of the messages of each stream, and stops one that harms its sender's name. Called by record_delivery.

A process counts in memory what arrived well and writes it with the next bad word or after ``HELD`` messages; what a process that
ends has not written is missing among the good ones, so that shares err on the careful side. Each bad word is judged at once: a stream stops with the notice that makes it too many, and every sender knows within the minute in which it reads its policy.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol, assert_never

from waypost import ids
from waypost.clock import Clock, format_instant
from waypost.errors import ConcurrentUpdate, WaypostError
from waypost.events.envelope import OWN_SOURCE, Event
from waypost.events.history import EventBus
from waypost.sending.occasion import StaffNotice
from waypost.sending.policy import SendingPolicy
from waypost.sending.ports import DeferredSends
from waypost.sending.request import SendRequest
from waypost.sending.streams import DELIVERABILITY, STREAMS, TAG, StreamState, StreamTallies, Tally
from waypost.staff.directory import StaffDirectory

HELD: Final = 20
PAUSED: Final = "stream_paused"
"""The event on the bus, of no contact: ``{stream, share, epoch}``."""
AT_RISK: Final = "stream_at_risk"
"""The notice before that: the share of a warning was reached."""
NOTICE: Final = "notices/stream-at-risk"
WATCHDOG: Final = "deliverability"
"""Who stopped a stream, where the policy says who changed it."""
_ATTEMPTS: Final = 5

_COUNTED: Final = {
    "message_delivered": Tally(sent=1),
    "message_bounced": Tally(sent=1),
    "message_complained": Tally(complaints=1),
}
"""A mail that is complained about was delivered before, and counted then."""


class PauseStream(Protocol):
    """Stops a stream for all senders (``policies.change_policy``)."""

    def pause_stream(self, stream: str, *, epoch: int, by: str, why: str) -> bool:
        """Stop it; False when it is stopped already, or was resumed since ``epoch``. Raises ConcurrentUpdate."""
        ...


@dataclass(slots=True)
class Watched:
    """What was found since it was last asked for."""

    paused: int = 0
    warned: int = 0
    failures: list[WaypostError] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class WatchStreams:
    """Keeps the counts of this process. ``policies`` is asked for only when a stream has to stop."""

    tallies: StreamTallies
    policy: Callable[[], SendingPolicy]
    policies: Callable[[], PauseStream]
    bus: Callable[[], EventBus]
    schedules: Callable[[], DeferredSends]
    staff: Callable[[], StaffDirectory]
    clock: Clock
    _held: defaultdict[str, Tally] = field(default_factory=lambda: defaultdict(Tally), init=False)
    _warned: set[tuple[str, str]] = field(default_factory=set, init=False)

    def see(self, events: Iterable[Event]) -> Watched:
        """Count these events of messages and judge their streams. Never raises: what could not be written is counted later."""
        watched = Watched()
        for event in events:
            stream = str(event.properties.get(TAG, ""))
            if stream and event.type in _COUNTED:
                hard = event.type == "message_bounced" and event.properties.get("bounce_type") == "permanent"
                self._held[stream] += _COUNTED[event.type] + Tally(hard_bounces=int(hard))
        now = self.clock()
        for stream, tally in [*self._held.items()]:
            if _is_due(tally):
                try:
                    self._write(stream, tally, now, watched)
                except WaypostError as error:
                    watched.failures.append(error)
        return watched

    def _write(self, stream: str, tally: Tally, now: datetime, watched: Watched) -> None:
        policy = self.policy()
        state = policy.of(STREAMS).get(stream, StreamState(paused=False))
        self.tallies.add(stream, state.epoch, tally, at=now)
        self._held[stream] = Tally()
        if state.paused or not tally.has_bad:
            return
        limits = policy.of(DELIVERABILITY)
        total = self.tallies.since(stream, state.epoch, now - timedelta(hours=limits.hours))
        health, share = total.judged_by(limits)
        match health:
            case "good":
                pass
            case "warn":
                watched.warned += self._warn(stream, share, state, now)
            case "stop":
                watched.paused += self._pause(stream, share, state, now)
            case _:
                assert_never(health)

    def _warn(self, stream: str, share: str, state: StreamState, now: datetime) -> int:
        """Warn the leads, once a day; how many times in this process."""
        about = f"{stream}/{state.epoch}/{now:%Y-%m-%d}"
        if (stream, about) in self._warned:
            return 0
        self._notify_leads(AT_RISK, about, stream, share, now)
        self._warned.add((stream, about))
        return 1

    def _pause(self, stream: str, share: str, state: StreamState, now: datetime) -> int:
        """Stop it, then say so; a process that was not the first to stop it says so too, under the same ids."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                is_first = self.policies().pause_stream(stream, epoch=state.epoch, by=WATCHDOG, why=share)
                break
            except ConcurrentUpdate:
                if attempt == _ATTEMPTS:
                    raise
        about = f"{stream}/{state.epoch}"
        self._notify_leads(PAUSED, about, stream, share, now)
        event_id = f"{OWN_SOURCE}.streams:{ids.digest(PAUSED, about)}"
        properties = {"stream": stream, "share": share, "epoch": state.epoch}
        event = Event(event_id, PAUSED, {}, now, now, f"{OWN_SOURCE}.streams", properties)
        self.bus().publish([("", event)])
        return int(is_first)

    def _notify_leads(self, notice: str, about: str, stream: str, share: str, now: datetime) -> None:
        """Have a notice sent to every lead, by the schedule that send_message answers to: it is sent once, however many processes ask."""
        details = {"stream": stream, "share": share, "at": format_instant(now), "stopped": notice == PAUSED}
        for member in self.staff().members.values():
            if "lead" in member.roles:
                occasion = StaffNotice(member.contact_id, notice=notice, about=about, urgent=True, details=details)
                name = f"stream-{ids.digest(notice, about, member.id, length=24)}"
                self.schedules().send_at(name, now, SendRequest(occasion, NOTICE).to_dict())


def _is_due(tally: Tally) -> bool:
    """A stream that is judged sends a thousand a day, so the good words of a process are soon enough for a write."""
    return tally.has_bad or tally.sent >= HELD
