"""Hop 9: records how a journey ended. Called when a journey's execution stops."""

from typing import Any

from aws_cdk import aws_events
from constructs import Construct

from infra.constructs.contacts_table import ContactsTable
from infra.constructs.events_queue import EventsQueue
from infra.constructs.hop import Hop, Platform
from infra.constructs.journeys import JourneyMachines
from infra.constructs.operations import OperationMachines
from infra.constructs.schedules import Schedules
from infra.constructs.undelivered import Undelivered

_ENDED = ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"]


class CloseEnrolment(Hop):
    """Closes the enrolment of every execution that ended, however it ended."""

    def __init__(
        self,
        scope: Construct,
        *,
        platform: Platform,
        contacts: ContactsTable,
        events: EventsQueue,
        machines: JourneyMachines,
        operations: OperationMachines,
        schedules: Schedules,
        undelivered: Undelivered,
    ) -> None:
        super().__init__(
            scope,
            "close_enrolment",
            platform=platform,
            purpose="Records how a journey ended for a contact",
            settings={
                "contacts_table": contacts.name,
                "events_queue_url": events.queue.queue_url,
                "schedule_group": schedules.group,
            },
        )
        contacts.writable_by(self)
        schedules.cancellable_by(self)
        events.writable_by(self)
        undelivered.keep_failures_of(self)
        aws_events.Rule(
            self,
            "ExecutionEnded",
            description="An execution of a journey ended",
            event_pattern=_journey_ended(machines, operations),
            targets=[undelivered.rule_target(self)],
        )


def _journey_ended(machines: JourneyMachines, operations: OperationMachines) -> aws_events.EventPattern:
    """An execution of this stage ended, and neither of an operation nor of one of its distributed maps.

    A pattern may have 2,048 characters, so it lists the few operations and not the journeys, of which there may be
    hundreds. Each field is asked one thing, because the conditions on one field are alternatives. What a distributed map
    starts names another machine (``machine/map``); its execution is known by that slash.
    Sources: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html,
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
    """
    detail: dict[str, Any] = {"status": _ENDED, "executionArn": aws_events.Match.anything_but_wildcard("*/*")}
    if operations.arns:
        detail["stateMachineArn"] = aws_events.Match.anything_but(*operations.arns.values())
    return aws_events.EventPattern(
        source=["aws.states"],
        detail_type=["Step Functions Execution Status Change"],
        resources=aws_events.Match.prefix(machines.executions),
        detail=detail,
    )
