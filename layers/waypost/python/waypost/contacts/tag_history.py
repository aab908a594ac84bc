"""Queues an event for each tag that an external event adds or removes. Used by the router around the contact store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from waypost.contacts.identity.merge import Merge
from waypost.contacts.ports import ContactStore
from waypost.contacts.profile import Contact
from waypost.contacts.tag_system import tag_events
from waypost.events.envelope import Event, caused_by_event
from waypost.events.ports import EventQueue


def with_tag_events(contacts: ContactStore, event: Event, queue: EventQueue) -> ContactStore:
    """The store, queueing ``tag_added`` and ``tag_removed`` for the tags this event changes, before each save.

    The product's own events are left out, because their tag events are queued where they are made.
    """
    if event.is_our_own or not event.profile.keys() & {"tags", "remove_tags"}:
        return contacts
    return _TagEventStore(contacts, event, queue)


@dataclass(frozen=True, slots=True)
class _TagEventStore:
    """A ContactStore that compares what is saved with what was read.

    Queues first and saves afterwards: a crash in between repeats both, and the ids of the events are derived from the
    event that changed the tags, so a repeated one is recognised.
    """

    contacts: ContactStore
    event: Event
    queue: EventQueue
    read: dict[str, Contact] = field(default_factory=dict)

    def resolve(self, identities: Mapping[str, str]) -> dict[str, str]:
        """See ContactStore."""
        return self.contacts.resolve(identities)

    def load(self, contact_id: str) -> Contact | None:
        """See ContactStore."""
        contact = self.contacts.load(contact_id)
        if contact is not None:
            self.read[contact.contact_id] = contact
        return contact

    def save(self, contact: Contact, *, claim: Mapping[str, str], counting: str = "") -> bool:
        """See ContactStore."""
        before = self.read.get(contact.contact_id)
        events = tag_events(
            () if before is None else before.tags,
            contact.tags,
            contact_id=contact.contact_id,
            by="hand",
            at=self.event.occurred_at,
            change_id=self.event.id,
            because={"source": self.event.source},
            correlation_id=self.event.correlation_id,
            cause=caused_by_event(self.event.id),
        )
        if before is None:  # a new contact: its tag events must be queued behind the event that creates it
            events = [replace(each, contact=dict(self.event.contact)) for each in events]
        if events:
            self.queue.send(events)
        return self.contacts.save(contact, claim=claim, counting=counting)

    def release(self, kind: str, value: str, contact_id: str) -> None:
        """See ContactStore."""
        self.contacts.release(kind, value, contact_id)

    def has_counted(self, contact_id: str, event_id: str) -> bool:
        """See ContactStore."""
        return self.contacts.has_counted(contact_id, event_id)

    def merge(self, merge: Merge) -> bool:
        """See ContactStore."""
        return self.contacts.merge(merge)

    def merges(self, contact_id: str) -> list[Merge]:
        """See ContactStore."""
        return self.contacts.merges(contact_id)

    def unmerge(self, merge: Merge, survivor: Contact, absorbed: Contact, *, rewritten: Sequence[Merge] = ()) -> bool:
        """See ContactStore."""
        return self.contacts.unmerge(merge, survivor, absorbed, rewritten=rewritten)
