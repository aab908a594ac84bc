"""``waypost travel`` waits while work advances, and says meanwhile how far it is."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.cloud.time_travel import Work
from local.commands.tables import Pace, travel_line
from local.problems import LocalError
from local.running import background, travelling
from local.running.daemon import Travelling

BEGUN = datetime(2031, 3, 3, tzinfo=UTC)


def test_how_far_a_travel_is() -> None:
    under_way = Travelling(begun=BEGUN, target=BEGUN + timedelta(days=2))
    under_way.arrived(BEGUN + timedelta(hours=10))
    pace = Pace()
    assert travel_line(under_way.to_dict(), pace) == "it is Mon 03 Mar 2031 10:00 (UTC)"

    under_way.working(Work(kinds={"executions": 1204, "queues": 37}, seconds=12.3))
    assert under_way.to_dict()["target"] == "2031-03-05T00:00:00.000Z"
    assert travel_line(under_way.to_dict(), pace) == (
        "it is Mon 03 Mar 2031 10:00 (UTC), 1,204 executions, 37 messages in queues"
    )
    under_way.working(Work(kinds={"executions": 241}, seconds=22.3))
    assert travel_line(under_way.to_dict(), pace) == (
        "it is Mon 03 Mar 2031 10:00 (UTC), 241 executions, about 2 s left"
    )

    under_way.arrived(BEGUN + timedelta(hours=11))
    assert travel_line(under_way.to_dict(), pace) == "it is Mon 03 Mar 2031 11:00 (UTC)"


def test_how_long_the_rest_takes_goes_by_the_most_there_was() -> None:
    pace = Pace()
    assert [pace.shown(left, seconds) for left, seconds in [(10, 1.0), (100, 2.0), (50, 12.0), (25, 17.0)]] == [
        "",
        "",
        ", about 10 s left",
        ", about 5 s left",
    ]
    assert pace.shown(40, 1.0) == ""  # another step
    assert pace.shown(20, 2.0) == ", about 1 s left"


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the control API answers about the travel, one answer each time; the travel ends with the last one."""
    monkeypatch.setattr(travelling, "LOOK_SECONDS", 0.001)
    answers: list[Any] = []
    all_answered = threading.Event()

    def control(method: str, path: str, request: Any = None, *, timeout: float = 30.0) -> Any:
        if path == "/progress":
            found = answers.pop(0) if answers else {}
            if not answers:
                all_answered.set()
            if isinstance(found, LocalError):
                raise found
            return found
        assert (method, path) == ("POST", "/travel")
        assert all_answered.wait(30)
        if request == {"by": "for ever"}:
            raise LocalError("not at rest", "see the log")
        return {"now": "then", "fired": 3, **request}

    monkeypatch.setattr(background, "control", control)
    return answers


def test_a_travel_is_watched_to_its_end(looks: list[Any]) -> None:
    looks += [{"now": "1"}, {}, LocalError("busy", ""), {"now": "2"}]
    seen: list[Any] = []
    assert travelling.travel({"by": "2d"}, progress=seen.append) == {"now": "then", "fired": 3, "by": "2d"}
    assert seen == [{"now": "1"}, {"now": "2"}]


def test_what_is_stuck_is_said(looks: list[Any]) -> None:
    with pytest.raises(LocalError, match="not at rest"):
        travelling.travel({"by": "for ever"}, progress=lambda _: None)
