"""Workflow Studio opens the definition of every journey and saves it without a difference: as JSON, and as YAML.

The console reads a definition as JSON values and writes those: what YAML has beyond them (comments, anchors, dates, keys that are no
text) would be lost or changed. Source: Step Functions Developer Guide, "Importing and exporting workflows in Workflow Studio".
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from waypost.authoring.components import components
from waypost.authoring.discovery import survey
from waypost.authoring.hops import compiled
from waypost.authoring.yaml_reading import read_yaml
from waypost.journeys.machine_versions import version_of

PROJECT = Path(__file__).parents[2]
JOURNEYS = {
    path.parent.name: path for path in sorted((PROJECT / "statemachines" / "journeys").glob("*/definition.asl.yaml"))
}
DEFINITIONS = JOURNEYS | {each.name: each.path / "definition.asl.yaml" for each in components()}


def as_json(definition: Any) -> str:
    """As the console saves JSON: two spaces, text in its own letters, the order of the fields kept."""
    return json.dumps(definition, indent=2, ensure_ascii=False)


def as_yaml(definition: Any) -> str:
    """As the console saves YAML: a line for each field, long text folded, the order of the fields kept."""
    saved: str = yaml.safe_dump(definition, indent=2, width=80, sort_keys=False, allow_unicode=True)
    return saved


def comments(text: str) -> Iterator[str]:
    """The lines that hold nothing but a comment."""
    yield from (line for line in text.splitlines() if line.lstrip().startswith("#"))


def strange_tokens(text: str) -> list[str]:
    strange = (yaml.AnchorToken, yaml.AliasToken, yaml.TagToken, yaml.DirectiveToken)
    return [type(each).__name__ for each in yaml.scan(text) if isinstance(each, strange)]


@pytest.mark.parametrize("name", sorted(DEFINITIONS))
@pytest.mark.parametrize("save", [as_json, as_yaml], ids=["json", "yaml"])
def test_what_the_console_saves_is_the_same_definition(name: str, save: Any, tmp_path: Path) -> None:
    authored, saved = read_yaml(DEFINITIONS[name]), tmp_path / "definition.asl.yaml"
    saved.write_text(save(authored), encoding="utf-8")
    again = read_yaml(saved)
    assert json.dumps(again) == json.dumps(authored), "the values and the order of the fields"
    assert save(again) == saved.read_text(encoding="utf-8"), "a second save changes no byte"
    assert version_of(again, 1) == version_of(authored, 1)
    assert compiled(again) == compiled(authored)


@pytest.mark.parametrize("name", sorted(DEFINITIONS))
def test_nothing_in_the_file_is_lost_by_saving_it(name: str) -> None:
    text = DEFINITIONS[name].read_text(encoding="utf-8")
    assert list(comments(text)) == [], "a reason belongs into a Comment, which the console keeps"
    assert strange_tokens(text) == []


@pytest.mark.parametrize("save", [as_json, as_yaml], ids=["json", "yaml"])
def test_the_whole_library_saved_by_the_console_is_the_same_library(save: Any, tmp_path: Path) -> None:
    shutil.copytree(PROJECT / "statemachines", tmp_path / "statemachines")
    for path in (tmp_path / "statemachines" / "journeys").glob("*/definition.asl.yaml"):
        path.write_text(save(read_yaml(path)), encoding="utf-8")
    (library, problems), (own, _) = survey(tmp_path / "statemachines"), survey(PROJECT / "statemachines")
    assert problems == []
    assert [each.published() for each in library.journeys] == [each.published() for each in own.journeys]
    assert [each.definition for each in library.journeys] == [each.definition for each in own.journeys]
