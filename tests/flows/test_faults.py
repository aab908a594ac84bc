"""Providers fail, processes die, schedules get lost and fire twice: nothing is lost, no message goes out twice."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from itertools import cycle
from typing import Literal

import pytest

from infra.project import ROOT
from local.cloud.local_cloud import LocalCloud
from local.cloud.time_travel import DueSchedule
from local.providers.record import Call, Fault, FaultKind
from tests.flows.steps import (
    NURTURE,
    WELCOME,
    accepted,
    by_day,
    by_night,
    contact_id,
    counted,
    decided,
    end_workers,
    enrolment_of,
    eventually,
    heard,
    introduce,
    invoke,
    items,
    local_time,
    message_key,
    only,
    rows,
    schedule_input,
    sign_up,
    timer_of,
    traits,
    travel,
    waiting_at,
)
from waypost.aws.enrolments import DynamoEnrolments
from waypost.aws.ledger import DynamoLedger
from waypost.channels.fake_contract import Fate
from waypost.clock import parse_instant
from waypost.reports.timeline import timeline
from waypost.sending.deferral import schedule_name as deferred_name
from waypost.sending.occasion import JourneyStep
from waypost.sending.request import SendRequest

pytestmark = pytest.mark.flow

DAY_3 = "Day 3, survey SMS"
FIRST_PAUSE = "Until day 3 at ten"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A cloud of its own, because its processes are ended here; it keeps its state over that.

    The hourly sweeper is off: what follows has to come right without it.
    """
    with LocalCloud(tmp_path_factory.mktemp("faults") / "cloud", keeps_state=True) as cloud:
        turn_sweeper(cloud, "DISABLED")
        yield cloud


def turn_sweeper(cloud: LocalCloud, state: Literal["ENABLED", "DISABLED"]) -> None:
    """Turn the schedule of the sweeper on or off."""
    group = f"waypost-{cloud.access.stage}"
    known = cloud.client("scheduler").get_schedule(Name="sweep-journeys", GroupName=group)
    kept = ("Name", "GroupName", "ScheduleExpression", "FlexibleTimeWindow", "Target")
    cloud.client("scheduler").update_schedule(**{name: known[name] for name in kept}, State=state)


@pytest.fixture
def sweeper(cloud: LocalCloud) -> Iterator[Callable[[str], int]]:
    """The sweeper is on; tells how many of a metric it has counted since then."""
    turn_sweeper(cloud, "ENABLED")
    before = counted(cloud, "sweep_journeys", "OverduePauses", "LostHops", "UnknownMessages")
    yield lambda metric: counted(cloud, "sweep_journeys", metric)[metric] - before[metric]
    turn_sweeper(cloud, "DISABLED")


def calls(cloud: LocalCloud, key: str) -> list[Call]:
    """The calls that reached a provider under a message key."""
    return [call for call in cloud.providers.calls if call.message_key == key]


def outcomes(cloud: LocalCloud, user_id: str) -> list[str]:
    """What was decided on the contact's messages, in order."""
    return [decision.outcome for decision in decided(cloud, user_id)]


def timeline_titles(cloud: LocalCloud, user_id: str) -> list[str]:
    """The titles of the contact's timeline."""
    entries = timeline(contact_id(user_id), items(cloud), default_zone=cloud.default_zone)
    return [entry.title for entry in entries]


def message(cloud: LocalCloud, user_id: str, state: str = WELCOME) -> dict[str, object]:
    """The ledger row of a message of the nurture journey."""
    return rows(cloud, user_id, "message")[f"message#{message_key(user_id, state)}"]


def deferred(cloud: LocalCloud, user_id: str) -> DueSchedule:
    """The schedule of the contact's deferred welcome mail."""
    wanted = deferred_name(message_key(user_id), 1)
    [found] = [due for due in cloud.time.settle() if due.name.endswith(f"/{wanted}")]
    return found


# --- providers ---------------------------------------------------------------------------------------------------------

