"""Layers: boxes lie apart, lines run down, loops are found, and the same graph gives the same picture."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.pages.layered_layout import Box, Layout, Line, Place, lay_out

LABEL = Box(60, 18)


@st.composite
def graphs(draw: st.DrawFn) -> tuple[dict[str, Box], list[Line]]:
    count = draw(st.integers(1, 14))
    sizes = st.builds(Box, st.sampled_from([80.0, 120.0, 300.0]), st.sampled_from([30.0, 64.0]))
    boxes = {f"s{index}": draw(sizes) for index in range(count)}
    ends = st.integers(0, count - 1).map("s{}".format)
    lines = draw(st.lists(st.builds(Line, ends, ends, st.sampled_from([None, LABEL])), max_size=24))
    return boxes, lines


def overlapping(one: Place, other: Place) -> bool:
    beside = one.x + one.width <= other.x or other.x + other.width <= one.x
    return not (beside or one.y + one.height <= other.y or other.y + other.height <= one.y)


def everything(layout: Layout) -> list[Place]:
    return [*layout.places.values(), *(route.label for route in layout.routes if route.label)]


@given(graphs(), st.sampled_from([1, 2, 100]), st.booleans())
def test_boxes_and_labels_lie_apart_and_inside_the_picture(
    graph: tuple[dict[str, Box], list[Line]], most_abreast: int, compact: bool
) -> None:
    boxes, lines = graph
    layout = lay_out(boxes, lines, start="s0", most_abreast=most_abreast, compact=compact)
    places = everything(layout)
    assert len(layout.places) == len(boxes)
    assert not any(overlapping(one, other) for index, one in enumerate(places) for other in places[:index])
    assert all(place.x >= 0 and place.x + place.width <= layout.width for place in places)
    assert all(place.y >= 0 and place.y + place.height <= layout.height for place in places)
    rows = [place.y + place.height / 2 for place in places]
    assert all(rows.count(row) <= most_abreast for row in rows)


@given(graphs())
def test_the_same_graph_gives_the_same_picture(graph: tuple[dict[str, Box], list[Line]]) -> None:
    boxes, lines = graph
    assert lay_out(boxes, lines, start="s0") == lay_out(dict(boxes), list(lines), start="s0")


@given(graphs())
def test_a_line_begins_at_its_source_and_ends_at_its_target(graph: tuple[dict[str, Box], list[Line]]) -> None:
    boxes, lines = graph
    layout = lay_out(boxes, lines, start="s0")
    for line, route in zip(lines, layout.routes, strict=True):
        for name, point in ((line.source, route.points[0]), (line.target, route.points[-1])):
            place = layout.places[name]
            assert place.x <= point.x <= place.x + place.width
            assert place.y <= point.y <= place.y + place.height


def test_a_chain_runs_straight_down() -> None:
    boxes = {name: Box(100, 40) for name in "abc"}
    layout = lay_out(boxes, [Line("a", "b"), Line("b", "c", LABEL)], start="a")
    assert [layout.places[name].x for name in "abc"] == [0, 0, 0]
    assert layout.places["a"].y < layout.places["b"].y < layout.places["c"].y


def test_the_line_that_closes_a_loop_runs_up() -> None:
    boxes = {name: Box(100, 40) for name in "abc"}
    lines = [Line("a", "b"), Line("b", "c"), Line("c", "b", LABEL)]
    route = lay_out(boxes, lines, start="a").routes[2]
    assert route.points[0].y > route.points[-1].y


def test_branches_that_meet_again_do_not_cross() -> None:
    boxes = {name: Box(100, 40) for name in "abcdz"}
    lines = [Line("a", name, LABEL) for name in "bcd"] + [Line(name, "z") for name in "dcb"]
    layout = lay_out(boxes, lines, start="a")
    leaving = sorted(zip(layout.routes[:3], "bcd", strict=True), key=lambda each: each[0].points[0].x)
    arriving = sorted(zip(layout.routes[3:], "dcb", strict=True), key=lambda each: each[0].points[-1].x)
    assert [name for _, name in leaving] == [name for _, name in arriving]


def test_a_compact_picture_is_as_wide_as_its_widest_rank() -> None:
    boxes = {name: Box(100, 40) for name in "abcdefg"}
    lines = [Line("a", name) for name in "bc"] + [Line("c", name) for name in "de"] + [Line("e", name) for name in "fg"]
    wide = lay_out(boxes, lines, start="a")
    compact = lay_out(boxes, lines, start="a", most_abreast=2, compact=True)
    assert compact.width == pytest.approx(212, abs=1)
    assert wide.width > compact.width


def test_a_graph_of_a_thousand_steps_is_no_deeper_than_python() -> None:
    boxes = {str(index): Box(10, 10) for index in range(1500)}
    lines = [Line(str(index), str(index + 1)) for index in range(1499)]
    assert lay_out(boxes, lines, start="0").height > 15_000
