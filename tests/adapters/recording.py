"""Every call that an adapter makes of AWS in any test: checked against botocore's model, and noted.

A plug-in of pytest, named by ``tests/conftest.py``. A call that the model forbids fails its test. A run of all tests, or of all
adapters' tests, fails at its end when a call in the source was made by none.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, Final

import pytest
from botocore import xform_name
from botocore.client import BaseClient

from infra.project import ROOT
from tests.adapters.botocore_model import (
    ADAPTERS,
    PROVIDERS,
    SOURCE,
    CallSite,
    RecordedCall,
    call_sites,
    model,
    violations,
)

_CALLS: Final[set[RecordedCall]] = set()
_OF_WORKERS: Final = "aws_calls"
_make_api_call: Final = BaseClient._make_api_call


def _checked(self: Any, operation: str, parameters: Any) -> Any:
    if caller := _adapter():
        service = self.meta.service_model.service_name
        shape = model(service).operation_model(operation).input_shape
        if found := list(violations(shape, parameters, operation)) if shape else []:
            _make_api_call(self, operation, parameters)  # raises what botocore itself refuses, which tests provoke
            raise AssertionError(f"{service} would refuse a call: {'; '.join(found)}")
        _CALLS.add(recorded(caller, xform_name(operation)))
    return _make_api_call(self, operation, parameters)


def _adapter() -> FrameType | None:
    """The innermost frame in an adapter or a channel's provider, if one of them is what calls."""
    frame: FrameType | None = sys._getframe(2)
    while frame and not frame.f_code.co_filename.startswith((str(ADAPTERS), *map(str, PROVIDERS))):
        frame = frame.f_back
    return frame


def recorded(frame: FrameType, method: str) -> RecordedCall:
    """A call from a frame; a comprehension or an inner function belongs to the function around it."""
    file = Path(frame.f_code.co_filename).relative_to(SOURCE).as_posix()
    return RecordedCall(file, frame.f_code.co_qualname.partition(".<locals>")[0], frame.f_lineno, method)


def never_made(sites: list[CallSite], calls: set[RecordedCall]) -> list[CallSite]:
    """The call sites that no call came from."""
    return [site for site in sites if not any(site.made(call) for call in calls)]


@pytest.hookimpl(tryfirst=True)
def pytest_configure() -> None:
    """Look at every call of every client from now on."""
    BaseClient._make_api_call = _checked


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take what a worker has noted."""
    _CALLS.update(RecordedCall(*call) for call in getattr(node, "workeroutput", {}).get(_OF_WORKERS, ()))


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """Hand over what a worker has noted; at the end of a run of all adapters' tests, fail for calls that none made."""
    yield
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[_OF_WORKERS] = [(call.file, call.function, call.line, call.method) for call in _CALLS]
    elif session.exitstatus == pytest.ExitCode.OK:
        missing = never_made(_asked_for(session.config), _CALLS)
        sys.stderr.write("".join(f"\nerror: no test makes the call {site}\n" for site in missing))
        if missing:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _asked_for(config: pytest.Config) -> list[CallSite]:
    """The call sites whose tests all run: nothing is deselected but by mark, and a folder above the tests is asked for."""
    option = config.option
    if option.keyword or option.collectonly or option.deselect or getattr(option, "lf", False):
        return []
    asked = {(config.invocation_params.dir / argument).resolve() for argument in config.args}
    if asked & {ROOT, ROOT / "tests"}:
        return call_sites()
    return call_sites(ADAPTERS) if ROOT / "tests" / "adapters" in asked else []
