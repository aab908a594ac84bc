"""What follows from an event once it is stored: one reaction each, in the order in which they run. Run by RouteEvents.

A new consequence of events is a class with ``react`` and its place in ``reactions``.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from waypost.channels.people_contract import SyncQueue
from waypost.channels.registry import rights_in
from waypost.contacts.address_record import AddressRecords, reopen
from waypost.contacts.channels import Address, Channel, declared_channels
from waypost.contacts.identity.announcements import MERGED
from waypost.contacts.profile import IMPORTED, Contact
from waypost.contacts.tag_system import TagSystem
from waypost.coupons.redeeming import CouponRedeemer
from waypost.events.envelope import OWN_SOURCE, UNPROVEN_SOURCE, WRITE_KEY_SOURCE, Event
from waypost.journeys.enrol_contact import EnrolContact
from waypost.journeys.wake_journeys import WakeJourneys
from waypost.products.watching import WatchKeeper
from waypost.segments.upkeep import Upkeep
from waypost.sending.ledger import CONFIRMATIONS, Ledger


class Decision(Protocol):
    """What a reaction did about one journey; stored with the event, and shown on the timeline."""

    @property
    def journey(self) -> str:
        """The journey's name."""
        ...

    @property
    def moves_contact(self) -> bool:
        """Whether the contact has entered the journey or is leaving it."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """The stored form."""
        ...


@dataclass(frozen=True, slots=True)
class Reacted:
    """The contact after a reaction, and what the reaction decided."""

    contact: Contact
    decisions: Sequence[Decision] = ()


class Reaction(Protocol):
    """One consequence of events. It may run again for the same event after a crash, and then changes nothing twice."""

    def react(self, contact: Contact, event: Event, decided: Sequence[Decision]) -> Reacted:
        """Act on the event, which is stored already. ``decided`` is what the reactions before this one decided.

        Raises RetryableError or FinalError.
        """
        ...


def reactions(
    *,
    ledger: Ledger,
    addresses: AddressRecords,
    redeemer: CouponRedeemer,
    watch_keeper: WatchKeeper,
    upkeep: Upkeep,
    wake_journeys: WakeJourneys,
    enrol_contact: EnrolContact,
    sync_people: "SyncPeople",
) -> tuple[Reaction, ...]:
    """Every reaction, in order."""
    return (
        SettleMessage(ledger),
        ReopenAddress(addresses),
        GiveRights(addresses),
        RedeemCoupons(redeemer),
        KeepWatches(watch_keeper),
        KeepSegments(upkeep),
        MoveThroughJourneys(wake_journeys, enrol_contact),
        KeepJourneySegments(upkeep),
        sync_people,
    )


@dataclass(frozen=True, slots=True)
class SettleMessage:
    """Pass on what a provider reports of a message."""

    ledger: Ledger

    def react(self, contact: Contact, event: Event, decided: Sequence[Decision]) -> Reacted:
        """See Reaction. The row is kept under the id the contact had when the message was sent."""
        state, key = CONFIRMATIONS.get(event.type), event.properties.get("message_key")
        if state is not None and isinstance(key, str) and event.is_our_own:
            sent_to = event.contact.get("contact_id", contact.contact_id)
            for contact_id in dict.fromkeys((sent_to, *contact.partitions)):
                if self.ledger.confirm(contact_id, key, state=state, at=event.occurred_at):
                    break
        return Reacted(contact)


@dataclass(frozen=True, slots=True)
class ReopenAddress:
    """Open an address that was closed, when its person shows at the provider that it takes messages again."""

    addresses: AddressRecords

    def react(self, contact: Contact, event: Event, decided: Sequence[Decision]) -> Reacted:
        """See Reaction."""
        reopen(event, self.addresses)
        return Reacted(contact)


@dataclass(frozen=True, slots=True)
class GiveRights:
    """Count what a person lets be sent by this act; never what a browser says of it."""

    addresses: AddressRecords

    def react(self, contact: Contact, event: Event, decided: Sequence[Decision]) -> Reacted:
        """See Reaction."""
        if event.source not in {WRITE_KEY_SOURCE, UNPROVEN_SOURCE}:
            for right in rights_in(event):
                digest, at = right.address.digest, event.occurred_at
                if right.within is None:
                    self.addresses.grant_right(digest, right.name, event_id=event.id, at=at)
                else:
                    until = at + right.within
                    self.addresses.open_right(digest, right.name, messages=right.messages, at=at, until=until)
        return Reacted(contact)


@dataclass(frozen=True, slots=True)
class RedeemCoupons:
    """Redeem the coupons that an order names."""

    redeemer: CouponRedeemer

    def react(self, contact: Contact, event: Event, decided: Sequence[Decision]) -> Reacted:
        """See Reaction."""
        self.redeemer.redeem(event, contact.partitions)
        return Reacted(contact)


@dataclass(frozen=True, slots=True)
class KeepWatches:
    """Keep which products the contact watches."""

    watch_keeper: WatchKeeper

    def react(self, contact: Contact, event: Event, decided: Sequence[Decision]) -> Reacted:
        """See Reaction."""
        self.watch_keeper.notice(event, contact.partitions)
        return Reacted(contact)


@dataclass(frozen=True, slots=True)
class KeepSegments:
    """Evaluate the saved segments, rule tags and life cycle that the event can affect."""

    upkeep: Upkeep

    def react(self, contact: Contact, event: Event, decided: Sequence[Decision]) -> Reacted:
        """See Reaction."""
        return Reacted(self.upkeep.keep(contact, event))


@dataclass(frozen=True, slots=True)
class MoveThroughJourneys:
    """Resume or end the journeys that wait for the event, or that it ends, and start those that it triggers.

    The journeys under way are read once for both: who may enter is judged by the journeys as they stood when the event came.
    """

    wake_journeys: WakeJourneys
    enrol_contact: EnrolContact

    def react(self, contact: Contact, event: Event, decided: Sequence[Decision]) -> Reacted:
        """See Reaction. After a merge, journeys also learn what the contact did under its other ids."""
        under_way = self.wake_journeys.under_way(contact)
        woken = self.wake_journeys.notify(contact, event, under_way)
        if event.type == MERGED and event.is_our_own:
            woken += self.wake_journeys.catch_up(contact)
        return Reacted(contact, [*woken, *self.enrol_contact.consider(contact, event, under_way)])


@dataclass(frozen=True, slots=True)
class KeepJourneySegments:
    """Evaluate the rules that read which journeys the contact is in, for the journeys it has entered or is leaving."""

    upkeep: Upkeep

    def react(self, contact: Contact, event: Event, decided: Sequence[Decision]) -> Reacted:
        """See Reaction."""
        moved = {decision.journey for decision in decided if decision.moves_contact}
        return Reacted(self.upkeep.keep_journeys(contact, event, moved))


_TAG_EVENTS: Final = ("tag_added", "tag_removed")


@dataclass(frozen=True, slots=True)
class SyncPeople:
    """Have a provider asked about a person of whom it may know something new, or who has another tag that it has too."""

    queue: Callable[[], SyncQueue]
    tags: TagSystem

    def react(self, contact: Contact, event: Event, decided: Sequence[Decision]) -> Reacted:
        """See Reaction."""
        if event.is_our_own and (people := list(dict.fromkeys(self._people(contact, event)))):
            self.queue().put(people)
        return Reacted(contact)

    def _people(self, contact: Contact, event: Event) -> Iterator[Address]:
        for channel, declared in declared_channels().items():
            if event.type in declared.synced_after and (address := event.contact.get(declared.address.name)):
                yield Address(channel, declared.address.name, address)
            elif self._changes_tag(event, channel):
                yield from declared.address.addresses(channel, contact)

    def _changes_tag(self, event: Event, channel: Channel) -> bool:
        """Whether a tag that the provider has too may have changed; not when the change came from there."""
        outside = self.tags.outside(channel)
        if not outside:
            return False
        if event.type in _TAG_EVENTS:
            came_from_there = event.properties.get("source") == f"{OWN_SOURCE}.{channel}"
            return event.properties.get("tag") in outside and not came_from_there
        is_import = event.type == IMPORTED and not outside.keys().isdisjoint(event.profile.get("tags", ()))
        return is_import or event.type == MERGED
