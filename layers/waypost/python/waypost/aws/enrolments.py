"""Enrolments in DynamoDB: one item each, and the items that hold re-entry, exclusive groups and audience limits."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from botocore.exceptions import ClientError

from waypost import ids
from waypost.aws import sweeper_index, table
from waypost.aws.enrolment_row import EVERY, OPEN, ended_sk, open_sk, packed, unpacked
from waypost.aws.translation import translates_errors
from waypost.aws.tried_journeys import tried_row
from waypost.aws.updates import update
from waypost.batches import batched
from waypost.clock import format_instant, parse_instant
from waypost.events.retention import PASSAGES
from waypost.journeys.enrolment import Enrolment
from waypost.journeys.ports import LONGEST_CALL, NEVER, NOTES_KEPT, SHARDS, DueEnrolment, EntryTerms, Refusal

TransactPart = dict[str, Any]

IS_FREE: Final = "attribute_not_exists(#active) OR #active = :no"
IS_FREE_OR_MINE: Final = f"{IS_FREE} OR #enrolment_id = :mine"
KIND: Final = "enrolment"
SWEEP: Final = table.key(f"sweep#{KIND}", "until")
"""The key of the item that says how far the sweep has come."""
MOST_KEYS: Final = 100
"""Of one BatchGetItem. Source: DynamoDB API Reference, "BatchGetItem"."""
FOR_EVER: Final = 253_402_300_799
"""The last second of the year 9999, as a time to live."""


@translates_errors
@dataclass(frozen=True, slots=True)
class DynamoEnrolments:
    """An EnrolmentStore on the contacts table."""

    client: Any
    table_name: str
    kept: Callable[[], timedelta] = lambda: PASSAGES.keep
    """How long a row is kept after the end of its journey."""

    def open(self, enrolment: Enrolment, terms: EntryTerms) -> Refusal | None:
        """See EnrolmentStore. A journey that was entered once and is entered again since it was changed is freed first."""
        refusal = self._try_to_open(enrolment, terms)
        if refusal == "enrolled_before" and terms.one_at_a_time:
            freed = [self._free_left(owner, enrolment, terms) for owner in (enrolment.contact_id, *terms.also_under)]
            if any(freed):
                return self._try_to_open(enrolment, terms)
        return refusal

    def _free_left(self, owner: str, enrolment: Enrolment, terms: EntryTerms) -> bool:
        """Free what an enrolment has left that has ended, or that was never stored."""
        if terms.also_under and self._drop_unstored(owner, enrolment, terms.exclusive_group):
            return True
        return terms.not_since != NEVER and self._free_ended(owner, enrolment.occasion, enrolment.enrolled_at)

    def _try_to_open(self, enrolment: Enrolment, terms: EntryTerms) -> Refusal | None:
        """A limited audience is counted in one transaction with the row, and one asks what is held under other ids."""
        if terms.audience_limit is None and not terms.also_under:
            return self._open_step_by_step(enrolment, terms)
        return self._open_at_once(enrolment, terms)

    def _open_step_by_step(self, enrolment: Enrolment, terms: EntryTerms) -> Refusal | None:
        """Take the place in the journey, then the group, then store the row: half of what a transaction costs.

        A crash in between leaves a place that the same event takes again, and nobody else.
        """
        taken = _Taken()
        if terms.one_at_a_time:
            taken = self._take_place(enrolment, terms)
            if not taken.is_ours:
                return self._why_not(enrolment, "already_in_journey")
        if terms.exclusive_group and not self._take_group(enrolment, terms.exclusive_group):
            self._give_back(enrolment, taken)
            return self._why_not(enrolment, "exclusive_group_taken")
        try:
            self.client.put_item(**self._put(enrolment), ConditionExpression="attribute_not_exists(pk)")
        except ClientError as error:
            if table.error_code(error) != table.CONDITION_FAILED:
                raise
            return self._why_not(enrolment, "enrolled_before")
        if self._row(enrolment.contact_id, ended_sk(enrolment.enrolment_id), consistently=True) is None:
            return None
        # The same event was acted on elsewhere at the same time, and that passage is over already.
        self._remove(open_sk(enrolment.enrolment_id), enrolment, enrolment.revision + 1)
        self._free_all(enrolment)
        return "enrolled_before"

    def _take_place(self, enrolment: Enrolment, terms: EntryTerms) -> "_Taken":
        """Be the one active enrolment of the journey; the same event may take its place again while its row is kept."""
        condition, values = _journey_is_free(terms)
        request = self._hold(
            enrolment,
            f"reentry#{enrolment.occasion}",
            f"{condition} OR (#event_id = :event AND #enrolled_at > :kept)",
            values | {"event": enrolment.trigger.id, "kept": format_instant(enrolment.enrolled_at - self.kept())},
            self._lasts(enrolment, terms) | {"event_id": enrolment.trigger.id},
        )["Update"]
        try:
            answer = self.client.update_item(**request, ReturnValues="ALL_OLD")
        except ClientError as error:
            if table.error_code(error) != table.CONDITION_FAILED:
                raise
            return _Taken(is_ours=False)
        return _Taken(place=request["Key"], before=answer.get("Attributes"))

    def _give_back(self, enrolment: Enrolment, taken: "_Taken") -> None:
        """Let the place in the journey be as it was before it was taken, unless another call has it by now."""
        if taken.place is None:
            return
        condition: dict[str, Any] = {
            "ConditionExpression": "#event_id = :event AND #enrolment_id = :mine",
            "ExpressionAttributeNames": {"#event_id": "event_id", "#enrolment_id": "enrolment_id"},
            "ExpressionAttributeValues": table.dump_item(
                {":event": enrolment.trigger.id, ":mine": enrolment.enrolment_id}
            ),
        }
        try:
            if taken.before is None:
                self.client.delete_item(TableName=self.table_name, Key=taken.place, **condition)
            else:
                self.client.put_item(TableName=self.table_name, Item=taken.before, **condition)
        except ClientError as error:
            if table.error_code(error) != table.CONDITION_FAILED:
                raise

    def _take_group(self, enrolment: Enrolment, group: str) -> bool:
        """Be the one active enrolment of the group; one whose row was never stored does not stand in the way for long."""
        sk, mine = f"group#{group}", {"no": False, "mine": enrolment.enrolment_id}
        if table.written(self.client, self._hold(enrolment, sk, IS_FREE_OR_MINE, mine)["Update"]):
            return True
        held = self._row(enrolment.contact_id, sk, consistently=True)
        if held is None or not self._holds_no_longer(enrolment.contact_id, held, enrolment.enrolled_at):
            return False
        nobodys = {"holder": held["enrolment_id"]}
        return table.written(self.client, self._hold(enrolment, sk, "#enrolment_id = :holder", nobodys)["Update"])

    def _why_not(self, enrolment: Enrolment, refusal: Refusal, also_under: Sequence[str] = ()) -> Refusal | None:
        """The reason; none when it is our own write, repeated after its answer got lost, that was in the way."""
        known = self.load(enrolment.contact_id, enrolment.enrolment_id)
        if known is not None:
            return None if known.trigger.id == enrolment.trigger.id else "enrolled_before"
        if refusal == "already_in_journey" and not self._is_active(enrolment, also_under):
            return "enrolled_before"
        return refusal

    def _open_at_once(self, enrolment: Enrolment, terms: EntryTerms) -> Refusal | None:
        """The parts of the transaction stand in the order of their reasons."""
        parts: list[tuple[Refusal, TransactPart]] = [("enrolled_before", self._put_enrolment(enrolment))]
        if terms.one_at_a_time:
            condition, values = _journey_is_free(terms)
            sk = f"reentry#{enrolment.occasion}"
            lasts = self._lasts(enrolment, terms) | {"event_id": enrolment.trigger.id}
            parts.append(("already_in_journey", self._hold(enrolment, sk, condition, values, lasts)))
            parts += [("already_in_journey", self._check(owner, sk, condition, values)) for owner in terms.also_under]
        if terms.exclusive_group:
            sk = f"group#{terms.exclusive_group}"
            mine = {"no": False, "mine": enrolment.enrolment_id}
            parts.append(("exclusive_group_taken", self._hold(enrolment, sk, IS_FREE_OR_MINE, mine)))
            parts += [
                ("exclusive_group_taken", self._check(owner, sk, IS_FREE, {"no": False})) for owner in terms.also_under
            ]
        if terms.audience_limit is not None:
            parts.append(("audience_limit_reached", self._count_audience(enrolment, terms.audience_limit)))
        try:
            self.client.transact_write_items(TransactItems=[part for _, part in parts])
        except ClientError as error:
            if table.error_code(error) != table.TRANSACTION_CANCELED:
                raise
            failed = table.failed_conditions(error)
            refusals = [refusal for (refusal, _), is_it in zip(parts, failed, strict=True) if is_it]
            return self._why_not(enrolment, refusals[0], terms.also_under)
        return None

    def _drop_unstored(self, owner: str, enrolment: Enrolment, group: str | None) -> bool:
        """Drop what the same event took under one of the contact's ids in a call that died before it stored the row.

        Only a contact that was merged since needs it: under its own id the same event takes all of it again.
        """
        place = f"reentry#{enrolment.occasion}"
        held = self._row(owner, place, consistently=True)
        if held is None or held.get("event_id") != enrolment.trigger.id:
            return False
        if parse_instant(held["enrolled_at"]) <= enrolment.enrolled_at - self.kept():
            return False
        if self.load(owner, held["enrolment_id"]) is not None:
            return False
        for sk in ([f"group#{group}"] if group else []) + [place]:  # the place last, by which the others are found
            self._drop_held(owner, sk, held["enrolment_id"])
        return True

    def _drop_held(self, owner: str, sk: str, enrolment_id: str) -> None:
        try:
            self.client.delete_item(
                TableName=self.table_name,
                Key=table.key(table.contact_pk(owner), sk),
                ConditionExpression="#enrolment_id = :held",
                ExpressionAttributeNames={"#enrolment_id": "enrolment_id"},
                ExpressionAttributeValues=table.dump_item({":held": enrolment_id}),
            )
        except ClientError as error:
            if table.error_code(error) != table.CONDITION_FAILED:
                raise

    def _free_ended(self, owner: str, occasion: str, now: datetime) -> bool:
        """Free a journey that is held by an enrolment which has ended, or was never stored; False where none does."""
        pk, sk = table.contact_pk(owner), f"reentry#{occasion}"
        for held in table.batch_get(self.client, self.table_name, [(pk, sk)]):
            if held["active"] and self._holds_no_longer(owner, held, now):
                freed = update(
                    table_name=self.table_name,
                    pk=pk,
                    sk=sk,
                    set_={"active": False},
                    condition="#enrolment_id = :held",
                    values={"held": held["enrolment_id"]},
                )
                return table.written(self.client, freed)
        return False

    def _holds_no_longer(self, owner: str, held: Mapping[str, Any], now: datetime) -> bool:
        """Whether the enrolment that holds a journey or a group has ended, or died before its row was stored."""
        if self._row(owner, open_sk(held["enrolment_id"]), consistently=True) is not None:
            return False
        if parse_instant(held["enrolled_at"]) <= now - LONGEST_CALL:
            return True
        return self._row(owner, ended_sk(held["enrolment_id"]), consistently=True) is not None

    def _is_active(self, enrolment: Enrolment, also_under: Sequence[str]) -> bool:
        """Whether the contact is in the journey now, under any of its ids."""
        return any(
            other.occasion == enrolment.occasion
            for owner in (enrolment.contact_id, *also_under)
            for other in self.unfinished(owner)
        )

    def load(self, contact_id: str, enrolment_id: str) -> Enrolment | None:
        """See EnrolmentStore. A row only moves from open to ended, so it is looked up in this order."""
        for sk in (open_sk(enrolment_id), ended_sk(enrolment_id)):
            if (item := self._row(contact_id, sk, consistently=True)) is not None:
                return Enrolment.from_dict(unpacked(item))
        return None

    def glance(self, contact_id: str, enrolment_id: str) -> Enrolment | None:
        """See EnrolmentStore."""
        item = self._row(contact_id, open_sk(enrolment_id), consistently=False)
        return None if item is None else Enrolment.from_dict(unpacked(item))

    def ended(self, contact_id: str, enrolment_id: str) -> Enrolment | None:
        """See EnrolmentStore."""
        item = self._row(contact_id, ended_sk(enrolment_id), consistently=True)
        return None if item is None else Enrolment.from_dict(unpacked(item))

    def _row(self, contact_id: str, sk: str, *, consistently: bool) -> dict[str, Any] | None:
        place = table.key(table.contact_pk(contact_id), sk)
        answer = self.client.get_item(TableName=self.table_name, Key=place, ConsistentRead=consistently)
        return table.load_item(answer["Item"]) if "Item" in answer else None

    def unfinished(self, contact_id: str) -> list[Enrolment]:
        """See EnrolmentStore."""
        return self._under(contact_id, OPEN)

    def of_contact(self, contact_id: str) -> list[Enrolment]:
        """See EnrolmentStore. Open ones stand before the past ones in order: one that ends meanwhile is read once, as open."""
        found: dict[str, Enrolment] = {}
        for enrolment in self._under(contact_id, EVERY):
            found.setdefault(enrolment.enrolment_id, enrolment)
        return list(found.values())

    def _under(self, contact_id: str, prefix: str) -> list[Enrolment]:
        items = table.query(self.client, self.table_name, pk=table.contact_pk(contact_id), prefix=prefix)
        return [Enrolment.from_dict(unpacked(item)) for item in items]

    def save(self, enrolment: Enrolment) -> bool:
        """See EnrolmentStore."""
        try:
            self.client.put_item(**self._put(enrolment), **_unchanged(enrolment))
        except ClientError as error:
            if table.error_code(error) != table.CONDITION_FAILED:
                raise
            return False
        return True

    def hold_until(self, contact_id: str, enrolment_id: str, instant: datetime) -> None:
        """See EnrolmentStore. For an enrolment that has ended it changes nothing."""
        request = update(
            table_name=self.table_name,
            pk=table.contact_pk(contact_id),
            sk=open_sk(enrolment_id),
            set_={"anchor_at": format_instant(instant)},
            condition="attribute_exists(pk) AND (attribute_not_exists(#anchor_at) OR #anchor_at < :set_anchor_at)",
            values={"one": 1},
        )
        request["UpdateExpression"] += " ADD #revision :one"
        request["ExpressionAttributeNames"]["#revision"] = "revision"
        table.written(self.client, request)

    def end(self, enrolment: Enrolment) -> bool:
        """See EnrolmentStore. What it held is freed first: once it has ended, no later call would do so.

        A journey that is entered once is not freed: whether it is held or over, nobody enters it again.

        The ended row is written before the open one is removed, each for itself. As long as there is an open row, the ended one
        says nothing: a crash in between leaves the enrolment open, and the next end writes over it.
        """
        self._free_all(enrolment)
        if row := tried_row(enrolment, expires_at=self._expires_at(enrolment)):
            self.client.put_item(TableName=self.table_name, Item=row)
        revision, now_open, now_ended = (
            enrolment.revision,
            open_sk(enrolment.enrolment_id),
            ended_sk(enrolment.enrolment_id),
        )
        if self._revision(enrolment, now_open) != revision:
            return False
        kept = self._keep(enrolment)
        if self._remove(now_open, enrolment, revision):
            return True  # perhaps the end of a call that died before it came here
        if (
            self._revision(enrolment, now_open) is not None
        ):  # it was changed since it was read: what we kept is not true
            self._remove(now_ended, enrolment, revision + 1)
            return False
        return kept and self._revision(enrolment, now_ended) == revision + 1

    def _keep(self, enrolment: Enrolment) -> bool:
        """Write the ended row, unless another end of the same row was first, or one of a later row."""
        ended = packed(
            enrolment.to_dict() | {"revision": enrolment.revision + 1, "expires_at": self._expires_at(enrolment)}
        )
        place = table.key(table.contact_pk(enrolment.contact_id), ended_sk(enrolment.enrolment_id))
        try:
            self.client.put_item(
                TableName=self.table_name,
                Item=place | table.dump_item(ended),
                ConditionExpression="attribute_not_exists(pk) OR #revision < :revision",
                ExpressionAttributeNames={"#revision": "revision"},
                ExpressionAttributeValues=table.dump_item({":revision": enrolment.revision + 1}),
            )
        except ClientError as error:
            if table.error_code(error) != table.CONDITION_FAILED:
                raise
            return False
        return True

    def load_many(self, references: Sequence[DueEnrolment]) -> list[Enrolment]:
        """See ChangedEnrolments."""
        keys = {(table.contact_pk(each.contact_id), open_sk(each.enrolment_id)): None for each in references}
        items = table.batch_get(self.client, self.table_name, keys) if keys else []
        return [Enrolment.from_dict(unpacked(item)) for item in items]

    def reopen(self, enrolment: Enrolment) -> bool:
        """See ChangedEnrolments. What it held and nothing else holds is taken up again in the same transaction."""
        pk = table.contact_pk(enrolment.contact_id)
        removed = {
            "TableName": self.table_name,
            "Key": table.key(pk, ended_sk(enrolment.enrolment_id)),
            **_unchanged(enrolment),
        }
        parts: list[TransactPart] = [{"Delete": removed}, {"Put": self._put(enrolment)}]
        held = [f"reentry#{enrolment.occasion}"]
        held += [f"group#{enrolment.exclusive_group}"] if enrolment.exclusive_group else []
        keys = [(pk, sk) for sk in held]
        known = table.batch_get(self.client, self.table_name, keys)
        mine = {"no": False, "mine": enrolment.enrolment_id}
        parts += [self._hold(enrolment, item["sk"], IS_FREE_OR_MINE, mine) for item in known]
        try:
            self.client.transact_write_items(TransactItems=parts)
        except ClientError as error:
            if table.error_code(error) != table.TRANSACTION_CANCELED:
                raise
            table.failed_conditions(error)
            return False
        return True

    def _expires_at(self, enrolment: Enrolment) -> int:
        return int(((enrolment.ended_at or enrolment.enrolled_at) + self.kept()).timestamp())

    def _free_all(self, enrolment: Enrolment) -> None:
        """Hold neither the journey, unless it is entered once, nor the group any longer."""
        held = [] if enrolment.enters_once else [f"reentry#{enrolment.occasion}"]
        held += [f"group#{enrolment.exclusive_group}"] if enrolment.exclusive_group else []
        for sk in held:
            table.written(self.client, self._free(enrolment, sk))

    def _free(self, enrolment: Enrolment, sk: str) -> dict[str, Any]:
        """Hold a journey or a group no longer; the row stays as long as a new entry must be judged by it."""
        request = update(
            table_name=self.table_name,
            pk=table.contact_pk(enrolment.contact_id),
            sk=sk,
            set_={"active": False},
            condition="#enrolment_id = :mine",
            values={"mine": enrolment.enrolment_id, "expires_at": self._expires_at(enrolment)},
        )
        request["UpdateExpression"] += ", #expires_at = if_not_exists(#lasts_until, :expires_at)"
        request["ExpressionAttributeNames"] |= {"#expires_at": "expires_at", "#lasts_until": "lasts_until"}
        return request

    def _remove(self, sk: str, enrolment: Enrolment, revision: int) -> bool:
        """Delete a row of the enrolment; False when it has another revision, or is not there."""
        try:
            self.client.delete_item(
                TableName=self.table_name,
                Key=table.key(table.contact_pk(enrolment.contact_id), sk),
                **_unchanged(replace(enrolment, revision=revision)),
            )
        except ClientError as error:
            if table.error_code(error) != table.CONDITION_FAILED:
                raise
            return False
        return True

    def _revision(self, enrolment: Enrolment, sk: str) -> int | None:
        """The revision of one of its rows; None when there is none."""
        place = table.key(table.contact_pk(enrolment.contact_id), sk)
        answer = self.client.get_item(
            TableName=self.table_name, Key=place, ConsistentRead=True, ProjectionExpression="revision"
        )
        return table.load_item(answer["Item"])["revision"] if "Item" in answer else None

    def note_due(self, contact_id: str, enrolment_id: str, at: datetime) -> None:
        """See EnrolmentStore. An item that expires: it is never removed, so that a Pause costs one unit of writes for it."""
        expires_at = {"expires_at": int((at + NOTES_KEPT).timestamp())}
        place = _note_key(DueEnrolment(contact_id, enrolment_id, at))
        self.client.put_item(TableName=self.table_name, Item=place | table.dump_item(expires_at))

    def find_due(
        self, shard: int, *, since: datetime | None, until: datetime, after: DueEnrolment | None = None
    ) -> Iterator[DueEnrolment]:
        """See EnrolmentStore. Rows of an earlier release, which no note names, are in the index until they are written again."""
        if after is None:
            for pk, sk, due_at in sweeper_index.between(self.client, self.table_name, KIND, shard, since, until):
                yield DueEnrolment(pk.removeprefix("contact#"), sk.removeprefix(OPEN), parse_instant(due_at))
        # times are texts of one length; "~" sorts behind "#", so what is due at ``since`` itself is left out
        first = f"{format_instant(since)}~" if since else "0"
        request: dict[str, Any] = {
            "TableName": self.table_name,
            "KeyConditionExpression": "pk = :shard AND sk BETWEEN :first AND :last",
            "ExpressionAttributeValues": table.dump_item(
                {":shard": _notes_pk(shard), ":first": first, ":last": f"{format_instant(until)}~"}
            ),
        }
        if after is not None:
            request["ExclusiveStartKey"] = _note_key(after)
        for page in self.client.get_paginator("query").paginate(**request):
            for item in page["Items"]:
                due_at, contact_id, enrolment_id = item["sk"]["S"].split("#")
                yield DueEnrolment(contact_id, enrolment_id, parse_instant(due_at))

    def unsettled(self, noted: Sequence[DueEnrolment], until: datetime) -> list[DueEnrolment]:
        """See EnrolmentStore."""
        found, latest = list[DueEnrolment](), format_instant(until)
        by_key = {(table.contact_pk(each.contact_id), open_sk(each.enrolment_id)): each for each in noted}
        for keys in batched(by_key, MOST_KEYS):
            items = table.batch_get_of(
                self.client,
                {self.table_name: [table.key(pk, sk) for pk, sk in keys]},
                ConsistentRead=False,
                ProjectionExpression="pk, sk, #position, due_at",
                ExpressionAttributeNames={"#position": "position"},
            )[self.table_name]
            found += [
                by_key[item["pk"], item["sk"]]
                for item in items
                if item["position"] == "running" or item["due_at"] <= latest
            ]
        return found

    def swept_until(self) -> datetime | None:
        """See EnrolmentStore."""
        answer = self.client.get_item(TableName=self.table_name, Key=SWEEP, ConsistentRead=True)
        return parse_instant(answer["Item"]["until"]["S"]) if "Item" in answer else None

    def mark_swept(self, until: datetime) -> None:
        """See EnrolmentStore."""
        self.client.put_item(TableName=self.table_name, Item=SWEEP | table.dump_item({"until": format_instant(until)}))

    def _put_enrolment(self, enrolment: Enrolment) -> TransactPart:
        return {"Put": {**self._put(enrolment), "ConditionExpression": "attribute_not_exists(pk)"}}

    def _put(self, enrolment: Enrolment) -> dict[str, Any]:
        """The row of an unfinished enrolment."""
        values = packed(enrolment.to_dict() | {"revision": enrolment.revision + 1})
        place = table.key(table.contact_pk(enrolment.contact_id), open_sk(enrolment.enrolment_id))
        return {"TableName": self.table_name, "Item": place | table.dump_item(values)}

    def _lasts(self, enrolment: Enrolment, terms: EntryTerms) -> dict[str, Any]:
        """How long the row must last for the next entry to be judged by it: for ever, or as long as it would be too early."""
        if terms.not_since is None:
            return {}
        if terms.not_since == NEVER:
            return {"lasts_until": FOR_EVER}
        early = enrolment.enrolled_at - terms.not_since
        return {"lasts_until": int((enrolment.enrolled_at + early + self.kept()).timestamp())}

    def _hold(
        self,
        enrolment: Enrolment,
        sk: str,
        condition: str,
        values: Mapping[str, Any],
        more: Mapping[str, Any] | None = None,
    ) -> TransactPart:
        """Be the one active enrolment of this contact in a journey or an exclusive group, and note since when."""
        return {
            "Update": update(
                table_name=self.table_name,
                pk=table.contact_pk(enrolment.contact_id),
                sk=sk,
                set_={
                    "active": True,
                    "enrolment_id": enrolment.enrolment_id,
                    "enrolled_at": format_instant(enrolment.enrolled_at),
                    **(more or {}),
                },
                remove=["expires_at"],
                condition=condition,
                values=values,
            )
        }

    def _check(self, owner: str, sk: str, condition: str, values: Mapping[str, Any]) -> TransactPart:
        """Nothing that is held under another id of the contact is in the way."""
        return {
            "ConditionCheck": {
                "TableName": self.table_name,
                "Key": table.key(table.contact_pk(owner), sk),
                "ConditionExpression": condition,
                "ExpressionAttributeNames": {
                    f"#{name}": name for name in ("active", "enrolled_at") if f"#{name}" in condition
                },
                "ExpressionAttributeValues": table.dump_item({f":{name}": value for name, value in values.items()}),
            }
        }

    def _count_audience(self, enrolment: Enrolment, limit: int) -> TransactPart:
        """One more contact in a limited audience (a trial): the only counter, and only while there is a limit."""
        return {
            "Update": {
                "TableName": self.table_name,
                "Key": table.key(f"journey#{enrolment.journey}", f"audience#{enrolment.version}"),
                "UpdateExpression": "ADD enrolled :one",
                "ConditionExpression": "attribute_not_exists(enrolled) OR enrolled < :limit",
                "ExpressionAttributeValues": table.dump_item({":one": 1, ":limit": limit}),
            }
        }


@dataclass(frozen=True, slots=True)
class _Taken:
    """A place in a journey that was taken: ``place`` is its key, ``before`` the item as it was, None where there was none."""

    is_ours: bool = True
    place: Mapping[str, Any] | None = None
    before: Mapping[str, Any] | None = None


def _journey_is_free(terms: EntryTerms) -> tuple[str, dict[str, Any]]:
    """No enrolment of the journey is active, and with ``re_entry: {after: …}`` the last one is long enough ago."""
    if terms.not_since is None:
        return IS_FREE, {"no": False}
    condition = "attribute_not_exists(#active) OR (#active = :no AND #enrolled_at <= :not_since)"
    return condition, {"no": False, "not_since": format_instant(terms.not_since)}


def _unchanged(enrolment: Enrolment) -> dict[str, Any]:
    """The condition that the row is unchanged since it was read."""
    return {
        "ConditionExpression": "#revision = :revision",
        "ExpressionAttributeNames": {"#revision": "revision"},
        "ExpressionAttributeValues": table.dump_item({":revision": enrolment.revision}),
    }


def _notes_pk(shard: int) -> str:
    return f"due#{KIND}#{shard}"


def _note_key(noted: DueEnrolment) -> dict[str, Any]:
    """Where it is noted that an enrolment is due: in its shard, by time."""
    pk = _notes_pk(ids.shard_of(noted.contact_id, SHARDS))
    return table.key(pk, f"{format_instant(noted.due_at)}#{noted.contact_id}#{noted.enrolment_id}")
