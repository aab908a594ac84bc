"""Identities, merges and undone merges in any order, against a model that only keeps lists of what happened to whom.

In the model a contact is the set of things that happened to it and the contacts that are part of it now; undoing a merge
takes one of them out. Whom a hand has parted is a set of pairs for all time: no event joins contacts that hold the two
sides of a pair. A withdrawal that was in force stays with both. Everything else is read off the sets.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import combinations, count
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.contacts.people import addresses
from tests.fakes.clock import FakeClock
from tests.fakes.contacts import FakeContacts
from tests.fakes.queue import FakeQueue
from waypost.contacts.identity.merge import is_kept_apart
from waypost.contacts.identity.merge_contacts import MergeContacts
from waypost.contacts.identity.record import record_on_contact
from waypost.contacts.identity.rules import BUILT_IN
from waypost.contacts.profile import Contact
from waypost.errors import InvalidInput
from waypost.events.envelope import IDENTITY_KINDS, Event

Fact = tuple[int, str, str, Any]
"""When (in the order of things), what kind of fact, its name, its value."""

DISTINCT = ("user_id", "unionid")
POOL = {"user_id": ["u1", "u2"], "unionid": ["w1", "w2"], "anonymous_id": ["a1", "a2", "a3"], "email": ["m1", "m2"]}
NOTHING: Mapping[str, Any] = {}
ATTRIBUTES = st.fixed_dictionaries(
    {},
    optional={name: st.one_of(st.none(), st.integers(0, 3)) for name in ("city", "plan")}
    | {"email": st.one_of(st.none(), st.sampled_from([*POOL["email"], "m3"]))},
)


@dataclass(eq=False)
class Person:
    """A contact of the model: ``own`` happened to it, ``made_of`` are those that are part of it, oldest merge first."""

    number: int
    own: set[Fact] = field(default_factory=set)
    made_of: list["Person"] = field(default_factory=list)

    @property
    def facts(self) -> set[Fact]:
        return self.own.union(*(other.facts for other in self.made_of))

    def known(self, kind: str) -> set[str]:
        return {value for _, what, name, value in self.facts if what == "identity" and name == kind}

    def latest(self, what: str) -> dict[str, Any]:
        """The value of each name that was set last."""
        return {name: fact[3] for name, fact in _latest(self.facts, what).items()}

    @property
    def numbers(self) -> set[int]:
        return {self.number}.union(*(other.numbers for other in self.made_of))

    @property
    def rank(self) -> tuple[int, int]:
        """By the strongest identity, then by the first event; a withdrawal that an undo left with both tells no age."""
        first = min(at for at, what, _, _ in self.facts if what == "points")
        return min(IDENTITY_KINDS.index(kind) for kind in POOL if self.known(kind)), first

    def may_have_as_address(self, email: str | None) -> bool:
        """The value set last holds; an address that is only named is one of the person's own."""
        addresses_set = {value for _, what, name, value in self.facts if (what, name) == ("attribute", "email")}
        last = _latest(self.facts, "attribute").get("email")
        if last is None:
            return email in self.known("email") or (email is None and not self.known("email"))
        if last[3] is not None:
            return bool(email == last[3])
        named = any(what == "named" and at >= last[0] for at, what, _, _ in self.facts)
        return email is None or (named and email in self.known("email") | addresses_set)


def _latest(facts: set[Fact], what: str) -> dict[str, Fact]:
    return {fact[2]: fact for fact in sorted(facts, key=lambda each: each[0]) if fact[1] == what}


def _withdrawals(facts: set[Fact]) -> set[Fact]:
    return {fact for fact in _latest(facts, "consent").values() if not fact[3]}


