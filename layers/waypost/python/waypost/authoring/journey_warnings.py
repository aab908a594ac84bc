"""What a journey says that works and cannot be meant, or costs more than it looks. Called by ``waypost journey check``."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from waypost.authoring import segment_warnings
from waypost.authoring.channels import authored_channels
from waypost.authoring.discovery import JourneyFolder
from waypost.authoring.graph import called_function, scopes
from waypost.authoring.manifest import starting
from waypost.authoring.problems import Problem
from waypost.authoring.segment_warnings import Declared
from waypost.segments.vocabulary import Rule, expand_where

PlacedRule = tuple[str, Rule]


def warnings(journey: JourneyFolder, declared: Declared, now: datetime) -> Iterator[Problem]:
    """Each place of the journey's files with its reason; ``declared`` without what the journey's own two files say."""
    manifest, definition = (str(journey.path / name) for name in ("journey.yaml", "definition.asl.yaml"))
    published = journey.manifest.published(journey.name)
    in_flow = list(_in_definition(journey.definition))
    starts = {match["event"] for _, match in starting(published)}
    own = {*starts, *(match["event"] for _, match in _endings(published))}
    known = replace(declared, words=declared.words | own, events=declared.events | own)
    for file, rules in ((manifest, _in_manifest(published)), (definition, in_flow)):
        for field, rule in rules:
            for place, reason in segment_warnings.warnings(rule, known, now):
                yield Problem(file, f"{field}{place.removeprefix('rule')}", reason)
    for field, match in _endings(published):
        if match["event"] in starts:
            yield Problem(manifest, field, _ended_by_its_trigger(match["event"]))
    yield from _in_the_hold_out(journey, manifest)
    yield from _in_messages(journey)


def _endings(published: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    if published["goal"] is not None:
        yield "goal", published["goal"]
    for index, match in enumerate(published["exit_on"]):
        yield f"exit_on[{index}]", match


def _in_manifest(published: dict[str, Any]) -> Iterator[PlacedRule]:
    if published["entry"] is not None:
        yield "entry", published["entry"]
    for field, match in (*starting(published), *_endings(published)):
        if match["where"] is not None:
            yield f"{field}.where", match["where"]


def _in_definition(definition: dict[str, Any]) -> Iterator[PlacedRule]:
    for scope in scopes(definition):
        for name, state in scope.states.items():
            where = f"{name}.Arguments.Payload"
            match called_function(state), (state.get("Arguments") or {}).get("Payload"):
                case "EvaluateSegment", {"rule": dict(rule)}:
                    yield f"{where}.rule", rule
                case "PauseJourney", {"or": {"where": dict(rule)}}:
                    yield f"{where}.or.where", expand_where(rule)
                case _:
                    pass


def _ended_by_its_trigger(event: str) -> str:
    return (
        f"{event} starts the journey too: one that comes while a contact is in it ends it and starts nothing. If it should begin again,"
        " let a Pause wait for it in a loop (docs/authoring.md, journey.yaml)"
    )


def _in_the_hold_out(journey: JourneyFolder, manifest: str) -> Iterator[Problem]:
    if journey.manifest.holdout is None:
        return
    asked_for = sorted(name for name, message in journey.messages.items() if message["kind"] == "transactional")
    if asked_for and len(asked_for) == len(journey.messages):
        yield Problem(manifest, "holdout", "holds nothing back: every message of the journey is transactional")


def _in_messages(journey: JourneyFolder) -> Iterator[Problem]:
    for name, message in journey.messages.items():
        for channel, variants in message["variants"].items():
            authored = authored_channels()[channel]
            for locale, templates in variants.items():
                file = journey.path / "messages" / name / f"{channel}.{locale}.{authored.kind}"
                yield from (Problem(str(file), "", hint) for hint in authored.hints(templates))
