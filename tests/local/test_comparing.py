"""What a rehearsal calls a difference."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from local.rehearsal.scenario_file import Scenario, ScenarioFile
from local.rehearsal.scenario_result import Passage, ScenarioResult, differences
from local.rehearsal.staff_notices import Notices
from waypost.channels.fake_contract import SentContent
from waypost.clock import format_instant
from waypost.reports.timeline import MessageDecision

NINE = datetime(2031, 3, 3, 1, 0, tzinfo=UTC)
SENT = {"message": "welcome", "channel": "email", "at": "day 1 09:00"}


CONTENT = SentContent(subject="你好, Ann", text="Hello Ann\n\nTotal: $12.00")


def decision(outcome: str = "sent", message: str = "welcome", *, after: timedelta = timedelta(0)) -> MessageDecision:
    return MessageDecision(
        contact_id="c-1",
        occasion="journey_step",
        journey="nurture",
        step=f"Send {message}",
        message=message,
        channel="email",
        at=format_instant(NINE + after),
        local_time="",
        outcome=outcome,
        reason="quiet_hours" if outcome == "deferred" else "every_guard_allowed",
        message_key="m-1",
    )


def found(
    expect: dict[str, Any],
    *decisions: MessageDecision,
    ends: str = "completed",
    trail: str = "ABC",
    handed_over: bool = True,
    notices: Notices | None = None,
) -> list[str]:
    scenario = Scenario.model_validate(
        {"name": "one", "contact": {"user_id": "u"}, "events": [{"at": "day 1", "event": "e"}], "expect": expect}
    )
    file = ScenarioFile(start=NINE, scenarios=[scenario])
    result = ScenarioResult(
        scenario=scenario,
        contact_id="c-1",
        zone=ZoneInfo("Asia/Shanghai"),
        timeline=[],
        decisions=list(decisions),
        contents={"m-1": CONTENT} if handed_over else {},
        passages=[] if ends == "none" else [Passage("nurture", tuple(trail), ends)],
        steps={"A", "C"},
        differences=[],
        notices=notices or {},
    )
    return differences(result, file)


def test_what_is_not_expected_may_be_anything() -> None:
    assert found({}, decision("rejected")) == []


def test_a_code_that_is_another_in_each_run_has_the_name_of_every_run() -> None:
    dumped = {json.dumps(with_coupon(code).to_dict()) for code in ("C-AAAA2345", "C-BBBB6789")}
    assert len(dumped) == 1
    assert "Yours: COUPON-1" in dumped.pop()


def with_coupon(code: str) -> ScenarioResult:
    """A contact whose only message shows a coupon."""
    scenario = Scenario.model_validate({"name": "one", "contact": {"user_id": "u"}})
    return ScenarioResult(
        scenario=scenario,
        contact_id="c-1",
        zone=ZoneInfo("Asia/Shanghai"),
        timeline=[],
        decisions=[decision()],
        contents={"m-1": replace(CONTENT, text=f"Yours: {code}")},
        passages=[],
        steps=set(),
        differences=[],
    ).with_named_codes([code])


def test_the_expected_message_at_the_expected_minute_is_no_difference() -> None:
    assert found({"messages": [SENT]}, decision(after=timedelta(seconds=59))) == []


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ({**SENT, "at": "day 1 09:02"}, "should be at Mon 2031-03-03 09:02"),
        ({**SENT, "channel": "sms"}, "channel should be sms"),
        ({**SENT, "outcome": "skipped"}, "outcome should be skipped"),
        ({**SENT, "reason": "no_consent"}, "reason should be no_consent"),
        ({"message": "farewell"}, "message should be farewell"),
    ],
)
def test_a_difference_says_what_was_expected_and_what_came(wanted: dict[str, Any], reason: str) -> None:
    [difference] = found({"messages": [wanted]}, decision())
    assert reason in difference
    assert "got welcome sent by email (every_guard_allowed) at Mon 2031-03-03 09:00" in difference


def test_a_message_too_many_and_a_message_too_few_are_differences() -> None:
    assert found({"messages": []}, decision())[0].startswith("messages: not expected: welcome sent")
    assert found({"messages": [SENT]}) == ["messages: missing: welcome sent"]


def test_notices_to_staff_are_compared_member_by_member() -> None:
    later = {**SENT, "at": "day 1 10:00"}
    got = {"lin.chen": [decision()], "wei.zhang": [decision(), decision(after=timedelta(hours=1))]}
    wanted = [{**SENT, "to": "wei.zhang"}, {**SENT, "to": "lin.chen"}, {**later, "to": "wei.zhang"}]
    assert found({"notices": wanted}, notices=got) == []
    [one_too_many] = found({"notices": wanted[:2]}, notices=got)
    assert one_too_many.startswith("notices: wei.zhang: not expected: welcome sent")
    assert found({"notices": wanted}, notices={"wei.zhang": got["wei.zhang"]}) == [
        "notices: lin.chen: missing: welcome sent"
    ]
    [at_another_time] = found({"notices": [{**later, "to": "lin.chen"}]}, notices={"lin.chen": [decision()]})
    assert "should be at Mon 2031-03-03 10:00" in at_another_time


def test_a_deferral_may_be_left_out_but_not_another() -> None:
    deferred = {**SENT, "outcome": "deferred", "reason": "quiet_hours"}
    decisions = [decision("deferred"), decision(after=timedelta(hours=8))]
    assert found({"messages": [{"message": "welcome"}]}, *decisions) == []
    assert found({"messages": [deferred, {"message": "welcome"}]}, *decisions) == []
    assert found({"messages": [deferred, {"message": "welcome"}]}, decisions[1]) != []


@pytest.mark.parametrize(
    ("expected", "same"), [("ABC", True), ("AC", True), ("AB", False), ("ACB", False), ("A", False)]
)
def test_only_states_that_neither_send_nor_pause_may_be_left_out_of_a_trail(expected: str, same: bool) -> None:
    assert (found({"trail": list(expected)}) == []) is same


def test_how_a_journey_ended_is_compared() -> None:
    assert found({"ends": "goal"}) == ["ends: expected goal, got completed"]


@pytest.mark.parametrize(
    "wanted",
    [
        {"subject": "你好, Ann"},
        {"text": "$12.00"},
        {"text": ["Hello Ann", "Total"]},
        {"subject": "你好, Ann", "text": "Ann"},
    ],
)
def test_what_a_message_says_may_be_expected(wanted: dict[str, Any]) -> None:
    assert found({"messages": [{**SENT, **wanted}]}, decision()) == []


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ({"subject": "Hello, Ann"}, "welcome: subject should be 'Hello, Ann', is '你好, Ann'"),
        ({"text": "$13.00"}, "should have '$13.00' in its text, which is 'Hello Ann"),
        ({"text": ["Hello", "Bob"]}, "should have 'Bob' in its text"),
    ],
)
def test_a_message_that_says_otherwise_is_a_difference(wanted: dict[str, Any], reason: str) -> None:
    [difference] = found({"messages": [{**SENT, **wanted}]}, decision())
    assert reason in difference


def test_a_message_that_was_not_handed_over_says_nothing() -> None:
    wanted = {"message": "welcome", "outcome": "skipped", "text": "Hello"}
    [difference] = found({"messages": [wanted]}, decision("skipped"), handed_over=False)
    assert "was not handed over" in difference
