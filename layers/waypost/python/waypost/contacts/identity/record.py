"""Find, merge or create the contact an event is about and apply the event to it. Called by the router and by imports."""

import random
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, NamedTuple

from waypost import ids
from waypost.clock import Clock
from waypost.contacts import cleaning
from waypost.contacts.fitting import Fitted, has_room
from waypost.contacts.identity.merge import Ground, Merge, merge_of, objection
from waypost.contacts.identity.rules import BUILT_IN, IdentityRules
from waypost.contacts.ports import ContactStore
from waypost.contacts.profile import ALIASED, POINTS_EVENTS, Contact, apply_event, with_identities
from waypost.errors import ConcurrentUpdate, ContactNotFound, InvalidInput
from waypost.events.envelope import IDENTITY_KINDS, Event

ATTEMPTS: Final = 24
LONGEST_WAIT: Final = 0.4  # seconds
MOST_OF_A_KIND: Final = 200
"""Identities of one kind; more are shared by many people, or come from a fault."""


Wait = Callable[[float], None]
Newborn = Callable[[Contact], Contact]
"""Completes a contact that an event creates, for the write that creates it."""


def no_wait(seconds: float) -> None:
    """Try again at once."""


def as_it_is(contact: Contact) -> Contact:
    """The contact as the event makes it."""
    return contact


class Recorded(NamedTuple):
    """The contact an event is about, with the event applied and stored.

    ``is_repeated``: the event was processed before, and nothing was written. ``left_out`` are the names of what a full profile
    could not take of the event, such as ``attributes.city``.
    """

    contact: Contact
    is_repeated: bool
    left_out: tuple[str, ...] = ()


def record_on_contact(
    event: Event,
    *,
    contacts: ContactStore,
    is_repeated: Callable[[Collection[str]], bool],
    clock: Clock,
    identity_rules: IdentityRules = BUILT_IN,
    wait: Wait = no_wait,
    newborn: Newborn = as_it_is,
) -> Recorded:
    """Apply the event to the contact it is about and store it, unless the event is a repeated one.

    ``is_repeated`` takes contact ids: whether the event was processed completely before under any of them. Then nothing is written, so a
    late repetition of an old event cannot undo a newer one.
    A new identity is linked to the contact. When the event names several contacts and the rules accept it as proof that
    they are one, they are merged first, each merge a write of its own; otherwise an identity of another contact stays
    there, and the strongest identity decides whose event this is.
    ``newborn`` completes a contact that the event creates. ``wait`` takes seconds; it is called before retrying a write that another writer was faster with.
    Raises InvalidInput for an event without any identity, ContactNotFound for an unknown ``contact_id`` and
    ConcurrentUpdate when other writers were first too many times.
    """
    if event.is_unproven:
        identity_rules = identity_rules.for_unproven()
    for attempt in range(ATTEMPTS):
        if attempt > 1:
            wait(random.uniform(0, min(LONGEST_WAIT, 0.005 * 2**attempt)))  # noqa: S311 - spreads writers, no secret
        named = _named(event, contacts, rules=identity_rules)
        if named.pending:
            _settle_pending(
                event.id, named, contacts=contacts, at=event.occurred_at, clock=clock, is_last=attempt == ATTEMPTS - 1
            )
            continue
        owner = named.owner(identity_rules)
        partitions = dict.fromkeys(each for contact in named.contacts for each in contact.partitions)
        if partitions and is_repeated(partitions):
            return Recorded(owner or named.contacts[0], is_repeated=True)
        merge = _merge(event, owner, named, rules=identity_rules, clock=clock) if owner else None
        if merge is not None:
            contacts.merge(merge)  # if another writer was first, the contacts are read again as well
            continue
        contact = owner or named.new_contact(clock)
        if unlinked := named.unlinked_alias(contact):
            _link_alias(contact, named, unlinked, contacts=contacts, at=event.occurred_at)
            continue
        recorded = _record(event, contact, named, contacts=contacts, newborn=newborn)
        if recorded is not None:
            return Recorded(recorded.contact, is_repeated=False, left_out=recorded.left_out)
    raise ConcurrentUpdate(f"contact of event {event.id} changed {ATTEMPTS} times while it was written")


