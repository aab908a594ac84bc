"""From seconds to ratios."""

from benchmarks.import_time import FIRST_CALLS, RIVAL, Start, Starts, summarize
from infra.bundling import kept_services
from infra.project import ROOT


def starts(*seconds: float, ready: float = 0.1) -> Starts:
    imported = [Start(wall=each, processor=each / 2) for each in seconds]
    return Starts(imported, [Start(each.wall + ready, each.processor + ready) for each in imported])


def test_ratios_are_of_the_minima_and_of_the_rounds() -> None:
    taken = {RIVAL: starts(0.1, 0.2, 0.4, ready=0.0), "send_message": starts(0.11, 0.2, 0.2)}

    times = summarize(taken, rounds=3)

    assert (times.rival_minimum, times.rival_median) == (100.0, 200.0)
    [row] = times.handlers
    assert round(row.imported.minimum, 6) == 1.1
    assert round(row.imported.median, 6) == 1.0  # of 1.1, 1.0 and 0.5
    assert round(row.imported.processor, 6) == 1.0
    assert row.ready.median > row.imported.median


def test_a_goal_is_judged_by_the_processor_time_of_the_import() -> None:
    taken = {RIVAL: starts(0.1), "send_message": starts(0.13), "route_events": starts(0.13, ready=9.0)}
    taken["route_events"].imported[0] = Start(wall=0.9, processor=0.06)  # it waited for a busy machine

    assert [(row.handler, row.goal.limit, row.reached) for row in summarize(taken, rounds=1).handlers] == [
        ("send_message", 1.2, False),
        ("route_events", 1.5, True),
    ]


def test_every_function_says_what_its_first_event_calls_and_the_layer_has_it() -> None:
    functions = {handler.parent.name for handler in (ROOT / "functions").glob("*/handler.py")}
    kept = kept_services(ROOT / "layers" / "dependencies" / "contents.toml")

    assert functions == set(FIRST_CALLS)
    assert {service for called in FIRST_CALLS.values() for service in called} <= kept
