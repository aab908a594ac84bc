"""The example of every component runs on the embedded cloud as its scenarios say, and comes to the part it shows."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.cloud.assembly import Assembly
from local.cloud.local_cloud import LocalCloud
from local.project.content_copy import put_in
from local.project.init_project import copy_sample_content
from local.rehearsal.rehearsal import Rehearsal
from local.rehearsal.scenario_file import read_scenarios
from local.rehearsal.scenario_names import wrong_names
from local.rehearsal.scenario_result import ScenarioResult
from waypost.authoring.components import Component, components
from waypost.authoring.discovery import discover

FOUND = components()
NAMES = [each.name for each in FOUND]
FILES = {each.name: read_scenarios(each.path / "scenarios.yaml") for each in FOUND}


def put_in_all(statemachines: Path) -> None:
    """The examples in place of the sample's journeys, with what they need beside."""
    shutil.rmtree(statemachines / "journeys")
    for each in FOUND:
        put_in(each.path, statemachines, each.name)


@pytest.fixture(scope="module")
def rehearsed(
    tmp_path_factory: pytest.TempPathFactory, changed_assembly: Callable[[Callable[[Path], None]], Assembly]
) -> Iterator[dict[str, list[ScenarioResult]]]:
    """Component → what became of its scenarios, all on one timeline."""
    start = min(file.start for file in FILES.values())
    with LocalCloud(
        tmp_path_factory.mktemp("components") / "cloud", assembly=changed_assembly(put_in_all), start=start
    ) as cloud:
        yield Rehearsal(cloud, FILES).run()


@pytest.mark.flow
@pytest.mark.parametrize("name", NAMES)
def test_an_example_happens_as_its_scenarios_say(name: str, rehearsed: dict[str, list[ScenarioResult]]) -> None:
    assert {each.scenario.name: each.differences for each in rehearsed[name]} == {
        each.name: [] for each in FILES[name].scenarios
    }


@pytest.mark.flow
@pytest.mark.parametrize(
    "component", [each for each in FOUND if each.entry.class_ != "trigger"], ids=lambda each: each.name
)
def test_the_part_that_an_example_shows_is_passed(
    component: Component, rehearsed: dict[str, list[ScenarioResult]]
) -> None:
    passed = {state for each in rehearsed[component.name] for state in each.trail}
    assert component.entry.part.manifest == "holdout" or component.entry.shows in passed


def test_every_example_passes_the_checks_of_a_journey(tmp_path: Path) -> None:
    copy_sample_content(tmp_path)
    put_in_all(tmp_path / "statemachines")
    library = discover(tmp_path / "statemachines")
    assert [each.name for each in library.journeys] == sorted(NAMES)
    assert {each.name: list(wrong_names(FILES[each.name], each)) for each in library.journeys} == {
        name: [] for name in sorted(NAMES)
    }
