"""What a step uses is the counted journey, taken apart: put together again it is the same bill."""

import pytest

from benchmarks.counting_proxy import Call
from benchmarks.journey_cost import JourneyCost, Passage, Usage, summed
from benchmarks.step_usage import step_usage
from local.forecast.step_usage import USED


def passage(name: str, *, hops: int, sends: int) -> Passage:
    functions = {
        "send_message": sends,
        "pause_journey": 2 * hops - 1,
        "receive_webhook": 2,
        "route_events": 2,
        "close_enrolment": 1,
        "update_contact": 1,
    }
    calls = [
        Call(function=function, service="dynamodb", operation="PutItem", status=200, write_units=2.0)
        for function in functions
    ]
    usage = Usage(hops=hops, invocations=functions, memory_mb=dict.fromkeys(functions, 512), calls=calls)
    return Passage(scenario=name, ends="completed", sent={"email": sends}, usage=usage)


def test_the_steps_of_the_counted_passages_add_up_to_their_bill() -> None:
    passages = [passage("one", hops=3, sends=2), passage("other", hops=5, sends=3)]
    cost = JourneyCost(passages=passages, noticed=passages[0], notices=2, sweep=Usage())
    used = step_usage(cost)
    assert set(used) == set(USED)
    counts = {"hop": 8, "send": 5, "update": 2, "end": 2, "event": 4}
    again = summed({name: amount * counts[step] for name, amount in used[step].items()} for step in counts)
    counted = summed(each.usage.total() for each in passages)
    assert again == pytest.approx({name: amount for name, amount in counted.items() if amount}, rel=1e-3)
