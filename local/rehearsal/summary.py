"""What became of many contacts, counted: how they ended, the states they reached, their messages. Used by ``waypost rehearse``."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from local.rehearsal.scenario_result import ScenarioResult

HELD_BACK: Final = frozenset({"skipped", "deferred", "rejected", "unknown"})


@dataclass(slots=True)
class RehearsalSummary:
    """Counts over the results of a rehearsal.

    ``ends`` and ``states`` count contacts; a contact that entered a state twice counts once. ``sent`` counts messages by name,
    ``held_back`` those that did not go out at once, by name, outcome and reason. ``wrong`` counts contacts, by difference.
    """

    contacts: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    sent: Counter[str] = field(default_factory=Counter)
    held_back: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    wrong: int = 0

    def add(self, result: ScenarioResult) -> None:
        """Count one contact."""
        self.contacts += 1
        self.ends[result.ends] += 1
        self.states.update(dict.fromkeys(result.trail, 1))
        self.wrong += not result.as_expected
        for decision in result.decisions:
            if decision.outcome == "sent":
                self.sent[decision.message] += 1
            elif decision.outcome in HELD_BACK:
                self.held_back[decision.message, decision.outcome, decision.reason] += 1

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "contacts": self.contacts,
            "not_as_expected": self.wrong,
            "ends": dict(self.ends),
            "states": dict(self.states),
            "sent": dict(self.sent),
            "held_back": [
                {"message": message, "outcome": outcome, "reason": reason, "count": count}
                for (message, outcome, reason), count in self.held_back.items()
            ],
        }


def summaries(results: Mapping[str, Iterable[ScenarioResult]]) -> dict[str, RehearsalSummary]:
    """Journey → its summary."""
    found = {}
    for journey, each in results.items():
        summary = found[journey] = RehearsalSummary()
        for result in each:
            summary.add(result)
    return found
