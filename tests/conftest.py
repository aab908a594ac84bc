"""What all tests share: no sockets, except for tests that run on the embedded cloud."""

import os

import pytest
from pytest_socket import disable_socket, enable_socket

# A handler reads where its metrics go when it is imported; the stack tells it in the same way.
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "Waypost/test")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of the embedded cloud stay together on one worker, so that a run starts one cloud."""
    for item in items:
        if item.get_closest_marker("flow"):
            item.add_marker(pytest.mark.xdist_group("embedded cloud"))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """A unit test that opens a socket fails; a flow may, to this machine."""
    if item.get_closest_marker("flow"):
        enable_socket()
    else:
        disable_socket(allow_unix_socket=True)
