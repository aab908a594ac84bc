"""What became of many contacts, in numbers; messages and work left, as a rehearsal shows them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from local.commands.tables import messages_shown, work_left
from local.rehearsal.scenario_file import Scenario
from local.rehearsal.scenario_result import Passage, ScenarioResult
from local.rehearsal.summary import summaries
from waypost.channels.fake_contract import SentContent
from waypost.clock import format_instant
from waypost.reports.timeline import MessageDecision

NINE = datetime(2031, 3, 3, 1, 0, tzinfo=UTC)


def decision(message: str, outcome: str, reason: str = "every_guard_allowed") -> MessageDecision:
    return MessageDecision(
        contact_id="c",
        occasion="journey_step",
        journey="nurture",
        step=f"Send {message}",
        message=message,
        channel="email",
        at=format_instant(NINE),
        local_time="2031-03-03T09:00:00+08:00",
        outcome=outcome,
        reason=reason,
        message_key=f"key-{message}",
    )


def result(
    *decisions: MessageDecision, ends: str = "completed", trail: str = "ABA", differences: tuple[str, ...] = ()
) -> ScenarioResult:
    return ScenarioResult(
        scenario=Scenario.model_validate(
            {"name": "one", "contact": {"user_id": "u"}, "events": [{"at": "day 1", "event": "e"}]}
        ),
        contact_id="c",
        zone=ZoneInfo("Asia/Shanghai"),
        timeline=[],
        decisions=list(decisions),
        contents={"key-welcome": SentContent(subject="Hello", text="One\n\nTwo\nThree\n")},
        passages=[] if ends == "none" else [Passage("nurture", tuple(trail), ends)],
        steps=set(),
        differences=list(differences),
    )


def test_contacts_are_counted_by_end_state_and_message() -> None:
    welcome, late = decision("welcome", "sent"), decision("reminder", "skipped", "missing_address")
    found = summaries(
        {
            "nurture": [
                result(welcome, late),
                result(welcome, ends="goal", trail="AC"),
                result(ends="none", differences=("x",)),
            ]
        }
    )
    assert found["nurture"].to_dict() == {
        "contacts": 3,
        "not_as_expected": 1,
        "ends": {"completed": 1, "goal": 1, "none": 1},
        "states": {"A": 2, "B": 1, "C": 1},
        "sent": {"welcome": 2},
        "held_back": [{"message": "reminder", "outcome": "skipped", "reason": "missing_address", "count": 1}],
    }


def test_a_message_is_shown_by_its_subject_and_first_lines_or_whole() -> None:
    sent = result(decision("welcome", "sent"), decision("reminder", "skipped"))
    assert [text.plain for text in messages_shown(sent, whole=False)] == [
        "✉ welcome  email, Mon 03 Mar 09:00  Hello\n    One\n    Two …"
    ]
    assert [text.plain for text in messages_shown(sent, whole=True)] == [
        "✉ welcome  email, Mon 03 Mar 09:00  Hello\n    One\n    \n    Two\n    Three"
    ]


def test_what_is_left_is_named_by_its_kind() -> None:
    assert work_left({"queues": 37, "executions": 1204, "batches": 2}) == "1,204 executions, 37 messages in queues"
    assert work_left({"something": 1}) == "working"
