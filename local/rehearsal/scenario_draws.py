"""What a journey draws for the contacts of its scenarios: known before they are played. Used by checks, rehearsals and crowds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Self

from pydantic import ValidationError

from local.project.current_project import current_project
from local.rehearsal.scenario_file import Scenario
from waypost import ids
from waypost.authoring.discovery import JourneyFolder
from waypost.authoring.manifest import JourneyManifest
from waypost.authoring.problems import unknown
from waypost.authoring.yaml_reading import UnclearYamlError, read_yaml
from waypost.journeys.draws import drawn
from waypost.journeys.published import PublishedJourney

_TRIES: Final = 100_000
"""User ids that are tried for a wanted draw; a branch of 0.01 % comes up in ten thousand."""


@dataclass(frozen=True, slots=True)
class Draw:
    """The branch of each random split, and whether the contact is in the hold-out."""

    splits: Mapping[str, str]
    held_out: bool


@dataclass(frozen=True, slots=True)
class Draws:
    """What the journey draws; a journey that is not ``known``, because its manifest is wrong, draws nothing."""

    journey: PublishedJourney | None

    @classmethod
    def of(cls, journey: JourneyFolder) -> Self:
        """Those of a journey that passed its checks."""
        return cls(PublishedJourney.from_dict(journey.published()))

    @classmethod
    def named(cls, name: str) -> Self:
        """Those of a journey of the project, whatever else is wrong with it; the checks say what is."""
        try:
            manifest = JourneyManifest.model_validate(read_yaml(current_project().journeys / name / "journey.yaml"))
        except (ValidationError, UnclearYamlError):
            return cls(None)
        return cls(PublishedJourney.from_dict(manifest.published(name)))

    def for_user(self, user_id: str) -> Draw:
        """What is drawn for the contact that is first seen under this user id."""
        if self.journey is None:
            return Draw({}, held_out=False)
        contact_id = ids.contact_id("user_id", user_id)
        splits, holdout = self.journey.splits, self.journey.holdout
        return Draw(
            drawn(contact_id, self.journey.name, splits), held_out=holdout is not None and holdout.has(contact_id)
        )

    def user_drawing(self, wanted: Draw, user_id: str) -> str | None:
        """A user id that begins like this one and draws that; None where so many tries have not found one."""
        candidates = (f"{user_id}-{number}" for number in range(1, _TRIES))
        return next((each for each in candidates if self.for_user(each) == wanted), None)


def wrong_draws(scenario: Scenario, draws: Draws, where: str) -> Iterator[tuple[str, str]]:
    """What a scenario says of the draws that is not so, with a user id for which it is."""
    declared = draws.journey.splits if draws.journey else {}
    broken = False
    for split, branch in scenario.draws.items():
        if split not in declared:
            broken = True
            yield f"{where}.draws", unknown(split, declared, "journey.yaml declares no split")
        elif branch not in declared[split]:
            broken = True
            yield f"{where}.draws.{split}", unknown(branch, declared[split], f"the split {split!r} has no branch")
    if scenario.held_out and (draws.journey is None or draws.journey.holdout is None):
        broken = True
        yield f"{where}.held_out", "journey.yaml has no holdout"
    if broken:
        return
    found = draws.for_user(scenario.contact.user_id)
    held_out = found.held_out if scenario.held_out is None else scenario.held_out
    wanted = Draw({**found.splits, **scenario.draws}, held_out)
    if found == wanted:
        return
    says = [f"{split}: {found.splits[split]}" for split in scenario.draws] + ["held_out: true"] * found.held_out
    better = draws.user_drawing(wanted, scenario.contact.user_id)
    hint = f"; {better!r} draws what is wanted" if better else "; no user id near it draws what is wanted"
    yield (
        f"{where}.contact.user_id",
        f"{scenario.contact.user_id!r} draws {', '.join(says) or 'no hold-out'}{hint}",
    )
