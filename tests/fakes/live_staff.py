"""The members of staff who came in without a deployment, in memory."""

from dataclasses import dataclass, field

from tests.fakes.effects import Effects, effect
from waypost.staff.live_directory import LiveStaff


@dataclass
class FakeLiveStaff:
    """A LiveStaffStore; ``others`` are revisions that a faster writer keeps first, ``unreadable`` what a read raises."""

    effects: Effects = field(default_factory=Effects)
    kept: LiveStaff = field(default_factory=LiveStaff)
    others: list[LiveStaff] = field(default_factory=list)
    unreadable: Exception | None = None
    reads: int = 0
    label = "live staff"

    def load(self) -> LiveStaff:
        """See LiveStaffStore."""
        self.reads += 1
        if self.unreadable is not None:
            raise self.unreadable
        return self.kept

    def newest(self) -> LiveStaff:
        """See LiveStaffStore."""
        return self.kept

    @effect
    def put(self, live: LiveStaff) -> bool:
        """See LiveStaffStore."""
        if self.others:
            self.kept = self.others.pop()
        if live.revision == self.kept.revision + 1:
            self.kept = live
        return self.kept == live
