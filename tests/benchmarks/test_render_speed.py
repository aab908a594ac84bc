"""The benchmark of filling mails in: both contestants give the same text, and its figures are what their goals ask for."""

from benchmarks.goals import GOALS
from benchmarks.render_speed import RenderSpeed, comparable, measure, render_table


def test_both_fill_most_shipped_mails_in_to_the_same_text() -> None:
    mails = comparable()
    assert len(mails) >= 50
    assert all(mail.by_waypost() == mail.by_jinja2() for mail in mails)
    assert any("Lin &amp; Co" in mail.by_waypost().html for mail in mails)


def test_every_figure_has_a_goal() -> None:
    speed = measure(rounds=1)
    assert set(speed.figures()) == {name for name in GOALS if name.startswith("render/")}
    assert speed.mails >= 50
    assert render_table(speed).row_count == 1


def test_figures_are_ratios() -> None:
    assert RenderSpeed(20.0, 50.0, 80).figures() == {"render/jinja2": 2.5}
