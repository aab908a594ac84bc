"""The embedded cloud with the synthesized template of this project: one for all flow tests that can share."""

from collections.abc import Iterator

import pytest

from local.cloud import LocalCloud


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """Deployed, at rest and at a Monday morning in Shanghai; each test uses contacts of its own and may travel ahead."""
    with LocalCloud(tmp_path_factory.mktemp("shared") / "cloud") as cloud:
        cloud.time.settle()
        yield cloud


@pytest.fixture(autouse=True)
def no_faults_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """A fault that a test planned and did not use up is not the next test's."""
    yield
    if "cloud" in request.fixturenames:
        request.getfixturevalue("cloud").providers.clear_faults()
