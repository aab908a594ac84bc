"""Real, in-memory ports for the tests of the domain: conditions hold, what is stored is stored as JSON.

Every write of every fake passes through ``Effects``, which keeps their order and can crash at any one of them. The
contract tests in ``tests/adapters`` run against these fakes and against the DynamoDB adapters, so they cannot drift.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Concatenate, Final, Literal, ParamSpec, Protocol, TypeVar

from waypost.clock import format_instant, parse_instant
from waypost.contacts.identity.merge import Merge
from waypost.contacts.profile import Contact
from waypost.errors import TemporarilyUnavailable
from waypost.events.envelope import Event
from waypost.events.history import KeptEvent, RecordedEvent
from waypost.journeys.enrolment import Enrolment, EnrolmentOutcome, LeavingOutcome, TriggerEvent
from waypost.journeys.pause import Pause, PauseEnd
from waypost.journeys.ports import EntryTerms, Refusal
from waypost.sending.channels import Accepted, Answer, OutgoingEmail, OutgoingSms, Refused, Unclear
from waypost.sending.ledger import (
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

P = ParamSpec("P")
R = TypeVar("R")

CrashMode = Literal["before", "after", "ambiguous", "refused"]
CRASH_MODES: Final[tuple[CrashMode, ...]] = ("before", "after", "ambiguous", "refused")
"""The process dies before or after a write; the write is done but its caller sees an error; it is not, and sees one."""


class Crash(BaseException):
    """The process is gone: nothing in it can catch this or tidy up."""


@dataclass(kw_only=True)
class Effects:
    """The writes of all fakes that share it, in order.

    ``crash_at`` is the index of the write to crash at, ``crash_on`` the name of it, once. ``meanwhile`` is what happens
    elsewhere right before the next write of a name.
    """

    log: list[str] = field(default_factory=list)
    crash_at: int | None = None
    crash_on: str | None = None
    mode: CrashMode = "before"
    crashed: bool = False
    meanwhile: dict[str, Callable[[], object]] = field(default_factory=dict)

    def run(
        self, name: str, action: Callable[[], R], lost: Callable[[], R] | None, refused: Callable[[], R] | None
    ) -> R:
        """Do the write, or crash; ``lost`` and ``refused`` answer instead of an exception where the port never raises."""
        if happening := self.meanwhile.pop(name, None):
            happening()
        index = len(self.log)
        self.log.append(name)
        if self.crashed or (index != self.crash_at and name != self.crash_on):
            return action()
        self.crashed = True
        match self.mode:
            case "before":
                raise Crash(name)
            case "after":
                action()
                raise Crash(name)
            case "ambiguous":
                action()
                if lost is not None:
                    return lost()
                raise TemporarilyUnavailable(f"{name}: the answer got lost")
            case "refused":
                if refused is not None:
                    return refused()
                raise TemporarilyUnavailable(f"{name}: throttled")


class _HasEffects(Protocol):
    effects: Effects
    label: str


S = TypeVar("S", bound=_HasEffects)
Method = Callable[Concatenate[S, P], R]


def effect(method: Method[S, P, R]) -> Method[S, P, R]:
    """Marks a method that writes."""

    def call(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.effects.run(f"{self.label}.{method.__name__}", lambda: method(self, *args, **kwargs), None, None)

    return call


class FakeClock:
    """A clock that stands still until it is told."""

    def __init__(self, now: datetime | str) -> None:
        self.now = parse_instant(now) if isinstance(now, str) else now

    def __call__(self) -> datetime:
        return self.now

    def set(self, instant: datetime | str) -> None:
        """Move to an instant; never backwards."""
        then = parse_instant(instant) if isinstance(instant, str) else instant
        assert then >= self.now, "time does not run backwards"
        self.now = then

    def advance(self, **span: float) -> None:
        """Move ahead, ``advance(hours=2)``."""
        self.now += timedelta(**span)


class FakeContacts:
    """A ContactStore; ``touches`` are its fellow ledger's."""

    label = "contacts"

    def __init__(self, effects: Effects | None = None) -> None:
        self.effects = effects or Effects()
        self.items: dict[str, str] = {}
        self.identities: dict[tuple[str, str], str] = {}
        self.counted: set[tuple[str, str]] = set()
        self.merge_records: dict[str, str] = {}
        self.touches: dict[str, Touches] = {}
        self.before_save: Callable[[], object] | None = None

    def __contains__(self, contact_id: object) -> bool:
        return contact_id in self.items

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, contact_id: str) -> Contact:
        return Contact.from_dict(json.loads(self.items[contact_id]))

    def put(self, contact: Contact) -> Contact:
        """Have this contact, with its identities, without an effect."""
        stored = replace(contact, version=contact.version + 1)
        self.items[contact.contact_id] = json.dumps(stored.to_dict())
        for kind, values in contact.identities.items():
            self.identities.update({(kind, value): contact.contact_id for value in values})
        return stored

    def resolve(self, identities: Mapping[str, str]) -> dict[str, str]:
        """See ContactStore."""
        return {
            kind: self.identities[kind, value] for kind, value in identities.items() if (kind, value) in self.identities
        }

    def living(self) -> list[Contact]:
        """The contacts that are not part of another one."""
        return [contact for contact_id in self.items if not (contact := self[contact_id]).merged_into]

    def load(self, contact_id: str) -> Contact | None:
        """See ContactStore."""
        item = self.items.get(contact_id)
        contact = Contact.from_dict(json.loads(item)) if item else None
        return self.load(contact.merged_into) if contact and contact.merged_into else contact

    @effect
    def save(self, contact: Contact, *, claim: Mapping[str, str], counting: str = "") -> bool:
        """See ContactStore. ``before_save`` lets a test put another writer first."""
        if self.before_save is not None:
            other, self.before_save = self.before_save, None
            other()
        if not self._is_as_read(contact) or (contact.contact_id, counting) in self.counted:
            return False
        if any(self.identities.get(pair, contact.contact_id) != contact.contact_id for pair in claim.items()):
            return False
        self._store(contact)
        self.identities.update(dict.fromkeys(claim.items(), contact.contact_id))
        if counting:
            self.counted.add((contact.contact_id, counting))
        return True

    def has_counted(self, contact_id: str, event_id: str) -> bool:
        """See ContactStore."""
        return (contact_id, event_id) in self.counted

    @effect
    def merge(self, merge: Merge) -> bool:
        """See ContactStore."""
        if not (self._is_as_read(merge.result) and self._is_as_read(merge.tombstone)):
            return False
        self._store(merge.result)
        self._store(merge.tombstone)
        self._keep_record(merge)
        survivor, absorbed = (self._touches_of(each) for each in (merge.survivor, merge.absorbed))
        if absorbed.recent:
            self._put_touches(merge.survivor, survivor.together_with(absorbed))
        self._put_touches(merge.absorbed, absorbed)
        return True

    def merges(self, contact_id: str) -> list[Merge]:
        """See ContactStore."""
        found = [Merge.from_dict(json.loads(record)) for record in self.merge_records.values()]
        ours = [each for each in found if each.survivor.contact_id == contact_id]
        return sorted(ours, key=lambda each: (each.at, len(each.result.absorbed)))

    @effect
    def unmerge(self, merge: Merge, survivor: Contact, absorbed: Contact, *, rewritten: Sequence[Merge] = ()) -> bool:
        """See ContactStore."""
        if not (self._is_as_read(survivor) and self._is_as_read(absorbed)):
            return False
        self._store(survivor)
        self._store(absorbed)
        for each in (merge, *rewritten):
            self._keep_record(each)
        both = self._touches_of(survivor)
        self._put_touches(survivor, both)
        self._put_touches(absorbed, replace(self._touches_of(absorbed), recent=both.recent))
        return True

    def _is_as_read(self, contact: Contact) -> bool:
        item = self.items.get(contact.contact_id)
        return (json.loads(item)["version"] if item else 0) == contact.version

    def _store(self, contact: Contact) -> None:
        self.items[contact.contact_id] = json.dumps(contact.to_dict() | {"version": contact.version + 1})

    def _keep_record(self, merge: Merge) -> None:
        self.merge_records[merge.merge_id] = json.dumps(merge.to_dict())

    def _touches_of(self, contact: Contact) -> Touches:
        return self.touches.get(contact.contact_id, Touches())

    def _put_touches(self, contact: Contact, touches: Touches) -> None:
        self.touches[contact.contact_id] = replace(touches, version=touches.version + 1)


