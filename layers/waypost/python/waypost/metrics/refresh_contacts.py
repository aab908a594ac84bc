"""The second pass of the refresh: metrics, and whatever changes by time alone. Called by refresh_contacts.

Metrics are stored first, because rules of segments, tags and stages may read them.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Protocol, Self

from waypost.bulk.pages import Page
from waypost.bulk.run_slice import Remaining, SliceRunner, SliceWork
from waypost.bulk.state import SliceStates
from waypost.codec import JsonForm
from waypost.contacts.ports import ContactStore
from waypost.contacts.profile import Contact
from waypost.contacts.tag_system import ended_tags
from waypost.errors import ConcurrentUpdate, FinalError
from waypost.files.folders import REFRESH_WORK
from waypost.files.ports import Files
from waypost.metrics.measuring import Measurer
from waypost.metrics.refresh import CONTACTS_PER_INVOCATION, RefreshSlice
from waypost.segments.ports import ProfileScan

ATTEMPTS: Final = 8

MOST_FAILURES: Final = 20
"""Failures of a slice that are named in its output; ``failed`` counts all."""

RUNNER: Final = SliceRunner(items_per_invocation=CONTACTS_PER_INVOCATION, items_per_checkpoint=1)
"""A checkpoint after each page: its contacts took minutes, storing a checkpoint takes milliseconds."""

COUNTED: Final = (
    "contacts", "changed", "measured", "tags_expired", "tags_added", "tags_removed", "stages_changed",
    "segments_entered", "segments_left", "failed",
)  # fmt: skip
"""What a refresh counts. ``changed`` are profiles that were written, ``measured`` those whose metrics changed, ``failed``
contacts that were left as they were."""

Counts = Counter[str]


class Keeping(Protocol):
    """Keeps a contact's segments, rule tags and stage up to date; ``waypost.segments.upkeep.Upkeep``."""

    def keep_all(self, contact: Contact, *, refresh: Sequence[str]) -> Contact:
        """Evaluate all saved rules, end expired tags, and store and return the contact."""
        ...


@dataclass(slots=True)
class Refreshed(JsonForm):
    """What the refresh of a slice has changed, and the first contacts that could not be refreshed."""

    counts: Counts = field(default_factory=Counter)
    failures: list[dict[str, str]] = field(default_factory=list)

    def merge(self, other: Self) -> None:
        """Add what the refresh of another slice has changed."""
        self.counts.update(other.counts)
        self.failures = [*self.failures, *other.failures][:MOST_FAILURES]


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshContacts:
    """Refreshes one slice. A repeated page changes nothing that is right already."""

    scan: ProfileScan
    contacts: ContactStore
    measurer: Measurer
    upkeep: Keeping
    files: Files
    runner: SliceRunner = RUNNER

    def refresh(self, payload: Mapping[str, Any], *, remaining: Remaining) -> dict[str, Any]:
        """``{run, at, refresh, slice, of, ranks?}`` → the same with ``done``, ``counts`` and ``failures``.

        Raises RetryableError. A contact that cannot be refreshed, however often one tries, is left as it is and named: it
        must not block all contacts behind it.
        """
        slice_ = RefreshSlice.from_dict(payload)
        states = SliceStates(self.files, f"{REFRESH_WORK}{slice_.run}/refreshed/", Refreshed)
        state = self.runner.resume(states, slice_.slice, _RefreshWork(self, slice_), new=Refreshed, remaining=remaining)
        counts = {name: state.found.counts[name] for name in COUNTED} | {"contacts": state.items}
        return {**slice_.to_dict(), "done": state.done, "counts": counts, "failures": state.found.failures}


@dataclass(frozen=True, slots=True)
class _RefreshWork(SliceWork[Refreshed, Contact]):
    """The second pass; what it writes are the contacts themselves."""

    refresh_contacts: RefreshContacts
    slice: RefreshSlice

    def pages(self, after: str | None) -> Iterator[Page[Contact]]:
        """See SliceWork."""
        return self.refresh_contacts.scan.slice(self.slice.slice, self.slice.of, after=after)

    def take(self, found: Refreshed, page: Page[Contact]) -> None:
        """See SliceWork."""
        on_page = Refreshed()
        for contact in page:
            try:
                on_page.counts.update(self._one(contact))
            except FinalError as error:
                on_page.counts["failed"] += 1
                on_page.failures.append({"contact_id": contact.contact_id, "error": type(error).__name__})
        found.merge(on_page)

    def _one(self, contact: Contact) -> Counts:
        measured = self._measured(contact) if self.slice.refresh == "daily" else contact
        refreshes = ("daily", "hourly") if self.slice.refresh == "daily" else ("hourly",)
        kept = self.refresh_contacts.upkeep.keep_all(measured, refresh=refreshes)
        return _differences(contact, kept, self.slice.at)

    def _measured(self, contact: Contact) -> Contact:
        """The contact with its metrics, stored if they changed."""
        if not self.refresh_contacts.measurer.declaration:
            return contact
        for _ in range(ATTEMPTS):
            metrics = self.refresh_contacts.measurer.metrics(contact, self.slice.ranks, now=self.slice.at)
            if metrics == contact.metrics:
                return contact
            changed = replace(contact, metrics=metrics)
            if self.refresh_contacts.contacts.save(changed, claim={}):
                return replace(changed, version=contact.version + 1)
            known = self.refresh_contacts.contacts.load(contact.contact_id)
            if known is None or known.erased or known.contact_id != contact.contact_id:
                return contact  # erased or merged away since it was read; nothing is left to refresh
            contact = known
        raise ConcurrentUpdate(f"contact {contact.contact_id} changed {ATTEMPTS} times while it was refreshed")


def _differences(before: Contact, after: Contact, at: datetime) -> Counts:
    """What the refresh has changed of a contact."""
    expired = ended_tags(before, at) - after.tags
    return Counter(
        changed=int(after.version != before.version),
        measured=int(after.metrics != before.metrics),
        tags_expired=len(expired),
        tags_added=len(after.tags - before.tags),
        tags_removed=len(before.tags - after.tags - expired),
        stages_changed=int(after.lifecycle != before.lifecycle),
        segments_entered=len(after.segments.keys() - before.segments.keys()),
        segments_left=len(before.segments.keys() - after.segments.keys()),
    )
