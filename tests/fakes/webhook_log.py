"""A WebhookLog in memory."""

from dataclasses import dataclass, field

from waypost.errors import TemporarilyUnavailable


@dataclass
class FakeLog:
    """A WebhookLog in memory; ``("shop", "id") in log``."""

    known: set[tuple[str, str]] = field(default_factory=set)
    broken: bool = False

    def has(self, source: str, webhook_id: str) -> bool:
        return (source, webhook_id) in self.known

    def add(self, source: str, webhook_id: str) -> None:
        if self.broken:
            raise TemporarilyUnavailable("PutItem: throttled")
        self.known.add((source, webhook_id))

    def __contains__(self, key: tuple[str, str]) -> bool:
        return key in self.known