class FakeHistory:
    """A BulkEventHistory."""

    label = "history"

    def __init__(self, effects: Effects | None = None) -> None:
        self.effects = effects or Effects()
        self.events: dict[tuple[str, str], str] = {}
        self.versions: dict[tuple[str, str], int] = {}
        self.routed: dict[tuple[str, str], list[dict[str, Any]]] = {}

    def __contains__(self, event_id: object) -> bool:
        return any(event_id == routed for _, routed in self.routed)

    def is_routed(self, contact_id: str, event_id: str) -> bool:
        """See EventHistory."""
        return (contact_id, event_id) in self.routed

    @effect
    def record(self, contact_id: str, event: Event, *, routed_at: datetime, version: int = 0) -> None:
        """See EventHistory."""
        place = f"{format_instant(event.occurred_at)}#{event.id}"
        item = event.to_dict() | {"routed_at": format_instant(routed_at)}
        self.versions.setdefault((contact_id, place), version)
        self.events.setdefault((contact_id, place), json.dumps(item))

    @effect
    def record_many(self, events: Sequence[KeptEvent]) -> None:
        """See BulkEventHistory."""
        for each in events:
            place = f"{format_instant(each.event.occurred_at)}#{each.event.id}"
            item = each.event.to_dict() | {"routed_at": format_instant(each.routed_at)}
            self.versions[each.contact_id, place] = each.version
            self.events[each.contact_id, place] = json.dumps(item)

    @effect
    def mark_routed(
        self, contact_id: str, event: Event, *, at: datetime, decisions: Sequence[Mapping[str, Any]]
    ) -> None:
        """See EventHistory."""
        self.routed.setdefault((contact_id, event.id), json.loads(json.dumps([dict(each) for each in decisions])))

    def at(self, contact_id: str, occurred_at: datetime, event_id: str) -> Event | None:
        """The event in its place."""
        item = self.events.get((contact_id, f"{format_instant(occurred_at)}#{event_id}"))
        return Event.from_dict(json.loads(item)) if item else None

    def since(self, contact_id: str, instant: datetime, *, types: Sequence[str] = ()) -> list[RecordedEvent]:
        """See EventHistory."""
        first = format_instant(instant)
        items = [json.loads(item) for (owner, _), item in sorted(self.events.items()) if owner == contact_id]
        return [
            RecordedEvent(
                id=item["id"],
                type=item["type"],
                occurred_at=parse_instant(item["occurred_at"]),
                routed_at=parse_instant(item["routed_at"]),
                properties=item["properties"],
            )
            for item in items
            if item["occurred_at"] >= first and (not types or item["type"] in types)
        ]


