"""The synthesized stack, once per session and without building layers; and a scratch copy of the project's folders."""

from pathlib import Path
from typing import Any

import pytest

from infra.app import synthesize
from local.providers.server import choices
from tests.infra.template import NO_BUNDLING, Synthesizer, Template, whole


@pytest.fixture(scope="session")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> Synthesizer:
    """A function that synthesizes the project with more context, and gives the template."""

    def synthesized(**context: Any) -> Template:
        output = tmp_path_factory.mktemp("cdk.out")
        assembly = synthesize(context={**NO_BUNDLING, **choices(), **context}, output=output)
        [stack] = assembly.stacks
        return whole(Path(assembly.directory), stack.id)

    return synthesized


@pytest.fixture(scope="session")
def template(synthesized: Synthesizer) -> Template:
    """The stage dev."""
    return synthesized()


@pytest.fixture(scope="session")
def production(synthesized: Synthesizer) -> Template:
    """The stage prod, with an address that receives the alarms."""
    return synthesized(stage="prod", alarm_email="operators@waypost.example")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that has no journeys yet."""
    (tmp_path / "statemachines" / "journeys").mkdir(parents=True)
    return tmp_path
