"""Counts of a rehearsal come from the states that were entered."""

import pytest

from tests.reports.nurture import BODY, GRAPH
from waypost.authoring.journey_graphs import graph_of
from waypost.reports.journey_counts import JourneyCounts


def test_every_way_counts_those_who_took_it() -> None:
    counts = JourneyCounts()
    counts.add(GRAPH, [BODY, "Welcome", "Wait", "Answered?", "Which?", "Remind", "Wait again"], outcome="completed")
    counts.add(GRAPH, [BODY, "Welcome", "Wait", "Left"], outcome="exited")
    counts.add(GRAPH, [BODY, "Welcome", "Wait"], outcome="active")
    assert counts.passages == 3
    assert {(way.source, way.target): count for way, count in counts.ways.items()} == {
        ("Welcome", "Wait"): 3,
        ("Wait", "Answered?"): 1,
        ("Answered?", "Which?"): 1,
        ("Which?", "Remind"): 1,
        ("Remind", "Wait again"): 1,
        (BODY, "Left"): 1,
    }
    assert counts.waiting == {"Wait": 1}
    assert counts.outcomes == {"completed": 1, "exited": 1, "active": 1}


def test_branches_side_by_side_may_be_entered_in_any_order() -> None:
    def branch(*names: str) -> dict[str, object]:
        states = {name: {"Type": "Pass", "End": True} for name in names}
        states[names[0]] = {"Type": "Pass", "Next": names[1]}
        return {"StartAt": names[0], "States": states}

    both = {"Type": "Parallel", "Branches": [branch("a", "b"), branch("x", "y")], "End": True}
    graph = graph_of("j", {"StartAt": "Both", "States": {"Both": both}}, version=1)
    counts = JourneyCounts()
    counts.add(graph, ["Both", "a", "x", "b", "y"], outcome="completed")
    assert {(way.source, way.target) for way in counts.ways} == {("a", "b"), ("x", "y")}


def test_a_state_that_no_way_leads_to_is_an_error() -> None:
    with pytest.raises(LookupError, match="'Welcome'"):
        JourneyCounts().add(GRAPH, ["Wait", "Welcome"], outcome="active")
