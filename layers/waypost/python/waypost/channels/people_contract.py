"""How a provider is asked what it knows of a person: ``channels/<name>/people.py``, whose ``connect(settings, ports)`` gives a People.

``synced_after`` in ``channel.json`` names the events after which ``tracking.sync_person`` asks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable

from waypost.contacts.channels import Address
from waypost.contacts.tag_system import OutsideTag


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingMember:
    """A member of staff who serves the person: as the provider names them, since when, and the tags that they see on the person."""

    member: str
    since: datetime | None
    tags: frozenset[OutsideTag] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """``identities`` are others of the same person; ``served_by`` are in the order in which they came."""

    identities: Mapping[str, str] = field(default_factory=dict)
    served_by: Sequence[ServingMember] = ()


@dataclass(frozen=True, slots=True)
class NotKnown:
    """The provider knows nobody of this address, or has no such member: asking again is in vain."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotAnswered:
    """The provider gave no answer that helps; it may later."""

    reason: str


class People(Protocol):
    """Asks the provider of a channel. Never raises for what the provider or the network does."""

    def read(self, address: str) -> Person | NotKnown | NotAnswered:
        """What the provider knows of the person of this address."""
        ...


@runtime_checkable
class TaggedPeople(People, Protocol):
    """People on whom members of staff see tags."""

    def change_tags(
        self, address: str, member: str, *, put: Sequence[OutsideTag], take: Sequence[OutsideTag]
    ) -> NotKnown | NotAnswered | None:
        """Put tags on a person and take others off, for one member who serves them; None when it is done.

        A tag that the provider does not have yet is made. The same again changes nothing.
        """
        ...


class SyncQueue(Protocol):
    """The people about whom providers are to be asked."""

    def put(self, people: Sequence[Address]) -> None:
        """Have each asked about, at least once. Raises RetryableError."""
        ...
