"""Plays event storms until an invariant breaks, and finds the shortest one that breaks it. Used by ``waypost rehearse --until-red``."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import yaml

from local.cloud.local_cloud import LocalCloud
from local.rehearsal.invariants import Observed, Promised, broken
from local.rehearsal.many_contacts import played_by_another
from local.rehearsal.rehearsal import Rehearsal
from local.rehearsal.scenario_file import Scenario, ScenarioFile
from local.rehearsal.storms import Storms, without_each
from waypost import ids
from waypost.aws.contacts import DynamoContactItems
from waypost.clock import Clock

STORMS_AT_ONCE: Final = 20
"""Contacts on one timeline; they share its steps of the clock."""


@dataclass(frozen=True, slots=True)
class Red:
    """A storm that breaks an invariant: its seed, what it breaks, and the fewest of its events that still do."""

    seed: int
    findings: Sequence[str]
    shortest: Scenario

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {"seed": self.seed, "findings": list(self.findings), "shortest": self._entry()}

    def to_yaml(self) -> str:
        """The shortest storm as an entry of scenarios.yaml."""
        written: str = yaml.safe_dump(
            [self._entry()], allow_unicode=True, sort_keys=False, default_flow_style=None, width=160
        )
        return written

    def _entry(self) -> dict[str, Any]:
        return {
            "name": f"storm {self.seed}",
            "contact": self.shortest.contact.model_dump(exclude_none=True),
            "events": [each.model_dump(exclude_defaults=True) for each in self.shortest.events],
        }


class StormPlayer:
    """Plays storms of journeys on a cloud that has remembered a state, and checks the invariants of each contact."""

    def __init__(self, cloud: LocalCloud, promised: Promised) -> None:
        self._cloud = cloud
        self._promised = promised

    def play(self, storms: Mapping[str, ScenarioFile]) -> dict[str, list[Observed]]:
        """Play the files on one timeline from the beginning: journey → what became of each scenario. Raises as a Rehearsal does."""
        self._cloud.reset(min(file.start for file in storms.values()))
        Rehearsal(self._cloud, storms).run()
        items = DynamoContactItems(self._cloud.client("dynamodb"), self._cloud.access.contacts_table)
        calls = self._cloud.providers.calls
        found: dict[str, list[Observed]] = {}
        for journey, file in storms.items():
            for scenario in file.scenarios:
                rows = items.everything(ids.contact_id("user_id", scenario.contact.user_id))
                keys = {row["message_key"] for row in rows if str(row["sk"]).startswith("message#")}
                own = [call for call in calls if call.message_key in keys]
                seen = Observed(journey, scenario, file, self._cloud.default_zone, rows, own, self._promised)
                found.setdefault(journey, []).append(seen)
        return found


class UntilRed:
    """Looks for a storm of one journey that breaks an invariant."""

    def __init__(self, player: StormPlayer, journey: str, storms: Storms) -> None:
        self._player = player
        self._journey = journey
        self._storms = storms

    def search(
        self, *, first: int, most: int, longest: timedelta, clock: Clock, progress: Callable[[int], None]
    ) -> tuple[Red | None, int]:
        """The first storm from the seed ``first`` on that is red, of ``most`` at the most, and how many were played.

        No round begins once ``longest`` has passed on ``clock``; ``progress`` is called with the number played.
        """
        begun, played = clock(), 0
        while played < most and (played == 0 or clock() - begun < longest):
            seeds = range(first + played, first + min(played + STORMS_AT_ONCE, most))
            storms = {seed: self._storms.of_seed(seed) for seed in seeds}
            for seed, found in zip(seeds, self._play(list(storms.values())), strict=True):
                if found:
                    return Red(seed, found, self._shortest(storms[seed], found)), played + len(seeds)
            played += len(seeds)
            progress(played)
        return None, played

    def _shortest(self, storm: Scenario, found: Sequence[str]) -> Scenario:
        """The storm with as few events as still break one of the same invariants; all that lack one event are played together."""
        names = _names(found)
        while storm.events:
            fewer = [
                played_by_another(each, index, self._storms.draws) for index, each in enumerate(without_each(storm))
            ]
            red = [each for each, seen in zip(fewer, self._play(fewer), strict=True) if names & _names(seen)]
            if not red:
                break
            storm = red[0].model_copy(update={"contact": storm.contact})
        return storm

    def _play(self, scenarios: list[Scenario]) -> list[list[str]]:
        file = self._storms.file.model_copy(update={"scenarios": scenarios})
        return [broken(each) for each in self._player.play({self._journey: file})[self._journey]]


def _names(found: Sequence[str]) -> set[str]:
    return {line.partition(":")[0] for line in found}
