"""Act on one event: contact, history, journeys under way, journeys to start, bus. Called by route_events, in order per
contact and possibly more than once for the same event."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from waypost.clock import Clock
from waypost.contacts.identity import record_on_contact
from waypost.contacts.ports import ContactStore
from waypost.events.envelope import Event
from waypost.events.history import EventBus, EventHistory
from waypost.journeys.enrolling import Enroller
from waypost.journeys.waking import Waker
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
class Router:
    """Every step is idempotent, and the marker that the event is done comes last: a crash anywhere repeats the rest."""

    contacts: ContactStore
    history: EventHistory
    ledger: Ledger
    waker: Waker
    enroller: Enroller
    bus: EventBus
    clock: Clock

    def route(self, event: Event) -> Routed:
        """Do everything that follows from the event. Raises RetryableError or FinalError."""
        contact, is_repeated = record_on_contact(
            event,
            contacts=self.contacts,
            is_repeated=lambda contact_id: self.history.is_routed(contact_id, event.id),
            clock=self.clock,
        )
        if is_repeated:
            return Routed(contact.contact_id, repeated=True, decisions=[])
        self.history.record(contact.contact_id, event, routed_at=self.clock())
        self._confirm(contact.contact_id, event)
        woken = self.waker.notify(contact, event)
        entered = self.enroller.consider(contact, event)
        self.bus.publish(contact.contact_id, event)
        decisions = [asdict(decision) for decision in woken] + [decision.to_dict() for decision in entered]
        self.history.mark_routed(contact.contact_id, event, at=self.clock(), decisions=decisions)
        return Routed(contact.contact_id, repeated=False, decisions=decisions)

    def _confirm(self, contact_id: str, event: Event) -> None:
        state, key = CONFIRMATIONS.get(event.type), event.properties.get("message_key")
        if state is not None and isinstance(key, str) and event.is_our_own:
            self.ledger.confirm(contact_id, key, state=state, at=event.occurred_at)
