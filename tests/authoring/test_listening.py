"""What nothing listens to is left out; whatever names an event type, in whichever file, is a listener."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.project import ROOT
from tests.authoring.folders import states, task, write
from waypost.authoring.discovery import InvalidJourney, discover
from waypost.authoring.publishing import published
from waypost.events.envelope import Event
from waypost.events.listening import NAMED, SECTION, Listening

DELIVERED, ENDED = "message_delivered", "journey_ended"
DESTINATION: dict[str, Any] = {
    "description": "A CRM",
    "owner": "sales",
    "url": "https://crm.example.com/in",
    "events": ["order_*"],
}


def segment(rule: dict[str, Any]) -> dict[str, Any]:
    return {"description": "Who was written to", "owner": "growth", "rule": rule}


def add(statemachines: Path, path: str, content: Any) -> None:
    file = statemachines / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")


def listening(statemachines: Path) -> dict[str, Any]:
    return published(discover(statemachines))[SECTION]


def test_of_what_is_shipped_nothing_goes_on_the_bus_deliveries_are_settled_and_conclusions_quiet() -> None:
    assert listening(ROOT / "statemachines") == {
        "bus": [],
        "settled": ["message_accepted", DELIVERED, ENDED],
        "quiet": [
            "segment_entered",
            "segment_left",
            "tag_added",
            "tag_removed",
            "lifecycle_changed",
            "contact_updated",
        ],
        "watched": sorted({f"tag:{name}" for name in ("interest-beauty", "staff", "test-contact", *given_by_rules())}),
        "heard": {
            "segment_entered": ["churn-risk-high", "dormant-30-days", "qualified-leads"],
            "tag_added": ["in-consultation", "sql", "verified-lead"],
        },
    }


def given_by_rules() -> list[str]:
    """The shipped tags that have a rule."""
    tags = yaml.safe_load((ROOT / "statemachines/contacts/tags.yaml").read_text(encoding="utf-8"))["tags"]
    return [name for name, tag in tags.items() if "rule" in tag]


@pytest.mark.parametrize(
    ("rule", "watched"),
    [
        ({"tag": ["vip", "press"]}, ["tag:press", "tag:vip"]),
        ({"not": {"tag": "*"}}, ["tag:*"]),
        ({"all": [{"group": "acme"}, {"event": "order_placed"}]}, ["group:acme"]),
        ({"event": "order_placed"}, []),
    ],
)
def test_the_tags_and_groups_that_rules_look_at_are_watched(
    tmp_path: Path, rule: dict[str, Any], watched: list[str]
) -> None:
    statemachines = write(tmp_path)
    add(statemachines, "segments/looked-at.yaml", segment(rule))
    assert listening(statemachines)["watched"] == watched


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("segments/reached.yaml", segment({"engagement": "delivered", "channel": "email", "within": "30d"})),
        ("segments/reached.yaml", segment({"event": [DELIVERED, "order_placed"], "within": "30d"})),
        ("segments/reached.yaml", segment({"not": {"event": "*", "within": "30d"}})),
        ("segments/reached.yaml", segment({"engagement": "opened", "of_last": 3})),
        ("contacts/destinations/crm.yaml", DESTINATION | {"events": ["message_*"]}),
        ("contacts/bus.yaml", {"events": [DELIVERED]}),
        ("contacts/bus.yaml", {"events": ["*"]}),
        (
            "contacts/metrics.yaml",
            {"scores": {"reach": {"description": "r", "weights": {DELIVERED: 1}, "half_life": "7d", "window": "90d"}}},
        ),
        ("contacts/metrics.yaml", {"rfm": {"event": DELIVERED}}),
        (
            "contacts/tags.yaml",
            {
                "tags": {
                    "reached": {
                        "description": "r",
                        "owner": "o",
                        "dimension": "behaviour",
                        "rule": {"engagement": "delivered", "within": "9d"},
                    }
                }
            },
        ),
    ],
)
def test_a_rule_or_a_destination_that_reads_deliveries_gets_them(tmp_path: Path, path: str, content: Any) -> None:
    statemachines = write(tmp_path)
    assert DELIVERED in listening(statemachines)["settled"]
    add(statemachines, path, content)
    assert DELIVERED not in listening(statemachines)["settled"]


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("segments/nurtured.yaml", segment({"event": ENDED, "within": "9d"})),
        ("segments/nurtured.yaml", segment({"journey": "new-user-nurture", "is": "ended"})),
        ("contacts/bus.yaml", {"events": [ENDED]}),
    ],
)
def test_the_end_of_a_journey_is_an_event_as_soon_as_something_asks_for_it(
    tmp_path: Path, path: str, content: Any
) -> None:
    statemachines = write(tmp_path)
    assert ENDED in listening(statemachines)["settled"]
    add(statemachines, path, content)
    assert ENDED not in listening(statemachines)["settled"]


@pytest.mark.parametrize(
    ("trigger", "heard"),
    [
        ({"tag": "vip"}, {"tag_added": ["vip"]}),
        ({"segment": "dormant"}, {"segment_entered": ["dormant"]}),
        ({"event": "tag_removed", "where": {"all": [{"property": "by", "equals": "hand"}, {"property": "tag", "in": ["a", "b"]}]}}, {"tag_removed": ["a", "b"]}),
    ],
)  # fmt: skip
def test_of_tags_and_segments_only_those_are_routed_that_a_journey_names(
    tmp_path: Path, trigger: Any, heard: dict[str, list[str]]
) -> None:
    statemachines = write(tmp_path, manifest=lambda manifest: manifest.update(trigger=trigger))
    if "segment" in trigger:
        add(statemachines, "segments/dormant.yaml", segment({"event": "logged_in", "within": "9d"}))
    section = listening(statemachines)
    assert section["heard"] == heard
    [(kind, names)] = heard.items()
    read = Listening.from_dict(section)
    name = NAMED[kind]
    assert [read.is_quiet(conclusion(kind, {name: each})) for each in (names[0], "another")] == [False, True]


def test_a_condition_that_any_tag_may_meet_has_all_of_them_routed(tmp_path: Path) -> None:
    def change(manifest: dict[str, Any]) -> None:
        manifest["trigger"] = {"event": "tag_added", "where": {"property": "by", "equals": "hand"}}
        manifest["exit_on"] = [{"event": "tag_added", "where": {"property": "tag", "equals": "vip"}}]

    section = listening(write(tmp_path, manifest=change))
    assert "tag_added" not in section["quiet"]
    assert section["heard"] == {}


def conclusion(kind: str, properties: dict[str, Any]) -> Event:
    """What upkeep says of a contact."""
    at = datetime(2031, 3, 3, tzinfo=UTC)
    return Event(
        id="e-1",
        type=kind,
        contact={"contact_id": "c-1"},
        occurred_at=at,
        received_at=at,
        source="waypost",
        properties=properties,
    )


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("segments/promoted.yaml", segment({"event": "lifecycle_changed", "within": "9d"})),
        ("contacts/destinations/crm.yaml", DESTINATION | {"events": ["lifecycle_*"]}),
    ],
)
def test_what_upkeep_concludes_is_routed_as_soon_as_something_reads_it(tmp_path: Path, path: str, content: Any) -> None:
    statemachines = write(tmp_path)
    assert "lifecycle_changed" in listening(statemachines)["quiet"]
    add(statemachines, path, content)
    quiet = listening(statemachines)["quiet"]
    assert "lifecycle_changed" not in quiet
    assert "tag_added" in quiet


def _trigger(manifest: dict[str, Any]) -> None:
    manifest["trigger"] = {"event": DELIVERED}


def _goal(manifest: dict[str, Any]) -> None:
    manifest["goal"] = {"event": DELIVERED}


def _exit(manifest: dict[str, Any]) -> None:
    manifest["exit_on"].append({"event": DELIVERED})


def _entry(manifest: dict[str, Any]) -> None:
    manifest["entry"] = {"engagement": "delivered", "within": "9d"}


@pytest.mark.parametrize("change", [_trigger, _goal, _exit, _entry])
def test_a_journey_that_reads_deliveries_gets_them(tmp_path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    assert DELIVERED not in listening(write(tmp_path, manifest=change))["settled"]


def _pause(definition: dict[str, Any]) -> None:
    states(definition)["Two days later"] = {
        **task("PauseJourney", **{"for": "2d", "or": {"event": DELIVERED}}),
        "End": True,
    }


def _branch(definition: dict[str, Any]) -> None:
    states(definition)["Two days later"]["Next"] = "Was it delivered?"
    del states(definition)["Two days later"]["End"]
    states(definition)["Was it delivered?"] = {
        **task("EvaluateSegment", rule={"engagement": "delivered", "within": "9d"}),
        "End": True,
    }


@pytest.mark.parametrize("change", [_pause, _branch])
def test_a_flow_that_reads_deliveries_gets_them(tmp_path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    assert DELIVERED not in listening(write(tmp_path, definition=change))["settled"]


def test_on_the_bus_goes_what_a_destination_or_the_file_of_the_bus_names(tmp_path: Path) -> None:
    statemachines = write(tmp_path)
    add(statemachines, "contacts/destinations/crm.yaml", DESTINATION)
    add(statemachines, "contacts/destinations/off.yaml", DESTINATION | {"events": ["page_viewed"], "enabled": False})
    add(statemachines, "contacts/bus.yaml", {"events": ["survey_answered"]})
    found = Listening.from_dict(listening(statemachines))

    wanted = {"order_placed": True, "order_": True, "survey_answered": True, "page_viewed": False, "reorder_x": False}
    assert {kind: found.on_bus(kind) for kind in wanted} == wanted
    assert found.on_bus("order_placed"), "the answer is remembered"


def test_every_event_can_go_on_the_bus_in_any_script(tmp_path: Path) -> None:
    statemachines = write(tmp_path)
    add(statemachines, "contacts/bus.yaml", {"events": ["*"]})
    assert Listening.from_dict(listening(statemachines)).on_bus("提交订单")


@pytest.mark.parametrize("events", [[], ["**"], ["Order Placed"], "order_placed"])
def test_a_wrong_pattern_is_refused(tmp_path: Path, events: Any) -> None:
    statemachines = write(tmp_path)
    add(statemachines, "contacts/bus.yaml", {"events": events})
    with pytest.raises(InvalidJourney, match="events"):
        discover(statemachines)


def test_where_nothing_is_published_everything_is_routed_and_goes_on_the_bus() -> None:
    nothing = Listening.from_dict({})
    assert nothing.on_bus("page_viewed")
    assert nothing.settled == frozenset()