class FakeBus:
    """An EventBus."""

    label = "bus"

    def __init__(self, effects: Effects | None = None) -> None:
        self.effects = effects or Effects()
        self.published: list[tuple[str, Event]] = []

    def __contains__(self, event_id: object) -> bool:
        return any(event.id == event_id for _, event in self.published)

    @effect
    def publish(self, contact_id: str, event: Event) -> None:
        """See EventBus."""
        self.published.append((contact_id, event))


class FakeQueue:
    """An EventQueue that knows an event by its id, as a FIFO queue does."""

    label = "queue"

    def __init__(self, effects: Effects | None = None) -> None:
        self.effects = effects or Effects()
        self.events: dict[str, Event] = {}

    def __contains__(self, event_id: object) -> bool:
        return event_id in self.events

    @effect
    def send(self, events: Sequence[Event]) -> None:
        """See EventQueue."""
        for event in events:
            self.events.setdefault(event.id, Event.from_dict(json.loads(json.dumps(event.to_dict()))))


class FakeEnrolments:
    """An EnrolmentStore."""

    label = "enrolments"

    def __init__(self, effects: Effects | None = None) -> None:
        self.effects = effects or Effects()
        self.items: dict[tuple[str, str], str] = {}
        self.holders: dict[tuple[str, str], dict[str, Any]] = {}
        self.audiences: Counter[tuple[str, int]] = Counter()

    def __contains__(self, enrolment_id: object) -> bool:
        return any(enrolment_id == known for _, known in self.items)

    def __iter__(self) -> Iterator[Enrolment]:
        return (Enrolment.from_dict(json.loads(item)) for item in self.items.values())

    def __len__(self) -> int:
        return len(self.items)

    def put(self, enrolment: Enrolment) -> Enrolment:
        """Have this enrolment, without an effect."""
        self._store(enrolment)
        return enrolment

    @effect
    def open(self, enrolment: Enrolment, terms: EntryTerms) -> Refusal | None:
        """See EnrolmentStore."""
        known = self.load(enrolment.contact_id, enrolment.enrolment_id)
        if known is not None:
            return None if known.trigger.id == enrolment.trigger.id else "enrolled_before"
        owners = (enrolment.contact_id, *terms.also_under)
        held = [f"reentry#{enrolment.journey}"] if terms.one_at_a_time else []
        if held and not all(self._is_free(owner, held[0], terms.not_since) for owner in owners):
            unfinished = [other for owner in owners for other in self.unfinished(owner)]
            active = any(other.journey == enrolment.journey for other in unfinished)
            return "already_in_journey" if active else "enrolled_before"
        if terms.exclusive_group:
            held.append(f"group#{terms.exclusive_group}")
            if not all(self._is_free(owner, held[-1], None) for owner in owners):
                return "exclusive_group_taken"
        audience = (enrolment.journey, enrolment.version)
        if terms.audience_limit is not None:
            if self.audiences[audience] >= terms.audience_limit:
                return "audience_limit_reached"
            self.audiences[audience] += 1
        for name in held:
            self.holders[enrolment.contact_id, name] = {
                "active": True,
                "enrolment_id": enrolment.enrolment_id,
                "enrolled_at": enrolment.enrolled_at,
            }
        self._store(enrolment)
        return None

    def load(self, contact_id: str, enrolment_id: str) -> Enrolment | None:
        """See EnrolmentStore."""
        item = self.items.get((contact_id, enrolment_id))
        return Enrolment.from_dict(json.loads(item)) if item else None

    def unfinished(self, contact_id: str) -> list[Enrolment]:
        """See EnrolmentStore."""
        return [each for each in self.of_contact(contact_id) if each.status in {"active", "leaving"}]

    def of_contact(self, contact_id: str) -> list[Enrolment]:
        """See EnrolmentStore."""
        return [each for each in self if each.contact_id == contact_id]

    @effect
    def leave(
        self, enrolment: Enrolment, *, outcome: LeavingOutcome, event: TriggerEvent, at: datetime
    ) -> Enrolment | None:
        """See EnrolmentStore."""
        stored = self._stored(enrolment)
        if stored.status == "active":
            stored = replace(stored, status="leaving", outcome=outcome, left_on=event)
            self._store(stored)
        return None if stored.status == "ended" else self._stored(enrolment)

    @effect
    def hold_until(self, contact_id: str, enrolment_id: str, instant: datetime) -> None:
        """See EnrolmentStore."""
        stored = self.load(contact_id, enrolment_id)
        if stored is not None and (stored.anchor_at is None or stored.anchor_at < instant):
            self._store(replace(stored, anchor_at=instant))

    @effect
    def end(self, enrolment: Enrolment, *, outcome: EnrolmentOutcome, at: datetime) -> bool:
        """See EnrolmentStore."""
        for (contact_id, _), held in self.holders.items():
            if contact_id == enrolment.contact_id and held["enrolment_id"] == enrolment.enrolment_id:
                held["active"] = False
        stored = self._stored(enrolment)
        if stored.status == "ended":
            return False
        self._store(replace(stored, status="ended", outcome=outcome))
        return True

    def _is_free(self, contact_id: str, name: str, not_since: datetime | None) -> bool:
        held = self.holders.get((contact_id, name))
        if held is None:
            return True
        return not held["active"] and (not_since is None or held["enrolled_at"] <= not_since)

    def _stored(self, enrolment: Enrolment) -> Enrolment:
        stored = self.load(enrolment.contact_id, enrolment.enrolment_id)
        assert stored is not None
        return stored

    def _store(self, enrolment: Enrolment) -> None:
        self.items[enrolment.contact_id, enrolment.enrolment_id] = json.dumps(enrolment.to_dict())