UNCLEAR: dict[str, FaultKind] = {"fails-500": "error", "stalls": "stall", "hangs-up": "drop"}


@pytest.fixture(scope="module")
def bad_morning(cloud: LocalCloud) -> None:
    """Contacts who all register on a morning when the provider fails, for each in another way."""
    by_day(cloud)
    for user_id, kind in {**UNCLEAR, "refused": "reject"}.items():
        cloud.providers.fail(Fault(kind=kind, message_key=message_key(user_id), seconds=30))
        sign_up(cloud, user_id)
    cloud.time.settle()


@pytest.mark.usefixtures("bad_morning")
@pytest.mark.parametrize("user_id", UNCLEAR)
def test_a_call_without_a_clear_answer_is_unknown_until_the_provider_reports(cloud: LocalCloud, user_id: str) -> None:
    [call] = calls(cloud, message_key(user_id))
    assert message(cloud, user_id)["state"] == "unknown"
    [decision] = decided(cloud, user_id)
    assert (decision.outcome, decision.reason.split(":")[0]) == ("unknown", "provider")
    assert "welcome unknown" in timeline_titles(cloud, user_id)
    assert waiting_at(cloud, user_id) == [FIRST_PAUSE]

    cloud.emulator.put_events([cloud.providers.notice(call, "delivered", at=cloud.clock.now())])
    cloud.time.settle()

    assert message(cloud, user_id)["state"] == "delivered"
    assert "welcome delivered" in timeline_titles(cloud, user_id)
    assert len(calls(cloud, message_key(user_id))) == 1


@pytest.mark.usefixtures("bad_morning")
def test_reports_of_the_provider_may_come_in_any_order(cloud: LocalCloud) -> None:
    [call] = calls(cloud, message_key("stalls"))
    cloud.providers.report(call, "complained")
    cloud.time.settle()
    assert message(cloud, "stalls")["state"] == "complained"
    late: tuple[Fate, ...] = ("delivered", "accepted")
    for fate in late:
        cloud.emulator.put_events([cloud.providers.notice(call, fate, at=cloud.clock.now() - timedelta(minutes=1))])
    cloud.time.settle()

    assert message(cloud, "stalls")["state"] == "complained"
    closed = only(rows(cloud, "stalls", "profile"))["suppressions"]
    assert {key.partition("/")[0]: reason for key, reason in closed.items()} == {"email": "complaint"}


@pytest.mark.usefixtures("bad_morning")
def test_a_message_that_is_refused_for_good_is_rejected_and_does_not_count_as_a_touch(cloud: LocalCloud) -> None:
    assert [call.outcome for call in calls(cloud, message_key("refused"))] == ["reject"]
    assert message(cloud, "refused")["state"] == "rejected"
    [decision] = decided(cloud, "refused")
    assert (decision.outcome, decision.reason) == ("rejected", "provider: MessageRejected")
    assert only(rows(cloud, "refused", "touches"))["recent"] == []


def test_a_throttled_message_waits_longer_each_time_and_goes_out_once(cloud: LocalCloud) -> None:
    by_day(cloud)
    started = cloud.clock.now()
    cloud.providers.fail(Fault(kind="throttle", times=6, message_key=message_key("throttled")))
    sign_up(cloud, "throttled")
    travel(cloud, started + timedelta(hours=1))

    assert [call.outcome for call in calls(cloud, message_key("throttled"))] == ["throttle"] * 6 + ["accepted"]
    first, second, third = decided(cloud, "throttled")
    assert [each.outcome for each in (first, second, third)] == ["deferred", "deferred", "sent"]
    again, at_last = parse_instant(second.at), parse_instant(third.at)
    assert parse_instant(first.at) == started
    # all that were throttled together come back at moments of their own
    assert timedelta() < again - started <= timedelta(minutes=6)
    assert timedelta() < at_last - again <= timedelta(minutes=21)
    assert message(cloud, "throttled")["state"] == "accepted"


