"""The graph of a journey is that of its authored definition."""

from pathlib import Path

from waypost.authoring.discovery import discover
from waypost.authoring.publishing import published
from waypost.reports.journey_graph import JourneyGraph, Way, section_of

STATEMACHINES = Path(__file__).parents[2] / "statemachines"


def nurture() -> JourneyGraph:
    [journey] = [each for each in discover(STATEMACHINES).journeys if each.name == "new-user-nurture"]
    return journey.graph


def test_it_has_the_authored_states_and_no_state_of_the_compiler() -> None:
    steps = nurture().by_name()
    assert len(steps) == 17
    assert steps["Until day 3 at ten"].kind == "pause"
    assert steps["Day 3, survey SMS"].about == "interest-survey"
    assert steps["Which interest?"].around == "New-user 7-day nurture"
    assert steps["New-user 7-day nurture"].starts == ("Day 1, welcome e-mail with the product guide",)


def test_its_ways_say_on_what_condition() -> None:
    ways = nurture().ways
    assert Way("Survey answered?", "Tag the interest", "choice", "answered") in ways
    assert Way("Survey answered?", "Day 7, care reminder with a general coupon", "default") in ways
    assert Way("New-user 7-day nurture", "Left the journey", "caught", "JourneyExited") in ways
    assert any(way.label == "interest = 'beauty'" for way in ways)


def test_it_is_published_for_the_functions() -> None:
    sections = published(discover(STATEMACHINES))
    assert JourneyGraph.from_dict(sections[section_of("new-user-nurture")]) == nurture()
