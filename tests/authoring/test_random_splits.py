"""Random splits and the hold-out in journey.yaml, and how the flow reads them."""

from pathlib import Path
from typing import Any

import pytest

from local.rehearsal.many_contacts import crowd
from local.rehearsal.scenario_draws import Draw, Draws
from local.rehearsal.scenario_file import ScenarioFile
from local.rehearsal.scenario_names import wrong_names
from tests.authoring.folders import DEFINITION, discovered, problems, states, write
from waypost.authoring.discovery import JourneyFolder

SPLITS = {"offer": {"coupon": 45, "gift": 45, "nothing": 10}, "tone": ["warm", "short"]}
READ = "{% $states.context.Execution.Input.splits.offer = 'gift' and $states.context.Execution.Input.splits.tone in ['warm', 'short'] %}"


def folder(tmp_path: Path, condition: str = READ, **manifest: Any) -> Path:
    def change_flow(definition: dict[str, Any]) -> None:
        inner = states(definition)
        inner["Two days later"] = {**inner["Two days later"], "Next": "Which offer?"}
        del inner["Two days later"]["End"]
        inner["Which offer?"] = {
            "Type": "Choice",
            "Choices": [{"Condition": condition, "Next": "A gift for you"}],
            "Default": "That was all",
        }
        inner["A gift for you"] = {
            **DEFINITION["States"]["Win the contact back"]["Branches"][0]["States"]["Day 1, sorry to see you go"],
            "Next": "That was all",
        }
        inner["That was all"] = {"Type": "Succeed"}

    def change_manifest(content: dict[str, Any]) -> None:
        content.update(manifest)

    return write(tmp_path, definition=change_flow, manifest=change_manifest)


def test_the_flow_reads_what_journey_yaml_splits(tmp_path: Path) -> None:
    found = discovered(folder(tmp_path, splits=SPLITS, holdout=10)).published()
    assert found["splits"] == {"offer": {"coupon": 45, "gift": 45, "nothing": 10}, "tone": {"warm": 1, "short": 1}}
    assert found["holdout"] == {"salt": "win-back", "percent": 10}
    shared = folder(tmp_path / "shared", splits=SPLITS, holdout={"percent": 2.5, "salt": "all-2026"})
    assert discovered(shared).published()["holdout"] == {"salt": "all-2026", "percent": 2.5}


@pytest.mark.parametrize(
    ("condition", "manifest", "expected"),
    [
        (READ, {}, "journey.yaml declares no splits; write splits: {offer: {a: 50, b: 50}} there"),
        (READ, {"splits": {**SPLITS, "last": ["a", "b"]}}, "nothing reads the split 'last' of journey.yaml; a Choice asks"),
        (READ.replace("'gift'", "'gfit'"), {"splits": SPLITS}, "the split 'offer' has no branch 'gfit'; did you mean 'gift'?"),
        (READ.replace("'warm'", "'cold'"), {"splits": SPLITS}, "the split 'tone' has no branch 'cold'"),
        (READ.replace("splits.offer", "splits.offers"), {"splits": SPLITS}, "has no 'offers'; did you mean 'offer'?"),
        (READ, {"splits": {"offer": {"coupon": 45, "gift": 45}}}, "make 100 together, these make 90"),
        (READ, {"splits": {"offer": ["coupon", "coupon"]}}, "the branch 'coupon' is there twice"),
        (READ, {"splits": {"offer": {"coupon": 100}}}, "splits.offer"),
        (READ, {"splits": {"offer": {"coupon": "half", "gift": 50}}}, "expected a percentage from 0 to 100"),
        (READ, {"splits": {"Offer": ["a", "b"]}}, "splits"),
        (READ, {"splits": SPLITS, "holdout": 0}, "expected a percentage greater than 0"),
        (READ, {"splits": SPLITS, "holdout": 120}, "expected a percentage from 0 to 100"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_a_way_out(
    tmp_path: Path, condition: str, manifest: dict[str, Any], expected: str
) -> None:
    found = problems(folder(tmp_path, condition, **manifest))
    assert any(expected in each for each in found), found


# Scenarios


def scenarios(*given: dict[str, Any]) -> ScenarioFile:
    events = [{"at": "day 1 09:00", "event": "subscription_cancelled"}]
    listed = [{"name": f"story {number}", "events": events, **each} for number, each in enumerate(given)]
    return ScenarioFile.model_validate({"start": "2031-03-03T00:30:00+08:00", "scenarios": listed})


@pytest.fixture
def split_journey(tmp_path: Path) -> JourneyFolder:
    return discovered(folder(tmp_path, splits=SPLITS, holdout=10))


def test_a_scenario_that_draws_otherwise_is_given_a_contact_that_does(split_journey: JourneyFolder) -> None:
    wanted = {"draws": {"offer": "nothing", "tone": "warm"}, "held_out": True}
    ((field, reason),) = wrong_names(scenarios({"contact": {"user_id": "lin"}, **wanted}), split_journey)
    assert field == "scenarios[0].contact.user_id"
    better = reason.split("; ")[1].split("'")[1]
    assert Draws.of(split_journey).for_user(better) == Draw({"offer": "nothing", "tone": "warm"}, held_out=True)
    assert not list(wrong_names(scenarios({"contact": {"user_id": better}, **wanted}), split_journey))


def test_draws_that_the_journey_does_not_have_are_refused(split_journey: JourneyFolder) -> None:
    file = scenarios(
        {"contact": {"user_id": "a"}, "draws": {"ofer": "gift"}},
        {"contact": {"user_id": "b"}, "draws": {"offer": "gfit"}},
    )
    reasons = [reason for _, reason in wrong_names(file, split_journey)]
    assert "did you mean 'offer'?" in reasons[0]
    assert "did you mean 'gift'?" in reasons[1]


def test_a_hold_out_that_the_journey_does_not_have_is_refused(tmp_path: Path) -> None:
    journey = discovered(folder(tmp_path, splits=SPLITS))
    ((field, reason),) = wrong_names(scenarios({"contact": {"user_id": "a"}, "held_out": True}), journey)
    assert (field, reason) == ("scenarios[0].held_out", "journey.yaml has no holdout")


def test_each_of_a_crowd_draws_what_its_scenario_draws(split_journey: JourneyFolder) -> None:
    draws = Draws.of(split_journey)
    file = scenarios({"contact": {"user_id": "lin"}}, {"contact": {"user_id": "wei"}})
    many = crowd(file, 60, draws)
    users = [scenario.contact.user_id for scenario in many.scenarios]
    assert len(set(users)) == 60
    for index, user in enumerate(users):
        assert draws.for_user(user) == draws.for_user(file.scenarios[index % 2].contact.user_id)