class FakePauses:
    """A PauseStore."""

    label = "pauses"

    def __init__(self, effects: Effects | None = None) -> None:
        self.effects = effects or Effects()
        self.items: dict[tuple[str, str, str], str] = {}

    def __contains__(self, pause_id: object) -> bool:
        return any(pause_id == known for _, _, known in self.items)

    def __iter__(self) -> Iterator[Pause]:
        return (Pause.from_dict(json.loads(item)) for item in self.items.values())

    @effect
    def park(self, pause: Pause) -> Pause:
        """See PauseStore."""
        stored = self.load(pause.contact_id, pause.enrolment_id, pause.pause_id)
        if stored is None:
            self._store(pause)
        elif stored.status == "waiting":
            self._store(replace(stored, token=pause.token))
        else:
            return replace(stored, token=pause.token)
        return self._stored(pause)

    def load(self, contact_id: str, enrolment_id: str, pause_id: str) -> Pause | None:
        """See PauseStore."""
        item = self.items.get((contact_id, enrolment_id, pause_id))
        return Pause.from_dict(json.loads(item)) if item else None

    def of_enrolment(self, contact_id: str, enrolment_id: str) -> list[Pause]:
        """See PauseStore."""
        return [each for each in self if (each.contact_id, each.enrolment_id) == (contact_id, enrolment_id)]

    @effect
    def settle(self, pause: Pause, *, end: PauseEnd, outcome: Mapping[str, Any], at: datetime) -> Pause:
        """See PauseStore."""
        stored = self._stored(pause)
        if stored.status == "waiting":
            self._store(replace(stored, status=end, outcome=dict(outcome), ended_at=at))
        return self._stored(pause)

    @effect
    def postpone(self, pause: Pause, due_at: datetime) -> bool:
        """See PauseStore."""
        stored = self._stored(pause)
        if stored.status != "waiting":
            return False
        self._store(replace(stored, due_at=due_at))
        return True

    @effect
    def mark_signalled(self, pause: Pause) -> None:
        """See PauseStore."""
        self._store(replace(self._stored(pause), signalled=True))

    def overdue(self, before: datetime) -> Iterator[Mapping[str, str]]:
        """See PauseStore."""
        return iter([each.reference() for each in self if not each.signalled and each.due_at < before])

    def _stored(self, pause: Pause) -> Pause:
        stored = self.load(pause.contact_id, pause.enrolment_id, pause.pause_id)
        assert stored is not None
        return stored

    def _store(self, pause: Pause) -> None:
        self.items[pause.contact_id, pause.enrolment_id, pause.pause_id] = json.dumps(pause.to_dict())


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

    def snapshot(self, request: SendRequest) -> Snapshot:
        """See Ledger."""
        contact, occasion = self.contacts.load(request.contact_id), request.occasion
        owner = contact.contact_id if contact else request.contact_id
        touches = self.touches.get(owner, Touches())
        return Snapshot(
            contact=contact,
            row=self._row(request),
            enrolment=self.enrolments.load(occasion.contact_id, occasion.enrolment_id)
            if isinstance(occasion, JourneyStep)
            else None,
            event=self.history.at(occasion.contact_id, occasion.occurred_at, occasion.event_id)
            if isinstance(occasion, Reply)
            else None,
            touches=replace(touches, contact_id="" if owner == request.contact_id else owner),
        )

    @effect
    def claim(
        self,
        request: SendRequest,
        *,
        channel: str,
        claim_id: str,
        at: datetime,
        local_time: str,
        touches: Touches | None,
    ) -> ClaimResult:
        """See Ledger. ``before_claim`` lets a test put another call first."""
        if self.before_claim is not None:
            other, self.before_claim = self.before_claim, None
            other()
        contact_id, row = request.contact_id, self._row(request)
        if row is not None and row.claim_id == claim_id and row.state == "claimed":
            return "claimed"
        if not _is_open(row, request.attempt):
            return "taken"
        if touches is not None:
            owner = touches.contact_id or contact_id
            if self.touches.get(owner, Touches()).version != touches.version:
                return "touches_changed"
            recent = [replace(touch, at=_stored(touch.at)) for touch in touches.recent]
            self.touches[owner] = Touches(recent, touches.version + 1)
        self._change(
            request,
            state="claimed",
            channel=channel,
            claim_id=claim_id,
            claimed_at=_stored(at),
            claimed_local_time=local_time,
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
    ) -> None:
        """See Ledger."""
        row = self._row(request)
        if row is None or row.claim_id != claim_id:
            return
        answered = {"provider_message_id": provider_message_id, "decisions": [*row.decisions, _as_stored(decision)]}
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
            decisions=_more(row, decision),
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
        return iter([row for row in self if row.state == "claimed" and row.claimed_at and row.claimed_at < before])

    @effect
    def give_up_claim(self, row: LedgerRow, *, at: datetime) -> bool:
        """See Ledger."""
        stored = self.rows[row.contact_id, row.message_key]
        if stored.state != "claimed" or stored.claim_id != row.claim_id:
            return False
        decision = Decision(row.claimed_at or at, row.claimed_local_time, "unknown", "no_answer", row.channel)
        self._put(replace(stored, state="unknown", decisions=_more(stored, decision)))
        return True

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


