"""The small things everything stands on: time, ids, the environment, the error tree, the envelope."""

import inspect
import json
import subprocess
import sys
from dataclasses import fields
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.world import event
from waypost import errors, ids
from waypost.clock import CLOCK_FILE_VARIABLE, clock, format_instant, parse_instant, real_now, virtual_clock
from waypost.errors import FinalError, RetryableError, WaypostError
from waypost.events.envelope import IDENTITY_KINDS, Event
from waypost.settings import Settings

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)


def test_without_a_clock_file_time_is_real(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CLOCK_FILE_VARIABLE, raising=False)
    assert clock() is real_now
    assert real_now().tzinfo is UTC


def test_a_clock_file_holds_the_time_of_every_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "clock"
    monkeypatch.setenv(CLOCK_FILE_VARIABLE, str(file))
    now = clock()
    file.write_text("2027-03-01T20:00:00+08:00\n")
    assert now() == NOON
    file.write_text("2027-03-02T12:00:00Z")
    assert now() == NOON + timedelta(days=1)


def test_a_clock_may_run_ahead(tmp_path: Path) -> None:
    file = tmp_path / "clock"
    file.write_text("+86400")
    ahead = virtual_clock(file)() - real_now()
    assert timedelta(hours=23, minutes=59) < ahead <= timedelta(days=1)


@given(st.datetimes(timezones=st.just(UTC), min_value=datetime(1970, 1, 1), max_value=datetime(9998, 1, 1)))  # noqa: DTZ001
def test_an_instant_comes_back_to_the_millisecond_and_sorts_as_text(instant: datetime) -> None:
    text = format_instant(instant)
    assert len(text) == len("2027-03-01T12:00:00.000Z")
    assert timedelta(0) <= instant - parse_instant(text) < timedelta(milliseconds=1)
    later = format_instant(instant + timedelta(milliseconds=1))
    assert text < later


def test_an_instant_is_written_in_utc() -> None:
    assert format_instant(NOON.astimezone(timezone(timedelta(hours=8)))) == "2027-03-01T12:00:00.000Z"


def test_an_instant_without_an_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="no UTC offset"):
        parse_instant("2027-03-01T12:00:00")


def test_ids_are_the_same_in_every_process() -> None:
    code = "from waypost import ids; print(ids.contact_id('email', '林@example.com'), ids.event_id('s', {'b': 1, 'a': [2]}))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout.split()  # noqa: S603
    assert printed == [ids.contact_id("email", "林@example.com"), ids.event_id("s", {"a": [2], "b": 1})]


@given(st.lists(st.text(max_size=5), min_size=1, max_size=4), st.lists(st.text(max_size=5), min_size=1, max_size=4))
def test_parts_of_an_id_do_not_run_into_each_other(left: list[str], right: list[str]) -> None:
    assert (ids.digest(*left) == ids.digest(*right)) == (left == right)


def test_an_execution_name_fits_step_functions_and_names_nobody() -> None:
    name = ids.execution_name("x" * 200, ids.enrolment_id("x" * 200, "c-1", "once"))
    assert len(name) <= 80
    assert ids.execution_name("nurture", "n-1") == "nurture-n-1"


def test_every_visit_has_keys_of_its_own() -> None:
    keys = {
        ids.message_key(kind, enrolment, state, occurrence)
        for kind in ("journey_step", "reply")
        for enrolment in ("n-1", "n-2")
        for state in ("a", "b")
        for occurrence in ("1", "2")
    }
    assert len(keys) == 16
    assert ids.pause_id("n-1", "a", 1) != ids.pause_id("n-1", "a", 2)


def test_settings_are_read_from_the_environment_and_only_there() -> None:
    environment = {f"WAYPOST_{field.name.upper()}": f"value of {field.name}" for field in fields(Settings)}
    settings = Settings.load(environment)
    assert all(getattr(settings, field.name) == f"value of {field.name}" for field in fields(Settings))
    assert Settings.load({}) == Settings()


def test_the_error_tree_is_the_one_that_is_drawn() -> None:
    drawn = str(errors.__doc__)
    classes = [each for _, each in inspect.getmembers(errors, inspect.isclass) if issubclass(each, WaypostError)]
    for each in classes:
        assert each.__name__ in drawn
        assert each is WaypostError or issubclass(each, (RetryableError, FinalError))


def test_an_event_survives_the_queue() -> None:
    happened = event("order_placed", NOON, "e-1", contact={"user_id": "u-1"}, profile={"city": "武汉"}, total=9.5)
    assert Event.from_dict(json.loads(json.dumps(happened.to_dict()))) == happened
    assert Event.from_dict(happened.to_dict() | {"added_later": 1}) == happened


@pytest.mark.parametrize(("position", "kind"), list(enumerate(IDENTITY_KINDS)))
def test_events_of_one_contact_share_a_group(position: int, kind: str) -> None:
    contact = {name: f"{name}-1" for name in IDENTITY_KINDS[position:]}
    assert event("x", NOON, contact=contact).group == ids.contact_id(kind, f"{kind}-1")
    assert event("x", NOON, contact=contact | {"contact_id": "c-1"}).group == "c-1"
