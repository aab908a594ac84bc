"""Templates are followed through every branch: what is missing, misnamed or unprintable for any contact is refused."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from waypost.authoring.template_guards import UnsafeTemplateError, check_guards
from waypost.authoring.template_shapes import ROOT_SHAPES, products
from waypost.content.templates import TEXT, BrokenTemplateError, UnknownVariableError, fill, prepared

SHAPES = {**ROOT_SHAPES, "products": products(0)}

SAFE = [
    '{{ contact.a | default("x") }}',
    '{{ contact.a | d("x") | upper }}',
    "{% if contact.a is defined %}{{ contact.a }}{% endif %}",
    "{% if contact.a is undefined %}-{% else %}{{ contact.a }}{% endif %}",
    "{% if not contact.a is defined %}-{% else %}{{ contact.a }}{% endif %}",
    "{% if contact.a is not defined %}-{% elif contact.a == 5 %}{{ contact.a }}{% else %}{{ contact.a }}{% endif %}",
    '{% if contact.a | default("") == "gold" %}{{ contact.a }}{% endif %}',
    '{% if "gold" == contact.a | default("") %}{{ contact.a }}{% endif %}',
    '{% if contact.a | default("") in ["gold", "silver"] %}{{ contact.a }}{% endif %}',
    '{% if contact.a | default("") != "" %}{{ contact.a }}{% endif %}',
    '{% if contact.a | default("") | lower == "gold" %}{{ contact.a }}{% endif %}',
    '{% if contact.a | default("") %}{{ contact.a }}{% endif %}',
    "{% if contact.a is defined and contact.b is defined %}{{ contact.a }}{{ contact.b }}{% endif %}",
    "{% if contact.a is undefined or contact.b is undefined %}-{% else %}{{ contact.a }}{{ contact.b }}{% endif %}",
    "{% if contact.a is defined and contact.a == 5 %}five{% endif %}",
    "{{ contact.a if contact.a is defined else contact.id }}",
    "{{ contact.a if contact.a is defined }}",
    '{{ (contact.a | default({})).x | default("x") }}',
    '{% if (contact.a | default({})).x is defined %}{{ contact.a.x }}{% endif %}',
    '{% for each in contact.a | default([]) %}{{ each.x | default("x") }}{% endfor %}',
    '{% for each in contact.a | default([]) if each.x is defined %}{{ each.x }}{% endfor %}',
    "{% for each in contact.a | default([]) %}{% if each.x is undefined %}{% continue %}{% endif %}{{ each.x }}{% endfor %}",
    '{{ ((contact.a | default([]))[0] | default({})).x | default("x") }}',
    '{% set name = contact.a | default("x") %}{{ name }}',
    '{% set name = "x" %}{% if contact.a is defined %}{% set name = contact.a %}{% endif %}{{ name }}',
    "{% if contact.a is defined %}{% set name = contact.a %}{% else %}{% set name = 1 %}{% endif %}{{ name }}",
    '{% with name = contact.a | default("x") %}{{ name }}{% endwith %}',
    '{% macro hello(name, mark="!") %}{{ name }}{{ mark }}{% endmacro %}{{ hello(contact.a | default("x")) }}',
    "{% set shown %}{{ contact.id }}{% endset %}{{ shown }}",
    "{% filter upper %}{{ contact.id }}{% endfilter %}",
    '{{ contact.a | default("x") ~ contact.b | default("y") }}',
    '{{ contact.a | default([]) | map(attribute="x", default="y") | join(", ") }}',
    "{% for each in products.related %}{{ each.name }}{{ loop.index }}{{ each.category | default('') }}{% endfor %}",
    "{% if products.cart %}{{ products.cart[0].name }}{% endif %}",
    "{{ event.left_on.properties.a | default('x') }}",
    "{% for number in range(3) %}{{ number }}{% endfor %}",
    "{{ contact.id.upper() }}",
    "{{ event.type }}{{ journey.name }}{{ message.channel }}{{ links.unsubscribe }}",
    "{% raw %}{{ contact.a }}{% endraw %}",
]  # fmt: skip

SAFE_FOR_LISTS = [
    '{% if contact.a | default([]) %}{{ contact.a[0].x | default("x") }}{% endif %}',
    '{% if contact.a | default([]) | length > 0 %}{{ (contact.a | first).x | default("x") }}{% endif %}',
    '{{ (contact.a | default([{}], true))[0].x | default("x") }}',
    "{{ (contact.a | default(['x'], true)) | last }}",
]

SAFE_FOR_LISTS += [
    "{% if contact.a | default([]) | length > 1 %}{{ (contact.a[1] | default({})).x | default('x') }}{{ contact.a[1].y | default('') }}{% endif %}",
    "{% if contact.a | default([]) | length == 2 %}{{ contact.a[0].x | default('') }}{{ contact.a[1].x | default('') }}{% endif %}",
    "{% if contact.a | default([]) | count < 2 %}-{% else %}{{ contact.a[1].x | default('') }}{% endif %}",
    "{% if products.related | length >= 2 %}{{ products.related[1].name }}{% endif %}",
    "{% for each in contact.a | default([]) recursive %}{{ each.x | default('') }}{{ loop(each.more | default([])) }}{% endfor %}",
    "{% for each in products.cart %}{{ each.name }}{{ ', ' if not loop.last }}{% endfor %}",
]

UNGUARDED = [
    "{{ contact.a }}",
    '{% if contact.b | default("") == "gold" %}{{ contact.a }}{% endif %}',
    '{% if contact.b | default("") == "gold" %}{% if contact.a %}-{% endif %}{% endif %}',
    '{% if contact.b | default("") != "gold" %}{{ contact.b }}{% endif %}',
    '{% if contact.a | default("gold") == "gold" %}{{ contact.a }}{% endif %}',
    "{% if contact.b | default(0) == 5 %}{{ contact.a.x }}{% endif %}",
    "{% if contact.a is defined %}-{% else %}{{ contact.a }}{% endif %}",
    "{% if contact.a is defined or contact.b is defined %}{{ contact.a }}{% endif %}",
    "{% if contact.a is defined %}-{% endif %}{{ contact.a }}",
    "{% if contact.b is defined %}{% set name = contact.b %}{% endif %}{{ name }}",
    '{% if contact.b | default("") in ["gold", "silver"] %}{% for each in contact.a %}-{% endfor %}{% endif %}',
    "{{ contact.a | upper }}",
    '{{ contact.a.x | default("x") }}',
    "{{ contact.a ~ 'x' }}",
    "{{ contact.a if contact.b is defined }}",
    "{% for each in contact.a | default([]) %}{{ each.x }}{% endfor %}",
    "{% for each in contact.a | default([]) %}{% if each.y is defined %}{{ each.x }}{% endif %}{% endfor %}",
    '{{ (contact.a | default([{}]))[0].x | default("x") }}',
    '{{ (contact.a | default([]))[0] }}',
    '{{ (contact.a | default([]) | first).x | default("x") }}',
    "{% if contact.b is defined %}{{ (contact.a | default([]) | last) }}{% endif %}",
    "{% macro hello(name) %}{{ name }}{% endmacro %}{{ hello(contact.a) }}",
    "{% macro hello(name) %}{{ name }}{% endmacro %}{{ hello() }}",
    "{% set name = contact.a %}{{ name }}",
    "{% set shown %}{{ contact.a }}{% endset %}",
    "{{ products.cart[0].name }}",
    "{% if products.cart %}{{ products.cart[2].name }}{% endif %}",
    "{% if products.related | length > 1 %}{{ products.related[2].name }}{% endif %}",
    "{% if contact.a | default([]) | length > 0 %}{{ contact.a[1].x | default('') }}{% endif %}",
    "{% for each in products.cart %}{{ each.category }}{% endfor %}",
    "{% for each in products.cart %}{{ loop.previtem.name }}{% endfor %}",
]  # fmt: skip

LISTS: list[Any] = [None, [], [{}], [{"x": "1"}, {"y": "2"}]]
VALUES: list[Any] = [*LISTS, "gold", "silver", 5, {"x": "1"}, {"y": 1}]


def contexts(values: list[Any]) -> Iterator[dict[str, Any]]:
    """Every pair of values that a contact may have."""
    cart = [{"id": "p", "name": "P", "price": 1, "tags": []}] * 2
    for (a, b), shown in itertools.product(itertools.product(values, values), ([], cart)):
        yield {
            "contact": {"id": "c-1", "a": a, "b": b},
            "event": {"id": "e-1", "type": "t", "occurred_at": "2027-03-01T02:00:00.000Z", "properties": {"a": a}},
            "journey": {"name": "j"},
            "message": {"name": "m", "channel": "email"},
            "links": {"unsubscribe": "https://example.com/u"},
            "products": {"currency": "CNY", "related": shown, "cart": shown},
        }


def fails_for_somebody(template: str, values: list[Any] = VALUES) -> bool:
    for context in contexts(values):
        try:
            fill(template, prepared(context), TEXT)
        except UnknownVariableError:
            return True
        except BrokenTemplateError:
            continue  # a value of another kind than the author thinks of, such as a number in a loop
    return False


def check(template: str) -> None:
    check_guards(template, SHAPES, lambda variable: f"{variable} may be unknown")


@pytest.mark.parametrize("template", SAFE)
def test_what_renders_for_everybody_passes(template: str) -> None:
    check(template)
    assert not fails_for_somebody(template)


@pytest.mark.parametrize("template", SAFE_FOR_LISTS)
def test_a_list_that_was_asked_about_is_not_empty(template: str) -> None:
    check(template)
    assert not fails_for_somebody(template, LISTS)


@pytest.mark.parametrize("template", UNGUARDED)
def test_what_fails_for_some_contact_is_refused(template: str) -> None:
    assert fails_for_somebody(template)
    with pytest.raises(UnsafeTemplateError, match="may be unknown"):
        check(template)


def behind_a_question(inner: str) -> str:
    return f'{{% if contact.tier | default("") == "gold" %}}{inner}{{% endif %}}'


@pytest.mark.parametrize(
    ("inner", "reason"),
    [
        ('{{ contact.a | default("you") | titel }}', "filter titel is unknown: 'titel'; did you mean 'title'?"),
        ('{{ contact.a | default("you") is definde }}', "test definde is unknown: 'definde'; did you mean 'defined'?"),
        ("{{ contact.a | default([]) | map('uper') | join }}", "filter uper is unknown"),
        ("{{ contact.a | default([]) | select('evn') | list }}", "test evn is unknown"),
        ("{{ nwo() }}", "nwo"),
        ("{{ contact.id.uper() }}", "nothing has a method 'uper'"),
        ('{{ contact.id | replace("a") }}', "filter replace takes other arguments"),
        ('{{ contact.id | truncate(10, colour="red") }}', "filter truncate takes other arguments"),
        ("{{ contact.id is divisibleby }}", "test divisibleby takes other arguments"),
        ("{{ custmer.name }}", "unknown variable 'custmer'"),
        ("{{ event.items | default([]) }}", "'event' has no 'items'; what the sender put into the event is in event.properties.items"),
        ("{% for each in event.items | default([]) %}-{% endfor %}", "'event' has no 'items'"),
        ('{{ event.total | default("") }}', "event.properties.total"),
        ('{{ event.left_on.total | default("") }}', "has no 'total'"),
        ('{{ message.subject | default("") }}', "'message' has no 'subject'"),
        ('{{ journey.nmae | default("") }}', "'journey' has no 'nmae'; did you mean 'name'?"),
        ('{{ links["unsubcribe"] | default("") }}', "did you mean 'unsubscribe'?"),
        ("{% for each in products.cart %}{{ each.colour | default('') }}{% endfor %}", "a product has no field 'colour'"),
        ('{{ products.realted | default([]) }}', "'products' has no 'realted'; did you mean 'related'?"),
        ("{{ event.properties }}", "event.properties cannot be printed: it is several values with names"),
        ("{{ contact }}", "contact cannot be printed"),
        ("{{ links }}", "links cannot be printed: it is several values with names; print one, such as links.approval"),
        ("{{ products.related }}", "products.related cannot be printed: it is a list; go through it with a for"),
        ("{% for each in products.cart %}{{ each }}{% endfor %}", "each cannot be printed"),
        ("{% include 'other.html' %}", "a template reads no other template"),
        ("{% extends 'other.html' %}", "a template reads no other template"),
    ],
)  # fmt: skip
def test_a_wrong_name_is_refused_behind_a_question_too(inner: str, reason: str) -> None:
    for template in (inner, behind_a_question(inner)):
        with pytest.raises(UnsafeTemplateError) as refused:
            check(template)
        assert reason in refused.value.reason
        assert refused.value.line == 1
