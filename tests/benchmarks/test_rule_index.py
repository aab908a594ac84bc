"""Work per event does not depend on how many segments do not mention it; the benchmark measures what it says."""

from benchmarks.rule_index import (
    EVENTS,
    IndexCurve,
    IndexPoint,
    _contact,
    _event,
    _name,
    _segment,
    _upkeep,
    index_table,
    measure,
)
from waypost.contacts.tag_system import TagSystem
from waypost.segments.index import RuleIndex, facts_of


def index(size: int) -> RuleIndex:
    segments = {_name(number): _segment(number) for number in range(size)}
    return RuleIndex.declared(segments=segments, tags=TagSystem())


def test_an_event_asks_the_one_segment_that_mentions_it_however_many_there_are() -> None:
    for size in (10, 100, 1_000):
        known = index(size)
        asked = [
            {known.rules[place].name for place in known.touched_by(facts_of(_event(n)) or ())} for n in range(EVENTS)
        ]
        assert asked == [{_name(number)} for number in range(EVENTS)]


def test_a_measured_event_compiles_and_asks_no_other_rule() -> None:
    known = index(100)
    upkeep, contact = _upkeep(known), _contact(known)
    assert upkeep.keep(contact, _event(3)) is contact
    asked = {rule.name for rule in known.rules if "decide" in vars(rule.query)}
    assert asked == {_name(3)}


def test_the_curve_has_a_point_for_each_size_and_a_table() -> None:
    curve = measure(sizes=(10, 20), rounds=1)
    assert [(point.segments, point.asked) for point in curve.points] == [(10, 1), (20, 1)]
    assert curve.to_dict()["points"][0]["growth"] == 1
    assert index_table(curve).row_count == 2


def test_growth_is_over_the_smallest_size() -> None:
    points = [IndexPoint(size, 1, event_us, 1, 1, 1) for size, event_us in ((10, 4.0), (100, 5.0))]
    assert [IndexCurve(points).growth(point) for point in points] == [1, 1.25]
