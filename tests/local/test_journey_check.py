"""``waypost journey check``: one journey or each of them, with scenarios; what is wrong in one hides nothing of another."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from infra.project import Project
from local.commands.app import app
from local.problems import LocalError
from local.project.journey_check import check_journeys
from local.rehearsal.journey_scenarios import read_journey_scenarios, rehearsable, rehearse
from tests.authoring.folders import write
from waypost.authoring.discovery import survey

SCENARIO: dict[str, Any] = {
    "name": "cancels",
    "contact": {"user_id": "u-1"},
    "events": [{"at": "day 1 09:00", "event": "Subscription Cancelled"}],
    "expect": {
        "messages": [{"message": "sorry", "channel": "sms"}],
        "trail": ["Day 1, sorry to see you go", "Two days later"],
        "ends": "completed",
    },
}


def scenario(**changes: Any) -> dict[str, Any]:
    return {**SCENARIO, **changes}


def expecting(**changes: Any) -> dict[str, Any]:
    return scenario(expect={**SCENARIO["expect"], **changes})


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Two journeys, each with one scenario."""
    statemachines = write(tmp_path)
    shutil.copytree(statemachines / "journeys" / "win-back", statemachines / "journeys" / "win-again")
    manifest = statemachines / "journeys" / "win-again" / "journey.yaml"
    manifest.write_text(
        manifest.read_text(encoding="utf-8").replace("name: win-back", "name: win-again"), encoding="utf-8"
    )
    for name in ("win-back", "win-again"):
        tell(statemachines, name, SCENARIO)
    (tmp_path / "cdk.json").write_text(json.dumps({"context": {}}), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return Project.at(tmp_path)


def tell(statemachines: Path, journey: str, *scenarios: dict[str, Any]) -> None:
    content = {"start": "2031-03-03T00:00:00+08:00", "scenarios": list(scenarios)}
    (statemachines / "journeys" / journey / "scenarios.yaml").write_text(
        yaml.safe_dump(content, allow_unicode=True), encoding="utf-8"
    )


def damage(project: Project, journey: str) -> None:
    """Give the message a variable that may be missing."""
    file = project.journeys / journey / "messages" / "sorry" / "sms.zh-CN.txt"
    file.write_text("【店】{{ contact.first_name }} 回T退订", encoding="utf-8")


def test_each_journey_is_counted_with_its_scenarios(project: Project) -> None:
    checked = check_journeys(project)
    assert checked.is_right
    assert [(each.name, each.messages, each.scenarios) for each in checked.journeys] == [
        ("win-again", 2, 1),
        ("win-back", 2, 1),
    ]


def test_a_broken_journey_hides_nothing_of_another(project: Project) -> None:
    damage(project, "win-again")
    tell(project.statemachines, "win-back", expecting(messages=[{"message": "sory"}]))
    found = {each.name: each.problems for each in check_journeys(project).journeys}
    [first], [second] = found["win-again"], found["win-back"]
    assert first.startswith(
        "statemachines/journeys/win-again/messages/sorry/sms.zh-CN.txt: contact.first_name may be unknown"
    )
    assert second == (
        "statemachines/journeys/win-back/scenarios.yaml: scenarios[0].expect.messages[0].message: "
        "no folder in messages/ is called 'sory'; did you mean 'sorry'?"
    )


def change(project: Project, journey: str, **fields: Any) -> None:
    """Change fields of journey.yaml."""
    file = project.journeys / journey / "journey.yaml"
    written = yaml.safe_load(file.read_text(encoding="utf-8")) | fields
    file.write_text(yaml.safe_dump(written, allow_unicode=True), encoding="utf-8")


def warned(project: Project, journey: str) -> list[str]:
    [checked] = check_journeys(project, journey).journeys
    assert checked.problems == []
    place = f"statemachines/journeys/{journey}/"
    assert all(warning.startswith(place) for warning in checked.warnings)
    return [warning.removeprefix(place) for warning in checked.warnings]


def test_a_journey_without_anything_odd_has_no_warnings(project: Project) -> None:
    assert warned(project, "win-back") == []


@pytest.mark.parametrize(
    "ending", [{"goal": {"event": "subscription_cancelled"}}, {"exit_on": ["subscription_cancelled"], "goal": None}]
)
def test_a_journey_that_its_own_trigger_ends_is_a_warning(project: Project, ending: dict[str, Any]) -> None:
    change(project, "win-back", **ending)
    definition = project.journeys / "win-back" / "definition.asl.yaml"
    if ending["goal"] is None:
        flow = yaml.safe_load(definition.read_text(encoding="utf-8"))
        del flow["States"]["Win the contact back"]["Catch"][0], flow["States"]["Thank you, order received"]
        definition.write_text(yaml.safe_dump(flow, allow_unicode=True, sort_keys=False), encoding="utf-8")
    [warning] = warned(project, "win-back")
    assert "subscription_cancelled starts the journey too" in warning
    assert warning.startswith("journey.yaml: goal" if ending["goal"] else "journey.yaml: exit_on[0]")


def test_what_a_rule_of_a_journey_cannot_mean_is_a_warning(project: Project) -> None:
    entry = {"all": [{"event": "order_plced"}, {"not": {"journey": "win-bakc"}}]}
    where = {"property": "event.coupon", "equals": "BACK10"}
    change(project, "win-back", entry=entry, goal={"event": "order_placed", "where": where})
    assert sorted(warned(project, "win-back")) == [
        "journey.yaml: entry.all[0].event: no other file names the event 'order_plced'; did you mean 'order_placed'?",
        "journey.yaml: entry.all[1].not.journey: there is no journey 'win-bakc' here, so nobody is in it; did you mean 'win-back'?",
        "journey.yaml: goal.where.property: asks for 'coupon' inside a property called 'event'; the event's own is 'coupon'",
    ]


def test_a_character_that_makes_an_sms_longer_is_named(project: Project) -> None:
    file = project.journeys / "win-back" / "messages" / "sorry" / "sms.en.txt"
    name = "{{ contact.first_name | default('you') }}"
    file.write_text(f"We’re sorry {name} – come back. Reply STOP to opt out. {'x' * 90}", encoding="utf-8")
    [warning] = warned(project, "win-back")
    assert warning.startswith(
        "messages/sorry/sms.en.txt: has ’ (right single quotation mark; write \"'\"), – (en dash; write '-')"
    )
    assert warning.endswith("3 parts instead of 1")


def test_warnings_do_not_fail_the_command(project: Project) -> None:
    change(project, "win-back", entry={"event": "order_plced"})
    result = CliRunner().invoke(app, ["journey", "check", "win-back"])
    assert result.exit_code == 0
    assert "! statemachines/journeys/win-back/journey.yaml: entry.event" in result.output.replace("\n", "")
    document = json.loads(CliRunner().invoke(app, ["journey", "check", "win-back", "--json"]).output)
    assert len(document["journeys"][0]["warnings"]) == 1


@pytest.mark.parametrize(("target", "status"), [(None, 1), ({"metric": "orders", "at_least": 0.1}, 0)])
def test_a_strict_check_fails_for_what_a_marketer_would_not_want(
    project: Project, target: dict[str, Any] | None, status: int
) -> None:
    if target is not None:
        change(project, "win-back", target=target)
    result = CliRunner().invoke(app, ["journey", "check", "win-back", "--strict"])
    assert result.exit_code == status
    assert ("(no_target)" in result.output.replace("\n", "")) == bool(status)


def test_one_journey_is_judged_alone(project: Project) -> None:
    damage(project, "win-again")
    assert check_journeys(project, "win-back").is_right
    assert not check_journeys(project, "win-again").is_right
    with pytest.raises(LocalError, match="there is no journey 'win-bck'"):
        check_journeys(project, "win-bck")


def test_what_all_journeys_share_is_shown_too(project: Project) -> None:
    (project.statemachines / "sending.yaml").write_text("defualt_locale: en\n", encoding="utf-8")
    checked = check_journeys(project, "win-back")
    [problem] = checked.elsewhere
    assert problem.startswith("statemachines/sending.yaml: defualt_locale: unknown field")
    assert not checked.is_right


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (expecting(messages=[{"message": "sorry", "channel": "email"}]), "scenarios[0].expect.messages[0].channel: the message 'sorry' has no email; it has sms"),
        (scenario(events=[{"at": "day 1", "event": "subscription_cancelled"}, {"at": "day 2", "opens": "sory"}]), "scenarios[0].events[1].opens: no folder in messages/ is called 'sory'; did you mean 'sorry'?"),
        (scenario(events=[{"at": "day 1", "event": "subscription_cancelled"}, {"at": "day 2", "opens": "sorry"}]), "scenarios[0].events[1].opens: the message 'sorry' goes by sms, where nothing reports that somebody opens"),
        (expecting(trail=["Two days latr"]), "scenarios[0].expect.trail[0]: the journey has no state 'Two days latr'; did you mean 'Two days later'?"),
        (scenario(events=[{"at": "day 1", "event": "subscription_canceled"}]), "scenarios[0].events: none of them is 'subscription_cancelled', which starts the journey; did you mean it instead of 'subscription_canceled'?"),
        (scenario(events=[{"at": "day 1", "event": "order_placed"}]), "none of them is 'subscription_cancelled', which starts the journey"),
    ],
)  # fmt: skip
def test_a_scenario_names_what_its_journey_has(project: Project, changes: dict[str, Any], reason: str) -> None:
    tell(project.statemachines, "win-back", changes)
    [problem] = check_journeys(project, "win-back").journeys[0].problems
    assert problem.endswith(reason)


