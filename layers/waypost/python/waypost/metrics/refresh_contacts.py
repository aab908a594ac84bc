"""The second pass of the refresh: everybody's metrics, and what time alone has changed. Called by refresh_contacts.

Metrics are stored first, because segments, tags and stages may be declared by them.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from waypost.contacts.ports import ContactStore
from waypost.contacts.profile import Contact
from waypost.contacts.tag_system import ended_tags
from waypost.errors import ConcurrentUpdate, FinalError
from waypost.metrics.measuring import Measurer
from waypost.metrics.slices import CONTACTS_PER_CALL, Counts, SlicePart
from waypost.segments.ports import ProfileScan

ATTEMPTS: Final = 8

MOST_FAILURES: Final = 5
"""Failures of one call that are named in the output; ``failed`` counts all."""


class Keeping(Protocol):
    """Keeps a contact's segments, rule tags and stage true; ``waypost.segments.upkeep.Upkeep``."""

    def keep_all(self, contact: Contact, *, refresh: Sequence[str]) -> Contact:
        """The contact, stored, after every standing rule and every end of a tag."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshContacts:
    """Refreshes one slice, a part at a time. A part may be repeated: what has been done is not done again."""

    scan: ProfileScan
    contacts: ContactStore
    measurer: Measurer
    keeper: Keeping
    most: int = CONTACTS_PER_CALL

    def refresh(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Refresh the next part of the slice, by the ``ranks`` of the first pass. Raises RetryableError.

        A contact that cannot be refreshed, however often one tries, is left as it is and named: it must not keep
        everybody behind it from their night.
        """
        part = SlicePart.from_dict(payload)
        counts, failures, after = Counter[str](), list[dict[str, str]](), part.after
        for page in self.scan.slice(part.segment, part.total, after=part.after):
            for contact in page:
                try:
                    counts += self._one(contact, part)
                except FinalError as error:
                    counts["failed"] += 1
                    failures.append({"contact_id": contact.contact_id, "error": type(error).__name__})
            counts["contacts"] += len(page)
            after = page.after
            if counts["contacts"] >= self.most:
                break
        return part.further(after=after, counts=counts, failures=tuple(failures[:MOST_FAILURES])).to_dict()

    def _one(self, contact: Contact, part: SlicePart) -> Counts:
        measured = self._measured(contact, part) if part.refresh == "daily" else contact
        refreshes = ("daily", "hourly") if part.refresh == "daily" else ("hourly",)
        kept = self.keeper.keep_all(measured, refresh=refreshes)
        return _differences(contact, kept, part)

    def _measured(self, contact: Contact, part: SlicePart) -> Contact:
        """The contact with its metrics, stored if they are others than before."""
        if not self.measurer.declaration:
            return contact
        for _ in range(ATTEMPTS):
            metrics = self.measurer.metrics(contact, part.ranks, now=part.at)
            if metrics == contact.metrics:
                return contact
            changed = replace(contact, metrics=metrics)
            if self.contacts.save(changed, claim={}):
                return replace(changed, version=contact.version + 1)
            known = self.contacts.load(contact.contact_id)
            if known is None or known.erased or known.contact_id != contact.contact_id:
                return contact  # erased or merged away since it was read; nothing is left to refresh
            contact = known
        raise ConcurrentUpdate(f"contact {contact.contact_id} changed {ATTEMPTS} times while it was refreshed")


def _differences(before: Contact, after: Contact, part: SlicePart) -> Counts:
    """What the refresh has changed of a contact."""
    expired = ended_tags(before, part.at) - after.tags
    return Counter(
        changed=after.version != before.version,
        measured=after.metrics != before.metrics,
        tags_expired=len(expired),
        tags_added=len(after.tags - before.tags),
        tags_removed=len(before.tags - after.tags - expired),
        stages_changed=after.lifecycle != before.lifecycle,
        segments_entered=len(after.segments.keys() - before.segments.keys()),
        segments_left=len(before.segments.keys() - after.segments.keys()),
    )
