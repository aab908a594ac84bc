"""Keeps a profile within its item: what an event or a merge adds to a full one is left out. Used wherever a profile grows.

A profile holds ``FULLEST`` bytes of what others add: attributes, tags, groups, identities and when each was set. The rest of
the item is a reserve, so that a withdrawal, a suppression, an erasure and what Waypost itself concludes always fit. What
grows within the reserve has bounds of its own: consents ``CONSENT_ROOM`` bytes, suppressions ``MOST_SUPPRESSIONS``, event
types ``SEEN_ROOM`` bytes, and the times of what is gone ``KEPT_REMOVALS``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from waypost.contacts.address_record import suppression_key
from waypost.contacts.channels import CHANNELS, declared_channels
from waypost.contacts.consent import ALL_TOPICS, Consent
from waypost.item_size import stored_size

if TYPE_CHECKING:  # the profile is fitted by its own functions
    from waypost.contacts.profile import Contact

FULLEST: Final = 250_000
"""Bytes, as DynamoDB counts them, up to which events and merges may add to a profile; an item may have 409,600."""

CONSENT_ROOM: Final = 40_000
"""Bytes of answers by channel and topic. A withdrawal that finds no room there counts for its whole channel."""

SEEN_ROOM: Final = 45_000
"""Bytes of event types and their days: more than ``MOST_SEEN`` of usual length."""

MOST_SEEN: Final = 500
"""Event types whose first and last day a profile keeps; beyond that, rules read the history itself."""

MORE_TYPES: Final = "…"
"""The key in ``seen`` that says that other event types have happened too; no event type has this name."""

MOST_SUPPRESSIONS: Final = 100
KEPT_REMOVALS: Final = 200
"""Attributes, tags, groups and segments that a profile has no longer and of which it still knows when they went, the newest.
A late event from before an older removal sets the value again."""

WAY_OUT: Final = f"the contact holds {FULLEST:,} bytes already; remove attributes, tags or groups that nothing reads"

_KEPT_STAMPS: Final = frozenset({"email", "phone", "push_tokens", "lifecycle:stage"})
"""An address that was removed stays removed, however long ago."""

_STAMP: Final = 25
"""Bytes of an instant and its place beside its name."""


class Fitted(NamedTuple):
    """A profile that fits its item, and the names of what was ``left_out`` of it (``attributes.city``, ``identities.email``)."""

    contact: "Contact"
    left_out: tuple[str, ...] = ()


def fitted(before: "Contact", after: "Contact") -> Fitted:
    """``after`` without what does not fit of what it has more than ``before``.

    First it forgets when things were removed; then it leaves out the attributes that grew most, then groups, tags and
    identities, by name, until the rest fits. Consents, suppressions, points, the stage and the days of events are never among
    them.
    """
    bounded: dict[str, Any] = {
        "attributes_at": _recent_stamps(after),
        "consents": _within_room(before.consents, after.consents),
        "suppressions": _usual_suppressions(before, after),
        "seen": bounded_seen(before.seen, after.seen),
    }
    if any(value is not getattr(after, name) for name, value in bounded.items()):
        after = replace(after, **bounded)
    over = 0 if _is_surely_small(after) else stored_size(after.to_dict()) - FULLEST
    if over <= 0:
        return Fitted(after)
    forgotten: set[str] = set()
    for stamp in _gone(after):
        if over <= 0:
            break
        forgotten.add(stamp)
        over -= _stamp(stamp)
    after = replace(
        after, attributes_at={each: at for each, at in after.attributes_at.items() if each not in forgotten}
    )
    left_out: list[str] = []
    dropped: dict[str, set[str]] = {"attributes": set(), "groups": set(), "tags": set(), "identities": set()}
    for field, name, size in _grown(before, after) if over > 0 else ():
        dropped[field].add(name)
        left_out.append(f"{field}.{name.partition(' ')[0] if field == 'identities' else name}")
        over -= size
        if over <= 0:
            break
    return Fitted(_without(before, after, dropped) if left_out else after, tuple(left_out))


def has_room(contact: "Contact") -> bool:
    """Whether a further identity may be added to the contact."""
    return _is_surely_small(contact) or stored_size(contact.to_dict()) < FULLEST


def knows_all_types(seen: Mapping[str, object]) -> bool:
    """Whether an event type that is absent from ``seen`` has never happened."""
    return len(seen) < MOST_SEEN and MORE_TYPES not in seen


def bounded_seen(
    before: Mapping[str, tuple[date, date]], after: dict[str, tuple[date, date]]
) -> dict[str, tuple[date, date]]:
    """The days of event types within their bounds; ``MORE_TYPES`` notes that types that ``before`` lacks were left out."""
    if after.keys() <= before.keys() or len(after) < _FEW_TYPES:
        return after
    kept = {kind: days for kind, days in after.items() if kind in before}
    room = SEEN_ROOM - stored_size(dict.fromkeys(kept, "")) - _DAYS * len(kept)
    for kind in sorted(after.keys() - before.keys()):
        size = 1 + stored_size(kind) + _DAYS
        if len(kept) >= MOST_SEEN or size > room:
            kept.setdefault(MORE_TYPES, after[kind])
            continue
        kept[kind] = after[kind]
        room -= size
    return kept


_FEW_TYPES: Final = 100
"""Event types that have room whatever their names: a name has 100 characters."""

_DAYS: Final = 3 + 2 * 11
"""Bytes of a list of two days."""


def _is_surely_small(contact: "Contact") -> bool:
    """Whether the profile is far from full; false says nothing. Quicker than its size, and true of nearly all."""
    named = (contact.attributes_at, contact.tags, contact.groups, contact.segments, contact.tag_expiries, contact.seen)
    most = sum(4 * sum(map(len, names)) + 32 * len(names) for names in named)
    most += stored_size(contact.attributes) + stored_size(contact.metrics) + stored_size(contact.identities)
    most += sum(4 * len(key) + 700 for key in (*contact.consents, *contact.suppressions))
    most += 100 * (len(contact.absorbed) + 2 * len(contact.kept_apart) + len(contact.unannounced)) + 1_000
    return most < FULLEST


def _grown(before: "Contact", after: "Contact") -> Iterator[tuple[str, str, int]]:
    """Everything that can be left out: field, name and the bytes it takes more than before."""
    grown = {
        name: size
        for name, value in after.attributes.items()
        if (size := _entry(name, value) - (_entry(name, before.attributes[name]) if name in before.attributes else 0))
        > 0
    }
    for name in sorted(grown, key=lambda each: (-grown[each], each)):
        yield "attributes", name, grown[name] + (_stamp(name) if name not in before.attributes_at else 0)
    for field, kind in (("groups", "group"), ("tags", "tag")):
        for name in sorted(getattr(after, field) - getattr(before, field)):
            stamp = f"{kind}:{name}"
            yield field, name, 1 + stored_size(name) + (_stamp(stamp) if stamp not in before.attributes_at else 0)
    for kind, values in after.identities.items():
        for value in sorted(set(values) - set(before.identities.get(kind, ()))):
            yield "identities", f"{kind} {value}", 1 + stored_size(value)


def _without(before: "Contact", after: "Contact", dropped: Mapping[str, set[str]]) -> "Contact":
    attributes, stamps = dict(after.attributes), dict(after.attributes_at)
    gone = [*dropped["attributes"], *(f"group:{name}" for name in dropped["groups"])]
    for stamp in (*gone, *(f"tag:{name}" for name in dropped["tags"])):
        stamps.pop(stamp, None)
        if stamp in before.attributes_at:
            stamps[stamp] = before.attributes_at[stamp]
    for name in dropped["attributes"]:
        attributes.pop(name)
        if name in before.attributes:
            attributes[name] = before.attributes[name]
    tags = after.tags - dropped["tags"]
    identities = {
        kind: kept
        for kind, values in after.identities.items()
        if (kept := [value for value in values if f"{kind} {value}" not in dropped["identities"]])
    }
    return replace(
        after,
        attributes=attributes,
        attributes_at=stamps,
        identities=identities,
        tags=tags,
        groups=after.groups - dropped["groups"],
        tag_expiries={name: end for name, end in after.tag_expiries.items() if name in tags},
    )


def _recent_stamps(contact: "Contact") -> dict[str, datetime]:
    """``attributes_at`` without the oldest of what the profile has no longer."""
    if len(contact.attributes_at) <= KEPT_REMOVALS:
        return contact.attributes_at
    forgotten = set(_gone(contact)[:-KEPT_REMOVALS])
    return {stamp: at for stamp, at in contact.attributes_at.items() if stamp not in forgotten}


def _gone(contact: "Contact") -> list[str]:
    """The stamps of what the profile has no longer, oldest first."""
    stamps = contact.attributes_at
    has = {"tag": contact.tags, "group": contact.groups, "segment": contact.segments}

    def is_gone(stamp: str) -> bool:
        kind, _, name = stamp.partition(":")
        return name not in has[kind] if kind in has and name else stamp not in contact.attributes

    gone = (stamp for stamp in stamps if stamp not in _KEPT_STAMPS and is_gone(stamp))
    return sorted(gone, key=lambda each: (stamps[each], each))


def _within_room(before: Mapping[str, Consent], after: dict[str, Consent]) -> dict[str, Consent]:
    """The answers, within their room: a new grant that has none is not heard, a withdrawal counts for its whole channel."""
    if after is before or sum(4 * len(key) + 700 for key in after) < CONSENT_ROOM:
        return after
    kept = {key: consent for key, consent in after.items() if before.get(key) == consent}
    room = CONSENT_ROOM - stored_size({key: consent.to_dict() for key, consent in kept.items()})
    for key in sorted(after.keys() - kept.keys()):
        consent, (channel, _, topic) = after[key], key.partition("/")
        whole = f"{channel}/{ALL_TOPICS}"
        size = _entry(key, consent.to_dict())
        if size <= room or (topic == ALL_TOPICS and channel in CHANNELS):
            kept[key] = Consent.of((*consent.answers, *kept[key].answers)) if key in kept else consent
            room -= size
            continue
        if key in before:
            kept[key] = before[key]
        if not consent.granted and channel in CHANNELS:
            known = kept.get(whole) or before.get(whole)
            kept[whole] = Consent.of((*consent.answers, *(known.answers if known else ())))
    return kept


def _usual_suppressions(before: "Contact", after: "Contact") -> dict[str, str]:
    """The suppressions: those of the contact's addresses and new ones first. The sender reads the records of addresses."""
    known = after.suppressions
    if len(known) <= MOST_SUPPRESSIONS:
        return known
    current = {
        suppression_key(each.channel, each.digest)
        for channel in CHANNELS
        for each in declared_channels()[channel].address.addresses(channel, after)
    }
    first = sorted(known, key=lambda key: ("/" in key and key not in current, key in before.suppressions, key))
    return {key: known[key] for key in first[:MOST_SUPPRESSIONS]}


def _entry(name: str, value: object) -> int:
    return 1 + stored_size(name) + stored_size(value)


def _stamp(name: str) -> int:
    return stored_size(name) + _STAMP