def test_a_provider_that_cannot_be_reached_gets_the_message_once_when_it_is_back(cloud: LocalCloud) -> None:
    by_day(cloud)
    with cloud.providers.refusing_connections():
        sign_up(cloud, "not-reached")
        cloud.time.settle()
    assert outcomes(cloud, "not-reached") == ["deferred"]
    travel(cloud, cloud.clock.now() + timedelta(minutes=10))

    assert [call.outcome for call in calls(cloud, message_key("not-reached"))] == ["accepted"]
    assert outcomes(cloud, "not-reached") == ["deferred", "sent"]


def test_an_sms_is_sent_as_carefully_as_a_mail(cloud: LocalCloud) -> None:
    by_day(cloud)
    cloud.providers.fail(Fault(kind="error", message_key=message_key("sms-unclear", DAY_3)))
    cloud.providers.fail(Fault(kind="throttle", times=3, message_key=message_key("sms-throttled", DAY_3)))
    for user_id in ("sms-unclear", "sms-throttled"):
        sign_up(cloud, user_id)
    travel(cloud, local_time(cloud, 10, in_days=2) + timedelta(hours=1))

    assert message(cloud, "sms-unclear", DAY_3)["state"] == "unknown"
    assert len(calls(cloud, message_key("sms-unclear", DAY_3))) == 1
    assert outcomes(cloud, "sms-throttled") == ["sent", "deferred", "sent"]
    assert [call.outcome for call in calls(cloud, message_key("sms-throttled", DAY_3))].count("accepted") == 1


# --- processes ---------------------------------------------------------------------------------------------------------


def test_a_sender_that_dies_between_claim_and_answer_leaves_an_unknown_message(cloud: LocalCloud) -> None:
    by_day(cloud)
    key = message_key("sender-dies")
    cloud.providers.fail(Fault(kind="stall", message_key=key, seconds=60))
    sign_up(cloud, "sender-dies")
    eventually(cloud, lambda: calls(cloud, key), "the provider has the message")
    assert end_workers(cloud, "send_message") > 0
    cloud.time.settle()

    [decision] = decided(cloud, "sender-dies")
    assert (decision.outcome, decision.reason) == ("unknown", "no_answer")
    assert message(cloud, "sender-dies")["state"] == "unknown"
    assert len(calls(cloud, key)) == 1
    assert waiting_at(cloud, "sender-dies") == [FIRST_PAUSE]


def test_the_report_of_the_provider_may_be_faster_than_the_retry_of_a_sender_that_died(cloud: LocalCloud) -> None:
    by_day(cloud)
    key = message_key("report-first")
    cloud.providers.fail(Fault(kind="stall", message_key=key, seconds=60))
    sign_up(cloud, "report-first")
    eventually(cloud, lambda: calls(cloud, key), "the provider has the message")
    cloud.emulator.put_events([cloud.providers.notice(calls(cloud, key)[0], "delivered", at=cloud.clock.now())])
    eventually(cloud, lambda: message(cloud, "report-first")["state"] == "delivered", "the message is delivered")
    end_workers(cloud, "send_message")
    cloud.time.settle()

    assert message(cloud, "report-first")["state"] == "delivered"
    assert len(calls(cloud, key)) == 1
    assert outcomes(cloud, "report-first") == ["sent"]
    assert waiting_at(cloud, "report-first") == [FIRST_PAUSE]


