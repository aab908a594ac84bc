"""Judge again who opened and clicked, by the rules of today. Called by the operation rescore-engagement, slice by slice.

A verdict is given at once, from what is known then: of a scanner that follows every link, the first two clicks pass for a
reader's. Later, all visits of a message are known, and the rules may have become better. An event whose verdict changes gets
the other type, in its place; the days of the profile follow. What it had started stays started, and the archive keeps the first
verdict.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self

from waypost.bulk.pages import Page
from waypost.bulk.run_slice import Remaining, SliceRunner, SliceWork
from waypost.bulk.state import SliceStates
from waypost.clock import Clock
from waypost.codec import JsonForm
from waypost.contacts.fitting import bounded_seen
from waypost.contacts.ports import ContactStore
from waypost.contacts.profile import Contact
from waypost.errors import ConcurrentUpdate, InvalidInput
from waypost.events.history import EVER, CorrectableHistory, RecordedEvent
from waypost.events.message_events import MessageEvent
from waypost.files.folders import RESCORE_WORK
from waypost.files.ports import Files
from waypost.segments.ports import ProfileScan
from waypost.tracking.verdict import AT_ONCE, VERSION, judge
from waypost.tracking.visit import Visit

JUDGED: Final[tuple[MessageEvent, ...]] = (
    "message_opened",
    "message_clicked",
    "message_prefetched",
    "message_scanned",
)
SETTLED: Final = timedelta(days=1)
"""What is younger waits for the next run: its messages may be opened still, and its profile is being written."""
TRAPPED_WITHIN: Final = timedelta(minutes=1)
"""Around a click on the hidden link, what follows another link of the message is the same program."""
SLICES: Final = 20
"""As many as the machine runs at once, where a run asks for no fewer."""
ATTEMPTS: Final = 8
RUNNER: Final = SliceRunner(items_per_invocation=20_000, items_per_checkpoint=1)


@dataclass(slots=True)
class Rescored(JsonForm):
    """How many visits were judged, and what changed: ``readers`` are events that turned out to be of one, ``programs`` the others."""

    counts: Counter[str] = field(default_factory=Counter)

    def merge(self, other: Self) -> None:
        """Add what another slice found."""
        self.counts.update(other.counts)


COUNTED: Final = ("judged", "changed", "programs", "readers", "profiles")


@dataclass(frozen=True, slots=True, kw_only=True)
class RescoreEngagement:
    """Rescores one slice. A repeated page changes nothing that is right already."""

    scan: ProfileScan
    contacts: ContactStore
    history: CorrectableHistory
    files: Files
    clock: Clock
    runner: SliceRunner = RUNNER

    def rescore(self, payload: Mapping[str, Any], *, remaining: Remaining) -> dict[str, Any]:
        """``{run, slice, of?}`` → the same with ``done`` and ``counts``; ``of`` slices. Raises InvalidInput and RetryableError."""
        run, slice_, of = payload["run"], payload["slice"], payload.get("of", SLICES)
        if isinstance(of, bool) or not isinstance(of, int) or not 1 <= of <= SLICES:
            raise InvalidInput("of", f"expected a number from 1 to {SLICES}, got {of!r}")
        if isinstance(slice_, bool) or not isinstance(slice_, int) or not 0 <= slice_ < of:
            raise InvalidInput("slice", f"expected a number from 0 to {of - 1}, got {slice_!r}")
        states = SliceStates(self.files, f"{RESCORE_WORK}{run}/", Rescored)
        state = self.runner.resume(states, slice_, _Work(self, slice_, of), new=Rescored, remaining=remaining)
        counts = {name: state.found.counts[name] for name in COUNTED} | {"contacts": state.items}
        return {"run": run, "slice": slice_, "of": of, "done": state.done, "counts": counts}

    def rescore_contact(self, contact: Contact) -> Counter[str]:
        """Correct the events of a contact, then the days in its profile; a crash in between is mended by the next run."""
        found: Counter[str] = Counter()
        if not any(kind in contact.seen for kind in JUDGED):  # a profile forgets other types first
            return found
        settled = self.clock() - SETTLED
        kept: list[tuple[str, datetime]] = []
        for owner in contact.partitions:
            visits = [each for each in self.history.since(owner, EVER, types=JUDGED) if each.occurred_at < settled]
            for each in rescored(visits):
                kept.append((each.becomes, each.event.occurred_at))
                found["judged"] += "visit" in each.event.properties
                if each.is_same:
                    continue
                found["changed"] += 1
                if each.becomes != each.event.type:
                    found["programs" if each.becomes in JUDGED[2:] else "readers"] += 1
                self.history.correct(owner, each.event, becomes=each.becomes, properties=each.properties)
        found["profiles"] += self._correct_profile(contact, kept, settled)
        return found

    def _correct_profile(self, contact: Contact, kept: Sequence[tuple[str, datetime]], settled: datetime) -> int:
        known: Contact | None = contact
        for _ in range(ATTEMPTS):
            if known is None or known.erased or known.contact_id != contact.contact_id:
                return 0  # erased or merged away since it was read
            seen = corrected_days(known, kept, settled)
            if seen == known.seen:
                return 0
            if self.contacts.save(replace(known, seen=seen), claim={}):
                return 1
            known = self.contacts.load(contact.contact_id)
        raise ConcurrentUpdate(f"contact {contact.contact_id} changed {ATTEMPTS} times while it was rescored")


@dataclass(frozen=True, slots=True)
class _Work(SliceWork[Rescored, Contact]):
    """What it writes are the events and the profiles themselves."""

    rescore: RescoreEngagement
    slice: int
    of: int

    def pages(self, after: str | None) -> Iterator[Page[Contact]]:
        """See SliceWork."""
        return self.rescore.scan.slice(self.slice, self.of, after=after)

    def take(self, found: Rescored, page: Page[Contact]) -> None:
        """See SliceWork."""
        on_page = Rescored()
        for contact in page:
            on_page.counts.update(self.rescore.rescore_contact(contact))
        found.merge(on_page)


@dataclass(frozen=True, slots=True)
class Judged:
    """An event of a visit, the type it has by the rules of today, and its properties then."""

    event: RecordedEvent
    becomes: MessageEvent
    properties: Mapping[str, Any]

    @property
    def is_same(self) -> bool:
        """Whether the verdict stays: type and reason; a newer version of the rules alone is not written."""
        return self.becomes == self.event.type and self.properties["verdict"] == self.event.properties.get("verdict")


def rescored(visits: Sequence[RecordedEvent]) -> Iterator[Judged]:
    """Each event with today's verdict on it; one without a visit (a provider reported it) keeps what it has."""
    messages: dict[str, list[RecordedEvent]] = {}
    for event in visits:
        messages.setdefault(str(event.properties.get("message_key", event.id)), []).append(event)
    for of_message in messages.values():
        clicks = [each for each in of_message if _is_click(each)]
        for event in of_message:
            yield _judged(event, clicks)


