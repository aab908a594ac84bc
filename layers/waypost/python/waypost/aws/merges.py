"""The writes of a merge of two contacts and of undoing one, as parts of one transaction. Used by the contact store.

Recent marketing messages (``touches``) move with the contact: the survivor's count both, and the version of each
contact's goes up, so that a message being claimed at this very moment is judged again, on the profile as it is now.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from waypost.aws import table
from waypost.contacts.identity.merge import Merge
from waypost.contacts.profile import Contact
from waypost.item_size import LARGEST_ITEM, stored_size
from waypost.sending.ledger import Touches

RECORDS_KEPT: Final = timedelta(days=760)
"""How long a merge can be undone: as long as most events are kept."""

RECORDS: Final = "merge#"
"""The prefix of the sort keys of merges."""

_PART: Final = "#"
_PROFILES: Final = ("absorbed", "survivor", "result")
_KEYS: Final = 200
"""Bytes of the keys of a record's item, at most."""

LIVING: Final = "living"
"""The attribute of profiles that bulk runs see: of contacts neither erased nor merged into another one, nor there for tests."""

Put = dict[str, Any]
TouchesById = Mapping[str, Touches]


def put_profile(table_name: str, contact: Contact) -> Put:
    """Write a profile over the version that was read (0: there is none yet); a field that is empty stays away.

    Every such field is empty by default; their names are a tenth of a usual profile, which so fits one write unit. A type of event
    that was seen on one day names it once (``Contact.from_dict``).
    """
    form = contact.to_dict()
    form["seen"] = {kind: days[:1] if days[0] == days[-1] else days for kind, days in form["seen"].items()}
    for consent in form["consents"].values():
        if not consent["overruled"]:
            del consent["overruled"]
    written = {name: value for name, value in form.items() if value} | {"version": contact.version + 1}
    if not (contact.erased or contact.merged_into or contact.test):
        written[LIVING] = True
    put: Put = {"TableName": table.profiles_table(table_name), "Item": table.dump_item(written)}
    if contact.version == 0:
        return put | {"ConditionExpression": "attribute_not_exists(contact_id)"}
    return put | {
        "ConditionExpression": "version = :read",
        "ExpressionAttributeValues": {":read": table.dump(contact.version)},
    }


def read_touches(client: Any, table_name: str, merge: Merge) -> TouchesById:
    """The recent messages of both contacts, by contact id."""
    both = {table.contact_pk(each.contact_id): each.contact_id for each in (merge.survivor, merge.absorbed)}
    found = {
        both[item["pk"]]: Touches.from_dict(item)
        for item in table.batch_get(client, table_name, [(pk, "touches") for pk in both])
    }
    return {contact_id: found.get(contact_id, Touches()) for contact_id in both.values()}


def merging_puts(table_name: str, merge: Merge, touches: TouchesById) -> list[Put]:
    """Everything that a merge writes."""
    survivor, absorbed = (touches[each.contact_id] for each in (merge.survivor, merge.absorbed))
    puts = [
        put_profile(table_name, merge.result),
        put_profile(table_name, merge.tombstone),
        *put_record(table_name, merge),
        put_touches(table_name, merge.absorbed.contact_id, absorbed),
    ]
    if absorbed.recent:
        puts.append(put_touches(table_name, merge.survivor.contact_id, survivor.together_with(absorbed)))
    return puts


def unmerging_puts(
    table_name: str,
    merge: Merge,
    survivor: Contact,
    absorbed: Contact,
    rewritten: Sequence[Merge],
    touches: TouchesById,
) -> list[Put]:
    """Everything that undoing a merge writes; what either got meanwhile counts for both until it is old."""
    both = touches[survivor.contact_id]
    ours = replace(touches[absorbed.contact_id], recent=both.recent)
    return [
        put_profile(table_name, survivor),
        put_profile(table_name, absorbed),
        *(put for each in (merge, *rewritten) for put in put_record(table_name, each)),
        put_touches(table_name, survivor.contact_id, both),
        put_touches(table_name, absorbed.contact_id, ours),
    ]


def put_record(table_name: str, merge: Merge) -> list[Put]:
    """The record of a merge, in the survivor's partition; the profiles' versions guard it.

    One item, or four when the profiles do not fit one: each profile is then an item beside it.
    """
    pk, sk = table.contact_pk(merge.survivor.contact_id), f"{RECORDS}{merge.merge_id}"
    kept = {"expires_at": int((merge.at + RECORDS_KEPT).timestamp())}
    record = merge.to_dict() | kept
    parts: dict[str, Any] = {}
    if stored_size(record) > LARGEST_ITEM - _KEYS:
        parts = {f"{sk}{_PART}{name}": {"profile": record.pop(name)} | kept for name in _PROFILES}
    return [
        {"TableName": table_name, "Item": table.key(pk, each) | table.dump_item(item)}
        for each, item in {sk: record, **parts}.items()
    ]


def records(items: Iterable[Mapping[str, Any]]) -> list[Merge]:
    """The merges of a partition's items whose sort keys start with ``RECORDS``."""
    by_sk = {item["sk"]: item for item in items}
    return [
        Merge.from_dict(
            {**item, **{name: by_sk[f"{sk}{_PART}{name}"]["profile"] for name in _PROFILES if name not in item}}
        )
        for sk, item in by_sk.items()
        if _PART not in sk.removeprefix(RECORDS)
    ]


def put_touches(table_name: str, contact_id: str, touches: Touches) -> Put:
    """Recent messages over the version that was read; the stored version becomes one more."""
    return {
        "TableName": table_name,
        "Item": table.key(table.contact_pk(contact_id), "touches")
        | table.dump_item(touches.to_dict() | {"version": touches.version + 1}),
        "ConditionExpression": "attribute_not_exists(pk) OR version = :read",
        "ExpressionAttributeValues": {":read": table.dump(touches.version)},
    }
