"""Act on one event: contact, history, segments, journeys under way, journeys to start, bus. Called by route_events, in
order per contact and possibly more than once for the same event."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from waypost.clock import Clock
from waypost.contacts.identity.announcements import MERGED, announcements
from waypost.contacts.identity.record import Wait, no_wait, record_on_contact
from waypost.contacts.identity.rules import BUILT_IN, IdentityRules
from waypost.contacts.ports import ContactStore
from waypost.contacts.profile import Contact
from waypost.contacts.tag_history import telling_tags
from waypost.events.envelope import Event
from waypost.events.history import EventBus, EventHistory
from waypost.events.ports import EventQueue
from waypost.journeys.enrol_contact import EnrolContact, EntryDecision
from waypost.journeys.wake_journeys import WakeDecision, WakeJourneys
from waypost.segments.upkeep import Upkeep
from waypost.sending.ledger import Confirmation, Ledger

CONFIRMATIONS: Final[Mapping[str, Confirmation]] = {
    "email_accepted": "accepted",
    "email_delivered": "delivered",
    "email_bounced": "bounced",
    "email_complained": "complained",
    "email_rejected": "rejected",
    "sms_delivered": "delivered",
    "sms_failed": "bounced",
}
"""What a provider's event says of the message whose key it carries."""


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
    ledger: Ledger
    keeper: Upkeep
    waker: WakeJourneys
    enroller: EnrolContact
    bus: EventBus
    queue: EventQueue
    clock: Clock
    identity_rules: IdentityRules = BUILT_IN
    wait: Wait = no_wait

    def route(self, event: Event) -> Routed:
        """Do everything that follows from the event. Raises RetryableError or FinalError."""
        contact, is_repeated = record_on_contact(
            event,
            contacts=telling_tags(self.contacts, event, self.queue),
            is_repeated=lambda contact_id: self.history.is_routed(contact_id, event.id),
            clock=self.clock,
            identity_rules=self.identity_rules,
            wait=self.wait,
        )
        if is_repeated:
            return Routed(contact.contact_id, repeated=True, decisions=[])
        if untold := announcements(contact, self.contacts):
            self.queue.send(untold)
        self.history.record(contact.contact_id, event, routed_at=self.clock(), version=contact.version)
        contact = self._as_it_is_now(contact)
        self._confirm(contact, event)
        contact = self.keeper.keep(contact, event)
        woken = self.waker.notify(contact, event)
        if event.type == MERGED and event.is_our_own:
            woken += self.waker.catch_up(contact)
        entered = self.enroller.consider(contact, event)
        self.keeper.keep_journeys(contact, event, _changed(woken, entered))
        self.bus.publish(contact.contact_id, event)
        decisions = [asdict(decision) for decision in woken] + [decision.to_dict() for decision in entered]
        self.history.mark_routed(contact.contact_id, event, at=self.clock(), decisions=decisions)
        return Routed(contact.contact_id, repeated=False, decisions=decisions)

    def _as_it_is_now(self, contact: Contact) -> Contact:
        """The contact read again, now that the event is stored: it may have become part of another one in between.

        What follows a merge looks for stored events afterwards (``catch_up``); one of the two sees the other.
        """
        return self.contacts.load(contact.contact_id) or contact

    def _confirm(self, contact: Contact, event: Event) -> None:
        """Pass on what the provider says of a message, which is kept under the id the contact had when it was sent."""
        state, key = CONFIRMATIONS.get(event.type), event.properties.get("message_key")
        if state is None or not isinstance(key, str) or not event.is_our_own:
            return
        sent_to = event.contact.get("contact_id", contact.contact_id)
        for contact_id in dict.fromkeys((sent_to, *contact.partitions)):
            if self.ledger.confirm(contact_id, key, state=state, at=event.occurred_at):
                return


def _changed(woken: Sequence[WakeDecision], entered: Sequence[EntryDecision]) -> set[str]:
    """The journeys that the contact has entered or is leaving."""
    left = {decision.journey for decision in woken if decision.effect != "resumed"}
    return left | {decision.journey for decision in entered if decision.reason == "enrolled"}
