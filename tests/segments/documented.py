"""The rules of the reference page by the key words of their conditions: examples of every condition there is."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from waypost.authoring.rule_reference import conditions
from waypost.authoring.rules import dump_rule, parse_rule
from waypost.authoring.rules.recipes import RECIPES
from waypost.authoring.rules.sample import written_out
from waypost.authoring.yaml_reading import read_yaml
from waypost.segments.conditions import CONDITIONS
from waypost.segments.vocabulary import expand_where

Rule = dict[str, Any]


def _documented() -> Iterator[Rule]:
    """Every rule of the page, as it is published."""
    texts = [*(each.example for each in conditions()), *(text for _, text, _ in RECIPES)]
    with TemporaryDirectory() as folder:
        path = Path(folder, "rule.yaml")
        for text in texts:
            path.write_text(text, encoding="utf-8")
            rule = dump_rule(parse_rule(read_yaml(path))) or {}
            yield rule if "segment" in rule else dict(written_out(rule))


def _inside(rule: Mapping[str, Any]) -> Iterator[Rule]:
    """The rule and every rule in it, those over the properties of its events too."""
    yield dict(rule)
    for word, inner in rule.items():
        match word:
            case "all" | "any":
                for each in inner:
                    yield from _inside(each)
            case "where" | "having":
                yield from _inside(expand_where(inner))
            case "not":
                yield from _inside(inner)


def _examples() -> dict[str, list[Rule]]:
    found: dict[str, list[Rule]] = {word: [] for word in CONDITIONS}
    for rule in _documented():
        for each in _inside(rule):
            [word] = found.keys() & each.keys()
            if each not in found[word]:
                found[word].append(each)
    return found


EXAMPLES = _examples()
"""Each condition there is, and rules of the page that are such a condition."""
