"""Saved segments as files: found, checked against each other and against what is declared, and written out."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.authoring.folders import discovered, problems, states, task, write
from waypost.authoring.discovery import discover
from waypost.authoring.problems import InvalidJourney

PROJECT = Path(__file__).parents[2] / "statemachines"
VIP = {"attribute": "level", "at_least": 3}


def put(root: Path, **files: Any) -> Path:
    """Write saved segments (underscores in a name become hyphens); a rule alone is completed to a segment."""
    folder = root / "statemachines" / "segments"
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        whole = content if "rule" in content else {"description": "for a test", "owner": "nobody", "rule": content}
        text = yaml.safe_dump(whole, allow_unicode=True, sort_keys=False)
        folder.joinpath(f"{name.replace('_', '-')}.yaml").write_text(text, encoding="utf-8")
    return root / "statemachines"


def declare(root: Path, file: str, content: Any) -> None:
    path = root / "statemachines" / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")


def tag(**more: Any) -> dict[str, Any]:
    return {"dimension": "behaviour", "description": "for a test", "owner": "nobody", **more}


def published(statemachines: Path) -> dict[str, Any]:
    return discover(statemachines).sections["segments"]


def test_a_segment_is_a_file_and_its_name_is_that_of_the_file(tmp_path: Path) -> None:
    segment = {
        "description": "Members of the upper levels.\n",
        "owner": "membership team",
        "refresh": "off",
        "hold_out": "One in ten until June.",
        "rule": VIP,
    }
    assert published(put(tmp_path, vip_members=segment)) == {
        "vip-members": {
            "description": "Members of the upper levels.",
            "owner": "membership team",
            "rule": VIP,
            "refresh": "off",
            "hold_out": "One in ten until June.",
        }
    }


def test_unless_it_says_otherwise_a_segment_is_looked_at_once_a_day(tmp_path: Path) -> None:
    assert published(put(tmp_path, vip=VIP))["vip"]["refresh"] == "daily"


def test_a_project_without_segments_publishes_none(tmp_path: Path) -> None:
    assert published(write(tmp_path)) == {}


def test_segments_named_in_segments_tags_and_metrics_are_written_out(tmp_path: Path) -> None:
    statemachines = put(tmp_path, vip=VIP, shy={"all": [{"segment": "vip"}, {"not": {"consent": "email"}}]})
    declare(tmp_path, "contacts/tags.yaml", {"tags": {"quiet-vip": tag(rule={"segment": "shy"})}})
    levels = [{"level": "low", "score": 1, "rule": {"not": {"segment": "vip"}}}]
    stages = [{"stage": "member", "description": "for a test", "rule": {"segment": {"any_of": ["vip", "shy"]}}}]
    declare(tmp_path, "contacts/metrics.yaml", {"churn_risk": levels, "lifecycle": stages})
    shy = {"all": [VIP, {"not": {"consent": "email"}}]}
    sections = discover(statemachines).sections
    assert sections["segments"]["shy"]["rule"] == shy
    assert sections["tags"]["tags"]["quiet-vip"]["rule"] == shy
    assert sections["metrics"]["churn_risk"][0]["rule"] == {"not": VIP}
    assert sections["metrics"]["lifecycle"]["stages"][0]["rule"] == {"any": [VIP, shy]}


def test_a_membership_asked_since_when_stays_a_look_into_the_profile(tmp_path: Path) -> None:
    fresh = {"segment": "vip", "within": "7d"}
    assert published(put(tmp_path, vip=VIP, fresh_vip=fresh))["fresh-vip"]["rule"] == fresh


def test_segments_in_the_rules_of_a_journey_are_written_out(tmp_path: Path) -> None:
    def manifest(content: dict[str, Any]) -> None:
        content["entry"] = {"not": {"segment": "vip"}}

    def definition(content: dict[str, Any]) -> None:
        asked = task("EvaluateSegment", rule={"all": [{"segment": "vip"}, {"tag": "x"}]})
        states(content)["Two days later"] = {**asked, "Next": "By its name"}
        named = task("EvaluateSegment", segment="vip", explain=True)
        states(content)["By its name"] = {**named, "Next": "And later"}
        late = {"event": "order_placed", "where": {"all": [{"segment": "vip"}, {"property": "total", "more_than": 5}]}}
        states(content)["And later"] = {**task("PauseJourney", **{"for": "2d", "or": late}), "End": True}

    put(tmp_path, vip=VIP)
    journey = discovered(write(tmp_path, manifest=manifest, definition=definition))
    assert journey.published()["entry"] == {"not": VIP}
    body = states(journey.definition)
    assert body["Two days later"]["Arguments"]["Payload"]["rule"] == {"all": [VIP, {"tag": "x"}]}
    assert body["By its name"]["Arguments"]["Payload"]["segment"] == "vip"
    assert body["And later"]["Arguments"]["Payload"]["or"]["where"]["all"][0] == VIP


def test_a_rule_without_segments_is_published_as_it_was_written(tmp_path: Path) -> None:
    written = {"any": [{"tag": "vip"}, {"event": "order_placed", "at_least": "{% 1 + 1 %}"}]}

    def definition(content: dict[str, Any]) -> None:
        states(content)["Two days later"] = {**task("EvaluateSegment", rule=written), "End": True}

    journey = discovered(write(tmp_path, definition=definition))
    assert states(journey.definition)["Two days later"]["Arguments"]["Payload"]["rule"] == written


SEGMENT = "statemachines/segments/new.yaml: "


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ({"segment": "vpi"}, "rule.segment: unknown segment 'vpi'; did you mean 'vip'?"),
        ({"all": [{"tag": "x"}, {"segment": ["vip", "nobody"]}]}, "rule.all[1].segment: unknown segment 'nobody'; expected one of new, vip"),
        ({"tag": "quiet-vpi"}, "rule.tag: unknown tag 'quiet-vpi'; did you mean 'quiet-vip'?"),
        ({"not": {"event": "a", "where": {"tag": "lout"}}}, "rule.not.where.tag: unknown tag 'lout'; did you mean 'loud'?"),
        ({"metric": "activty", "at_least": 5}, "rule.metric: unknown metric 'activty'; did you mean 'activity'?"),
        ({"lifecycle": ["membr"]}, "rule.lifecycle: unknown stage 'membr'; did you mean 'member'?"),
        ({"holds_coupon": "welcom-10"}, "rule.holds_coupon: unknown pool 'welcom-10'; did you mean 'welcome-10'?"),
        ({"property": "total", "at_least": 5}, "rule: looks at a property of an event at hand; here there is none: ask about past events (event: …, where: …)"),
        ({"attribute": "level", "equals_trigger": "level"}, "rule: compares with the event that started a journey (equals_trigger); here there is none"),
        ({"atribute": "level", "at_least": 3}, "rule: expected one of the key words"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_rule_is_reported_by_file_place_and_reason(
    tmp_path: Path, rule: dict[str, Any], problem: str
) -> None:
    statemachines = put(tmp_path, vip=VIP, new=rule)
    declare(tmp_path, "contacts/tags.yaml", {"tags": {"quiet-vip": tag(), "loud": tag()}})
    score = {"description": "x", "weights": {"a": 1}, "half_life": "7d", "window": "30d"}
    pool = {"label": {"en": "x"}, "benefit": {"kind": "percent", "percent": 5}, "valid": {"days": 3}}
    declare(tmp_path, "coupons/welcome-10.yaml", pool)
    stages = [{"stage": "member", "description": "for a test", "rule": VIP}]
    declare(tmp_path, "contacts/metrics.yaml", {"scores": {"activity": score}, "lifecycle": stages})
    assert [line for line in problems(statemachines) if line.startswith(SEGMENT + problem)], problems(statemachines)


def test_where_no_tags_and_metrics_are_declared_every_name_will_do(tmp_path: Path) -> None:
    anything = {"all": [{"tag": "x"}, {"metric": "y", "at_least": 1}, {"lifecycle": "z"}]}
    assert problems(put(tmp_path, new=anything)) == []


def test_computed_metrics_need_no_declaration_of_their_own(tmp_path: Path) -> None:
    declare(tmp_path, "contacts/metrics.yaml", {"churn_risk": [{"level": "low", "score": 1}]})
    assert problems(put(tmp_path, new={"metric": "churn_risk", "equals": "low"})) == []


@pytest.mark.parametrize(
    ("files", "way"),
    [
        ({"a": {"segment": "a"}}, "segment:a → segment:a"),
        ({"a": {"segment": "b"}, "b": {"not": {"segment": "a"}}}, "segment:b → segment:a"),
        ({"a": {"tag": "t"}}, "tag:t → segment:a"),
        ({"a": {"lifecycle": "member"}, "b": VIP}, "lifecycle → segment:a"),
        ({"a": {"event": "segment_entered", "within": "1d"}}, "segment:a → segment:a"),
    ],
)
def test_rules_that_lead_back_to_themselves_are_refused_with_the_way(
    tmp_path: Path, files: dict[str, Any], way: str
) -> None:
    statemachines = put(tmp_path, **files)
    declare(tmp_path, "contacts/tags.yaml", {"tags": {"t": tag(rule={"segment": "a", "within": "7d"})}})
    stages = [{"stage": "member", "description": "for a test", "rule": {"segment": "a", "within": "7d"}}]
    declare(tmp_path, "contacts/metrics.yaml", {"lifecycle": stages})
    found = [line for line in problems(statemachines) if "depends on itself" in line]
    assert len(found) == 1
    assert set(way.split(" → ")) <= set(found[0].split(": ", 3)[-1].split(" → "))


def test_stages_may_ask_how_long_a_contact_is_in_a_stage(tmp_path: Path) -> None:
    stages = [
        {
            "stage": "settled",
            "description": "x",
            "after": ["fresh"],
            "rule": {"lifecycle": "fresh", "older_than": "7d"},
        },
        {"stage": "fresh", "description": "x", "rule": VIP},
    ]
    declare(tmp_path, "contacts/metrics.yaml", {"lifecycle": stages})
    assert problems(tmp_path / "statemachines") == []


@pytest.mark.parametrize("name", ["VIP members", "vip.members", "x" * 61])
def test_a_file_whose_name_cannot_be_written_in_a_rule_is_refused(tmp_path: Path, name: str) -> None:
    assert "expected a file name of at most 60 characters" in "\n".join(problems(put(tmp_path, **{name: VIP})))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"owner": "x", "rule": VIP}, "description: is missing"),
        ({"description": "x", "owner": "x", "rule": VIP, "refrsh": "daily"}, "refrsh: unknown field 'refrsh'; did you mean 'refresh'?"),
        ({"description": "x", "owner": "x", "rule": VIP, "refresh": "weekly"}, "refresh: expected 'off', 'hourly' or 'daily'"),
        ({"description": "x", "owner": "x", "rule": {"segment": "lost"}, "refresh": "daily"}, "rule.segment: unknown segment 'lost'"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_file_is_reported(tmp_path: Path, content: dict[str, Any], problem: str) -> None:
    assert [line for line in problems(put(tmp_path, new=content)) if f"{SEGMENT}{problem}" in line]


def test_a_segment_that_grows_too_large_is_refused_where_it_stands(tmp_path: Path) -> None:
    doubling = {f"s{number}": {"all": [{"segment": f"s{number - 1}"}] * 2} for number in range(1, 16)}
    found = problems(put(tmp_path, s0=VIP, **doubling))
    assert any("s14.yaml: rule: has more than 10,000 conditions" in line for line in found)


@pytest.mark.parametrize(
    ("where", "problem"),
    [
        ({"segment": "vpi"}, "trigger.where: unknown segment 'vpi'; did you mean 'vip'?"),
        ({"segment": ["vip", "lost"]}, "trigger.where: unknown segment 'lost'"),
    ],
)
def test_a_journey_cannot_wait_for_a_segment_that_is_not_there(
    tmp_path: Path, where: dict[str, Any], problem: str
) -> None:
    def manifest(content: dict[str, Any]) -> None:
        content["trigger"] = {"event": "segment_entered", "where": where}

    put(tmp_path, vip=VIP)
    assert any(problem in line for line in problems(write(tmp_path, manifest=manifest)))


def test_a_journey_that_means_the_tag_of_the_event_gets_the_way_to_write_it(tmp_path: Path) -> None:
    def manifest(content: dict[str, Any]) -> None:
        content["trigger"] = {"event": "tag_removed", "where": {"tag": "quiet"}}

    (problem,) = problems(write(tmp_path, manifest=manifest))
    meant = "for the tag of the event write {property: tag, equals: quiet}"
    assert f"trigger.where.tag: asks whether the contact has the tag; {meant}" in problem


def test_a_pause_cannot_wait_for_a_segment_that_is_not_there(tmp_path: Path) -> None:
    def definition(content: dict[str, Any]) -> None:
        waits = {"for": "2d", "or": {"event": "segment_entered", "where": {"segment": "vpi"}}}
        states(content)["Two days later"] = {**task("PauseJourney", **waits), "End": True}

    put(tmp_path, vip=VIP)
    (problem,) = problems(write(tmp_path, definition=definition))
    assert "Two days later.Arguments.Payload.or.where: unknown segment 'vpi'; did you mean 'vip'?" in problem


def test_a_task_asks_for_a_rule_or_for_a_segment(tmp_path: Path) -> None:
    def definition(content: dict[str, Any]) -> None:
        both = task("EvaluateSegment", segment="vip", rule=VIP)
        states(content)["Two days later"] = {**both, "Next": "And an unknown one"}
        states(content)["And an unknown one"] = {**task("EvaluateSegment", segment="vpi"), "End": True}

    put(tmp_path, vip=VIP)
    assert any(
        "expected one of rule: {…} or segment: vip-members" in line
        for line in problems(write(tmp_path, definition=definition))
    )


def test_an_unknown_segment_of_a_task_is_refused(tmp_path: Path) -> None:
    def definition(content: dict[str, Any]) -> None:
        states(content)["Two days later"] = {**task("EvaluateSegment", segment="vpi"), "End": True}

    put(tmp_path, vip=VIP)
    (problem,) = problems(write(tmp_path, definition=definition))
    assert "Two days later.Arguments.Payload.segment: unknown segment 'vpi'; did you mean 'vip'?" in problem


def test_the_segments_of_this_project_are_valid_and_name_their_owner() -> None:
    try:
        segments = discover(PROJECT).sections["segments"]
    except InvalidJourney as error:
        raise AssertionError(str(error)) from error
    assert {"shanghai-makeup-cart-abandoners", "dormant-30-days", "vip-members", "high-intent-cart"} <= set(segments)
    assert all(segment["owner"] and segment["description"] for segment in segments.values())
