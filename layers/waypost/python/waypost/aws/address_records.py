"""The records of addresses in DynamoDB: one item each, under the address's digest."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from botocore.exceptions import ClientError

from waypost.aws import table
from waypost.aws.translation import translates_errors
from waypost.clock import format_instant, parse_instant
from waypost.contacts.address_record import AddressRecord, Right
from waypost.contacts.channels import Address
from waypost.errors import ConcurrentUpdate

_SK: Final = "record"
_LEFT, _UNTIL, _TAKEN, _OPENED, _GRANTED = "left/", "until/", "taken/", "opened/", "granted/"
"""Prefixes of a right's attributes: each is one of its own, so that a write needs no read before it."""
OPENING_ATTEMPTS: Final = 5
MOST_NOTED: Final = 100
"""Grants and counted messages whose keys an item keeps; older ones are repeated by nothing any more."""
_WITHDRAWN: Final = "withdrawn/"
"""The prefix of the attribute that holds when a topic was withdrawn: one each, so that no write reads before."""


@translates_errors
@dataclass(frozen=True, slots=True)
class DynamoAddressRecords:
    """AddressRecords on the contacts table."""

    client: Any
    table_name: str

    def of(self, addresses: Collection[Address]) -> dict[str, AddressRecord]:
        """See AddressRecords. One BatchGetItem, a read unit for each address."""
        if not addresses:
            return {}
        keys = {(_pk(address.digest), _SK): address.digest for address in addresses}
        items = table.batch_get(self.client, self.table_name, keys)
        return {keys[item["pk"], _SK]: _record(item) for item in items}

    def suppress(self, digest: str, *, channel: str, reason: str, at: datetime) -> None:
        """See AddressRecords. One write."""
        self._write(digest, "suppressed_at", at, {"channel": channel, "suppression": reason})

    def withdraw(self, digest: str, *, channel: str, topic: str, at: datetime) -> None:
        """See AddressRecords. One write."""
        self._write(digest, f"{_WITHDRAWN}{topic}", at, {"channel": channel})

    def lift(self, digest: str, *, channel: str, at: datetime, by: str, reason: str) -> None:
        """See AddressRecords. One write; the record keeps the latest lift, the timeline every one."""
        self._write(digest, "lifted_at", at, {"channel": channel, "lifted_by": by, "lifted_for": reason})

    def grant_right(self, digest: str, name: str, *, event_id: str, at: datetime) -> None:
        """See AddressRecords. One write; another one for every hundredth."""
        noted = f"{_GRANTED}{event_id}"
        stored = self._changed(
            digest,
            "SET #noted = :at ADD #left :one",
            "attribute_not_exists(#noted)",
            {"#noted": noted, "#left": f"{_LEFT}{name}"},
            {":at": format_instant(at), ":one": 1},
        )
        if stored is not None:
            self._forget(digest, stored)

    def open_right(self, digest: str, name: str, *, messages: int, at: datetime, until: datetime) -> None:
        """See AddressRecords. A read and a write, because the act may be known late: what went out since then is counted.

        The write holds only if nothing went out in between. Raises ConcurrentUpdate.
        """
        at_text = format_instant(at)
        for _ in range(OPENING_ATTEMPTS):
            known = next(iter(table.batch_get(self.client, self.table_name, [(_pk(digest), _SK)])), {})
            if known.get(f"{_OPENED}{name}", "") >= at_text:
                return
            ending = sorted({each.removeprefix(_UNTIL) for each in known if each.startswith(_UNTIL)} | {name})
            conditions = ["(attribute_not_exists(#opened) OR #opened < :at)"]
            names = {"#left": f"{_LEFT}{name}", "#until": f"{_UNTIL}{name}", "#opened": f"{_OPENED}{name}"}
            values = {
                ":left": max(messages - _taken_since(known, ending, at_text), 0),
                ":until": format_instant(until),
                ":at": at_text,
            }
            for number, each in enumerate(ending):
                names[f"#left{number}"] = f"{_LEFT}{each}"
                if f"{_LEFT}{each}" in known:
                    conditions.append(f"#left{number} = :left{number}")
                    values[f":left{number}"] = known[f"{_LEFT}{each}"]
                else:
                    conditions.append(f"attribute_not_exists(#left{number})")
            change = "SET #left = :left, #until = :until, #opened = :at"
            if self._changed(digest, change, " AND ".join(conditions), names, values) is not None:
                return
        raise ConcurrentUpdate(f"messages went out under {name} during {OPENING_ATTEMPTS} attempts to open it")

    def take_right(self, digest: str, name: str, message_key: str, *, now: datetime) -> bool:
        """See AddressRecords. One conditional write, so that many callers at once count no more than there is."""
        taken = f"{_TAKEN}{name}/{message_key}"
        stored = self._changed(
            digest,
            "SET #left = #left - :one, #taken = :now",
            "#left >= :one AND attribute_not_exists(#taken) AND (attribute_not_exists(#until) OR #until > :now)",
            {"#left": f"{_LEFT}{name}", "#until": f"{_UNTIL}{name}", "#taken": taken},
            {":one": 1, ":now": format_instant(now)},
        )
        if stored is not None:
            self._forget(digest, stored)
            return True
        known = table.batch_get(self.client, self.table_name, [(_pk(digest), _SK)])
        return any(taken in item for item in known)

    def give_back_right(self, digest: str, name: str, message_key: str) -> None:
        """See AddressRecords. One write."""
        self._changed(
            digest,
            "SET #left = #left + :one REMOVE #taken",
            "attribute_exists(#taken)",
            {"#left": f"{_LEFT}{name}", "#taken": f"{_TAKEN}{name}/{message_key}"},
            {":one": 1},
        )

    def end_right(self, digest: str, name: str) -> None:
        """See AddressRecords. One write."""
        self._changed(digest, "SET #left = :none", "attribute_exists(#left)", {"#left": f"{_LEFT}{name}"}, {":none": 0})

    def _changed(
        self, digest: str, change: str, condition: str, names: Mapping[str, str], values: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """The item after a change, or None when the condition did not hold."""
        try:
            answer = self.client.update_item(
                TableName=self.table_name,
                Key=table.key(_pk(digest), _SK),
                UpdateExpression=change,
                ConditionExpression=condition,
                ExpressionAttributeNames=dict(names),
                ExpressionAttributeValues=table.dump_item(values),
                ReturnValues="ALL_NEW",
            )
        except ClientError as error:
            if table.error_code(error) != table.CONDITION_FAILED:
                raise
            return None
        return table.load_item(answer["Attributes"])

    def _forget(self, digest: str, item: Mapping[str, Any]) -> None:
        """Keep the newest notes alone, once there are twice as many as are needed."""
        for prefix in (_GRANTED, _TAKEN):
            notes = sorted((at, name) for name, at in item.items() if name.startswith(prefix))
            if len(notes) >= 2 * MOST_NOTED:
                old = {f"#n{number}": name for number, (_, name) in enumerate(notes[:-MOST_NOTED])}
                self.client.update_item(
                    TableName=self.table_name,
                    Key=table.key(_pk(digest), _SK),
                    UpdateExpression=f"REMOVE {', '.join(old)}",
                    ExpressionAttributeNames=old,
                )

    def _write(self, digest: str, stamp: str, at: datetime, beside: Mapping[str, str]) -> None:
        """Set what is reported ``at`` an instant, unless a later report is stored."""
        names = ["stamp", *beside]
        try:
            self.client.update_item(
                TableName=self.table_name,
                Key=table.key(_pk(digest), _SK),
                UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in names),
                ConditionExpression="attribute_not_exists(#stamp) OR #stamp < :stamp",
                ExpressionAttributeNames={"#stamp": stamp} | {f"#{name}": name for name in beside},
                ExpressionAttributeValues=table.dump_item(
                    {":stamp": format_instant(at)} | {f":{name}": value for name, value in beside.items()}
                ),
            )
        except ClientError as error:
            if table.error_code(error) != table.CONDITION_FAILED:
                raise


