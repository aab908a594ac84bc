"""A journey cut into hops walks as its author wrote it: the same tasks, payloads and end, on every path."""

import random
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.authoring.hop_walks import Script, as_authored, as_hops, every_script
from tests.authoring.state_machine import Run, StateError
from tests.fakes.published_journeys import journey, published
from tests.fakes.world import World, event
from waypost.authoring.graph import called_function, scopes
from waypost.authoring.hops import compiled, hop_findings
from waypost.authoring.tasks import STANDARD
from waypost.authoring.yaml_reading import read_yaml

PROJECT = Path(__file__).parents[2]
JOURNEYS = {
    path.parent.name: path
    for folder in ("statemachines/journeys", "tests/flows/journeys")
    for path in sorted((PROJECT / folder).glob("*/definition.asl.yaml"))
}
INVOKE = "arn:aws:states:::lambda:invoke"


def definition(name: str) -> dict[str, Any]:
    found: dict[str, Any] = read_yaml(JOURNEYS[name])
    return found


def task(function: str, *, wait: bool = False, **payload: Any) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": f"{INVOKE}.waitForTaskToken" if wait else INVOKE,
        "Arguments": {"FunctionName": f"${{{function}}}", "Payload": {**payload, "context": "{% $states.context %}"}},
    }


def pause(**more: Any) -> dict[str, Any]:
    return task("PauseJourney", wait=True, **{"for": "1d"}) | more


def send(message: str = "hello", **more: Any) -> dict[str, Any]:
    return task("SendMessage", message=message) | more


def machine(start: str, **states: Any) -> dict[str, Any]:
    return {"QueryLanguage": "JSONata", "StartAt": start, "States": states}


def walks_alike(authored: dict[str, Any], *, walks: int = 60, seed: int = 7) -> None:
    """Compare random walks of both forms, each with pauses that end early and hops that come too early."""
    hops = compiled(authored)
    for number in range(walks):
        chance = random.Random(f"{seed}/{number}")  # noqa: S311 - walks, not secrets
        choices = [chance.randrange(1_000_000) for _ in range(80)]

        ends = {index: chance.random() < 0.3 for index in range(80)}
        doubled = {index: chance.randrange(3) if chance.random() < 0.3 else 0 for index in range(80)}
        expected = as_authored(authored, Script(choices))
        assert as_hops(hops, Script(choices)) == expected
        assert as_hops(hops, Script(choices), early=ends.__getitem__, spurious=doubled.__getitem__) == expected


@pytest.mark.parametrize("name", sorted(JOURNEYS))
def test_a_journey_of_this_project_can_be_cut_into_hops(name: str) -> None:
    assert list(hop_findings(definition(name))) == []
    walks_alike(definition(name))


def test_every_path_of_the_nurture_is_the_same_in_hops() -> None:
    authored = definition("new-user-nurture")
    hops = compiled(authored)
    scripts = list(every_script(authored, most=2000))
    assert len(scripts) > 400
    for choices in scripts:
        expected = as_authored(authored, Script(choices))
        assert as_hops(hops, Script(choices)) == expected
        assert (
            as_hops(hops, Script(choices), early=lambda number: number % 2 == 0, spurious=lambda number: number % 3)
            == expected
        )


def test_a_hop_ends_at_each_pause() -> None:
    hops = compiled(definition("new-user-nurture"))
    nothing_happens = [0] * 20
    assert as_hops(hops, Script(nothing_happens)).executions == 1 + len(
        ["day 3", "day 7 or an answer", "day 7 is over"]
    )


def test_no_task_token_is_left() -> None:
    for name in JOURNEYS:
        for scope in scopes(compiled(definition(name))):
            for state in scope.states.values():
                assert not str(state.get("Resource", "")).endswith("waitForTaskToken")


def test_names_of_added_states_fit_and_are_new() -> None:
    long = "Until " + "very " * 15 + "late"
    authored = machine(long[:80], **{long[:80]: pause(Next="Parked"), "Parked": send(End=True)})
    hops = compiled(authored)
    assert all(len(name) <= 80 for name in hops["States"])
    walks_alike(authored)


