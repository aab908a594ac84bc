"""Undoing a merge: the profile the survivor keeps and the one the absorbed contact gets back. Called by ``merger``.

Three states decide: what the survivor was before, what the merge made of it, and what it is now. What is now as the
merge left it goes back to what it was before; what has changed since stays as it is.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar

from waypost.contacts import push_tokens
from waypost.contacts.merging import Merge, joined_consents
from waypost.contacts.profile import ADDRESS_ATTRIBUTE, Consent, Contact, announcement

T = TypeVar("T")

_ABSENT: Final[Any] = object()


def without(merge: Merge, now: Contact) -> Contact:
    """The survivor as it is ``now``, without what came only from the absorbed contact. Its version stays.

    Withdrawn consent stays withdrawn, whoever of the two withdrew it.
    """
    before, after, gone = merge.survivor, merge.result, merge.absorbed
    tags, groups = (_names(prefix, before, after, now) for prefix in ("tag", "group"))
    left = {gone.contact_id, *gone.absorbed}
    return replace(
        now,
        created_at=_back(before.created_at, after.created_at, now.created_at),
        attributes=_attributes(before, after, now, gone),
        attributes_at=_stamps(before, after, now),
        identities=_identities(before, gone, now),
        tags=tags,
        groups=groups,
        consents=_consents(before, after, now),
        suppressions=_each(before.suppressions, after.suppressions, now.suppressions),
        lifecycle=_back(before.lifecycle, after.lifecycle, now.lifecycle),
        points=now.points - gone.points,
        metrics=_each(before.metrics, after.metrics, now.metrics),
        segments=_each(before.segments, after.segments, now.segments),
        tag_expiries={
            name: end
            for name, end in _each(before.tag_expiries, after.tag_expiries, now.tag_expiries).items()
            if name in tags
        },
        seen=_seen(merge, now),
        absorbed=tuple(each for each in now.absorbed if each not in left),
        kept_apart=_kept_apart(before, after, now),
        kept="",
    )


def parted(merge: Merge, now: Contact) -> tuple[Contact, Contact]:
    """The survivor and the contact that lives again, ready to be stored: with the versions read, kept apart from now on.

    The absorbed contact is what it was, but for consent that was withdrawn and channels that were closed since.
    """
    gone = merge.absorbed
    told = announcement(merge.merge_id, undone=True)
    survivor = without(merge, now)
    survivor = replace(
        survivor,
        kept_apart=_more(survivor.kept_apart, gone.contact_id),
        unannounced=(*survivor.unannounced, told),
    )
    closed = {
        channel: reason
        for channel, reason in now.suppressions.items()
        if merge.result.suppressions.get(channel) != reason
    }
    absorbed = replace(
        gone,
        consents=joined_consents(gone.consents, _withdrawals(now.consents)),
        suppressions={**closed, **gone.suppressions},
        kept_apart=_more(gone.kept_apart, merge.survivor.contact_id),
        kept="",
        version=gone.version + 1,  # the tombstone's
    )
    return survivor, absorbed


def rewritten(undone: Merge, newer: Merge) -> Merge:
    """A later merge into the same survivor, as if the undone one had never been: so it can still be undone itself."""
    return replace(newer, survivor=without(undone, newer.survivor), result=without(undone, newer.result))


def _back(before: T, after: T, now: T) -> T:
    return before if now == after else now


def _each(before: Mapping[str, Any], after: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """``_back`` for each entry; one that is absent counts as a value."""
    found: dict[str, Any] = {}
    for name in dict.fromkeys((*now, *before)):
        value = _back(before.get(name, _ABSENT), after.get(name, _ABSENT), now.get(name, _ABSENT))
        if value is not _ABSENT:
            found[name] = value
    return found


def _is_as_left(name: str, after: Contact, now: Contact) -> bool:
    """Whether nobody has set this attribute (tag, group) since the merge, not even to the same value."""
    return after.attributes_at.get(name) == now.attributes_at.get(name)


def _attributes(before: Contact, after: Contact, now: Contact, gone: Contact) -> dict[str, Any]:
    """The survivor's values: as before the merge, or as somebody has set them since.

    An e-mail or phone that became the address because an event named it goes where that identity goes. A survivor
    left without an address has as its address the first such identity that has become known since.
    """
    identities = _identities(before, gone, now)
    found: dict[str, Any] = {}
    for name in dict.fromkeys((*now.attributes, *before.attributes)):
        if name == push_tokens.ATTRIBUTE:
            if devices := _devices(before, gone, now):
                found[name] = devices
            continue
        value, is_address = now.attributes.get(name, _ABSENT), name in ADDRESS_ATTRIBUTE.values()
        goes_along = is_address and value in now.identities.get(name, ()) and value not in identities.get(name, ())
        goes_back = _is_as_left(name, after, now) and (value == after.attributes.get(name, _ABSENT) or goes_along)
        source = before if goes_back else now
        if name in source.attributes:
            found[name] = source.attributes[name]
        elif goes_back and is_address and (since := _named_since(name, before, identities)):
            found[name] = since[0]
    return found


def _named_since(kind: str, before: Contact, identities: Mapping[str, list[str]]) -> list[str]:
    return [value for value in identities.get(kind, ()) if value not in before.identities.get(kind, ())]


def _devices(before: Contact, gone: Contact, now: Contact) -> list[dict[str, str]]:
    """The survivor's devices now, without those that only the other brought along."""
    own = {each["token"] for each in before.attributes.get(push_tokens.ATTRIBUTE, ())}
    brought = {each["token"] for each in gone.attributes.get(push_tokens.ATTRIBUTE, ())} - own
    return [each for each in now.attributes.get(push_tokens.ATTRIBUTE, ()) if each["token"] not in brought]


