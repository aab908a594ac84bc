"""What a contact of a rehearsal costs, from crowds of growing sizes."""

import os
import time

import pytest

from benchmarks.rehearsal_time import RehearsalTime, Spent, _of_group, rehearsal_table


def spent(contacts: int, seconds: float) -> Spent:
    return Spent(contacts=contacts, command=1.0, emulator=(seconds - 1) / 2, workers=(seconds - 1) / 2)


def test_what_the_start_takes_drops_out() -> None:
    found = RehearsalTime((spent(40, 10.0), spent(140, 20.0), spent(340, 40.0)))
    assert found.per_contact(1) == pytest.approx(0.1)
    assert found.figures() == {"rehearsal/growth": pytest.approx(1.0)}
    assert found.promised_minutes == pytest.approx((10 + 4960 * 0.1) / 2 / 60)


def test_a_contact_that_costs_more_in_a_crowd_shows() -> None:
    found = RehearsalTime((spent(40, 10.0), spent(140, 20.0), spent(340, 60.0)))
    assert found.growth == pytest.approx(2.0)
    assert rehearsal_table(found).row_count == 3
    assert found.to_dict()["growth"] == 2.0


def test_processor_time_is_read_of_every_process_of_a_group() -> None:
    until = time.process_time() + 0.05
    while time.process_time() < until:
        pass
    assert dict(_of_group(os.getpgrp()))[os.getpid()] > 0
    assert dict(_of_group(-1)) == {}