LOOP = machine(
    "The first round",
    **{
        "The first round": {"Type": "Pass", "Assign": {"round_number": 1}, "Next": "A body with a pause"},
        "A body with a pause": {
            "Type": "Parallel",
            "Branches": [
                machine(
                    "Say hello",
                    **{
                        "Say hello": send(Next="Wait for a day"),
                        "Wait for a day": pause(
                            Arguments={
                                "FunctionName": "${PauseJourney}",
                                "Payload": {
                                    "for": "1d",
                                    "or": {"event": "answered"},
                                    "occurrence": "{% $round_number %}",
                                },
                            },
                            Assign={"interest": "{% $states.result.event.properties.interest %}"},
                            Output={"how": "{% $states.result.outcome %}", "before": "{% $states.input %}"},
                            Next="Interested?",
                        ),
                        "Interested?": {
                            "Type": "Choice",
                            "Choices": [{"Condition": "{% $interest = 'home' %}", "Next": "Enough for today"}],
                            "Default": "Say more",
                        },
                        "Say more": send("{% $string($interest) & $string($states.input) %}", Next="Enough for today"),
                        "Enough for today": {"Type": "Succeed"},
                    },
                )
            ],
            "Catch": [
                {"ErrorEquals": ["GoalReached"], "Assign": {"left": True}, "Next": "Say goodbye"},
                {"ErrorEquals": ["States.ALL"], "Output": "{% $states.errorOutput.Error %}", "Next": "It failed"},
            ],
            "Assign": {"round_number": "{% $round_number + 1 %}"},
            "Next": "Once more?",
        },
        "Once more?": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $round_number < 4 %}", "Next": "A body with a pause"}],
            "Default": "Say goodbye",
        },
        "Say goodbye": send("{% 'goodbye ' & $string($round_number) %}", Next="Wait before the end"),
        "Wait before the end": pause(
            Catch=[
                {
                    "ErrorEquals": ["JourneyExited"],
                    "Assign": {"why": "{% $states.errorOutput.Error %}"},
                    "Output": "{% $states.errorOutput %}",
                    "Next": "Say why",
                },
                {"ErrorEquals": ["EnrolmentNotFound"], "Next": "It failed"},
            ],
            End=True,
        ),
        "Say why": send("{% $why & $states.input.Cause %}", End=True),
        "It failed": {"Type": "Fail", "Error": "{% 'Because ' & $string($states.input) %}"},
    },
)


def test_rounds_through_a_body_begin_at_its_start_again() -> None:
    assert list(hop_findings(LOOP)) == []
    walks_alike(LOOP, walks=300)


def test_a_body_inside_a_body_parks_through_both() -> None:
    inner = machine("Wait inside", **{"Wait inside": pause(Next="Say inside"), "Say inside": send(End=True)})
    catch = [{"ErrorEquals": ["GoalReached"], "Next": "Say the goal"}]
    body = {"Type": "Parallel", "Branches": [inner], "Catch": catch, "Next": "Wait behind"}
    outer = machine(
        "Set a value",
        **{
            "Set a value": {"Type": "Pass", "Assign": {"kept": "{% 'value' %}"}, "Next": "The inner body"},
            "The inner body": body,
            "Say the goal": send("{% $kept %}", End=True),
            "Wait behind": pause(Next="Say behind"),
            "Say behind": send("{% $kept %}", End=True),
        },
    )
    authored = machine(
        "The outer body",
        **{
            "The outer body": {
                "Type": "Parallel",
                "Branches": [outer],
                "Catch": [{"ErrorEquals": ["GoalReached", "JourneyExited"], "Next": "It is left"}],
                "End": True,
            },
            "It is left": send("left", End=True),
        },
    )
    assert list(hop_findings(authored)) == []
    walks_alike(authored, walks=200)


def holding(**more: Any) -> dict[str, Any]:
    """A machine with a Pause inside a Parallel that has ``more``."""
    branch = machine("Wait inside", **{"Wait inside": pause(End=True)})
    return machine("The body", **{"The body": {"Type": "Parallel", "Branches": [branch], "End": True} | more})


MAYBE = machine(
    "Which way?",
    **{
        "Which way?": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $states.input.contact_id = 'c-1' %}", "Next": "Set it"}],
            "Default": "Wait a day",
        },
        "Set it": {"Type": "Pass", "Assign": {"coupon": "A"}, "Next": "Wait a day"},
        "Wait a day": pause(Next="Say it"),
        "Say it": send("{% $coupon %}", End=True),
    },
)


