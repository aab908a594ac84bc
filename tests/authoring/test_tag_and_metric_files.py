"""The tag system and the metrics as files: what is published of them, and that every mistake names its place."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.authoring.folders import problems, states, task, write
from waypost.authoring.discovery import discover
from waypost.contacts.tag_system import OutsideTag, TagSystem
from waypost.metrics.declaration import MetricsDeclaration
from waypost.segments.lifecycle import Lifecycle

SHIPPED = Path(__file__).parents[2] / "statemachines"
TAG = {"dimension": "basic", "description": "A special contact.", "owner": "sales"}
QUIET = {"not": {"event": "logged_in", "within": "30d"}}


def declare(statemachines: Path, name: str, content: Any) -> Path:
    """Write a file under statemachines/."""
    path = statemachines / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return statemachines


def problems_of(statemachines: Path, name: str, content: Any) -> list[str]:
    """What is wrong with a file, without its name."""
    found = problems(declare(statemachines, name, content))
    return [problem.removeprefix(f"{statemachines.name}/{name}: ") for problem in found]


def test_tags_are_published_with_their_rule_and_end(tmp_path: Path) -> None:
    tags = {"vip": {**TAG, "names": {"zh-CN": "重要客户"}, "expires_after": "30d"}, "quiet": {**TAG, "rule": QUIET}}
    section = discover(declare(tmp_path, "contacts/tags.yaml", {"tags": tags})).sections["tags"]
    system = TagSystem.from_dict(section)
    assert {name: span.days for name, span in system.lasting.items()} == {"vip": 30}
    assert {name: tag.rule for name, tag in system.by_rule.items()} == {"quiet": QUIET}
    assert system.meant_by("重要客户") == "vip"


def test_a_tag_in_wecom_is_one_of_ours_alone(tmp_path: Path) -> None:
    there = {"wecom": {"group": "客户等级", "name": "VIP"}}
    section = discover(declare(tmp_path, "contacts/tags.yaml", {"tags": {"vip": {**TAG, **there}}})).sections["tags"]
    assert TagSystem.from_dict(section).outside("wecom") == {"vip": OutsideTag("客户等级", "VIP")}
    twice = {"tags": {"vip": {**TAG, **there}, "gold": {**TAG, **there}}}
    assert problems_of(tmp_path, "contacts/tags.yaml", twice) == [
        "tags.gold.wecom: 客户等级 / VIP is that of vip already"
    ]


def test_no_more_tags_are_kept_alike_than_a_profile_has_room_for(tmp_path: Path) -> None:
    tags = {f"t-{each}": {**TAG, "wecom": {"group": "g", "name": f"n{each}"}} for each in range(101)}
    [problem] = problems_of(tmp_path, "contacts/tags.yaml", {"tags": tags})
    assert "101 tags are kept alike in WeCom; at most 100 can be" in problem


def test_without_files_nothing_is_declared(tmp_path: Path) -> None:
    sections = discover(tmp_path).sections
    assert (sections["tags"], sections["metrics"]) == ({}, {})


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ({"dimension": "behavior"}, "tags.vip.dimension: expected 'basic', 'behaviour' or 'preference', got 'behavior'; did you mean 'behaviour'?"),
        ({"expires": "30d"}, "tags.vip.expires: unknown field 'expires'; did you mean 'expires_after'?"),
        ({"expires_after": "30 days"}, "tags.vip.expires_after: expected a duration such as 45s, 30m, 3h or 2d, got '30 days'"),
        ({"rule": {"property": "total", "at_least": 5}}, "tags.vip.rule: looks at a property of an event at hand"),
        ({"rule": {"attribute": "city", "equals_trigger": "city"}}, "tags.vip.rule: compares with the event that started a journey"),
        ({"rule": {"tag": "vpi"}}, "tags.vip.rule.tag: unknown tag 'vpi'; did you mean 'vip'?"),
        ({"owner": ""}, "tags.vip.owner: "),
        ({"wecom": {"group": "客户等级"}}, "tags.vip.wecom.name: is missing"),
        ({"wecom": {"group": "客户等级", "name": "长" * 31}}, "tags.vip.wecom.name: "),
    ],
)  # fmt: skip
def test_a_mistake_in_a_tag_is_reported_with_its_place(tmp_path: Path, tag: dict[str, Any], expected: str) -> None:
    [problem] = problems_of(tmp_path, "contacts/tags.yaml", {"tags": {"vip": {**TAG, **tag}}})
    assert problem.startswith(expected)


def test_a_name_with_blanks_around_it_is_refused(tmp_path: Path) -> None:
    [problem] = problems_of(tmp_path, "contacts/tags.yaml", {"tags": {" vip": TAG}})
    assert "without blanks around it, got ' vip'" in problem


def with_update(tmp_path: Path, **payload: Any) -> Path:
    """A journey with an Update task."""

    def change(definition: dict[str, Any]) -> None:
        body = states(definition)
        body["Two days later"] = {**task("UpdateContact", **payload), "End": True}

    return write(tmp_path, definition=change)


PLACE = "statemachines/journeys/win-back/definition.asl.yaml: Two days later.Arguments.Payload"


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({"add_tags": ["vip", "vpi"]}, f"{PLACE}.add_tags[1]: unknown tag 'vpi'; did you mean 'vip'?"),
        ({"remove_tags": ["quiet"]}, f"{PLACE}.remove_tags[0]: the tag 'quiet' is given and taken by its rule alone"),
        ({"lifecycle": "leed"}, f"{PLACE}.lifecycle: unknown stage 'leed'; expected one of lead, qualified"),
        ({"lifecycle": "lead"}, f"{PLACE}.lifecycle: the stage 'lead' is entered by its rule alone"),
        ({"set": {"tags": ["vip"]}}, f"{PLACE}.set: 'tags' is no attribute; write add_tags beside 'set'"),
        ({"set": {"consent": {}}}, f"{PLACE}.set: 'consent' is no attribute"),
        ({"earn_points": 0}, f"{PLACE}.earn_points: "),
    ],
)
def test_a_journey_that_names_what_is_not_declared_fails_the_synth(
    tmp_path: Path, payload: dict[str, Any], expected: str
) -> None:
    statemachines = with_update(tmp_path, **payload)
    declare(statemachines, "contacts/tags.yaml", {"tags": {"vip": TAG, "quiet": {**TAG, "rule": QUIET}}})
    stages = [
        {"stage": "lead", "description": "d", "rule": {"event": "registered"}},
        {"stage": "qualified", "description": "d", "after": ["lead"]},
    ]
    declare(statemachines, "contacts/metrics.yaml", {"lifecycle": stages})
    [problem] = problems(statemachines)
    assert problem.startswith(expected)


def with_pause(tmp_path: Path, until: dict[str, Any], *, declared: bool = True) -> Path:
    """A journey that pauses until a date, beside declared attributes."""

    def change(definition: dict[str, Any]) -> None:
        pause = states(definition)["Two days later"]
        pause["Arguments"]["Payload"] = {"until": until, "context": "{% $states.context %}"}

    statemachines = write(tmp_path, definition=change)
    attributes = {
        "birthday": {"type": "date", "description": "d"},
        "trial_ends_at": {"type": "datetime", "description": "d"},
        "city": {"type": "string", "description": "d"},
    }
    return declare(statemachines, "contacts/attributes.yaml", {"attributes": attributes}) if declared else statemachines


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        ({"date": "trail_ends_at", "hours": -2}, "date: unknown date 'trail_ends_at'; did you mean 'trial_ends_at'?"),
        ({"anniversary": "birthdy", "at": "09:00"}, "anniversary: unknown date 'birthdy'; did you mean 'birthday'?"),
        ({"date": "city", "at": "09:00"}, "date: 'city' is declared as string; expected a date or a datetime"),
    ],
)
def test_a_pause_counts_from_a_declared_date(tmp_path: Path, until: dict[str, Any], expected: str) -> None:
    [problem] = problems(with_pause(tmp_path, until))
    assert problem.startswith(f"{PLACE}.until.{expected}")


@pytest.mark.parametrize(
    ("attribute", "expected"),
    [
        ("birthday", ""),
        ("city", "'city' is declared as string; expected a date or a datetime"),
        ("birthdy", "unknown date 'birthdy'; did you mean 'birthday'?"),
    ],
)
def test_a_coupon_for_a_month_counts_from_a_declared_date(tmp_path: Path, attribute: str, expected: str) -> None:
    benefit = {"kind": "percent", "percent": 5}
    pool = {"label": {"en": "5% off"}, "benefit": benefit, "valid": {"month_of": attribute}}
    statemachines = with_pause(tmp_path, {"at": "10:00"})
    found = problems(declare(statemachines, "coupons/monthly.yaml", pool))
    start = f"statemachines/coupons/monthly.yaml: valid.month_of: {expected}"
    assert [each.startswith(start) for each in found] == ([True] if expected else [])


@pytest.mark.parametrize(
    ("until", "declared"),
    [
        ({"date": "trial_ends_at", "days": -1, "hours": -2}, True),
        ({"anniversary": "birthday", "days": -7, "at": "09:00"}, True),
        ({"property": "booking.starts_at", "minutes": -90}, True),
        ({"date": "renews_on", "at": "09:00"}, False),
    ],
)
def test_a_pause_may_count_from_what_is_declared_or_where_nothing_is(
    tmp_path: Path, until: dict[str, Any], declared: bool
) -> None:
    assert problems(with_pause(tmp_path, until, declared=declared)) == []


def test_an_update_task_may_change_all_there_is(tmp_path: Path) -> None:
    statemachines = with_update(
        tmp_path,
        add_tags=["vip", "{% 'a' & 'b' %}"],
        remove_tags="{% ['a', 'b'] %}",
        set={"tier": "gold"},
        join_groups=["club"],
        leave_groups=["trial"],
        earn_points="{% 2 * 5 %}",
        spend_points=5,
    )
    declare(statemachines, "contacts/tags.yaml", {"tags": {"vip": TAG}})
    assert problems(statemachines) == []


def test_the_rules_of_a_journey_name_declared_tags(tmp_path: Path) -> None:
    def change(manifest: dict[str, Any]) -> None:
        manifest["entry"] = {"not": {"tag": "vpi"}}

    statemachines = declare(write(tmp_path, manifest=change), "contacts/tags.yaml", {"tags": {"vip": TAG}})
    [problem] = problems(statemachines)
    assert problem == (
        "statemachines/journeys/win-back/journey.yaml: entry.not.tag: unknown tag 'vpi'; did you mean 'vip'?"
    )


def test_a_journey_may_bring_the_tags_of_its_own(tmp_path: Path) -> None:
    statemachines = with_update(tmp_path, add_tags=["came-back"])
    declare(statemachines, "contacts/tags.yaml", {"tags": {"vip": TAG}})
    assert len(problems(statemachines)) == 1
    declare(statemachines, "journeys/win-back/tags.yaml", {"tags": {"came-back": TAG}})
    assert set(discover(statemachines).sections["tags"]["tags"]) == {"vip", "came-back"}


def test_a_journey_may_not_mean_something_else_by_a_tag_or_give_it_a_rule(tmp_path: Path) -> None:
    statemachines = declare(write(tmp_path), "contacts/tags.yaml", {"tags": {"vip": TAG}})
    own = {"tags": {"vip": TAG, "quiet": {**TAG, "rule": QUIET}}}
    assert problems_of(statemachines, "journeys/win-back/tags.yaml", own) == [
        "tags.vip: is declared elsewhere already; name the same tag once",
        "tags.quiet.rule: belongs into contacts/tags.yaml: it holds for everybody, in the journey or not",
    ]


SCORE = {"description": "d", "weights": {"order_placed": 10}, "half_life": "14d", "window": "90d"}


def test_metrics_are_published_as_the_night_reads_them(tmp_path: Path) -> None:
    content = {
        "scores": {"activity": SCORE},
        "rfm": {
            "where": {"currency": "CNY"},
            "within": "365d",
            "segments": [{"name": "champions", "r": [5], "f": [4, 5]}],
        },
        "churn_risk": [{"level": "high", "score": 90, "rule": QUIET}, {"level": "low", "score": 10}],
    }
    section = discover(declare(tmp_path, "contacts/metrics.yaml", content)).sections["metrics"]
    metrics = MetricsDeclaration.from_dict(section)
    assert (metrics.scores["activity"].half_life.days, metrics.scores["activity"].weights) == (14, {"order_placed": 10})
    assert metrics.rfm is not None
    assert (metrics.rfm.event, metrics.rfm.value, metrics.rfm.where) == (
        "order_placed",
        "total",
        {"property": "currency", "equals": "CNY"},
    )
    assert [metrics.rfm.segment(*cell) for cell in ((5, 4, 1), (5, 3, 5), (4, 5, 5))] == ["champions", None, None]
    assert [(level.level, level.rule) for level in metrics.churn] == [("high", QUIET), ("low", None)]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"scores": {"rfm": SCORE}}, "scores.rfm: is the name of a metric of Waypost's own: 'rfm'"),
        ({"scores": {"activity": {**SCORE, "half_life": "2 weeks"}}}, "scores.activity.half_life: expected a duration"),
        ({"scores": {"activity": {**SCORE, "weights": {"OrderPlaced": 1}}}}, "scores.activity.weights"),
        ({"rfm": {"segments": [{"name": "top", "r": [6]}]}}, "rfm.segments[0].r[0]: "),
        ({"churn_risk": [{"level": "low", "score": 1}, {"level": "high", "score": 9, "rule": QUIET}]}, "churn_risk[0].rule: is missing; only the last level"),
        ({"churn_risk": [{"level": "low", "score": 101}]}, "churn_risk[0].score: "),
        ({"churn_risk": [{"level": "low", "score": 1, "rule": QUIET}, {"level": "low", "score": 9}]}, "churn_risk: the level 'low' is there twice"),
        ({"lifecycle": [{"stage": "lead", "description": "d", "rule": QUIET, "after": ["activ"]}, {"stage": "active", "description": "d", "rule": QUIET}]}, "lifecycle[0].after[0]: unknown stage 'activ'; did you mean 'active'?"),
        ({"lifecycle": [{"stage": "lead", "description": "d", "rule": QUIET, "after": ["lead"]}]}, "lifecycle[0].after[0]: a stage does not follow itself"),
        ({"lifecycle": [{"stage": "lead", "description": "d"}]}, "lifecycle: no stage has a rule"),
        ({"lifecycle": [{"stage": "lead", "description": "d", "rule": {"property": "a", "equals": 1}}]}, "lifecycle[0].rule: looks at a property"),
        ({}, "declares nothing; expected scores, rfm, churn_risk, best_hour or lifecycle"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_metrics_is_reported_with_its_place(tmp_path: Path, content: Any, expected: str) -> None:
    [problem] = problems_of(tmp_path, "contacts/metrics.yaml", content)
    assert problem.startswith(expected)


def test_the_hourly_schedule_is_there_when_a_segment_asks_for_it(tmp_path: Path) -> None:
    manifest = {
        "description": "d",
        "owner": "o",
        "schedules": {
            "nightly": {"every": "day", "at": "03:00"},
            "hourly": {"every": "hour", "only_if": "hourly_segments"},
        },
    }
    definition = {"Comment": "c", "StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}
    declare(tmp_path, "operations/refresh/operation.yaml", manifest)
    declare(tmp_path, "operations/refresh/definition.asl.yaml", definition)

    def schedules() -> set[str]:
        return {name for operation in discover(tmp_path).operations for name in operation.manifest.schedules}

    segment = {"description": "d", "owner": "o", "rule": {"tag": "vip"}}
    declare(tmp_path, "segments/vips.yaml", {**segment, "refresh": "daily"})
    assert schedules() == {"nightly"}
    declare(tmp_path, "segments/vips.yaml", {**segment, "refresh": "hourly"})
    assert schedules() == {"nightly", "hourly"}


def test_what_is_shipped_declares_the_tags_and_metrics_of_the_catalogue() -> None:
    sections = discover(SHIPPED).sections
    system = TagSystem.from_dict(sections["tags"])
    assert {"dormant-warning", "high-intent-cart"} <= set(system.by_rule)
    assert [system.meant_by(name) for name in ("沉默预警", "高意向-催付")] == ["dormant-warning", "high-intent-cart"]
    assert {tag.dimension for tag in system.tags.values()} == {"basic", "behaviour", "preference"}
    metrics = MetricsDeclaration.from_dict(sections["metrics"])
    assert set(metrics.scores) == {"activity", "lead", "spread"}
    assert metrics.rfm is not None
    cells = [(r, f, m) for r in range(1, 6) for f in range(1, 6) for m in range(1, 6)]
    assert all(metrics.rfm.segment(*cell) for cell in cells), "every cell has a name"
    stages = Lifecycle.from_dict(sections["metrics"]["lifecycle"]).names
    assert set(stages) == {"lead", "new", "active", "mature", "dormant", "churned"}
