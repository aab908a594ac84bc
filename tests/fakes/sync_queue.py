"""A SyncQueue in memory, and a provider that knows people."""

from collections.abc import Sequence

from waypost.channels.people_contract import NotAnswered, NotKnown, Person
from waypost.contacts.channels import Address
from waypost.contacts.tag_system import OutsideTag


class FakeSyncQueue:
    """``waiting`` are those who are to be asked about, in order."""

    def __init__(self) -> None:
        self.waiting: list[Address] = []

    def put(self, people: Sequence[Address]) -> None:
        """See SyncQueue."""
        self.waiting += people


class FakePeople:
    """TaggedPeople: ``known`` by address; ``changes`` are (member, put, take) in order."""

    def __init__(self) -> None:
        self.known: dict[str, Person | NotKnown | NotAnswered] = {}
        self.changes: list[tuple[str, list[str], list[str]]] = []
        self.refusal: NotKnown | NotAnswered | None = None

    def read(self, address: str) -> Person | NotKnown | NotAnswered:
        """See People."""
        return self.known.get(address, NotKnown("84061"))

    def change_tags(
        self, address: str, member: str, *, put: Sequence[OutsideTag], take: Sequence[OutsideTag]
    ) -> NotKnown | NotAnswered | None:
        """See TaggedPeople."""
        del address
        if self.refusal is None:
            self.changes.append((member, [each.name for each in put], [each.name for each in take]))
        return self.refusal
