"""Backups name other messages of the journey, of the same kind and topic, each once."""

from typing import Any

import pytest

from waypost.authoring.naming import _backups

OTHERS: dict[str, dict[str, Any]] = {
    "welcome": {"kind": "marketing", "topic": "news"},
    "plain": {"kind": "marketing", "topic": "news"},
    "receipt": {"kind": "transactional", "topic": "news"},
    "chained": {"kind": "marketing", "topic": "news", "backups": {"messages": ["plain"], "minutes": 60}},
}


@pytest.mark.parametrize(
    ("named", "found"),
    [
        (["plain"], []),
        (["plian"], [("backups.messages[0]", "did you mean 'plain'?")]),
        (["welcome"], [("backups.messages[0]", "no other folder")]),
        (["receipt"], [("backups.messages[0]", "another kind or topic")]),
        (["chained"], [("backups.messages[0]", "backups of its own")]),
        (["plain", "plain"], [("backups.messages[1]", "named twice")]),
    ],
)
def test_what_cannot_stand_in_is_refused(named: list[str], found: list[tuple[str, str]]) -> None:
    message = {**OTHERS["welcome"], "backups": {"messages": named, "minutes": 120}}
    problems = list(_backups("welcome", message, OTHERS))
    assert [where for where, _ in problems] == [where for where, _ in found]
    assert all(reason in why for (_, why), (_, reason) in zip(problems, found, strict=True)), problems
