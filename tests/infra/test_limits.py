"""Two hundred journeys stay within what CloudFormation takes, and none of them moves when others come or go."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from infra import stack
from infra.app import synthesize
from infra.project import Project
from tests.infra.generated_journeys import COMBINATIONS, write_journeys
from tests.infra.template import NO_BUNDLING, Template, nested, read_json, whole
from waypost.authoring.discovery import JourneyFolder, Library, discover

STACK = "waypost-dev"
JOURNEYS = 200
MOST_RESOURCES = 500
MOST_PARAMETERS = MOST_OUTPUTS = 200
MOST_BYTES = 1_000_000
MOST_OF_A_POLICY = 10_240  # characters without spaces, of all policies of a role
MOST_JOURNEYS_OF_A_STACK = 100


@dataclass(frozen=True)
class Synthesized:
    """An assembly: its templates by nested stack (the outer one under ""), and all of them as one."""

    parts: Mapping[str, Mapping[str, Any]]
    whole: Template

    def homes(self) -> dict[str, str]:
        """Journey machine → nested stack."""
        return {
            resource["Properties"]["StateMachineName"]: name
            for name, part in self.parts.items()
            for resource in part["Resources"].values()
            if resource["Type"] == "AWS::StepFunctions::StateMachine" and "generated" in str(resource["Properties"])
        }


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Library]:
    """A project with one journey for each combination of tasks, as long as the longest real ones."""
    folder = tmp_path_factory.mktemp("generated")
    write_journeys(folder / "statemachines", len(COMBINATIONS), days=12)
    return Project.at(folder), discover(folder / "statemachines")


def synthesized(generated: tuple[Project, Library], count: int, output: Path) -> Synthesized:
    """The project with the first ``count`` of its journeys, each a copy of one of the few that were written."""
    project, few = generated

    def copied(number: int) -> JourneyFolder:
        return replace(few.journeys[number % len(few.journeys)], name=f"generated-{number:03}")

    def with_copies(*arguments: Any, **options: Any) -> Library:
        return replace(discover(*arguments, **options), journeys=tuple(map(copied, range(count))))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(stack, "discover", with_copies)
        synthesize(project=project, context=NO_BUNDLING, output=output)
    outer = read_json(output / f"{STACK}.template.json")
    return Synthesized({"": outer, **nested(output, outer)}, whole(output, STACK))


@pytest.fixture(scope="module")
def many(generated: tuple[Project, Library], tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    """Two hundred journeys."""
    return synthesized(generated, JOURNEYS, tmp_path_factory.mktemp("many"))


@pytest.fixture(scope="module")
def few(generated: tuple[Project, Library], tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    """The first eight of them."""
    return synthesized(generated, 2 * len(COMBINATIONS), tmp_path_factory.mktemp("few"))


def test_every_template_is_within_the_limits_of_cloudformation(many: Synthesized) -> None:
    for name, part in many.parts.items():
        assert len(part["Resources"]) <= MOST_RESOURCES, name
        assert len(part.get("Parameters", {})) <= MOST_PARAMETERS, name
        assert len(part.get("Outputs", {})) <= MOST_OUTPUTS, name
        assert len(json.dumps(part, ensure_ascii=False, indent=1).encode()) <= MOST_BYTES, name


def test_every_journey_is_there_and_no_nested_stack_is_crowded(many: Synthesized) -> None:
    homes = many.homes()

    journeys = {machine.rpartition("--")[0] for machine in homes}  # the rest is the version of the flow
    assert journeys == {f"{STACK}-generated-{number:03}" for number in range(JOURNEYS)}
    assert len(homes) == JOURNEYS
    assert "" not in homes.values()
    crowds = [list(homes.values()).count(home) for home in set(homes.values())]
    assert max(crowds) <= MOST_JOURNEYS_OF_A_STACK / 2, "twice as many journeys must fit too"


def test_a_journey_stays_where_it_is_when_others_come(many: Synthesized, few: Synthesized) -> None:
    assert few.homes().items() <= many.homes().items()


def test_roles_do_not_grow_with_journeys(many: Synthesized, few: Synthesized) -> None:
    assert len(many.whole.all("IAM::Role")) == len(few.whole.all("IAM::Role"))


def test_no_policy_of_a_role_is_too_long(many: Synthesized) -> None:
    for role in many.whole.all("IAM::Role"):
        written = "".join(json.dumps(statement, separators=(",", ":")) for statement in many.whole.statements(role))
        assert len(written) <= MOST_OF_A_POLICY, role


def test_what_a_nested_stack_is_given_fits_into_its_parameters(many: Synthesized) -> None:
    for resource in many.parts[""]["Resources"].values():
        if resource["Type"] == "AWS::CloudFormation::Stack":
            for name, value in resource["Properties"]["Parameters"].items():
                assert isinstance(value, dict), f"{name} is no reference, and may be longer than 4,096 bytes"
