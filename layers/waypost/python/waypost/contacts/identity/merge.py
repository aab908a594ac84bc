"""What a merge of two contacts is: whether they may be one, who survives, and the profile that comes out of it.

Pure rules; the router applies them to the contacts an event names, ``merger`` to those somebody names by hand.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, Literal

from waypost import ids
from waypost.codec import JsonForm
from waypost.contacts import push_tokens
from waypost.contacts.identity.rules import IdentityRules, Winner
from waypost.contacts.profile import LARGEST_PROFILE, Consent, Contact, announcement
from waypost.events.envelope import IDENTITY_KINDS

MOST_ABSORBED: Final = 45
"""Contacts merged into one. Whatever was stored under each of them stays there and is looked at with every event; an entry
into a journey checks two items of each in one transaction, which holds a hundred."""

LARGEST_RECORD: Final = 360_000
"""Bytes of the two profiles before and the one after; DynamoDB's items end at 400 KB."""

Ground = Literal["event", "alias", "hand"]
"""Why two contacts are merged: an event named both, Segment's ``alias`` did, or somebody asked for it."""

Objection = Literal["same_contact", "erased", "kept_apart", "different_people", "too_many_merged", "too_large"]

MOST_NAMED: Final = 200
"""Attributes, tags and groups that an event about a merge names; the record has all of them."""

STAMPS: Final = ("tag:", "group:", "segment:", "lifecycle:")
"""How names in ``attributes_at`` begin that are no attributes."""

_NEVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Merge(JsonForm):
    """One merge as recorded: both profiles before, the one after, when and why; ``undone_at`` when it was undone.

    ``absorbed`` is the contact that became part of ``survivor``. ``cause`` is the event's id, or what somebody gave as
    the reason; ``undone_cause`` the reason for undoing it. ``undone_by`` is the id of the request that did.
    """

    merge_id: str
    absorbed: Contact
    survivor: Contact
    result: Contact
    at: datetime
    ground: Ground
    cause: str = ""
    undone_at: datetime | None = None
    undone_by: str = ""
    undone_cause: str = ""

    @property
    def tombstone(self) -> Contact:
        """What stays of the absorbed contact: where it went."""
        gone = self.absorbed
        return Contact(
            contact_id=gone.contact_id,
            created_at=gone.created_at,
            merged_into=self.survivor.contact_id,
            version=gone.version,
        )


def objection(one: Contact, other: Contact, *, rules: IdentityRules, ground: Ground) -> Objection | None:
    """Why the two must not become one; None when they may. Whether an event proves it is for ``identity`` to say.

    Only somebody's hand may join what somebody's hand has parted, and only ``alias`` two values of a distinct kind.
    """
    if one.contact_id == other.contact_id:
        return "same_contact"
    if one.erased or other.erased:
        return "erased"
    if ground != "hand" and is_kept_apart(one, other):
        return "kept_apart"
    despite = rules.alias_across if ground == "alias" else ()
    if rules.clash(one.identities, other.identities, despite=despite):
        return "different_people"
    if len(one.partitions) + len(other.partitions) - 1 > MOST_ABSORBED:
        return "too_many_merged"
    return None


def is_kept_apart(one: Contact, other: Contact) -> bool:
    """Whether a merge of the two, or of contacts that are part of them now, was undone; one of them knowing it is enough."""
    ours, theirs = set(one.partitions), set(other.partitions)
    pairs = one.kept_apart | other.kept_apart
    return any(not ours.isdisjoint(pair) and not theirs.isdisjoint(pair) for pair in pairs)


def in_order(one: Contact, other: Contact) -> tuple[Contact, Contact]:
    """The survivor and the contact it absorbs: the strongest identity survives, then the older contact.

    The same two give the same survivor, whoever decides and in whatever order they were named.
    """
    survivor, absorbed = sorted((one, other), key=_seniority)
    return survivor, absorbed


