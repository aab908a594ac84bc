"""What a deployment would do with the contacts in its journeys, and what it is refused for."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import pytest

from tests.fakes.changes import FakeChanges, FakeStageMachines
from tests.fakes.published_journeys import JOURNEY
from tests.fakes.world import World
from waypost.authoring.hops import compiled
from waypost.journeys.changes.change import Act
from waypost.journeys.changes.flow import Flow
from waypost.journeys.changes.plan_change import PlanChange, PlannedJourney, WantedJourney
from waypost.journeys.machine_versions import journey_and_version, machine_name, version_of

FOLDER: Final = f"statemachines/journeys/{JOURNEY}"
DAY_3, DAY_5, DAY_4 = "Until day 3", "Until day 5", "Until day 4"
Step = tuple[str, Mapping[str, Any]]


def machine(*steps: Step, assign: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The compiled machine of Pauses and messages, one after the other, inside a body."""
    states: dict[str, Any] = {"Begin well": {"Type": "Pass", "Assign": dict(assign or {"x": 1}), "Next": steps[0][0]}}
    for index, (name, payload) in enumerate(steps):
        function = "SendMessage" if "message" in payload else "PauseJourney"
        states[name] = {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Arguments": {
                "FunctionName": f"${{{function}}}",
                "Payload": {**payload, "context": "{% $states.context %}"},
            },
            **({"Next": steps[index + 1][0]} if index + 1 < len(steps) else {"End": True}),
        }
    body = {"StartAt": "Begin well", "States": states}
    whole = {"Type": "Parallel", "Branches": [body], "End": True}
    return compiled({"QueryLanguage": "JSONata", "StartAt": "The body", "States": {"The body": whole}})


def pause(name: str, **payload: Any) -> Step:
    return name, {"for": "2d", **payload}


def send(message: str, **payload: Any) -> Step:
    return f"Send {message}", {"message": message, **payload}


FORMER = (pause(DAY_3), send("reminder"), pause(DAY_5), send("thanks"))


class Stage:
    """A stage with versions of the usual journey, and contacts that wait in them."""

    def __init__(self, **versions: Sequence[Step]) -> None:
        self.world = World()
        self.changes = FakeChanges()
        made = {(JOURNEY, name): machine(*steps) for name, steps in versions.items()}
        self.machines = FakeStageMachines(made, at=self.world.clock())
        self.number = 0

    def have(self, version: str, state: str, contacts: int = 1, journey: str = JOURNEY) -> None:
        for _ in range(contacts):
            self.number += 1
            self.world.have_contact(f"c-{self.number}", identities={})
            known = self.world.have_enrolment(f"c-{self.number}", machine_version=version, journey=journey)
            if state:
                self.world.park(known, {"for": "2d"}, state)

    def plan(self, *wanted: WantedJourney, removed: Mapping[str, str] | None = None) -> dict[str, PlannedJourney]:
        planner = PlanChange(
            enrolments=self.world.enrolments, changes=self.changes, machines=self.machines, progress=lambda _: None
        )
        found = planner.plan(wanted, removed or {}, by="ops", now=self.world.clock())
        return {each.journey: each for each in found}


def wanted(
    version: str,
    *steps: Step,
    messages: Sequence[str] = (),
    policies: Mapping[str, Mapping[str, Any]] | None = None,
) -> WantedJourney:
    sent = {str(payload["message"]) for _, payload in steps if "message" in payload}
    return WantedJourney(JOURNEY, version, Flow.of(machine(*steps)), frozenset(sent | {*messages}), policies or {})


def states(plan: PlannedJourney) -> dict[str, tuple[int, str]]:
    return {each.state: (each.waiting, each.act) for version in plan.versions for each in version.states}


def test_nothing_happens_where_nothing_changed() -> None:
    stage = Stage(v1=FORMER)
    stage.have("v1", DAY_3)
    assert stage.plan(wanted("v1", *FORMER)) == {}


