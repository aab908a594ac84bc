"""Applies the rows of a file to contacts: a row is an event like any other, stored only when it changed something. Called
by import_part and reconcile_import.

A contact's own answers outweigh a file. A grant of consent counts only for a channel the contact has never answered
about, a suppression stays, and an erased contact is not restored.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Literal, Self

from waypost import ids
from waypost.clock import Clock
from waypost.contacts.consent import Consent
from waypost.contacts.file_columns import RESERVED
from waypost.contacts.identity.announcements import announcements
from waypost.contacts.identity.merge import Merge
from waypost.contacts.identity.record import Wait, no_wait, record_on_contact
from waypost.contacts.identity.rules import BUILT_IN, IdentityRules
from waypost.contacts.ports import ContactStore
from waypost.contacts.profile import IMPORTED, Contact
from waypost.errors import ContactNotFound, InvalidInput, ServiceRefused, WaypostError
from waypost.events.envelope import IDENTITY_KINDS, Event
from waypost.events.history import BulkEventHistory, KeptEvent
from waypost.events.ports import EventQueue
from waypost.importing.rows import CleanRow, RejectedRow

Outcome = Literal["created", "updated", "unchanged", "merged", "not_found"]
"""What a row did. ``not_found``: it is about nobody who is known, and the run creates no contacts."""

ERASED: Final = "this person was erased on request and is not taken in again; leave the row out"
DANGLING: Final = (
    "leads to a contact that does not exist any more; import the row without its ids, or tell the operator"
)
NOT_STORABLE: Final = (
    "holds a value the table cannot store, such as a number of more than 38 digits; correct or empty it"
)

EVENTS_AT_ONCE: Final = 25
"""Events stored by one request; a new contact takes one request of its own anyway."""

_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Applied:
    """The outcome of a row.

    ``kept_consents`` are channels for which the contact's own answer was kept, ``left_out`` the names of what its full profile
    could not take.
    """

    outcome: Outcome
    contact_id: str
    kept_consents: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Importer:
    """Applies clean rows, one after the other, in a ``with`` block.

    History events are stored in batches, the last one at the end of the block. If the process crashes before that,
    timestamps on the contact show which rows were applied, so a rerun can restore the missing history events. Therefore a
    pending event is stored before its contact is changed again.

    ``records`` is False in a dry run, where ``contacts`` does not save. ``is_rerun``: an earlier attempt has begun these
    rows and may have applied some; the outcome of such a row is looked up, so that the counts are those of one attempt.
    ``creates`` is False in a run that only updates the contacts there are.
    """

    contacts: ContactStore
    history: BulkEventHistory
    clock: Clock
    queue: EventQueue | None = None
    identity_rules: IdentityRules = BUILT_IN
    wait: Wait = no_wait
    records: bool = True
    is_rerun: bool = False
    creates: bool = True
    _pending: dict[str, KeptEvent] = field(default_factory=dict, init=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> None:
        if error is None or isinstance(error, WaypostError):
            self._flush()

    def apply(self, row: CleanRow, *, source: str, at: datetime | None = None) -> Applied | RejectedRow:
        """Apply a row that was true ``at`` a time (now); ``source`` (``import:<run>``) is the evidence of its consents.

        The same row again changes nothing and writes nothing. Raises RetryableError or FinalError.
        """
        at = at or self.clock()
        applied = self._apply(row, source=source, at=at)
        for kind, value in row.further:  # an event has one identity of a kind
            if isinstance(applied, RejectedRow) or applied.outcome == "not_found":
                break
            more = self._apply(_linking(row, kind, value, applied.contact_id), source=source, at=at)
            if isinstance(more, RejectedRow) or applied.outcome == "unchanged" or more.outcome == "merged":
                applied = more
        return applied

    def _apply(self, row: CleanRow, *, source: str, at: datetime) -> Applied | RejectedRow:
        event = self._event(row, source=source, at=at)
        store = _RowStore(
            self.contacts, event=event, before_change=self._store_pending_of, creates=self.creates
        )  # fmt: skip
        try:
            return self._record_row(event, store)
        except _ErasedContact as erased:
            return RejectedRow(row.number, erased.kind, ERASED)
        except _UnknownContact:
            return Applied("not_found", "")
        except InvalidInput as wrong:  # one row that does not fit a profile must not block the others
            return RejectedRow(row.number, wrong.field, wrong.reason)
        except ContactNotFound:
            return RejectedRow(row.number, "row", DANGLING)
        except ServiceRefused as refused:
            if "ValidationException" not in str(refused):
                raise
            return RejectedRow(row.number, "row", NOT_STORABLE)

    def _record_row(self, event: Event, store: "_RowStore") -> Applied:
        """Apply the event of a row; raises what keeps the row out."""
        contact, _, left_out = record_on_contact(
            event,
            contacts=store,
            is_repeated=lambda _: False,
            clock=self.clock,
            identity_rules=self.identity_rules,
            wait=self.wait,
        )
        outcome, contact_id = store.outcome, contact.contact_id
        if outcome == "unchanged" and self.is_rerun:
            outcome, contact_id = self._earlier_outcome(event, store.as_stored(contact))
        if outcome != "unchanged" and self.records:
            profile = store.effective_profile(store.as_stored(contact))
            done = replace(event, profile=profile, properties={**event.properties, "outcome": outcome})
            self._record(KeptEvent(contact_id, done, routed_at=self.clock(), version=contact.version))
            if not store.is_timestamped:  # a rerun could not tell that the event is missing
                self._flush()
        if self.records and contact.unannounced and self.queue is not None:
            self.queue.send(announcements(contact, self.contacts))
        return Applied(outcome, contact_id, store.kept_consents, left_out)

    def _flush(self) -> None:
        if self._pending:
            self.history.record_many(list(self._pending.values()))
            self._pending.clear()

    def _record(self, done: KeptEvent) -> None:
        if self.is_rerun:  # the earlier attempt may have stored it
            self.history.record(done.contact_id, done.event, routed_at=done.routed_at, version=done.version)
            return
        self._store_pending_of(done.contact_id)
        self._pending[done.contact_id] = done
        if len(self._pending) >= EVENTS_AT_ONCE:
            self._flush()

    def _store_pending_of(self, contact_id: str) -> None:
        if contact_id in self._pending:
            self._flush()

    def _event(self, row: CleanRow, *, source: str, at: datetime) -> Event:
        content = {"identities": row.identities, "profile": row.profile, "filled": row.filled}
        properties: dict[str, Any] = {"import": source.removeprefix("import:"), "row": row.number}
        if row.filled:
            properties["filled"] = dict(row.filled)
        if row.imputed:
            properties["imputed"] = list(row.imputed)
        if row.evidence:
            properties["evidence"] = dict(row.evidence)
        return Event(
            id=ids.event_id(f"{source}/{row.number}", content),
            type=IMPORTED,
            contact=dict(row.identities),
            occurred_at=at,
            received_at=self.clock(),
            source=source,
            properties=properties,
            profile=dict(row.profile),
            correlation_id=source,
        )

    def _earlier_outcome(self, event: Event, contact: Contact) -> tuple[Outcome, str]:
        """The outcome of the row in the attempt that was interrupted, and its contact; ``unchanged`` when it was not applied."""
        for contact_id in contact.partitions:
            for recorded in self.history.since(contact_id, event.occurred_at, types=(IMPORTED,)):
                if recorded.id == event.id and recorded.occurred_at == event.occurred_at:
                    return recorded.properties.get("outcome", "updated"), contact_id
        if contact.absorbed and any(merge.cause == event.id for merge in self.contacts.merges(contact.contact_id)):
            return "merged", contact.contact_id
        if not _was_applied_to(contact, event):
            return "unchanged", contact.contact_id
        outcome: Outcome = "created" if contact.version == 1 else "updated"  # stored, but its history event is missing
        return outcome, contact.contact_id


class _ErasedContact(Exception):
    """An identity of the row leads to an erased contact."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class _UnknownContact(Exception):
    """The row would create a contact, and the run only updates."""


