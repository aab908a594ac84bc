"""Takes in webhooks of senders that have a mapping: their own signatures, their own forms. Called by the receiver.

Such a sender cannot act on an error that names a field, and many stop sending after a few refusals (Shopify removes a
subscription after eight). So a genuine request is taken: what of it cannot be used is left out, with a warning in the
answer, and a delivery that came before is taken again and does nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from waypost.clock import Clock
from waypost.events.ports import EventQueue, SecretStore, WebhookLog
from waypost.intake import webhook_body
from waypost.intake.http_request import Request
from waypost.intake.request_outcome import Accepted, Problem, Refused, refuse
from waypost.intake.sender_schemes import Trusted, check
from waypost.intake.source_mapping import Mapped, SourceMapping

_HOPEFUL: Final = ("contact", "profile", "properties")
"""Parts of an event that lose a field that cannot be used, instead of the event being lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedReceiver:
    """Receives for every mapped source; ``secrets_of`` finds a source's secrets in the secret."""

    queue: EventQueue
    secrets: SecretStore
    secrets_of: Callable[[Mapping[str, Any], str], list[str]]
    log: WebhookLog
    clock: Clock
    real_clock: Callable[[], datetime]

    def receive(
        self, mapping: SourceMapping, request: Request, body: bytes, *, correlation_id: str
    ) -> Accepted | Refused:
        """Take in a request that does not speak Standard Webhooks. Raises TemporarilyUnavailable."""
        trusted = self._trusted(mapping, request, body)
        if isinstance(trusted, Refused):
            return trusted
        if self.log.has(mapping.source, trusted.delivery):
            return Accepted(0, [Problem("body", "was accepted before; nothing was done this time")], trusted.reply)
        accepted = self.take(mapping, request, trusted.document, trusted.delivery, correlation_id=correlation_id)
        self.log.add(mapping.source, trusted.delivery)
        return Accepted(accepted.count, accepted.warnings, trusted.reply)

    def take(
        self, mapping: SourceMapping, request: Request, document: dict[str, Any], delivery: str, *, correlation_id: str
    ) -> Accepted:
        """Queue the events of a genuine document; ``delivery`` makes their ids where the mapping gives none."""
        events, unusable = mapping.events(document, request.headers)
        warnings = [Problem(where, reason) for where, reason in unusable]
        queued = []
        for index, mapped in enumerate(events):
            reading = self._reading(mapping, mapped, f"{delivery}/{index}", correlation_id)
            warnings += [*reading.warnings, *reading.problems]
            if not reading.problems:
                queued += reading.events
        if queued:
            self.queue.send(queued)
        return Accepted(len(queued), warnings)

    def _trusted(self, mapping: SourceMapping, request: Request, body: bytes) -> Trusted | Refused:
        """Checked against the known secrets, and once more against new ones, so that a rotation works at once."""
        now = self.real_clock()
        for secrets in (self.secrets.read, self.secrets.read_again):
            known = self.secrets_of(secrets(), mapping.source)
            if (trusted := check(mapping.scheme, request, body, known, now=now)) is not None:
                return trusted
        return refuse(401, "signature", f"should be that of this source ({mapping.scheme.name})")

    def _reading(self, mapping: SourceMapping, mapped: Mapped, webhook_id: str, correlation_id: str) -> Any:
        """The event as our own webhooks would read it, after what cannot be used has been taken out."""

        def read(event: Mapped) -> Any:
            return webhook_body.read(
                event,
                source=mapping.source,
                webhook_id=webhook_id,
                received_at=self.clock(),
                correlation_id=correlation_id,
            )

        first = read(mapped)
        pruned = _without(mapped, [problem.field for problem in first.problems])
        if not first.problems or pruned == mapped or not pruned["contact"]:
            return first
        again = read(pruned)
        if not again.problems:
            again.warnings = [*first.problems, *again.warnings]
        return again


def _without(event: Mapped, fields: list[str]) -> Mapped:
    """The event without these fields (``profile.email``, ``contact.phone``)."""
    pruned = {name: dict(value) if name in _HOPEFUL else value for name, value in event.items()}
    for field in fields:
        part, _, name = field.partition(".")
        if part in _HOPEFUL and part in pruned:
            pruned[part].pop(name.split(".")[0].split("[")[0], None)
        elif part == "occurred_at":
            pruned.pop("occurred_at", None)
    return pruned
