"""A Ledger in memory."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from tests.fakes.contacts import FakeContacts
from tests.fakes.effects import Effects, effect
from tests.fakes.enrolments import FakeEnrolments
from tests.fakes.history import FakeHistory
from waypost.clock import format_instant, parse_instant
from waypost.sending.ledger import (
    MOST_DEFERRALS_NOTED,
    ClaimResult,
    Confirmation,
    Decision,
    LedgerRow,
    LedgerState,
    Snapshot,
    Touches,
)
from waypost.sending.occasion import JourneyStep, Reply, dump_occasion, load_occasion
from waypost.sending.request import SendRequest


class FakeLedger:
    """A Ledger; it reads the contacts, enrolments and events of its fellow fakes."""

    label = "ledger"

    def __init__(
        self,
        effects: Effects | None = None,
        *,
        contacts: FakeContacts,
        enrolments: FakeEnrolments,
        history: "FakeHistory",
    ) -> None:
        self.effects = effects or Effects()
        self.contacts = contacts
        self.enrolments = enrolments
        self.history = history
        self.rows: dict[tuple[str, str], LedgerRow] = {}
        self.touches = contacts.touches
        self.answered: set[str] = set()
        self.by_hops: set[str] = set()
        self.confirmed_at: dict[str, datetime] = {}
        self.before_claim: Callable[[], object] | None = None

    def __contains__(self, message_key: object) -> bool:
        return any(message_key == key for _, key in self.rows)

    def __iter__(self) -> Iterator[LedgerRow]:
        return iter(self.rows.values())

    def __getitem__(self, message_key: str) -> LedgerRow:
        return next(row for (_, key), row in self.rows.items() if key == message_key)

    def states(self) -> dict[str, LedgerState]:
        """The state of each message, by the name of its step."""
        return {row.occasion.label: row.state for row in self}

    def snapshot(self, request: SendRequest, *, with_row: bool = True) -> Snapshot:
        """See Ledger."""
        contact, occasion = self.contacts.load(request.contact_id), request.occasion
        owner = contact.contact_id if contact else request.contact_id
        touches = self.touches.get(owner, Touches())
        return Snapshot(
            contact=contact,
            row=self._row(request) if with_row else None,
            enrolment=self.enrolments.load(occasion.contact_id, occasion.enrolment_id)
            if isinstance(occasion, JourneyStep)
            else None,
            event=self.history.at(occasion.contact_id, occasion.occurred_at, occasion.event_id)
            if isinstance(occasion, Reply)
            else None,
            touches=replace(touches, contact_id="" if owner == request.contact_id else owner),
        )

    def claim(
        self,
        request: SendRequest,
        *,
        channel: str,
        claim_id: str,
        at: datetime,
        local_time: str,
        touches: Touches | None,
        links: Sequence[str] = (),
        repeats: str | None = None,
    ) -> ClaimResult:
        """See Ledger. ``before_claim`` lets a test put another call first. Two writes, as in DynamoDB."""
        if self.before_claim is not None:
            other, self.before_claim = self.before_claim, None
            other()
        if touches is not None and not self.count(request, touches):
            row = self._row(request)
            if _is_open(row, request.attempt) or _is_repeatable(row, repeats):
                return "touches_changed"
            return "claimed" if row is not None and (row.claim_id, row.state) == (claim_id, "claimed") else "taken"
        return self.take(request, claim_id, channel=channel, at=at, local_time=local_time, links=links, repeats=repeats)

    @effect
    def count(self, /, request: SendRequest, touches: Touches) -> bool:
        """Replace the touches that were read."""
        owner = touches.contact_id or request.contact_id
        known = self.touches.get(owner, Touches())
        recent = [replace(touch, at=_stored(touch.at)) for touch in touches.recent]
        written = Touches(recent, touches.version + 1)
        if known.version != touches.version:
            return known == written
        self.touches[owner] = written
        return True

    @effect
    def take(
        self,
        /,
        request: SendRequest,
        claim_id: str,
        *,
        channel: str,
        at: datetime,
        local_time: str,
        links: Sequence[str] = (),
        repeats: str | None = None,
    ) -> ClaimResult:
        """Take the key for one call; the touch of one that is never sent counts nothing."""
        row = self._row(request)
        if row is not None and row.claim_id == claim_id and row.state == "claimed":
            return "claimed"
        if repeats is not None:
            if not _is_repeatable(row, repeats):
                return "taken"
            self._change(request, state="claimed", channel=channel, claim_id=claim_id)
            return "claimed"
        if not _is_open(row, request.attempt):
            if row is not None and row.state in {"skipped", "rejected"}:
                self._forget_touch(request)
            return "taken"
        (self.by_hops.add if request.fails_hop else self.by_hops.discard)(request.message_key)
        self._change(
            request,
            state="claimed",
            channel=channel,
            claim_id=claim_id,
            claimed_at=_stored(at),
            claimed_local_time=local_time,
            links=list(links),
        )
        return "claimed"

    @effect
    def settle(
        self,
        request: SendRequest,
        *,
        claim_id: str,
        state: Literal["accepted", "rejected", "unknown"],
        decision: Decision,
        provider_message_id: str | None = None,
        in_answer: Mapping[str, Any] | None = None,
    ) -> None:
        """See Ledger."""
        row = self._row(request)
        if row is None or row.claim_id != claim_id:
            return
        answered = {
            "provider_message_id": provider_message_id,
            "decisions": [*row.decisions, _as_stored(decision)],
            **({"in_answer": in_answer} if in_answer else {}),
        }
        if row.state in {"claimed", "unknown"}:
            self._change(request, state=state, **answered)
        elif claim_id not in self.answered:
            self._change(request, **answered)
        self.answered.add(claim_id)
        if state == "rejected":
            self._forget_touch(request)

    @effect
    def skip(self, request: SendRequest, *, decision: Decision) -> bool:
        """See Ledger."""
        row = self._row(request)
        if not _is_open(row, request.attempt):
            return False
        self._change(request, state="skipped", channel=decision.channel, decisions=_more(row, decision))
        return True

    @effect
    def defer(self, request: SendRequest, *, decision: Decision, until: datetime, claim_id: str | None = None) -> bool:
        """See Ledger."""
        row = self._row(request)
        if claim_id is None:
            free = _is_open(row, request.attempt - 1)
        else:
            free = row is not None and row.claim_id == claim_id and row.state == "claimed"
        if not free:
            return False
        self._change(
            request,
            state="deferred",
            channel=decision.channel,
            attempt=request.attempt,
            deferred_until=_stored(until),
            claim_id=None,
            decisions=_more(row, decision)
            if request.attempt <= MOST_DEFERRALS_NOTED
            else list(row.decisions if row else ()),
        )
        if claim_id is not None:
            self._forget_touch(request)
        return True

    def deferred_of(self, contact_id: str, origin: str) -> list[LedgerRow]:
        """See Ledger."""
        wanted = (contact_id, origin, "deferred")
        return [row for row in self if (row.contact_id, row.occasion.origin, row.state) == wanted]

    @effect
    def drop(self, row: LedgerRow, *, decision: Decision) -> None:
        """See Ledger."""
        stored = self.rows[row.contact_id, row.message_key]
        if stored.state == "deferred" and stored.attempt == row.attempt:
            self._put(replace(stored, state="skipped", decisions=_more(stored, decision)))

    def stale_claims(self, before: datetime) -> Iterator[LedgerRow]:
        """See Ledger."""
        return iter([row for row in self._claimed(before) if row.message_key not in self.by_hops])

    def claims_of(self, contact_id: str, origin: str, before: datetime) -> list[LedgerRow]:
        """See Ledger."""
        rows = self._claimed(before)
        return [row for row in rows if (row.contact_id, row.occasion.origin) == (contact_id, origin)]

    def _claimed(self, before: datetime) -> list[LedgerRow]:
        return [row for row in self if row.state == "claimed" and row.claimed_at and row.claimed_at < before]

    @effect
    def give_up_claim(self, row: LedgerRow, *, at: datetime) -> bool:
        """See Ledger."""
        stored = self.rows[row.contact_id, row.message_key]
        if stored.state != "claimed" or stored.claim_id != row.claim_id:
            return False
        decision = Decision(row.claimed_at or at, row.claimed_local_time, "unknown", "no_answer", row.channel)
        self._put(replace(stored, state="unknown", decisions=_more(stored, decision)))
        return True

    def row_of(self, contact_id: str, key_prefix: str) -> LedgerRow | None:
        """See Ledger."""
        mine = [row for row in self if row.contact_id == contact_id and row.message_key.startswith(key_prefix)]
        return mine[0] if mine else None

    def sent_as(self, contact_id: str, provider_message_id: str) -> LedgerRow | None:
        """See Ledger."""
        mine = (row for row in self if row.contact_id == contact_id and row.provider_message_id == provider_message_id)
        return next(mine, None)

    @effect
    def confirm(self, contact_id: str, message_key: str, *, state: Confirmation, at: datetime) -> bool:
        """See Ledger."""
        row = self.rows.get((contact_id, message_key))
        if row is None or (state == "accepted" and row.state not in {"claimed", "unknown"}):
            return False
        if self.confirmed_at.get(message_key, at) > at:
            return False
        self.confirmed_at[message_key] = at
        self._put(replace(row, state=state))
        return True

    def _row(self, request: SendRequest) -> LedgerRow | None:
        return self.rows.get((request.contact_id, request.message_key))

    def _change(self, request: SendRequest, **changes: Any) -> None:
        known = self._row(request) or LedgerRow(
            message_key=request.message_key,
            occasion=load_occasion(json.loads(json.dumps(dump_occasion(request.occasion)))),
            message=request.message,
            state="claimed",
        )
        self._put(replace(known, **changes))

    def _put(self, row: LedgerRow) -> None:
        self.rows[row.contact_id, row.message_key] = row

    def _forget_touch(self, request: SendRequest) -> None:
        touches = self.snapshot(request).touches
        left = touches.others(request.message_key)
        if len(left) < len(touches.recent):
            self.touches[touches.contact_id or request.contact_id] = Touches(left, touches.version + 1)


def _is_repeatable(row: LedgerRow | None, repeats: str | None) -> bool:
    return repeats is not None and row is not None and row.claim_id == repeats and row.is_unsettled


def _is_open(row: LedgerRow | None, attempt: int) -> bool:
    return row is None or (row.state == "deferred" and row.attempt <= attempt)


def _more(row: LedgerRow | None, decision: Decision) -> list[Decision]:
    return [*(row.decisions if row else ()), _as_stored(decision)]


def _as_stored(decision: Decision) -> Decision:
    return Decision.from_dict(json.loads(json.dumps(decision.to_dict())))


def _stored(instant: datetime) -> datetime:
    return parse_instant(format_instant(instant))
