"""The sending policy changes without a deployment: within a minute, validated, and the last good one stays otherwise."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.effects import Crash
from tests.fakes.published_journeys import SENDING
from tests.fakes.world import World, send_request
from waypost.errors import ConcurrentUpdate, InvalidInput, TemporarilyUnavailable
from waypost.journeys.enrolment import Enrolment
from waypost.policies.policy_form import as_written, read_changes
from waypost.sending.guards.frequency_cap import FREQUENCY_CAP, Cap
from waypost.sending.guards.quiet_hours import WINDOWS
from waypost.sending.policy import SendingPolicy
from waypost.sending.policy_change import LOOKED_AFTER
from waypost.sending.policy_in_force import PolicyInForce

SIGNED = {"by": "lin.chen", "reason": "the festival"}
CAPPED_AT_ONE: dict[str, Any] = {"frequency_cap": {"count": 1, "hours": 24}}


def change(world: World, policy: dict[str, Any]) -> dict[str, Any]:
    return world.change_policy.act({"action": "apply", "policy": policy, **SIGNED})


def in_force(world: World) -> PolicyInForce:
    return PolicyInForce(
        deployed=world.published.policy, store=world.policies, clock=world.clock, report=world.reported.append
    )


def test_a_process_picks_a_change_up_within_a_minute_and_reads_once_a_minute(world: World) -> None:
    policy = in_force(world)
    assert policy().of(FREQUENCY_CAP) == Cap(2, 24)
    change(world, CAPPED_AT_ONE)
    world.clock.advance(seconds=59)
    assert [policy().of(FREQUENCY_CAP) for _ in range(20)] == [Cap(2, 24)] * 20
    assert world.policies.reads == 1
    world.clock.advance(seconds=1)
    assert policy().of(FREQUENCY_CAP) == Cap(1, 24)
    assert policy() is policy()
    assert world.policies.reads == 2


def test_a_message_that_waited_is_judged_by_the_policy_of_its_time(world: World, enrolment: Enrolment) -> None:
    sender = world.send_message
    first, second = (send_request(enrolment, "welcome", state=state) for state in ("one", "two"))
    assert sender.send(first).outcome == "sent"
    changed = change(world, CAPPED_AT_ONE)
    world.clock.advance(minutes=1)
    assert sender.send(second).reason == "frequency_cap"
    versions = [world.ledger[each.message_key].decisions[0].policy for each in (first, second)]
    assert versions == [changed["version"], changed["version_then"]]
    assert len(set(versions)) == 2


def test_sections_that_were_not_changed_follow_the_deployed_file(world: World) -> None:
    change(world, CAPPED_AT_ONE)
    redeployed = SendingPolicy.from_dict(SENDING | {"send_within_hours": 5, "frequency_cap": None})
    policy = PolicyInForce(deployed=redeployed, store=world.policies, clock=world.clock, report=world.reported.append)()
    assert (policy.send_within_hours, policy.of(FREQUENCY_CAP)) == (5, Cap(1, 24))


def test_what_cannot_be_read_leaves_the_last_good_policy_in_force(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = in_force(world)
    change(world, CAPPED_AT_ONE)
    assert policy().of(FREQUENCY_CAP) == Cap(1, 24)

    def unavailable() -> None:
        raise TemporarilyUnavailable("GetItem: ThrottlingException")

    with monkeypatch.context() as patched:
        patched.setattr(world.policies, "current", unavailable)
        world.clock.advance(minutes=2)
        assert policy().of(FREQUENCY_CAP) == Cap(1, 24)
    assert world.reported == ["TemporarilyUnavailable: GetItem: ThrottlingException"]
    world.clock.advance(minutes=2)
    assert policy().of(FREQUENCY_CAP) == Cap(1, 24)
    assert len(world.reported) == 1


@pytest.mark.parametrize(
    "stored",
    [
        {"frequency_cap": {"count": 1, "minutes": 3}},
        {"frequency_cap": {"count": 1, "hours": 24, "reserved": 1}},
        {"windows": {"email": {"start": "late", "end": "22:00"}}},
    ],
)
def test_a_stored_policy_that_no_guard_can_read_is_not_applied(world: World, stored: dict[str, Any]) -> None:
    change(world, CAPPED_AT_ONE)
    world.policies.changes = [replace(world.policies.changes[0], changes=stored)]
    assert in_force(world)() is world.published.policy
    assert len(world.reported) == 1


def test_a_section_that_a_newer_release_knows_is_of_no_concern(world: World) -> None:
    change(world, CAPPED_AT_ONE)
    later = {**world.policies.changes[0].changes, "moon_phase": {"full": True}}
    world.policies.changes = [replace(world.policies.changes[0], changes=later)]
    assert in_force(world)().of(FREQUENCY_CAP) == Cap(1, 24)
    assert world.reported == []


@pytest.mark.parametrize(
    ("policy", "refusal"),
    [
        (None, "policy: should be an object with sections of the policy: send_within_hours,"),
        ({}, "policy: should be an object"),
        ({"frequency": 1}, "policy.frequency: there is no such field; there are send_within_hours, "),
        ({"default_time_zone": "Asia/Tokyo"}, "policy.default_time_zone: there is no such field"),
        ({"send_within_hours": 0}, "policy.send_within_hours: input should be greater than or equal to 1, got 0"),
        ({"frequency_cap": {"count": 0, "hours": 24}}, "policy.frequency_cap.count: input should be greater than"),
        ({"frequency_cap": {"count": 2}}, "policy.frequency_cap.hours: is missing"),
        (
            {"frequency_cap": {"count": 2, "hours": 24, "reserved": 2}},
            "policy.frequency_cap: leaves no message of normal",
        ),
        ({"frequency_cap": 2}, "policy.frequency_cap: "),
        (
            {"windows": {"email": {"from": "8:00", "until": "22:00"}}},
            "policy.windows.email.from: expected a local time",
        ),
        ({"windows": {"pigeon": None}}, "policy.windows.pigeon: input should be "),
        ({"topic_spacing_days": {"offers": 91}}, "policy.topic_spacing_days.offers: input should be less than"),
    ],
)
def test_a_wrong_policy_is_refused_with_its_field_and_nothing_is_kept(world: World, policy: Any, refusal: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        change(world, policy)
    assert str(refused.value).startswith(refusal)
    assert world.policies.changes == []


@pytest.mark.parametrize("missing", ["by", "reason"])
def test_a_change_names_who_asked_for_it_and_why(world: World, missing: str) -> None:
    request = {"action": "apply", "policy": CAPPED_AT_ONE, **SIGNED, missing: ""}
    with pytest.raises(InvalidInput, match=f"^{missing}: is missing"):
        world.change_policy.act(request)


def test_an_action_that_does_not_exist_is_refused(world: World) -> None:
    with pytest.raises(InvalidInput, match=r"^action: should be one of show, preview, apply, reset"):
        world.change_policy.act({"action": "try"})


def test_a_preview_shows_each_section_as_it_is_and_as_it_would_be_and_changes_nothing(world: World) -> None:
    shown = world.change_policy.act({"action": "preview", "policy": CAPPED_AT_ONE | {"send_within_hours": 72}})
    [section] = shown["sections"]
    assert section == {
        "section": "frequency_cap",
        "now": {"count": 2, "hours": 24, "reserved": 0},
        "then": {"count": 1, "hours": 24, "reserved": 0},
    }
    assert world.policies.changes == []
    assert change(world, CAPPED_AT_ONE)["version_then"] == shown["version_then"]


def test_what_is_shown_can_be_written_back(world: World) -> None:
    shown = world.change_policy.act({"action": "show"})["policy"]
    assert shown["windows"]["email"] == {"from": "08:00", "until": "22:00"}
    policy = world.published.policy
    assert as_written(policy.with_changes(read_changes(shown, "policy"))) == as_written(policy)


def test_the_history_says_who_changed_what_and_why(world: World) -> None:
    change(world, CAPPED_AT_ONE)
    change(world, {"windows": {"email": {"from": "10:00", "until": "20:00"}}})
    shown = world.change_policy.act({"action": "show"})
    assert shown["changed"] == ["frequency_cap", "windows"]
    assert [(each["by"], each["reason"], each["changed"]) for each in shown["history"]] == [
        ("lin.chen", "the festival", ["frequency_cap", "windows"]),
        ("lin.chen", "the festival", ["frequency_cap"]),
    ]
    assert shown["history"][0]["version"] == shown["version"]
    assert shown["history"][1]["policy"]["frequency_cap"]["count"] == 1


@pytest.mark.parametrize(("sections", "left"), [(["frequency_cap"], {"send_within_hours"}), (None, set())])
def test_sections_go_back_to_the_deployed_file(world: World, sections: list[str] | None, left: set[str]) -> None:
    change(world, CAPPED_AT_ONE | {"send_within_hours": 5})
    world.change_policy.act({"action": "reset", "sections": sections, **SIGNED})
    policy = in_force(world)()
    assert policy.of(FREQUENCY_CAP) == Cap(2, 24)
    assert set(world.policies.changes[-1].changes) == left
    assert (policy.version == world.published.policy.version) is (not left)


def test_a_section_that_does_not_exist_cannot_be_reset(world: World) -> None:
    with pytest.raises(InvalidInput, match=r"^sections: should be a list of send_within_hours"):
        world.change_policy.act({"action": "reset", "sections": ["moon_phase"], **SIGNED})


def test_the_same_change_again_changes_nothing(world: World) -> None:
    change(world, CAPPED_AT_ONE)
    again = change(world, CAPPED_AT_ONE)
    assert (again["sections"], len(world.policies.changes)) == ([], 1)


def test_who_was_slower_is_refused(world: World) -> None:
    world.effects.meanwhile["policies.put"] = lambda: change(world, {"send_within_hours": 5})
    with pytest.raises(ConcurrentUpdate, match="look at it and start again"):
        change(world, CAPPED_AT_ONE)
    assert [each.changes for each in world.policies.changes] == [{"send_within_hours": 5}]


def test_after_a_crash_the_same_request_makes_the_change_once(world: World) -> None:
    world.effects.crash_on = "policies.put"
    with pytest.raises(Crash):
        change(world, CAPPED_AT_ONE)
    change(world, CAPPED_AT_ONE)
    assert len(world.policies.changes) == 1


def test_no_hours_means_at_any_hour(world: World) -> None:
    change(world, {"windows": {"email": None}})
    world.clock.advance(seconds=LOOKED_AFTER / timedelta(seconds=1))
    assert in_force(world)().of(WINDOWS)["email"] is None  # type: ignore[index]