def test_contacts_at_pauses_that_are_still_there_go_on_in_the_new_version() -> None:
    stage = Stage(v1=FORMER)
    stage.have("v1", DAY_3, 3)
    stage.have("v1", DAY_5, 2)
    stage.have("v1", "", 4)

    plan = stage.plan(wanted("v2", *FORMER[:3], send("survey")))[JOURNEY]

    assert states(plan) == {DAY_3: (3, "follow"), DAY_5: (2, "follow")}
    assert [version.walking for version in plan.versions] == [4]
    assert plan.waiting == 9
    assert plan.refusals == []
    assert plan.change is not None
    assert plan.change.act_for("v1", DAY_3) == Act("follow", to=DAY_3, visit="1")


def test_a_pause_that_is_gone_is_refused_until_a_policy_is_named() -> None:
    stage = Stage(v1=FORMER)
    stage.have("v1", DAY_5, 1_200)
    changed = (*FORMER[:2], pause(DAY_4), send("thanks"))

    (refusal,) = stage.plan(wanted("v2", *changed))[JOURNEY].refusals
    assert refusal.startswith(
        f"{FOLDER}/definition.asl.yaml: {DAY_5}: was removed or renamed, and 1,200 contacts wait there"
    )
    assert f"did you mean {DAY_4!r}?" in refusal
    assert "{move: <Pause>}" in refusal

    for policy, act in (
        ({"act": "move", "to": DAY_4, "variables": {}}, "move"),
        ({"act": "stop", "reason": "over"}, "stop"),
        ({"act": "stay"}, "stay"),
    ):
        plan = stage.plan(wanted("v2", *changed, messages=["reminder"], policies={DAY_5: policy}))[JOURNEY]
        assert plan.refusals == []
        assert states(plan) == {DAY_5: (1_200, act)}


def test_a_pause_that_is_gone_and_where_nobody_waits_is_no_matter() -> None:
    stage = Stage(v1=FORMER)
    stage.have("v1", DAY_3)
    assert stage.plan(wanted("v2", *FORMER[:2], send("thanks")))[JOURNEY].refusals == []


def test_a_message_that_is_gone_is_refused_while_somebody_stays_who_gets_it() -> None:
    stage = Stage(v1=FORMER)
    stage.have("v1", DAY_3, 2)
    stage.have("v1", DAY_5)
    changed = (pause(DAY_3), send("survey"), pause(DAY_5), send("thanks"))

    policies = {DAY_3: {"act": "stay"}, DAY_5: {"act": "stay"}}
    (refusal,) = stage.plan(wanted("v2", *changed, policies=policies))[JOURNEY].refusals

    assert refusal.startswith(f"{FOLDER}/messages/reminder: was removed or renamed, and 2 contacts stay at {DAY_3!r}")
    assert stage.plan(wanted("v2", *changed, messages=["reminder"], policies=policies))[JOURNEY].refusals == []


def test_a_move_to_a_state_that_is_no_pause_is_refused_with_the_nearest() -> None:
    stage = Stage(v1=FORMER)
    stage.have("v1", DAY_3)
    move = {"act": "move", "to": "Until day5", "variables": {}}
    (refusal,) = stage.plan(wanted("v2", *FORMER[2:], policies={DAY_3: move}))[JOURNEY].refusals
    assert refusal == (
        f"{FOLDER}/journey.yaml: change.states.{DAY_3}: no Pause of the new version is called 'Until day5' "
        f"(did you mean {DAY_5!r}?)"
    )


def test_a_variable_that_rows_lack_is_refused_unless_it_is_given() -> None:
    stage = Stage(v1=FORMER)
    stage.have("v1", DAY_3, 7)
    steps = (pause(DAY_3), send("reminder", coupon="{% $coupon %}"))
    flow = Flow.of(machine(*steps, assign={"coupon": "WELCOME"}))
    changed = replace(wanted("v2", *steps), flow=flow)

    (refusal,) = stage.plan(changed)[JOURNEY].refusals
    assert "reads $coupon behind" in refusal
    assert "7 contacts do not have" in refusal

    given = {DAY_3: {"act": "move", "to": DAY_3, "variables": {"coupon": "LATE"}}}
    plan = stage.plan(replace(changed, policies=given))[JOURNEY]
    assert plan.refusals == []
    assert plan.change is not None
    assert plan.change.act_for("v1", DAY_3) == Act(
        "move", to=DAY_3, needs=("coupon",), variables={"coupon": "LATE"}, visit="1"
    )


