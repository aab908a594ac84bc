"""definition.asl.yaml: the rules it must keep, and what an author reads about a wrong one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.authoring.folders import problems, states, task, write

Change = Callable[[dict[str, Any]], None]
SEND = "Day 1, sorry to see you go"
PAUSE = "Two days later"
BODY = "Win the contact back"
THANKS = "Thank you, order received"


def at(name: str, **fields: Any) -> Change:
    """Change fields of a state; None removes one."""

    def change(definition: dict[str, Any]) -> None:
        state = states(definition).get(name) or definition["States"][name]
        state.update(fields)
        for field in [field for field, value in fields.items() if value is None]:
            del state[field]

    return change


def payload(name: str, function: str, **fields: Any) -> Change:
    """Give a state another payload."""
    return at(name, **task(function, **fields))


def state(name: str, **fields: Any) -> Change:
    """Add a state to the body, between the message and the pause."""

    def change(definition: dict[str, Any]) -> None:
        states(definition)[name] = {"Type": "Pass", "Next": PAUSE, **fields}
        states(definition)[SEND]["Next"] = name

    return change


def top(**fields: Any) -> Change:
    return lambda definition: definition.update(fields)


def both(*changes: Change) -> Change:
    def change(definition: dict[str, Any]) -> None:
        for each in changes:
            each(definition)

    return change


def expression(text: str) -> Change:
    return at(SEND, Assign={"x": text})


def caught(*rows: dict[str, Any]) -> Change:
    return at(SEND, Catch=list(rows))


LOOP = both(
    at(PAUSE, End=None, Next=SEND),
    state("Round over, or again?", Type="Choice", Next=None, Choices=[{"Condition": "{% 1 = 2 %}", "Next": PAUSE}], Default="Enough of it"),
    lambda definition: states(definition)["Round over, or again?"].pop("Next"),
    lambda definition: states(definition).update({"Enough of it": {"Type": "Pass", "End": True}}),
)  # fmt: skip


def test_the_small_journey_is_valid(tmp_path: Path) -> None:
    assert problems(write(tmp_path)) == []


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        # structure
        (top(QueryLanguage="JSONPath"), "QueryLanguage", "expected JSONata, got JSONPath"),
        (top(StartAt="Win the contcat back"), "StartAt", "no state 'Win the contcat back' beside it; did you mean 'Win the contact back'?"),
        (top(StartsAt="x"), "StartsAt", "unknown field 'StartsAt'; did you mean 'StartAt'?"),
        (top(States={}), "States", "expected a mapping of states"),
        (at(SEND, Next="Two day later"), f"{SEND}.Next", "no state 'Two day later' beside it; did you mean 'Two days later'?"),
        (at(SEND, Next="Finished"), f"{SEND}.Next", "no state 'Finished' beside it"),
        (at(SEND, Next=None), f"{SEND}.Next", "expected either Next with the name of a state, or End: true"),
        (at(SEND, End=True), f"{SEND}.Next", "expected either Next"),
        (at(SEND, Type="Tusk"), f"{SEND}.Type", "unknown type 'Tusk'; did you mean 'Task'?"),
        (at(SEND, Type=None), f"{SEND}.Type", "is missing"),
        (at(SEND, Nxt="x"), f"{SEND}.Nxt", "unknown field 'Nxt'; did you mean 'Next'?"),
        (at(SEND, ResultPath="$.x"), f"{SEND}.ResultPath", "belongs to JSONPath"),
        (at(SEND, Type="Wait"), f"{SEND}.Type", "a journey has no Wait"),
        (at(BODY, Branches=[]), f"{BODY}.Branches", "expected a list of branches"),
        (at(BODY, Branches=[{"StartAt": "x"}]), f"{BODY}.Branches[0].States", "is missing"),
        (caught({"ErrorEquals": "InvalidInput", "Next": PAUSE}), f"{SEND}.Catch[0].ErrorEquals", "expected a list of error names"),
        (
            state("Which one, then?", Type="Choice", Choices=[{"Condition": "$x", "Next": PAUSE}]),
            "Which one, then?.Choices[0].Condition",
            "expected an expression",
        ),
        # names and ways
        (state("late"), "late", "not a sentence"),
        (state("send the mail"), "send the mail", "not a sentence"),
        (state("Sendmail"), "Sendmail", "not a sentence"),
        (state("Very, " * 14), "Very, " * 14, "the name has 84 characters; Step Functions allows 80"),
        (state("Finished"), "Finished", "a state of this name exists already"),
        (
            lambda definition: states(definition).update({"Nobody comes here": {"Type": "Pass", "End": True}}),
            "Nobody comes here",
            "no state leads here",
        ),
        (at(PAUSE, End=None, Next=PAUSE, Arguments=task("PauseJourney", **{"for": "1d"}, occurrence="{% $n %}")["Arguments"]),
         SEND, "no end can be reached from here"),
        # time and expressions
        (expression("{% $now() %}"), f"{SEND}.Assign.x", "$now() reads the time"),
        (expression("{% $millis ( ) - 5 %}"), f"{SEND}.Assign.x", "$millis() reads the time"),
        (expression("{% $x = = 1 %}"), f"{SEND}.Assign.x", "not JSONata: "),
        (expression("{% $x"), f"{SEND}.Assign.x", "an expression fills its whole string"),
        (expression("Hello {% $x %}"), f"{SEND}.Assign.x", "an expression fills its whole string"),
        # placeholders
        (at(SEND, Comment="calls ${SendMesage}"), f"{SEND}.Comment", "unknown function 'SendMesage'; did you mean 'SendMessage'?"),
        (at(SEND, Assign={"${SendMessage}": 1}), f"{SEND}.Assign", "never in a name"),
        # tasks
        (at(SEND, Arguments=None), f"{SEND}.Arguments", "expected {FunctionName"),
        (at(SEND, Arguments={"FunctionName": "${SendMessage}"}), f"{SEND}.Arguments.Payload", "is missing"),
        (
            at(SEND, Arguments={"FunctionName": "arn:aws:lambda:x", "Payload": {}}),
            f"{SEND}.Arguments.FunctionName",
            "expected one of ${AssignTask}, ${CallWebhook}, ${EvaluateSegment}, ${IssueCoupon}, ${NotifyStaff}, ${PauseJourney}, ${SendMessage}, ${StartOtherJourney}, ${StopOtherJourney}",
        ),
        (at(SEND, Resource="arn:aws:states:::lambda:invoke.waitForTaskToken"), f"{SEND}.Resource", "expected arn:aws:states:::lambda:invoke for ${SendMessage}"),
        (at(PAUSE, Resource="arn:aws:states:::lambda:invoke"), f"{PAUSE}.Resource", "waitForTaskToken for ${PauseJourney}"),
        (payload(SEND, "SendMessage", message="sory"), f"{SEND}.Arguments.Payload.message", "no folder in messages/ is called 'sory'; did you mean 'sorry'?"),
        (payload(SEND, "SendMessage", mesage="sorry", message="sorry"), f"{SEND}.Arguments.Payload.mesage", "did you mean 'message'?"),
        (payload(SEND, "SendMessage"), f"{SEND}.Arguments.Payload.message", "is missing"),
        (payload(SEND, "SendMessage", message="sorry", channel="email"), f"{SEND}.Arguments.Payload.channel", "the message 'sorry' has no email; it has sms"),
        (payload(SEND, "SendMessage", message="sorry", channel="fax"), f"{SEND}.Arguments.Payload.channel", "expected 'email', 'inbox', 'push', 'robot', 'sms', 'webhook', 'wechat', 'wecom' or 'whatsapp', got 'fax'"),
        (payload(PAUSE, "PauseJourney"), f"{PAUSE}.Arguments.Payload", 'expected one of for: "2d" or until'),
        (payload(PAUSE, "PauseJourney", **{"for": "2d", "until": {"at": "10:00"}}), f"{PAUSE}.Arguments.Payload", "expected one of for"),
        (payload(PAUSE, "PauseJourney", **{"for": "two days"}), f"{PAUSE}.Arguments.Payload.for", "expected a duration such as"),
        (payload(PAUSE, "PauseJourney", **{"for": "365d"}), f"{PAUSE}.Arguments.Payload.for", "expected at most 364d"),
        (payload(PAUSE, "PauseJourney", until={"day": 3}), f"{PAUSE}.Arguments.Payload.until", "expected a time of day"),
        (payload(PAUSE, "PauseJourney", until={"anniversary": "birthday"}), f"{PAUSE}.Arguments.Payload.until", "expected a time of day"),
        (payload(PAUSE, "PauseJourney", until={"date": "ends_at", "hours": -2, "at": "10:00"}), f"{PAUSE}.Arguments.Payload.until", "write one of them"),
        (payload(PAUSE, "PauseJourney", until={"day": 2, "minutes": 5, "at": "10:00"}), f"{PAUSE}.Arguments.Payload.until", "'minutes' counts from a 'date' or a 'property'"),
        (payload(PAUSE, "PauseJourney", until={"date": "a", "property": "b"}), f"{PAUSE}.Arguments.Payload.until", "expected only one of"),
        (payload(PAUSE, "PauseJourney", until={"day": 0, "at": "10:00"}), f"{PAUSE}.Arguments.Payload.until.day", "greater than or equal to 1"),
        (payload(PAUSE, "PauseJourney", until={"day": 3, "at": "10"}), f"{PAUSE}.Arguments.Payload.until.at", "expected a local time such as 09:00"),
        (payload(PAUSE, "PauseJourney", until={"day": 3, "date": "birthday", "at": "10:00"}), f"{PAUSE}.Arguments.Payload.until", "only one of day, workday, date"),
        (payload(PAUSE, "PauseJourney", until={"days": 3, "at": "10:00"}), f"{PAUSE}.Arguments.Payload.until", "for the n-th day of the journey write 'day'"),
        (payload(PAUSE, "PauseJourney", until={"workday": "first", "at": "10:00"}), f"{PAUSE}.Arguments.Payload.until.workday", "expected 'next'"),
        (
            payload(PAUSE, "PauseJourney", **{"for": "2d", "or": {"event": "order_placed", "were": {}}}),
            f"{PAUSE}.Arguments.Payload.or.were",
            "unknown field 'were'; did you mean 'where'?",
        ),
        (
            payload(PAUSE, "PauseJourney", **{"for": "2d", "or": {"event": "order_placed", "where": {"event": "page_viewed"}}}),
            f"{PAUSE}.Arguments.Payload.or.where",
            "looks at the event at hand",
        ),
        (payload(SEND, "UpdateContact"), f"{SEND}.Arguments.Payload", "expected at least one of add_tags, remove_tags, set"),
        (payload(SEND, "UpdateContact", add_tags="vip"), f"{SEND}.Arguments.Payload.add_tags", "expected a list, got 'vip'; write [vip]"),
        (payload(SEND, "UpdateContact", add_tags=[" "]), f"{SEND}.Arguments.Payload.add_tags[0]", "is empty"),
        (payload(SEND, "EvaluateSegment", rule={"tga": "vip"}), f"{SEND}.Arguments.Payload.rule", "did you mean 'tag'"),
        (payload(SEND, "UpdateContact", add_tags=["vip"], context="$states.context"), f"{SEND}.Arguments.Payload.context", 'expected "{% $states.context %}"'),
        # loops
        (LOOP, f"{SEND}.Arguments.Payload.occurrence", "is missing: this state is in a loop"),
        (
            both(LOOP, payload(SEND, "SendMessage", message="sorry", occurrence="{% $n %}")),
            f"{PAUSE}.Arguments.Payload.occurrence",
            "is missing: this state is in a loop",
        ),
        (both(LOOP, payload(PAUSE, "UpdateContact", add_tags=["round"])), SEND, "is in a loop without a Pause"),
        # errors
        (caught({"ErrorEquals": ["InvalidInputs"], "Next": PAUSE}), f"{SEND}.Catch[0].ErrorEquals", "nothing raises 'InvalidInputs'; did you mean 'InvalidInput'?"),
        (at(SEND, Retry=[{"ErrorEquals": ["States.Timeouts"]}]), f"{SEND}.Retry[0].ErrorEquals", "did you mean 'States.Timeout'?"),
        (caught({"ErrorEquals": ["States.ALL"], "Next": PAUSE}), f"{SEND}.Catch[0].Next", "a failure must be able to end in a Fail state"),
        (
            both(caught({"ErrorEquals": ["States.ALL", "InvalidInput"], "Next": "Broken"}), lambda definition: states(definition).update({"Broken": {"Type": "Fail"}})),
            f"{SEND}.Catch[0].ErrorEquals",
            "States.ALL must stand alone and come last",
        ),
        (
            both(at(PAUSE, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Broken"}]), lambda definition: states(definition).update({"Broken": {"Type": "Fail"}})),
            f"{PAUSE}.Catch[0].ErrorEquals",
            "also catches GoalReached and JourneyExited, which are no failures",
        ),
        (at(PAUSE, Retry=[{"ErrorEquals": ["States.ALL"]}]), f"{PAUSE}.Retry[0].ErrorEquals", "would try a contact again that leaves the journey"),
        # leaving
        (at(BODY, Catch=[{"ErrorEquals": ["JourneyExited"], "Next": THANKS}]), f"{BODY}.Catch", "nothing catches GoalReached, which journey.yaml makes possible"),
    ],
)  # fmt: skip
def test_a_wrong_definition_names_the_state_and_the_reason(
    tmp_path: Path, change: Change, field: str, reason: str
) -> None:
    found = problems(write(tmp_path, definition=change))
    start = f"statemachines/journeys/win-back/definition.asl.yaml: {field}: "
    assert [problem for problem in found if problem.startswith(start) and reason in problem], found


def without_body(definition: dict[str, Any]) -> None:
    body = definition["States"].pop(BODY)["Branches"][0]
    definition["StartAt"] = body["StartAt"]
    del definition["States"][THANKS]
    definition["States"].update(body["States"])
    definition["States"][PAUSE] = {**task("PauseJourney", **{"for": "2d"}), "Next": "Finished"}


def test_a_journey_that_is_left_early_needs_a_body(tmp_path: Path) -> None:
    [problem] = problems(write(tmp_path, definition=without_body))
    assert "the steps belong into a Parallel with one branch that catches GoalReached and JourneyExited" in problem


def test_a_journey_that_is_never_left_early_needs_no_body(tmp_path: Path) -> None:
    def runs_to_its_end(manifest: dict[str, Any]) -> None:
        del manifest["exit_on"], manifest["goal"]

    assert problems(write(tmp_path, manifest=runs_to_its_end, definition=without_body)) == []


def test_a_pause_before_the_body_is_refused_and_one_after_leaving_is_not(tmp_path: Path) -> None:
    def before(definition: dict[str, Any]) -> None:
        definition["StartAt"] = "Before everything else"
        definition["States"]["Before everything else"] = {**task("PauseJourney", **{"for": "1d"}), "Next": BODY}

    def after(definition: dict[str, Any]) -> None:
        definition["States"][THANKS]["Next"] = "A week after the order"
        definition["States"]["A week after the order"] = {**task("PauseJourney", **{"for": "7d"}), "Next": "Finished"}

    [problem] = problems(write(tmp_path / "before", definition=before))
    assert "Before everything else: this Pause is outside of 'Win the contact back'" in problem
    assert problems(write(tmp_path / "after", definition=after)) == []


@pytest.mark.parametrize(
    "change",
    [
        payload(PAUSE, "PauseJourney", until={"at": "10:00"}),
        payload(PAUSE, "PauseJourney", until={"workday": "next", "at": "09:00"}),
        payload(PAUSE, "PauseJourney", until={"date": "birthday", "days": -7, "at": "09:00"}),
        payload(PAUSE, "PauseJourney", **{"for": "{% $string(2) & 'd' %}", "or": {"event": "order_placed", "where": {"property": "cart", "equals_trigger": "cart"}}}),
        payload(SEND, "SendMessage", message="{% 'sor' & 'ry' %}"),
        payload(SEND, "SendMessage", message="sorry", channel="{% 'em' & 'ail' %}"),
        payload(SEND, "UpdateContact", set={"tier": "{% 'gold' %}", "points": 5}, remove_tags="{% ['a', 'b'] %}"),
        payload(SEND, "EvaluateSegment", rule={"all": [{"tag": "vip"}, {"event": "order_placed", "at_least": "{% 1 + 1 %}"}]}),
        state("第3天，问卷短信"),
        state("第三天问卷短信"),
        both(LOOP, payload(SEND, "SendMessage", message="sorry", occurrence="{% 1 + 1 %}"), payload(PAUSE, "PauseJourney", **{"for": "1d"}, occurrence="{% 1 + 1 %}")),
        both(caught({"ErrorEquals": ["States.TaskFailed"], "Next": "Could not be sent"}), lambda definition: states(definition).update({"Could not be sent": {"Type": "Fail", "Error": "NotSent"}}),
             at(BODY, Catch=[{"ErrorEquals": ["GoalReached", "JourneyExited"], "Next": THANKS}, {"ErrorEquals": ["NotSent"], "Next": "Broken"}]),
             lambda definition: definition["States"].update({"Broken": {"Type": "Fail"}})),
    ],
)  # fmt: skip
def test_what_an_author_may_want_is_accepted(tmp_path: Path, change: Change) -> None:
    assert problems(write(tmp_path, definition=change)) == []
