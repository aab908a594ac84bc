"""Makes contacts of a file's rows: a row is an event like any other, kept only when it changed something. Called by
import_part.

What a contact said itself outweighs a file. A grant of consent counts only for a channel the contact has never answered
about, a suppression stays, and an erased contact does not come back.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Literal, Self

from waypost import ids
from waypost.clock import Clock
from waypost.contacts.identity.announcements import announcements
from waypost.contacts.identity.merge import Merge
from waypost.contacts.identity.record import Wait, no_wait, record_on_contact
from waypost.contacts.identity.rules import BUILT_IN, IdentityRules
from waypost.contacts.ports import ContactStore
from waypost.contacts.profile import IMPORTED, Consent, Contact
from waypost.errors import ContactNotFound, InvalidInput, ServiceRefused, WaypostError
from waypost.events.envelope import IDENTITY_KINDS, Event
from waypost.events.history import BulkEventHistory, KeptEvent
from waypost.events.ports import EventQueue
from waypost.importing.rows import CleanRow, RejectedRow

Outcome = Literal["created", "updated", "unchanged", "merged"]

ERASED: Final = "this person was erased on request and is not taken in again; leave the row out"
DANGLING: Final = (
    "leads to a contact that does not exist any more; import the row without its ids, or tell the operator"
)
NOT_STORABLE: Final = (
    "holds a value the table cannot store, such as a number of more than 38 digits; correct or empty it"
)

EVENTS_AT_ONCE: Final = 25
"""Kept by one request; a new contact takes one of its own anyway."""

_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a row; ``kept_consents`` are channels for which the contact's own answer was kept."""

    outcome: Outcome
    contact_id: str
    kept_consents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Importer:
    """Applies clean rows, one after the other, in a ``with`` block.

    What the rows did is kept in the history many rows at a time, the last of them at the end of the block. When the process
    dies before that, contacts bear the marks of their last rows, by which it is made up for when the rows are applied
    again; so an event that waits is kept before its contact is changed once more.

    ``records`` is False when nothing may be written, and then ``contacts`` only pretends to save. ``is_again`` says that
    somebody has begun these rows before and may have done some: what a row did then is looked up, so that the counts come
    out as they would have.
    """

    contacts: ContactStore
    history: BulkEventHistory
    clock: Clock
    queue: EventQueue | None = None
    identity_rules: IdentityRules = BUILT_IN
    wait: Wait = no_wait
    records: bool = True
    is_again: bool = False
    _waiting: dict[str, KeptEvent] = field(default_factory=dict, init=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> None:
        if error is None or isinstance(error, WaypostError):
            self._flush()

    def apply(self, row: CleanRow, *, source: str, at: datetime | None = None) -> Applied | RejectedRow:
        """Apply a row that was true ``at`` a time (now); ``source`` (``import:<run>``) is the evidence of its consents.

        The same row again changes nothing and writes nothing. Raises RetryableError or FinalError.
        """
        event = self._event(row, source=source, at=at or self.clock())
        desk = _Desk(self.contacts, event=event, before_change=self._keep_of)
        try:
            contact, _ = record_on_contact(
                event,
                contacts=desk,
                is_repeated=lambda _: False,
                clock=self.clock,
                identity_rules=self.identity_rules,
                wait=self.wait,
            )
        except _ErasedContact as erased:
            return RejectedRow(row.number, erased.kind, ERASED)
        except InvalidInput as wrong:  # one row that a profile cannot take must not keep back all others
            return RejectedRow(row.number, wrong.field, wrong.reason)
        except ContactNotFound:
            return RejectedRow(row.number, "row", DANGLING)
        except ServiceRefused as refused:
            if "ValidationException" not in str(refused):
                raise
            return RejectedRow(row.number, "row", NOT_STORABLE)
        outcome, contact_id = desk.outcome, contact.contact_id
        if outcome == "unchanged" and self.is_again:
            outcome, contact_id = self._what_it_did(event, desk.as_stored(contact))
        if outcome != "unchanged" and self.records:
            profile = desk.effective_profile(desk.as_stored(contact))
            done = replace(event, profile=profile, properties={**event.properties, "outcome": outcome})
            self._keep(KeptEvent(contact_id, done, routed_at=self.clock(), version=contact.version))
            if not desk.leaves_mark:  # by which it could be made up for
                self._flush()
        if self.records and contact.unannounced and self.queue is not None:
            self.queue.send(announcements(contact, self.contacts))
        return Applied(outcome, contact_id, desk.kept_consents)

    def _flush(self) -> None:
        if self._waiting:
            self.history.record_many(list(self._waiting.values()))
            self._waiting.clear()

    def _keep(self, done: KeptEvent) -> None:
        if self.is_again:  # it may be there from before, and then stays as it is
            self.history.record(done.contact_id, done.event, routed_at=done.routed_at, version=done.version)
            return
        self._keep_of(done.contact_id)
        self._waiting[done.contact_id] = done
        if len(self._waiting) >= EVENTS_AT_ONCE:
            self._flush()

    def _keep_of(self, contact_id: str) -> None:
        if contact_id in self._waiting:
            self._flush()

    def _event(self, row: CleanRow, *, source: str, at: datetime) -> Event:
        content = {"identities": row.identities, "profile": row.profile, "filled": row.filled}
        properties: dict[str, Any] = {"import": source.removeprefix("import:"), "row": row.number}
        if row.filled:
            properties["filled"] = dict(row.filled)
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

    def _what_it_did(self, event: Event, contact: Contact) -> tuple[Outcome, str]:
        """What the row did when it was applied before somebody stopped half-way, if it was, and to which contact."""
        for contact_id in contact.partitions:
            for recorded in self.history.since(contact_id, event.occurred_at, types=(IMPORTED,)):
                if recorded.id == event.id and recorded.occurred_at == event.occurred_at:
                    return recorded.properties.get("outcome", "updated"), contact_id
        if contact.absorbed and any(merge.cause == event.id for merge in self.contacts.merges(contact.contact_id)):
            return "merged", contact.contact_id
        if not _bears_the_mark_of(contact, event):
            return "unchanged", contact.contact_id
        outcome: Outcome = "created" if contact.version == 1 else "updated"  # stored, but the history was not reached
        return outcome, contact.contact_id


class _ErasedContact(Exception):
    """An identity of the row leads to somebody who was erased."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


@dataclass(slots=True)
class _Desk:
    """The contact store as one row sees it: it writes only what changes something, and keeps what a file cannot change.

    ``leaves_mark`` tells whether the contact shows that the row was applied; a further identity of it does not.
    """

    contacts: ContactStore
    event: Event
    before_change: Callable[[str], None]
    outcome: Outcome = "unchanged"
    kept_consents: tuple[str, ...] = ()
    leaves_mark: bool = True
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
        """See ContactStore. What ``resolve`` has just read is not read again."""
        contact = self._fresh.pop(contact_id, None) or self.contacts.load(contact_id)
        if contact is not None:
            if contact.erased:
                raise _ErasedContact("contact_id")
            self._read[contact.contact_id] = contact
        return contact

    def save(self, contact: Contact, *, claim: Mapping[str, str], counting: str = "") -> bool:
        """See ContactStore."""
        before = self._read.get(contact.contact_id)
        after = self._guarded(before, contact)
        if before is not None and not claim and _essence(before) == _essence(after):
            return True
        self.before_change(contact.contact_id)
        if not self.contacts.save(after, claim=claim, counting=counting):
            return False
        if self.outcome != "merged":
            self.outcome = "created" if contact.version == 0 else "updated"
        self._read[contact.contact_id] = after
        self.leaves_mark = _bears_the_mark_of(after, self.event) and not (claim and before is not None)
        return True

    def merge(self, merge: Merge) -> bool:
        """See ContactStore."""
        for each in (merge.survivor, merge.absorbed):
            self.before_change(each.contact_id)
        if not self.contacts.merge(merge):
            return False
        self.outcome = "merged"
        return True

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
        """The event's profile as it took effect, so that whoever reads the history later comes to the same contact."""
        profile = dict(self.event.profile)
        consent = {
            channel: said
            for channel, said in profile.pop("consent", {}).items()
            if not said or any(self._is_of_this(answer) for answer in _answers(contact, channel).values())
        }
        return {**profile, "consent": consent} if consent else profile

    def _is_of_this(self, answer: Consent) -> bool:
        return (answer.at, answer.source) == (self.event.occurred_at, self.event.source)

    def _guarded(self, before: Contact | None, after: Contact) -> Contact:
        consents, kept = dict(after.consents), []
        granted = [name for name, said in self.event.profile.get("consent", {}).items() if said]
        for channel in granted if before is not None else ():
            answers = _answers(before, channel) if before else {}
            if answers:
                consents = {key: said for key, said in consents.items() if not key.startswith(f"{channel}/")} | answers
                if not all(said.granted for said in answers.values()):
                    kept.append(channel)
        self.kept_consents = tuple(kept)
        suppressions = {**after.suppressions, **(before.suppressions if before else {})}
        return replace(after, consents=consents, suppressions=suppressions)


def _answers(contact: Contact, channel: str) -> dict[str, Consent]:
    """What the contact has ever answered about a channel and its topics."""
    return {key: said for key, said in contact.consents.items() if key.startswith(f"{channel}/")}


def _essence(contact: Contact) -> Contact:
    """The contact without the times at which somebody said the same again."""
    consents = {key: Consent(granted=said.granted, at=_NEVER, source="") for key, said in contact.consents.items()}
    return replace(contact, attributes_at={}, seen={}, consents=consents)


def _bears_the_mark_of(contact: Contact, event: Event) -> bool:
    """Whether this very row has been stored here: its time, which no other row has, stands at what it set."""
    consent = event.profile.get("consent", {})
    stamps = [f"{kind}:{name}" for kind in ("tag", "group") for name in event.profile.get(f"{kind}s", [])]
    stamps += [name for name in event.profile if name not in {"consent", "tags", "groups"}]
    if any(contact.attributes_at.get(stamp) == event.occurred_at for stamp in stamps):
        return True
    if any(said.at == event.occurred_at for said in contact.consents.values()):
        return True
    if stamps or consent:
        return False
    _, last = contact.seen.get(IMPORTED, (None, None))
    return last == event.occurred_at.astimezone(UTC).date()