@dataclass(frozen=True, slots=True)
class _Named:
    """The contacts an event names: ``owners`` are the living contacts its identities lead to, by kind.

    ``given`` is the contact of its ``contact_id``. Of an alias, ``previous`` is the previous id as each kind that it may be,
    and ``aliased`` are the contacts it leads to, by kind. ``pending`` are identities that lead to a contact which is not stored,
    with its id; ``leads`` is what leads to a contact under an id that is now part of it.
    """

    identities: Mapping[str, str]
    owners: Mapping[str, Contact]
    pending: Mapping[tuple[str, str], str] = field(default_factory=dict)
    leads: Mapping[str, str] = field(default_factory=dict)
    given: Contact | None = None
    previous: Mapping[str, str] = field(default_factory=dict)
    aliased: Mapping[str, Contact] = field(default_factory=dict)
    contacts: list[Contact] = field(default_factory=list)

    def owner(self, rules: IdentityRules) -> Contact | None:
        """The contact whose event it is; None when that is a new one.

        An alias of somebody known to an id that nobody has had yet is the event of who was known.
        """
        if self.given is not None:
            return self.given
        for kind in IDENTITY_KINDS:
            owner = self.owners.get(kind)
            if owner is not None and not rules.is_another_contact(owner.identities, kind, self.identities):
                return owner
        given = {kind: [value] for kind, value in self.identities.items()}
        for before in self.aliased.values():
            if not before.erased and not rules.clash(before.identities, given, despite=rules.alias_across):
                return before
        return None

    def unlinked_alias(self, contact: Contact) -> dict[str, str]:
        """The kinds in which the previous id leads to no contact yet, and it may lead to this one."""
        unlinked = {kind: value for kind, value in self.previous.items() if kind not in self.aliased}
        return _that_fit(unlinked, contact) if unlinked else {}

    def new_contact(self, clock: Clock) -> Contact:
        """A new contact, named by the strongest identity without an owner."""
        first = next(kind for kind in IDENTITY_KINDS if kind in self.identities and kind not in self.owners)
        return Contact(contact_id=ids.contact_id(first, self.identities[first]), created_at=clock())

    def kinds_of(self, contact: Contact) -> set[str]:
        """The kinds by which the event names this contact."""
        return {kind for kind, owner in self.owners.items() if owner.contact_id == contact.contact_id}


def _named(event: Event, contacts: ContactStore, *, rules: IdentityRules) -> _Named:
    identities = {kind: event.contact[kind] for kind in IDENTITY_KINDS if kind in event.contact}
    given_id = event.contact.get("contact_id")
    if not identities and given_id is None:
        raise InvalidInput("contact", f"event {event.id} names none of contact_id, {', '.join(IDENTITY_KINDS)}")
    loaded: dict[str, Contact | None] = {}

    def load(contact_id: str) -> Contact | None:
        if contact_id not in loaded:
            loaded[contact_id] = contacts.load(contact_id)
        return loaded[contact_id]

    given = None if given_id is None else load(given_id)
    if given_id is not None and given is None:
        raise ContactNotFound(f"event {event.id}: it names contact {given_id}, which does not exist")
    leads = contacts.resolve(identities)
    owners = {kind: owner for kind in IDENTITY_KINDS if kind in leads and (owner := load(leads[kind])) is not None}
    previous = _previous(event, rules)
    known = contacts.resolve(previous) if previous else {}
    aliased = {kind: owner for kind in previous if kind in known and (owner := load(known[kind])) is not None}
    pending = {(kind, identities[kind]): leads[kind] for kind in IDENTITY_KINDS if kind in leads and kind not in owners}
    pending |= {(kind, previous[kind]): known[kind] for kind in known if kind not in aliased}
    found = [each for each in (given, *owners.values(), *aliased.values()) if each is not None]
    return _Named(
        identities=identities,
        owners=owners,
        pending=pending,
        leads={kind: owner for kind, owner in leads.items() if kind in owners and owner != owners[kind].contact_id},
        given=given,
        previous=previous,
        aliased=aliased,
        contacts=list({each.contact_id: each for each in found}.values()),
    )