def test_an_answer_that_comes_while_its_question_is_still_being_sent_ends_the_next_pause(cloud: LocalCloud) -> None:
    by_day(cloud)
    key = message_key("answers-early", DAY_3)
    sign_up(cloud, "answers-early")
    travel(cloud, local_time(cloud, 10, in_days=2) - timedelta(minutes=1))
    timer, _ = timer_of(enrolment_of(cloud, "answers-early"))
    [due] = [due for due in cloud.time.settle() if due.name.endswith(f"/{timer}")]
    cloud.providers.fail(Fault(kind="stall", message_key=key, seconds=5))
    cloud.clock.stop_at(due.at)
    cloud.emulator.fire([due.name])
    eventually(cloud, lambda: calls(cloud, key), "the provider has the message")
    accepted(cloud.tracking.track("answers-early", "survey_answered", {"interest": "home"}, at=cloud.clock.now()))
    eventually(cloud, partial(_has_routed, cloud, ["answers-early"], 3), "the answer is routed")
    assert waiting_at(cloud, "answers-early") == []
    cloud.time.settle()

    assert outcomes(cloud, "answers-early") == ["sent", "sent"]
    assert waiting_at(cloud, "answers-early") == ["Until day 5 at ten"]
    assert only(rows(cloud, "answers-early", "profile"))["tags"] == ["interest-home"]


def test_who_leaves_while_a_message_is_on_its_way_has_left_after_it(cloud: LocalCloud) -> None:
    by_day(cloud)
    key = message_key("leaves-early")
    cloud.providers.fail(Fault(kind="stall", message_key=key, seconds=5))
    sign_up(cloud, "leaves-early")
    eventually(cloud, lambda: calls(cloud, key), "the provider has the message")
    accepted(cloud.tracking.track("leaves-early", "unsubscribed", {"channel": "email"}, at=cloud.clock.now()))
    eventually(cloud, partial(_has_routed, cloud, ["leaves-early"], 3), "the event is routed")
    cloud.time.settle()

    enrolment = only(rows(cloud, "leaves-early", "enrolment"))
    assert (enrolment["status"], enrolment["outcome"]) == ("ended", "exited")
    assert outcomes(cloud, "leaves-early") == ["sent"]


def test_a_hop_whose_start_got_lost_is_given_out_by_the_sweeper_and_counted(
    cloud: LocalCloud, sweeper: Callable[[str], int]
) -> None:
    travel(cloud, local_time(cloud, 11, in_days=1) + timedelta(minutes=7))  # no timer of another contact comes near
    sign_up(cloud, "start-lost")
    cloud.time.settle()
    parked, now = enrolment_of(cloud, "start-lost"), cloud.clock.now()
    store = DynamoEnrolments(cloud.client("dynamodb"), cloud.access.contacts_table)
    assert store.save(parked.resumed("elapsed", {"outcome": "elapsed"}, now))
    travel(cloud, now + timedelta(hours=1, minutes=20))

    assert outcomes(cloud, "start-lost") == ["sent", "sent"]
    assert len(waiting_at(cloud, "start-lost")) == 1
    assert sweeper("LostHops") == 1
    assert set(cloud.providers.accepted_per_key().values()) == {1}


def test_a_deferred_sender_that_dies_leaves_an_unknown_message(cloud: LocalCloud) -> None:
    by_night(cloud)
    key = message_key("deferred-dies")
    sign_up(cloud, "deferred-dies")
    due = deferred(cloud, "deferred-dies")
    cloud.providers.fail(Fault(kind="stall", message_key=key, seconds=60))
    cloud.clock.stop_at(due.at)
    cloud.emulator.fire([due.name])
    eventually(cloud, lambda: calls(cloud, key), "the provider has the message")
    end_workers(cloud, "send_deferred")
    cloud.time.settle()

    assert outcomes(cloud, "deferred-dies") == ["deferred", "unknown"]
    assert len(calls(cloud, key)) == 1


