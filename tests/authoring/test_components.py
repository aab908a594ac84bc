"""The components of journeys: counted, complete, and the page that is made of them."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from infra.project import ROOT
from local.commands.app import app
from waypost.authoring.component_page import COMMAND, PAGE, page
from waypost.authoring.components import CLASSES, COMPONENTS, FILE, Component, components, undocumented
from waypost.authoring.problems import InvalidJourney

FOUND = components()


def test_there_are_at_least_eighteen_in_three_classes() -> None:
    assert len(FOUND) >= 18
    assert tuple(dict.fromkeys(each.entry.class_ for each in FOUND)) == CLASSES
    assert len({each.entry.title.zh for each in FOUND}) == len({each.entry.title.en for each in FOUND}) == len(FOUND)


def test_every_trigger_and_task_is_there_with_every_field_that_an_author_may_write() -> None:
    assert list(undocumented(FOUND)) == []


def test_the_page_is_as_the_components_are() -> None:
    assert (ROOT / PAGE).read_text(encoding="utf-8") == page(FOUND), f"{PAGE} is stale: run {COMMAND}"


@pytest.mark.parametrize("component", FOUND, ids=lambda each: each.name)
def test_the_page_shows_each_in_both_languages_with_its_example(component: Component) -> None:
    shown = page(FOUND)
    entry = component.entry
    for text in (entry.title.zh, entry.title.en, entry.purpose.zh, entry.purpose.en, component.example):
        assert text in shown
    assert component.example.startswith(f"{entry.shows}:")


def changed(tmp_path: Path, **fields: Any) -> Path:
    folder = tmp_path / "components"
    shutil.copytree(COMPONENTS / "wait-for", folder / "wait-for")
    path = folder / "wait-for" / FILE
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text(encoding="utf-8")), **fields}), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"fields": {"fro": {"zh-CN": "时长", "en": "a duration"}}}, "${PauseJourney} has no 'fro'; did you mean 'for'?"),
        ({"part": {"function": "PauseJourny"}}, "no task of journeys is called 'PauseJourny'; did you mean 'PauseJourney'?"),
        ({"part": {"function": "PauseJourney", "state": "Choice"}}, "expected one of function, trigger, manifest, state"),
        ({"title": {"en": "Wait"}}, "title.zh-CN"),
        ({"shows": "Three hours"}, "neither a state nor a field of journey.yaml is called 'Three hours'"),
    ],
)  # fmt: skip
def test_what_a_component_says_wrongly_is_refused(tmp_path: Path, fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidJourney) as refused:
        components(changed(tmp_path, **fields))
    assert reason in str(refused.value)


def test_a_field_that_nothing_speaks_of_is_named() -> None:
    silent = list(undocumented([each for each in FOUND if each.name not in {"on-tag", "wait-for-event"}]))
    assert silent == ["trigger: tag", "${PauseJourney}: or"]


def test_the_command_lists_them() -> None:
    listed = json.loads(CliRunner().invoke(app, ["components", "--json"]).stdout)
    assert [each["name"] for each in listed] == [each.name for each in FOUND]
    assert listed[0].keys() == {"name", "class", "part", "title", "purpose", "fields", "outcomes", "example"}
    assert "wait-for" in CliRunner().invoke(app, ["components"]).stdout
