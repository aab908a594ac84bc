"""Hop 3: lets a journey wait for a time or an event. Called by journey machines, which hand it a token."""

from constructs import Construct

from infra.constructs.contacts_table import ContactsTable
from infra.constructs.hop import Hop, Platform
from infra.constructs.journeys import JourneyMachines
from infra.constructs.schedules import Schedules


class PauseJourney(Hop):
    """Keeps the token of a waiting journey and books the schedule that will wake it."""

    def __init__(
        self,
        scope: Construct,
        *,
        platform: Platform,
        contacts: ContactsTable,
        schedules: Schedules,
        machines: JourneyMachines,
    ) -> None:
        super().__init__(
            scope,
            "pause_journey",
            platform=platform,
            purpose="Lets a journey wait for a time or an event",
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
        schedules.cancellable_by(self)
        machines.answerable_by(self)
