"""Hop 4: wakes a waiting journey when its time has come. Called by the schedule that pause_journey booked."""

from constructs import Construct

from infra.constructs.contacts_table import ContactsTable
from infra.constructs.hop import Hop, Platform
from infra.constructs.journeys import JourneyMachines
from infra.constructs.schedules import Schedules
from infra.constructs.undelivered import Undelivered


class ResumeJourney(Hop):
    """Ends a pause by answering its token, or books it again when a deferred message moved it."""

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
            "resume_journey",
            platform=platform,
            purpose="Wakes a waiting journey when its time has come",
            settings={
                "contacts_table": contacts.name,
                "schedule_group": schedules.group,
                "scheduler_role_arn": schedules.role_arn,
                "schedule_dead_letters_arn": schedules.dead_letters_arn,
                "resume_journey_arn": schedules.resume_journey_arn,
            },
        )
        contacts.writable_by(self)
        schedules.bookable_by(self)
        machines.answerable_by(self)
        undelivered.keep_failures_of(self)
