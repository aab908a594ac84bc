"""Hop 2: takes events from the queue, in order per contact, and lets them act."""

from constructs import Construct

from infra.constructs.contacts_table import ContactsTable
from infra.constructs.event_bus import EventBus
from infra.constructs.events_queue import EventsQueue
from infra.constructs.hop import Hop, Platform
from infra.constructs.journeys import JourneyMachines
from infra.constructs.schedules import Schedules


class RouteEvents(Hop):
    """Stores each event, keeps segments true, wakes or ends paused journeys, starts those that match, publishes it."""

    def __init__(
        self,
        scope: Construct,
        *,
        platform: Platform,
        events: EventsQueue,
        contacts: ContactsTable,
        machines: JourneyMachines,
        schedules: Schedules,
        bus: EventBus,
    ) -> None:
        super().__init__(
            scope,
            "route_events",
            platform=platform,
            purpose="Stores events and lets them start, wake and end journeys",
            settings={
                "contacts_table": contacts.name,
                "events_queue_url": events.queue.queue_url,
                "events_dead_letters_url": events.dead_letters.queue_url,
                "event_bus": bus.name,
                "schedule_group": schedules.group,
                "state_machine_prefix": machines.prefix,
            },
        )
        self.alarm_on_errors(platform.alarms)
        events.read_by(self)
        events.writable_by(self)  # a segment that is entered is an event too
        contacts.writable_by(self)
        machines.startable_by(self)
        machines.answerable_by(self)
        schedules.cancellable_by(self)
        bus.writable_by(self)