class FakeMachines:
    """Machines that only remember what was started; ``calls`` counts the tries."""

    label = "machines"

    def __init__(self, effects: Effects | None = None) -> None:
        self.effects = effects or Effects()
        self.executions: dict[str, tuple[str, dict[str, Any]]] = {}
        self.calls = 0

    def __contains__(self, name: object) -> bool:
        return name in self.executions

    def __len__(self) -> int:
        return len(self.executions)

    @effect
    def start(self, journey: str, name: str, execution_input: Mapping[str, Any]) -> None:
        """See Machines. The same name with another input would be another execution elsewhere, so it is a mistake."""
        self.calls += 1
        given = json.loads(json.dumps(dict(execution_input)))
        assert self.executions.setdefault(name, (journey, given)) == (journey, given)


class FakeTokens:
    """TaskTokens: the first answer to a token ends its task; a closed token takes none."""

    label = "tokens"

    def __init__(self, effects: Effects | None = None) -> None:
        self.effects = effects or Effects()
        self.ended: dict[str, dict[str, Any]] = {}
        self.closed: set[str] = set()

    def __contains__(self, token: object) -> bool:
        return token in self.ended

    def __getitem__(self, token: str) -> dict[str, Any]:
        return self.ended[token]

    def close(self, token: str) -> None:
        """The task of this token has ended in another way (its function failed, it was tried again)."""
        self.closed.add(token)

    @effect
    def succeed(self, token: str, output: Mapping[str, Any]) -> None:
        """See TaskTokens."""
        self._end(token, json.loads(json.dumps(dict(output))))

    @effect
    def fail(self, token: str, *, error: str, cause: str) -> None:
        """See TaskTokens."""
        self._end(token, {"error": error, "cause": cause})

    def _end(self, token: str, outcome: dict[str, Any]) -> None:
        if token not in self.closed:
            self.ended.setdefault(token, outcome)


