"""Act on one event: find its contact, store it, run the reactions. Called by route_events, in order per contact and possibly
more than once for the same event."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from waypost.clock import Clock
from waypost.contacts.identity.announcements import announcements
from waypost.contacts.identity.crowding import crowded_kind
from waypost.contacts.identity.record import Wait, no_wait, record_on_contact
from waypost.contacts.identity.rules import BUILT_IN, IdentityRules
from waypost.contacts.ports import ContactStore
from waypost.contacts.profile import Contact
from waypost.contacts.tag_history import with_tag_events
from waypost.events.envelope import Event
from waypost.events.history import EventBus, EventHistory
from waypost.events.listening import Listening
from waypost.events.ports import EventQueue
from waypost.routing.reactions import Decision, Reaction


@dataclass(frozen=True, slots=True)
class Routed:
    """What became of an event. ``repeated``: it had been routed before, and nothing was done.

    ``crowded``: the kind of identity of which the contact has more values by now than a person has. ``left_out``: what a full
    profile could not take of it.
    """

    contact_id: str
    repeated: bool
    decisions: list[dict[str, Any]]
    crowded: str = ""
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Acted:
    """An event whose reactions are done, and what became of it; to be published and marked."""

    event: Event
    routed: Routed


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteEvents:
    """Every step is idempotent, and the marker that the event is done comes last: a crash anywhere repeats the rest.

    ``newborn`` completes a contact that an event creates, at an instant, for the write that creates it.
    """

    contacts: ContactStore
    history: EventHistory
    queue: EventQueue
    reactions: Sequence[Reaction]
    newborn: Callable[[Contact, Event, datetime], Contact]
    bus: EventBus
    listening: Listening
    clock: Clock
    identity_rules: IdentityRules = BUILT_IN
    wait: Wait = no_wait

    def route(self, event: Event) -> Routed:
        """Do everything that follows from the event. Raises RetryableError or FinalError."""
        acted = self.act(event)
        self.finish([acted])
        return acted.routed

    def finish(self, acted: Sequence[Acted]) -> None:
        """Put what another system takes on the bus, in one go, then mark each event as done; the quiet ones need no bus.

        Raises RetryableError or FinalError: what was not marked is repeated. Of one contact's events each is finished before
        the next is acted on, so that none is ever applied again behind a later one.
        """
        pending = [each for each in acted if not each.routed.repeated]
        heard = [each for each in pending if self.listening.on_bus(each.event.type)]
        for each in pending:
            if not self.listening.on_bus(each.event.type):
                self._mark(each)
        if heard:
            self.bus.publish([(each.routed.contact_id, each.event) for each in heard])
        for each in heard:
            self._mark(each)

    def _mark(self, acted: Acted) -> None:
        routed = acted.routed
        self.history.mark_routed(
            routed.contact_id, acted.event, at=self.clock(), decisions=routed.decisions, left_out=routed.left_out
        )

    def act(self, event: Event) -> Acted:
        """Do everything that follows from the event but for the bus and the marker."""
        began = self.clock()
        contact, is_repeated, left_out = record_on_contact(
            event,
            contacts=with_tag_events(self.contacts, event, self.queue),
            is_repeated=lambda contact_ids: self.history.is_routed(contact_ids, event.id),
            clock=self.clock,
            identity_rules=self.identity_rules,
            wait=self.wait,
            newborn=lambda contact: self.newborn(contact, event, began),
        )
        if is_repeated:
            return Acted(event, Routed(contact.contact_id, repeated=True, decisions=[]))
        if merges := announcements(contact, self.contacts):
            self.queue.send(merges)
        routed_at = (
            began if contact.version == 1 else self.clock()
        )  # not behind what followed as the contact was created
        self.history.record(contact.contact_id, event, routed_at=routed_at, version=contact.version)
        contact = self._as_it_is_now(contact)
        decided: list[Decision] = []
        for reaction in self.reactions:
            reacted = reaction.react(contact, event, decided)
            contact = reacted.contact
            decided += reacted.decisions
        decisions = [decision.to_dict() for decision in decided]
        crowded = crowded_kind(contact.identities, event.contact)
        routed = Routed(contact.contact_id, repeated=False, decisions=decisions, crowded=crowded, left_out=left_out)
        return Acted(event, routed)

    def _as_it_is_now(self, contact: Contact) -> Contact:
        """The contact read again, now that the event is stored: it may have become part of another one in between.

        What follows a merge looks for stored events afterwards (``catch_up``); one of the two sees the other.
        """
        return self.contacts.load(contact.contact_id) or contact
