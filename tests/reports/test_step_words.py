"""What a step does is worded in the reader's language: waits, changes, questions and conditions, as they were authored."""

from typing import Any

import pytest

from tests.reports.nurture import task
from waypost.authoring.journey_graphs import graph_of
from waypost.pages.texts import texts
from waypost.reports.journey_graph import JourneyGraph, Step
from waypost.reports.journey_picture import plain
from waypost.reports.mermaid import mermaid
from waypost.reports.step_words import condition_in_words, rule_in_words, step_in_words, wait_in_words

EN, ZH = texts("en"), texts("zh-CN")


@pytest.mark.parametrize(
    ("payload", "english", "chinese"),
    [
        ({"for": "2d"}, "2 days", "2 天"),
        ({"for": "1h"}, "1 hour", "1 小时"),
        ({"for": "30m"}, "30 minutes", "30 分钟"),
        ({"for": "{% $string($round * 7) & 'd' %}"}, "string(round * 7) & 'd'", "string(round * 7) & 'd'"),
        ({"until": {"day": 3, "at": "10:00"}}, "day 3, 10:00", "第 3 天 10:00"),
        ({"until": {"days_later": 2, "at": "10:00"}}, "2 days later, 10:00", "2 天后 10:00"),
        ({"until": {"days_later": "{% $gap %}", "at": "10:00"}}, "gap (days) later, 10:00", "gap (days)后 10:00"),
        ({"until": {"at": "10:00"}}, "next 10:00", "下一个 10:00"),
        ({"until": {"workday": "next", "at": "09:30"}}, "next workday, 09:30", "下一个工作日 09:30"),
        (
            {"until": {"date": "trial_ends_at", "days": -1, "at": "10:00"}},
            "1 day before trial_ends_at, 10:00",
            "trial_ends_at 前 1 天 10:00",
        ),
        ({"until": {"property": "starts_at", "hours": -24}}, "24 hours before starts_at", "starts_at 前 24 小时"),
        ({"until": {"date": "trial_ends_at", "minutes": 90}}, "90 minutes after trial_ends_at", "trial_ends_at 后 90 分钟"),
        ({"until": {"date": "trial_ends_at"}}, "trial_ends_at", "trial_ends_at"),
        (
            {"until": {"anniversary": "birthday", "days": -7, "at": "09:00"}},
            "7 days before the anniversary of birthday, 09:00",
            "birthday 的周年日 前 7 天 09:00",
        ),
        ({"for": "3d", "or": {"event": "order_placed"}}, "3 days or order_placed", "3 天 或 order_placed"),
        (
            {"for": "3d", "or": {"event": "order_placed", "where": {"total": {"at_least": 50}}}},
            "3 days or order_placed (total is at least 50)",
            "3 天 或 order_placed（total 不小于 50）",
        ),
        (
            {"for": "7d", "or": {"event": "message_opened", "where": {"journey": "leads", "message": "cases"}}},
            "7 days or message_opened (journey is leads and message is cases)",
            "7 天 或 message_opened（journey 是 leads 且 message 是 cases）",
        ),
    ],
)  # fmt: skip
def test_a_wait_is_said(payload: dict[str, Any], english: str, chinese: str) -> None:
    assert (wait_in_words(payload, EN), wait_in_words(payload, ZH)) == (english, chinese)


@pytest.mark.parametrize(
    ("condition", "english", "chinese"),
    [
        ("answered", "answered", "answered"),
        ("$has_coupon", "has coupon", "has coupon"),
        ("interest = 'beauty'", "interest = beauty", "interest = beauty"),
        ("states.input.Payload.outcome != 'sent'", "outcome ≠ sent", "outcome ≠ sent"),
        ("outcome in ['past', 'no_date']", "outcome is one of [past, no_date]", "outcome 属于 [past, no_date]"),
        ("{% $total >= 50 and $not($vip) %}", "total ≥ 50 and not (vip)", "total ≥ 50 且 非 (vip)"),
        ("{% 'interest-' & $interest %}", "interest-‹interest›", "interest-‹interest›"),
        ("rounds + 1 > 3 ? true : false", "rounds + 1 > 3 ? true : false", "rounds + 1 > 3 ? true : false"),
    ],
)
def test_a_condition_is_said_and_what_is_more_stays_as_written(condition: str, english: str, chinese: str) -> None:
    assert (condition_in_words(condition, EN), condition_in_words(condition, ZH)) == (english, chinese)


