"""A message that waits for the hour at which its contact reads."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.authoring import folders
from tests.content.test_library import SMS, problems
from tests.fakes.published_journeys import JOURNEY, SENDING, email, journey, published
from tests.fakes.world import CONTACT, World, event, send_request
from tests.metrics.night import Night
from tests.sending.test_guards import MARKETING, STEP, TRANSACTIONAL, case, contact, policy
from waypost.clock import format_instant, parse_instant
from waypost.content.message import PublishedMessage
from waypost.events.envelope import Event
from waypost.sending.guard import Allow, Case, Defer
from waypost.sending.guards.best_hour import BestHour
from waypost.sending.guards.quiet_hours import first_moment
from waypost.sending.judge import judge

WAITS = PublishedMessage.from_dict(email("news") | {"best_hour": True})
GUARD = [BestHour()]
HABITS = {"readings": 7, "reading_hours": "9:8 20:40"}
NOON = "2027-03-01T12:00:00+08:00"


def waiting(at: str = NOON, *, metrics: dict[str, Any] = HABITS, **changes: Any) -> Case:
    fields: dict[str, Any] = {"message": WAITS, "now": parse_instant(at), "contact": contact(metrics=metrics)}
    return case(**fields | changes)


def until(judged: Case) -> datetime | None:
    """When the message may go out by this guard, where the contact lives; None for at once."""
    verdict = judge(judged, GUARD).verdict
    assert isinstance(verdict, Allow | Defer)
    return verdict.until.astimezone(judged.zone) if isinstance(verdict, Defer) else None


def test_a_message_waits_for_the_hour_at_which_the_contact_reads_most() -> None:
    judged = judge(waiting(), GUARD)
    assert isinstance(judged.verdict, Defer)
    assert judged.verdict.reason == "best_hour"
    local = judged.verdict.until.astimezone(ZoneInfo("Asia/Shanghai"))
    assert "2027-03-01T20:00" <= f"{local:%Y-%m-%dT%H:%M}" <= "2027-03-01T20:30"
    assert judged.saw == {"bh": "20:00 40/48, 7 read"}
    assert until(replace(waiting(), now=judged.verdict.until, first_asked_at=parse_instant(NOON))) is None


def test_messages_of_the_same_hour_go_out_at_minutes_of_their_own() -> None:
    steps = [replace(STEP, state=f"Day {number}") for number in range(20)]
    minutes = {until(waiting(occasion=step)) for step in steps}
    assert len(minutes) > 15


@pytest.mark.parametrize("at", ["2027-03-01T20:00:00+08:00", "2027-03-01T20:59:59+08:00"])
def test_in_the_best_hour_it_goes_out_at_once(at: str) -> None:
    assert until(waiting(at)) is None


def test_it_waits_no_longer_than_the_policy_says_from_when_it_was_asked_for() -> None:
    morning = "2027-03-01T08:10:00+08:00"
    short = policy(best_hour={"within_hours": 4, "least": 5, "default_hour": None, "journeys": []})
    assert f"{until(waiting(morning, policy=short)):%d %H}" == "01 09"  # the evening is further away
    assert f"{until(waiting(morning)):%d %H}" == "01 20"
    since = parse_instant(morning) - timedelta(hours=24)
    assert until(waiting(morning, first_asked_at=since)) is None
    stale = parse_instant(morning) + timedelta(minutes=30)
    assert until(waiting(morning, send_by=stale)) is None


def test_hours_outside_of_the_window_are_no_chance() -> None:
    night = {"readings": 9, "reading_hours": "2:60 18:8"}
    assert f"{until(waiting(metrics=night)):%d %H}" == "01 18"
    only_at_night = {"readings": 9, "reading_hours": "2:60"}
    assert judge(waiting(metrics=only_at_night), GUARD).saw == {"bh": "no such hour before it is over"}


def test_too_few_readings_are_no_habit() -> None:
    few = {"readings": 4, "reading_hours": "20:32"}
    judged = judge(waiting(metrics=few), GUARD)
    assert (judged.verdict, judged.saw) == (Allow(), {"bh": "4/5 readings"})
    assert until(waiting(metrics={})) is None
    declared = policy(best_hour={"within_hours": 24, "least": 5, "default_hour": 19, "journeys": []})
    judged = judge(waiting(metrics=few, policy=declared), GUARD)
    assert judged.saw == {"bh": "19:00 default, 4 read"}
    assert f"{until(waiting(metrics=few, policy=declared)):%d %H}" == "01 19"
    two = policy(best_hour={"within_hours": 24, "least": 2, "default_hour": None, "journeys": []})
    assert f"{until(waiting(metrics=few, policy=two)):%d %H}" == "01 20"


def test_only_marketing_that_asks_for_it_waits() -> None:
    for message in (MARKETING, replace(TRANSACTIONAL, best_hour=True)):
        assert judge(waiting(message=message), GUARD).saw == {}
    journeys = policy(best_hour={"within_hours": 24, "least": 5, "default_hour": None, "journeys": ["nurture"]})
    assert until(waiting(message=MARKETING, policy=journeys)) is not None


@given(
    minutes=st.integers(0, 14 * 24 * 60),
    asked=st.integers(0, 40 * 60),
    weights=st.dictionaries(st.integers(0, 23), st.integers(1, 99), max_size=6),
    zone=st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe"]),
)
def test_it_never_waits_beyond_its_time_nor_out_of_the_window_and_waits_once(
    minutes: int, asked: int, weights: dict[int, int], zone: str
) -> None:
    shown = " ".join(f"{hour}:{weight}" for hour, weight in weights.items())
    now = parse_instant("2027-03-22T00:00:00Z") + timedelta(minutes=minutes)
    first = first_moment(waiting(zone=ZoneInfo(zone), now=now), now)  # as the guard before has it
    metrics = {"readings": 9, "reading_hours": shown}
    judged = waiting(zone=ZoneInfo(zone), now=first, metrics=metrics, first_asked_at=first - timedelta(minutes=asked))
    verdict = judge(judged, GUARD).verdict
    assert isinstance(verdict, Allow | Defer)
    if isinstance(verdict, Defer):
        assert first < verdict.until <= judged.asked_at + timedelta(hours=24)
        assert first_moment(judged, verdict.until) == verdict.until
        assert until(replace(judged, now=verdict.until)) is None


def test_what_a_contact_opens_in_the_evening_brings_the_next_message_there() -> None:
    """From the events to the night to the sender: nothing in between is set up by hand."""
    message = email("news") | {"best_hour": True}
    world = World(published=published(journey(messages={"news": message}), sending=SENDING))
    night = Night(world=world, metrics={"best_hour": {"half_life_seconds": 30 * 86400}})
    world.have_contact()
    for days in range(1, 7):
        at = world.clock() - timedelta(days=days) + timedelta(hours=10, minutes=40)  # 20:40
        kind = "message_clicked" if days % 2 else "message_opened"
        world.route(event_of(kind, at))
        world.route(event_of("message_prefetched", at - timedelta(hours=9)))
    night.run()
    assert world.contacts[CONTACT].metrics["reading_hours"] == "20:48"

    enrolment = world.have_enrolment()
    request = send_request(world.walking(enrolment), "news", state="News")
    result = world.send_message.send(request)
    assert (result.outcome, result.reason) == ("deferred", "best_hour")
    assert result.at is not None
    assert "2027-03-01T12:00" <= format_instant(result.at) <= "2027-03-01T12:31"
    assert world.send_message.send(request).outcome == "deferred"
    world.fire_next()
    (sent,) = world.email.sent
    assert sent.message_key == request.message_key
    (row,) = world.ledger.rows.values()
    assert [each.saw["bh"] for each in row.decisions] == ["20:00 48/48, 6 read"] * 2
    written = len(world.effects.log)
    night.run()
    assert "contacts.save" not in world.effects.log[written:]


def event_of(kind: str, at: datetime) -> Event:
    return event(kind, at, message_key="m-1", channel="email", journey=JOURNEY)


def test_authors_ask_for_it_of_marketing_alone(tmp_path: Path) -> None:
    files = {**SMS, "message.yaml": SMS["message.yaml"] + "best_hour: true\n"}
    assert problems(tmp_path / "one", files) == []
    orders = files["message.yaml"].replace("kind: marketing", "kind: transactional")
    (found,) = problems(tmp_path / "two", {**files, "message.yaml": orders})
    assert "greeting/message.yaml: best_hour: is for marketing" in found


def test_a_best_hour_that_nothing_learns_is_refused(tmp_path: Path) -> None:
    root = folders.write(tmp_path)
    message = root / "journeys/win-back/messages/sorry/message.yaml"
    message.write_text(message.read_text(encoding="utf-8") + "best_hour: true\n", encoding="utf-8")
    assert "sorry/message.yaml: best_hour: is never learnt" in "\n".join(folders.problems(root))
    (root / "contacts").mkdir()
    (root / "contacts/metrics.yaml").write_text("best_hour: { half_life: 14d }\n", encoding="utf-8")
    assert folders.problems(root) == []
