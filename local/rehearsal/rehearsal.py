"""Rehearses scenario files on the embedded cloud and compares what followed with what was expected.

Used by ``waypost rehearse``, by the demo and by the flow tests of each journey.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, Final

from local.cloud.local_cloud import LocalCloud
from local.problems import LocalError
from local.project.journey_files import find_graph
from local.providers.called_systems import CalledAnswer
from local.providers.record import Call
from local.rehearsal.counted_orders import count_orders
from local.rehearsal.many_contacts import story_of
from local.rehearsal.progress import UNSEEN, Progress
from local.rehearsal.reactions import PlannedReaction, Reactions, not_played
from local.rehearsal.scenario_file import Scenario, ScenarioEvent, ScenarioFile
from local.rehearsal.scenario_result import Passage, ScenarioResult, differences
from local.rehearsal.stable_links import stable
from local.rehearsal.staff_notices import StaffNotices
from local.rehearsal.task_answers import TaskAnswers
from local.running.tracking import identify_call, track_call
from waypost import ids
from waypost.aws.contacts import DynamoContactItems
from waypost.batches import batched
from waypost.channels.fake_contract import SentContent
from waypost.journeys.enrolment import START, Enrolment
from waypost.journeys.sweep_journeys import MOST_ATTEMPTS
from waypost.reports.journey_path import way_to_the_end
from waypost.reports.timeline import ContactItems, MessageDecision, decisions, timeline
from waypost.sending.occasion import journey_of, load_occasion

ALL_JOURNEYS: Final = ""
LONGEST = timedelta(days=400)
"""No rehearsal lasts longer than this, in virtual time."""
SWEEPS_APART: Final = timedelta(days=1)
"""Nothing gets lost in a rehearsal, so once a day is enough to see that the hourly sweep finds nothing."""
MOST_IN_ONE_REQUEST: Final = 250
"""Calls in one request, which may have half a megabyte."""

_BATCH_FIELD: Final = re.compile(r"batch\[(\d+)\]")

Items = Mapping[str, Mapping[str, Any]]


class RememberedItems:
    """What is kept of one contact, read once for all that is made of it."""

    def __init__(self, items: ContactItems) -> None:
        self._items = items
        self._read: dict[str, list[Mapping[str, Any]]] = {}

    def everything(self, contact_id: str) -> list[Mapping[str, Any]]:
        """See ContactItems."""
        if contact_id not in self._read:
            self._read[contact_id] = list(self._items.everything(contact_id))
        return self._read[contact_id]


@dataclass(frozen=True, slots=True)
class _Call:
    """Something a contact of a scenario does: at which moment, and where it stands in the file."""

    at: datetime
    scenario: str
    where: str
    body: Mapping[str, Any]
    traits: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _TaskAnswer:
    """An answer that a member of staff of a scenario gives: at which moment, and where it stands in the file."""

    at: datetime
    scenario: Scenario
    entry: ScenarioEvent
    place: str


class Rehearsal:
    """Rehearses scenario files on one timeline, which begins where the clock of ``cloud`` is.

    ``files`` maps journeys to their files: what is compared is limited to that journey, and ``ALL_JOURNEYS`` stands for
    every one. Raises LocalError when two files speak of the same contact.
    """

    def __init__(self, cloud: LocalCloud, files: Mapping[str, ScenarioFile]) -> None:
        self._cloud = cloud
        self._files = files
        self._items = DynamoContactItems(cloud.client("dynamodb"), cloud.access.contacts_table)
        self._default_zone = cloud.default_zone
        self._refuse_shared_contacts()
        self._reactions = Reactions(cloud)
        self._planned = [each for journey, file in files.items() for each in self._planned_of(journey, file)]
        self._task_answers = TaskAnswers(cloud)
        self._notices = StaffNotices(cloud)
        self._answers = [each for file in files.values() for each in self._answers_of(file)]
        self._not_played: dict[str, list[str]] = defaultdict(list)
        self._seen = 0
        self._finished: set[tuple[str, str]] = set()

    def run(self, progress: Progress = UNSEEN) -> dict[str, list[ScenarioResult]]:
        """Send everything that happens at its time, travel to the end, and compare: journey → its scenarios' results.

        Raises LocalError when the API refuses an event of a file, StuckError when the cloud does not come to rest.
        """
        results: dict[str, list[ScenarioResult]] = {}
        count_orders(self._cloud, self._files.values())
        self._expect_calls()
        self._cloud.time.at_work = progress.working
        calls = [call for file in self._files.values() for call in self._calls(file)]
        limits = {journey: file.until for journey, file in self._files.items() if file.until is not None}
        fixed = {planned.at for planned in self._planned if planned.at is not None} | {
            each.at for each in self._answers
        }
        for at in sorted({call.at for call in calls} | set(limits.values()) | fixed):
            self._travel(at, progress)
            due = [call for call in calls if call.at == at]
            self._send(due)
            self._react_at(at)
            for journey in [journey for journey, until in limits.items() if until == at]:
                results[journey] = self._compared(journey, progress)  # whatever other files still have to come
        unlimited = [journey for journey in self._files if journey not in limits]
        self._travel_to_the_end(unlimited, progress)
        return results | {journey: self._compared(journey, progress) for journey in unlimited}

    def _expect_calls(self) -> None:
        """Have the systems that journeys call answer as the scenarios say."""
        for scenario in (each for file in self._files.values() for each in file.scenarios):
            for system, given in scenario.answers.items():
                answers = [
                    CalledAnswer(each.status, each.body) for each in (given if isinstance(given, list) else [given])
                ]
                self._cloud.providers.called.expect(system, _contact_id(scenario), answers)

    def _travel(self, at: datetime, progress: Progress) -> None:
        """Travel to ``at``, and on the way play every reaction that comes so long after its message."""
        time = self._cloud.time
        while True:
            time.travel_to(at, arrived=progress.arrived, sweeps_apart=SWEEPS_APART, sooner=self._next_reaction)
            progress.contacts(self._through(at), of=sum(len(file.scenarios) for file in self._files.values()))
            now = self._cloud.clock.now()
            due = [each for each in self._planned if each.entry.delay and each.at is not None and each.at <= now]
            if not due and now >= at:
                return
            self._play(due)

    def _react_at(self, at: datetime) -> None:
        """Play the reactions and give the answers that stand at this moment in their files, after all else that happens then."""
        due = [each for each in self._planned if each.entry.delay is None and each.at == at]
        answers = [each for each in self._answers if each.at == at]
        if due or answers:
            self._cloud.time.settle()
            self._play(due)
        for each in answers:
            rows = self._items.everything(_contact_id(each.scenario))
            if reason := self._task_answers.give(each.entry, rows, each.place):
                self._not_played[each.scenario.name].append(reason)

    def _play(self, due: Sequence[PlannedReaction]) -> None:
        for each in due:
            self._planned.remove(each)
            if reason := self._reactions.play(each, self._decided(each.journey, each.scenario)):
                self._not_played[each.scenario.name].append(reason)

    def _next_reaction(self) -> datetime | None:
        """When the next reaction is due that counts from its message; None while none of these messages was sent."""
        delayed = [each for each in self._planned if each.entry.delay]
        if delayed:
            accepted = self._cloud.providers.accepted
            reached = {call.tags.get("contact_id") for call in accepted[self._seen :]}
            self._seen = len(accepted)
            for each in delayed:
                if each.at is None and _contact_id(each.scenario) in reached and (sent := self._sent_to(each)):
                    each.at = sent[0].at + (each.entry.delay or timedelta())
        return min((each.at for each in delayed if each.at is not None), default=None)

    def _sent_to(self, planned: PlannedReaction) -> list[Call]:
        return self._reactions.sent(planned.reaction.message, self._decided(planned.journey, planned.scenario))

    def _planned_of(self, journey: str, file: ScenarioFile) -> Iterator[PlannedReaction]:
        for scenario in file.scenarios:
            zone = file.zone_of(scenario, self._default_zone)
            for index, entry in enumerate(scenario.events):
                if (reaction := entry.reaction) is not None:
                    at = file.instant(entry.at, zone) if entry.at is not None else None
                    yield PlannedReaction(
                        journey=journey, scenario=scenario, index=index, entry=entry, reaction=reaction, at=at
                    )

    def _answers_of(self, file: ScenarioFile) -> Iterator[_TaskAnswer]:
        for scenario in file.scenarios:
            zone = file.zone_of(scenario, self._default_zone)
            for index, entry in enumerate(scenario.events):
                if entry.task_answer is not None and entry.at is not None:
                    yield _TaskAnswer(file.instant(entry.at, zone), scenario, entry, f"events[{index}]")

    def _decided(self, journey: str, scenario: Scenario) -> list[MessageDecision]:
        found = decisions(_contact_id(scenario), RememberedItems(self._items))
        return [each for each in found if journey in {ALL_JOURNEYS, each.journey}]

    def _compared(self, journey: str, progress: Progress) -> list[ScenarioResult]:
        api = self._cloud.access.api_url
        contents = {call.message_key: stable(call.content, api) for call in self._cloud.providers.accepted}
        for planned in [each for each in self._planned if each.journey == journey]:
            reason = not_played(planned, self._decided(journey, planned.scenario))
            self._not_played[planned.scenario.name].append(reason)
        scenarios = self._files[journey].scenarios
        results = []
        for number, scenario in enumerate(scenarios, start=1):
            results.append(self._result_of(journey, scenario, contents))
            progress.compared(number, of=len(scenarios))
        return results

    def _refuse_shared_contacts(self) -> None:
        seen: dict[str, str] = {}
        for journey, file in self._files.items():
            for scenario in file.scenarios:
                other = seen.setdefault(scenario.contact.user_id, journey)
                if other != journey:
                    who = f"the contact {scenario.contact.user_id!r} is in the scenarios of {other} and of {journey}"
                    raise LocalError(who, "give each its own user_id: they are rehearsed on one timeline")

    def _calls(self, file: ScenarioFile) -> list[_Call]:
        return list(chain.from_iterable(self._calls_of(file, scenario) for scenario in file.scenarios))

    def _calls_of(self, file: ScenarioFile, scenario: Scenario) -> list[_Call]:
        """What the contact does. It introduces itself at the start, or with its first event if that is earlier."""
        zone, contact = file.zone_of(scenario, self._default_zone), scenario.contact
        moments = [
            (index, entry, file.instant(entry.at, zone))
            for index, entry in enumerate(scenario.events)
            if entry.reaction is None and entry.task_answer is None and entry.at is not None
        ]
        introduced = min([file.start, *(at for _, _, at in moments)])
        introduction = identify_call(
            contact.user_id, contact.traits(), at=introduced, message_id=_call_id(scenario, "contact")
        )
        return [
            _Call(introduced, scenario.name, "contact", introduction),
            *(
                _Call(
                    at, scenario.name, f"events.{index}", _body(scenario, index, entry, at), scenario.contact.traits()
                )
                for index, entry, at in moments
            ),
        ]

    def _send(self, calls: Sequence[_Call]) -> None:
        """Send what happens at one moment. Raises LocalError that names the scenario of which something was left out."""
        reported = [call for call in calls if not self._is_acted_out(call)]
        for some in batched(reported, MOST_IN_ONE_REQUEST):
            answer = self._cloud.tracking.batch([call.body for call in some])
            if answer.status >= 300 or answer.json().get("warnings"):
                reason = answer.body[:500].decode(errors="replace")
                field = _BATCH_FIELD.search(reason)
                call = some[int(field[1]) if field else 0]
                refused = f"{call.scenario}: {call.where} was not taken whole ({answer.status}): {reason}"
                raise LocalError(refused, "correct the scenario")

    def _is_acted_out(self, call: _Call) -> bool:
        """Whether it is something done at a provider, whose callback brings it instead. Raises LocalError where that is refused."""
        if call.body["type"] != "track":
            return False
        answers = self._cloud.providers.act_out(call.body["event"], call.traits, call.body["properties"])
        for answer in answers or ():
            if answer.status >= 300:
                refused = f"{call.scenario}: the callback of {call.where} was answered with {answer.status}"
                raise LocalError(refused, "correct the scenario")
        return answers is not None

    def _travel_to_the_end(self, journeys: Sequence[str], progress: Progress) -> None:
        """Travel until nothing is left to come for the contacts of these journeys."""
        time = self._cloud.time
        latest = self._cloud.clock.now() + LONGEST
        pending = [(journey, scenario) for journey in journeys for scenario in self._files[journey].scenarios]
        while True:
            once = [schedule.at for schedule in time.settle() if schedule.once]
            while pending and not self._unfinished(*pending[-1]):
                pending.pop()
            coming = once if pending else []
            if (reaction := self._next_reaction()) is not None:
                coming = [*coming, reaction]
            if not coming or min(coming) > latest:
                return
            self._travel(min(coming), progress)

    def _unfinished(self, journey: str, scenario: Scenario) -> bool:
        rows = self._rows(scenario)
        passages = self._of_journey(journey, rows, "enrolment")
        active = any(row["status"] != "ended" for row in passages)
        if active or any(row["state"] == "deferred" for row in self._of_journey(journey, rows, "message")):
            return True
        if not scenario.expect.notices:
            return False
        enrolments = {Enrolment.from_dict(row).enrolment_id for row in passages}
        notices = self._notices.about(scenario, rows.values(), enrolments, RememberedItems(self._items))
        return any(each[-1].outcome == "deferred" for each in notices.values())

    def _through(self, now: datetime) -> int:
        """How many contacts have nothing to come. Of all who play the same story, in a crowd, the last one is looked at."""
        stories: dict[tuple[str, str], list[Scenario]] = defaultdict(list)
        for journey, file in self._files.items():
            for scenario in file.scenarios:
                stories[journey, story_of(scenario)].append(scenario)
        for story in stories.keys() - self._finished:
            journey, last = story[0], stories[story][-1]
            if all(call.at < now for call in self._calls_of(self._files[journey], last)) and not self._unfinished(
                journey, last
            ):
                self._finished.add(story)
        return sum(len(stories[story]) for story in self._finished)

    def _rows(self, scenario: Scenario) -> Items:
        return {str(row["sk"]): row for row in self._items.everything(_contact_id(scenario))}

    def _of_journey(self, journey: str, rows: Items, kind: str) -> list[Mapping[str, Any]]:
        return [
            row for sk, row in rows.items() if sk.startswith(f"{kind}#") and journey in {ALL_JOURNEYS, _journey_of(row)}
        ]

    def _result_of(self, journey: str, scenario: Scenario, contents: Mapping[str, SentContent]) -> ScenarioResult:
        file, items = self._files[journey], RememberedItems(self._items)
        contact_id = _contact_id(scenario)
        rows = {str(row["sk"]): row for row in items.everything(contact_id)}
        found = [Enrolment.from_dict(row) for row in self._of_journey(journey, rows, "enrolment")]
        passages = sorted(found, key=lambda each: each.enrolled_at)
        decided = [each for each in decisions(contact_id, items) if journey in {ALL_JOURNEYS, each.journey}]
        result = ScenarioResult(
            scenario=scenario,
            contact_id=contact_id,
            zone=file.zone_of(scenario, self._default_zone),
            timeline=timeline(contact_id, items, default_zone=self._default_zone),
            decisions=decided,
            contents=contents,
            passages=[Passage(each.journey, self._states_entered(each), each.outcome or "active") for each in passages],
            steps={decision.step for decision in decided}
            | {past.state for enrolment in passages for past in enrolment.trail}
            | {enrolment.pause.state for enrolment in passages if enrolment.pause},
            differences=list(self._not_played[scenario.name]),
            notices=self._notices.about(scenario, rows.values(), {each.enrolment_id for each in found}, items),
        )
        result.differences.extend(differences(result, file))
        return result.with_named_codes(
            [row["code"] for _, row in sorted(rows.items()) if str(row["sk"]).startswith("coupon#")]
        )

    def _states_entered(self, enrolment: Enrolment) -> tuple[str, ...]:
        """The authored states that this passage entered, from the records of its hops, one after the other.

        Those behind the Pause at which it ended without a hop follow from the graph.
        """
        graph = find_graph(enrolment.journey)
        authored = frozenset(step.name for step in graph.steps) if graph else frozenset[str]()
        origins = [("", START)]
        origins += [
            (past.state, ids.pause_id(enrolment.enrolment_id, past.state, past.occurrence)) for past in enrolment.trail
        ]
        hops = {
            self._execution(enrolment, origin, attempt): at
            for at, origin in origins
            for attempt in range(1, MOST_ATTEMPTS + 1)
        }
        entered: list[str] = []
        for execution, states in self._cloud.emulator.states_entered(list(hops)).items():
            at = hops[execution]
            behind = states[states.index(at) + 1 :] if at in states else states
            entered += [state for state in behind if not authored or state in authored]
        return (*entered, *(way_to_the_end(graph, enrolment) if graph else ()))

    def _execution(self, enrolment: Enrolment, origin: str, attempt: int) -> str:
        """The ARN of an attempt of the hop that began at the start or behind a Pause."""
        prefix = self._cloud.access.outputs["StateMachinePrefix"].replace(":stateMachine:", ":execution:")
        hop = ids.hop_id(enrolment.enrolment_id, origin, attempt)
        return f"{prefix}{enrolment.machine}:{ids.execution_name(enrolment.journey, hop)}"


def _journey_of(row: Mapping[str, Any]) -> str:
    """The journey that a row belongs to, or "" for a message of another occasion."""
    return journey_of(load_occasion(row["occasion"])) if "occasion" in row else str(row["journey"])


def _contact_id(scenario: Scenario) -> str:
    return ids.contact_id("user_id", scenario.contact.user_id)


def _body(scenario: Scenario, index: int, entry: ScenarioEvent, at: datetime) -> dict[str, Any]:
    """The call that brings an event, or what became of the contact's profile."""
    user_id, call_id = scenario.contact.user_id, _call_id(scenario, f"events.{index}")
    if entry.event is None:
        return identify_call(user_id, entry.profile or {}, at=at, message_id=call_id)
    return track_call(user_id, entry.event, entry.properties, at=at, message_id=call_id)


def _call_id(scenario: Scenario, where: str) -> str:
    """The id of a call, the same in every run: what follows from an event has ids that come from it."""
    return f"rehearsal-{ids.digest(scenario.contact.user_id, where)}"