def _judged(event: RecordedEvent, clicks: Iterable[RecordedEvent]) -> Judged:
    given = event.properties
    if not isinstance(given.get("visit"), Mapping):
        kind = next(each for each in JUDGED if each == event.type)
        return Judged(event, kind, {**given, "verdict": given.get("verdict")})
    visit = Visit.from_dict(given["visit"])
    if visit.act == "clicked":
        near = [(abs(each.occurred_at - event.occurred_at), each.properties) for each in clicks]
        at_once = {about.get("link") for gap, about in near if gap < timedelta(seconds=AT_ONCE)}
        trapped = any(gap <= TRAPPED_WITHIN and _was_on_the_trap(about) for gap, about in near)
        visit = replace(visit, links_at_once=max(visit.links_at_once, len(at_once)), trapped=visit.trapped or trapped)
    verdict = judge(visit)
    becomes = verdict.event(visit.act)
    properties = {**given, "verdict": verdict.reason, "verdict_version": VERSION}
    return Judged(event, becomes, properties | ({"was": event.type} if becomes != event.type else {}))


def _was_on_the_trap(about: Mapping[str, Any]) -> bool:
    """Whether these are the properties of a click on the hidden link: the only one of ours that has no name."""
    return "link" not in about and bool(about["visit"].get("trapped"))


def _is_click(event: RecordedEvent) -> bool:
    visit = event.properties.get("visit")
    return isinstance(visit, Mapping) and visit.get("act") == "clicked"


def corrected_days(contact: Contact, kept: Sequence[tuple[str, datetime]], settled: datetime) -> dict[str, Any]:
    """The first and last days of event types, with those of visits as the events ``kept`` say.

    Days before the oldest kept event, and days that are not settled, stay as they are.
    """
    days = [(kind, at.astimezone(UTC).date()) for kind, at in kept]
    oldest, newest = min((day for _, day in days), default=None), settled.astimezone(UTC).date()
    seen = {kind: span for kind, span in contact.seen.items() if kind not in JUDGED}
    for kind in JUDGED:
        beyond = [day for day in contact.seen.get(kind, ()) if oldest is None or day < oldest or day >= newest]
        if found := [*beyond, *(day for each, day in days if each == kind)]:
            seen[kind] = (min(found), max(found))
    return bounded_seen(contact.seen, seen)
