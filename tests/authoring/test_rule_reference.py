"""docs/segments.md and docs/segment.schema.json: as the models are, complete, and true of the contact they show."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.authoring.json_schema import problems_of
from waypost.authoring.rule_reference import COMMAND, conditions, files, page
from waypost.authoring.rule_schema import PARTS, says_of, segment_schema
from waypost.authoring.rules import dump_rule, parse_rule
from waypost.authoring.rules.behaviour import Counted
from waypost.authoring.rules.comparisons import Comparison
from waypost.authoring.rules.documentation import SECTIONS, Says
from waypost.authoring.rules.recipes import RECIPES
from waypost.authoring.rules.reference_text import INTRO, QUESTIONS
from waypost.authoring.rules.registry import MODELS
from waypost.authoring.rules.sample import sample, written_out
from waypost.authoring.segments import Segment
from waypost.authoring.yaml_reading import read_yaml
from waypost.segments.compile import compile_rule, decide_from_profile
from waypost.segments.conditions import KEY_WORDS
from waypost.segments.explain import explain
from waypost.segments.subject import Subject
from waypost.segments.vocabulary import OPERATORS, OPTIONS_OF_OPERATORS

ROOT = Path(__file__).parents[2]
LISTED = list(conditions())
BLANK = Subject(attributes={}, tags=frozenset(), now=sample().now, contact_id="c-3")


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Reads YAML as authored files are read."""
    path = tmp_path_factory.mktemp("rules") / "rule.yaml"

    def read_text(text: str) -> Any:
        path.write_text(text, encoding="utf-8")
        return read_yaml(path)

    return read_text


@pytest.mark.parametrize("path", ["docs/segments.md", "docs/segment.schema.json", "docs/lint.md"])
def test_the_reference_is_as_the_models_are(path: str) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == files()[path], f"{path} is stale: run {COMMAND}"


def test_at_least_sixty_conditions_of_four_families_are_documented() -> None:
    assert len(LISTED) >= 60
    assert {says.family for says in LISTED} == {"attribute", "behaviour", "group", "tag"}
    assert len({(says.section, says.title) for says in LISTED}) == len(LISTED)
    assert {says.section for says in LISTED} == set(SECTIONS)


@pytest.mark.parametrize("says", LISTED, ids=lambda says: f"{says.section}: {says.title}")
def test_every_example_is_a_rule_and_true_of_the_sample(says: Says, read: Any) -> None:
    rule = written_out(dump_rule(parse_rule(read(says.example))) or {})
    assert compile_rule(rule)(sample()) is says.holds
    assert decide_from_profile(rule)(sample()) in {None, says.holds}
    assert explain(rule, sample()).holds is says.holds


@pytest.mark.parametrize(("sentence", "text", "holds"), RECIPES, ids=lambda each: str(each)[:40])
def test_every_sentence_is_the_rule_beside_it(sentence: str, text: str, holds: bool, read: Any) -> None:
    rule = written_out(dump_rule(parse_rule(read(text))) or {})
    assert compile_rule(rule)(sample()) is holds
    assert text.strip() in page()


def test_a_condition_that_holds_for_the_sample_tells_it_from_a_blank_contact(read: Any) -> None:
    """An example that holds for everybody would show nothing; these may, because they say that something is missing or when it is."""
    alike = {
        says.title
        for says in LISTED
        if says.holds and compile_rule(written_out(dump_rule(parse_rule(read(says.example))) or {}))(BLANK)
    }
    absent = {"not_equals", "not_in", "exists: false", "is_empty: true", "contains_none", "not event", "not … within", "exactly: 0", "at_most",
              "less_than", "journey … is: never_entered", "group: {none_of: …}", "segment: {none_of: …}", "not holdout", "not tag",
              "tag: {none_of: …}", "holds_coupon: {none_of: …}"}  # fmt: skip
    assert {title for title in alike if not title.startswith("now: ")} == absent


def test_every_word_an_author_can_write_is_documented() -> None:
    assert set(MODELS) == set(KEY_WORDS)
    for words, undescribed in ((Comparison, set()), (Counted, {"equals", "in"})):
        described = {name for name, _ in says_of(words)}
        assert {field.alias or name for name, field in words.model_fields.items()} - described == undescribed
    assert {field.alias or name for name, field in Comparison.model_fields.items()} == {
        *OPERATORS,
        *OPTIONS_OF_OPERATORS,
    }
    assert "event" in MODELS["event"].model_fields
    shown = page()
    for model in MODELS.values():
        for name, field in model.model_fields.items():
            assert f"{field.alias or name}" in shown, f"{model.__name__}.{name}"