def merge_of(
    one: Contact, other: Contact, *, rules: IdentityRules, at: datetime, ground: Ground, cause: str = ""
) -> Merge | None:
    """The merge of the two, ready to be stored; None when its record would be too large to keep (``too_large``)."""
    survivor, absorbed = in_order(one, other)
    merge_id = "g-" + ids.digest("merge", absorbed.contact_id, survivor.contact_id, str(absorbed.version))
    result = replace(
        merged(survivor, absorbed, rules=rules),
        unannounced=(*survivor.unannounced, *absorbed.unannounced, announcement(merge_id, undone=False)),
    )
    merge = Merge(merge_id, absorbed, survivor, result, at, ground, cause)
    attributes = json.dumps(result.attributes, ensure_ascii=False).encode()
    record = json.dumps(merge.to_dict(), ensure_ascii=False).encode()
    return merge if len(record) <= LARGEST_RECORD and len(attributes) <= LARGEST_PROFILE else None


def merged(survivor: Contact, absorbed: Contact, *, rules: IdentityRules) -> Contact:
    """The one profile. Its version is the survivor's.

    Identities, tags, groups, devices and suppressions of both; what one of them was taken out of last stays out. Points
    add up. The newest answer about consent holds, and of two at the same moment the withdrawal.
    """
    attributes, stamps = _attributes(survivor, absorbed, rules=rules)
    tags, groups = _names("tag", survivor, absorbed), _names("group", survivor, absorbed)
    for name in survivor.attributes_at.keys() | absorbed.attributes_at.keys():
        if name.startswith(STAMPS):
            stamps[name] = max(_stamp(survivor, name), _stamp(absorbed, name))
    return replace(
        survivor,
        created_at=min(survivor.created_at, absorbed.created_at),
        attributes=attributes,
        attributes_at=stamps,
        identities=_identities(survivor, absorbed),
        tags=tags,
        groups=groups,
        consents=joined_consents(survivor.consents, absorbed.consents),
        suppressions={**absorbed.suppressions, **survivor.suppressions},
        lifecycle=_lifecycle(survivor, absorbed),
        points=survivor.points + absorbed.points,
        metrics={**absorbed.metrics, **survivor.metrics},
        segments=_segments(survivor, absorbed),
        tag_expiries=_tag_expiries(survivor, absorbed, tags),
        seen=_seen(survivor, absorbed),
        absorbed=(*survivor.absorbed, absorbed.contact_id, *absorbed.absorbed),
        kept_apart=survivor.kept_apart | absorbed.kept_apart,
        kept="",
    )


def joined_consents(one: Mapping[str, Consent], other: Mapping[str, Consent]) -> dict[str, Consent]:
    """The newest answer to each question; of two at the same moment the withdrawal."""
    joined = dict(other)
    for key, answer in one.items():
        known = joined.get(key, answer)
        joined[key] = max(known, answer, key=lambda each: (each.at, not each.granted))
    return joined


def summary(contact: Contact) -> dict[str, Any]:
    """A profile in an event: names and counts, no address and no value; the record of the merge has everything."""
    return {
        "contact_id": contact.contact_id,
        "identities": {kind: len(values) for kind, values in contact.identities.items() if values},
        "attributes": sorted(contact.attributes)[:MOST_NAMED],
        "tags": sorted(contact.tags)[:MOST_NAMED],
        "groups": sorted(contact.groups)[:MOST_NAMED],
        "consents": {key: "granted" if answer.granted else "withdrawn" for key, answer in contact.consents.items()},
        "suppressions": dict(contact.suppressions),
        "lifecycle": contact.lifecycle,
        "points": contact.points,
    }


def _seniority(contact: Contact) -> tuple[int, datetime, str]:
    kinds = (place for place, kind in enumerate(IDENTITY_KINDS) if contact.identities.get(kind))
    return next(kinds, len(IDENTITY_KINDS)), contact.created_at, contact.contact_id


def _attributes(
    survivor: Contact, absorbed: Contact, *, rules: IdentityRules
) -> tuple[dict[str, Any], dict[str, datetime]]:
    """The values that stay and when each was set; an attribute that was taken away counts by the time of that."""
    values: dict[str, Any] = {}
    stamps: dict[str, datetime] = {}
    known = [survivor.attributes, absorbed.attributes, survivor.attributes_at, absorbed.attributes_at]
    for name in dict.fromkeys(name for names in known for name in names if not name.startswith(STAMPS)):
        if name == push_tokens.ATTRIBUTE:
            source = max(survivor, absorbed, key=lambda each: _stamp(each, push_tokens.ATTRIBUTE))
            devices = _devices(survivor, absorbed)
            if devices:
                values[name] = devices
        else:
            source = _chosen(name, survivor, absorbed, rules.winner(name))
            if name in source.attributes:
                values[name] = source.attributes[name]
        if name in source.attributes_at:
            stamps[name] = source.attributes_at[name]
    return values, stamps