@pytest.mark.parametrize(
    ("authored", "field", "reason"),
    [
        (machine("Wait", Wait=pause(End=True)) | {"TimeoutSeconds": 60}, "TimeoutSeconds", "as long as its Pauses"),
        (machine("Wait", Wait=pause(End=True, TimeoutSeconds=60)), "Wait.TimeoutSeconds", "`for` or `until`"),
        (
            machine(
                "For each",
                **{"For each": {"Type": "Map", "ItemProcessor": machine("Wait", Wait=pause(End=True)), "End": True}},
            ),
            "For each",
            "inside a Map",
        ),
        (
            holding(Branches=[machine("A", A=pause(End=True)), machine("B", B=send(End=True))]),
            "The body.Branches",
            "several branches",
        ),
        (holding(Retry=[{"ErrorEquals": ["ContactNotFound"]}]), "The body.Retry", "put Retry on the tasks inside"),
        (holding(Arguments={"a": 1}), "The body.Arguments", "to variables"),
        (holding(Output="{% $states.input %}"), "The body", "gone after the Pause"),
        (
            machine("Set", Set={"Type": "Pass", "Assign": {"round": 1}, "Next": "Wait"}, Wait=pause(End=True)),
            "States",
            r"\$round is a function of JSONata.*round_number",
        ),
        (MAYBE, "Wait a day", r"\$coupon may have no value when a contact waits here"),
        (
            machine("Say", Say=send("{% $states.context.Execution.StartTime %}", End=True)),
            "Say",
            "Execution.Input.enrolled_at",
        ),
    ],
)
def test_what_cannot_be_cut_is_refused_with_the_state_and_a_way_out(
    authored: dict[str, Any], field: str, reason: str
) -> None:
    ((found, why),) = hop_findings(authored)
    assert found == field
    assert re.search(reason, why)


def test_a_variable_that_is_set_again_before_it_is_read_is_not_carried() -> None:
    authored = machine(
        "Set both",
        **{
            "Set both": {"Type": "Pass", "Assign": {"kept": 1, "replaced": 1}, "Next": "Wait"},
            "Wait": pause(Assign={"replaced": "{% $states.result.outcome %}"}, Next="Say both"),
            "Say both": send("{% $string($kept) & $replaced %}", End=True),
        },
    )
    [waiting] = [scope.states["Wait"] for scope in scopes(compiled(authored)) if "Wait" in scope.states]
    assert waiting["Arguments"]["Payload"]["row"]["variables"] == {"kept": "{% $kept %}"}
    walks_alike(authored)


SEND_THEN_FAIL = machine(
    "The body",
    **{
        "The body": {
            "Type": "Parallel",
            "Branches": [machine("Say it", **{"Say it": send(End=True)})],
            "Catch": [{"ErrorEquals": ["UnknownMessage"], "Next": "It is unknown"}],
            "Next": "It is done",
        },
        "It is done": {"Type": "Succeed"},
        "It is unknown": {"Type": "Fail", "Error": "Unknown", "Cause": "{% $states.input.Cause %}"},
    },
)


@pytest.mark.parametrize(
    ("error", "end", "closed"),
    [
        ("", "SUCCEEDED", {"outcome": "completed"}),
        ("HopSuperseded", "SUCCEEDED", None),
        (
            "TemporarilyUnavailable",
            "FAILED TemporarilyUnavailable",
            {
                "outcome": "interrupted",
                "error": "TemporarilyUnavailable",
                "cause": 'at "Say it": because',
                "state": "The body",
            },
        ),
        (
            "States.Timeout",
            "FAILED States.Timeout",
            {"outcome": "interrupted", "error": "States.Timeout", "cause": 'at "Say it": because', "state": "The body"},
        ),
        (
            "ContactNotFound",
            "FAILED ContactNotFound",
            {"outcome": "failed", "error": "ContactNotFound", "cause": 'at "Say it": because', "state": "The body"},
        ),
        (
            "UnknownMessage",
            "FAILED Unknown",
            {"outcome": "failed", "error": "Unknown", "cause": 'at "Say it": because', "state": "It is unknown"},
        ),
    ],
)
def test_an_error_closes_the_enrolment_unless_it_may_pass_or_another_hop_walks(
    error: str, end: str, closed: dict[str, str] | None
) -> None:
    closings = []

    def task_(name: str, arguments: Any) -> Any:
        if arguments["FunctionName"] == "${SendMessage}" and error:
            raise StateError(error, "because")
        if arguments["FunctionName"] == "${CloseEnrolment}":
            closings.append({key: value for key, value in arguments["Payload"].items() if key != "context"})
        return {"Payload": {"status": "over"}}

    hops = compiled(SEND_THEN_FAIL, transient=STANDARD.retried_errors)
    try:
        Run(task_, {"contact_id": "c-1", "hop": {"id": "h-1"}}).run(hops)
        ended = "SUCCEEDED"
    except StateError as failed:
        ended = f"FAILED {failed.name}"
    assert (ended, closings) == (end, [] if closed is None else [closed])


