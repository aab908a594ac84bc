"""Undoing a merge: the resulting profiles of survivor and absorbed contact. Called by merge_contacts.

A three-way comparison of the survivor before the merge, after it, and now: a value that is still as the merge left it
returns to the one before; a value that has changed since is kept. Later merges into the survivor are first recomputed
without the undone one, because values of theirs may have been hidden by it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, TypeVar

from waypost.contacts import push_tokens
from waypost.contacts.consent import Consent, joined_consents
from waypost.contacts.fitting import fitted
from waypost.contacts.identity.merge import Merge, merged
from waypost.contacts.identity.rules import IdentityRules
from waypost.contacts.profile import IDENTITY_ATTRIBUTES, Contact, announcement

T = TypeVar("T")

_ABSENT: Final[Any] = object()


def unmerged_profiles(
    merge: Merge, now: Contact, *, later: Sequence[Merge] = (), recomputed: Sequence[Merge] = ()
) -> tuple[Contact, Contact]:
    """The survivor and the restored contact, ready to be stored: with the versions read, and recorded as kept apart.

    The absorbed contact is restored as it was, but for consents withdrawn and channels suppressed since. ``later`` are the
    merges into the survivor since then that are not undone, oldest first, and ``recomputed`` the same without this one.
    """
    gone = merge.absorbed
    left, becomes = (later[-1].result, recomputed[-1].result) if later else (merge.result, merge.survivor)
    survivor, _ = fitted(now, _taken_back(left, becomes, now, since=merge.at))
    closed = {
        channel: reason
        for channel, reason in now.suppressions.items()
        if merge.result.suppressions.get(channel) != reason
    }
    absorbed = replace(
        gone,
        consents=joined_consents(gone.consents, _withdrawals(now.consents)),
        suppressions={**closed, **gone.suppressions},
        kept="",
        version=gone.version + 1,  # the tombstone's
    )
    one, other = sorted((survivor.contact_id, absorbed.contact_id))
    pairs = now.kept_apart | {(one, other)}
    pending = announcement(merge.merge_id, undone=True)
    return (
        replace(survivor, kept_apart=_pairs_of(survivor, pairs), unannounced=(*survivor.unannounced, pending)),
        replace(absorbed, kept_apart=_pairs_of(absorbed, pairs)),
    )


def rewritten(undone: Merge, later: Sequence[Merge], *, rules: IdentityRules) -> list[Merge]:
    """Later merges into the same survivor, recomputed without the undone one, so that they can still be undone themselves.

    Oldest first, and all that are not undone: each is based on the one before.
    """
    found: list[Merge] = []
    left, becomes = undone.result, undone.survivor
    for merge in later:
        survivor = _taken_back(left, becomes, merge.survivor, since=undone.at)
        # The rules may have changed since the merge: only the effect of the undone one is removed.
        with_it, without_it = (merged(each, merge.absorbed, rules=rules) for each in (merge.survivor, survivor))
        result = _taken_back(with_it, without_it, merge.result, since=undone.at)
        found.append(replace(merge, survivor=survivor, result=result))
        left, becomes = merge.result, result
    return found


def _taken_back(left: Contact, becomes: Contact, now: Contact, *, since: datetime) -> Contact:
    """The survivor as it is ``now``: what is as merges ``left`` it ``becomes`` what it is without the undone one.

    Its version stays. Consent that either contact withdrew stays withdrawn. ``since`` is when the undone merge was.
    """
    tags, groups = (_names(prefix, becomes, left, now) for prefix in ("tag", "group"))
    identities = _identities(becomes, left, now)
    attributes, stamps = _attributes(becomes, left, now, identities)
    parting = set(left.absorbed) - set(becomes.absorbed)
    survivor = replace(
        now,
        created_at=_back(becomes.created_at, left.created_at, now.created_at),
        attributes=attributes,
        attributes_at=stamps,
        identities=identities,
        tags=tags,
        groups=groups,
        consents=_consents(becomes, left, now),
        suppressions=_each(becomes.suppressions, left.suppressions, now.suppressions),
        lifecycle=_back(becomes.lifecycle, left.lifecycle, now.lifecycle),
        points=now.points - (left.points - becomes.points),
        metrics=_each(becomes.metrics, left.metrics, now.metrics),
        segments=_each(becomes.segments, left.segments, now.segments),
        tag_expiries={
            name: end
            for name, end in _each(becomes.tag_expiries, left.tag_expiries, now.tag_expiries).items()
            if name in tags
        },
        seen=_seen(becomes, left, now, since=since),
        absorbed=tuple(each for each in now.absorbed if each not in parting),
        kept="",
    )
    return replace(survivor, kept_apart=_pairs_of(survivor, now.kept_apart))


def _pairs_of(contact: Contact, pairs: frozenset[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    """The pairs that include this contact or one that is part of it."""
    return frozenset(pair for pair in pairs if not set(contact.partitions).isdisjoint(pair))


def _back(before: T, after: T, now: T) -> T:
    return before if now == after else now


def _each(before: Mapping[str, Any], after: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """``_back`` for each entry; absence counts as a value."""
    found: dict[str, Any] = {}
    for name in dict.fromkeys((*now, *before)):
        value = _back(before.get(name, _ABSENT), after.get(name, _ABSENT), now.get(name, _ABSENT))
        if value is not _ABSENT:
            found[name] = value
    return found


def _is_as_left(name: str, after: Contact, now: Contact) -> bool:
    """Whether this attribute (tag, group) was not set again since the merge, not even to the same value."""
    return after.attributes_at.get(name) == now.attributes_at.get(name)


def _attributes(
    before: Contact, after: Contact, now: Contact, identities: Mapping[str, list[str]]
) -> tuple[dict[str, Any], dict[str, datetime]]:
    """The survivor's values and their timestamps: as before the merge, or as set since.

    ``identities`` are those that stay with the survivor.
    """
    values: dict[str, Any] = {}
    stamps: dict[str, datetime] = _each(before.attributes_at, after.attributes_at, now.attributes_at)
    for name in dict.fromkeys((*now.attributes, *before.attributes)):
        if name in IDENTITY_ATTRIBUTES:
            value, stamps[name] = _address(name, before, after, now, identities.get(name, ()))
        elif _is_as_left(name, after, now) and now.attributes.get(name, _ABSENT) == after.attributes.get(name, _ABSENT):
            value = before.attributes.get(name, _ABSENT)
        elif name == push_tokens.ATTRIBUTE:
            value = _devices(before, after, now) or _ABSENT
        else:
            value = now.attributes.get(name, _ABSENT)
        if value is not _ABSENT:
            values[name] = value
    return values, {name: at for name, at in stamps.items() if at is not None}


def _address(kind: str, before: Contact, after: Contact, now: Contact, staying: Collection[str]) -> tuple[Any, Any]:
    """The survivor's e-mail or phone and its timestamp: as set since the merge, or else as before it.

    An address without a timestamp was taken from an identity and follows that identity. It also shows that the address
    left by the merge was removed since, so the one before the merge is not restored. A survivor without an address gets the
    first identity of the kind that was added since.
    """
    left, found = ((each.attributes.get(kind, _ABSENT), each.attributes_at.get(kind)) for each in (after, now))
    if found[1] not in {None, left[1]}:
        return found
    if kind in before.attributes and (found == left or kind not in after.attributes):
        return before.attributes[kind], before.attributes_at.get(kind)
    if found != left and found[0] in staying:
        return found[0], None
    named_since = [value for value in staying if value not in before.identities.get(kind, ())]
    return (named_since[0], None) if named_since else (_ABSENT, before.attributes_at.get(kind))


def _devices(before: Contact, after: Contact, now: Contact) -> list[dict[str, str]]:
    """The survivor's current devices, without those that only the absorbed contact had."""
    own = {each["token"] for each in before.attributes.get(push_tokens.ATTRIBUTE, ())}
    brought = {each["token"] for each in after.attributes.get(push_tokens.ATTRIBUTE, ())} - own
    return [each for each in now.attributes.get(push_tokens.ATTRIBUTE, ()) if each["token"] not in brought]


def _identities(before: Contact, after: Contact, now: Contact) -> dict[str, list[str]]:
    """The survivor's current identities, without those of the absorbed contact."""
    found: dict[str, list[str]] = {}
    for kind, values in now.identities.items():
        brought = set(after.identities.get(kind, ())) - set(before.identities.get(kind, ()))
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


def _seen(before: Contact, after: Contact, now: Contact, *, since: datetime) -> dict[str, Any]:
    """The first and last day of each event type: its own before the merge, all since then.

    Of a type that only the absorbed contact had, the survivor's first day is at the earliest the day of the merge, and an
    event on that day or later may be the survivor's. Too wide a span is safe, because it is used to rule events out.
    """
    found = dict(_each(before.seen, after.seen, now.seen))
    for kind, (first, last) in now.seen.items():
        if kind not in after.seen or first != after.seen[kind][0]:
            continue
        if (first, last) != after.seen[kind] or last >= since.date():
            own = before.seen[kind][0] if kind in before.seen else max(first, since.date())
            found[kind] = (min(own, last), last)
    return found
