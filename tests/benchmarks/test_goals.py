"""A goal that is missed, or that nothing was measured for, fails the benchmarks."""

from pathlib import Path
from typing import Any, cast

import pytest
from typer.testing import CliRunner

from benchmarks import __main__ as command
from benchmarks import goals
from benchmarks.goals import GOALS, judge

REACHED = {figure: goal.limit for figure, goal in GOALS.items()}
"""Each figure exactly at its limit."""


class Measured:
    """Stands for everything that a run measures."""

    def __init__(self, figures: dict[str, float]) -> None:
        self._figures = figures

    def figures(self) -> dict[str, float]:
        return self._figures

    def to_dict(self) -> dict[str, float]:
        return self._figures


def run(
    figures: dict[str, float], monkeypatch: pytest.MonkeyPatch, folder: Path, *arguments: str
) -> tuple[int, str, str]:
    monkeypatch.setattr(command, "OUT", folder)
    monkeypatch.setattr(command, "_imports", lambda *_: Measured(figures))
    for name in (
        "_calls",
        "_speed",
        "_index",
        "_words",
        "_rate",
        "_memory",
        "_bulk",
        "_rehearsals",
        "_library",
        "_cost",
    ):
        monkeypatch.setattr(command, name, lambda *_: Measured({}))
    monkeypatch.setattr(command, "per_touch", lambda _: {})  # quotas are no goals
    monkeypatch.setattr(command, "arithmetic", lambda _: [])
    result = CliRunner().invoke(command.app, ["--json", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_figures_at_their_limits_pass(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    code, written, errors = run(REACHED | {"start/route_events": 1.5}, monkeypatch, tmp_path)
    assert (code, errors.strip()) == (0, "")
    assert '"figure": "start/route_events"' in written
    assert '"reached": false' not in written


@pytest.mark.parametrize("figure", [*GOALS, "start/route_events"])
def test_each_goal_that_is_missed_fails_the_run_and_is_named(
    figure: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    goal = goals.goal_of(figure)
    worse = goal.limit * (1.01 if goal.relation == "at most" else 0.99)
    code, written, errors = run(REACHED | {figure: worse}, monkeypatch, tmp_path)
    assert code == 1
    assert errors.endswith(f"goals missed: {figure}\n")
    assert written.count('"reached": false') == 1


def test_a_goal_that_nothing_was_measured_for_is_missed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    figures = {figure: value for figure, value in REACHED.items() if figure != "bulk/raw"}
    code, _, errors = run(figures, monkeypatch, tmp_path)
    assert (code, errors.endswith(": bulk/raw\n")) == (1, True)


def test_only_with_fewer_rows_the_memory_of_a_million_is_not_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    figures = {figure: value for figure, value in REACHED.items() if not figure.startswith("memory/")}
    assert run(figures, monkeypatch, tmp_path, "--import-rows", "100000")[0] == 0
    assert run(figures, monkeypatch, tmp_path)[0] == 1


def test_a_figure_without_a_goal_is_refused() -> None:
    with pytest.raises(KeyError):
        judge(cast("Any", {"rule/unheard-of": 1.0}))
