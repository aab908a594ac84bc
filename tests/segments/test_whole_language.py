"""The compiled rules, their explanation, what they read and what the profile decides, all held against a naive reading."""

from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings

from tests.segments.naive import naive
from tests.segments.strategies import RULES, SUBJECTS
from waypost.authoring.rules import dump_rule, parse_rule
from waypost.segments.compile import Subject, compile_rule, decide_from_profile
from waypost.segments.explain import explain
from waypost.segments.reading import reads

QUICK = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@QUICK
@given(RULES, SUBJECTS)
def test_a_compiled_rule_agrees_with_a_naive_reading_of_it(rule: dict[str, Any], someone: Subject) -> None:
    assert compile_rule(rule)(someone) is naive(rule, someone)


@QUICK
@given(RULES, SUBJECTS)
def test_the_normal_form_of_a_rule_means_the_same(rule: dict[str, Any], someone: Subject) -> None:
    normal = dump_rule(parse_rule(rule))
    assert normal is not None
    assert compile_rule(normal)(someone) is compile_rule(rule)(someone)
    assert dump_rule(parse_rule(normal)) == normal


@QUICK
@given(RULES, SUBJECTS)
def test_what_the_profile_decides_is_never_contradicted_by_the_history(rule: dict[str, Any], someone: Subject) -> None:
    decided = decide_from_profile(rule)(someone)
    assert decided in {None, compile_rule(rule)(someone)}
    if not (reads(rule).history or reads(rule).enrolments):
        assert decided is not None


@QUICK
@given(RULES, SUBJECTS)
def test_an_explanation_says_what_the_compiled_rule_says(rule: dict[str, Any], someone: Subject) -> None:
    explanation = explain(rule, someone)
    assert explanation.holds is compile_rule(rule)(someone)
    assert all(line.strip()[0] in "✓✗" for line in explanation.lines())
    assert explain(rule, someone, language="zh-CN").holds is explanation.holds


@QUICK
@given(RULES, SUBJECTS, SUBJECTS)
def test_what_a_rule_does_not_read_cannot_change_its_answer(
    rule: dict[str, Any], someone: Subject, other: Subject
) -> None:
    assert compile_rule(rule)(_changed(rule, someone, other)) is compile_rule(rule)(someone)


def _changed(rule: dict[str, Any], someone: Subject, other: Subject) -> Subject:
    """``someone`` in everything the rule reads, ``other`` in all the rest."""
    looks_at = reads(rule)

    def mixed(mine: Any, others: Any, names: frozenset[str]) -> Any:
        return {k: v for k, v in others.items() if k not in names} | {k: v for k, v in mine.items() if k in names}

    def either(name: str, *, read: bool) -> Any:
        return getattr(someone if read else other, name)

    wanted = looks_at.events
    history = [each for each in someone.history if looks_at.any_event or each[0] in wanted] if looks_at.history else []
    if not looks_at.any_event:
        history += [each for each in other.history if not looks_at.history or each[0] not in wanted]
    return replace(
        someone,
        attributes=mixed(someone.attributes, other.attributes, looks_at.attributes),
        tags=frozenset(someone.tags & looks_at.tags | other.tags - looks_at.tags),
        tagged_at=mixed(someone.tagged_at, other.tagged_at, looks_at.tags),
        groups=frozenset(someone.groups & looks_at.groups | other.groups - looks_at.groups),
        segments=mixed(someone.segments, other.segments, looks_at.segments),
        metrics=mixed(
            someone.metrics,
            other.metrics,
            frozenset(each for name in looks_at.metrics for each in (name, name.split(".")[0])),
        ),
        now=either("now", read=looks_at.time),
        zone=either("zone", read="timezone" in looks_at.attributes),
        properties=either("properties", read=looks_at.property),
        trigger=either("trigger", read=looks_at.trigger),
        lifecycle=either("lifecycle", read=looks_at.lifecycle),
        points=either("points", read=looks_at.points),
        identities=either("identities", read=looks_at.identities),
        suppressions=either("suppressions", read=looks_at.suppressions),
        consents=either("consents", read=bool(looks_at.consents)),
        consent_answers=either("consent_answers", read=bool(looks_at.consents)),
        enrolments=either("enrolments", read=looks_at.enrolments),
        history=history,
    )
