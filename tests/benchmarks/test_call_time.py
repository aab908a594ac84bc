"""The figures of a send and of routed events are ratios to their rivals in the same rounds."""

from benchmarks.call_time import EVENTS, HOP_STEPS, RIVALS, WARM_UP, CallTime, _medians, call_time_table
from benchmarks.goals import CHANNELS, GOALS
from waypost.contacts.channels import declared_channels

MEASURED = CallTime(
    ours={
        "send": 4.5,
        "bulk": 1.5,
        "event": 4.0,
        "batch": 2.0,
        "batch of one contact": 1.0,
        "take": 0.7,
        "park": 1.8,
        "close": 1.4,
        **dict.fromkeys(CHANNELS, 4.5),
    },
    stock={"send": 3.0, "event": 4.0, "post": 3.0},
    memory=110.0,
)


def test_each_step_is_compared_with_the_least_that_it_takes() -> None:
    assert MEASURED.figures() == {
        "calls/send": 1.5,
        "calls/bulk": 3.0,
        "calls/event": 1.0,
        "calls/batch": 0.5,
        "calls/batch of one contact": 0.25,
        **{f"calls/{channel}": 1.5 for channel in CHANNELS},
    }
    assert MEASURED.to_dict()["batch"] == {"milliseconds": 2.0, "stock_milliseconds": 4.0, "ratio": 0.5}
    assert call_time_table(MEASURED).row_count == len(EVENTS) + len(HOP_STEPS)


def test_every_step_has_a_goal_and_a_rival() -> None:
    assert MEASURED.figures().keys() == {name for name in GOALS if name.startswith("calls/")}
    assert RIVALS.keys() == EVENTS.keys()


def test_every_channel_to_contacts_but_the_newest_is_measured() -> None:
    assert {*CHANNELS, "email", "robot", "whatsapp"} == {*declared_channels()}


def test_the_first_rounds_do_not_count() -> None:
    assert _medians({"send": [100.0] * WARM_UP + [1.0, 3.0, 2.0]}) == {"send": 2.0}
