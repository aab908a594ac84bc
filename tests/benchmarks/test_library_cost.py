"""What an entrant of a journey costs is what all its scenarios used, shared by those who entered."""

from io import StringIO

import pytest
from rich.console import Console

from benchmarks.counting_proxy import Call
from benchmarks.goals import GOALS
from benchmarks.journey_cost import Usage
from benchmarks.library_cost import EntrantCost, LibraryCost, _around_journeys, library_table


def call(function: str) -> Call:
    return Call(
        function=function,
        service="dynamodb",
        operation="PutItem",
        status=200,
        read_units=0.5,
        write_units=2.0,
        entries=0,
    )


def cost(**used: object) -> EntrantCost:
    usage = Usage(hops=6, invocations={"send_message": 4}, calls=[call("send_message")] * 4)
    return EntrantCost(**{"journey": "nurture", "entrants": 2, "messages": 4, "usage": usage, **used})  # type: ignore[arg-type]


def library(*journeys: EntrantCost) -> LibraryCost:
    return LibraryCost(
        journeys=list(journeys),
        scenarios=10,
        rehearsed_seconds=240.0,
        until_message=[0.1 * number for number in range(1, 101)],
    )


def test_an_entrant_has_its_share_of_what_was_used() -> None:
    found = cost()
    assert found.calls == 2
    assert found.per_entrant()["write_units"] == pytest.approx(4)
    assert found.per_entrant()["machine_requests"] == pytest.approx(3)
    assert found.to_dict()["dollars_per_thousand_entrants"] > 0


def test_what_runs_by_the_clock_is_no_entrants() -> None:
    usage = Usage(
        invocations={"send_message": 1, "sweep_journeys": 9},
        log_bytes={"send_message": 10, "sweep_journeys": 90},
        calls=[call("send_message"), call("sweep_journeys")],
    )
    found = _around_journeys(usage)
    assert found.invocations == {"send_message": 1}
    assert found.log_bytes == {"send_message": 10}
    assert [each.function for each in found.calls] == ["send_message"]


def test_the_whole_library_has_a_goal_and_a_row_for_each_journey() -> None:
    found = library(cost(), cost(journey="level-up"))
    assert found.figures() == {"library/rehearsal": 2.0}
    assert found.figures().keys() <= GOALS.keys()
    assert found.to_dict()["seconds_until_message"] == {"p50": pytest.approx(5.05), "p95": pytest.approx(9.505)}
    console = Console(width=200, file=StringIO())
    console.print(library_table(found))
    assert "level-up" in console.file.getvalue()  # type: ignore[attr-defined]
