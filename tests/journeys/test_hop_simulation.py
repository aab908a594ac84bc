"""Many orders in which a contact's hops, timers, events and sweeps may meet; the figures of a long run stand in docs/benchmarks.md."""

import os

import pytest

from tests.journeys.hop_simulation import Chances, Simulation, check

SEEDS = int(os.environ.get("HOP_SIMULATION_SEEDS", "300"))
FIRST = int(os.environ.get("HOP_SIMULATION_FIRST", "0"))


@pytest.mark.parametrize("block", range(10))
def test_whatever_meets_nothing_is_lost_and_nothing_done_twice(block: int) -> None:
    for seed in range(FIRST + block, FIRST + SEEDS, 10):
        simulation = Simulation(seed)
        try:
            simulation.run()
            check(simulation)
        except BaseException as failure:
            failure.add_note(f"seed {seed}")
            raise


def test_without_mishaps_a_journey_takes_one_hop_to_each_pause() -> None:
    calm = Chances(**dict.fromkeys(Chances.__dataclass_fields__, 0.0))
    doubled = 0
    for seed in range(40):
        simulation = Simulation(seed, calm)
        simulation.run()
        check(simulation)
        (enrolment,) = simulation.enrolments
        parked = [past for past in enrolment.trail if past.parked_at != past.ended_at]
        assert len(simulation.starts) <= 1 + len(parked)
        doubled += sum(simulation.starts.values())
    assert doubled <= 1, "a timer and an event of the very same moment both start the hop"
