"""Groups, points and devices of a contact, as events change them."""

from typing import Any

import pytest

from tests.contacts.people import NOON, contact, minutes
from waypost.contacts.fitting import FULLEST
from waypost.contacts.profile import Contact, with_event
from waypost.errors import InvalidInput
from waypost.events.envelope import Event
from waypost.item_size import stored_size

LIN = contact("c-1")


def after(
    start: Contact, kind: str, at: float = 0, profile: dict[str, Any] | None = None, **properties: Any
) -> Contact:
    event = Event(f"e-{at}", kind, {}, minutes(at), minutes(at), "shop", properties, profile or {})
    return with_event(start, event)


def test_groups_are_joined_and_left_and_a_late_event_does_not_undo_a_newer_one() -> None:
    joined = after(LIN, "group_joined", 5, group="acme")
    assert joined.groups == {"acme"}
    left = after(joined, "group_left", 9, group="acme")
    assert left.groups == frozenset()
    assert after(left, "group_joined", 7, group="acme").groups == frozenset()
    assert after(after(LIN, "group_left", 9, group="acme"), "group_joined", 9, group="acme").groups == {"acme"}


def test_segments_own_name_of_a_group_is_understood() -> None:
    assert after(LIN, "group_joined", group_id="acme").groups == {"acme"}


def test_a_profile_joins_and_leaves_groups_and_loses_tags() -> None:
    start = contact("c-1", groups={"old"}, tags={"new"})
    changed = after(start, "identified", 5, {"groups": ["acme"], "leave_groups": ["old"], "remove_tags": ["new"]})
    assert changed.groups == {"acme"}
    assert (changed.tags, changed.attributes) == (frozenset(), {})


def test_nobody_is_in_more_groups_than_a_profile_holds() -> None:
    full = LIN
    for number in range(753):
        full = after(full, "group_joined", group=f"{number:04}" + "g" * 252)
    assert stored_size(full.to_dict()) <= FULLEST
    assert 400 < len(full.groups) < 753
    left = after(full, "group_left", 1, group=f"{0:04}" + "g" * 252)
    assert len(left.groups) == len(full.groups) - 1


def test_points_go_up_and_down_in_any_order() -> None:
    assert after(after(LIN, "points_spent", 5, points=7), "points_earned", 1, points=5).points == -2


def test_points_are_counted_by_these_events_only_and_only_whole() -> None:
    assert after(LIN, "order_placed", points=7).points == 0
    with pytest.raises(InvalidInput, match=r"properties\.points: should be a whole number"):
        after(LIN, "points_earned", points="7")


def test_points_that_are_counted_already_are_left_alone() -> None:
    event = Event("e-1", "points_earned", {}, NOON, NOON, "shop", {"points": 7})
    assert with_event(LIN, event, counting=False).points == 0


def test_devices_gather_and_the_one_heard_of_longest_ago_gives_way() -> None:
    start = LIN
    for number in range(22):
        start = after(start, "seen", number, {"push_tokens": [{"token": f"t-{number}", "platform": "ios"}]})
    tokens = [each["token"] for each in start.attributes["push_tokens"]]
    assert tokens == [f"t-{number}" for number in range(2, 22)]


def test_a_known_device_changes_nothing() -> None:
    device = {"push_tokens": [{"token": "t-1", "platform": "ios"}]}
    once = after(LIN, "seen", 1, device)
    assert after(once, "seen", 2, device) == once


def test_a_device_is_known_by_the_platform_heard_of_last() -> None:
    once = after(LIN, "seen", 1, {"push_tokens": [{"token": "t-1", "platform": "unknown"}]})
    again = after(once, "seen", 2, {"push_tokens": [{"token": "t-1", "platform": "ios"}]})
    assert again.attributes["push_tokens"] == [{"token": "t-1", "platform": "ios"}]


def test_all_devices_are_forgotten_at_once() -> None:
    once = after(LIN, "seen", 1, {"push_tokens": [{"token": "t-1", "platform": "ios"}]})
    assert "push_tokens" not in after(once, "logged_out", 2, {"push_tokens": None}).attributes