@dataclass(frozen=True)
class Booking:
    """A one-time schedule: when, which function, with what."""

    name: str
    at: datetime
    function: Literal["resume_journey", "send_message"]
    payload: dict[str, Any]


class FakeSchedules:
    """Schedules that a test fires itself."""

    label = "schedules"

    def __init__(self, effects: Effects | None = None) -> None:
        self.effects = effects or Effects()
        self.booked: dict[str, Booking] = {}

    def __contains__(self, name: object) -> bool:
        return name in self.booked

    def __len__(self) -> int:
        return len(self.booked)

    @effect
    def resume_at(self, name: str, instant: datetime, reference: Mapping[str, Any]) -> None:
        """See Resumptions and DeferredSends."""
        self._book(name, instant, "resume_journey", reference)

    @effect
    def send_at(self, name: str, instant: datetime, request: Mapping[str, Any]) -> None:
        """See Resumptions and DeferredSends."""
        self._book(name, instant, "send_message", request)

    @effect
    def cancel(self, name: str) -> None:
        """See Resumptions and DeferredSends."""
        self.booked.pop(name, None)

    def next_due(self) -> Booking | None:
        """The schedule that fires first."""
        return min(self.booked.values(), key=lambda each: (each.at, each.name), default=None)

    def take(self, booking: Booking) -> None:
        """It fires: it deletes itself, unless it was booked anew."""
        if self.booked.get(booking.name) == booking:
            del self.booked[booking.name]

    def _book(
        self,
        name: str,
        instant: datetime,
        function: Literal["resume_journey", "send_message"],
        payload: Mapping[str, Any],
    ) -> None:
        whole = instant.astimezone(UTC).replace(microsecond=0)
        at = whole if whole == instant else whole + timedelta(seconds=1)
        self.booked[name] = Booking(name, at, function, json.loads(json.dumps(dict(payload))))


