"""Every scenario of every journey happens on the embedded cloud as its file says; a new folder is picked up by itself."""

from functools import cache

import pytest

from infra.project import ROOT
from local.cloud.local_cloud import LocalCloud
from local.rehearsal.rehearsal import Rehearsal
from local.rehearsal.scenario_file import ScenarioFile, read_scenarios
from local.rehearsal.scenario_result import ScenarioResult

pytestmark = pytest.mark.flow

JOURNEYS = ROOT / "statemachines" / "journeys"
FILES = {path.parent.name: path for path in sorted(JOURNEYS.glob("*/scenarios.yaml"))}


@cache
def scenarios() -> dict[str, ScenarioFile]:
    return {journey: read_scenarios(file) for journey, file in FILES.items()}


@pytest.fixture(scope="module")
def rehearsed(deployed: LocalCloud) -> dict[str, list[ScenarioResult]]:
    """Journey → what became of its scenarios; all journeys are rehearsed on one timeline."""
    deployed.reset(min(file.start for file in scenarios().values()))
    results = Rehearsal(deployed, scenarios()).run()
    assert set(deployed.providers.calls_per_key().values()) <= {1}
    return results


@pytest.mark.parametrize(
    ("journey", "name"),
    [(journey, scenario.name) for journey, file in scenarios().items() for scenario in file.scenarios],
)
def test_a_scenario_happens_as_its_file_says(
    journey: str, name: str, rehearsed: dict[str, list[ScenarioResult]]
) -> None:
    [result] = [each for each in rehearsed[journey] if each.scenario.name == name]
    assert result.differences == []


def test_every_journey_has_scenarios() -> None:
    journeys = {path.parent.name for path in JOURNEYS.glob("*/journey.yaml")}
    assert journeys == FILES.keys()
