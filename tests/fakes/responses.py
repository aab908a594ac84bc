"""How fast members of staff answer, in memory."""

from dataclasses import dataclass, field, replace

from tests.fakes.effects import Effects, effect
from waypost.staff.responses import Responses


@dataclass
class FakeResponses:
    """ResponseCounts."""

    effects: Effects = field(default_factory=Effects)
    rows: dict[tuple[str, str, str], Responses] = field(default_factory=dict)
    label = "responses"

    @effect
    def add(self, month: str, counted: Responses) -> None:
        """See ResponseCounts."""
        key = (month, counted.journey, counted.member)
        kept = self.rows.get(key, Responses(journey=counted.journey, member=counted.member))
        names = ("assigned", "answered", "done", "late", "minutes")
        self.rows[key] = replace(kept, **{name: getattr(kept, name) + getattr(counted, name) for name in names})

    def of_month(self, month: str) -> list[Responses]:
        """See ResponseCounts."""
        return [row for key, row in sorted(self.rows.items()) if key[0] == month]
