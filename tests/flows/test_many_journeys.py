"""Forty journeys deploy, each in its nested stack, and run; an update leaves the machines that did not change alone."""

import shutil
from pathlib import Path

import pytest

from infra.app import synthesize
from infra.project import Project
from local.cloud.assembly import Assembly, read_assembly
from local.cloud.local_cloud import LocalCloud
from tests.flows.projects import link_layers
from tests.flows.steps import accepted, introduce, rows
from tests.infra.generated_journeys import write_journeys
from waypost.journeys.machine_versions import journey_and_version

pytestmark = pytest.mark.flow
JOURNEYS = 40


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with forty journeys and nothing else."""
    folder = tmp_path_factory.mktemp("many")
    link_layers(folder)
    write_journeys(folder / "statemachines", JOURNEYS, days=2)
    return folder


def assembly(project: Path, name: str) -> Assembly:
    """The synthesized project."""
    synthesize(project=Project.at(project), context={"target": "host"}, output=project / name)
    return read_assembly(project / name)


def machines(cloud: LocalCloud) -> dict[str, str]:
    """The machines of journeys: name → when it was made."""
    pages = cloud.client("stepfunctions").get_paginator("list_state_machines").paginate()
    found = [each for page in pages for each in page["stateMachines"] if "generated" in each["name"]]
    names = [journey_and_version(each["name"].removeprefix("waypost-dev-"))[0] for each in found]
    return {name: str(each["creationDate"]) for name, each in zip(names, found, strict=True)}


def test_forty_journeys_deploy_and_run_and_one_that_goes_takes_only_itself(project: Path) -> None:
    names = {f"generated-{number:03}" for number in range(JOURNEYS)}
    with LocalCloud(project / "cloud", assembly=assembly(project, "all"), keeps_state=True) as cloud:
        made = machines(cloud)
        introduce(cloud, "u-1")
        for number in (0, 17, 39):
            accepted(cloud.tracking.track("u-1", f"order_placed_{number}", {}, at=cloud.clock.now()))
        cloud.time.settle()
        enrolled = {row["journey"] for row in rows(cloud, "u-1", "enrolment").values()}
    assert made.keys() == names
    assert enrolled == {"generated-000", "generated-017", "generated-039"}

    shutil.rmtree(project / "statemachines" / "journeys" / "generated-017")
    with LocalCloud(project / "cloud", assembly=assembly(project, "one less"), keeps_state=True) as again:
        left = machines(again)
    assert left == {name: when for name, when in made.items() if name != "generated-017"}
