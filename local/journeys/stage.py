"""A stage that is deployed, on this machine or on AWS, as changes of journeys reach it. Used by ``waypost deploy``, ``up`` and ``journey``."""

import getpass
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from infra.project import Project
from local.problems import LocalError
from waypost.authoring.discovery import discover
from waypost.aws.enrolments import DynamoEnrolments
from waypost.aws.journey_changes import DynamoChanges, StageMachines
from waypost.aws.ledger import DynamoLedger
from waypost.aws.queue import SqsEventQueue
from waypost.aws.schedules import EventBridgeSchedules
from waypost.clock import Clock, real_now
from waypost.events.retention import PASSAGES, Retention
from waypost.journeys.changes.apply_change import ApplyChange
from waypost.journeys.changes.plan_change import PlanChange
from waypost.journeys.changes.undo_change import UndoChange
from waypost.journeys.close_enrolment import CloseEnrolment
from waypost.journeys.stop_enrolment import StopEnrolment
from waypost.sending.deferral import Deferrals

WORKERS: Final = 16
"""Contacts that are taken side by side."""

Clients = Callable[[str], Any]
Progress = Callable[[int], None]
Kept = Callable[[], timedelta]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A deployed stage. ``outputs`` are those of its stack, ``by`` who changes it.

    ``kept`` is how long the row of a journey that is stopped is kept, read when one is.
    """

    outputs: Mapping[str, str]
    clients: Clients
    clock: Clock
    by: str
    kept: Kept = lambda: PASSAGES.keep

    @property
    def enrolments(self) -> DynamoEnrolments:
        """The enrolments of the stage."""
        return DynamoEnrolments(self.clients("dynamodb"), self.outputs["ContactsTableName"], kept=self.kept)

    @property
    def changes(self) -> DynamoChanges:
        """The records of changes."""
        return DynamoChanges(self.clients("dynamodb"), self.outputs["ContactsTableName"])

    @property
    def machines(self) -> StageMachines:
        """The machines of journeys."""
        return StageMachines(self.clients("stepfunctions"), self.outputs["StateMachinePrefix"])

    def planner(self, progress: Progress) -> PlanChange:
        """What compares journeys with the stage."""
        return PlanChange(enrolments=self.enrolments, changes=self.changes, machines=self.machines, progress=progress)

    def applier(self, wait: Callable[[], bool]) -> ApplyChange:
        """What takes contacts to where a change puts them."""
        return ApplyChange(
            enrolments=self.enrolments,
            changes=self.changes,
            stop_enrolment=self._stop_enrolment(),
            clock=self.clock,
            wait=wait,
            side_by_side=side_by_side,
        )

    def undoer(self, progress: Progress) -> UndoChange:
        """What puts contacts back."""
        return UndoChange(
            enrolments=self.enrolments,
            changes=self.changes,
            stop_enrolment=self._stop_enrolment(),
            clock=self.clock,
            progress=progress,
            side_by_side=side_by_side,
        )

    @property
    def _ledger(self) -> DynamoLedger:
        return DynamoLedger(self.clients("dynamodb"), self.outputs["ContactsTableName"], kept=self.kept)

    def _stop_enrolment(self) -> StopEnrolment:
        queue = SqsEventQueue(self.clients("sqs"), self.outputs["EventsQueueUrl"])
        close_enrolment = CloseEnrolment(enrolments=self.enrolments, ledger=self._ledger, queue=queue, clock=self.clock)
        return StopEnrolment(close_enrolment=close_enrolment, deferrals=self._deferrals(), clock=self.clock)

    def _deferrals(self) -> Deferrals:
        """What cancels messages that wait; it books none."""
        schedules = EventBridgeSchedules(
            client=self.clients("scheduler"),
            group=self.outputs["ScheduleGroup"],
            role_arn="",
            dead_letters_arn="",
            resume_journey_arn="",
            deferred_messages_arn="",
            clock=self.clock,
        )
        return Deferrals(ledger=self._ledger, enrolments=self.enrolments, schedules=schedules, clock=self.clock)


def side_by_side(act: Callable[[Any], Any], items: Iterable[Any]) -> Iterable[Any]:
    """``map`` on threads; clients may be shared by threads."""
    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(act, items))


def kept_by(project: Project) -> Kept:
    """How long the project keeps the row of a journey that has ended."""

    @cache
    def kept() -> timedelta:
        declared = discover(project.statemachines, functions=project.product / "functions").sections
        return Retention.from_dict(declared.get("retention", {})).passages.keep

    return kept


def stage_of(stack: str, clients: Clients, *, clock: Clock, by: str, kept: Kept) -> Stage | None:
    """The stage of this stack; None when it is not deployed."""
    try:
        [found] = clients("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    outputs = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
    if "StateMachinePrefix" not in outputs:  # its first deployment has failed
        return None
    return Stage(outputs=outputs, clients=clients, clock=clock, by=by, kept=kept)


def stage_on_aws(name: str, *, kept: Kept, profile: str = "", region: str = "") -> Stage | None:
    """The stage in the account of your credentials; None when it is not deployed. Raises LocalError without access."""
    try:
        session = boto3.Session(profile_name=profile or None, region_name=region or None)
        made: dict[str, Any] = {}
        config = Config(retries={"mode": "standard", "max_attempts": 8}, max_pool_connections=WORKERS)

        def clients(service: str) -> Any:
            if service not in made:
                made[service] = session.client(service, config=config)
            return made[service]

        by = clients("sts").get_caller_identity()["Arn"]
        return stage_of(f"waypost-{name}", clients, clock=real_now, by=by, kept=kept)
    except (BotoCoreError, ClientError) as error:
        raise LocalError(
            f"the stage {name} could not be read: {error}", "choose credentials and a region: AWS_PROFILE, AWS_REGION"
        ) from error


def operator() -> str:
    """Who works on this machine."""
    return getpass.getuser()
