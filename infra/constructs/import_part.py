"""Hop 13: imports the rows of one part of a file. Called by the operation import-contacts, for many parts at once."""

from aws_cdk import Duration
from constructs import Construct

from infra.constructs.contacts_table import ContactsTable
from infra.constructs.events_queue import EventsQueue
from infra.constructs.files import Files
from infra.constructs.hop import Hop, Platform


class ImportPart(Hop):
    """Cleans rows, makes contacts of them, and writes down what became of each."""

    def __init__(
        self, scope: Construct, *, platform: Platform, contacts: ContactsTable, events: EventsQueue, files: Files
    ) -> None:
        super().__init__(
            scope,
            "import_part",
            platform=platform,
            purpose="Imports the rows of one part of a file",
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
        files.readable_by(self, "imports/", "work/imports/")
        files.writable_by(self, "work/imports/")
