"""Hop 13: compares the rows of an import that are about the same persons. Called by the operation import-contacts."""

from aws_cdk import Duration
from constructs import Construct

from infra.constructs.contacts_table import ContactsTable
from infra.constructs.events_queue import EventsQueue
from infra.constructs.files import Files
from infra.constructs.hop import Hop, Platform


class ReconcileImport(Hop):
    """Finds who is in a file several times, and lets the last row win where rows contradict each other."""

    def __init__(
        self, scope: Construct, *, platform: Platform, contacts: ContactsTable, events: EventsQueue, files: Files
    ) -> None:
        super().__init__(
            scope,
            "reconcile_import",
            platform=platform,
            purpose="Compares the rows of an import about the same persons",
            timeout=Duration.minutes(15),
            memory_mb=1769,  # one whole core: this is work for a processor
            settings={
                "contacts_table": contacts.name,
                "events_queue_url": events.queue.queue_url,
                "files_bucket": files.name,
            },
        )
        contacts.writable_by(self)
        events.writable_by(self)
        files.readable_by(self, "work/imports/")
        files.writable_by(self, "work/imports/")
