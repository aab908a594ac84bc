"""What the synth adds to a definition."""

from pathlib import Path
from typing import Any

from tests.authoring.folders import DEFINITION, discovered, states, task, write
from waypost.authoring.definition import deployed
from waypost.authoring.graph import scopes
from waypost.authoring.tasks import journey_tasks


def test_a_task_gets_the_standard_retry_and_time_limit(tmp_path: Path) -> None:
    body = states(discovered(write(tmp_path)).definition)
    send, pause = body["Day 1, sorry to see you go"], body["Two days later"]
    assert (send["TimeoutSeconds"], pause["TimeoutSeconds"]) == (60, 60)
    [send_retry], [pause_retry] = send["Retry"], pause["Retry"]
    assert {"TemporarilyUnavailable", "ConcurrentUpdate", "Lambda.TooManyRequestsException"} < set(
        send_retry["ErrorEquals"]
    )
    assert "States.Timeout" in send_retry["ErrorEquals"]
    assert send_retry == pause_retry
    waited = sum(min(20, 2 * 2.5**attempt) for attempt in range(send_retry["MaxAttempts"]))
    assert waited < 60, "an Express execution lasts five minutes"


def test_what_an_author_wrote_stays(tmp_path: Path) -> None:
    retry = [{"ErrorEquals": ["Lambda.Unknown"], "MaxAttempts": 1}]

    def own(definition: dict[str, Any]) -> None:
        states(definition)["Day 1, sorry to see you go"].update({"Retry": retry, "TimeoutSeconds": 30})

    send = states(discovered(write(tmp_path, definition=own)).definition)["Day 1, sorry to see you go"]
    assert (send["Retry"], send["TimeoutSeconds"]) == (retry, 30)


def test_only_a_message_behind_the_exits_may_go_to_a_contact_who_left(tmp_path: Path) -> None:
    def one_before_and_one_after(definition: dict[str, Any]) -> None:
        definition["StartAt"] = "A word before"
        definition["States"]["A word before"] = {**task("SendMessage", message="sorry"), "Next": "Win the contact back"}
        definition["States"]["Win the contact back"]["Next"] = "A word at the end"
        definition["States"]["A word at the end"] = {**task("SendMessage", message="sorry"), "Next": "Finished"}

    definition = discovered(write(tmp_path, definition=one_before_and_one_after)).definition
    sends = {**definition["States"], **states(definition)}
    marked = [name for name, each in sends.items() if each.get("Arguments", {}).get("Payload", {}).get("after_exit")]
    assert marked == ["Thank you, order received"]


def test_only_a_message_that_no_catch_stands_around_fails_its_hop() -> None:
    caught = {"Catch": [{"ErrorEquals": ["States.TaskFailed"], "Next": "Sorry"}]}
    left = {"Catch": [{"ErrorEquals": ["GoalReached", "JourneyExited"], "Next": "Thank you"}]}

    def send() -> dict[str, Any]:
        return task("SendMessage", message="sorry")

    def around(name: str) -> dict[str, Any]:
        return {"Type": "Parallel", "Branches": [{"StartAt": name, "States": {name: {**send(), "End": True}}}]}

    authored = {
        "A word before": {**send(), "Next": "Around", **caught},
        "Around": {**around("Caught outside"), "Next": "Body", **caught},
        "Body": {**around("In the body"), "Next": "Thank you", **left},
        "Thank you": {**send(), "End": True},
        "Sorry": {"Type": "Fail"},
    }
    machine = deployed({"StartAt": "A word before", "States": authored}, tasks=journey_tasks())
    sends = {name: each for scope in scopes(machine) for name, each in scope.states.items() if "Arguments" in each}
    marked = {name for name, each in sends.items() if each["Arguments"]["Payload"].get("fails_hop")}
    assert marked == {"In the body", "Thank you"}


def test_the_file_itself_is_left_alone() -> None:
    deployed(DEFINITION, tasks=journey_tasks())
    assert "Retry" not in str(DEFINITION)


def test_a_journey_names_the_functions_it_may_call(tmp_path: Path) -> None:
    assert discovered(write(tmp_path)).functions == ("CloseEnrolment", "PauseJourney", "SendMessage")
