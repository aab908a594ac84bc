"""Takes in webhooks of senders that have a mapping: their own signatures, their own forms. Called by the receiver.

Such a sender cannot act on an error that names a field, and many stop sending after a few refusals (Shopify removes a
subscription after eight). So a genuine request is taken: what of it cannot be used is left out, with a warning in the
answer, and a delivery that came before is taken again and does nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from waypost.clock import Clock
from waypost.events.envelope import Event
from waypost.events.ports import EventQueue, WebhookLog
from waypost.intake import webhook_body
from waypost.intake.http_request import Request
from waypost.intake.ports import RejectedItems
from waypost.intake.request_outcome import Accepted, Problem, Refused, RejectedItem, accepted_before, refuse
from waypost.intake.sender_schemes import Trusted, check
from waypost.intake.source_mapping import SourceMapping
from waypost.intake.webhook_secrets import KnownSecrets


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedReceiver:
    """Receives for every mapped source."""

    queue: EventQueue
    secrets: KnownSecrets
    log: WebhookLog
    rejected: RejectedItems
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
            return accepted_before("body", reply=trusted.reply)
        accepted = self.take(mapping, request, trusted.document, trusted.delivery, correlation_id=correlation_id)
        self.log.add(mapping.source, trusted.delivery)
        return replace(accepted, warnings=[*trusted.left_out, *accepted.warnings], reply=trusted.reply)

    def take(
        self, mapping: SourceMapping, request: Request, document: dict[str, Any], delivery: str, *, correlation_id: str
    ) -> Accepted:
        """Queue the events of a genuine document; ``delivery`` makes their ids where the mapping gives none."""
        events, unusable = mapping.events(document, request.headers)
        warnings = [Problem(where, reason) for where, reason in unusable]
        queued: list[Event] = []
        rejected: list[RejectedItem] = []
        for index, mapped in enumerate(events):
            reading = webhook_body.read(
                mapped,
                source=mapping.source,
                webhook_id=f"{delivery}/{index}",
                received_at=self.clock(),
                correlation_id=correlation_id,
            )
            warnings += [*reading.problems, *reading.warnings]
            queued += reading.events
            rejected += reading.rejected
        if queued:
            self.queue.send(queued)
        if rejected:
            self.rejected.keep(rejected)
        return Accepted(len(queued), warnings, len(rejected))

    def _trusted(self, mapping: SourceMapping, request: Request, body: bytes) -> Trusted | Refused:
        """Checked against the known secrets, and once more against new ones, so that a rotation works at once."""
        now = self.real_clock()
        for secrets in (self.secrets.read, self.secrets.read_again):
            known = secrets().of(mapping.source)
            if (trusted := check(mapping.scheme, request, body, known, now=now)) is not None:
                return trusted
        return refuse(401, "signature", f"should be that of this source ({mapping.scheme.name})")
