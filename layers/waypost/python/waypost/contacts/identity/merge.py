"""The rules of a merge: whether two contacts may be merged, which one survives, and the resulting profile.

Pure functions. Used by the router for the contacts an event names, and by merge_contacts for those a person names.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any, Final, Literal, assert_never

from waypost import ids
from waypost.codec import JsonForm
from waypost.contacts import push_tokens
from waypost.contacts.consent import joined_consents
from waypost.contacts.fitting import fitted
from waypost.contacts.identity.rules import IdentityRules, Winner
from waypost.contacts.profile import IMPUTED, Contact, announcement
from waypost.events.envelope import IDENTITY_KINDS
from waypost.item_size import LARGEST_ITEM, stored_size

MOST_ABSORBED: Final = 45
"""Contacts merged into one. Items stored under each of them stay there and are read with every event; an enrolment checks
two items of each in one transaction, which may have a hundred."""

LARGEST_PROFILE: Final = LARGEST_ITEM - 2_000
"""Bytes of a profile that can be recorded with its merge: the rest is for the keys and the version of its items."""

Ground = Literal["event", "alias", "hand"]
"""Why two contacts are merged: an event named both, Segment's ``alias`` did, or a person asked for it."""

Objection = Literal["same_contact", "erased", "kept_apart", "different_people", "too_many_merged", "too_large"]

MOST_NAMED: Final = 200
"""Attributes, tags and groups that an event about a merge names; the record has all of them."""
_NAMED_BYTES: Final = 8_000
"""Bytes of names in each list of such an event: it has up to thirteen, and goes through a queue."""

STAMPS: Final = ("tag:", "group:", "segment:", "lifecycle:")
"""Prefixes of the names in ``attributes_at`` that are no attributes."""

_NEVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Merge(JsonForm):
    """One merge as recorded: both profiles before, the one after, when and why; ``undone_at`` when it was undone.

    ``absorbed`` is the contact that became part of ``survivor``. ``cause`` is the event's id, or the reason a
    person gave; ``undone_cause`` the reason for undoing it. ``undone_by`` is the id of the request that did. ``left_out``
    are the names of what the full profile of the survivor could not take of the other one; ``absorbed`` still has it.
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
    left_out: tuple[str, ...] = ()

    @property
    def tombstone(self) -> Contact:
        """What is stored in place of the absorbed contact: the id of the survivor."""
        gone = self.absorbed
        return Contact(
            contact_id=gone.contact_id,
            created_at=gone.created_at,
            merged_into=self.survivor.contact_id,
            version=gone.version,
        )


def objection(one: Contact, other: Contact, *, rules: IdentityRules, ground: Ground) -> Objection | None:
    """Why the two must not be merged; None when they may. Whether an event proves that they are one is decided elsewhere.

    Only a person may repeat a merge that a person has undone, and only ``alias`` may join two values of a distinct kind.
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
    """Whether a merge of the two, or of contacts that are part of them now, was undone; a record on one of them is enough."""
    ours, theirs = set(one.partitions), set(other.partitions)
    pairs = one.kept_apart | other.kept_apart
    return any(not ours.isdisjoint(pair) and not theirs.isdisjoint(pair) for pair in pairs)


def in_order(one: Contact, other: Contact) -> tuple[Contact, Contact]:
    """The survivor and the contact it absorbs: the strongest identity survives, then the older contact.

    The result does not depend on the order of the arguments.
    """
    survivor, absorbed = sorted((one, other), key=_seniority)
    return survivor, absorbed


def merge_of(
    one: Contact, other: Contact, *, rules: IdentityRules, at: datetime, ground: Ground, cause: str = ""
) -> Merge | None:
    """The merge of the two, ready to be stored; None when one is too large to be recorded (``too_large``).

    What the survivor has no room for is left out (``fitted``). ``too_large`` are only profiles from before they were fitted.
    """
    survivor, absorbed = in_order(one, other)
    merge_id = "g-" + ids.digest("merge", absorbed.contact_id, survivor.contact_id, str(absorbed.version))
    pending = (*survivor.unannounced, *absorbed.unannounced, announcement(merge_id, undone=False))
    result, left_out = fitted(survivor, replace(merged(survivor, absorbed, rules=rules), unannounced=pending))
    if any(stored_size(each.to_dict()) > LARGEST_PROFILE for each in (survivor, absorbed, result)):
        return None
    return Merge(merge_id, absorbed, survivor, result, at, ground, cause, left_out=left_out)