@pytest.mark.parametrize(
    ("occurrence", "visit"),
    [("{% $x %}", "x"), (2, "2"), ("{% $x + 1 %}", None)],
)
def test_visits_of_a_loop_are_counted_by_a_number_or_a_variable(occurrence: Any, visit: str | None) -> None:
    stage = Stage(v1=(pause(DAY_3), send("reminder", round="{% $x %}")))
    stage.have("v1", DAY_3)
    steps = (pause(DAY_3, occurrence=occurrence), send("reminder", round="{% $x %}"))

    plan = stage.plan(wanted("v2", *steps))[JOURNEY]

    if visit is None:
        assert "counts its visits by" in plan.refusals[0]
    else:
        assert plan.refusals == []
        assert plan.change is not None
        act = plan.change.act_for("v1", DAY_3)
        assert act is not None
        assert act.visit == visit


def test_who_was_left_on_an_older_version_stays_there_unless_something_is_said() -> None:
    stage = Stage(v1=FORMER, v2=FORMER)
    stage.have("v1", DAY_3, 2)
    stage.have("v2", DAY_3, 3)

    plan = stage.plan(wanted("v3", *FORMER))[JOURNEY]
    assert [(version.version, version.states[0].act) for version in plan.versions] == [("v1", "stay"), ("v2", "follow")]

    planned = stage.plan(wanted("v3", *FORMER, policies={DAY_3: {"act": "follow"}}))[JOURNEY]
    assert {version.states[0].act for version in planned.versions} == {"follow"}


def test_a_flow_that_was_deployed_before_needs_another_number() -> None:
    stage = Stage(v1=FORMER, v2=FORMER)
    (refusal,) = stage.plan(wanted("v1", *FORMER))[JOURNEY].refusals
    assert refusal.startswith(f"{FOLDER}/journey.yaml: version: this flow was deployed before")


def test_a_deployment_that_died_is_gone_on_with_as_it_was_decided() -> None:
    stage = Stage(v1=FORMER)
    stage.have("v1", DAY_5, 2)
    changed = (*FORMER[:2], pause(DAY_4), send("thanks"))
    policy = {DAY_5: {"act": "move", "to": DAY_4, "variables": {}}}
    begun = stage.plan(wanted("v2", *changed, policies=policy))[JOURNEY].change
    assert begun is not None
    stage.changes.put(begun)
    stage.machines.made[JOURNEY, "v2"] = machine(*changed)

    again = stage.plan(wanted("v2", *changed))[JOURNEY]

    assert again.refusals == []
    assert again.change == begun
    assert states(again) == {DAY_5: (2, "move")}


def test_a_removed_journey_is_refused_while_somebody_is_in_it() -> None:
    stage = Stage(v1=FORMER)
    stage.have("v1", DAY_5, 2)
    stage.have("v1", "")
    renamed = replace(wanted("v9", *FORMER), name=f"{JOURNEY}_2")

    (refusal,) = stage.plan(renamed)[JOURNEY].refusals
    assert refusal.startswith(f"{FOLDER}: the folder is gone or renamed, and 3 contacts are in the journey")
    assert f"did you mean '{JOURNEY}_2'?" in refusal
    assert "closed: true" in refusal

    plan = stage.plan(renamed, removed={JOURNEY: "the season is over"})[JOURNEY]
    assert plan.refusals == []
    assert states(plan) == {DAY_5: (2, "stop")}
    assert plan.change is not None
    assert plan.change.act_for("v1", DAY_3) == Act("stop", reason="the season is over")


def test_a_removed_journey_without_contacts_is_no_matter() -> None:
    assert Stage(v1=FORMER).plan() == {}


def test_a_new_journey_needs_no_policy() -> None:
    plan = Stage().plan(wanted("v1", *FORMER))[JOURNEY]
    assert (plan.now, plan.to_version, plan.versions, plan.change) == ("", "v1", (), None)


def test_the_name_of_a_machine_is_read_back() -> None:
    version = version_of(machine(*FORMER), 1)
    assert journey_and_version(machine_name("new-user-nurture", version)) == ("new-user-nurture", version)
    assert journey_and_version("import-contacts") == ("import-contacts", "")
    assert version != version_of(machine(*FORMER), 2)
    assert version != version_of(machine(*FORMER[:2]), 1)
    assert version == version_of(machine(*FORMER), 1)