def test_messages_that_are_due_together_share_a_call_and_each_has_its_own_answer(cloud: LocalCloud) -> None:
    by_night(cloud)
    people = [f"together-{number}" for number in range(4)]
    for user_id in people:
        sign_up(cloud, user_id)
    due = [deferred(cloud, user_id) for user_id in people]
    cloud.providers.fail(Fault(kind="reject", message_key=message_key(people[1])))
    cloud.clock.stop_at(max(each.at for each in due))
    [record] = json.loads((ROOT / "functions" / "send_deferred" / "event.json").read_text(encoding="utf-8"))["Records"]
    inputs = [json.dumps(schedule_input(cloud, each.name)) for each in due]
    batch = [record | {"messageId": f"together-{number}", "body": body} for number, body in enumerate(inputs)]
    answer = invoke(
        cloud, "send_deferred", {"Records": batch}
    )  # how many a queue hands over at a time is its own choice
    assert answer == {"batchItemFailures": []}
    cloud.time.settle()

    made = [call for user_id in people for call in calls(cloud, message_key(user_id))]
    assert [call.outcome for call in made] == ["accepted", "reject", "accepted", "accepted"]
    assert all("Entry" in call.request for call in made)
    assert [outcomes(cloud, user_id)[-1] for user_id in people] == ["sent", "rejected", "sent", "sent"]
    assert [message(cloud, user_id)["state"] for user_id in people] == ["accepted", "rejected", "accepted", "accepted"]


def test_a_router_that_dies_in_the_middle_of_a_batch_loses_and_repeats_nothing(cloud: LocalCloud) -> None:
    by_day(cloud)
    user_id, at = "router-dies", cloud.clock.now().isoformat()
    introduce(cloud, user_id)
    cloud.time.settle()
    batch = [
        {"type": "track", "userId": user_id, "event": event, "timestamp": at, "messageId": f"{user_id}-{number}"}
        for number, event in enumerate(["step_taken"] * 7 + ["registered"] + ["step_taken"] * 112)
    ]
    accepted(cloud.tracking.post("batch", {"batch": batch}))
    for _ in range(2):
        least = len(heard(cloud, user_id, "routed")) + 3
        eventually(cloud, partial(_has_routed, cloud, [user_id], least), f"{least} events are routed")
        assert not _has_routed(cloud, [user_id], 1 + len(batch)), "the router was faster than the test"
        assert end_workers(cloud, "route_events") > 0
    cloud.time.settle()

    wanted = sorted(f"segment:{call['messageId']}" for call in batch)
    assert sorted(row["id"] for row in heard(cloud, user_id).values() if row["type"] != "identified") == wanted
    assert len(heard(cloud, user_id, "routed")) == 1 + len(batch)
    assert len(rows(cloud, user_id, "enrolment")) == 1
    assert outcomes(cloud, user_id) == ["sent"]
    assert len(calls(cloud, message_key(user_id))) == 1


def _has_routed(cloud: LocalCloud, people: list[str], least: int) -> bool:
    return sum(len(heard(cloud, user_id, "routed")) for user_id in people) >= least


def test_functions_that_die_again_and_again_in_a_rush_lose_and_repeat_nothing(cloud: LocalCloud) -> None:
    by_day(cloud)
    people = [f"rush-{number}" for number in range(8)]
    at = cloud.clock.now().isoformat()
    events = ["registered", "step_taken", "page_seen", "step_taken", "registered", "step_taken"]

    def rush(user_id: str) -> None:
        """A client that sends again until it hears that its events were taken."""
        who = {"userId": user_id, "timestamp": at}
        calls = [{**who, "type": "identify", "traits": traits(user_id), "messageId": f"{user_id}-id"}]
        calls += [
            {**who, "type": "track", "event": event, "messageId": f"{user_id}-{number}"}
            for number, event in enumerate(events)
        ]
        for start in range(0, len(calls), 2):
            while cloud.tracking.post("batch", {"batch": calls[start : start + 2]}).status != 202:
                pass

    doomed = cycle(["route_events", "send_message", "receive_webhook", "pause_journey"])
    with ThreadPoolExecutor(6) as clients:
        posted = [clients.submit(rush, user_id) for user_id in people]
        for least in range(4, 44, 4):
            eventually(cloud, partial(_has_routed, cloud, people, least), f"{least} events are routed")
            end_workers(cloud, next(doomed))
        for each in posted:
            each.result()
    cloud.time.settle()

    for user_id in people:
        wanted = sorted(f"segment:{user_id}-{name}" for name in ("id", *range(len(events))))
        assert sorted(row["id"] for row in heard(cloud, user_id).values()) == wanted
        assert sorted(row["event_id"] for row in heard(cloud, user_id, "routed").values()) == wanted
        assert only(rows(cloud, user_id, "enrolment"))["status"] == "active"
        assert waiting_at(cloud, user_id) == [FIRST_PAUSE]
        [outcome] = outcomes(cloud, user_id)
        assert (outcome, len(calls(cloud, message_key(user_id)))) in {("sent", 1), ("unknown", 1), ("unknown", 0)}


