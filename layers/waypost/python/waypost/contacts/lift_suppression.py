"""Open an address again that was closed. Called by lift_suppression, which an operator starts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from waypost import ids
from waypost.clock import Clock, format_instant
from waypost.contacts.address_record import AddressRecord, AddressRecords
from waypost.contacts.channels import Address, Channel, channel_named
from waypost.contacts.identity.named_contact import find_named, read_name, read_text
from waypost.contacts.ports import ContactStore
from waypost.contacts.profile import Contact
from waypost.errors import InvalidInput
from waypost.events.envelope import OWN_SOURCE, Event
from waypost.events.message_events import SUPPRESSION_LIFTED
from waypost.events.ports import EventQueue

ACTIONS: Final = ("preview", "lift")


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftSuppression:
    """Shows why nothing may go to an address, and opens it."""

    contacts: ContactStore
    addresses: AddressRecords
    queue: EventQueue
    clock: Clock

    def act(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Execute ``{action: preview | lift, contact: who, channel, by, reason}``; a repeated one changes nothing.

        ``who`` is ``{contact_id: …}`` or one identity; the address is its newest on the channel. ``by`` and ``reason``
        stand on the timeline; preview needs neither. Raises InvalidInput naming the field, and ContactNotFound.
        """
        who, channel = read_name(request.get("contact"), "contact"), channel_named(request.get("channel"))
        match request.get("action"):
            case "preview":
                contact, address = self._find(who, channel)
                return _shown("preview", contact, channel, self._record(address))
            case "lift":
                return self.lift(who, channel, by=_needed(request, "by"), reason=_needed(request, "reason"))
            case unknown:
                raise InvalidInput("action", f"should be one of {', '.join(ACTIONS)}, not {unknown!r}")

    def lift(self, who: Mapping[str, str], channel: Channel, *, by: str, reason: str) -> dict[str, Any]:
        """Open the address for everybody who has it, and say so on the contact's timeline.

        The address first: if the event is not queued, the same request queues it. Raises InvalidInput when nothing closed it.
        """
        contact, address = self._find(who, channel)
        before = self._record(address)
        if not before.suppression and channel not in contact.closed:
            raise InvalidInput("channel", f"the contact's address on {channel} is not suppressed")
        now, closed_at = self.clock(), before.suppressed_at
        if before.closed or before.lifted_at is None:
            at = max(now, closed_at or now)  # the provider's clock may be ahead of ours
            self.addresses.lift(address.digest, channel=channel, at=at, by=by, reason=reason)
        self.queue.send(
            [
                Event(
                    id=ids.event_id(
                        OWN_SOURCE,
                        ["lifted", contact.contact_id, address.digest, closed_at and format_instant(closed_at)],
                    ),
                    type=SUPPRESSION_LIFTED,
                    contact={"contact_id": contact.contact_id},
                    occurred_at=now,
                    received_at=now,
                    source=OWN_SOURCE,
                    properties={
                        "channel": channel,
                        "address": address.digest,
                        "suppression": before.suppression or contact.closed.get(channel, ""),
                        "by": by,
                        "reason": reason,
                    },
                )
            ]
        )
        return _shown("lift", contact, channel, self._record(address))

    def _find(self, who: Mapping[str, str], channel: Channel) -> tuple[Contact, Address]:
        contact = find_named(self.contacts, who, "contact")
        if not (newest := contact.addresses(channel)[-1:]):
            raise InvalidInput("channel", f"the contact has no address on {channel}")
        return contact, newest[0]

    def _record(self, address: Address) -> AddressRecord:
        return self.addresses.of([address]).get(address.digest, AddressRecord())


def _shown(action: str, contact: Contact, channel: Channel, record: AddressRecord) -> dict[str, Any]:
    """What is known of the address, without the address."""
    known = "" if record.lifted_at else contact.closed.get(channel, "")
    return {
        "action": action,
        "contact_id": contact.contact_id,
        "channel": channel,
        "suppression": record.closed or known,
        "suppressed_at": record.suppressed_at and format_instant(record.suppressed_at),
        "lifted_at": record.lifted_at and format_instant(record.lifted_at),
        "unsubscribed": sorted(record.withdrawn),
    }


def _needed(request: Mapping[str, Any], name: str) -> str:
    text = read_text(request, name).strip()
    if not text:
        raise InvalidInput(name, "is missing")
    return text
