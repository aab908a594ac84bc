"""Tells the event stream which tags somebody outside has given and taken. Used by the router around the contact store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from waypost.contacts.identity.merge import Merge
from waypost.contacts.ports import ContactStore
from waypost.contacts.profile import Contact
from waypost.contacts.tag_system import tag_events
from waypost.events.envelope import Event
from waypost.events.ports import EventQueue


def telling_tags(contacts: ContactStore, event: Event, queue: EventQueue) -> ContactStore:
    """The store, which queues ``tag_added`` and ``tag_removed`` for what this event changes before it is saved.

    The product's own events are told by whoever made them; an event without tags has nothing to tell.
    """
    if event.is_our_own or not event.profile.keys() & {"tags", "remove_tags"}:
        return contacts
    return _TellsTags(contacts, event, queue)


@dataclass(frozen=True, slots=True)
class _TellsTags:
    """A ContactStore that compares what is saved with what was read.

    Queued first and saved then: a crash in between repeats both, and the ids of the events follow from the event that
    changed the tags, so that they are told once.
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
        told = tag_events(
            () if before is None else before.tags,
            contact.tags,
            contact_id=contact.contact_id,
            by="hand",
            at=self.event.occurred_at,
            occasion=self.event.id,
            because={"source": self.event.source},
            correlation_id=self.event.correlation_id,
        )
        if before is None:  # nobody is there yet: in the queue, what is told must stand behind the event that makes it
            told = [replace(each, contact=dict(self.event.contact)) for each in told]
        if told:
            self.queue.send(told)
        return self.contacts.save(contact, claim=claim, counting=counting)

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
