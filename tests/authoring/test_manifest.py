"""journey.yaml: the forms it takes, and what an author reads about a wrong one."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.authoring.folders import discovered, problems, write
from waypost.authoring.discovery import discover

Change = Callable[[dict[str, Any]], None]

_MANUAL = {
    "kind": "manual",
    "event": "journey_requested",
    "where": {"property": "journey", "equals": "win-back"},
}


def setting(**fields: Any) -> Change:
    return lambda manifest: manifest.update(fields)


def published(root: Path, **fields: Any) -> dict[str, Any]:
    return discovered(write(root, manifest=setting(**fields))).published()


def test_a_manifest_is_published_in_its_normal_form(tmp_path: Path) -> None:
    journey = published(
        tmp_path,
        entry={"not": {"tag": "vip"}},
        re_entry={"after": "30d"},
        priority=5,
        exclusive_group="retention",
        exit_on=["unsubscribed", {"event": "account_closed", "where": {"final": True}}],
        goal={"event": "order_placed", "within": "7d"},
        target={"metric": "orders", "at_least": 0.1},
        audience_limit=100,
        version=3,
    )
    assert re.fullmatch("[0-9a-f]{8}", journey.pop("machine_version"))
    assert journey == {
        "name": "win-back",
        "scenario": "win back",
        "description": "Brings a contact back.",
        "owner": "growth team",
        "version": 3,
        "priority": 5,
        "exclusive_group": "retention",
        "trigger": {"kind": "event", "event": "subscription_cancelled", "where": None},
        "entry": {"not": {"tag": "vip"}},
        "re_entry": {"kind": "after", "seconds": 30 * 86400, "property": None},
        "exit_on": [
            {"event": "unsubscribed", "where": None},
            {"event": "account_closed", "where": {"property": "final", "equals": True}},
        ],
        "goal": {"event": "order_placed", "where": None, "within_seconds": 7 * 86400},
        "target": {"metric": "orders", "at_least": 0.1},
        "audience_limit": 100,
        "closed": False,
        "splits": {},
        "holdout": None,
    }


@pytest.mark.parametrize(
    ("trigger", "expected"),
    [
        ({"event": "registered"}, {"kind": "event", "event": "registered", "where": None}),
        (
            {"event": "registered", "fresh_for": "7d"},
            {"kind": "event", "event": "registered", "where": None, "fresh_for_seconds": 604_800},
        ),
        ({"kind": "event", "event": "registered"}, {"kind": "event", "event": "registered", "where": None}),
        (
            {"event": "registered", "where": {"plan": "pro"}},
            {"kind": "event", "event": "registered", "where": {"property": "plan", "equals": "pro"}},
        ),
        ({"tag": "vip"}, {"kind": "event", "event": "tag_added", "where": {"property": "tag", "equals": "vip"}}),
        ({"anniversary": "birthday", "days": -7}, _MANUAL | {"kind": "schedule"}),
        ({"schedule": {"every": "day", "at": "10:00"}, "rule": {"tag": "vip"}}, _MANUAL | {"kind": "schedule"}),
        ("manual", _MANUAL),
        ({"kind": "manual"}, _MANUAL),
    ],
)
def test_a_trigger_has_short_and_long_forms(tmp_path: Path, trigger: Any, expected: dict[str, Any]) -> None:
    assert published(tmp_path, trigger=trigger)["trigger"] == expected


@pytest.mark.parametrize(
    ("re_entry", "expected"),
    [
        ("never", {"kind": "never", "seconds": None, "property": None}),
        ("always", {"kind": "always", "seconds": None, "property": None}),
        ({"after": "12h"}, {"kind": "after", "seconds": 43200, "property": None}),
        ("side_by_side", {"kind": "side_by_side", "seconds": None, "property": None}),
        ({"per": "order_id"}, {"kind": "per", "seconds": None, "property": "order_id"}),
    ],
)
def test_re_entry_has_five_forms(tmp_path: Path, re_entry: Any, expected: dict[str, Any]) -> None:
    assert published(tmp_path, re_entry=re_entry)["re_entry"] == expected


def test_several_events_may_start_a_journey(tmp_path: Path) -> None:
    large = {"event": "order_placed", "where": {"total": {"at_least": 5000}}}
    trigger = {"event": "lead_captured", "also": ["opportunity_opened", large]}
    assert published(tmp_path, trigger=trigger)["trigger"] == {
        "kind": "event",
        "event": "lead_captured",
        "where": None,
        "also": [
            {"event": "opportunity_opened", "where": None},
            {"event": "order_placed", "where": {"property": "total", "at_least": 5000}},
        ],
    }


def test_what_is_left_out_has_a_quiet_default(tmp_path: Path) -> None:
    def bare(manifest: dict[str, Any]) -> None:
        for field in ("name", "exit_on", "goal"):
            del manifest[field]

    journey = discovered(write(tmp_path, manifest=bare)).published()
    assert journey["re_entry"]["kind"] == "never"
    assert (journey["entry"], journey["exit_on"], journey["goal"], journey["target"]) == (None, [], None, None)
    assert (journey["priority"], journey["exclusive_group"], journey["audience_limit"], journey["version"]) == (
        0,
        None,
        None,
        1,
    )


def test_the_policies_of_a_change_have_short_and_long_forms(tmp_path: Path) -> None:
    change = {
        "default": "stay",
        "states": {
            "Until day 3": "follow",
            "Until day 5": {"move": "Until day 4", "variables": {"coupon": "LATE", "round": 2}},
            "Until day 7": {"stop": "replaced by the spring campaign"},
            "Until day 9": {"policy": "stay"},
        },
    }
    manifest = discovered(write(tmp_path, manifest=setting(change=change))).manifest
    assert manifest.change.published() == {
        "*": {"act": "stay"},
        "Until day 3": {"act": "follow"},
        "Until day 5": {"act": "move", "to": "Until day 4", "variables": {"coupon": "LATE", "round": 2}},
        "Until day 7": {"act": "stop", "reason": "replaced by the spring campaign"},
        "Until day 9": {"act": "stay"},
    }


@pytest.mark.parametrize(
    ("responsible", "problem"),
    [
        ("CRM operator", ""),
        ({"default": "CRM operator", "steps": {"Two days later": "copy editor"}}, ""),
        ({"default": "CRM operator", "steps": {"Two day later": "copy editor"}}, "did you mean 'Two days later'?"),
        ({"steps": {}}, "responsible.default: is missing"),
    ],
)
def test_who_answers_for_a_step_that_is_there(tmp_path: Path, responsible: Any, problem: str) -> None:
    root = write(tmp_path, manifest=setting(responsible=responsible, department="growth", finishes_within="3d"))
    found = "\n".join(problems(root))
    assert problem in found if problem else found == ""


def test_another_number_is_another_version_of_the_same_flow(tmp_path: Path) -> None:
    found = {published(tmp_path / str(number), version=number)["machine_version"] for number in (1, 2)}
    again = published(tmp_path / "again", version=1, description="Says it better.")["machine_version"]
    assert len(found) == 2
    assert again in found


def test_a_journey_whose_folder_is_gone_says_why_its_contacts_are_stopped(tmp_path: Path) -> None:
    root = write(tmp_path)
    file = root / "journeys" / "removed.yaml"
    file.write_text("removed: {old-journey: the season is over}\n", encoding="utf-8")
    assert discover(root).removed == {"old-journey": "the season is over"}

    file.write_text("removed: {win-back: the season is over}\n", encoding="utf-8")
    assert problems(root) == [
        "statemachines/journeys/removed.yaml: removed.win-back: its folder is there; delete the folder or this line"
    ]


def without(field: str) -> Change:
    return lambda manifest: manifest.pop(field)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (without("owner"), "owner: is missing"),
        (setting(owner=" "), "owner: is empty"),
        (setting(ownr="x"), "ownr: unknown field 'ownr'; did you mean 'owner'?"),
        (setting(name="other"), "name: expected the name of the folder, 'win-back', got 'other'"),
        (setting(name="Win Back"), "name: string should match pattern"),
        (without("trigger"), "trigger: is missing"),
        (setting(trigger={"evnt": "registered"}), "trigger: unknown trigger 'evnt'; did you mean 'event'?"),
        (setting(trigger={"event": "Signed Up"}), "trigger.event: expected an event type in snake_case, got 'Signed Up'; did you mean 'signed_up'?"),
        (setting(trigger={"event": "registered", "wher": {}}), "trigger.wher: unknown field 'wher'; did you mean 'where'?"),
        (setting(trigger={"schedule": {"every": "day", "at": "10:00"}}), "trigger: expected one of segment, rule"),
        (setting(trigger={"schedule": {"every": "week", "at": "10:00"}, "segment": "vips"}), "trigger.schedule: every: week goes with on"),
        (setting(trigger={"anniversary": "birthday", "days": 7}), "trigger: days: an anniversary takes 0 to -364 days"),
        (setting(trigger={"sgment": "vips"}), "trigger: unknown trigger 'sgment'; did you mean 'segment'?"),
        (setting(trigger="registered"), "trigger: unknown trigger 'registered'; write {event: registered}"),
        (setting(trigger="manuel"), "trigger: unknown trigger 'manuel'; did you mean 'manual'?"),
        (setting(exit_on="unsubscribed"), "exit_on: expected a list, got 'unsubscribed'; write [unsubscribed]"),
        (setting(trigger=["registered"]), "trigger: expected a mapping"),
        (
            setting(trigger={"event": "registered", "where": {"event": "order_placed"}}),
            "trigger.where: looks at the event at hand; put a rule about earlier events under 'entry'",
        ),
        (
            setting(trigger={"event": "registered", "where": {"property": "a", "equals_trigger": "a"}}),
            "trigger.where: this is the trigger itself",
        ),
        (setting(entry={"property": "a", "equals_trigger": "a"}), "entry: 'equals_trigger' is for pauses, goal and exit_on"),
        (setting(entry={"all": [{"tag": "a"}, {"tg": "b"}]}), "entry.all[1]: expected one of the key words"),
        (setting(entry={"attribute": "age", "at_least": "{% $x %}"}), "entry.at_least: an expression can stand in definition.asl.yaml only"),
        (setting(re_entry="nevr"), "re_entry: unknown re-entry 'nevr'; did you mean 'never'?"),
        (setting(re_entry={"after": "30 days"}), "re_entry.after: expected a duration such as 45s, 30m, 3h or 2d"),
        (setting(re_entry={"always": True, "per": "x"}), "re_entry: expected one of never, always"),
        (setting(re_entry={"each": "x"}), "re_entry.each: unknown field 'each'"),
        (setting(priority="high"), "priority: expected a whole number, got 'high'"),
        (setting(priority=-1), "priority: input should be greater than or equal to 0"),
        (setting(exit_on={"event": "unsubscribed"}), "exit_on: expected a list"),
        (setting(exit_on=[{"event": "unsubscribed", "when": 1}]), "exit_on[0].when: unknown field 'when'; did you mean 'where'?"),
        (setting(goal={"event": "order_placed", "where": {"coupn": {"equal": "X"}}}), "goal.where: coupn: unknown operator 'equal'; did you mean 'equals'?"),
        (setting(goal={"event": "order_placed", "within": "soon"}), "goal.within: expected a duration"),
        (setting(target={"metric": "orders"}), "target.at_least: is missing"),
        (setting(audience_limit=0), "audience_limit: input should be greater than or equal to 1"),
        (setting(change={"default": "folow"}), "change.default: unknown policy 'folow'; did you mean 'follow'?"),
        (setting(change={"states": {"Until day 3": {"mov": "x"}}}), "change.states.Until day 3: unknown policy 'mov'; did you mean 'move'?"),
        (setting(change={"states": {"Until day 3": {"stop": " "}}}), "change.states.Until day 3.stop: is empty"),
        (setting(closed="yes"), "closed: "),
        (setting(version="1"), "version: expected a whole number, got '1'"),
    ],
)  # fmt: skip
def test_a_wrong_manifest_names_file_field_and_reason(tmp_path: Path, change: Change, expected: str) -> None:
    [problem] = problems(write(tmp_path, manifest=change))
    assert problem.startswith(f"statemachines/journeys/win-back/journey.yaml: {expected}")


@pytest.mark.parametrize(
    ("trigger", "every", "on", "rule"),
    [
        ({"anniversary": "birthday", "days": -7}, "day", None, {"attribute": "birthday", "anniversary": {"in_days": 8}}),
        ({"date": "trial_ends_at", "days": -3}, "day", None, {"attribute": "trial_ends_at", "days_until": 4}),
        ({"date": "trial_ends_at"}, "day", None, {"attribute": "trial_ends_at", "days_until": 1}),
        ({"date": "bought_at", "days": 7}, "day", None, {"attribute": "bought_at", "days_since": 6}),
        ({"schedule": {"every": "week", "on": "monday", "at": "09:00"}, "rule": {"tag": "vip"}}, "week", "monday", {"tag": "vip"}),
    ],
)  # fmt: skip
def test_time_starts_a_journey_for_those_whose_day_comes_next(
    tmp_path: Path, trigger: Any, every: str, on: str | None, rule: dict[str, Any]
) -> None:
    schedule = discovered(write(tmp_path, manifest=setting(trigger=trigger))).manifest.schedule("win-back")
    assert schedule is not None
    assert (schedule.every, schedule.on) == (every, on)
    assert schedule.input == {"journey": "win-back", "rule": rule, "daily": True}


def test_what_a_schedule_asks_for_has_to_be_declared(tmp_path: Path) -> None:
    trigger = {"schedule": {"every": "day", "at": "10:00"}, "segment": "redears"}
    folder = write(tmp_path, manifest=setting(trigger=trigger))
    segments = tmp_path / "statemachines" / "segments"
    segments.mkdir(parents=True, exist_ok=True)
    (segments / "readers.yaml").write_text("description: Who reads.\nowner: growth team\nrule: { tag: reader }\n")
    assert any("redears" in problem and "readers" in problem for problem in problems(folder))
