"""Takes requests in: who sent it, what does it say, into the queue. Called by the receive_webhook function.

What of a request can be used is accepted; what cannot is named in the answer, and an item of which nothing can be used is kept
for an operator. Refused is only a request that nobody can read or that proves no sender: SDKs drop a whole batch on a 400.
The order of steps makes every repetition harmless: events carry ids that do not change between attempts, and a webhook id
is remembered only after the queue has its events, and only when nothing was rejected, so that a corrected one is taken
under the same id. A webhook accepted before is answered with 200 and changes nothing.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, assert_never

from waypost.clock import Clock, real_now
from waypost.events.envelope import OWN_SOURCE
from waypost.events.ports import EventQueue, SecretStore, WebhookLog
from waypost.intake import segment_spec, webhook_body
from waypost.intake.event_collector import Reading
from waypost.intake.http_request import Request
from waypost.intake.mapped_webhooks import MappedReceiver
from waypost.intake.ports import RejectedItems
from waypost.intake.public_key import Caller
from waypost.intake.request_outcome import Accepted, Problem, Refused, accepted_before, refusal, refuse
from waypost.intake.sender_schemes import STANDARD_WEBHOOKS
from waypost.intake.source_mapping import SourceMapping
from waypost.intake.standard_webhooks import Verdict, verify
from waypost.intake.strict_json import Document, read_object
from waypost.intake.webhook_secrets import SOURCE, KnownSecrets

_CORRELATION_ID: Final = re.compile(r"[A-Za-z0-9._:=/+-]{1,100}")
_OUR_OWN_SOURCES: Final = {segment_spec.SOURCE, OWN_SOURCE}
_WRITE_KEY_WANTED: Final = "should be Basic, with a write key or a server key as user name and no password"


class ReceiveWebhook:
    """Turns requests into events in the queue.

    ``secrets`` holds what ``WebhookSecrets`` parses; ``on_rejected_secrets`` gets the places of its entries that are left
    out. ``clock`` dates the events, ``real_clock`` judges the age of signatures. ``mappings`` are those of senders that post
    in a form of their own, by source.
    """

    def __init__(
        self,
        *,
        queue: EventQueue,
        secrets: SecretStore,
        log: WebhookLog,
        rejected: RejectedItems,
        clock: Clock,
        real_clock: Callable[[], datetime] = real_now,
        mappings: Mapping[str, SourceMapping] | None = None,
        on_rejected_secrets: Callable[[Sequence[str]], None],
    ) -> None:
        self._queue = queue
        self._log = log
        self._rejected = rejected
        self._clock = clock
        self._real_clock = real_clock
        self._mappings = mappings or {}
        self._secrets = KnownSecrets(
            store=secrets,
            schemes={source: mapping.scheme for source, mapping in self._mappings.items()},
            on_rejected=on_rejected_secrets,
        )
        self._mapped = MappedReceiver(
            queue=queue,
            secrets=self._secrets,
            log=log,
            rejected=rejected,
            clock=clock,
            real_clock=real_clock,
        )

    def segment(self, call: str, request: Request) -> Accepted | Refused:
        """Take in a call of the Segment API: a key of ``segment_spec.CALLS``, or ``batch``.

        The key comes by Basic authorization or, when there is none, as ``writeKey`` in the body, where browser SDKs put
        it. What a write key may not do is left out, or rejected as an item. Raises TemporarilyUnavailable; the sender may send all of it again.
        """
        key = segment_spec.write_key(request.header("authorization"))
        caller = None if key is None else self._caller(key)
        if key is not None and caller is None:
            return refuse(401, "authorization", _WRITE_KEY_WANTED)
        body = request.body()
        document = body if isinstance(body, Refused) else read_object(body)
        if isinstance(document, Refused):
            return document
        caller = caller or self._caller(document.content.get("writeKey"))
        if caller is None:
            return refuse(401, "authorization", _WRITE_KEY_WANTED)
        reading = segment_spec.read(
            call,
            document.content,
            caller=caller,
            received_at=self._clock(),
            correlation_id=_correlation_id(request),
        )
        return self._accept(reading, document.left_out)

    def webhook(self, source: str, request: Request) -> Accepted | Refused:
        """Take in a signed webhook of ``source``. Raises TemporarilyUnavailable; the sender may send it again."""
        body, mapping = request.body(), self._mappings.get(source)
        if mapping is not None and mapping.scheme.name != STANDARD_WEBHOOKS and not isinstance(body, Refused):
            return self._mapped.receive(mapping, request, body, correlation_id=_correlation_id(request))
        document = body if isinstance(body, Refused) else self._trusted(source, request, body)
        if isinstance(document, Accepted | Refused):
            return document
        webhook_id, correlation_id = request.header("webhook-id"), _correlation_id(request)
        outcome: Accepted | Refused
        if mapping is not None:
            taken = self._mapped.take(mapping, request, document.content, webhook_id, correlation_id=correlation_id)
            outcome = replace(taken, warnings=[*document.left_out, *taken.warnings])
        else:
            reading = webhook_body.read(
                document.content,
                source=source,
                webhook_id=webhook_id,
                received_at=self._clock(),
                correlation_id=correlation_id,
            )
            outcome = self._accept(reading, document.left_out)
        if isinstance(outcome, Accepted) and not outcome.rejected:
            self._log.add(source, webhook_id)
        return outcome

    def _trusted(self, source: str, request: Request, body: bytes) -> Document | Accepted | Refused:
        """The content of a webhook whose sender is known and which is new; otherwise the outcome."""
        if not SOURCE.fullmatch(source) or source in _OUR_OWN_SOURCES:
            return refuse(404, "source", "should be the name of a source: a-z, 0-9, - and _")
        match self._verdict(source, request, body):
            case Verdict.GENUINE if self._log.has(source, request.header("webhook-id")):
                return accepted_before("webhook-id")
            case Verdict.GENUINE:
                return read_object(body)
            case Verdict.STALE as verdict:
                return refuse(400, "webhook-timestamp", verdict.value)
            case Verdict.INCOMPLETE | Verdict.FORGED as verdict:
                return refuse(401, "webhook-signature", verdict.value)
            case never:
                assert_never(never)

    def _accept(self, reading: Reading, left_out: list[Problem]) -> Accepted | Refused:
        if not reading.is_readable:
            return refusal(reading.problems)
        if reading.events:
            self._queue.send(reading.events)
        if reading.rejected:
            self._rejected.keep(reading.rejected)
        return Accepted(len(reading.events), [*left_out, *reading.problems, *reading.warnings], len(reading.rejected))

    def _caller(self, given: Any) -> Caller | None:
        if not isinstance(given, str) or not given:
            return None
        return self._secrets.read().caller(given) or self._secrets.read_again().caller(given)

    def _verdict(self, source: str, request: Request, body: bytes) -> Verdict:
        """Checked against the known secrets, and once more against new ones, so that a rotation works at once."""
        now = self._real_clock()
        verdict = verify(request, body, self._secrets.read().of(source), now=now)
        if verdict is Verdict.FORGED:
            verdict = verify(request, body, self._secrets.read_again().of(source), now=now)
        return verdict


def _correlation_id(request: Request) -> str:
    """The sender's ``x-correlation-id`` if it is presentable, else the id of the request."""
    given = request.header("x-correlation-id")
    return given if _CORRELATION_ID.fullmatch(given) else request.request_id