Outgoing = TypeVar("Outgoing", OutgoingEmail, OutgoingSms)


class _FakeProvider:
    """What mail and SMS providers have in common; ``answers`` are given first, then everything is accepted."""

    label = "provider"

    def __init__(self, effects: Effects | None = None) -> None:
        self.effects = effects or Effects()
        self.answers: list[Answer] = []
        self.calls: Counter[str] = Counter()
        self.definitely_refused: Counter[str] = Counter()
        self.during_call: Callable[[], object] | None = None

    def __contains__(self, message_key: object) -> bool:
        return message_key in self.calls

    def risky_calls(self, message_key: str) -> int:
        """How many calls may have reached somebody: all but the definitely refused ones."""
        return self.calls[message_key] - self.definitely_refused[message_key]

    def _take(self, message_key: str, keep: Callable[[], None]) -> Answer:
        def act() -> Answer:
            self.calls[message_key] += 1
            if self.during_call is not None:
                other, self.during_call = self.during_call, None
                other()
            answer = self.answers.pop(0) if self.answers else Accepted(f"{self.label}-{self.calls.total()}")
            if isinstance(answer, Refused):
                self.definitely_refused[message_key] += 1
            else:
                keep()
            return answer

        return self.effects.run(
            f"{self.label}.send",
            act,
            lambda: Unclear("ReadTimeoutError"),
            lambda: Refused("ConnectTimeoutError", temporary=True),
        )


class FakeEmail(_FakeProvider):
    """An EmailChannel."""

    label = "email"

    def __init__(self, effects: Effects | None = None) -> None:
        super().__init__(effects)
        self.sent: list[OutgoingEmail] = []

    def send(self, email: OutgoingEmail) -> Answer:
        """See EmailChannel."""
        return self._take(email.message_key, lambda: self.sent.append(email))


class FakeSms(_FakeProvider):
    """An SmsChannel."""

    label = "sms"

    def __init__(self, effects: Effects | None = None) -> None:
        super().__init__(effects)
        self.sent: list[OutgoingSms] = []

    def send(self, sms: OutgoingSms) -> Answer:
        """See SmsChannel."""
        return self._take(sms.message_key, lambda: self.sent.append(sms))


def _is_open(row: LedgerRow | None, attempt: int) -> bool:
    return row is None or (row.state == "deferred" and row.attempt <= attempt)


def _more(row: LedgerRow | None, decision: Decision) -> list[Decision]:
    return [*(row.decisions if row else ()), _as_stored(decision)]


def _as_stored(decision: Decision) -> Decision:
    return Decision.from_dict(json.loads(json.dumps(decision.to_dict())))


def _stored(instant: datetime) -> datetime:
    return parse_instant(format_instant(instant))
