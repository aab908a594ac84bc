"""Whatever contacts do, and in whichever order, what every journey promises holds; a new journey has storms by itself."""

import sys
from datetime import datetime, timedelta
from functools import cache
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from infra.project import ROOT
from local.cloud.local_cloud import LocalCloud
from local.rehearsal.invariants import Observed, Promised, broken
from local.rehearsal.scenario_file import DeclaredInvariant, ScenarioFile, read_scenarios
from local.rehearsal.storms import Storms
from local.rehearsal.until_red import Red, StormPlayer, UntilRed
from waypost.authoring.discovery import Library, discover
from waypost.clock import clock

pytestmark = pytest.mark.flow

STORMS_EACH = 2
MOMENTS_EACH = 4
JOURNEYS = sorted(path.parent.name for path in (ROOT / "statemachines" / "journeys").glob("*/journey.yaml"))


@cache
def library() -> Library:
    return discover(ROOT / "statemachines")


@cache
def storms_of(journey: str, cloud: LocalCloud) -> Storms:
    [folder] = [each for each in library().journeys if each.name == journey]
    return Storms.of(folder, read_scenarios(folder.path / "scenarios.yaml"), cloud.default_zone)


@pytest.fixture(scope="module")
def player(deployed: LocalCloud) -> StormPlayer:
    return StormPlayer(deployed, Promised(library()))


@settings(
    max_examples=2,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seeds=st.fixed_dictionaries({journey: st.integers(0, sys.maxsize) for journey in JOURNEYS}))
def test_the_invariants_of_every_journey_hold_in_every_storm(
    player: StormPlayer, deployed: LocalCloud, seeds: dict[str, int]
) -> None:
    played = player.play({journey: drawn(storms_of(journey, deployed), seed) for journey, seed in seeds.items()})
    assert {journey: lines for journey, each in played.items() if (lines := lines_of(each))} == {}
    entered = {journey for journey, each in played.items() if any(observed.passages for observed in each)}
    assert len(entered) > len(JOURNEYS) / 2, "most storms come into their journeys"


def drawn(storms: Storms, seed: int) -> ScenarioFile:
    chance = Random(seed)  # noqa: S311 - a storm that comes again for its seed
    few = storms.within(chance.sample(storms.moments, min(MOMENTS_EACH, len(storms.moments))))
    scenarios = [few.draw(chance, index) for index in range(STORMS_EACH)]
    return storms.file.model_copy(update={"scenarios": scenarios})


def lines_of(observed: list[Observed]) -> list[str]:
    return [
        f"{line}\n{each.scenario.model_dump_json(exclude_defaults=True)}" for each in observed for line in broken(each)
    ]


def test_a_promise_that_does_not_hold_is_found_with_its_seed_and_shrunk(
    player: StormPlayer, deployed: LocalCloud
) -> None:
    storms = storms_of("level-up", deployed)
    never = DeclaredInvariant(message="level-reached", never_after="level_reached")
    at_most = DeclaredInvariant(message="level-reached", at_most=0)
    wrong = Storms(
        storms.file.model_copy(update={"invariants": [never, at_most]}), storms.draws, storms.deeds, storms.moments
    )
    first, again = (searched(player, wrong) for _ in range(2))
    assert first is not None
    assert first == again
    assert all(line.startswith("declared: level-reached went out") for line in first.findings)
    assert [each.event for each in first.shortest.events] == ["level_reached"]
    assert f"name: storm {first.seed}" in first.to_yaml()


def searched(player: StormPlayer, storms: Storms) -> Red | None:
    red, _ = UntilRed(player, "level-up", storms).search(
        first=1, most=20, longest=timedelta(minutes=5), clock=clock(), progress=lambda _: None
    )
    return red


def test_a_search_ends_with_its_number_of_storms_or_its_time(player: StormPlayer, deployed: LocalCloud) -> None:
    search = UntilRed(player, "level-up", storms_of("level-up", deployed))
    asked: list[int] = []

    def late() -> datetime:
        asked.append(1)
        return clock()() + len(asked) * timedelta(minutes=1)

    played: list[int] = []
    found = search.search(first=1, most=500, longest=timedelta(minutes=1), clock=late, progress=played.append)
    assert (found, played) == ((None, 20), [20])
