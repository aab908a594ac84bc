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
    CLIENT,
    PROVIDERS,
    SOURCE,
    CallSite,
    RecordedCall,
    call_sites,
    model,
    violations,
)
from waypost.aws.json_services.client import JsonClient
from waypost.aws.json_services.services import Operation

_CALLS: Final[set[RecordedCall]] = set()
_OF_WORKERS: Final = "aws_calls"
_make_api_call: Final = BaseClient._make_api_call
_called: Final = JsonClient._called
OF_PROVIDERS: Final = frozenset({"SendBulkEmail", "SendEmail", "SendRcsMessage", "SendTextMessage"})


def _checked(self: Any, operation: str, parameters: Any) -> Any:
    if caller := _adapter():
        if found := _forbidden(self.meta.service_model.service_name, operation, parameters):
            _make_api_call(self, operation, parameters)  # raises what botocore itself refuses, which tests provoke
            raise AssertionError(found)
        _CALLS.add(recorded(caller, xform_name(operation)))
    return _make_api_call(self, operation, parameters)


def _checked_without_botocore(self: JsonClient, operation: Operation, **parameters: Any) -> dict[str, Any]:
    if caller := _adapter():
        if found := _forbidden(self.meta.service_name, operation.name, parameters):
            if operation.name in OF_PROVIDERS:
                _called(self, operation, **parameters)  # raises what the provider itself refuses, which tests provoke
            raise AssertionError(found)
        _CALLS.add(recorded(caller, xform_name(operation.name)))
    return _called(self, operation, **parameters)


def _forbidden(service: str, operation: str, parameters: Any) -> str:
    """What the model forbids of a call; empty if nothing."""
    shape = model(service).operation_model(operation).input_shape
    found = list(violations(shape, parameters, operation)) if shape else []
    return f"{service} would refuse a call: {'; '.join(found)}" if found else ""


def _adapter() -> FrameType | None:
    """The innermost frame in an adapter or a channel's provider, if one of them is what calls; the client itself is none."""
    frame: FrameType | None = sys._getframe(2)
    while frame and (
        frame.f_code.co_filename.startswith(str(CLIENT))
        or not frame.f_code.co_filename.startswith((str(ADAPTERS), *map(str, PROVIDERS)))
    ):
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
    JsonClient._called = _checked_without_botocore  # type: ignore[method-assign]


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
