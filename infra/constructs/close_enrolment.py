"""Hop 9: records how a journey ended. Called when a journey's execution stops."""

from aws_cdk import aws_events
from constructs import Construct

from infra.constructs.contacts_table import ContactsTable
from infra.constructs.events_queue import EventsQueue
from infra.constructs.hop import Hop, Platform
from infra.constructs.journeys import JourneyMachines
from infra.constructs.schedules import Schedules
from infra.constructs.undelivered import Undelivered


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
            event_pattern=aws_events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={
                    "status": ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"],
                    "stateMachineArn": [{"prefix": machines.prefix}],
                },
            ),
            targets=[undelivered.rule_target(self)],
        )
