"""A stream that is complained about or bounces stops by itself, says so, and goes on by an operator's act."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.world import CONTACT, World, send_request
from waypost.contacts.channels import Channel
from waypost.errors import InvalidInput, TemporarilyUnavailable
from waypost.journeys.enrolment import Enrolment
from waypost.sending.streams import DELIVERABILITY, Deliverability, Shares, Tally
from waypost.staff.directory import Member, StaffDirectory
from waypost.tracking.record_delivery import RecordDelivery
from waypost.tracking.watch_streams import HELD

MAIL = "email.marketing"
SIGNED = {"by": "lin.chen", "reason": "the bought list is gone"}


def member(name: str, role: Any) -> Member:
    return Member(
        id=name,
        name=name,
        email=f"{name}@example.com",
        roles=frozenset({role}),
        channels={Channel("email"): f"{name}@example.com"},
    )


@pytest.fixture(autouse=True)
def _staff(world: World) -> None:
    world.staff = StaffDirectory({"lin": member("lin", "lead"), "wu": member("wu", "editor")})


def notice(number: int, word: str, content: dict[str, Any], *, stream: str = MAIL) -> str:
    tags = {"message_key": f"m-{number}", "contact_id": CONTACT, "stream": stream}
    mail = {
        "timestamp": "2027-03-01T02:00:00.000Z",
        "messageId": f"ses-{number}",
        "destination": ["gone@example.com"],
        "tags": {name: [value] for name, value in tags.items()},
    }
    detail = {"eventType": word, "mail": mail, word.lower(): content}
    return json.dumps({"id": f"n-{stream}-{word}-{number}", "source": "aws.ses", "detail": detail})


def record(
    recorder: RecordDelivery, *, delivered: int = 0, bounced: int = 0, complained: int = 0, stream: str = MAIL
) -> list[int]:
    """How many streams stopped, and how many were warned of, with each batch of ten notices."""
    notices = [
        *(notice(number, "Delivery", {}, stream=stream) for number in range(delivered)),
        *(notice(number, "Bounce", {"bounceType": "Permanent"}, stream=stream) for number in range(bounced)),
        *(notice(number, "Complaint", {}, stream=stream) for number in range(complained)),
    ]
    paused, warned = 0, 0
    for start in range(0, len(notices), 10):
        recorded = recorder.record({str(place): text for place, text in enumerate(notices[start : start + 10])})
        assert not recorded.failed
        paused, warned = paused + recorded.watched.paused, warned + recorded.watched.warned
    return [paused, warned]


def stopped(world: World) -> list[str]:
    shown = world.change_policy.act({"action": "show"})["policy"]["streams"]
    return sorted(name for name, state in shown.items() if state["paused"])


def notices_to_staff(world: World) -> list[str]:
    return sorted(
        f"{each.payload['occasion']['contact_id']} {each.payload['occasion']['notice']}"
        for each in world.schedules.booked.values()
    )


@pytest.mark.parametrize(
    ("delivered", "bounced", "complained", "stops", "warns"),
    [
        (1_000, 0, 3, 1, 0),
        (1_000, 0, 2, 0, 1),
        (2_001, 0, 2, 0, 0),
        (950, 50, 0, 1, 0),
        (980, 20, 0, 0, 1),
        (990, 10, 0, 0, 0),
        (899, 100, 0, 0, 0),
    ],
    ids=["complaints", "near", "few", "bounces", "bounces near", "few bounces", "too few to judge"],
)
def test_a_stream_stops_at_its_share_of_a_thousand(
    world: World, delivered: int, bounced: int, complained: int, stops: int, warns: int
) -> None:
    assert record(world.record_delivery, delivered=delivered, bounced=bounced, complained=complained) == [stops, warns]
    assert stopped(world) == [MAIL] * stops


def test_the_leads_and_other_systems_are_notified_once(world: World) -> None:
    for recorder in (world.record_delivery, world.record_delivery):
        record(recorder, delivered=1_200, complained=2)
        record(recorder, complained=4)
    assert stopped(world) == [MAIL]
    assert notices_to_staff(world) == ["staff-lin stream_at_risk", "staff-lin stream_paused"]
    [event] = [event for _, event in world.bus.published if event.type == "stream_paused"]
    assert event.properties["stream"] == MAIL
    assert event.properties["share"].startswith("0.50 % complaints")


def test_a_stopped_stream_sends_nothing_and_goes_on_when_it_is_resumed(world: World, enrolment: Enrolment) -> None:
    sender, recorder = world.send_message, world.record_delivery
    request = send_request(enrolment, "welcome", state="one")
    record(recorder, delivered=1_000, complained=3)
    world.clock.advance(minutes=1)
    waiting = sender.send(request)
    assert (waiting.outcome, waiting.reason) == ("deferred", "stream_paused")
    assert waiting.at is not None
    assert timedelta(hours=1) <= waiting.at - world.clock() <= timedelta(hours=15)
    world.change_policy.act({"action": "resume_stream", "stream": MAIL, **SIGNED})
    assert stopped(world) == []
    assert world.change_policy.act({"action": "show"})["history"][0]["by"] == "lin.chen"
    world.clock.advance(hours=24)
    later = replace(request, attempt=1)
    assert sender.send(later).outcome == "sent"
    world.clock.advance(minutes=1)
    assert record(recorder, delivered=10, complained=1) == [0, 0], "what was before is not held against it"


def test_what_a_message_is_tagged_with_is_its_stream(world: World, enrolment: Enrolment) -> None:
    world.send_message.send(send_request(enrolment, "welcome", state="one"))
    assert world.email.sent[0].tags["stream"] == MAIL


def test_another_stream_goes_on(world: World) -> None:
    record(world.record_delivery, delivered=1_000, stream="email.transactional")
    record(world.record_delivery, delivered=1_000, complained=3)
    assert stopped(world) == [MAIL]


def test_good_words_are_written_together_and_bad_ones_at_once(world: World) -> None:
    recorder = world.record_delivery
    record(recorder, delivered=10 * HELD)
    assert world.stream_tallies.writes <= 11
    before = world.stream_tallies.writes
    record(recorder, complained=1)
    assert world.stream_tallies.writes == before + 1


def test_a_reset_of_the_whole_policy_resumes_no_stream(world: World) -> None:
    record(world.record_delivery, delivered=1_000, complained=3)
    world.change_policy.act({"action": "reset", **SIGNED})
    assert stopped(world) == [MAIL]


def test_only_a_stopped_stream_is_resumed(world: World) -> None:
    with pytest.raises(InvalidInput, match="none is stopped"):
        world.change_policy.act({"action": "resume_stream", "stream": MAIL, **SIGNED})


def test_counts_that_could_not_be_written_are_written_later(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = world.record_delivery
    with monkeypatch.context() as broken:

        def refuse(*_: object, **__: object) -> None:
            raise TemporarilyUnavailable("throttled")

        broken.setattr(world.stream_tallies, "add", refuse)
        assert record(recorder, delivered=1_000, complained=4) == [0, 0]
    assert record(recorder, delivered=1) == [1, 0]
    assert stopped(world) == [MAIL]


def test_the_stop_share_lies_at_or_above_the_warning() -> None:
    with pytest.raises(ValueError, match="warn no more than stop"):
        Shares(warn=1, stop=0.5)


def test_the_deployed_limits_are_those_of_mailbox_providers(world: World) -> None:
    assert world.published.policy.of(DELIVERABILITY) == Deliverability(Shares(0.1, 0.3), Shares(2, 5), 1_000, 24)
    assert Tally(1_000, 20, 0).judged_by(Deliverability()) == ("warn", "2.00 % hard bounces of 1,000")
