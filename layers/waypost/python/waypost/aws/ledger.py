"""The ledger in DynamoDB: one item per message key in the contact's partition, one item for its touches."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal, assert_never

from botocore.exceptions import ClientError

from waypost.aws import history, sweeper_index, table
from waypost.aws.enrolment_row import ended_sk, open_sk, unpacked
from waypost.aws.merges import put_touches
from waypost.aws.translation import translates_errors
from waypost.aws.updates import update
from waypost.clock import format_instant, parse_instant
from waypost.contacts.profile import Contact
from waypost.errors import ConcurrentUpdate
from waypost.events.envelope import Event
from waypost.events.retention import PASSAGES
from waypost.journeys.enrolment import Enrolment
from waypost.journeys.ports import SHARDS
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
from waypost.sending.occasion import BroadcastSlot, JourneyStep, Reply, StaffNotice, dump_occasion, load_occasion
from waypost.sending.request import SendRequest

FORGET_ATTEMPTS: Final = 5
UNCLAIMED: Final = "attribute_not_exists(#state) OR (#state = :deferred AND #attempt <= :attempt)"
"""An attempt may be one ahead of its row: the schedule was created but the process crashed before recording it."""

REPEATED: Final = "#claim_id = :repeats AND (#state = :claimed OR #state = :unknown)"

DEFERRED_KEPT: Final = timedelta(days=30)
"""How long after its time a deferred message is still looked for; by then it was sent, or it was too late."""
RESULT: Final = "result"
"""The kind of rows in the index whose provider is to be asked what became of the message."""
NEVER_SENT: Final[Collection[LedgerState]] = ("skipped", "rejected")
"""States that a key never leaves for a claim: a touch that a slower call counted for it counts nothing."""


@translates_errors
@dataclass(frozen=True, slots=True)
class DynamoLedger:
    """A Ledger on the contacts table."""

    client: Any
    table_name: str
    kept: Callable[[], timedelta] = lambda: PASSAGES.keep
    """How long a row is kept after its message was decided on."""

    def snapshot(self, request: SendRequest, *, with_row: bool = True) -> Snapshot:
        """See Ledger. One BatchGetItem for everything; another one when the journey has ended, and for each merge since."""
        row_sk, enrolment_sk, event_sk = _row_sk(request.message_key) if with_row else "", "", ""
        match request.occasion:
            case JourneyStep(enrolment_id=enrolment_id):
                enrolment_sk = open_sk(enrolment_id)
            case Reply(event_id=event_id, occurred_at=occurred_at):
                event_sk = history.event_sk(occurred_at, event_id)
            case BroadcastSlot() | StaffNotice():
                pass
            case _:
                assert_never(request.occasion)
        contact, items = self._read(request.contact_id, (row_sk, "touches", enrolment_sk, event_sk))
        enrolment = items.get(enrolment_sk)
        if enrolment is None and isinstance(request.occasion, JourneyStep):  # rows move from open to ended, never back
            ended = (table.contact_pk(request.contact_id), ended_sk(request.occasion.enrolment_id))
            enrolment = next(iter(table.batch_get(self.client, self.table_name, [ended])), None)
        touches = _touches(items.get("touches"))
        while contact is not None and contact.merged_into:
            contact, touches = self._merged(contact.merged_into)
        return Snapshot(
            contact=contact,
            row=_row(items[row_sk]) if row_sk in items else None,
            enrolment=Enrolment.from_dict(unpacked(enrolment)) if enrolment is not None else None,
            event=Event.from_dict(items[event_sk]) if event_sk in items else None,
            touches=touches,
        )

    def _merged(self, contact_id: str) -> tuple[Contact | None, Touches]:
        """The contact that another one was merged into, and what counts for it."""
        contact, items = self._read(contact_id, ["touches"])
        return contact, replace(_touches(items.get("touches")), contact_id=contact_id)

    def _read(self, contact_id: str, sks: Iterable[str]) -> tuple[Contact | None, dict[str, dict[str, Any]]]:
        """The profile under this id, and the items of its partition by sort key, in one call."""
        pk, profiles = table.contact_pk(contact_id), table.profiles_table(self.table_name)
        keys = [table.key(pk, sk) for sk in sks if sk]
        found = table.batch_get_of(self.client, {self.table_name: keys, profiles: [table.profile_key(contact_id)]})
        contact = next((Contact.from_dict(item) for item in found[profiles]), None)
        return contact, {item["sk"]: item for item in found[self.table_name]}

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
        """See Ledger. Two conditional writes, the touches first: half the units of one transaction.

        A crash in between leaves a touch without a claim. The repeated request counts it once, by its key; if there is
        none, a cap has counted one message too many, and never one too few.
        """
        if touches is not None and not self._count(request, touches):
            row = self._load(request.contact_id, request.message_key)
            is_open = row is None or _may_be_claimed(row, request) or _may_be_repeated(row, repeats)
            return "touches_changed" if is_open else _whose(row, claim_id)
        claim = self._update(
            request,
            set_={
                "state": "claimed",
                "channel": channel,
                "claim_id": claim_id,
                "expires_at": self._expires_at(at),
            }
            | ({} if repeats else {"claimed_at": format_instant(at), "claimed_local_time": local_time})
            | ({"links": list(links)} if links else {})
            | ({} if request.fails_hop else sweeper_index.index_attributes("claim", request.contact_id, at)),
            condition=REPEATED if repeats else UNCLAIMED,
            values={"repeats": repeats, "claimed": "claimed", "unknown": "unknown"}
            if repeats
            else {"deferred": "deferred", "attempt": request.attempt},
        )
        if table.written(self.client, claim):
            return "claimed"
        row = self._load(request.contact_id, request.message_key)
        if row is not None and row.state in NEVER_SENT:
            self._forget_touch(request)
        return _whose(row, claim_id)

    def _count(self, request: SendRequest, touches: Touches) -> bool:
        """Replace the touches that were read; False when the contact was claimed for another message since.

        A write repeated after a lost answer fails on what it wrote itself.
        """
        try:
            self.client.put_item(**self._put_touches(request, touches))
        except ClientError as error:
            if table.error_code(error) != table.CONDITION_FAILED:
                raise
            pk = table.contact_pk(touches.contact_id or request.contact_id)
            written = replace(touches, version=touches.version + 1).to_dict()
            return any(
                _touches(item).to_dict() == written
                for item in table.batch_get(self.client, self.table_name, [(pk, "touches")])
            )
        return True

    def settle(
        self,
        request: SendRequest,
        *,
        claim_id: str,
        state: Literal["accepted", "rejected", "unknown"],
        decision: Decision,
        provider_message_id: str | None = None,
        asked_at: datetime | None = None,
        in_answer: Mapping[str, Any] | None = None,
    ) -> None:
        """See Ledger."""
        asked = sweeper_index.index_attributes(RESULT, request.contact_id, asked_at) if asked_at else {}
        answered: dict[str, Any] = {"provider_message_id": provider_message_id}
        if in_answer:
            answered["in_answer"] = dict(in_answer)
        pk, sk = table.contact_pk(request.contact_id), _row_sk(request.message_key)
        settled = table.written(
            self.client,
            update(
                table_name=self.table_name,
                pk=pk,
                sk=sk,
                set_={"state": state} | answered | asked,
                append={"decisions": [decision.to_dict()]},
                remove=[] if asked else ["due_shard", "due_at"],
                condition="#claim_id = :claim_id AND (#state = :claimed OR #state = :unknown)",
                values={"claim_id": claim_id, "claimed": "claimed", "unknown": "unknown"},
            ),
        )
        if not settled:
            table.written(
                self.client,
                update(
                    table_name=self.table_name,
                    pk=pk,
                    sk=sk,
                    set_=answered,
                    append={"decisions": [decision.to_dict()]},
                    condition="#claim_id = :claim_id AND attribute_not_exists(#provider_message_id)",
                    values={"claim_id": claim_id},
                ),
            )
        if state == "rejected":
            self._forget_touch(request)

    def skip(self, request: SendRequest, *, decision: Decision) -> bool:
        """See Ledger."""
        return table.written(
            self.client,
            self._update(
                request,
                set_={
                    "state": "skipped",
                    "channel": decision.channel,
                    "expires_at": self._expires_at(decision.at),
                },
                append={"decisions": [decision.to_dict()]},
                condition=UNCLAIMED,
                values={"deferred": "deferred", "attempt": request.attempt},
            ),
        )

    def defer(self, request: SendRequest, *, decision: Decision, until: datetime, claim_id: str | None = None) -> bool:
        """See Ledger. ``request`` is the one booked, whose attempt is one more than the row's.

        First it is noted where ``deferred_of`` looks: a note too many finds no deferred row.
        """
        kept = {"expires_at": int((until + DEFERRED_KEPT).timestamp())}
        self.client.put_item(
            TableName=self.table_name,
            Item=table.key(
                table.contact_pk(request.contact_id), _deferred_sk(request.occasion.origin, request.message_key)
            )
            | table.dump_item(kept),
        )
        mine = "#claim_id = :claim_id AND #state = :claimed"
        deferred = table.written(
            self.client,
            self._update(
                request,
                set_={
                    "state": "deferred",
                    "channel": decision.channel,
                    "attempt": request.attempt,
                    "deferred_until": format_instant(until),
                    "expires_at": self._expires_at(until),
                },
                append={"decisions": [decision.to_dict()]} if request.attempt <= MOST_DEFERRALS_NOTED else None,
                remove=["due_shard", "due_at", "claim_id"],
                condition=mine if claim_id else UNCLAIMED,
                values={"claim_id": claim_id, "claimed": "claimed"}
                if claim_id
                else {"deferred": "deferred", "attempt": request.attempt - 1},
            ),
        )
        if claim_id and not deferred:  # only our claim can have brought it there: the answer to our own write got lost
            row = self._load(request.contact_id, request.message_key)
            deferred = row is not None and row.state == "deferred" and row.attempt == request.attempt
        if claim_id and deferred:
            self._forget_touch(request)
        return deferred

    def deferred_of(self, contact_id: str, origin: str) -> list[LedgerRow]:
        """See Ledger."""
        pk, prefix = table.contact_pk(contact_id), _deferred_sk(origin, "")
        notes = table.query(self.client, self.table_name, pk=pk, prefix=prefix)
        keys = [note["sk"].removeprefix(prefix) for note in notes]
        rows = (self._load(contact_id, key) for key in keys)
        return [row for row in rows if row is not None and row.state == "deferred"]

    def drop(self, row: LedgerRow, *, decision: Decision) -> None:
        """See Ledger."""
        table.written(
            self.client,
            update(
                table_name=self.table_name,
                pk=table.contact_pk(row.contact_id),
                sk=_row_sk(row.message_key),
                set_={"state": "skipped"},
                append={"decisions": [decision.to_dict()]},
                condition="#state = :deferred AND #attempt = :attempt",
                values={"deferred": "deferred", "attempt": row.attempt},
            ),
        )

    def claims_of(self, contact_id: str, origin: str, before: datetime) -> list[LedgerRow]:
        """See Ledger. Reads every message of the contact: asked only for a hop that died."""
        items = table.query(
            self.client,
            self.table_name,
            pk=table.contact_pk(contact_id),
            prefix=_row_sk(""),
            names={"#state": "state", "#origin": "origin", "#claimed_at": "claimed_at"},
            values={":claimed": "claimed", ":origin": origin, ":before": format_instant(before)},
            FilterExpression="#state = :claimed AND #origin = :origin AND #claimed_at < :before",
        )
        return [_row(item) for item in items]

    def stale_claims(self, before: datetime) -> Iterator[LedgerRow]:
        """See Ledger."""
        for pk, sk in sweeper_index.overdue(self.client, self.table_name, "claim", before):
            row = self._load(pk.removeprefix("contact#"), sk.removeprefix("message#"))
            if row is not None:
                yield row

    def give_up_claim(self, row: LedgerRow, *, at: datetime) -> bool:
        """See Ledger."""
        decision = Decision(
            at=row.claimed_at or at,
            local_time=row.claimed_local_time,
            outcome="unknown",
            reason="no_answer",
            channel=row.channel,
        )
        return table.written(
            self.client,
            update(
                table_name=self.table_name,
                pk=table.contact_pk(row.contact_id),
                sk=_row_sk(row.message_key),
                set_={"state": "unknown"},
                append={"decisions": [decision.to_dict()]},
                remove=["due_shard", "due_at"],
                condition="#claim_id = :claim_id AND #state = :claimed",
                values={"claim_id": row.claim_id, "claimed": "claimed"},
            ),
        )

    def results_due(self, now: datetime) -> Iterator[LedgerRow]:
        """See Ledger."""
        for shard in range(SHARDS):
            for pk, sk, _ in sweeper_index.between(self.client, self.table_name, RESULT, shard, None, now):
                row = self._load(pk.removeprefix("contact#"), sk.removeprefix("message#"))
                if row is not None and row.state == "accepted":
                    yield row

    def ask_again(self, row: LedgerRow, at: datetime | None) -> None:
        """See Ledger."""
        table.written(
            self.client,
            update(
                table_name=self.table_name,
                pk=table.contact_pk(row.contact_id),
                sk=_row_sk(row.message_key),
                set_={"state": "accepted"} | (sweeper_index.index_attributes(RESULT, row.contact_id, at) if at else {}),
                remove=[] if at else ["due_shard", "due_at"],
                condition="#state = :accepted AND attribute_exists(#due_shard)",
                values={"accepted": "accepted"},
            ),
        )

    def row_of(self, contact_id: str, key_prefix: str) -> LedgerRow | None:
        """See Ledger."""
        items = table.query(self.client, self.table_name, pk=table.contact_pk(contact_id), prefix=_row_sk(key_prefix))
        rows = sorted((_row(item) for item in items), key=lambda row: (row.claimed_at is None, row.claimed_at))
        return rows[0] if rows else None

    def sent_as(self, contact_id: str, provider_message_id: str) -> LedgerRow | None:
        """See Ledger. Reads every message of the contact: asked only for providers whose reports carry no key."""
        items = table.query(
            self.client,
            self.table_name,
            pk=table.contact_pk(contact_id),
            prefix=_row_sk(""),
            names={"#provider_message_id": "provider_message_id"},
            values={":provider_message_id": provider_message_id},
            FilterExpression="#provider_message_id = :provider_message_id",
        )
        return next((_row(item) for item in items), None)

    def confirm(self, contact_id: str, message_key: str, *, state: Confirmation, at: datetime) -> bool:
        """See Ledger. A later word of the provider replaces an earlier one, but nothing turns back into ``accepted``.

        Later by the provider's time: its reports come in any order.
        """
        condition = "attribute_exists(#message_key)"
        condition += " AND (attribute_not_exists(#confirmed_at) OR #confirmed_at <= :set_confirmed_at)"
        if state == "accepted":
            condition += " AND (#state = :claimed OR #state = :unknown)"
        return table.written(
            self.client,
            update(
                table_name=self.table_name,
                pk=table.contact_pk(contact_id),
                sk=_row_sk(message_key),
                set_={"state": state, "confirmed_at": format_instant(at)},
                remove=["due_shard", "due_at"],
                condition=condition,
                values={"claimed": "claimed", "unknown": "unknown"} if state == "accepted" else {},
            ),
        )

    def _expires_at(self, at: datetime) -> int:
        return int((at + self.kept()).timestamp())

    def _load(self, contact_id: str, message_key: str) -> LedgerRow | None:
        answer = self.client.get_item(
            TableName=self.table_name,
            Key=table.key(table.contact_pk(contact_id), _row_sk(message_key)),
            ConsistentRead=True,
        )
        return _row(table.load_item(answer["Item"])) if "Item" in answer else None

    def _update(self, request: SendRequest, *, set_: Mapping[str, Any], **options: Any) -> dict[str, Any]:
        """An update of the request's row that also writes what the row is about."""
        about = {
            "message_key": request.message_key,
            "contact_id": request.contact_id,
            "occasion": dump_occasion(request.occasion),
            "origin": request.occasion.origin,
            "message": request.message,
        }
        return update(
            table_name=self.table_name,
            pk=table.contact_pk(request.contact_id),
            sk=_row_sk(request.message_key),
            set_=about | dict(set_),
            **options,
        )

    def _put_touches(self, request: SendRequest, touches: Touches) -> dict[str, Any]:
        return put_touches(self.table_name, touches.contact_id or request.contact_id, touches)

    def _forget_touch(self, request: SendRequest) -> None:
        for _ in range(FORGET_ATTEMPTS):
            touches = self.snapshot(request).touches
            left = touches.others(request.message_key)
            if len(left) == len(touches.recent):
                return
            try:
                self.client.put_item(**self._put_touches(request, replace(touches, recent=left)))
            except ClientError as error:
                if table.error_code(error) != table.CONDITION_FAILED:
                    raise
            else:
                return
        raise ConcurrentUpdate(f"touches of {request.contact_id} changed {FORGET_ATTEMPTS} times")