@pytest.mark.parametrize("end", ["stops", "crashes"])
def test_a_journey_goes_on_where_it_was_when_the_cloud(cloud: LocalCloud, end: str) -> None:
    by_day(cloud)
    parked, sending, waiting = f"parked-{end}", f"sending-{end}", f"waiting-{end}"
    sign_up(cloud, parked)
    sign_up(cloud, waiting, timezone="America/Sao_Paulo")  # where it is night
    cloud.time.settle()
    assert outcomes(cloud, waiting) == ["deferred"]
    cloud.providers.fail(Fault(kind="stall", message_key=message_key(sending), seconds=60))
    sign_up(cloud, sending)
    eventually(cloud, lambda: calls(cloud, message_key(sending)), "the provider has the message")
    at = cloud.clock.now().isoformat()
    batch = [
        {"type": "track", "userId": parked, "event": "step_taken", "timestamp": at, "messageId": f"{parked}-{number}"}
        for number in range(50)
    ]
    accepted(cloud.tracking.post("batch", {"batch": batch}))
    (cloud.emulator.stop if end == "stops" else cloud.emulator.kill)()
    cloud.start_emulator()
    accepted(cloud.tracking.post("batch", {"batch": batch}))  # the sender is not sure that it got through
    cloud.time.settle()

    assert sum(row["type"] == "step_taken" for row in rows(cloud, parked, "event").values()) == 50
    assert outcomes(cloud, sending) == ["unknown"]
    travel(cloud, local_time(cloud, 23, in_days=2))  # ten o'clock of the third day, in Brazil too
    assert outcomes(cloud, parked) == ["sent", "sent"]
    assert outcomes(cloud, sending) == ["unknown", "sent"]
    assert outcomes(cloud, waiting) == ["deferred", "sent", "sent"]
    for user_id in (parked, sending, waiting):
        assert len(rows(cloud, user_id, "enrolment")) == 1
        assert len(waiting_at(cloud, user_id)) == 1
    assert set(cloud.providers.accepted_per_key().values()) == {1}


# --- schedules ---------------------------------------------------------------------------------------------------------


def test_a_pause_whose_schedule_is_lost_is_found_by_the_sweeper_and_counted(
    cloud: LocalCloud, sweeper: Callable[[str], int]
) -> None:
    travel(cloud, local_time(cloud, 10, in_days=1))  # no other contact shares this timer
    sign_up(cloud, "forgotten")
    cloud.time.settle()
    parked = enrolment_of(cloud, "forgotten")
    timer, _ = timer_of(parked)
    cloud.client("scheduler").delete_schedule(Name=timer, GroupName=f"waypost-{cloud.access.stage}")
    travel(cloud, parked.due_at + timedelta(minutes=10))
    assert waiting_at(cloud, "forgotten") == [FIRST_PAUSE]
    travel(cloud, parked.due_at + timedelta(hours=1, minutes=20))

    assert outcomes(cloud, "forgotten") == ["sent", "sent"]
    assert sweeper("OverduePauses") == 1