def merged(survivor: Contact, absorbed: Contact, *, rules: IdentityRules) -> Contact:
    """The resulting profile, with the version of the survivor.

    Identities, tags, groups, devices and suppressions of both; the latest addition or removal of a tag or group wins.
    Points are added up. Answers about consent are weighed together.
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


def summary(contact: Contact) -> dict[str, Any]:
    """A profile in an event: names and counts, no address and no value; the record of the merge has everything."""
    return {
        "contact_id": contact.contact_id,
        "identities": {kind: len(values) for kind, values in contact.identities.items() if values},
        "attributes": first_names(sorted(contact.attributes)),
        "tags": first_names(sorted(contact.tags)),
        "groups": first_names(sorted(contact.groups)),
        "consents": {
            key: "granted" if contact.consents[key].granted else "withdrawn" for key in first_names([*contact.consents])
        },
        "suppressions": dict(contact.closed),
        "lifecycle": contact.lifecycle,
        "points": contact.points,
    }


def first_names(names: Sequence[str]) -> list[str]:
    """As many of the names as an event about a merge has room for."""
    sizes = accumulate(stored_size(name) for name in names)
    return [name for name, size in zip(names[:MOST_NAMED], sizes, strict=False) if size <= _NAMED_BYTES]


def _seniority(contact: Contact) -> tuple[int, datetime, str]:
    kinds = (place for place, kind in enumerate(IDENTITY_KINDS) if contact.identities.get(kind))
    return next(kinds, len(IDENTITY_KINDS)), contact.created_at, contact.contact_id


def _attributes(
    survivor: Contact, absorbed: Contact, *, rules: IdentityRules
) -> tuple[dict[str, Any], dict[str, datetime]]:
    """The values that are kept and their timestamps; of a removed attribute, that of the removal counts."""
    values: dict[str, Any] = {}
    stamps: dict[str, datetime] = {}
    known = [survivor.attributes, absorbed.attributes, survivor.attributes_at, absorbed.attributes_at]
    imputed: list[str] = []
    for name in dict.fromkeys(name for names in known for name in names if not name.startswith(STAMPS)):
        if name == IMPUTED:
            continue
        if name == push_tokens.ATTRIBUTE:
            source = max(survivor, absorbed, key=lambda each: _stamp(each, push_tokens.ATTRIBUTE))
            devices = _devices(survivor, absorbed)
            if devices:
                values[name] = devices
        else:
            source = _chosen(name, survivor, absorbed, rules.winner(name))
            if name in source.attributes:
                values[name] = source.attributes[name]
                imputed += [name] if name in source.attributes.get(IMPUTED, ()) else []
        if name in source.attributes_at:
            stamps[name] = source.attributes_at[name]
    return values | ({IMPUTED: sorted(imputed)} if imputed else {}), stamps


def _chosen(name: str, survivor: Contact, absorbed: Contact, winner: Winner) -> Contact:
    """The contact whose value of the attribute is kept; a value without a timestamp is older than any other."""
    has = [each for each in (survivor, absorbed) if name in each.attributes]
    match winner:
        case "newest":
            return absorbed if _age(absorbed, name) > _age(survivor, name) else survivor
        case "oldest":
            return min(has, key=lambda each: _stamp(each, name), default=survivor)
        case "survivor":
            return has[0] if has else survivor
        case _:
            assert_never(winner)


def _age(contact: Contact, name: str) -> tuple[datetime, bool]:
    """The sort key for the newest: of two without a timestamp, the one with a value."""
    return _stamp(contact, name), name in contact.attributes


def _stamp(contact: Contact, name: str) -> datetime:
    return contact.attributes_at.get(name, _NEVER)


def _devices(survivor: Contact, absorbed: Contact) -> list[dict[str, str]]:
    """The devices of both, the most recently reported ones last; none from before they were last removed."""
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
    """The tags (groups) of both, without those that one contact lost after the other got them."""

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
    """The stage that was entered last."""
    if not (survivor.lifecycle and absorbed.lifecycle):
        return survivor.lifecycle or absorbed.lifecycle
    stamp = "lifecycle:stage"
    return absorbed.lifecycle if _stamp(absorbed, stamp) > _stamp(survivor, stamp) else survivor.lifecycle


def _tag_expiries(survivor: Contact, absorbed: Contact, tags: Iterable[str]) -> dict[str, datetime]:
    """The expiries of tags: of the contact that got the tag last, or the later one when that is unknown."""
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
