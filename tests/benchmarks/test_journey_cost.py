"""From counts to dollars."""

import json
from dataclasses import replace
from typing import Any

import pytest

from benchmarks.counting_proxy import Call
from benchmarks.journey_cost import (
    CALLED,
    CAUSED_BY_MESSAGES,
    EVENTS_AROUND,
    EVENTS_IN_AN_OBJECT,
    HOP_GB,
    NOTICES_IN_A_BATCH,
    PARTS,
    PAUSES_IN_A_TIMER,
    ROUNDED_UP,
    STEPS,
    SWEEP_OF_A_NOTE,
    TRACE_RATE,
    TRACES,
    JourneyCost,
    Passage,
    Usage,
)
from benchmarks.prices import PROCESSOR_MILLISECONDS, PROVIDER_MILLISECONDS, dollars, processor_seconds, wait_seconds
from infra.project import ROOT
from waypost.authoring.discovery import discover


def call(function: str, service: str, operation: str, **counted: Any) -> Call:
    return Call(function=function, service=service, operation=operation, **{"status": 200, **counted})


def passage(scenario: str, usage: Usage, *, sent: int = 1, ends: str = "completed") -> Passage:
    return Passage(scenario=scenario, ends=ends, sent={"email": sent}, usage=usage)


def test_a_million_of_each_costs_its_list_price() -> None:
    assert dollars({"machine_requests": 1e6, "write_units": 2e6}) == pytest.approx(1 + 2 * 0.625)


def test_what_a_call_is_billed_as_goes_to_the_part_that_made_it() -> None:
    usage = Usage(
        hops=5,
        memory_mb={"pause_journey": 256},
        invocations={"route_events": 1, "receive_webhook": 1, "pause_journey": 1},
        log_bytes={"receive_webhook": 300, "route_events": 500},
        calls=[
            call("receive_webhook", "sqs", "SendMessageBatch", entries=3),
            call("route_events", "dynamodb", "PutItem", write_units=2.0),
            call("route_events", "eventbridge", "PutEvents", entries=2),
            call("pause_journey", "scheduler", "CreateSchedule"),
            call("pause_journey", "dynamodb", "GetItem", read_units=1.0),
        ],
    )

    parts = usage.parts()

    asked = (
        processor_seconds("pause_journey as a hop begins", 256)
        + wait_seconds("scheduler", "CreateSchedule")
        + wait_seconds("dynamodb", "")
    )
    running = pytest.approx((asked + CALLED + 5 * ROUNDED_UP) * HOP_GB)
    assert parts[STEPS] == {"machine_requests": 5, "machine_gb_seconds": running}
    assert parts["events"]["queue_requests"] == 1 + 2  # sent once; received and deleted by the poller
    assert parts["events"]["api_requests"] == 1
    assert parts["events"]["bus_events"] == 2
    assert parts["events"]["write_units"] == 2
    assert parts["events"]["log_bytes"] == 800
    assert parts["pauses"] == {
        "function_requests": 1,
        "function_gb_seconds": pytest.approx(0.25 * asked),
        "schedules_fired": 1 / PAUSES_IN_A_TIMER,
        "read_units": 1,
        "write_units": 0,
    }
    assert parts["traces"] == {"traces": 5 * TRACE_RATE}
    assert usage.total()["function_requests"] == 3


def test_a_cancelled_schedule_does_not_fire_and_a_missing_one_was_not_booked() -> None:
    usage = Usage(
        calls=[
            call("send_message", "scheduler", "CreateSchedule"),
            call("route_events", "scheduler", "DeleteSchedule"),
            call("route_events", "scheduler", "DeleteSchedule", status=404),
        ]
    )

    assert usage.total()["schedules_fired"] == 0


def test_the_sweep_reads_what_was_noted_whoever_noted_it() -> None:
    usage = Usage(calls=[call("route_events", "dynamodb", "PutItem", write_units=1.0, notes=1)])
    assert usage.parts()["pauses"] == SWEEP_OF_A_NOTE
    assert usage.parts()["events"]["write_units"] == 1.0


def test_less_memory_computes_longer_and_waits_as_long() -> None:
    assert processor_seconds("send_message", 256) == pytest.approx(2 * processor_seconds("send_message", 512))
    assert processor_seconds("send_message", 1769) == processor_seconds("send_message", 10_240)
    assert wait_seconds("dynamodb", "TransactWriteItems") > wait_seconds("dynamodb", "PutItem")


def test_the_archive_computes_once_for_the_events_of_a_minute() -> None:
    seconds = Usage(invocations={"archive_events": 1}).seconds()["archive_events"]
    assert seconds * EVENTS_IN_AN_OBJECT == pytest.approx(processor_seconds("archive_events", 512))


