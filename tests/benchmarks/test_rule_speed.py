"""Every engine is asked of the same contacts, and must select the same ones."""

import pytest

from benchmarks import rule_speed
from benchmarks.goals import GOALS


def test_every_engine_is_asked_of_all_contacts() -> None:
    engines = rule_speed._engines(rule_speed.people(300))
    assert [len(engine.people) for engine in engines] == [300] * len(engines)


def test_every_engine_but_ours_has_a_goal() -> None:
    speed = rule_speed.measure(contacts=2_000, rounds=1)
    assert speed.selected > 0
    assert {figure for figure in GOALS if figure.startswith("rule/")} == set(speed.figures())


def test_an_engine_that_selects_others_fails_the_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rule_speed, "by_hand", lambda subject: subject.points >= 100)
    with pytest.raises(ValueError, match="by hand selects other contacts than Waypost"):
        rule_speed.measure(contacts=300, rounds=1)