@pytest.mark.parametrize(
    ("step", "english", "chinese"),
    [
        (Step("S", "send", "welcome"), "welcome", "welcome"),
        (
            Step("S", "send", "new-lead", payload={"to": "linked"}),
            "new-lead to the member whom the event names",
            "new-lead 发给事件中指定的员工",
        ),
        (
            Step("S", "send", "new-lead", payload={"queue": "service"}),
            "new-lead to one of the queue service",
            "new-lead 发给队列 service 中的一人",
        ),
        (
            Step("S", "update", payload={"add_tags": ["vip", "gold"], "set": {"tier": "gold"}, "earn_points": 50}),
            "adds the tag vip, gold, sets tier = gold, gives 50 points",
            "添加标签 vip、gold、设置 tier = gold、赠送 50 积分",
        ),
        (Step("S", "task", "EvaluateSegment", payload={"segment": "vip"}), "is in the segment vip", "在人群 vip"),
        (
            Step("S", "task", "EvaluateSegment", payload={"rule": {"not": {"tag": "vip"}}}),
            "not (has the tag vip)",
            "非（有标签 vip）",
        ),
        (Step("S", "task", "IssueCoupon", payload={"pool": "welcome-10"}), "welcome-10", "welcome-10"),
        (Step("S", "task", "CallSomebody", payload={"urgent": True}), "CallSomebody (urgent = yes)", "CallSomebody（urgent = 是）"),
        (Step("S", "choice"), "", ""),
    ],
)  # fmt: skip
def test_a_step_says_what_it_does(step: Step, english: str, chinese: str) -> None:
    assert (step_in_words(step, EN), step_in_words(step, ZH)) == (english, chinese)


def test_a_rule_is_one_line_in_which_brackets_keep_together_what_belongs_together() -> None:
    rule = {"all": [{"any": [{"tag": "a"}, {"tag": "b"}]}, {"not": {"all": [{"tag": "c"}, {"tag": "d"}]}}]}
    assert rule_in_words(rule, EN) == "(has the tag a or has the tag b) and not (has the tag c and has the tag d)"
    assert rule_in_words(rule, ZH) == "(有标签 a 或 有标签 b) 且 非（有标签 c 且 有标签 d）"


def test_what_is_no_rule_stays_as_it_is_written() -> None:
    assert rule_in_words({"all": 3}, EN) == "{'all': 3}"
    assert rule_in_words("{% $rule %}", EN) == "rule"


def test_a_step_has_its_name_in_the_language_of_its_reader() -> None:
    states = {"Say hello": task("SendMessage", message="welcome")}
    graph = graph_of(
        "small", {"StartAt": "Say hello", "States": states}, version=1, names={"zh-CN": {"Say hello": "打招呼"}}
    )
    assert [[shape.title for shape in plain(graph, words).shapes] for words in (EN, ZH)] == [["Say hello"], ["打招呼"]]
    assert "打招呼<br/>welcome" in mermaid(graph, ZH)
    assert JourneyGraph.from_dict(graph.to_dict()) == graph


def test_a_graph_keeps_what_its_author_gave_each_task() -> None:
    wait = task("PauseJourney", then="Hello", until={"at": "10:00"}, context="{% $states.context %}")
    states = {"Wait": wait, "Hello": task("SendMessage", message="welcome", occurrence=2)}
    graph = graph_of("small", {"StartAt": "Wait", "States": states}, version=1)
    assert [step.payload for step in graph.steps] == [{"until": {"at": "10:00"}}, {"occurrence": 2}]
    assert [shape.caption for shape in plain(graph, EN).shapes] == ["pause · next 10:00", "message · welcome"]
    assert '(["Wait<br/>下一个 10:00"])' in mermaid(graph, ZH)