def test_a_timer_and_its_call_are_shared_by_the_contacts_it_resumes() -> None:
    usage = Usage(invocations={"resume_journey": 200}, log_bytes={"resume_journey": 200 * 300})
    assert usage.parts()["pauses"] == {
        "function_requests": 200 / PAUSES_IN_A_TIMER,
        "function_gb_seconds": pytest.approx(200 * processor_seconds("resume_journey", 512) * 0.5),
        "log_bytes": 200 * 300 / PAUSES_IN_A_TIMER,
    }


def test_a_timer_that_ends_a_journey_computes_what_closing_takes() -> None:
    resumed = Usage(invocations={"resume_journey": 2}, calls=[call("resume_journey", "dynamodb", "PutItem")])
    ends = call("resume_journey", "dynamodb", "DeleteItem", write_units=1.0)
    more = replace(resumed, calls=[*resumed.calls, ends]).seconds()["resume_journey"]
    assert more - resumed.seconds()["resume_journey"] == pytest.approx(processor_seconds("close_enrolment", 512))


def test_figures_per_message_are_those_of_all_passages_through_the_journey() -> None:
    plain = Usage(hops=10, invocations={"send_message": 2, "route_events": 3})
    noticed = Usage(
        hops=10,
        invocations={"send_message": 2, "route_events": 3, "record_delivery": 4},
        log_bytes={"record_delivery": 4 * 200},
        calls=[call("record_delivery", "dynamodb", "UpdateItem", write_units=1.0) for _ in range(4)],
    )
    cost = JourneyCost(
        passages=[
            passage("a", plain, sent=3),
            passage("b", plain, sent=1),
            passage("stays out", plain, sent=0, ends="none"),
        ],
        noticed=passage("a", noticed, sent=3),
        notices=4,
        sweep=Usage(),
    )

    sent = processor_seconds("send_message", 512) + PROVIDER_MILLISECONDS / 1000
    assert cost.messages == 4
    assert cost.parts_per_message()[STEPS]["machine_requests"] == 5
    assert cost.hops == 20
    assert cost.orchestration() == pytest.approx(5 + HOP_GB * (5 * ROUNDED_UP + sent + CALLED) * 16.67)
    notice = cost.per_notice()
    assert notice["write_units"] == 1
    assert notice["function_requests"] == pytest.approx(1 / NOTICES_IN_A_BATCH)
    assert notice["log_bytes"] == pytest.approx(200 / NOTICES_IN_A_BATCH)
    assert notice["standard_queue_requests"] == pytest.approx(1 + 2 / NOTICES_IN_A_BATCH)
    sends = 0.2 + 13.3334 * sent * 0.5
    traced = 5 * 5 * TRACE_RATE
    assert cost.caused_by_messages() == pytest.approx(cost.orchestration() + sends + traced + 1e6 * dollars(notice))
    routed = 1.5 * processor_seconds("route_events", 512) * 0.5
    assert cost.events_around() == pytest.approx(1.5 * (0.2 + 2 * 0.5) + 13.3334 * routed)


def test_a_notice_that_becomes_an_event_costs_what_the_event_costs() -> None:
    plain = Usage(hops=1, invocations={"route_events": 2})
    sent = [call("record_delivery", "sqs", "SendMessageBatch")]
    noticed = Usage(hops=1, invocations={"route_events": 4, "record_delivery": 1}, calls=sent)
    cost = JourneyCost(passages=[passage("a", plain)], noticed=passage("a", noticed), notices=2, sweep=Usage())
    assert cost.per_notice()["function_requests"] == pytest.approx(1 + 1 / NOTICES_IN_A_BATCH)


def test_what_is_billed_stands_in_one_of_the_two_sums() -> None:
    assert {*CAUSED_BY_MESSAGES, *EVENTS_AROUND} == {*PARTS.values(), STEPS, TRACES}
    assert not {*CAUSED_BY_MESSAGES} & {*EVENTS_AROUND}


def test_every_function_of_a_journey_has_its_part_and_its_processor_time() -> None:
    functions = {handler.parent.name for handler in (ROOT / "functions").glob("*/handler.py")}

    others = {
        "sweep_journeys",
        "ask_task_results",
        "sync_person",
        "deliver_event",
        "decide_approval",
        "notify_staff",
        "assign_task",
        "answer_task",
        "start_other_journey",
        "call_webhook",
        "stop_other_journey",
    }  # by the clock, for other systems, for members of staff, for other journeys
    operations = json.dumps([each.functions for each in discover(ROOT / "statemachines").operations])
    in_operations = {name for name in functions if f'"{name.title().replace("_", "")}"' in operations}
    assert functions - others - in_operations == set(PARTS)
    assert set(PARTS) == {name for name in PROCESSOR_MILLISECONDS if " " not in name}
