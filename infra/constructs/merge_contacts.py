"""Hop 17: shows, does or undoes a merge of two contacts. Called by the operation merge-contacts."""

from constructs import Construct

from infra.constructs.contacts_table import ContactsTable
from infra.constructs.events_queue import EventsQueue
from infra.constructs.hop import Hop, Platform


class MergeContacts(Hop):
    """Writes both profiles and the record of the merge, and tells the event stream."""

    def __init__(self, scope: Construct, *, platform: Platform, contacts: ContactsTable, events: EventsQueue) -> None:
        super().__init__(
            scope,
            "merge_contacts",
            platform=platform,
            purpose="Shows, does or undoes a merge of two contacts",
            settings={"contacts_table": contacts.name, "events_queue_url": events.queue.queue_url},
        )
        contacts.writable_by(self)
        events.writable_by(self)
