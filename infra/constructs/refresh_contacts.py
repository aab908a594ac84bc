"""Hop 15: stores metrics and what time has changed. Called by refresh-contacts, for many slices at once."""

from aws_cdk import Duration
from constructs import Construct

from infra.constructs.contacts_table import ContactsTable
from infra.constructs.events_queue import EventsQueue
from infra.constructs.files import Files
from infra.constructs.hop import Hop, Platform
from waypost.metrics.refresh import FOLDER


class RefreshContacts(Hop):
    """Writes the profiles that changed, and tells the event stream of tags, stages and segments."""

    def __init__(
        self, scope: Construct, *, platform: Platform, contacts: ContactsTable, events: EventsQueue, files: Files
    ) -> None:
        super().__init__(
            scope,
            "refresh_contacts",
            platform=platform,
            purpose="Stores the metrics of one slice and what time has changed",
            timeout=Duration.minutes(15),
            memory_mb=1024,
            settings={
                "contacts_table": contacts.name,
                "events_queue_url": events.queue.queue_url,
                "files_bucket": files.name,
            },
        )
        contacts.writable_by(self)
        contacts.profiles_readable_by(self)
        events.writable_by(self)
        files.readable_by(self, f"{FOLDER}/")
        files.writable_by(self, f"{FOLDER}/")
