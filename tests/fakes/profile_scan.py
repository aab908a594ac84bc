"""A ProfileScan in memory."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from waypost.bulk.pages import BaseSize, Page
from waypost.contacts.profile import Contact
from waypost.segments.reads import Reads
from waypost.segments.subject import Subject, subject_of


@dataclass
class FakeProfileScan:
    """A ProfileScan over what ``contacts`` gives when it is asked, without those that were erased.

    Pages hold ``page`` contacts; ``fails`` is called before each page and may raise. ``stale`` are profiles as the index still
    has them, ``scans`` the slices that were asked for.
    """

    contacts: Callable[[], Iterable[Contact]]
    page: int = 2
    counted: BaseSize | None = None
    fails: Callable[[], None] = lambda: None
    stale: dict[str, Contact] = field(default_factory=dict)
    read_units: float = 1.0
    scans: list[tuple[int, str | None]] = field(default_factory=list)

    def size(self) -> BaseSize:
        """See ProfileScan."""
        return self.counted or BaseSize(items=len(self._living()), bytes=0)

    def slice(self, segment: int, total: int, *, after: str | None = None) -> Iterator[Page[Contact]]:
        """See ProfileScan."""
        self.scans.append((segment, after))
        living = [self.stale.get(each.contact_id, each) for each in self._living()]
        mine = [each for place, each in enumerate(living) if place % total == segment]
        left = [each for each in mine if after is None or each.contact_id > after]
        for first in range(0, max(len(left), 1), self.page):
            self.fails()
            page = left[first : first + self.page]
            yield Page(page, page[-1].contact_id if first + self.page < len(left) else None, read_units=self.read_units)

    def _living(self) -> list[Contact]:
        return sorted((each for each in self.contacts() if not each.erased), key=lambda each: each.contact_id)

    def stored(self, segment: int, total: int, *, reads: Reads, after: str | None = None) -> Iterator[Page[Any]]:
        """See ProfileScan."""
        return self.slice(segment, total, after=after)

    def viewer(self, reads: Reads, *, now: datetime, default_zone: ZoneInfo) -> Callable[[Any], Subject]:
        """See ProfileScan."""
        return lambda contact: subject_of(contact, now=now, default_zone=default_zone)

    def partitions_of(self, stored: Any) -> tuple[str, ...]:
        """See ProfileScan."""
        contact: Contact = stored
        return contact.partitions