def test_a_claim_that_nobody_answers_for_is_found_by_the_sweeper_and_counted(
    cloud: LocalCloud, sweeper: Callable[[str], int]
) -> None:
    by_day(cloud)
    sign_up(cloud, "abandoned")
    cloud.time.settle()
    enrolment = only(rows(cloud, "abandoned", "enrolment"))["enrolment_id"]
    step = JourneyStep(contact_id("abandoned"), enrolment, NURTURE, "Day 9, nobody")
    now = cloud.clock.now()
    ledger = DynamoLedger(cloud.client("dynamodb"), cloud.access.contacts_table)
    claimed = ledger.claim(
        SendRequest(step, f"{NURTURE}/welcome"),
        channel="email",
        claim_id="c",
        at=now,
        local_time=now.isoformat(),
        touches=None,
    )
    assert claimed == "claimed"
    assert "welcome claimed" in timeline_titles(cloud, "abandoned")
    travel(cloud, now + timedelta(hours=1, minutes=20))

    assert sorted(outcomes(cloud, "abandoned")) == ["sent", "unknown"]
    assert sweeper("UnknownMessages") == 1


def test_a_pause_that_is_resumed_twice_goes_on_once(cloud: LocalCloud) -> None:
    by_day(cloud)
    sign_up(cloud, "resumed-twice")
    cloud.time.settle()
    parked = enrolment_of(cloud, "resumed-twice")
    _, request = timer_of(parked)
    travel(cloud, parked.due_at - timedelta(seconds=1))
    cloud.clock.stop_at(parked.due_at)
    with ThreadPoolExecutor(4) as timers:
        list(timers.map(lambda _: invoke(cloud, "resume_journey", request), range(4)))
    travel(cloud, parked.due_at + timedelta(minutes=1))  # and the timer itself
    assert "resumed" not in invoke(cloud, "resume_journey", request)
    cloud.time.settle()

    assert outcomes(cloud, "resumed-twice") == ["sent", "sent"]
    assert [past.state for past in enrolment_of(cloud, "resumed-twice").trail] == [FIRST_PAUSE]
    assert len(waiting_at(cloud, "resumed-twice")) == 1
    sent = cloud.providers.calls_per_key()
    assert [sent[message_key("resumed-twice", state)] for state in (WELCOME, DAY_3)] == [1, 1]


def test_a_deferred_message_whose_schedule_fires_again_is_answered_from_the_ledger(cloud: LocalCloud) -> None:
    by_night(cloud)
    sign_up(cloud, "fired-again")
    due = deferred(cloud, "fired-again")
    payload = schedule_input(cloud, due.name)
    travel(cloud, due.at + timedelta(minutes=1))
    before = rows(cloud, "fired-again")
    assert [invoke(cloud, "send_message", payload)["outcome"] for _ in range(2)] == ["sent", "sent"]
    cloud.time.settle()

    assert rows(cloud, "fired-again") == before
    assert outcomes(cloud, "fired-again") == ["deferred", "sent"]
    assert len(calls(cloud, message_key("fired-again"))) == 1


def test_a_deferred_message_whose_schedule_fires_four_times_at_once_goes_out_once(cloud: LocalCloud) -> None:
    by_night(cloud)
    sign_up(cloud, "fired-at-once")
    due = deferred(cloud, "fired-at-once")
    payload = schedule_input(cloud, due.name)
    cloud.clock.stop_at(due.at)
    with ThreadPoolExecutor(4) as schedules:
        answers = list(schedules.map(lambda _: invoke(cloud, "send_message", payload), range(4)))
    travel(cloud, due.at + timedelta(minutes=1))

    # One that looks while another waits for the provider cannot know what will come of it.
    assert {answer["outcome"] for answer in answers} <= {"sent", "unknown"}
    first, *between, last = outcomes(cloud, "fired-at-once")
    assert (first, set(between) <= {"unknown"}, last) == ("deferred", True, "sent")
    assert message(cloud, "fired-at-once")["state"] == "accepted"
    assert len(calls(cloud, message_key("fired-at-once"))) == 1
