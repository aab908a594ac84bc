"""Whatever an author writes, the checks answer with problems and never with a crash."""

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.authoring.folders import DEFINITION, MANIFEST
from waypost.authoring.definition import deployed, functions_called
from waypost.authoring.lint import lint
from waypost.authoring.manifest import JourneyManifest
from waypost.authoring.problems import explain
from waypost.authoring.tasks import journey_tasks

WORDS = ("Task", "Parallel", "Map", "Choice", "Succeed", "Next", "End", "States", "Catch", "Branches", "ItemProcessor",
         "Two days later", "{% $x %}", "${SendMessage}", "event", "where", "tag", "", "2d")  # fmt: skip
JUNK = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-2, 5), st.floats(-1, 1), st.sampled_from(WORDS), st.text(max_size=3)
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(WORDS), inner, max_size=3)),
    max_leaves=5,
)
MESSAGES = {"sorry": ["sms"], "thanks": ["sms"]}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of everything in the value."""
    if path:
        yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in children:
        yield from places(each, (*path, key))


def changed(value: dict[str, Any], path: tuple[Any, ...], junk: Any) -> dict[str, Any]:
    """A copy with ``junk`` at the path."""
    result = copy.deepcopy(value)
    inner: Any = result
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = junk
    return result


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(list(places(DEFINITION))), JUNK)
def test_any_definition_is_linted_and_what_passes_can_be_deployed(path: tuple[Any, ...], junk: Any) -> None:
    definition = changed(DEFINITION, path, junk)
    found = lint(definition, tasks=journey_tasks(), left_early={"GoalReached", "JourneyExited"}, messages=MESSAGES)
    assert all(isinstance(field, str) and reason for field, reason in found)
    if not found:
        assert set(functions_called(deployed(definition, tasks=journey_tasks()))) <= {
            "CloseEnrolment",
            "SendMessage",
            "PauseJourney",
        }


@settings(deadline=None)
@given(st.sampled_from(list(places(MANIFEST))), JUNK)
def test_any_manifest_is_explained(path: tuple[Any, ...], junk: Any) -> None:
    manifest = changed(MANIFEST, path, junk)
    assert all(reason for _, reason in complaints(manifest))
    if not complaints(manifest):
        assert JourneyManifest.model_validate(manifest).published("win-back")["name"] == "win-back"


def complaints(manifest: dict[str, Any]) -> list[tuple[str, str]]:
    """What an author would read."""
    try:
        JourneyManifest.model_validate(manifest)
    except ValidationError as error:
        return list(explain(error, manifest, JourneyManifest))
    return []


@settings(deadline=None)
@given(JUNK)
def test_a_file_with_something_else_in_it_is_explained(junk: Any) -> None:
    assert lint(junk, tasks=journey_tasks(), left_early=set(), messages={})
