"""What every condition promises, for each that is registered: a piece of one that was forgotten is found here or at import."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import Any, Self
from zoneinfo import ZoneInfo

import pytest

from tests.adapters.test_profile_view import projected, stored
from tests.segments.documented import EXAMPLES
from tests.segments.naive import naive
from tests.segments.strategies import NOT_NAIVE, OTHERS
from waypost.authoring.rules.registry import MODELS
from waypost.authoring.rules.sample import ZONE, sample
from waypost.aws import profile_view
from waypost.contacts.profile import Contact
from waypost.errors import InvalidInput
from waypost.segments import condition as interface
from waypost.segments.compile import Subject, compile_rule, decide_from_profile
from waypost.segments.condition import Combination, Condition, condition, leaves
from waypost.segments.conditions import CONDITIONS, KEY_WORDS, parse_rule
from waypost.segments.explain import explain
from waypost.segments.index import facts_read
from waypost.segments.reads import SOURCES, ZONE_ATTRIBUTE, Reads
from waypost.segments.subject import subject_of
from waypost.segments.vocabulary import WHERE_WORDS

Rule = dict[str, Any]

LEAVES = [word for word, kind in CONDITIONS.items() if not issubclass(kind, Combination)]

BLANK = "c-2"
"""The id of the contact of whom nothing is known; random parts have it where they have not the sample, and the other way round."""


def sample_contact() -> Contact:
    """The contact of the reference page as it is stored."""
    known = sample()
    return Contact(
        contact_id=known.contact_id,
        created_at=known.created_at or known.now,
        attributes=dict(known.attributes),
        attributes_at={f"tag:{name}": at for name, at in known.tagged_at.items()},
        identities={kind: list(values) for kind, values in known.identities.items()},
        tags=frozenset(known.tags),
        consents=dict(known.consent_answers),
        suppressions=dict(known.suppressions),
        lifecycle=known.lifecycle,
        points=known.points,
        metrics=dict(known.metrics),
        groups=frozenset(known.groups),
        segments=dict(known.segments),
        seen=dict(known.seen or {}),
    )


def blank_contact() -> Contact:
    """A contact of whom nothing is known."""
    return Contact(contact_id=BLANK, created_at=sample().now - timedelta(days=400))


CONTACTS = {"sample": sample_contact(), "blank": blank_contact()}


def live(contact: Contact) -> Subject:
    """The contact with all of its past, as it is known where an event is routed."""
    known, is_blank = sample(), contact.contact_id == BLANK
    return subject_of(
        contact,
        now=known.now - timedelta(hours=13) * is_blank,
        default_zone=ZONE,
        properties={} if is_blank else {"coupon": "WELCOME10", "total": 199, "category": "make-up", "cart_id": "c-9"},
        trigger={} if is_blank else known.trigger,
        history=() if is_blank else known.history,
        enrolments=() if is_blank else known.enrolments,
    )


def in_bulk(contact: Contact, reads: Reads) -> Subject:
    """The contact as a scan returns it: only what these reads project, without its past."""
    item = projected(stored(contact), profile_view.projection(reads))
    return profile_view.viewer(reads, now=live(contact).now, default_zone=ZONE)(item)


def with_past(subject: Subject, contact: Contact, reads: Reads) -> Subject:
    """The subject with the past that is fetched for these reads."""
    known = live(contact)
    events = [each for each in known.history if reads.any_event or each[0] in reads.events]
    return replace(
        subject,
        history=events if reads.history else (),
        enrolments=known.enrolments if reads.enrolments else (),
    )


of_each_condition = pytest.mark.parametrize("word", list(CONDITIONS))


def cases(word: str) -> Iterator[tuple[Rule, Contact]]:
    """Every example of the condition, with every contact."""
    return ((rule, contact) for rule in EXAMPLES[word] for contact in CONTACTS.values())


@of_each_condition
def test_a_condition_holds_in_bulk_when_it_holds_live(word: str) -> None:
    for rule, contact in cases(word):
        holds, decide, reads = compile_rule(rule), decide_from_profile(rule), parse_rule(rule).reads()
        if reads.property or reads.trigger:  # of events, which a scan of profiles never has at hand
            continue
        expected, scanned = holds(live(contact)), in_bulk(contact, reads)
        decided = decide(scanned)
        assert decided in {None, expected}, rule
        assert decided is not None or reads.looks_back(), rule
        assert holds(with_past(scanned, contact, reads)) is expected, rule


@of_each_condition
def test_the_profile_never_decides_against_the_past(word: str) -> None:
    for rule, contact in cases(word):
        holds, decide, known = compile_rule(rule), decide_from_profile(rule), live(contact)
        for partly in (known, replace(known, history=(), enrolments=()), replace(known, seen=None)):
            assert decide(partly) in {None, holds(known)}, rule


@pytest.mark.parametrize("word", sorted(CONDITIONS.keys() - NOT_NAIVE))
def test_a_condition_holds_when_the_naive_reading_says_so(word: str) -> None:
    for rule, contact in cases(word):
        if all(each.word not in NOT_NAIVE for each in leaves(parse_rule(rule))):
            assert compile_rule(rule)(live(contact)) is naive(rule, live(contact)), rule


@pytest.mark.parametrize("word", LEAVES)
def test_some_example_tells_the_sample_from_a_blank_contact(word: str) -> None:
    assert any(
        compile_rule(rule)(live(CONTACTS["sample"])) is not compile_rule(rule)(live(CONTACTS["blank"]))
        for rule in EXAMPLES[word]
    )


# What a compiled condition looks at


class Watched(dict[str, Any]):
    """A mapping that notes which names are looked up; ``*`` for all of them."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__(values)
        self.names: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return super().get(name, default)

    def __getitem__(self, name: str) -> Any:
        self.names.add(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self.names.add(str(name))
        return super().__contains__(name)

    def __iter__(self) -> Iterator[str]:
        self.names.add("*")
        return super().__iter__()

    def values(self) -> Any:
        self.names.add("*")
        return super().values()


@dataclass
class WatchedSubject:
    """A subject that notes which of its fields are looked at."""

    subject: Subject
    attributes: Watched
    looked_at: set[str]

    @classmethod
    def of(cls, subject: Subject) -> Self:
        return cls(subject, Watched(subject.attributes), set())

    def __getattr__(self, name: str) -> Any:
        self.looked_at.add(name)
        return getattr(self.subject, name)


ALWAYS_THERE = {"contact_id", "created_at", "now", "zone"}
"""Fields that every subject has; ``now`` and ``zone`` are passed to windows that do not need them, and tested by changes."""

READ_AS = {
    "seen": "history", "tagged_at": "tags", "consent_answers": "consents", "properties": "property", "trigger": "trigger",
}  # fmt: skip
"""What a field is called in ``Reads`` where it is not called the same."""


@of_each_condition
def test_reads_names_everything_the_code_looks_at(word: str) -> None:
    for rule, contact in cases(word):
        reads, watched = parse_rule(rule).reads(), WatchedSubject.of(live(contact))
        compile_rule(rule)(watched)  # type: ignore[arg-type]
        assert watched.attributes.names <= reads.attributes, rule
        for field in watched.looked_at - ALWAYS_THERE:
            assert READ_AS.get(field, field) in set(reads.sources()), f"{rule} looks at {field}"


ZONES = [ZoneInfo(name) for name in ("Asia/Shanghai", "America/New_York", "Pacific/Kiritimati", "Pacific/Pago_Pago")]
LATER = [timedelta(days=days, hours=hours) for days in (0, 1, 8, 40, 400) for hours in (0, 7, 13)]


@of_each_condition
def test_only_a_condition_that_says_so_changes_with_time_and_zone(word: str) -> None:
    for rule, contact in cases(word):
        holds, reads, known = compile_rule(rule), parse_rule(rule).reads(), live(contact)
        times = [known.now] if reads.time else [known.now + span for span in LATER]
        zones = [known.zone] if ZONE_ATTRIBUTE in reads.attributes else ZONES
        answers = {holds(replace(known, now=now, zone=zone)) for now in times for zone in zones}
        assert len(answers) == 1, rule


def test_every_field_of_a_subject_has_a_source() -> None:
    """What a rule can look at is what ``Reads`` can name; ``seen`` is read with the history."""
    known = {field.name for field in fields(Subject)} - ALWAYS_THERE
    assert {READ_AS.get(name, name) for name in known} | {"events", "any_event", "journeys", "time"} == set(SOURCES)
    assert [field.name for field in fields(Reads)] == list(SOURCES)


@of_each_condition
def test_what_a_condition_reads_of_the_contact_is_a_fact_that_events_touch(word: str) -> None:
    for rule in EXAMPLES[word]:
        reads = parse_rule(rule).reads()
        facts = set(facts_read(reads))
        assert {f"attribute:{name}" for name in reads.attributes} <= facts
        assert {f"event:{name}" for name in reads.events} <= facts
        assert facts or set(reads.sources()) <= {"property", "trigger"}, rule


# Words and values


@of_each_condition
def test_a_condition_explains_itself_in_both_languages(word: str) -> None:
    labels = []
    for rule in EXAMPLES[word]:
        english, chinese = (
            explain(rule, live(CONTACTS["sample"]), language=language).label for language in ("en", "zh-CN")
        )
        is_value_alone = set(re.findall(r"\w+", english)) <= set(re.findall(r"\w+", str(rule)))  # event: order_placed
        assert english, rule
        assert english != chinese or is_value_alone, rule
        labels.append(english)
    assert len(set(labels)) == len(labels) or issubclass(CONDITIONS[word], Combination)


@pytest.mark.parametrize("word", LEAVES)
def test_a_condition_shows_the_values_that_decided(word: str) -> None:
    shown = {
        name: [explain(rule, live(contact)).values for rule in EXAMPLES[word]] for name, contact in CONTACTS.items()
    }
    assert all(shown["sample"])
    assert all(shown["blank"])
    assert shown["sample"] != shown["blank"]


# Parsing and registration


@of_each_condition
def test_an_unknown_word_and_a_wrong_kind_of_value_are_refused(word: str) -> None:
    for rule in EXAMPLES[word]:
        with pytest.raises(InvalidInput):
            parse_rule({**rule, "nonsense": 1})
        for wrong in (None, {}, {"nonsense": 1}, [5.5]):
            with pytest.raises(InvalidInput):
                compile_rule({**rule, word: wrong})


def test_whatever_can_be_written_can_be_run_and_the_other_way_round() -> None:
    assert set(MODELS) == set(CONDITIONS) == set(KEY_WORDS)
    assert set(WHERE_WORDS) <= set(CONDITIONS)
    assert set(CONDITIONS) >= OTHERS | NOT_NAIVE
    assert [word for word, rules in EXAMPLES.items() if not rules] == []


def test_every_class_of_a_condition_is_registered() -> None:
    def subclasses(kind: type[Any]) -> Iterator[type[Any]]:
        for each in kind.__subclasses__():
            yield each
            yield from subclasses(each)

    def names(kinds: Iterable[type[Any]]) -> set[str]:  # a dataclass with slots is made from a class of the same name
        return {f"{each.__module__}.{each.__qualname__}" for each in kinds if each.__module__.startswith("waypost.")}

    assert names(subclasses(Condition)) - names([Combination]) == names(CONDITIONS.values())


WHOLE = {name: lambda *_: None for name in ("parse", "reads", "compile", "decide", "say", "values")}


@pytest.mark.parametrize("forgotten", WHOLE)
def test_a_condition_with_a_method_forgotten_is_refused_at_import(forgotten: str) -> None:
    methods = {name: method for name, method in WHOLE.items() if name != forgotten}
    with pytest.raises(TypeError, match=f"'shoe_size' has no {forgotten}"):
        condition("shoe_size")(type("ShoeSize", (Condition,), {**methods, "__final__": True}))
    assert "shoe_size" not in interface.REGISTERED


def test_so_is_one_that_could_be_subclassed_or_has_the_key_word_of_another() -> None:
    with pytest.raises(TypeError, match="not marked @final"):
        condition("shoe_size")(type("ShoeSize", (Condition,), dict(WHOLE)))
    with pytest.raises(TypeError, match="two conditions have the key word 'tag'"):
        condition("tag")(type("ShoeSize", (Condition,), {**WHOLE, "__final__": True}))
    assert "shoe_size" not in interface.REGISTERED
