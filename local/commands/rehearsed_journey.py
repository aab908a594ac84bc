"""Rehearses the scenarios of one journey with a bar of progress. Used by the commands that judge a journey by them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from local.commands.tables import RehearsalBar
from local.project.current_project import current_project

if TYPE_CHECKING:
    from local.rehearsal.scenario_result import ScenarioResult


def rehearsed_journey(journey: str) -> "Sequence[ScenarioResult]":
    """What became of each scenario. Raises LocalError when the journey has none."""
    from local.cloud.local_cloud import default_zone  # noqa: PLC0415 - it has a cloud of its own
    from local.rehearsal import journey_scenarios  # noqa: PLC0415 - the same

    files = {journey: journey_scenarios.read_journey_scenarios(journey)}
    bar = RehearsalBar(contacts=len(files[journey].scenarios), zone=default_zone(current_project()))
    with bar.progress:
        return journey_scenarios.rehearse(files, step=bar.step, progress=bar)[journey]