CHOOSE = {"Type": "Choice", "Choices": [{"Condition": "{% 'x' + 1 > 1 %}", "Next": "Say it"}], "Default": "Say it"}
SAY_IT = {"Say it": send(End=True)}
BARE = {
    "a Choice": machine("Wrong", Wrong=CHOOSE, **SAY_IT),
    "a Choice without a way": machine(
        "Wrong",
        Wrong={"Type": "Choice", "Choices": [{"Condition": "{% 1 = 2 %}", "Next": "Say it"}]},
        **SAY_IT,
    ),
    "a Pass": machine("Wrong", Wrong={"Type": "Pass", "Output": "{% 'x' + 1 %}", "Next": "Say it"}, **SAY_IT),
    "a Succeed": machine(
        "Say it", Wrong={"Type": "Succeed", "Output": "{% 'x' + 1 %}"}, **{"Say it": send(Next="Wrong")}
    ),
    "a Pause's Assign": machine("Wrong", Wrong=pause(Assign={"word": "{% 'x' + 1 %}"}, Next="Say it"), **SAY_IT),
    "a Pause's Output": machine("Wrong", Wrong=pause(Output="{% 'x' + 1 %}", Next="Say it"), **SAY_IT),
}


def within(inner: dict[str, Any]) -> dict[str, Any]:
    return machine("The body", **{"The body": {"Type": "Parallel", "Branches": [inner], "End": True}})


@pytest.mark.parametrize("around", [0, 1, 2])
@pytest.mark.parametrize("kind", sorted(BARE))
def test_what_fails_where_no_catch_can_be_closes_the_enrolment_and_names_the_state(kind: str, around: int) -> None:
    world = World(published=published(journey()))
    world.route(event("registered", world.clock(), "e-1", coupon="GLOW15"))
    (enrolment,) = world.enrolments
    authored = BARE[kind]
    for _ in range(around):
        authored = within(authored)
    closings = []

    def task_(name: str, arguments: Any) -> Any:
        if arguments["FunctionName"] == "${CloseEnrolment}":
            closings.append(arguments["Payload"])
        return {"Payload": {"status": "over", "result": {"outcome": "elapsed"}}}

    with pytest.raises(StateError) as failed:
        Run(task_, {"contact_id": "c-1", "hop": {"id": "h-1"}}).run(
            compiled(authored, transient=STANDARD.retried_errors)
        )
    [closing] = closings
    world.close(enrolment, closing["outcome"], **{field: closing[field] for field in ("state", "error", "cause")})
    failure = world.stored(enrolment).failure
    assert failure is not None
    assert (failure.state, failure.error) == ("Wrong", failed.value.name)
    assert failure.error in {"States.QueryEvaluationError", "States.NoChoiceMatched"}
    assert failure.cause
    assert not failure.cause.startswith("An error")


def test_a_machine_whose_states_can_all_be_caught_is_not_enclosed() -> None:
    assert "The whole journey" not in compiled(SEND_THEN_FAIL)["States"]
    assert "The whole journey" not in compiled(definition("new-user-nurture"))["States"]


def test_a_goal_that_nothing_catches_names_its_pause_in_an_enclosed_machine() -> None:
    closings = []

    def task_(name: str, arguments: Any) -> Any:
        if arguments["FunctionName"] == "${CloseEnrolment}":
            closings.append(arguments["Payload"])
        if name == "Wrong":
            return {"Payload": {"status": "left", "error": "JourneyExited", "cause": "because"}}
        return {"Payload": {"status": "over"}}

    authored = machine("Wrong", Wrong=pause(Assign={"word": "{% $states.result.outcome %}"}, Next="Say it"), **SAY_IT)
    with pytest.raises(StateError, match="JourneyExited"):
        Run(task_, {"contact_id": "c-1", "hop": {"id": "h-1"}}).run(compiled(authored))
    [closing] = closings
    assert (closing["error"], closing["cause"]) == ("JourneyExited", 'at "Wrong": because')


