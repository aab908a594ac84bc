"""A test contact lives a journey in minutes: waits are shortened, and what the hour and the day decide is decided as ever."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.fakes.published_journeys import JOURNEY, journey, published
from tests.fakes.world import CONTACT, World, event
from waypost.assembly import assemble
from waypost.clock import parse_instant
from waypost.contacts.profile import Contact
from waypost.errors import ContactNotFound, InvalidInput
from waypost.journeys.enrolment import Enrolment
from waypost.journeys.published import REQUEST
from waypost.journeys.shortened_time import LARGEST_PACE, USUAL_PACE, ShortenedTime

SHANGHAI = ZoneInfo("Asia/Shanghai")


def here(local: str) -> datetime:
    return datetime.fromisoformat(local).replace(tzinfo=SHANGHAI)


def trying(pace: int = USUAL_PACE, **manifest: Any) -> tuple[World, Enrolment]:
    """The test contact has just entered, on Monday at 10:00."""
    world = World(published=published(journey(**manifest)))
    world.have_contact(test=True)
    return world, started(world, pace=pace)


def started(world: World, *, pace: int = USUAL_PACE, occasion: str = "first") -> Enrolment:
    before = {each.enrolment_id for each in world.enrolments}
    request = {"journey": JOURNEY, "contact": {"contact_id": CONTACT}, "run": occasion, "test": {"pace": pace}}
    assemble.start_journey(world.ports, journeys=world.published.journeys, default_zone=world.default_zone).start(
        request, remaining=lambda: 900_000
    )
    world.route(world.queue.sent[-1])
    [enrolment] = [each for each in world.enrolments if each.enrolment_id not in before]
    return enrolment


def lived(world: World, enrolment: Enrolment) -> datetime:
    return world.stored(enrolment).lived_at(world.clock())


def test_a_week_of_the_journey_passes_in_minutes_at_the_hours_of_its_definition() -> None:
    world, enrolment = trying()
    began = world.clock()
    for day, at in ((3, "10:00"), (5, "09:30"), (8, "20:00")):
        pause = world.park(enrolment, {"until": {"day": day, "at": at}}, state=f"Until day {day}")
        world.fire_next()
        assert world.answers[pause] == {"outcome": "elapsed"}
        assert lived(world, enrolment) == here(f"2027-03-{day:02} {at}")
    assert world.clock() - began <= timedelta(minutes=9)


def test_a_timer_that_comes_late_moves_no_hour_of_the_journey() -> None:
    world, enrolment = trying()
    world.park(enrolment, {"for": "1d"})
    world.clock.advance(minutes=40)
    world.fire_next()
    assert lived(world, enrolment) == here("2027-03-02 10:00")


def test_an_event_in_the_middle_of_a_wait_comes_at_that_time_of_the_journey() -> None:
    world, enrolment = trying()
    pause = world.park(enrolment, {"for": "2d", "or": {"event": "survey_answered"}})
    world.clock.advance(seconds=30)
    world.route(event("survey_answered", world.clock(), contact={"contact_id": CONTACT}))
    assert world.answers[pause]["outcome"] == "event"
    assert lived(world, enrolment) == here("2027-03-01 22:00")


def test_a_message_at_night_waits_for_the_morning_of_the_journey_and_the_next_wait_counts_from_it() -> None:
    world, enrolment = trying()
    world.park(enrolment, {"for": "13h"}, state="Until the night")
    world.fire_next()
    result = world.send(enrolment, "welcome")
    assert (result.outcome, result.reason) == ("deferred", "quiet_hours")
    [row] = world.ledger
    assert row.decisions[0].local_time == "2027-03-01T23:00:00+08:00"
    assert result.at is not None
    assert result.at - world.clock() == timedelta(seconds=9 * 3600 / USUAL_PACE)
    world.park(enrolment, {"for": "2h"}, state="After the mail")
    world.fire_next()
    [row] = world.ledger
    assert [each.local_time for each in row.decisions] == ["2027-03-01T23:00:00+08:00", "2027-03-02T08:00:00+08:00"]
    world.fire_next()
    assert lived(world, enrolment) == here("2027-03-02 10:00")


def test_what_would_be_stale_in_the_journey_is_skipped() -> None:
    world = World(published=published(sending={"send_within_hours": 4}))
    world.have_contact(test=True)
    enrolment = started(world)
    world.park(enrolment, {"for": "13h"})
    world.fire_next()
    assert world.send(enrolment, "welcome").reason == "too_late"


def test_caps_count_what_the_test_has_sent_in_its_own_days() -> None:
    world, enrolment = trying()
    for number in range(2):
        assert world.send(enrolment, "welcome", state=f"Mail {number}").outcome == "sent"
    capped = world.send(enrolment, "welcome", state="Mail 2")
    assert (capped.outcome, capped.reason) == ("deferred", "frequency_cap")
    world.park(enrolment, {"until": {"day": 4, "at": "10:00"}})
    while world.stored(enrolment).position == "parked":
        world.fire_next()
    assert world.send(enrolment, "welcome", state="Mail 3").outcome == "sent", "days later the cap is free"
    world.close(enrolment)
    again = started(world, occasion="second")
    assert world.send(again, "welcome").outcome == "sent", "another test counts for itself"


def test_mail_to_a_test_contact_says_so_in_its_subject() -> None:
    world, enrolment = trying()
    world.send(enrolment, "welcome")
    assert world.email.sent[0].content.subject == "[Test] Welcome Lin"


def test_a_test_takes_nobodys_place_and_can_be_repeated() -> None:
    world, enrolment = trying(audience_limit=1, exclusive_group="onboarding", holdout={"percent": 100, "salt": "x"})
    assert not enrolment.held_out
    world.close(enrolment)
    started(world, occasion="second")
    world.have_contact("c-other", identities={"user_id": ["u-2"]})
    routed = world.route(event("registered", world.clock(), "e-real", contact={"user_id": "u-2"}))
    assert [each["reason"] for each in routed.decisions] == ["enrolled"], "the limit of one is free for a real person"


def test_its_end_says_that_it_was_a_test() -> None:
    world, enrolment = trying()
    world.close(enrolment)
    [ended] = [each for each in world.queue.sent if each.type == "journey_ended"]
    assert ended.properties["test"] is True


def test_a_goal_counts_within_its_days_of_the_journey() -> None:
    world, enrolment = trying(goal={"event": "order_placed", "where": None, "within_seconds": 86_400})
    world.park(enrolment, {"for": "3d"})
    world.clock.advance(seconds=70)  # a day and four hours of the journey
    world.route(event("order_placed", world.clock(), contact={"contact_id": CONTACT}))
    assert world.stored(enrolment).status == "active"


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({"contact": {"contact_id": CONTACT}, "test": True}, "contact"),
        ({"contacts": [{"contact_id": CONTACT}], "test": {"pace": 60}}, "contacts[0]"),
        ({"segment": "vip", "test": True}, "test"),
        ({"contact": {"contact_id": CONTACT}, "test": {"pace": LARGEST_PACE + 1}}, "test"),
        ({"contact": {"contact_id": CONTACT}, "test": {"pace": True}}, "test"),
        ({"contact": {"contact_id": CONTACT}, "test": {"speed": 3}}, "test"),
    ],
)
def test_who_is_no_test_contact_lives_no_journey_faster(world: World, request_: dict[str, Any], field: str) -> None:
    starting = assemble.start_journey(world.ports, journeys=world.published.journeys, default_zone=world.default_zone)
    with pytest.raises(InvalidInput) as refused:
        starting.start({"journey": JOURNEY, "run": "r", **request_}, remaining=lambda: 900_000)
    assert refused.value.field == field
    assert not world.queue.sent


def test_a_system_that_asks_for_a_test_of_a_real_person_is_refused(world: World) -> None:
    asked = event(REQUEST, world.clock(), journey=JOURNEY, test_pace=60)
    assert [each["reason"] for each in world.route(asked).decisions] == ["not_a_test_contact"]
    assert not list(world.enrolments)


def test_a_pace_that_cannot_be_becomes_the_usual_one(world: World) -> None:
    world.have_contact(test=True)
    world.route(event(REQUEST, world.clock(), journey=JOURNEY, test_pace="fast"))
    assert [each.shortened for each in world.enrolments] == [ShortenedTime(USUAL_PACE)]


def mark(world: World, **request: Any) -> dict[str, Any]:
    given = {"contact": {"user_id": "u-1"}, "by": "lin.chen", "reason": "tries journeys", "run": "r-1", **request}
    answer = world.mark_test_contact.mark(given)
    world.route(world.queue.sent[-1])
    return answer


def stored_contact(world: World) -> Contact:
    contact = world.contacts.load(CONTACT)
    assert contact is not None
    return contact


def test_a_marked_contact_is_left_out_by_bulk_runs_until_it_is_no_test_contact_any_more(world: World) -> None:
    assert mark(world) == {"contact_id": CONTACT, "test": True, "was": False}
    assert stored_contact(world).test
    assert world.contacts.living() == []
    [marked] = world.history.since(CONTACT, world.clock() - timedelta(hours=1), types=["test_contact_marked"])
    assert marked.properties == {"test": True, "by": "lin.chen", "reason": "tries journeys"}
    assert mark(world, test=False, run="r-2")["was"] is True
    assert [each.contact_id for each in world.contacts.living()] == [CONTACT]


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"by": ""}, "by"), ({"reason": " "}, "reason"), ({"test": "yes"}, "test"), ({"tests": True}, "tests")],
)
def test_a_request_to_mark_says_which_field_is_wrong(world: World, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        mark(world, **changes)
    assert refused.value.field == field


def test_nobody_who_is_not_known_is_marked(world: World) -> None:
    with pytest.raises(ContactNotFound):
        mark(world, contact={"user_id": "u-unknown"})


def test_an_event_of_another_system_marks_nobody(world: World) -> None:
    world.route(event("test_contact_marked", world.clock(), test=True))
    assert not stored_contact(world).test


def test_the_form_of_a_shortened_time_keeps_how_far_it_is_ahead() -> None:
    ahead = ShortenedTime(60, timedelta(days=2, milliseconds=5))
    assert ShortenedTime.from_dict(ahead.to_dict()) == ahead
    assert parse_instant("2027-03-01T02:00:00Z") == here("2027-03-01 10:00")