def _may_be_repeated(row: LedgerRow, repeats: str | None) -> bool:
    return repeats is not None and row.claim_id == repeats and row.is_unsettled


def _may_be_claimed(row: LedgerRow, request: SendRequest) -> bool:
    return row.state == "deferred" and row.attempt <= request.attempt


def _whose(row: LedgerRow | None, claim_id: str) -> ClaimResult:
    """A write repeated after a lost answer fails on what it wrote itself: then the claim is ours."""
    return "claimed" if row is not None and row.claim_id == claim_id and row.state == "claimed" else "taken"


def _deferred_sk(origin: str, message_key: str) -> str:
    return f"deferred#{origin}#{message_key}"


def _row_sk(message_key: str) -> str:
    return f"message#{message_key}"


def _row(item: Mapping[str, Any]) -> LedgerRow:
    deferred_until, claimed_at = item.get("deferred_until"), item.get("claimed_at")
    return LedgerRow(
        message_key=item["message_key"],
        occasion=load_occasion(item["occasion"]),
        message=item["message"],
        state=item["state"],
        attempt=item.get("attempt", 0),
        channel=item.get("channel"),
        claim_id=item.get("claim_id"),
        provider_message_id=item.get("provider_message_id"),
        claimed_at=parse_instant(claimed_at) if claimed_at else None,
        claimed_local_time=item.get("claimed_local_time", ""),
        deferred_until=parse_instant(deferred_until) if deferred_until else None,
        decisions=[Decision.from_dict(decision) for decision in item.get("decisions", [])],
        links=item.get("links", ()),
        in_answer=item.get("in_answer", {}),
    )


def _touches(item: Mapping[str, Any] | None) -> Touches:
    return Touches() if item is None else Touches.from_dict(item)
