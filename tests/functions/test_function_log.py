"""A log line holds what explains a decision, and nothing that is the same on every line."""

import io
import json
from typing import Any

import pytest

from tests.functions.conftest import Deployment
from waypost.aws.function_log import function_log

COMMON = {"level", "message", "timestamp", "function_request_id"}


def test_a_decision_is_logged_without_what_every_line_repeats(deployment: Deployment) -> None:
    deployment.call("route_events")
    deployment.call("route_events")
    routed, before = (
        [line for line in deployment.logged if line["message"] == message]
        for message in ("event routed", "event routed before")
    )

    assert {frozenset(line) for line in routed} == {frozenset({"contact_id", "decisions", *COMMON})}
    assert {frozenset(line) for line in before} == {frozenset({"contact_id", *COMMON})}
    assert (len(routed), len(before)) == (1, 2), "one event decided nothing at first"
    assert "new-user-nurture" in [each["journey"] for line in routed for each in line["decisions"]]


@pytest.mark.parametrize(("sampled", "kept"), [("Sampled=1", True), ("Sampled=0", False)])
def test_a_line_names_its_trace_only_where_one_is_recorded(
    monkeypatch: pytest.MonkeyPatch, sampled: str, kept: bool
) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", f"Root=1-5759e988-bd862e3fe1be46a994272793;{sampled}")
    assert ("xray_trace_id" in _line({})) is kept


def test_a_cold_start_is_named_and_a_warm_one_is_not() -> None:
    assert _line({"cold_start": True})["cold_start"] is True
    assert "cold_start" not in _line({"cold_start": False})


def test_the_time_of_a_line_can_be_read_by_the_platform() -> None:
    assert _line({})["timestamp"].endswith("+00:00")


def _line(extra: dict[str, Any]) -> dict[str, Any]:
    log, written = function_log("test_log"), io.StringIO()
    for handler in log.handlers:
        handler.setStream(written)  # type: ignore[attr-defined]
    log.info("decided", extra=extra)
    line: dict[str, Any] = json.loads(written.getvalue())
    return line
