"""The benchmark of forbidden words: its figures are what their goals ask for."""

from benchmarks.goals import GOALS
from benchmarks.word_speed import WordSpeed, measure, words_table


def test_every_figure_has_a_goal() -> None:
    speed = measure(most=1_000, rounds=1)
    assert set(speed.figures()) == {name for name in GOALS if name.startswith("words/")}
    assert all(value > 0 for value in speed.to_dict().values())
    assert words_table(speed).row_count == 1


def test_figures_are_ratios() -> None:
    assert WordSpeed(2.0, 3.0, 600.0, 1.0).figures() == {"words/one pass": 1.5, "words/per phrase": 200.0}