class Model:
    """Who there is, and what happened to them."""

    def __init__(self) -> None:
        self.living: list[Person] = []
        self.parted: set[frozenset[int]] = set()
        self.numbers = count()

    def owner(self, kind: str, value: str) -> Person | None:
        return next((each for each in self.living if value in each.known(kind)), None)

    def event(self, named: dict[str, str], facts: set[Fact], at: int) -> None:
        person = self._whose(named)
        is_new = person is None
        if person is None:
            person = Person(next(self.numbers))
            self.living.append(person)
        for kind in IDENTITY_KINDS:
            other = self.owner(kind, named[kind]) if kind in named and not is_new else None
            if other in {None, person} or other is None or self._contradicts(other, named):
                continue
            if self.may_be_one(person, other):
                person = self.merge(person, other)
        new = {(at, "identity", kind, value) for kind, value in named.items() if self.owner(kind, value) is None}
        person.own |= facts | new
        if named.get("email") in person.known("email"):
            person.own.add((at, "named", "", ""))

    def _whose(self, named: dict[str, str]) -> Person | None:
        for kind in IDENTITY_KINDS:
            if kind not in named or (owner := self.owner(kind, named[kind])) is None:
                continue
            stronger = [each for each in DISTINCT if IDENTITY_KINDS.index(each) < IDENTITY_KINDS.index(kind)]
            if not any(
                each in named and owner.known(each) and named[each] not in owner.known(each) for each in stronger
            ):
                return owner
        return None

    @staticmethod
    def _contradicts(other: Person, named: dict[str, str]) -> bool:
        return any(each in named and other.known(each) and named[each] not in other.known(each) for each in DISTINCT)

    def may_be_one(self, one: Person, other: Person, *, by_hand: bool = False) -> bool:
        if any(one.known(kind) and other.known(kind) for kind in DISTINCT):
            return False
        return by_hand or not self.are_kept_apart(one, other)

    def are_kept_apart(self, one: Person, other: Person) -> bool:
        return any(pair & one.numbers and pair & other.numbers for pair in self.parted)

    def merge(self, one: Person, other: Person) -> Person:
        survivor, absorbed = sorted((one, other), key=lambda each: each.rank)
        survivor.made_of.append(absorbed)
        self.living.remove(absorbed)
        return survivor

    def undo(self, survivor: Person, place: int) -> None:
        absorbed = survivor.made_of[place]
        in_force = _withdrawals(survivor.facts)
        later = range(place + 1, len(survivor.made_of) + 1)
        before = [survivor.own.union(*(each.facts for each in survivor.made_of[:end])) for end in later]
        survivor.own = survivor.own.union(*map(_withdrawals, before))
        absorbed.own |= in_force
        survivor.made_of.remove(absorbed)
        self.living.append(absorbed)
        self.parted.add(frozenset({survivor.number, absorbed.number}))


