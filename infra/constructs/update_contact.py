"""Hop 7: tags a contact, sets an attribute, books points. Called by journey machines."""

from constructs import Construct

from infra.constructs.contacts_table import ContactsTable
from infra.constructs.events_queue import EventsQueue
from infra.constructs.hop import Hop, Platform


class UpdateContact(Hop):
    """Writes the profile, and tells the event stream what it changed."""

    def __init__(self, scope: Construct, *, platform: Platform, contacts: ContactsTable, events: EventsQueue) -> None:
        super().__init__(
            scope,
            "update_contact",
            platform=platform,
            purpose="Tags a contact, sets an attribute, books points",
            settings={"contacts_table": contacts.name, "events_queue_url": events.queue.queue_url},
        )
        contacts.writable_by(self)
        events.writable_by(self)
