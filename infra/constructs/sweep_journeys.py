"""Hop 5: finds pauses whose time is over and that nobody woke. Called at every full hour."""

from aws_cdk import Duration, aws_cloudwatch
from constructs import Construct

from infra.constructs.contacts_table import ContactsTable
from infra.constructs.hop import Hop, Platform
from infra.constructs.journeys import JourneyMachines
from infra.constructs.schedules import Schedules
from infra.constructs.undelivered import Undelivered

_COUNTED = {
    "OverduePauses": "A journey was still waiting an hour after its time; the sweep has woken it",
    "UnknownMessages": "A provider never answered for a message; it will not be sent again unless somebody decides so",
}


class SweepJourneys(Hop):
    """Wakes what a lost schedule left waiting, and counts it: a number over zero deserves a look."""

    def __init__(
        self,
        scope: Construct,
        *,
        platform: Platform,
        contacts: ContactsTable,
        schedules: Schedules,
        machines: JourneyMachines,
        undelivered: Undelivered,
    ) -> None:
        super().__init__(
            scope,
            "sweep_journeys",
            platform=platform,
            purpose="Wakes journeys whose schedule was lost",
            timeout=Duration.minutes(5),
            settings={
                "contacts_table": contacts.name,
                "schedule_group": schedules.group,
                "scheduler_role_arn": schedules.role_arn,
                "schedule_dead_letters_arn": schedules.dead_letters_arn,
                "resume_journey_arn": schedules.resume_journey_arn,
            },
        )
        contacts.writable_by(self)
        contacts.due_readable_by(self)
        machines.answerable_by(self)
        schedules.bookable_by(self)
        schedules.call_every_hour(self, name="sweep-journeys")
        undelivered.keep_failures_of(self)
        for metric, because in _COUNTED.items():
            counted = aws_cloudwatch.Metric(
                namespace=platform.deployment.metrics_namespace,
                metric_name=metric,
                dimensions_map={"service": "sweep_journeys"},
                period=Duration.hours(1),
                statistic="Sum",
            )
            platform.alarms.watch(self, metric, counted, because=because)
