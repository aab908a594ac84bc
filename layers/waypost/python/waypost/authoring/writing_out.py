"""Writes the saved segments that a journey names out into its rules, so that the run time resolves nothing. Used by discovery."""

import json
from collections.abc import Mapping
from typing import Any

from waypost.authoring.graph import called_function, scopes
from waypost.authoring.rules import dump_rule, parse_rule, parse_where
from waypost.segments.dependencies import reads
from waypost.segments.inlining import inline

Rules = Mapping[str, Mapping[str, Any]]
"""The rules of the saved segments by name."""


def manifest_written_out(published: dict[str, Any], rules: Rules) -> dict[str, Any]:
    """A published manifest with every segment in its rules written out. Every name must be known."""

    def where(part: dict[str, Any] | None) -> dict[str, Any] | None:
        if part is None:
            return None
        also = {"also": [where(each) for each in part["also"]]} if "also" in part else {}
        return {**part, "where": inline(part["where"], rules), **also}

    return {
        **published,
        "trigger": where(published["trigger"]),
        "entry": inline(published["entry"], rules),
        "exit_on": [where(ending) for ending in published["exit_on"]],
        "goal": where(published["goal"]),
    }


def definition_written_out(definition: dict[str, Any], rules: Rules) -> dict[str, Any]:
    """A copy of a definition with every segment in the rules of its tasks written out; the rest stays as it was written."""
    copy: dict[str, Any] = json.loads(json.dumps(definition))
    for scope in scopes(copy):
        for state in scope.states.values():
            match called_function(state), (state.get("Arguments") or {}).get("Payload"):
                case "EvaluateSegment", {"rule": dict(rule)}:
                    state["Arguments"]["Payload"]["rule"] = _written_out(rule, dump_rule(parse_rule(rule)), rules)
                case "PauseJourney", {"or": {"where": dict(where)}}:
                    where_now = _written_out(where, dump_rule(parse_where(where)), rules)
                    state["Arguments"]["Payload"]["or"]["where"] = where_now
                case _:
                    pass
    return copy


def _written_out(authored: dict[str, Any], rule: dict[str, Any] | None, rules: Rules) -> Any:
    return inline(rule, rules) if reads(rule).segments else authored
