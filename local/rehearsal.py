"""Rehearses a scenario file on the embedded cloud and compares what followed with what was expected.

Used by ``waypost rehearse``, by the demo and by the flow tests of each journey.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from local.cloud import LocalCloud
from local.problems import LocalError
from local.scenario_result import Told, differences
from local.scenarios import Scenario, ScenarioFile
from waypost import ids
from waypost.aws.contacts import DynamoContactItems
from waypost.reports.timeline import decisions, timeline

LONGEST = timedelta(days=400)
"""No rehearsal lasts longer than this, in virtual time."""

Progress = Callable[[datetime], None]
Items = Mapping[str, Mapping[str, Any]]


class Rehearsal:
    """``journey`` limits what is compared to one journey; without it every journey counts."""

    def __init__(self, cloud: LocalCloud, file: ScenarioFile, *, journey: str = "") -> None:
        self._cloud = cloud
        self._file = file
        self._journey = journey
        self._items = DynamoContactItems(cloud.client("dynamodb"), cloud.access.contacts_table)
        self._default_zone = cloud.default_zone

    def run(self, progress: Progress = lambda _: None) -> list[Told]:
        """Send everything that happens at its time, travel to the end, and tell what became of each scenario.

        Raises LocalError when the API refuses an event of the file, StuckError when the cloud does not come to rest.
        """
        for at, send in sorted(self._happenings(), key=lambda happening: happening[0]):
            self._cloud.time.travel_to(at, arrived=progress)
            send()
        self._travel_to_the_end(progress)
        return [self._tell(scenario) for scenario in self._file.scenarios]

    def _happenings(self) -> list[tuple[datetime, Callable[[], None]]]:
        return list(chain.from_iterable(self._happenings_of(scenario) for scenario in self._file.scenarios))

    def _happenings_of(self, scenario: Scenario) -> list[tuple[datetime, Callable[[], None]]]:
        """The contact introduces itself at the start, or with its first event if that is earlier."""
        zone = self._file.zone_of(scenario, self._default_zone)
        contact = scenario.contact
        times = [self._file.instant(event.at, zone) for event in scenario.events]
        introduced = min([self._file.start, *times])

        def introduce() -> None:
            self._accepted(
                scenario, "contact", self._cloud.tracking.identify(contact.user_id, contact.traits(), at=introduced)
            )

        def act(index: int) -> Callable[[], None]:
            event = scenario.events[index]

            def send() -> None:
                answer = self._cloud.tracking.track(contact.user_id, event.event, event.properties, at=times[index])
                self._accepted(scenario, f"events.{index}", answer)

            return send

        return [(introduced, introduce), *((time, act(index)) for index, time in enumerate(times))]

    def _accepted(self, scenario: Scenario, where: str, answer: Any) -> None:
        if answer.status >= 300:
            said = answer.body[:500].decode(errors="replace")
            raise LocalError(
                f"{scenario.name}: {where} was refused with {answer.status}: {said}", "correct the scenario"
            )

    def _travel_to_the_end(self, progress: Progress) -> None:
        """Until nothing is left to come for these contacts in this journey, or until the file's ``until``."""
        time = self._cloud.time
        if self._file.until is not None:
            time.travel_to(self._file.until, arrived=progress)
            return
        latest = self._cloud.clock.now() + LONGEST
        while True:
            once = [due.at for due in time.settle() if due.once]
            if not once or not any(self._unfinished(scenario) for scenario in self._file.scenarios):
                return
            if min(once) > latest:
                return
            time.travel_to(min(once), arrived=progress)

    def _unfinished(self, scenario: Scenario) -> bool:
        rows = self._rows(scenario)
        active = any(row["status"] != "ended" for row in self._of_journey(rows, "enrolment"))
        return active or any(row["state"] == "deferred" for row in self._of_journey(rows, "message"))

    def _rows(self, scenario: Scenario) -> Items:
        return {str(row["sk"]): row for row in self._items.everything(_contact_id(scenario))}

    def _of_journey(self, rows: Items, kind: str) -> list[Mapping[str, Any]]:
        return [row for sk, row in rows.items() if sk.startswith(f"{kind}#") and self._journey in {"", row["journey"]}]

    def _tell(self, scenario: Scenario) -> Told:
        rows = self._rows(scenario)
        contact_id = _contact_id(scenario)
        enrolments = sorted(self._of_journey(rows, "enrolment"), key=lambda row: str(row["enrolled_at"]))
        decided = [each for each in decisions(contact_id, self._items) if self._journey in {"", each.journey}]
        told = Told(
            scenario=scenario,
            contact_id=contact_id,
            zone=self._file.zone_of(scenario, self._default_zone),
            timeline=timeline(contact_id, self._items, default_zone=self._default_zone),
            decisions=decided,
            ends=(enrolments[-1]["outcome"] or "active") if enrolments else "none",
            trail=[state for enrolment in enrolments for state in self._states_entered(enrolment)],
            steps={decision.step for decision in decided}
            | {str(pause["state"]) for pause in self._of_journey(rows, "pause")},
            differences=[],
        )
        told.differences.extend(differences(told, self._file))
        return told

    def _states_entered(self, enrolment: Mapping[str, Any]) -> list[str]:
        """The states of the journey's machine that this passage entered, from the history of its execution."""
        machine = self._cloud.access.state_machines[enrolment["journey"]]
        name = ids.execution_name(enrolment["journey"], enrolment["enrolment_id"])
        pages = self._cloud.client("stepfunctions").get_paginator("get_execution_history")
        entered = "stateEnteredEventDetails"
        return [
            event[entered]["name"]
            for page in pages.paginate(executionArn=f"{machine.replace(':stateMachine:', ':execution:')}:{name}")
            for event in page["events"]
            if entered in event
        ]


def _contact_id(scenario: Scenario) -> str:
    return ids.contact_id("user_id", scenario.contact.user_id)