def test_a_scenario_may_be_about_somebody_who_never_enters(project: Project) -> None:
    quiet = scenario(events=[{"at": "day 1", "event": "page_viewed"}], expect={"messages": [], "ends": "none"})
    tell(project.statemachines, "win-back", quiet)
    assert check_journeys(project, "win-back").is_right


def test_a_broken_scenario_file_is_a_problem_of_its_journey(project: Project) -> None:
    tell(project.statemachines, "win-back")
    [problem] = check_journeys(project, "win-back").journeys[0].problems
    assert problem.startswith(
        "statemachines/journeys/win-back/scenarios.yaml: scenarios: list should have at least 1 item"
    )


def test_each_problem_of_a_scenario_file_has_a_line(project: Project) -> None:
    wrong = scenario(events=[{"at": "1 10:00", "event": "registered"}], expect={"ends": "complete"})
    tell(project.statemachines, "win-back", wrong)
    problems = check_journeys(project, "win-back").journeys[0].problems
    place = "statemachines/journeys/win-back/scenarios.yaml: scenarios[0]."
    assert [each.partition(": expected")[0] for each in problems] == [f"{place}events[0].at", f"{place}expect.ends"]


def test_the_command_says_which_journey_is_wrong_and_exits_with_1(project: Project) -> None:
    damage(project, "win-again")
    run = CliRunner().invoke(app, ["journey", "check"], env={"NO_COLOR": "1", "TERM": "dumb"})
    assert run.exit_code == 1
    assert "✗ win-again\n  statemachines/journeys/win-again/" in run.output
    assert "✓ win-back: 2 messages, 1 scenarios" in run.output
    alone = CliRunner().invoke(app, ["journey", "check", "win-back", "--json"])
    assert alone.exit_code == 0
    [win_back] = json.loads(alone.output)["journeys"]
    [no_target] = win_back.pop("lint")
    assert win_back == {"name": "win-back", "messages": 2, "scenarios": 1, "problems": [], "warnings": []}
    assert no_target.startswith("statemachines/journeys/win-back/journey.yaml: target: is missing")