def _linking(row: CleanRow, kind: str, value: str, contact_id: str) -> CleanRow:
    """A row that says nothing but that a further identity is the contact's."""
    return CleanRow(row.number, {"contact_id": contact_id, kind: value}, {})


@dataclass(slots=True)
class _RowStore:
    """A ContactStore for one row: it saves only changes, and protects what a file may not change.

    ``is_timestamped``: whether timestamps on the contact show that the row was applied. An added identity has none.
    """

    contacts: ContactStore
    event: Event
    before_change: Callable[[str], None]
    creates: bool = True
    outcome: Outcome = "unchanged"
    kept_consents: tuple[str, ...] = ()
    is_timestamped: bool = True
    _fresh: dict[str, Contact] = field(default_factory=dict)
    _read: dict[str, Contact] = field(default_factory=dict)

    def resolve(self, identities: Mapping[str, str]) -> dict[str, str]:
        """See ContactStore. Raises when one of them leads to an erased contact."""
        owners = self.contacts.resolve(identities)
        self._fresh.clear()
        for kind in [kind for kind in IDENTITY_KINDS if kind in owners]:
            owner = self._fresh.get(owners[kind]) or self.contacts.load(owners[kind])
            if owner is not None:
                if owner.erased:
                    raise _ErasedContact(kind)
                self._fresh[owners[kind]] = owner
        return owners

    def load(self, contact_id: str) -> Contact | None:
        """See ContactStore. What ``resolve`` has just read is not read twice."""
        contact = self._fresh.pop(contact_id, None) or self.contacts.load(contact_id)
        if contact is not None:
            if contact.erased:
                raise _ErasedContact("contact_id")
            self._read[contact.contact_id] = contact
        return contact

    def save(self, contact: Contact, *, claim: Mapping[str, str], counting: str = "") -> bool:
        """See ContactStore."""
        before = self._read.get(contact.contact_id)
        if contact.version == 0 and not self.creates:
            raise _UnknownContact
        after = self._guarded(before, contact)
        if before is not None and not claim and _essence(before) == _essence(after):
            return True
        self.before_change(contact.contact_id)
        if not self.contacts.save(after, claim=claim, counting=counting):
            return False
        if self.outcome not in {"merged", "created"}:  # a new contact may be stored first and filled in then
            self.outcome = "created" if contact.version == 0 else "updated"
        self._read[contact.contact_id] = after
        self.is_timestamped = _was_applied_to(after, self.event) and not (claim and before is not None)
        return True

    def merge(self, merge: Merge) -> bool:
        """See ContactStore."""
        for each in (merge.survivor, merge.absorbed):
            self.before_change(each.contact_id)
        if not self.contacts.merge(merge):
            return False
        self.outcome = "merged"
        return True

    def release(self, kind: str, value: str, contact_id: str) -> None:
        """See ContactStore."""
        self.contacts.release(kind, value, contact_id)

    def has_counted(self, contact_id: str, event_id: str) -> bool:
        """See ContactStore."""
        return self.contacts.has_counted(contact_id, event_id)

    def merges(self, contact_id: str) -> list[Merge]:
        """See ContactStore."""
        return self.contacts.merges(contact_id)

    def unmerge(self, merge: Merge, survivor: Contact, absorbed: Contact, *, rewritten: Sequence[Merge] = ()) -> bool:
        """See ContactStore."""
        return self.contacts.unmerge(merge, survivor, absorbed, rewritten=rewritten)

    def as_stored(self, contact: Contact) -> Contact:
        """The contact as it was last saved for this row, or read."""
        return self._read.get(contact.contact_id, contact)

    def effective_profile(self, contact: Contact) -> dict[str, Any]:
        """The event's profile as it took effect: replaying the history then gives the same contact."""
        profile = dict(self.event.profile)
        consent = {
            channel: is_granted
            for channel, is_granted in profile.pop("consent", {}).items()
            if not is_granted or any(self._is_of_this(consent) for consent in _consents_of(contact, channel).values())
        }
        return {**profile, "consent": consent} if consent else profile

    def _is_of_this(self, answer: Consent) -> bool:
        return (answer.at, answer.source) == (self.event.occurred_at, self.event.source)

    def _guarded(self, before: Contact | None, after: Contact) -> Contact:
        consents, kept = dict(after.consents), []
        granted = [name for name, is_granted in self.event.profile.get("consent", {}).items() if is_granted]
        for channel in granted if before is not None else ():
            own_consents = _consents_of(before, channel) if before else {}
            if own_consents:
                consents = {
                    key: each for key, each in consents.items() if not key.startswith(f"{channel}/")
                } | own_consents
                if not all(answer.granted for answer in own_consents.values()):
                    kept.append(channel)
        self.kept_consents = tuple(kept)
        suppressions = {**after.suppressions, **(before.suppressions if before else {})}
        return replace(after, consents=consents, suppressions=suppressions)