def _settle_pending(
    event_id: str, named: _Named, *, contacts: ContactStore, at: datetime, clock: Clock, is_last: bool
) -> None:
    """Store the contact that one of the identities names and that its writer has not stored; else leave it to its writer.

    Only what names a contact may create it: an event with nothing but another of its identities cannot tell whose else it is. A
    writer needs milliseconds, or its event is delivered again; what is still pending then is released if nobody comes any more.
    Raises ConcurrentUpdate the last time.
    """
    for (kind, value), contact_id in named.pending.items():
        if contact_id == ids.contact_id(kind, value):
            new = Contact(contact_id=contact_id, created_at=clock())
            contacts.save(with_identities(new, {kind: value}, at=at), claim={kind: value})
            return
    if is_last:
        for (kind, value), contact_id in named.pending.items():
            contacts.release(kind, value, contact_id)
        (kind, _), contact_id = next(iter(named.pending.items()))
        raise ConcurrentUpdate(f"event {event_id}: its {kind} leads to {contact_id}, which is not stored")


def _previous(event: Event, rules: IdentityRules) -> dict[str, str]:
    """The previous id of an alias, as an anonymous id, and as a user id where an alias may join two users."""
    previous = str(event.properties.get("previous_id", "")) if event.type == ALIASED else ""
    if not previous:
        return {}
    named = {"anonymous_id": previous}
    return {"user_id": cleaning.user_id(previous)} | named if "user_id" in rules.alias_across else named


def _merge(event: Event, owner: Contact, named: _Named, *, rules: IdentityRules, clock: Clock) -> Merge | None:
    """The first merge that the event proves and that nothing forbids; None when there is none."""
    given = {kind: [value] for kind, value in named.identities.items()}
    for other, ground in _candidates(owner, named, rules=rules):
        if ground == "event" and rules.clash(other.identities, given):
            continue  # the event names another person
        if objection(owner, other, rules=rules, ground=ground) is None:
            merge = merge_of(owner, other, rules=rules, at=clock(), ground=ground, cause=event.id)
            if merge is not None:
                return merge
    return None


def _candidates(owner: Contact, named: _Named, *, rules: IdentityRules) -> Iterator[tuple[Contact, Ground]]:
    """The contacts that the event identifies with its owner, strongest identity first."""
    for aliased in named.aliased.values():
        yield aliased, "alias"
    if named.given is None and rules.proofs.isdisjoint(named.kinds_of(owner)):
        return
    for kind in IDENTITY_KINDS:
        if kind in named.owners and kind in rules.proofs:
            yield named.owners[kind], "event"


def _link_alias(
    contact: Contact, named: _Named, unlinked: Mapping[str, str], *, contacts: ContactStore, at: datetime
) -> None:
    """Let the previous id of an alias lead to the contact, which is stored first if it is new."""
    claim = unlinked
    if not contact.version:
        claim = {kind: value for kind, value in named.identities.items() if kind not in named.owners}
    contacts.save(with_identities(contact, claim, at=at), claim=claim)


def _that_fit(identities: Mapping[str, str], contact: Contact) -> dict[str, str]:
    """The identities that may still be added to the contact."""
    if not has_room(contact):
        return {}
    return {kind: value for kind, value in identities.items() if len(contact.identities.get(kind, ())) < MOST_OF_A_KIND}


def _record(
    event: Event, contact: Contact, named: _Named, *, contacts: ContactStore, newborn: Newborn
) -> Fitted | None:
    """The contact with the event applied and stored; None when another writer was first."""
    unlinked = {kind: value for kind, value in named.identities.items() if kind not in named.owners}
    claim = _that_fit(unlinked, contact) if unlinked else {}
    kinds = named.kinds_of(contact)
    claim |= {
        kind: named.identities[kind]
        for kind in kinds & named.leads.keys()
        if named.identities[kind] not in contact.identities.get(kind, ())
    }
    ours = {kind: named.identities[kind] for kind in (*kinds, *claim)}
    counts = event.type in POINTS_EVENTS and not any(
        contacts.has_counted(each, event.id) for each in contact.partitions if contact.version
    )
    applied = apply_event(contact, replace(event, contact=ours), counting=counts)
    changed = applied.contact
    claim = {kind: value for kind, value in claim.items() if value in changed.identities.get(kind, ())}
    left_out = (*applied.left_out, *(f"identities.{kind}" for kind in unlinked if kind not in ours))
    if changed == contact and not claim and not counts and contact.version:
        return Fitted(contact, left_out)
    if not contact.version:
        changed = newborn(changed)
    if not contacts.save(changed, claim=claim, counting=event.id if counts else ""):
        return None
    return Fitted(replace(changed, version=contact.version + 1), left_out)