def _stamps(before: Contact, after: Contact, now: Contact) -> dict[str, Any]:
    return _each(before.attributes_at, after.attributes_at, now.attributes_at)


def _identities(before: Contact, gone: Contact, now: Contact) -> dict[str, list[str]]:
    """What the absorbed contact brought along goes back with it; what has become known since stays."""
    found: dict[str, list[str]] = {}
    for kind, values in now.identities.items():
        brought = set(gone.identities.get(kind, ())) - set(before.identities.get(kind, ()))
        if left := [value for value in values if value not in brought]:
            found[kind] = left
    return found


def _names(prefix: str, before: Contact, after: Contact, now: Contact) -> frozenset[str]:
    """The tags (groups) the survivor keeps."""

    def of(contact: Contact) -> frozenset[str]:
        return contact.tags if prefix == "tag" else contact.groups

    def has(name: str) -> bool:
        as_left = _is_as_left(f"{prefix}:{name}", after, now) and (name in of(after)) == (name in of(now))
        return name in of(before if as_left else now)

    return frozenset(name for name in of(now) | of(before) if has(name))


def _consents(before: Contact, after: Contact, now: Contact) -> dict[str, Consent]:
    return joined_consents(_each(before.consents, after.consents, now.consents), _withdrawals(now.consents))


def _withdrawals(consents: Mapping[str, Consent]) -> dict[str, Consent]:
    return {key: answer for key, answer in consents.items() if not answer.granted}


def _seen(merge: Merge, now: Contact) -> dict[str, Any]:
    """The days of each event type: before the merge its own, since then everything.

    Of a type that only the other had seen before, the first own day is known no better than as the day of the merge:
    too early is the safe side, because these days are used to rule events out.
    """
    before, after = merge.survivor.seen, merge.result.seen
    found = dict(_each(before, after, now.seen))
    for kind, (first, last) in found.items():
        if kind in after and now.seen.get(kind) != after[kind] and first == after[kind][0]:
            own = before[kind][0] if kind in before else max(first, merge.at.date())
            found[kind] = (min(own, last), last)
    return found


def _kept_apart(before: Contact, after: Contact, now: Contact) -> tuple[str, ...]:
    brought = set(after.kept_apart) - set(before.kept_apart)
    return tuple(dict.fromkeys(each for each in (*before.kept_apart, *now.kept_apart) if each not in brought))


def _more(known: Iterable[str], one: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*known, one)))