def _consents_of(contact: Contact, channel: str) -> dict[str, Consent]:
    """The contact's consents for a channel and its topics."""
    return {key: answer for key, answer in contact.consents.items() if key.startswith(f"{channel}/")}


def _essence(contact: Contact) -> Contact:
    """The contact without timestamps: two that are equal hold the same data."""
    consents = {key: Consent(granted=each.granted, at=_NEVER, source="") for key, each in contact.consents.items()}
    return replace(contact, attributes_at={}, seen={}, consents=consents)


def _was_applied_to(contact: Contact, event: Event) -> bool:
    """Whether the contact has this row applied: no other row has its time, which is the timestamp of what it set."""
    consent = event.profile.get("consent", {})
    stamps = [f"{kind}:{name}" for kind in ("tag", "group") for name in event.profile.get(f"{kind}s", [])]
    stamps += [f"tag:{name}" for name in event.profile.get("remove_tags", [])]
    stamps += [f"group:{name}" for name in event.profile.get("leave_groups", [])]
    stamps += [name for name in event.profile if name not in RESERVED]
    if any(contact.attributes_at.get(stamp) == event.occurred_at for stamp in stamps):
        return True
    if any(answer.at == event.occurred_at for answer in contact.consents.values()):
        return True
    if stamps or consent:
        return False
    _, last = contact.seen.get(IMPORTED, (None, None))
    return last == event.occurred_at.astimezone(UTC).date()
