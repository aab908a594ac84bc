"""Enrolments in DynamoDB: one item each, and the items that hold re-entry, exclusive groups and audience limits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from botocore.exceptions import ClientError

from waypost.aws import table
from waypost.aws.translation import translates_errors
from waypost.aws.updates import update
from waypost.clock import format_instant
from waypost.journeys.enrolment import Enrolment, EnrolmentOutcome, LeavingOutcome, TriggerEvent
from waypost.journeys.ports import EntryTerms, Refusal

TransactPart = dict[str, Any]

IS_FREE: Final = "attribute_not_exists(#active) OR #active = :no"
UNFINISHED: Final = {":active": "active", ":leaving": "leaving"}


@translates_errors
@dataclass(frozen=True, slots=True)
class DynamoEnrolments:
    """An EnrolmentStore on the contacts table."""

    client: Any
    table_name: str

    def open(self, enrolment: Enrolment, terms: EntryTerms) -> Refusal | None:
        """See EnrolmentStore. The parts of the transaction stand in the order of their reasons."""
        parts: list[tuple[Refusal, TransactPart]] = [("enrolled_before", self._put_enrolment(enrolment))]
        if terms.one_at_a_time:
            condition, values = _journey_is_free(terms)
            sk = f"reentry#{enrolment.journey}"
            parts.append(("already_in_journey", self._hold(enrolment, sk, condition, values)))
            parts += [("already_in_journey", self._check(owner, sk, condition, values)) for owner in terms.also_under]
        if terms.exclusive_group:
            sk = f"group#{terms.exclusive_group}"
            parts.append(("exclusive_group_taken", self._hold(enrolment, sk, IS_FREE, {"no": False})))
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
            return self._refusal(enrolment, refusals, terms.also_under)
        return None

    def _refusal(self, enrolment: Enrolment, refusals: list[Refusal], also_under: Sequence[str]) -> Refusal | None:
        """The first reason; none when it is our own write, repeated after its answer got lost, that was in the way."""
        if refusals[0] == "enrolled_before":
            known = self.load(enrolment.contact_id, enrolment.enrolment_id)
            if known is not None and known.trigger.id == enrolment.trigger.id:
                return None
        if refusals[0] == "already_in_journey" and not self._is_active(enrolment, also_under):
            return "enrolled_before"
        return refusals[0]

    def _is_active(self, enrolment: Enrolment, also_under: Sequence[str]) -> bool:
        """Whether the contact is in the journey now, under any of its ids."""
        return any(
            other.journey == enrolment.journey
            for owner in (enrolment.contact_id, *also_under)
            for other in self.unfinished(owner)
        )

    def load(self, contact_id: str, enrolment_id: str) -> Enrolment | None:
        """See EnrolmentStore."""
        answer = self.client.get_item(
            TableName=self.table_name,
            Key=table.key(table.contact_pk(contact_id), _sk(enrolment_id)),
            ConsistentRead=True,
        )
        return Enrolment.from_dict(table.load_item(answer["Item"])) if "Item" in answer else None

    def unfinished(self, contact_id: str) -> list[Enrolment]:
        """See EnrolmentStore."""
        items = table.query(
            self.client,
            self.table_name,
            pk=table.contact_pk(contact_id),
            prefix="enrolment#",
            names={"#status": "status"},
            values=UNFINISHED,
            FilterExpression="#status IN (:active, :leaving)",
        )
        return [Enrolment.from_dict(item) for item in items]

    def of_contact(self, contact_id: str) -> list[Enrolment]:
        """See EnrolmentStore."""
        items = table.query(self.client, self.table_name, pk=table.contact_pk(contact_id), prefix="enrolment#")
        return [Enrolment.from_dict(item) for item in items]

    def leave(
        self, enrolment: Enrolment, *, outcome: LeavingOutcome, event: TriggerEvent, at: datetime
    ) -> Enrolment | None:
        """See EnrolmentStore."""
        table.written(
            self.client,
            self._update(
                enrolment.contact_id,
                enrolment.enrolment_id,
                set_={
                    "status": "leaving",
                    "outcome": outcome,
                    "left_on": event.to_dict(),
                    "left_at": format_instant(at),
                },
                condition="#status = :active",
                values={"active": "active"},
            ),
        )
        now = self.load(enrolment.contact_id, enrolment.enrolment_id)
        return None if now is None or now.status == "ended" else now

    def hold_until(self, contact_id: str, enrolment_id: str, instant: datetime) -> None:
        """See EnrolmentStore."""
        table.written(
            self.client,
            self._update(
                contact_id,
                enrolment_id,
                set_={"anchor_at": format_instant(instant)},
                condition="attribute_type(#anchor_at, :null) OR #anchor_at < :set_anchor_at",
                values={"null": "NULL"},
            ),
        )

    def end(self, enrolment: Enrolment, *, outcome: EnrolmentOutcome, at: datetime) -> bool:
        """See EnrolmentStore. What it held is freed first: once it has ended, no later call would do so."""
        pk = table.contact_pk(enrolment.contact_id)
        table.written(
            self.client,
            update(
                table_name=self.table_name,
                pk=pk,
                sk=f"reentry#{enrolment.journey}",
                set_={"active": False},
                condition="#enrolment_id = :mine",
                values={"mine": enrolment.enrolment_id},
            ),
        )
        if enrolment.exclusive_group:
            table.written(
                self.client,
                update(
                    table_name=self.table_name,
                    pk=pk,
                    sk=f"group#{enrolment.exclusive_group}",
                    set_={"active": False},
                    condition="#enrolment_id = :mine",
                    values={"mine": enrolment.enrolment_id},
                ),
            )
        return table.written(
            self.client,
            self._update(
                enrolment.contact_id,
                enrolment.enrolment_id,
                set_={"status": "ended", "outcome": outcome, "ended_at": format_instant(at)},
                condition="#status IN (:active, :leaving)",
                values={"active": "active", "leaving": "leaving"},
            ),
        )

    def _put_enrolment(self, enrolment: Enrolment) -> TransactPart:
        pk = table.contact_pk(enrolment.contact_id)
        return {
            "Put": {
                "TableName": self.table_name,
                "Item": table.key(pk, _sk(enrolment.enrolment_id)) | table.dump_item(enrolment.to_dict()),
                "ConditionExpression": "attribute_not_exists(pk)",
            }
        }

    def _hold(self, enrolment: Enrolment, sk: str, condition: str, values: Mapping[str, Any]) -> TransactPart:
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
                },
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

    def _update(self, contact_id: str, enrolment_id: str, **options: Any) -> dict[str, Any]:
        return update(table_name=self.table_name, pk=table.contact_pk(contact_id), sk=_sk(enrolment_id), **options)


def _journey_is_free(terms: EntryTerms) -> tuple[str, dict[str, Any]]:
    """No enrolment of the journey is active, and with ``re_entry: {after: …}`` the last one is long enough ago."""
    if terms.not_since is None:
        return IS_FREE, {"no": False}
    condition = "attribute_not_exists(#active) OR (#active = :no AND #enrolled_at <= :not_since)"
    return condition, {"no": False, "not_since": format_instant(terms.not_since)}


def _sk(enrolment_id: str) -> str:
    return f"enrolment#{enrolment_id}"
