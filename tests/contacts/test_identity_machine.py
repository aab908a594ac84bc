"""Identities, merges and undone merges in any order, against a model that only keeps lists of what happened to whom.

In the model a contact is the set of things that happened to it; a merge is the union of two sets, and undoing it takes
out of the survivor's set what only the other brought along. Whom the other was kept apart from goes with it; a
withdrawal that an earlier undo left with both stays with both. Everything else is read off the sets.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.fakes import FakeClock, FakeContacts, FakeQueue
from waypost.contacts.identity import record_on_contact
from waypost.contacts.identity_rules import BUILT_IN
from waypost.contacts.merger import Merger
from waypost.errors import InvalidInput
from waypost.events.envelope import IDENTITY_KINDS, Event

Fact = tuple[int, str, str, Any]
"""When (in the order of things), what kind of fact, its name, its value."""

DISTINCT = ("user_id", "unionid")
POOL = {"user_id": ["u1", "u2"], "unionid": ["w1", "w2"], "anonymous_id": ["a1", "a2", "a3"], "email": ["m1", "m2"]}


@dataclass(eq=False)
class Person:
    """A living contact of the model."""

    number: int
    facts: set[Fact] = field(default_factory=set)
    apart: set[int] = field(default_factory=set)
    made_of: list[tuple["Person", frozenset[Fact], frozenset[int]]] = field(default_factory=list)
    """Who was merged into this one, and what only they brought along: what happened to them, whom to keep apart from."""

    def known(self, kind: str) -> set[str]:
        return {value for _, what, name, value in self.facts if what == "identity" and name == kind}

    def latest(self, what: str) -> dict[str, Any]:
        """The value of each name that was said last."""
        return {name: value for _, kind, name, value in sorted(self.facts, key=lambda each: each[0]) if kind == what}

    @property
    def numbers(self) -> set[int]:
        return {self.number}.union(*(other.numbers for other, _, _ in self.made_of))

    @property
    def rank(self) -> tuple[int, int]:
        """By the strongest identity, then by the first event; a withdrawal that an undo left with both tells no age."""
        first = min(at for at, what, _, _ in self.facts if what == "points")
        return min(IDENTITY_KINDS.index(kind) for kind in POOL if self.known(kind)), first


class Model:
    """Who there is, and what happened to them."""

    def __init__(self) -> None:
        self.living: list[Person] = []
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
        person.facts |= facts | new

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
        return by_hand or not (one.apart & other.numbers or other.apart & one.numbers)

    def merge(self, one: Person, other: Person) -> Person:
        survivor, absorbed = sorted((one, other), key=lambda each: each.rank)
        brought = frozenset(absorbed.facts - survivor.facts), frozenset(absorbed.apart - survivor.apart)
        survivor.made_of.append((absorbed, *brought))
        survivor.facts |= absorbed.facts
        survivor.apart = (survivor.apart | absorbed.apart) - survivor.numbers
        self.living.remove(absorbed)
        return survivor

    def undo(self, survivor: Person) -> None:
        absorbed, brought, kept_from = survivor.made_of.pop()
        no = {
            fact
            for fact in survivor.facts
            if fact[1] == "consent" and not fact[3] and survivor.latest("consent")[fact[2]] is False
        }
        last = {fact for fact in no if fact[0] == max(each[0] for each in no if each[2] == fact[2])}
        survivor.facts = (survivor.facts - brought) | last
        absorbed.facts |= last
        survivor.apart = (survivor.apart - kept_from) | {absorbed.number}
        absorbed.apart.add(survivor.number)
        self.living.append(absorbed)


class IdentityMachine(RuleBasedStateMachine):
    """What may happen to contacts, one thing after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock("2027-03-01T04:00:00.000Z")
        self.contacts = FakeContacts()
        self.model = Model()
        self.merger = Merger(contacts=self.contacts, queue=FakeQueue(), rules=BUILT_IN, clock=self.clock)
        self.steps = count()
        self.earned = 0
        self.seen: dict[str, set[str]] = {kind: set() for kind in POOL}

    @rule(
        named=st.fixed_dictionaries(
            {}, optional={kind: st.sampled_from(values) for kind, values in POOL.items()}
        ).filter(bool),
        attributes=st.dictionaries(
            st.sampled_from(["city", "plan"]), st.one_of(st.none(), st.integers(0, 3)), max_size=2
        ),
        tags=st.sets(st.sampled_from(["vip", "new"]), max_size=2),
        consent=st.dictionaries(st.sampled_from(["email", "sms"]), st.booleans(), max_size=1),
        points=st.integers(0, 5),
        twice=st.booleans(),
    )
    def somebody_does_something(
        self,
        named: dict[str, str],
        attributes: dict[str, Any],
        tags: set[str],
        consent: dict[str, bool],
        points: int,
        twice: bool,
    ) -> None:
        at = next(self.steps)
        self.clock.advance(minutes=1)
        profile = {**attributes, "tags": sorted(tags), "consent": consent}
        event = Event(
            f"e-{at}", "points_earned", dict(named), self.clock(), self.clock(), "shop", {"points": points}, profile
        )
        for _ in range(1 + twice):
            record_on_contact(event, contacts=self.contacts, is_repeated=lambda _: False, clock=self.clock)
        self.earned += points
        facts: set[Fact] = {(at, "attribute", name, value) for name, value in attributes.items()}
        facts |= {(at, "tag", name, True) for name in tags} | {(at, "points", "", points)}
        facts |= {(at, "consent", name, value) for name, value in consent.items()}
        self.model.event(named, facts, at)
        for kind, value in named.items():
            self.seen[kind].add(value)

    @precondition(lambda self: any(each.made_of for each in self.model.living))
    @rule(data=st.data())
    def somebody_undoes_the_latest_merge(self, data: st.DataObject) -> None:
        self.clock.advance(minutes=1)
        next(self.steps)
        survivor = data.draw(st.sampled_from([each for each in self.model.living if each.made_of]))
        self.merger.undo(self._identity_of(survivor))
        self.model.undo(survivor)

    @precondition(lambda self: len(self.model.living) > 1)
    @rule(data=st.data())
    def somebody_merges_two_by_hand(self, data: st.DataObject) -> None:
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
            ((kind, value),) = self._identity_of(person).items()
            contact = self.contacts.load(self.contacts.identities[kind, value])
            assert contact is not None
            assert {kind: set(values) for kind, values in contact.identities.items() if values} == {
                kind: person.known(kind) for kind in POOL if person.known(kind)
            }
            attributes = {name: value for name, value in person.latest("attribute").items() if value is not None}
            assert {name: value for name, value in contact.attributes.items() if name != "email"} == attributes
            assert contact.attributes.get("email") in (person.known("email") or [None])
            assert contact.tags == set(person.latest("tag"))
            assert contact.points == sum(value for _, what, _, value in person.facts if what == "points")
            answers = {name: contact.consent(name, "*") == "granted" for name in person.latest("consent")}
            assert answers == person.latest("consent")

    @invariant()
    def no_identity_and_no_point_is_lost_and_every_old_id_leads_to_somebody_alive(self) -> None:
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

    @staticmethod
    def _identity_of(person: Person) -> dict[str, str]:
        return next(iter(_identities_of(person)))


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
