"""Check what a scenario file says against its journey: messages, states and events must be there. Used by checks and rehearsals."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from local.rehearsal.reactions import can_happen
from local.rehearsal.scenario_draws import Draws, wrong_draws
from local.rehearsal.scenario_file import Expected, Scenario, ScenarioFile
from waypost.authoring.discovery import JourneyFolder
from waypost.authoring.graph import called_function, scopes
from waypost.authoring.problems import nearest, unknown
from waypost.events.names import event_type
from waypost.journeys.published import REQUEST
from waypost.journeys.tasks.assign_task import NOTICES
from waypost.segments.vocabulary import CONCLUSIONS

Findings = Iterator[tuple[str, str]]

_NO_MESSAGE: Final = "no folder in messages/ is called"
_TASK_NOTICES: Final = [message.removeprefix("notices/") for message in NOTICES.values()]


def wrong_names(file: ScenarioFile, journey: JourneyFolder) -> Findings:
    """What the scenarios name that the journey does not have, as pairs of a field and a reason."""
    channels = {name: message["channels"] for name, message in journey.messages.items()}
    states = {name for scope in scopes(journey.definition) for name in scope.states}
    tasks = _tasks(journey.definition)
    trigger = journey.published()["trigger"]
    starts, draws = trigger["event"], Draws.of(journey)
    for index, invariant in enumerate(file.invariants):
        if invariant.message not in channels:
            yield f"invariants[{index}].message", unknown(invariant.message, channels, _NO_MESSAGE)
    for index, scenario in enumerate(file.scenarios):
        where = f"scenarios[{index}]"
        yield from wrong_draws(scenario, draws, where)
        yield from _reactions(scenario, where, channels)
        yield from _task_answers(scenario, where, tasks)
        yield from _expected(scenario.expect, f"{where}.expect", channels, states)
        if starts in CONCLUSIONS or trigger["kind"] == "schedule":
            continue  # the clock, or a tag or segment, which any event and the profile itself may bring
        if _enters(scenario.expect) and not (_starts(scenario, starts) or _starts(scenario, REQUEST)):
            yield f"{where}.events", _no_start(scenario, starts)


def _reactions(scenario: Scenario, where: str, channels: Mapping[str, Any]) -> Findings:
    for index, each in enumerate(scenario.events):
        if (reaction := each.reaction) is None:
            continue
        place = f"{where}.events[{index}].{reaction.kind}"
        if reaction.message not in channels:
            yield place, unknown(reaction.message, channels, _NO_MESSAGE)
        elif not any(can_happen(reaction.kind, channel) for channel in channels[reaction.message]):
            has = ", ".join(channels[reaction.message])
            yield (
                place,
                f"the message {reaction.message!r} goes by {has}, where nothing reports that somebody {reaction.kind}",
            )


def _tasks(definition: dict[str, Any]) -> set[str]:
    """The names of the tasks that the journey gives to staff."""
    states = [state for scope in scopes(definition) for state in scope.states.values()]
    return {str(each["Arguments"]["Payload"]["task"]) for each in states if called_function(each) == "AssignTask"}


def _task_answers(scenario: Scenario, where: str, tasks: set[str]) -> Findings:
    for index, each in enumerate(scenario.events):
        if each.task_answer is not None and each.task_answer[0] not in tasks:
            kind = "completes" if each.completes is not None else "declines"
            yield f"{where}.events[{index}].{kind}", unknown(each.task_answer[0], tasks, "the journey gives no task")


def _expected(expect: Expected, where: str, channels: Mapping[str, Any], states: set[str]) -> Findings:
    for index, wanted in enumerate(expect.messages or ()):
        place = f"{where}.messages[{index}]"
        if wanted.message not in channels:
            yield f"{place}.message", unknown(wanted.message, channels, _NO_MESSAGE)
        elif wanted.channel is not None and wanted.channel not in channels[wanted.message]:
            has = ", ".join(channels[wanted.message])
            yield f"{place}.channel", f"the message {wanted.message!r} has no {wanted.channel}; it has {has}"
    for index, notice in enumerate(expect.notices or ()):
        if notice.message not in channels and notice.message not in _TASK_NOTICES:
            known = [*channels, *_TASK_NOTICES]
            yield (
                f"{where}.notices[{index}].message",
                unknown(notice.message, known, _NO_MESSAGE),
            )
    for index, name in enumerate(expect.trail or ()):
        if name not in states:
            yield f"{where}.trail[{index}]", unknown(name, states, "the journey has no state")


def _enters(expect: Expected) -> bool:
    return bool(expect.messages or expect.trail or expect.ends not in {None, "none"})


def _starts(scenario: Scenario, event: str) -> bool:
    return any(_type_of(each.event) == event for each in scenario.events if each.event is not None)


def _type_of(name: str) -> str:
    """The event type as the webhook reads the name; a name that it refuses starts nothing."""
    try:
        return event_type(name)
    except ValueError:
        return ""


def _no_start(scenario: Scenario, event: str) -> str:
    given = [each.event for each in scenario.events if each.event is not None]
    near = next((name for name in given if nearest(name, [event])), None)
    hint = f"; did you mean it instead of {near!r}?" if near else ""
    return f"none of them is {event!r}, which starts the journey{hint}"