def _chosen(name: str, survivor: Contact, absorbed: Contact, winner: Winner) -> Contact:
    """Whose value of the attribute stays; a value without a time is older than any other."""
    has = [each for each in (survivor, absorbed) if name in each.attributes]
    match winner:
        case "newest":
            return absorbed if _age(absorbed, name) > _age(survivor, name) else survivor
        case "oldest" if has:
            return min(has, key=lambda each: _stamp(each, name))
        case _:
            return has[0] if has else survivor


def _age(contact: Contact, name: str) -> tuple[datetime, bool]:
    """By what the newest is found: of two without a time, the one that has a value."""
    return _stamp(contact, name), name in contact.attributes


def _stamp(contact: Contact, name: str) -> datetime:
    return contact.attributes_at.get(name, _NEVER)


def _devices(survivor: Contact, absorbed: Contact) -> list[dict[str, str]]:
    """The devices of both, those of who was heard of last at the end; none older than the last time they were forgotten."""
    older, newer = sorted((absorbed, survivor), key=lambda each: _stamp(each, push_tokens.ATTRIBUTE))
    was_forgotten = push_tokens.ATTRIBUTE in newer.attributes_at and push_tokens.ATTRIBUTE not in newer.attributes
    known = () if was_forgotten else older.attributes.get(push_tokens.ATTRIBUTE, ())
    return push_tokens.joined(known, newer.attributes.get(push_tokens.ATTRIBUTE, ()))


def _identities(survivor: Contact, absorbed: Contact) -> dict[str, list[str]]:
    """All of both, the survivor's first."""
    kinds = [kind for kind in IDENTITY_KINDS if survivor.identities.get(kind) or absorbed.identities.get(kind)]
    return {
        kind: list(dict.fromkeys([*survivor.identities.get(kind, ()), *absorbed.identities.get(kind, ())]))
        for kind in kinds
    }


def _names(prefix: Literal["tag", "group"], survivor: Contact, absorbed: Contact) -> frozenset[str]:
    """The tags (groups) of both, but for those that one was given before the other lost them."""

    def of(contact: Contact) -> frozenset[str]:
        return contact.tags if prefix == "tag" else contact.groups

    def stays(name: str) -> bool:
        one, other = (_stamp(each, f"{prefix}:{name}") for each in (survivor, absorbed))
        if one == other:
            return True
        return name in of(survivor if one > other else absorbed)

    return frozenset(name for name in of(survivor) | of(absorbed) if stays(name))


def _segments(survivor: Contact, absorbed: Contact) -> dict[str, datetime]:
    """In which segments since when: of both, the earlier time. The rules themselves are evaluated after the merge."""
    return {
        name: min(each.segments[name] for each in (survivor, absorbed) if name in each.segments)
        for name in dict.fromkeys((*survivor.segments, *absorbed.segments))
    }


def _lifecycle(survivor: Contact, absorbed: Contact) -> str:
    """The stage entered last, of those who are in one."""
    if not (survivor.lifecycle and absorbed.lifecycle):
        return survivor.lifecycle or absorbed.lifecycle
    stamp = "lifecycle:stage"
    return absorbed.lifecycle if _stamp(absorbed, stamp) > _stamp(survivor, stamp) else survivor.lifecycle


def _tag_expiries(survivor: Contact, absorbed: Contact, tags: Iterable[str]) -> dict[str, datetime]:
    """When tags end: as with the contact that was given the tag last, at the later time if nobody knows who was."""
    ends: dict[str, datetime] = {}
    for name in tags:
        givers = [each for each in (survivor, absorbed) if name in each.tags]
        newest = max(_stamp(each, f"tag:{name}") for each in givers)
        last = [each for each in givers if _stamp(each, f"tag:{name}") == newest]
        if all(name in each.tag_expiries for each in last):
            ends[name] = max(each.tag_expiries[name] for each in last)
    return ends


def _seen(survivor: Contact, absorbed: Contact) -> dict[str, Any]:
    """The first and the last day of each event type, of both."""
    seen = dict(survivor.seen)
    for kind, (first, last) in absorbed.seen.items():
        known_first, known_last = seen.get(kind, (first, last))
        seen[kind] = (min(known_first, first), max(known_last, last))
    return seen
