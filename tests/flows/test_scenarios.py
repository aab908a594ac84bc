"""Every scenario of every journey happens on the embedded cloud as its file says; a new folder is picked up by itself."""

from functools import cache
from pathlib import Path

import pytest

from infra.project import ROOT
from local.cloud import LocalCloud
from local.rehearsal import Rehearsal
from local.scenario_result import Told
from local.scenarios import ScenarioFile, read_scenarios

pytestmark = pytest.mark.flow

JOURNEYS = ROOT / "statemachines" / "journeys"
FILES = {path.parent.name: path for path in sorted(JOURNEYS.glob("*/scenarios.yaml"))}


@cache
def scenarios(journey: str) -> ScenarioFile:
    return read_scenarios(FILES[journey])


@pytest.fixture(scope="session")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Told]]:
    """Journey → what became of its scenarios; each journey is rehearsed once, when its first scenario is asked for."""
    return {}


@pytest.mark.parametrize(
    ("journey", "name"),
    [(journey, scenario.name) for journey in FILES for scenario in scenarios(journey).scenarios],
)
def test_a_scenario_happens_as_its_file_says(
    journey: str, name: str, rehearsed: dict[str, list[Told]], tmp_path: Path
) -> None:
    if journey not in rehearsed:
        file = scenarios(journey)
        with LocalCloud(tmp_path / "cloud", start=file.start) as cloud:
            rehearsed[journey] = Rehearsal(cloud, file, journey=journey).run()
            assert set(cloud.providers.calls_per_key().values()) <= {1}
    [told] = [each for each in rehearsed[journey] if each.scenario.name == name]
    assert told.differences == []


def test_every_journey_has_scenarios() -> None:
    journeys = {path.parent.name for path in JOURNEYS.glob("*/journey.yaml")}
    assert journeys == FILES.keys()
