"""Parked journeys in DynamoDB: one item per visit to a Pause, in the contact's partition."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from waypost.aws import sweeper_index as due
from waypost.aws import table
from waypost.aws.translation import translates_errors
from waypost.aws.updates import update
from waypost.clock import format_instant
from waypost.journeys.pause import Pause, PauseEnd

KEPT: Final = timedelta(days=400)
"""How long an ended pause stays for the timeline: longer than any execution may run (one year)."""


@translates_errors
@dataclass(frozen=True, slots=True)
class DynamoPauses:
    """A PauseStore on the contacts table."""

    client: Any
    table_name: str

    def park(self, pause: Pause) -> Pause:
        """See PauseStore."""
        fields = pause.to_dict()
        first = {name: fields.pop(name) for name in ("due_at", "parked_at")}
        index = due.owed("pause", pause.contact_id, pause.due_at)
        first["due_at"] = index["due_at"]
        stored = self._updated(
            pause,
            set_=fields | {"due_shard": index["due_shard"]},
            set_once=first,
            condition="attribute_not_exists(#status) OR (#status = :waiting AND #signalled = :no)",
            values={"waiting": "waiting", "no": False},
        )
        # An ended pause keeps its own token; parking again answers with the token that waits now.
        return stored if stored.status == "waiting" else _with_token(stored, pause.token)

    def load(self, contact_id: str, enrolment_id: str, pause_id: str) -> Pause | None:
        """See PauseStore."""
        answer = self.client.get_item(
            TableName=self.table_name,
            Key=table.key(table.contact_pk(contact_id), _sk(enrolment_id, pause_id)),
            ConsistentRead=True,
        )
        return Pause.from_dict(table.load_item(answer["Item"])) if "Item" in answer else None

    def of_enrolment(self, contact_id: str, enrolment_id: str) -> list[Pause]:
        """See PauseStore."""
        items = table.query(self.client, self.table_name, pk=table.contact_pk(contact_id), prefix=_sk(enrolment_id, ""))
        return [Pause.from_dict(item) for item in items]

    def settle(self, pause: Pause, *, end: PauseEnd, outcome: Mapping[str, Any], at: datetime) -> Pause:
        """See PauseStore."""
        return self._updated(
            pause,
            set_={
                "status": end,
                "outcome": dict(outcome),
                "ended_at": format_instant(at),
                "expires_at": int((at + KEPT).timestamp()),
            },
            condition="#status = :waiting",
            values={"waiting": "waiting"},
        )

    def postpone(self, pause: Pause, due_at: datetime) -> bool:
        """See PauseStore."""
        return table.written(
            self.client,
            self._update(
                pause,
                set_=due.owed("pause", pause.contact_id, due_at),
                condition="#status = :waiting",
                values={"waiting": "waiting"},
            ),
        )

    def mark_signalled(self, pause: Pause) -> None:
        """See PauseStore."""
        table.written(self.client, self._update(pause, set_={"signalled": True}, remove=["due_shard"]))

    def overdue(self, before: datetime) -> Iterator[Mapping[str, str]]:
        """See PauseStore."""
        for pk, sk in due.overdue(self.client, self.table_name, "pause", before):
            _, enrolment_id, pause_id = sk.split("#")
            yield {"contact_id": pk.removeprefix("contact#"), "enrolment_id": enrolment_id, "pause_id": pause_id}

    def _updated(self, pause: Pause, **options: Any) -> Pause:
        stored = table.updated(self.client, self._update(pause, **options))
        if stored is None:
            raise LookupError(f"pause {pause.pause_id} vanished while it was written")
        return Pause.from_dict(stored)

    def _update(self, pause: Pause, **options: Any) -> dict[str, Any]:
        return update(
            table_name=self.table_name,
            pk=table.contact_pk(pause.contact_id),
            sk=_sk(pause.enrolment_id, pause.pause_id),
            **options,
        )


def _sk(enrolment_id: str, pause_id: str) -> str:
    return f"pause#{enrolment_id}#{pause_id}"


def _with_token(pause: Pause, token: str) -> Pause:
    return Pause.from_dict(pause.to_dict() | {"token": token})
