"""Act on one event: find its contact, store it, run the reactions. Called by route_events, in order per contact and possibly
more than once for the same event."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from waypost.clock import Clock
from waypost.contacts.identity.announcements import announcements
from waypost.contacts.identity.record import Wait, no_wait, record_on_contact
from waypost.contacts.identity.rules import BUILT_IN, IdentityRules
from waypost.contacts.ports import ContactStore
from waypost.contacts.profile import Contact
from waypost.contacts.tag_history import with_tag_events
from waypost.events.envelope import Event
from waypost.events.history import EventHistory
from waypost.events.ports import EventQueue
from waypost.routing.reactions import Decision, Reaction


@dataclass(frozen=True, slots=True)
class Routed:
    """What became of an event. ``repeated``: it had been routed before, and nothing was done."""

    contact_id: str
    repeated: bool
    decisions: list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteEvents:
    """Every step is idempotent, and the marker that the event is done comes last: a crash anywhere repeats the rest."""

    contacts: ContactStore
    history: EventHistory
    queue: EventQueue
    reactions: Sequence[Reaction]
    clock: Clock
    identity_rules: IdentityRules = BUILT_IN
    wait: Wait = no_wait

    def route(self, event: Event) -> Routed:
        """Do everything that follows from the event. Raises RetryableError or FinalError."""
        contact, is_repeated = record_on_contact(
            event,
            contacts=with_tag_events(self.contacts, event, self.queue),
            is_repeated=lambda contact_ids: self.history.is_routed(contact_ids, event.id),
            clock=self.clock,
            identity_rules=self.identity_rules,
            wait=self.wait,
        )
        if is_repeated:
            return Routed(contact.contact_id, repeated=True, decisions=[])
        if merges := announcements(contact, self.contacts):
            self.queue.send(merges)
        self.history.record(contact.contact_id, event, routed_at=self.clock(), version=contact.version)
        contact = self._as_it_is_now(contact)
        decided: list[Decision] = []
        for reaction in self.reactions:
            reacted = reaction.react(contact, event, decided)
            contact = reacted.contact
            decided += reacted.decisions
        decisions = [decision.to_dict() for decision in decided]
        self.history.mark_routed(contact.contact_id, event, at=self.clock(), decisions=decisions)
        return Routed(contact.contact_id, repeated=False, decisions=decisions)

    def _as_it_is_now(self, contact: Contact) -> Contact:
        """The contact read again, now that the event is stored: it may have become part of another one in between.

        What follows a merge looks for stored events afterwards (``catch_up``); one of the two sees the other.
        """
        return self.contacts.load(contact.contact_id) or contact
