"""The planning tables say what the files of a journey say, each step and each condition, in both languages."""

from pathlib import Path
from typing import Any

import pytest

from waypost.authoring.discovery import JourneyFolder, discover
from waypost.authoring.manifest import JourneyManifest
from waypost.authoring.planning_tables import LONGEST_TITLE, condition_table, flow_table, message_title, readable
from waypost.authoring.trigger_words import re_entry_in_words, trigger_in_words
from waypost.pages.texts import texts

STATEMACHINES = Path(__file__).parents[2] / "statemachines"
EN, ZH = texts("en"), texts("zh-CN")


def nurture() -> JourneyFolder:
    [journey] = [each for each in discover(STATEMACHINES).journeys if each.name == "new-user-nurture"]
    return journey


def manifest(**more: Any) -> JourneyManifest:
    needed = {"scenario": "s", "description": "d", "owner": "o", "trigger": {"event": "registered"}}
    return JourneyManifest.model_validate({**needed, **more})


def test_the_flow_has_a_row_for_the_entry_each_step_the_goal_and_each_exit() -> None:
    table = flow_table([nurture()], ZH)
    assert table.title == "流程配置表"
    assert table.columns[:4] == ("流程名称", "业务场景", "序号", "步骤")
    rows = {row[3]: row for row in table.rows}
    assert rows["进入旅程"][4] == "触发"
    assert rows["等到第 3 天 10:00"][4:7] == ("等待", "等待", "第 3 天 10:00")
    assert rows["哪种兴趣？"][4] == "分流"
    assert rows["第 7 天：关怀提醒与通用券"][5:8] == (
        "消息",
        "care-reminder: 这一周还顺利吗？给你留了一张 9 折券",
        "邮件 → 短信",
    )
    assert rows["目标"][6].startswith("7 天内发生 order_placed")
    assert rows["提前结束"][6] == "unsubscribed"
    assert [row[2] for row in table.rows] == [str(number) for number in range(1, len(table.rows) + 1)]
    assert {len(row) for row in table.rows} == {len(table.columns)}


def test_the_conditions_have_a_row_for_every_way_with_what_follows() -> None:
    journey = nurture()
    table = condition_table([journey], EN)
    assert len(table.rows) == 1 + len(journey.graph.ways)
    rows = {(row[2], row[8]): row for row in table.rows}
    chosen = rows["Which interest?", "Day 5, home recommendation with its coupon"]
    assert chosen[3:6] == ("split", "interest = home", "message")
    assert rows["Which interest?", "Day 5, favourites of everybody with a coupon"][4] == "otherwise"
    goal = rows["New-user 7-day nurture", "Order confirmation SMS"]
    assert goal[3] == "goal reached"
    assert goal[4] == "order_placed (coupon is one of BEAUTY15, HOME15, DIGITAL15, WELCOME10) within 7 days"
    first = rows["entry", "Day 1, welcome e-mail with the product guide"]
    assert first[4].startswith("registered; only if not (has the tag interest-beauty or ")


@pytest.mark.parametrize(
    ("trigger", "english", "chinese"),
    [
        ({"event": "level_reached", "where": {"property": "level", "at_least": 2}}, "level_reached (level is at least 2)", "level_reached（level 不小于 2）"),
        ({"tag": "vip"}, "is given the tag vip", "获得标签 vip"),
        ({"segment": "dormant"}, "enters the segment dormant", "进入人群 dormant"),
        ({"schedule": {"every": "week", "on": "monday", "at": "10:00"}, "segment": "vips"}, "every Monday at 10:00: is in the segment vips", "每周一 10:00: 在人群 vips"),
        ({"schedule": {"every": "day", "at": "10:00"}, "segment": "vips"}, "every day at 10:00: is in the segment vips", "每天 10:00: 在人群 vips"),
        ({"anniversary": "birthday", "days": -7}, "7 days before the anniversary of birthday", "birthday 的周年日 前 7 天"),
        ({"date": "trial_ends_at", "days": 3}, "3 days after trial_ends_at", "trial_ends_at 后 3 天"),
        ("manual", "is started by hand", "手动启动"),
    ],
)  # fmt: skip
def test_a_trigger_is_said(trigger: Any, english: str, chinese: str) -> None:
    found = manifest(trigger=trigger)
    assert (trigger_in_words(found, EN), trigger_in_words(found, ZH)) == (english, chinese)


@pytest.mark.parametrize(
    ("re_entry", "english"),
    [
        ("never", "once"),
        ("always", "any number of times"),
        ({"after": "30d"}, "again after 30 days"),
        ({"per": "order_id"}, "once for each order_id"),
        ({"per": "sku", "after": "1d"}, "once for each sku, again after 1 day"),
    ],
)
def test_a_re_entry_is_said(re_entry: Any, english: str) -> None:
    assert re_entry_in_words(manifest(re_entry=re_entry), EN) == english


def test_the_responsible_of_a_step_is_the_one_named_for_it() -> None:
    given = {"default": "CRM operator", "steps": {"Tag the interest": "data team"}}
    shipped = nurture()
    changed = shipped.manifest.model_copy(
        update={"responsible": manifest(responsible=given).responsible, "department": "growth"}
    )
    journey = JourneyFolder(
        name=shipped.name, path=shipped.path, manifest=changed, definition=shipped.definition,
        functions=shipped.functions, messages=shipped.messages, graph=shipped.graph,
    )  # fmt: skip
    rows = {row[3]: row for row in flow_table([journey], EN).rows}
    assert (rows["Tag the interest"][8], rows["Until day 3 at ten"][8]) == ("data team", "CRM operator")
    assert rows["Tag the interest"][9] == "growth"


def test_what_is_filled_in_and_asked_is_readable() -> None:
    template = 'Hi {{ contact.first_name | default("you") }}!{% if contact.tier is defined %} Tier {{ contact.tier }}{% endif %}\n\n\n\nBye'
    assert readable(template) == "Hi ‹first_name›! Tier ‹tier›\n\nBye"


def test_a_message_without_a_subject_is_named_by_how_it_begins() -> None:
    variants = {"sms": {"en": {"text": "\n" + "word " * 30}}}
    title = message_title({"variants": variants, "channels": ["sms"]}, "zh-CN")
    assert len(title) == LONGEST_TITLE
    assert title.startswith("word word")
    assert title.endswith("…")
