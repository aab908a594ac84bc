"""Contacts of a scenario open, click, bounce and complain, by the message's name: events come of it, as on AWS."""

from typing import Any

import pytest

from local.cloud.local_cloud import LocalCloud
from local.rehearsal.rehearsal import Rehearsal
from local.rehearsal.scenario_file import ScenarioFile
from local.rehearsal.scenario_result import ScenarioResult

pytestmark = pytest.mark.flow

JOURNEY = "new-user-nurture"


def story(name: str, *reactions: dict[str, Any], **contact: Any) -> dict[str, Any]:
    return {
        "name": name,
        "contact": {
            "user_id": f"reacts-{name}",
            "email": f"{name}@example.com",
            "phone": f"+86138001389{len(name):02d}",
            "first_name": "小林",
            "locale": "zh-CN",
            "timezone": "Asia/Shanghai",
            "consent": {"email": True, "sms": True},
            **contact,
        },
        "events": [
            {"at": "day 1 10:00", "event": "registered", "properties": {"source": "app"}},
            *reactions,
        ],
    }


STORIES = ScenarioFile.model_validate(
    {
        "start": "2031-03-03T00:00:00+08:00",
        "scenarios": [
            story("reads", {"after": "2h", "opens": "welcome"}, {"at": "day 1 12:30", "clicks": "welcome"}),
            story("is-gone", {"after": "1m", "bounces": "welcome"}),
            story("complains", {"after": "1d", "complains": "welcome"}),
            story(
                "clicks-sms", {"after": "1h", "clicks": "interest-survey"}, {"after": "2h", "opens": "beauty-coupon"}
            ),
            story(
                "renames-herself",
                {"at": "day 3 12:00", "event": "survey_answered", "properties": {"interest": "beauty"}},
                {"at": "day 4 20:00", "profile": {"first_name": "小雨"}},
            ),
            story("too-soon", {"at": "day 1 09:00", "opens": "welcome"}, {"at": "day 2 09:00", "clicks": "welcom"}),
        ],
    }
)


@pytest.fixture(scope="module")
def rehearsed(deployed: LocalCloud) -> dict[str, ScenarioResult]:
    deployed.reset(STORIES.start)
    return {each.scenario.name: each for each in Rehearsal(deployed, {JOURNEY: STORIES}).run()[JOURNEY]}


def happened(result: ScenarioResult, *titles: str) -> list[tuple[str, str]]:
    return [(entry.local_time[5:16], entry.title) for entry in result.timeline if entry.title in titles]


def test_who_opens_two_hours_later_and_clicks_has_read_it_then(rehearsed: dict[str, ScenarioResult]) -> None:
    result = rehearsed["reads"]
    assert result.differences == []
    assert sorted(happened(result, "message_opened", "message_clicked", "welcome delivered")) == [
        ("03-03T12:00", "message_opened"),
        ("03-03T12:00", "welcome delivered"),
        ("03-03T12:30", "message_clicked"),
    ]


def test_an_address_that_bounces_gets_no_further_mail(rehearsed: dict[str, ScenarioResult]) -> None:
    result = rehearsed["is-gone"]
    assert ("03-03T10:01", "message_bounced") in happened(result, "message_bounced")
    assert [(each.message, each.channel) for each in result.decisions if each.outcome == "sent"] == [
        ("welcome", "email"),
        ("interest-survey", "sms"),
        ("care-reminder", "sms"),
    ]


def test_a_complaint_comes_by_the_providers_notice(rehearsed: dict[str, ScenarioResult]) -> None:
    result = rehearsed["complains"]
    assert ("03-04T10:00", "message_complained") in happened(result, "message_complained")
    assert "email" not in [
        each.channel for each in result.decisions if each.outcome == "sent" and each.message != "welcome"
    ]


def test_a_reaction_to_what_was_not_sent_is_a_difference(rehearsed: dict[str, ScenarioResult]) -> None:
    assert happened(rehearsed["clicks-sms"], "message_clicked") == [("03-05T11:00", "message_clicked")]
    [difference] = rehearsed["clicks-sms"].differences
    assert difference.startswith(
        "events[2].opens: 'beauty-coupon' had not been sent to this contact (sent were welcome, interest-survey"
    )
    assert rehearsed["too-soon"].differences == [
        "events[1].opens: 'welcome' had not been sent to this contact (nothing was sent)",
        "events[2].clicks: 'welcom' had not been sent to this contact; did you mean 'welcome'? (sent were welcome)",
    ]


def test_a_message_is_shown_as_its_reader_got_it(rehearsed: dict[str, ScenarioResult]) -> None:
    shown = rehearsed["reads"].to_dict()["messages"]
    assert [(each["message"], each["channel"]) for each in shown] == [
        ("welcome", "email"),
        ("interest-survey", "sms"),
        ("care-reminder", "email"),
    ]
    assert all("小林" in each["text"] for each in shown[:2])
    assert shown[0]["subject"]


def test_a_profile_that_changes_is_that_of_the_next_message(rehearsed: dict[str, ScenarioResult]) -> None:
    content = next(
        content for decision, content in rehearsed["renames-herself"].messages if decision.message == "beauty-coupon"
    )
    assert "小雨" in content.text
