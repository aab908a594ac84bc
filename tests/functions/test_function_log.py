"""A log line holds what explains a decision, and nothing that is the same on every line."""

import io
import json
from typing import Any

import pytest

from tests.functions.conftest import Deployment
from waypost.aws.function_log import function_log


def test_a_move_is_logged_in_the_line_that_counts_and_once(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    deployment.call("route_events")
    deployment.call("route_events")
    counted = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "EventsRouted" in line]

    moves = [move for line in counted for move in line.get("journeys", [])]
    assert {frozenset(move) for move in moves} == {frozenset({"contact_id", "decisions"})}
    assert "new-user-nurture" in [each["journey"] for move in moves for each in move["decisions"]]


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
