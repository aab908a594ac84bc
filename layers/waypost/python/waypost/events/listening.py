"""What this deployment's content does with events: which types go on the bus, which notices of providers become events.

Published by ``waypost.authoring.listening``. Used by the router, by record_delivery and by audiences.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, Self

from waypost.events.envelope import Event
from waypost.published_sections import published_section

SECTION: Final = "listening"
NAMED: Final[Mapping[str, str]] = {
    "tag_added": "tag",
    "tag_removed": "tag",
    "segment_entered": "segment",
    "segment_left": "segment",
}
"""The property that says which tag or segment an event is about."""


@dataclass(frozen=True, slots=True)
class Listening:
    """``bus`` are patterns of event types, None for every type.

    ``settled`` are types of ``message_*``, and ``journey_ended``, that no rule, journey or destination reads: the row of the
    message in the ledger, or of the enrolment, says the same, and no event is made of it. ``quiet`` are types of what the product concludes or
    a journey changes that nothing reads: such an event is stored with the profile that it changes, and not routed. ``watched`` are the tags and
    groups, as facts (``tag:vip``), that rules which are kept true look at; None where that is not known.
    ``heard`` are the exceptions from ``quiet``, by type: the tags or segments of which something reads it.
    """

    bus: tuple[re.Pattern[str], ...] | None = None
    settled: frozenset[str] = frozenset()
    quiet: frozenset[str] = frozenset()
    watched: frozenset[str] | None = None
    heard: Mapping[str, frozenset[str]] = field(default_factory=dict)
    _known: dict[str, bool] = field(default_factory=dict, compare=False, repr=False)

    def on_bus(self, event_type: str) -> bool:
        """Whether an event of this type goes on the bus."""
        if self.bus is None:
            return True
        if event_type not in self._known:
            self._known[event_type] = any(pattern.fullmatch(event_type) for pattern in self.bus)
        return self._known[event_type]

    def is_quiet(self, event: Event) -> bool:
        """Whether nothing reads this event of a quiet type."""
        if event.type not in self.quiet:
            return False
        heard = self.heard.get(event.type)
        return not heard or event.properties.get(NAMED[event.type]) not in heard

    def watches(self, facts: Collection[str]) -> bool:
        """Whether a rule that is kept true looks at one of these tags and groups, or at all of a kind (``tag:*``)."""
        if self.watched is None:
            return True
        return bool(self.watched & {*facts, *(f"{fact.partition(':')[0]}:*" for fact in facts)})

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """From the published form; an empty one publishes and routes everything."""
        if not value:
            return cls()
        bus = tuple(bus_pattern(each) for each in value["bus"])
        watched = frozenset(value["watched"]) if "watched" in value else None
        heard = {kind: frozenset(names) for kind, names in value.get("heard", {}).items()}
        return cls(bus, frozenset(value["settled"]), frozenset(value.get("quiet", ())), watched, heard)


def bus_pattern(text: str) -> re.Pattern[str]:
    """An event type in which ``*`` stands for any characters, as it does in EventBridge."""
    return re.compile(re.escape(text).replace(r"\*", ".*"))


@cache
def load_listening() -> Listening:
    """What this deployment listens to, from the journeys layer."""
    return Listening.from_dict(published_section(SECTION))