class IdentityMachine(RuleBasedStateMachine):
    """What may happen to contacts, one thing after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock("2027-03-01T04:00:00.000Z")
        self.contacts = FakeContacts()
        self.model = Model()
        self.merger = MergeContacts(contacts=self.contacts, queue=FakeQueue(), rules=BUILT_IN, clock=self.clock)
        self.steps = count()
        self.earned = 0
        self.seen: dict[str, set[str]] = {kind: set() for kind in POOL}

    @initialize(known=st.lists(ATTRIBUTES, min_size=4, max_size=4))
    def four_are_known_already(self, known: list[dict[str, Any]]) -> None:
        strangers = ({"anonymous_id": "a1"}, {"anonymous_id": "a2"}, {"email": "m1"}, {"user_id": "u1"})
        for named, attributes in zip(strangers, known, strict=True):
            self._happens(named, attributes)

    @rule(
        named=st.fixed_dictionaries(
            {}, optional={kind: st.sampled_from(values) for kind, values in POOL.items()}
        ).filter(bool),
        attributes=ATTRIBUTES,
        tags=st.dictionaries(st.sampled_from(["vip", "new"]), st.booleans(), max_size=2),
        consent=st.dictionaries(st.sampled_from(["email", "sms"]), st.booleans(), max_size=1),
        points=st.integers(0, 5),
        twice=st.booleans(),
    )
    def a_contact_does_something(
        self,
        named: dict[str, str],
        attributes: dict[str, Any],
        tags: dict[str, bool],
        consent: dict[str, bool],
        points: int,
        twice: bool,
    ) -> None:
        self._happens(named, attributes, tags, consent, points=points, times=1 + twice)

    def _happens(
        self,
        named: Mapping[str, str],
        attributes: Mapping[str, Any],
        tags: Mapping[str, bool] = NOTHING,
        consent: Mapping[str, bool] = NOTHING,
        *,
        points: int = 1,
        times: int = 1,
    ) -> None:
        at = next(self.steps)
        self.clock.advance(minutes=1)
        given, taken = ([name for name in tags if tags[name] is which] for which in (True, False))
        profile = {**attributes, "tags": given, "remove_tags": taken, "consent": dict(consent)}
        event = Event(
            f"e-{at}", "points_earned", dict(named), self.clock(), self.clock(), "shop", {"points": points}, profile
        )
        for _ in range(times):
            record_on_contact(event, contacts=self.contacts, is_repeated=lambda _: False, clock=self.clock)
        self.earned += points
        facts: set[Fact] = {(at, "attribute", name, value) for name, value in attributes.items()}
        facts |= {(at, "tag", name, on) for name, on in tags.items()} | {(at, "points", "", points)}
        facts |= {(at, "consent", name, value) for name, value in consent.items()}
        self.model.event(dict(named), facts, at)
        for kind, value in named.items():
            self.seen[kind].add(value)

    @precondition(lambda self: any(each.made_of for each in self.model.living))
    @rule(data=st.data())
    def an_operator_undoes_a_merge(self, data: st.DataObject) -> None:
        self.clock.advance(minutes=1)
        at = next(self.steps)
        survivor = data.draw(st.sampled_from([each for each in self.model.living if each.made_of]))
        place = data.draw(st.integers(0, len(survivor.made_of) - 1))
        not_undone = [each for each in self.contacts.merges(self._contact(survivor).contact_id) if not each.undone_at]
        assert len(not_undone) == len(survivor.made_of)
        is_latest = place == len(not_undone) - 1
        named = self._identity_of(survivor)
        done = self.merger.undo(named, merge_id="" if is_latest else not_undone[place].merge_id, request_id=f"r-{at}")
        assert (done["undone"], done["merge_id"]) == (True, not_undone[place].merge_id)
        self.model.undo(survivor, place)

    @precondition(lambda self: len(self.model.living) > 1)
    @rule(data=st.data())
    def an_operator_merges_two_by_hand(self, data: st.DataObject) -> None:
        self.clock.advance(minutes=1)
        next(self.steps)
        one, other = data.draw(st.permutations(self.model.living))[:2]
        named = self._identity_of(one), self._identity_of(other)
        allowed = self.model.may_be_one(one, other, by_hand=True)
        assert self.merger.preview(*named)["allowed"] is allowed
        if allowed:
            assert self.merger.merge(*named)["merged"]
            self.model.merge(one, other)
        else:
            with pytest.raises(InvalidInput, match="different values"):
                self.merger.merge(*named)

    @invariant()
    def the_store_says_what_the_model_says(self) -> None:
        found = {contact.contact_id: contact for contact in self.contacts.living()}
        assert len(found) == len(self.model.living)
        for person in self.model.living:
            contact = self._contact(person)
            assert len(contact.partitions) == len(person.numbers)
            assert {kind: set(values) for kind, values in contact.identities.items() if values} == {
                kind: person.known(kind) for kind in POOL if person.known(kind)
            }
            attributes = {name: value for name, value in person.latest("attribute").items() if value is not None}
            assert _without_address(contact.attributes) == _without_address(attributes)
            assert person.may_have_as_address(next(iter(addresses(contact, "email")), None))
            assert contact.tags == {name for name, on in person.latest("tag").items() if on}
            assert contact.points == sum(value for _, what, _, value in person.facts if what == "points")
            answers = {name: contact.consent(name, "*") == "granted" for name in person.latest("consent")}
            assert answers == person.latest("consent")

    @invariant()
    def whom_a_hand_has_parted_is_kept_apart_and_nobody_else(self) -> None:
        for one, other in combinations(self.model.living, 2):
            parted = self.model.are_kept_apart(one, other)
            assert is_kept_apart(self._contact(one), self._contact(other)) is parted

    @invariant()
    def no_identity_and_no_point_is_lost_and_every_old_id_leads_to_a_living_contact(self) -> None:
        for kind, values in self.seen.items():
            for value in values:
                contact = self.contacts.load(self.contacts.identities[kind, value])
                assert contact is not None
                assert not contact.merged_into
                assert value in contact.identities[kind]
        assert sum(contact.points for contact in self.contacts.living()) == self.earned
        for contact_id in self.contacts.items:
            assert self.contacts.load(contact_id) is not None
        for contact in self.contacts.living():
            assert len(contact.identities.get("user_id", ())) <= 1

    def _contact(self, person: Person) -> Contact:
        ((kind, value),) = self._identity_of(person).items()
        contact = self.contacts.load(self.contacts.identities[kind, value])
        assert contact is not None
        return contact

    @staticmethod
    def _identity_of(person: Person) -> dict[str, str]:
        return next(iter(_identities_of(person)))


def _without_address(attributes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in attributes.items() if name != "email"}


def _identities_of(person: Person) -> Iterator[dict[str, str]]:
    for kind in POOL:
        for value in sorted(person.known(kind)):
            yield {kind: value}


IdentityMachine.TestCase.settings = settings(
    max_examples=100,
    stateful_step_count=25,
    deadline=timedelta(seconds=5),
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)
TestIdentities = IdentityMachine.TestCase
