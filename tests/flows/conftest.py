"""The embedded cloud with the synthesized template of this project: one for each worker, brought back for each file."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.project import ROOT, Project
from local.cloud.assembly import Assembly, synthesize
from local.cloud.local_cloud import LocalCloud
from local.project.init_project import copy_sample_content
from tests.flows.projects import link_layers


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """This project, deployed once by this worker."""
    with LocalCloud(tmp_path_factory.mktemp("shared") / "cloud") as cloud:
        cloud.remember()
        yield cloud


@pytest.fixture(scope="module")
def cloud(deployed: LocalCloud) -> LocalCloud:
    """As it was deployed, at rest and at a Monday morning in Shanghai; each test of a file uses contacts of its own."""
    deployed.reset()
    return deployed


@pytest.fixture(autouse=True)
def no_faults_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """A fault that a test planned and did not use up is not the next test's."""
    yield
    if "cloud" in request.fixturenames:
        request.getfixturevalue("cloud").providers.clear_faults()


@pytest.fixture(scope="session")
def changed_assembly(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Callable[[Path], None]], Assembly]:
    """A function that synthesizes this project after a change of its statemachines/, once for all files and runs."""

    def synthesized(change: Callable[[Path], None]) -> Assembly:
        folder = tmp_path_factory.mktemp("project")
        link_layers(folder)
        copy_sample_content(folder)
        change(folder / "statemachines")
        return synthesize(Project.at(folder), ROOT / "out" / "assembly")

    return synthesized