def test_questions_lead_to_sections() -> None:
    headings = {
        re.sub(r"[^\w\- ]", "", line[4:].lower()).replace(" ", "-")
        for line in page().splitlines()
        if line.startswith("### ")
    }
    links = set(re.findall(r"\]\(#([^)]+)\)", page()))
    assert links - headings == {"from-sentences-to-rules"}
    assert {section for _, _, section in QUESTIONS} == set(SECTIONS) - {"text", "numbers", "lists"}


def test_the_file_on_the_page_is_a_segment(read: Any) -> None:
    [text] = re.findall(r"```yaml\n(# yaml-language-server.*?)```", INTRO, re.DOTALL)
    assert Segment.model_validate(read(text)).owner == "growth team"
    assert problems_of(read(text), segment_schema()) == []


def test_the_schema_takes_every_example(read: Any) -> None:
    schema = segment_schema()
    for says in LISTED:
        assert problems_of(read(says.example), {"$ref": "#/$defs/Rule"}, schema) == [], says.example
    for _, text, _ in RECIPES:
        assert problems_of(read(text), {"$ref": "#/$defs/Rule"}, schema) == [], text


@pytest.mark.parametrize(
    "text",
    [
        "{ attribute: city }",
        "{ attribute: city, equals: a, in: [b] }",
        "{ attribute: city, equal: a }",
        "{ attribute: birthday, age: { atleast: 18 } }",
        "{ attribute: birthday, age: -3 }",
        "{ attribute: birthday, age: { at_least: 17.5 } }",
        "{ attribute: birthday, age: { between: [1990, 1999] } }",
        "{ attribute: birthday, anniversary: { next_days: 0 } }",
        "{ attribute: a, length: 1.5 }",
        "{ attribute: a, size: { less_than: -1 } }",
        "{ attribute: a, last_days: 0 }",
        "{ attribute: a, days_until: { at_most: 2.5 } }",
        "{ attribute: a, contains: '' }",
        "{ attribute: a, in: [] }",
        "{ points: 1.5 }",
        "{ event: a, days_since: { at_least: -1 } }",
        "{ event: a, occurrence: 0 }",
        "{ event: a, followed_by: { event: b, same: {} } }",
        "{ engagement: opened, of_last: 0 }",
        "{ now: { within: 3d } }",
        "{ holdout: { salt: a, percent: 0 } }",
        "{ bucket: { salt: a, from: -1, to: 5 } }",
        "{ attribute: a, weekday: [monday] }",
        "{ event: order_placed, within: 30 days }",
        "{ event: order_placed, at_least: many }",
        "{ event: order_placed, where: { total: { atleast: 5 } } }",
        "{ tag: vip, group: staff }",
        "{ tag: { any: [vip] } }",
        "{ all: [] }",
        "{ all: { tag: vip } }",
        "{ lifecycle: active, since: 3d }",
        "{ bucket: { salt: a, from: 0 } }",
        "{ wishes: a }",
        "vip",
    ],
)
def test_the_schema_marks_what_is_no_rule(text: str, read: Any) -> None:
    assert problems_of(read(text), {"$ref": "#/$defs/Rule"}, segment_schema())


def test_the_schema_is_of_draft_2020_12_and_closed() -> None:
    schema = segment_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["required"] == ["description", "owner", "rule"]
    text = (ROOT / "docs/segment.schema.json").read_text(encoding="utf-8")
    assert set(re.findall(r'"#/\$defs/(\w+)"', text)) <= set(schema["$defs"])
    for model in (*MODELS.values(), *PARTS):
        definition = schema["$defs"][model.__name__]
        assert definition["additionalProperties"] is False, model
        assert definition["description"], model
    assert set(schema["$defs"]) == {model.__name__ for model in (*MODELS.values(), *PARTS)} | {"Rule", "Where"}


def test_a_page_is_read_by_yaml_too() -> None:
    """The contact on the page is YAML, so that it can be copied."""
    [block] = re.findall(r"```yaml\n(attributes:.*?)events:", page(), re.DOTALL)
    assert yaml.safe_load(block)["attributes"]["first_name"] == "林"
