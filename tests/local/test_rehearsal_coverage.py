"""What the scenarios of a journey reached of its states, branches and guards, and what the command does with it."""

import json
from collections.abc import Mapping, Sequence

import pytest
from typer.testing import CliRunner

from local.commands.app import app
from local.commands.tables import coverage_lines
from local.problems import LocalError
from local.rehearsal import journey_scenarios
from local.rehearsal.coverage import Branch, Coverage, Share, coverage_of, refuse_percent
from local.rehearsal.scenario_result import Passage, ScenarioResult
from tests.local.test_rehearsal_summary import decision, result
from tests.reports.nurture import BODY, GRAPH
from waypost.authoring.journey_graphs import graph_of
from waypost.sending.judge import all_guards

LEFT = ("Welcome", "Wait", "Left")
REMINDED = ("Welcome", "Wait", "Answered?", "Which?", "Remind", "Wait again")


def passed(*trail: str, outcome: str = "completed") -> ScenarioResult:
    found = result(decision("late", "deferred", "quiet_hours"))
    found.passages[:] = [Passage("nurture", (BODY, *trail), outcome)]
    return found


def covered(*results: ScenarioResult) -> Coverage:
    return coverage_of(GRAPH, results, guards=all_guards())


def test_what_no_scenario_reached_is_named() -> None:
    found = covered(passed(*REMINDED), passed(*LEFT, outcome="exited"))
    states, branches = {step.name for step in GRAPH.steps}, set(found.missing_branches)
    reached = {BODY, *REMINDED, *LEFT}
    assert set(found.missing_states) == states - reached - set(found.only_failures)
    assert found.states == Share(len(reached), len(states) - len(found.only_failures))
    assert found.branches.reached == found.branches.of - len(branches) > 0
    assert not {each for each in branches if (each.source, each.target) == ("Answered?", "Which?")}
    assert not found.reaches(100)
    assert found.reaches(min(found.states.percent, found.branches.percent))


def test_nothing_is_reached_by_who_never_entered() -> None:
    found = covered(result(ends="none"))
    assert (found.states.reached, found.branches.reached) == (0, 0)
    assert found.reaches(0)
    assert not found.reaches(1)


def test_a_guard_counts_what_it_held_back() -> None:
    found = covered(passed("Welcome"), passed("Welcome"))
    assert found.guards == (("quiet_hours", 2),)
    reasons = {reason.name for guard in all_guards() for reason in guard.reasons}
    assert set(found.silent_guards) == reasons - {"quiet_hours"}


def test_what_only_a_failure_leads_to_counts_in_no_share() -> None:
    body = {
        "Type": "Parallel",
        "Branches": [{"StartAt": "Ask", "States": {"Ask": {"Type": "Pass", "End": True}}}],
        "Catch": [
            {"ErrorEquals": ["GoalReached"], "Next": "Thank"},
            {"ErrorEquals": ["States.ALL"], "Next": "Broken"},
        ],
        "Next": "Done",
    }
    ends = {"Thank": {"Type": "Succeed"}, "Done": {"Type": "Succeed"}, "Broken": {"Type": "Fail"}}
    graph = graph_of("nurture", {"StartAt": "Body", "States": {"Body": body, **ends}}, version=1)
    found = coverage_of(graph, [passed("Ask", "Done")], guards=())
    assert found.only_failures == ("Broken",)
    assert found.states == Share(3, 4)
    assert found.missing_branches == (Branch("Body", "Thank", "GoalReached"),)
    assert coverage_of(graph, [passed("Ask", "Done"), passed("Ask", "Thank")], guards=()).reaches(100)


def test_two_conditions_to_one_state_are_one_branch() -> None:
    choice = {
        "Type": "Choice",
        "Choices": [{"Condition": "{% $a %}", "Next": "End"}, {"Condition": "{% $b %}", "Next": "End"}],
        "Default": "Other",
    }
    states = {"Which": choice, "End": {"Type": "Succeed"}, "Other": {"Type": "Succeed"}}
    graph = graph_of("nurture", {"StartAt": "Which", "States": states}, version=1)
    found = coverage_of(graph, [], guards=())
    assert [(each.source, each.target) for each in found.missing_branches] == [("Which", "End"), ("Which", "Other")]
    assert " or " in found.missing_branches[0].on


def test_a_share_is_rounded_down() -> None:
    assert Share(199, 200).percent == 99
    assert Share(0, 0).percent == 100


@pytest.mark.parametrize("percent", [-1, 101])
def test_a_percentage_out_of_bounds_is_refused(percent: int) -> None:
    with pytest.raises(LocalError, match="--at-least"):
        refuse_percent(percent)


def test_the_lines_name_every_gap() -> None:
    found = covered(passed(*LEFT, outcome="exited"))
    shown = "\n".join(line.plain for line in coverage_lines(found))
    assert all(f"never reached: {name}" in shown for name in found.missing_states)
    assert all(f"never taken: {each.source} → {each.target}" in shown for each in found.missing_branches)
    assert "quiet_hours 1" in shown


@pytest.fixture
def _rehearsed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rehearsal that runs on no cloud: every scenario is as expected and reached only the start."""

    def rehearse(files: Mapping[str, object], **_: object) -> dict[str, Sequence[ScenarioResult]]:
        return {journey: [result(ends="none")] for journey in files}

    monkeypatch.setattr(journey_scenarios, "rehearse", rehearse)


@pytest.mark.usefixtures("_rehearsed")
@pytest.mark.parametrize(
    ("options", "status"), [((), 0), (("--coverage",), 0), (("--at-least", "0"), 0), (("--at-least", "100"), 1)]
)
def test_the_command_fails_below_the_share_that_is_asked_for(options: Sequence[str], status: int) -> None:
    ran = CliRunner().invoke(app, ["rehearse", "new-user-nurture", *options])
    assert ran.exit_code == status, ran.output
    assert ("never reached" in ran.output) == bool(options)


@pytest.mark.usefixtures("_rehearsed")
def test_the_answer_for_machines_has_the_coverage() -> None:
    ran = CliRunner().invoke(app, ["rehearse", "new-user-nurture", "--at-least", "1", "--json"])
    answer = json.loads(ran.stdout)
    assert ran.exit_code == 1
    assert [each["journey"] for each in answer["coverage"]] == ["new-user-nurture"]
    assert answer["coverage"][0]["states"]["reached"] == 0
    assert len(answer["scenarios"]) == 1