def test_a_doubled_first_hop_does_nothing() -> None:
    asked = []

    def task_(name: str, arguments: Any) -> Any:
        asked.append(name)
        return {"Payload": {"status": "parked"}}

    Run(task_, {"contact_id": "c-1", "hop": {"id": "h-1"}}).run(compiled(SEND_THEN_FAIL))
    assert asked == ["Begin"]


@st.composite
def scope(draw: st.DrawFn, depth: int, prefix: str) -> dict[str, Any]:
    """A random scope: tasks, pauses, choices that may go back (at most three rounds), bodies inside."""
    count = draw(st.integers(2, 6))
    names = [f"{prefix}step {index}" for index in range(count)]
    counter, word = (
        f"{prefix.strip() or 'outer'}_round".replace(" ", "_"),
        f"{prefix.strip() or 'outer'}_word".replace(" ", "_"),
    )
    states: dict[str, Any] = {
        f"{prefix}first step": {"Type": "Pass", "Assign": {counter: 1, word: "w"}, "Next": names[0]},
    }
    errors = [
        {"ErrorEquals": ["UnknownMessage", "ContactNotFound", "EnrolmentNotFound"], "Next": f"{prefix}failed step"}
    ]
    for index, name in enumerate(names):
        following = {"Next": names[index + 1]} if index + 1 < count else {"End": True}
        round_number: dict[str, Any] = {"occurrence": f"{{% $string($states.context.none) & $string(${counter}) %}}"}
        match draw(st.sampled_from(["send", "pause", "pause or", "choice", "update", "body", "segment"])):
            case "send":
                states[name] = task("SendMessage", message=f"{{% ${word} %}}", **round_number) | following
            case "pause":
                states[name] = task("PauseJourney", wait=True, **{"for": "1d"}, **round_number) | following
                if draw(st.booleans()):
                    states[name]["Output"] = {
                        "how": "{% $states.result.outcome %}",
                        "was": "{% $exists($states.input) %}",
                    }
            case "pause or":
                states[name] = (
                    task("PauseJourney", wait=True, **{"for": "1d", "or": {"event": "e"}}, **round_number) | following
                )
                states[name]["Assign"] = {word: "{% 'w' & $string($states.result.event.properties.interest) %}"}
                if draw(st.booleans()):
                    states[name]["Catch"] = [{"ErrorEquals": ["JourneyExited"], "Next": f"{prefix}failed step"}]
            case "choice" if "Next" in following:
                back = names[draw(st.integers(0, index))]
                again = f"{name} again"
                states[name] = {
                    "Type": "Choice",
                    "Choices": [{"Condition": f"{{% ${counter} < 3 %}}", "Next": again}],
                    "Default": following["Next"],
                }
                states[again] = {"Type": "Pass", "Assign": {counter: f"{{% ${counter} + 1 %}}"}, "Next": back}
            case "segment":
                states[name] = (
                    task("EvaluateSegment", segment="s") | {"Output": "{% $states.result.Payload %}"} | following
                )
            case "body" if depth < 2:
                catch = [{"ErrorEquals": ["GoalReached"], "Next": f"{prefix}failed step"}]
                body = draw(scope(depth + 1, f"{name} in "))
                states[name] = {"Type": "Parallel", "Branches": [body], "Catch": catch} | following
            case _:
                states[name] = task("UpdateContact", add_tags=[f"{{% ${word} %}}"]) | {"Catch": errors} | following
    states[f"{prefix}failed step"] = draw(
        st.sampled_from(
            [
                {"Type": "Fail", "Error": "ItFailed"},
                {"Type": "Succeed"},
                {"Type": "Pass", "Comment": "done", "End": True},
            ]
        )
    )
    return machine(f"{prefix}first step", **states)


@given(authored=scope(0, ""))
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_any_journey_walks_alike(authored: dict[str, Any]) -> None:
    if any(called_function(state) == "PauseJourney" for each in scopes(authored) for state in each.states.values()):
        assert list(hop_findings(authored)) == []
        walks_alike(authored, walks=6)
