"""The compiled rules, their explanation, what they read and what the profile decides, all held against a naive reading."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.segments.naive import naive
from tests.segments.random_cases import case_in_time
from tests.segments.strategies import EDGES, PAIRS, RULES, SUBJECTS, ZONES
from waypost.authoring.rules import dump_rule, parse_rule
from waypost.authoring.rules.contradictions import never_together
from waypost.contacts.profile import Contact
from waypost.errors import InvalidInput
from waypost.segments.compile import Subject, compile_rule, decide_from_profile
from waypost.segments.dependencies import reads
from waypost.segments.explain import explain
from waypost.segments.subject import subject_of

CASES_OF_A_SEED = 500
COMPARED = {"all", "attribute", "property", "metric"}
QUICK = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@QUICK
@given(RULES, SUBJECTS)
def test_a_compiled_rule_agrees_with_a_naive_reading_of_it(rule: dict[str, Any], someone: Subject) -> None:
    assert compile_rule(rule)(someone) is naive(rule, someone)


@QUICK
@given(RULES, SUBJECTS)
def test_the_normal_form_of_a_rule_means_the_same(rule: dict[str, Any], someone: Subject) -> None:
    assume(not refusal(rule))
    normal = dump_rule(parse_rule(rule))
    assert normal is not None
    assert compile_rule(normal)(someone) is compile_rule(rule)(someone)
    assert dump_rule(parse_rule(normal)) == normal


@pytest.mark.parametrize("seed", range(4))
def test_a_condition_over_times_agrees_at_the_ends_of_windows_and_where_clocks_change(seed: int) -> None:
    for number in range(seed * CASES_OF_A_SEED, (seed + 1) * CASES_OF_A_SEED):
        rule, someone = case_in_time(number)
        holds = naive(rule, someone)
        assert compile_rule(rule)(someone) is holds, (number, rule)
        assert decide_from_profile(rule)(someone) in {None, holds}, (number, rule)
        assert explain(rule, someone).holds is holds, (number, rule)


def refusal(rule: dict[str, Any]) -> InvalidInput | None:
    """Why an author may not write the rule."""
    try:
        parse_rule(rule)
    except InvalidInput as error:
        return error
    return None


def parts(rule: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The rule and every rule in it."""
    yield rule
    for inner in (*rule.get("all", ()), *rule.get("any", ()), *([rule["not"]] if "not" in rule else ())):
        yield from parts(inner)


@QUICK
@given(st.one_of(RULES, PAIRS, PAIRS), SUBJECTS)
def test_a_rule_is_refused_only_where_it_can_hold_for_nobody(rule: dict[str, Any], someone: Subject) -> None:
    for part in parts(rule):
        refused = refusal(part)
        if refused is None:
            places = [place for place, _ in never_together(dump_rule(parse_rule(part)) or {}, "rule")]
            assert "rule.all" not in places or naive(part, someone) is False
            continue
        if refused.reason.startswith("last_days"):  # which events dated ahead of now would pass
            continue
        assert refused.reason.startswith("can never hold")
        # what is refused inside a condition counts nothing, which at_most, less_than and none_of ask for
        if refused.field == "rule" or COMPARED & part.keys():
            assert naive(part, someone) is False or refused.field.startswith(("rule.all[", "rule.any[", "rule.not"))


@QUICK
@given(SUBJECTS, st.sampled_from(ZONES))
def test_a_contact_without_a_zone_that_exists_counts_its_days_in_the_default_one(
    someone: Subject, default: ZoneInfo
) -> None:
    written = someone.attributes.get("timezone")
    contact = Contact("c-1", someone.now, attributes=dict(someone.attributes))
    expected = ZoneInfo(written) if written in EDGES else default
    assert subject_of(contact, now=someone.now, default_zone=default).zone.key == expected.key


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
