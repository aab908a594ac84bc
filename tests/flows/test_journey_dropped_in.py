"""Journeys nobody here has seen are dropped in as folders: they deploy and run as they say, or are refused with the reason."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from infra.project import ROOT
from local.cloud.assembly import Assembly
from local.cloud.local_cloud import LocalCloud
from local.rehearsal.rehearsal import ALL_JOURNEYS, Rehearsal
from local.rehearsal.scenario_file import ScenarioFile, read_scenarios
from local.rehearsal.scenario_result import ScenarioResult
from tests.flows.dropped_in import DROPPED_IN, drop_in, drop_in_all
from tests.flows.steps import contact_id, decided, items, only, rows, sign_up
from waypost.authoring.discovery import InvalidJourney, discover


@cache
def all_journeys() -> ScenarioFile:
    """The scenarios of all journeys, on one timeline."""
    return read_scenarios(DROPPED_IN / "basket-rescue" / "scenarios.yaml")


@pytest.fixture(scope="module")
def cloud(
    tmp_path_factory: pytest.TempPathFactory, changed_assembly: Callable[[Callable[[Path], None]], Assembly]
) -> Iterator[LocalCloud]:
    """A cloud of its own: it ran with the project as it is, and now runs with some folders more."""
    folder = tmp_path_factory.mktemp("dropped-in")
    with LocalCloud(folder / "cloud", start=all_journeys().start, keeps_state=True) as before:
        sign_up(before, "under-way")
        before.time.settle()
    with LocalCloud(folder / "cloud", assembly=changed_assembly(drop_in_all), keeps_state=True) as cloud:
        cloud.time.settle()
        yield cloud


@pytest.fixture(scope="module")
def rehearsed(cloud: LocalCloud) -> dict[str, ScenarioResult]:
    """Scenario → what became of it."""
    return {
        result.scenario.name: result for result in Rehearsal(cloud, {ALL_JOURNEYS: all_journeys()}).run()[ALL_JOURNEYS]
    }


@pytest.mark.flow
@pytest.mark.parametrize("name", [scenario.name for scenario in all_journeys().scenarios])
def test_a_dropped_in_journey_runs_as_its_scenarios_say(rehearsed: dict[str, ScenarioResult], name: str) -> None:
    assert rehearsed[name].differences == []


@pytest.mark.flow
def test_every_journey_has_its_machine(cloud: LocalCloud) -> None:
    operations, library = (
        {path.name for path in (ROOT / "statemachines" / kind).iterdir()} for kind in ("operations", "journeys")
    )
    assert set(cloud.access.state_machines) == operations | library | {
        "app-greeting",
        "basket-rescue",
        "basket-whisper",
        "season-greeting",
        "vip-greeting",
    }


@pytest.mark.flow
def test_a_journey_that_was_under_way_goes_on(cloud: LocalCloud, rehearsed: dict[str, ScenarioResult]) -> None:
    assert [(each.message, each.outcome) for each in decided(cloud, "under-way")] == [
        ("welcome", "sent"),
        ("interest-survey", "sent"),
    ]


@pytest.mark.flow
def test_a_task_changes_the_contact_with_properties_of_the_event(
    cloud: LocalCloud, rehearsed: dict[str, ScenarioResult]
) -> None:
    profile = only(rows(cloud, "saver", "profile"))
    assert profile["tags"] == ["saved-on-home"]
    assert profile["attributes"]["last_shelf"] == "home"


@pytest.mark.flow
def test_of_two_journeys_in_one_exclusive_group_the_higher_priority_wins(
    cloud: LocalCloud, rehearsed: dict[str, ScenarioResult]
) -> None:
    [decided] = [row["decisions"] for row in rows(cloud, "gold", "routed").values() if row["decisions"]]
    assert [(decision["journey"], decision["reason"]) for decision in decided] == [
        ("basket-rescue", "enrolled"),
        ("basket-whisper", "exclusive_group_taken"),
    ]


@pytest.mark.flow
def test_why_a_contact_was_not_taken_in_is_kept_for_each_event(
    cloud: LocalCloud, rehearsed: dict[str, ScenarioResult]
) -> None:
    assert reasons(cloud, "cheap") == ["trigger_condition_not_met"] * 3
    assert reasons(cloud, "colleague") == reasons(cloud, "regular") == ["entry_rule_not_met"]
    assert reasons(cloud, "again") == [
        "enrolled",
        "enrolled_before",
        "exclusive_group_taken",
        "enrolled_before",
        "enrolled",
    ]


def reasons(cloud: LocalCloud, user_id: str) -> list[str]:
    """What was decided on entering the basket rescue, in the order of events."""
    markers = [row for row in items(cloud).everything(contact_id(user_id)) if str(row["sk"]).startswith("routed#")]
    return [
        decision["reason"]
        for row in sorted(markers, key=lambda row: str(row["routed_at"]))
        for decision in row["decisions"]
        if decision["journey"] == "basket-rescue" and "reason" in decision
    ]


@pytest.mark.flow
def test_the_rounds_of_a_loop_are_messages_of_their_own(
    cloud: LocalCloud, rehearsed: dict[str, ScenarioResult]
) -> None:
    keys = {decision.message_key for decision in rehearsed["is reminded three times"].decisions}
    assert len(keys) == 3
    assert set(cloud.providers.calls_per_key().values()) == {1}


# --- refused -------------------------------------------------------------------------------------------------------------

JOURNEY, DEFINITION = "journey.yaml", "definition.asl.yaml"
MAIL = "messages/reminder/email.zh-CN.mjml"

BROKEN: dict[str, tuple[str, str, str, str, str]] = {
    "a field with a slip": (JOURNEY, "priority: 10", "prioritty: 10", "prioritty", "did you mean 'priority'?"),
    "a missing field": (JOURNEY, "owner: shop team\n", "", "owner", "is missing"),
    "a number in words": (JOURNEY, "version: 3", "version: three", "version", "expected a whole number"),
    "another name than the folder's": (JOURNEY, "name: basket-rescue", "name: rescue", "name", "'basket-rescue'"),
    "an event in capitals": (JOURNEY, "event: basket_abandoned", "event: BasketAbandoned", "trigger.event", "did you mean 'basket_abandoned'?"),
    "an operator with a slip": (JOURNEY, "at_least: 100 }", "at_lest: 100 }", "trigger.where.all[0].at_lest", "did you mean 'at_least'?"),
    "two operators": (JOURNEY, "at_least: 100 }", "at_least: 100, at_most: 900 }", "trigger.where.all[0]", "exactly one operator"),
    "a rule without a key word": (JOURNEY, "- consent: email", "- consents: email", "entry.all[0]", "did you mean 'consent'"),
    "a channel nobody has": (JOURNEY, "- consent: email", "- consent: fax", "entry.all[0].consent", "expected one of email, inbox, push, robot, sms, webhook, wechat, wecom, whatsapp"),
    "a duration in words": (JOURNEY, "within: 5d", "within: five days", "goal.within", "five days"),
    "a trigger that looks at history": (JOURNEY, "- { property: currency, in: [CNY, HKD] }", "- { event: order_placed }", "trigger.where", "earlier events under 'entry'"),
    "a trigger of a kind to come": (JOURNEY, "  event: basket_abandoned", "  schedule: daily", "trigger.schedule", "expected a mapping"),
    "a re-entry nobody knows": (JOURNEY, "re_entry: { per: basket.id }", "re_entry: sometimes", "re_entry", "sometimes"),
    "a manifest that is no YAML": (JOURNEY, "trigger:", "trigger: [", "", ""),
    "a key twice": (JOURNEY, "priority: 10", "priority: 10\npriority: 11", "", "priority"),
    "a state that is not there": (DEFINITION, "Next: Gold or not?", "Next: Gold or no?", "A member of the gold club?.Next", "did you mean 'Gold or not?'?"),
    "a function nobody has": (DEFINITION, 'FunctionName: "${EvaluateSegment}"', 'FunctionName: "${EvaluateSegments}"', "A member of the gold club?.Arguments.FunctionName", "EvaluateSegment"),
    "a message that is not there": (DEFINITION, "message: gold-offer", "message: golden-offer", "An offer for gold members.Arguments.Payload.message", "did you mean 'gold-offer'?"),
    "a channel the message does not have": (DEFINITION, "message: gold-offer", "message: gold-offer, channel: email", "An offer for gold members.Arguments.Payload.channel", "it has sms"),
    "a payload with a slip": (DEFINITION, "for: 1d,", "fore: 1d,", "A day to answer.Arguments.Payload.fore", "did you mean 'for'?"),
    "a pause with two ends": (DEFINITION, "for: 1d,", "for: 1d, until: { at: '10:00' },", "A day to answer.Arguments.Payload", "one of for"),
    "a pause of ten years": (DEFINITION, "for: 1d,", "for: 3650d,", "A day to answer.Arguments.Payload.for", "at most 364d"),
    "a time that does not exist": (DEFINITION, 'at: "11:00"', 'at: "25:00"', "Until eleven on the next day.Arguments.Payload.until.at", "local time"),
    "a loop that does not count": (DEFINITION, 'message: reminder, occurrence: "{% $round_number %}"', "message: reminder", "Remind of the basket.Arguments.Payload.occurrence", "is missing"),
    "a loop that never rests": (DEFINITION, "Next: Until eleven on the next day", "Next: Three reminders sent?", "Remind of the basket", "without a Pause"),
    "a Wait": (DEFINITION, "          The basket is lost:\n            Type: Succeed", "          The basket is lost:\n            Type: Wait\n            Seconds: 5\n            End: true", "The basket is lost.Type", "has no Wait"),
    "an expression that reads the time": (DEFINITION, '"{% $round_number + 1 %}"', '"{% $round_number + $millis() %}"', "Three reminders sent?.Assign.round_number", "reads the time"),
    "an expression with a mistake": (DEFINITION, '"{% $round_number + 1 %}"', '"{% $round_number + %}"', "Three reminders sent?.Assign.round_number", "not JSONata"),
    "a goal that nothing catches": (DEFINITION, "      - ErrorEquals: [GoalReached]\n        Next: Thanks for the order\n", "", "Rescue a basket.Catch", "GoalReached"),
    "an error nothing raises": (DEFINITION, "[JourneyExited]", "[JourneyExitted]", "Rescue a basket.Catch[1].ErrorEquals", "did you mean 'JourneyExited'?"),
    "a state nobody reaches": (DEFINITION, "Default: A member of the gold club?", "Default: Note where it was saved", "A member of the gold club?", "no state leads here"),
    "JSONPath": (DEFINITION, "QueryLanguage: JSONata", "QueryLanguage: JSONPath", "QueryLanguage", "expected JSONata"),
    "a name that is no sentence": (DEFINITION, "A day to answer", "answer", "answer", "sentence"),
    "a mail without a way out": (MAIL, '<a href="{{ links.unsubscribe }}">退订</a>', "再见", "", "links.unsubscribe"),
    "a variable without a default": (MAIL, '{{ contact.first_name | default("你好") }}', "{{ contact.first_name }}", "", "contact.first_name may be unknown"),
    "a variable inside another without a default": (MAIL, "(event.properties.basket | default({})).id", "event.properties.basket.id", "", "{{ (event.properties.basket | default({})).id | default("),
    "a variable of nobody": (MAIL, '{{ contact.first_name | default("你好") }}', "{{ customer.name }}", "", "customer"),
    "a template that does not close": (MAIL, '{{ contact.first_name | default("你好") }}', "{{ contact.first_name ", "", ""),
    "a mail that is no MJML": (MAIL, "</mj-text>", "</mj-txt>", "", ""),
    "an SMS without a way out": ("messages/gold-offer/sms.zh-CN.txt", "回T退订", "", "", "退订"),
    "a message of a kind nobody knows": ("messages/thanks/message.yaml", "kind: transactional", "kind: transaction", "kind", "did you mean 'transactional'?"),
    "a channel without a text": ("messages/thanks/message.yaml", "[sms]", "[sms, email]", "", "is missing"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_journey_is_refused_by_file_field_and_reason(tmp_path: Path, name: str) -> None:
    file, right, wrong, field, reason = BROKEN[name]
    statemachines = drop_in(tmp_path / "statemachines", "basket-rescue")
    path = statemachines / "journeys" / "basket-rescue" / file
    content = path.read_text(encoding="utf-8")
    assert right in content
    path.write_text(content.replace(right, wrong), encoding="utf-8")

    with pytest.raises(InvalidJourney) as refused:
        discover(statemachines)

    problems = [problem for problem in refused.value.problems if problem.field == field and reason in problem.reason]
    assert problems, str(refused.value)
    if "without a text" not in name:
        assert problems[0].file == f"statemachines/journeys/basket-rescue/{file}"


@pytest.mark.parametrize("file", [JOURNEY, DEFINITION, "messages/thanks/message.yaml"])
def test_a_missing_file_is_named(tmp_path: Path, file: str) -> None:
    statemachines = drop_in(tmp_path / "statemachines", "basket-rescue")
    (statemachines / "journeys" / "basket-rescue" / file).unlink()
    with pytest.raises(InvalidJourney, match=rf"journeys/basket-rescue/{file}: is missing"):
        discover(statemachines)


def test_every_mistake_of_a_folder_is_reported_at_once(tmp_path: Path) -> None:
    statemachines = drop_in(tmp_path / "statemachines", "basket-rescue", "season-greeting")
    for journey, file, right, wrong in (
        ("basket-rescue", JOURNEY, "priority: 10", "priority: -1"),
        ("basket-rescue", DEFINITION, "message: gold-offer", "message: silver-offer"),
        ("season-greeting", JOURNEY, "{ after: 2d }", "{ after: 2 }"),
    ):
        path = statemachines / "journeys" / journey / file
        path.write_text(path.read_text(encoding="utf-8").replace(right, wrong), encoding="utf-8")
    with pytest.raises(InvalidJourney) as refused:
        discover(statemachines)
    assert [(problem.file.split("/", 2)[2], problem.field) for problem in refused.value.problems] == [
        ("basket-rescue/journey.yaml", "priority"),
        ("basket-rescue/definition.asl.yaml", "An offer for gold members.Arguments.Payload.message"),
        ("season-greeting/journey.yaml", "re_entry.after"),
    ]
