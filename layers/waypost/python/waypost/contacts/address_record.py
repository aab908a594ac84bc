"""What is known of an address itself, whichever contacts have it. Used by the sender and by what reports about addresses."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from waypost.codec import JsonForm
from waypost.contacts.channels import CHANNELS, Address, Channel, Known, declared_channels
from waypost.contacts.consent import Consent
from waypost.events.envelope import OWN_SOURCE

ADDRESS_ATTRIBUTES: Final = tuple(
    each.address.name for each in declared_channels().values() if each.address.kept_as == "attribute"
)
"""The attributes that are addresses on some channel."""


@dataclass(frozen=True, slots=True)
class AddressRecord(JsonForm):
    """One address on one channel, under its digest.

    ``suppression`` is why nothing may go there, ``suppressed_at`` when that was reported and ``lifted_at`` when a person
    lifted it. ``withdrawn`` says by topic (``*``: all) when one of those who read there followed an unsubscribe link.
    """

    suppression: str = ""
    suppressed_at: datetime | None = None
    lifted_at: datetime | None = None
    withdrawn: Mapping[str, datetime] = field(default_factory=dict)

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


def suppression_key(channel: str, digest: str) -> str:
    """The key in a profile's ``suppressions`` of an address."""
    return f"{channel}/{digest}"