def test_a_rehearsal_does_not_start_with_a_wrong_name(project: Project) -> None:
    tell(project.statemachines, "win-back", expecting(messages=[{"message": "sory"}]))
    with pytest.raises(LocalError, match="did you mean 'sorry'"):
        rehearse({"win-back": read_journey_scenarios("win-back")}, step=lambda _: None)


def test_a_rehearsal_leaves_out_another_journey_that_is_wrong_and_names_it(project: Project, tmp_path: Path) -> None:
    tell(project.statemachines, "win-back", expecting())
    damage(project, "win-again")
    files = {"win-back": read_journey_scenarios("win-back")}
    steps: list[str] = []
    found = rehearsable(files, tmp_path / "rehearsal", steps.append)
    assert steps == ["leaving out win-again, which is wrong: waypost journey check win-again"]
    assert (found.out, found.stage) == (project.out, project.stage)
    assert sorted(path.name for path in found.journeys.iterdir()) == ["win-back"]
    assert check_journeys(found).is_right
    assert (project.journeys / "win-again").is_dir()


def test_a_rehearsal_in_the_product_itself_leaves_a_wrong_journey_out_too(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There the project's operations are those that are shipped: the copy must not bring them a second time."""
    product = tmp_path / "product"
    shutil.copytree(project.product / "statemachines" / "operations", product / "statemachines" / "operations")
    shutil.copytree(project.product / "statemachines" / "notices", product / "statemachines" / "notices")
    shutil.copytree(project.statemachines, product / "statemachines", dirs_exist_ok=True)
    (product / "functions").symlink_to(project.product / "functions")
    inside = replace(project, folder=product, product=product)
    monkeypatch.setattr("local.rehearsal.journey_scenarios.current_project", lambda: inside)
    tell(inside.statemachines, "win-back", expecting())
    damage(inside, "win-again")
    files = {"win-back": read_journey_scenarios("win-back")}
    found = rehearsable(files, tmp_path / "rehearsal", lambda _: None)
    shipped = product / "statemachines" / "operations"
    library, problems = survey(found.statemachines, functions=product / "functions", shipped_operations=shipped)
    assert problems == []
    assert "start-journey" in [each.name for each in library.operations]


def test_a_journey_that_is_asked_for_is_never_left_out(project: Project, tmp_path: Path) -> None:
    tell(project.statemachines, "win-back", expecting())
    damage(project, "win-back")
    steps: list[str] = []
    assert rehearsable({"win-back": read_journey_scenarios("win-back")}, tmp_path, steps.append) == project
    assert not steps


def test_a_hold_out_that_holds_nothing_back_is_pointed_out(project: Project) -> None:
    folder = project.journeys / "win-back"
    with (folder / "journey.yaml").open("a", encoding="utf-8") as file:
        file.write("holdout: 10\n")
    assert not any("hold" in each for each in check_journeys(project, "win-back").journeys[0].warnings)
    message = folder / "messages" / "sorry" / "message.yaml"
    message.write_text(message.read_text(encoding="utf-8").replace("marketing", "transactional"), encoding="utf-8")
    (warning,) = [each for each in check_journeys(project, "win-back").journeys[0].warnings if "holdout" in each]
    assert "holds nothing back" in warning
