"""What all tests share: no sockets, except for tests that run on the embedded cloud, and properties without a stopwatch."""

import os
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, settings
from pytest_socket import disable_socket, enable_socket
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

pytest_plugins = ["tests.adapters.recording", "tests.fakes.world_fixtures"]

# A handler reads where its metrics go when it is imported; the stack tells it in the same way.
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "Waypost/test")

# Properties try the same examples every time, and none fails because the machine is busy: Hypothesis would otherwise refuse an
# example that takes 200 ms. `--hypothesis-profile hunt` searches where nothing was searched before.
settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("hunt", settings.get_profile("steady"), derandomize=False, max_examples=2_000)
settings.load_profile("steady")


LONG: Final = ("tests/flows/", "tests/local/", "tests/infra/")
"""Folders whose files take longest, in this order: a worker that begins with them is not the last to end."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """In a run with several workers the tests of a file share one; the files are handed out in the order of collection.

    xdist's own groups have no effect under pytest 9.2, which has no ``_nodeid`` for them to mark.
    """
    config.option.loadscopereorder = False
    scheduler = LoadScopeScheduling(config, log)
    scheduler._split_scope = lambda nodeid: nodeid.partition("::")[0]
    return scheduler


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files come first."""
    items.sort(
        key=lambda item: next((rank for rank, folder in enumerate(LONG) if item.nodeid.startswith(folder)), len(LONG))
    )


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """A unit test that opens a socket fails; a flow may, to this machine."""
    if item.get_closest_marker("flow"):
        enable_socket()
    else:
        disable_socket(allow_unix_socket=True)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser that pages and mails are looked at with; the gate installs it, and a machine without it says what it left out."""
    from local.messages.chromium import find_chromium
    from local.problems import LocalError

    try:
        return find_chromium()
    except LocalError as error:
        pytest.skip(str(error))