def _taken_since(item: Mapping[str, Any], names: Collection[str], at: str) -> int:
    """How many messages were counted under these rights since an instant."""
    notes = tuple(f"{_TAKEN}{name}/" for name in names)
    return sum(taken_at >= at for name, taken_at in item.items() if name.startswith(notes))


def _pk(digest: str) -> str:
    return f"address#{digest}"


def _record(item: Mapping[str, Any]) -> AddressRecord:
    def instant(name: str) -> datetime | None:
        return parse_instant(item[name]) if name in item else None

    return AddressRecord(
        suppression=item.get("suppression", ""),
        suppressed_at=instant("suppressed_at"),
        lifted_at=instant("lifted_at"),
        withdrawn={
            name.removeprefix(_WITHDRAWN): parse_instant(at) for name, at in item.items() if name.startswith(_WITHDRAWN)
        },
        rights={
            name.removeprefix(_LEFT): _right(item, name.removeprefix(_LEFT)) for name in item if name.startswith(_LEFT)
        },
    )


def _right(item: Mapping[str, Any], name: str) -> Right:
    until, taken = item.get(f"{_UNTIL}{name}"), f"{_TAKEN}{name}/"
    return Right(
        left=item[f"{_LEFT}{name}"],
        until=parse_instant(until) if until else None,
        taken={each.removeprefix(taken): parse_instant(at) for each, at in item.items() if each.startswith(taken)},
    )
