"""What is known of an address itself, whichever contacts have it. Used by the sender and by what reports about addresses."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from waypost.codec import JsonForm
from waypost.contacts.channels import CHANNELS, Address, Channel, Known, declared_channels
from waypost.contacts.consent import Consent
from waypost.events.envelope import OWN_SOURCE, Event

ADDRESS_ATTRIBUTES: Final = tuple(
    each.address.name for each in declared_channels().values() if each.address.kept_as == "attribute"
)
"""The attributes that are addresses on some channel."""


@dataclass(frozen=True, slots=True)
class Right(JsonForm):
    """How many more messages a person takes at an address, by an act of its own: ``left``, until ``until`` where it ends.

    ``taken`` has the keys of the messages that were counted, and when.
    """

    left: int = 0
    until: datetime | None = None
    taken: Mapping[str, datetime] = field(default_factory=dict)

    def is_open(self, now: datetime) -> bool:
        """Whether it has not ended."""
        return self.until is None or self.until > now

    def allows(self, message_key: str, now: datetime) -> bool:
        """Whether this message may go out by it: one is left, or it is counted already."""
        return self.is_open(now) and (self.left > 0 or message_key in self.taken)


@dataclass(frozen=True, slots=True)
class AddressRecord(JsonForm):
    """One address on one channel, under its digest.

    ``suppression`` is why nothing may go there, ``suppressed_at`` when that was reported and ``lifted_at`` when a person
    lifted it. ``withdrawn`` says by topic (``*``: all) when one of those who read there followed an unsubscribe link.
    ``rights`` are what the person gave by acting, by the names of the channel.
    """

    suppression: str = ""
    suppressed_at: datetime | None = None
    lifted_at: datetime | None = None
    withdrawn: Mapping[str, datetime] = field(default_factory=dict)
    rights: Mapping[str, Right] = field(default_factory=dict)

    @property
    def closed(self) -> str:
        """Why nothing may go there now; "" when it may. What was reported before it was lifted is lifted."""
        if self.suppressed_at is None or (self.lifted_at is not None and self.lifted_at >= self.suppressed_at):
            return ""
        return self.suppression

    def withdrawals(self, channel: Channel) -> dict[str, Consent]:
        """The unsubscribes, as consents of a profile: a newer yes that weighs as much lifts them."""
        return {f"{channel}/{topic}": Consent(False, at, OWN_SOURCE, "word") for topic, at in self.withdrawn.items()}


class AddressRecords(Protocol):
    """Keeps the records of addresses, by ``Address.digest``."""

    def of(self, addresses: Collection[Address]) -> dict[str, AddressRecord]:
        """What is known of each, read consistently; an address that nothing is known of is absent."""
        ...

    def suppress(self, digest: str, *, channel: str, reason: str, at: datetime) -> None:
        """Nothing may go there since ``at``. An older report than the stored one changes nothing."""
        ...

    def withdraw(self, digest: str, *, channel: str, topic: str, at: datetime) -> None:
        """No marketing about this topic (``*``: none at all) may go there since ``at``."""
        ...

    def lift(self, digest: str, *, channel: str, at: datetime, by: str, reason: str) -> None:
        """What was reported before ``at`` closes it no longer; who lifted it and why is kept with the record."""
        ...

    def grant_right(self, digest: str, name: str, *, event_id: str, at: datetime) -> None:
        """One more message may go there; the same event again changes nothing."""
        ...

    def open_right(self, digest: str, name: str, *, messages: int, at: datetime, until: datetime) -> None:
        """So many messages may go there until then, since ``at``; what is older than the stored changes nothing."""
        ...

    def take_right(self, digest: str, name: str, message_key: str, *, now: datetime) -> bool:
        """Count a message, once; False when none is left or the time is over."""
        ...

    def give_back_right(self, digest: str, name: str, message_key: str) -> None:
        """A counted message was definitely not sent."""
        ...

    def end_right(self, digest: str, name: str) -> None:
        """No further message may go there by it: the provider says so."""
        ...


def closed_channels(suppressions: Mapping[str, str], known: Known) -> dict[str, str]:
    """The channels on which the address that a message would use now is suppressed, as far as the profile knows, and why.

    ``suppressions`` are a profile's. A channel without an address was stored before addresses were: it is closed.
    """
    closed: dict[str, str] = {}
    for channel in CHANNELS if suppressions else ():
        addresses = declared_channels()[channel].address.addresses(channel, known)
        used = address_in_use(addresses, lambda each: suppressions.get(suppression_key(each.channel, each.digest), ""))
        keys = (channel, *([suppression_key(used.channel, used.digest)] if used else ()))
        if reason := next((suppressions[key] for key in keys if key in suppressions), ""):
            closed[channel] = reason
    return closed


def address_in_use(addresses: Sequence[Address], closed: Callable[[Address], str]) -> Address | None:
    """Of a contact's addresses on a channel, oldest first, the one that a message would use: the newest that is not closed.

    Where all are closed it is the newest, so that it can be said why nothing goes there.
    """
    return next((each for each in reversed(addresses) if not closed(each)), addresses[-1] if addresses else None)


def reopen(event: Event, addresses: AddressRecords) -> None:
    """Open the address of an event that shows that it takes messages again, such as a follow of an account that was left.

    Only what the channel declares is ended, and nothing that was reported after the event. One read for such an event alone.
    """
    for channel, declared in declared_channels().items():
        text = event.contact.get(declared.address.name, "")
        if not text or not event.is_our_own or event.type not in declared.reopened_by:
            continue
        address = Address(channel, declared.address.name, text)
        known = addresses.of([address]).get(address.digest)
        if known is not None and known.closed in declared.reopened_by[event.type]:
            addresses.lift(address.digest, channel=channel, at=event.occurred_at, by=OWN_SOURCE, reason=event.type)


def suppression_key(channel: str, digest: str) -> str:
    """The key in a profile's ``suppressions`` of an address."""
    return f"{channel}/{digest}"
