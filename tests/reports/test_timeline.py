"""The timeline: a contact's items, listed in order and in its own time."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from waypost.reports.timeline import decisions, timeline

SHANGHAI = ZoneInfo("Asia/Shanghai")
PROFILE = {
    "sk": "profile",
    "contact_id": "c-1",
    "created_at": "2031-03-03T01:00:00.000Z",
    "attributes": {"timezone": "America/New_York"},
    "attributes_at": {},
    "identities": {},
    "tags": [],
    "consents": {},
    "suppressions": {},
    "version": 1,
}
EVENT = {
    "sk": "event#2031-03-04T04:30:00.000Z#e-1",
    "type": "registered",
    "occurred_at": "2031-03-04T04:30:00.000Z",
    "properties": {"source": "app", "message_key": "m-1"},
}
ROUTED = {
    "sk": "routed#e-1",
    "routed_at": "2031-03-04T04:30:00.000Z",
    "event_type": "registered",
    "decisions": [
        {"journey": "nurture", "reason": "enrolled", "enrolment_id": "n-1"},
        {"journey": "win-back", "reason": "entry_rule_not_met", "enrolment_id": None},
    ],
}
LEFT_OUT = {
    "sk": "routed#e-9",
    "routed_at": "2031-03-04T04:31:00.000Z",
    "event_type": "identified",
    "decisions": [],
    "left_out": ["attributes.long", "tags.vip"],
    "left_out_in_all": 30,
}
MESSAGE: dict[str, Any] = {
    "sk": "message#m-1",
    "message_key": "m-1",
    "occasion": {
        "kind": "journey_step",
        "contact_id": "c-1",
        "enrolment_id": "n-1",
        "journey": "nurture",
        "state": "Day 1, welcome",
    },
    "message": "nurture/welcome",
    "state": "deferred",
    "deferred_until": "2031-03-04T13:00:00.000Z",
    "decisions": [
        {
            "at": "2031-03-04T04:30:00.000Z",
            "local_time": "2031-03-03T23:30:00-05:00",
            "outcome": "deferred",
            "reason": "quiet_hours",
            "channel": "email",
            "place": "0000/2026-03-02T02:00:01.801Z",
        }
    ],
}
PAST = {
    "state": "Until day 3 at ten",
    "parked_at": "2031-03-04T04:30:00.000Z",
    "due_at": "2031-03-05T15:00:00.000Z",
    "ended_at": "2031-03-05T15:00:00.000Z",
    "end": "elapsed",
    "awaited": "survey_answered",
}
PARKED = {
    "sk": "enrolment#open#n-1",
    "journey": "nurture",
    "enrolled_at": "2031-03-04T04:30:00.000Z",
    "trigger": {"id": "e-1", "type": "registered"},
    "position": "parked",
    "trail": [],
    "pause": {**PAST, "waits_for": {"event": "survey_answered"}},
}
RESUMED = PARKED | {"position": "running", "trail": [PAST]}


class Items:
    """What is kept of one contact."""

    def __init__(self, *rows: Mapping[str, Any]) -> None:
        self.rows = rows

    def everything(self, contact_id: str) -> tuple[Mapping[str, Any], ...]:
        """See ContactItems."""
        return self.rows


def shown(*rows: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    return [
        (entry.local_time, entry.kind, entry.title, entry.detail)
        for entry in timeline("c-1", Items(PROFILE, *rows), default_zone=SHANGHAI)
    ]


def test_what_happens_at_one_instant_is_listed_in_the_order_of_cause_and_effect() -> None:
    at = "2031-03-03T23:30:00-05:00"
    assert shown(PARKED, MESSAGE, ROUTED, EVENT) == [
        (at, "event", "registered", "source: app"),
        (at, "entry", "journey entered", "by registered"),
        (at, "entry", "journey not entered", "entry_rule_not_met"),
        (at, "message", "welcome deferred", "email: quiet_hours, until Tue 04 Mar 08:00"),
        (at, "pause", "Until day 3 at ten", "until Wed 05 Mar 10:00 or survey_answered"),
    ]


@pytest.mark.parametrize(
    ("kind", "properties", "expected"),
    [
        ("segment_entered", {"segment": "vip", "because": "order_placed"}, ("entered segment vip", "because of order_placed")),
        ("segment_left", {"segment": "vip", "because": "refresh"}, ("left segment vip", "found by the scheduled refresh")),
        ("segment_entered", {"segment": "vip", "because": "new_rules"}, ("entered segment vip", "because the rules are new")),
        ("tag_added", {"tag": "new", "by": "rule", "because": "registered"}, ("tagged new", "by rule, because of registered")),
        ("tag_added", {"tag": "new", "by": "journey", "journey": "nurture"}, ("tagged new", "by journey, journey: nurture")),
        ("tag_removed", {"tag": "new", "by": "hand"}, ("no longer tagged new", "by hand")),
        ("lifecycle_changed", {"from": "lead", "to": "new"}, ("went from stage lead to new", "")),
        ("lifecycle_changed", {"from": "", "to": "new", "because": "registered"}, ("came into stage new", "because of registered")),
        ("segment_entered", {"because": "x"}, ("segment_entered", "because: x")),
    ],
)  # fmt: skip
def test_conclusions_are_shown_in_words(kind: str, properties: dict[str, Any], expected: tuple[str, str]) -> None:
    [(_, what, title, detail)] = shown(EVENT | {"type": kind, "properties": properties})
    assert (what, title, detail) == ("event", *expected)


def test_a_pause_whose_time_was_over_comes_before_what_follows_it() -> None:
    passed = RESUMED | {"trail": [PAST | {"ended_at": PAST["parked_at"]}]}
    behind = MESSAGE | {"decisions": [MESSAGE["decisions"][0] | {"place": "0001/2026-03-02T02:00:01.801Z"}]}
    assert [kind for _, kind, _, _ in shown(behind, passed)] == ["passed", "message"]
    assert [kind for _, kind, _, _ in shown(MESSAGE, passed)] == ["message", "passed"]


@pytest.mark.parametrize(
    ("end", "reason"),
    [("elapsed", ""), ("past", ": its time is past"), ("no_date", ": no date to count from")],
)
def test_a_pause_that_was_over_without_its_time_says_why(end: str, reason: str) -> None:
    at_once = RESUMED | {"trail": [PAST | {"end": end, "ended_at": PAST["parked_at"]}]}
    later = RESUMED | {"trail": [PAST | {"end": end}]}
    assert [detail for *_, detail in shown(at_once)] == [f"over at once{reason}"]
    assert [detail for *_, detail in shown(later)] == [f"until Wed 05 Mar 10:00 or survey_answered{reason}"]


def test_a_pause_that_is_over_stays_in_the_story() -> None:
    assert shown(RESUMED) == shown(PARKED)


def test_a_claim_without_an_answer_is_visible() -> None:
    claimed = MESSAGE | {"state": "claimed", "claimed_at": "2031-03-04T13:00:00.000Z"}
    assert shown(claimed)[-1] == ("2031-03-04T08:00:00-05:00", "message", "welcome claimed", "no answer yet")


def test_properties_read_as_json_and_not_as_python() -> None:
    given = {"items": [{"name": "茶"}], "paid": True, "total": 12.5, "note": "it's {plain}"}
    [*_, (_, _, _, detail)] = shown(EVENT | {"properties": given})
    assert detail == 'items: [{"name": "茶"}], paid: true, total: 12.5, note: it\'s {plain}'


def test_the_end_says_what_brought_it_about() -> None:
    ended = {
        "sk": "enrolment#past#n-1",
        "journey": "nurture",
        "outcome": "goal",
        "ended_at": "2031-03-07T21:45:00.000Z",
        "left_on": {"type": "order_placed"},
    }
    assert shown(ended) == [("2031-03-07T16:45:00-05:00", "end", "journey ended: goal", "because of order_placed")]


@pytest.mark.parametrize(
    ("state", "cause", "why"),
    [
        ("Send the coupon", "no such message", "at Send the coupon: UnknownMessage: no such message"),
        ("Send the coupon", "", "at Send the coupon: UnknownMessage"),
        ("", "", "UnknownMessage"),
    ],
)
def test_a_journey_that_failed_says_where_and_why(state: str, cause: str, why: str) -> None:
    ended = {"outcome": "failed", "ended_at": "2031-03-07T21:45:00.000Z"}
    row = RESUMED | ended | {"failure": {"state": state, "error": "UnknownMessage", "cause": cause}}
    assert shown(row)[-1] == ("2031-03-07T16:45:00-05:00", "end", "journey ended: failed", why)


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", 7])
def test_a_contact_without_a_valid_zone_is_shown_in_the_default_one(zone: Any) -> None:
    nowhere = PROFILE | {"attributes": {"timezone": zone}}
    [entry] = timeline("c-1", Items(nowhere, EVENT), default_zone=SHANGHAI)
    assert entry.local_time == "2031-03-04T12:30:00+08:00"


def test_nobody_knows_a_stranger() -> None:
    assert timeline("c-1", Items(), default_zone=SHANGHAI) == []


def test_every_decision_can_be_listed() -> None:
    [decision] = decisions("c-1", Items(PROFILE, EVENT, MESSAGE))
    assert decision.to_dict() == {
        "contact_id": "c-1",
        "occasion": "journey_step",
        "journey": "nurture",
        "step": "Day 1, welcome",
        "message": "welcome",
        "channel": "email",
        "at": "2031-03-04T04:30:00.000Z",
        "local_time": "2031-03-03T23:30:00-05:00",
        "outcome": "deferred",
        "reason": "quiet_hours",
        "message_key": "m-1",
    }


def test_a_change_of_the_journey_says_what_it_did_whose_it_was_and_where_the_contact_stood() -> None:
    move = {
        "change": "nurture--bbbb-1",
        "act": "move",
        "at": "2031-03-05T10:00:00.000Z",
        "by": "ops",
        "from_version": "aaaa",
        "from_state": "Until day 3 at ten",
        "to_version": "bbbb",
        "to_state": "Until day 4",
    }
    back = move | {"act": "undo", "at": "2031-03-05T11:00:00.000Z", "to_state": "Until day 3 at ten"}
    back |= {"from_version": "bbbb", "to_version": "aaaa"}
    followed = move | {"act": "follow", "at": "2031-03-05T12:00:00.000Z", "to_state": "Until day 3 at ten"}
    found = [each for each in shown(PARKED | {"moves": [move, back, followed]}) if each[1] == "moved"]
    assert [(title, detail) for _, _, title, detail in found] == [
        ("moved from Until day 3 at ten to Until day 4", "version aaaa to bbbb, by ops (nurture--bbbb-1)"),
        ("put back to Until day 3 at ten", "version bbbb to aaaa, by ops (nurture--bbbb-1)"),
        ("goes on in the new version at Until day 3 at ten", "version aaaa to bbbb, by ops (nurture--bbbb-1)"),
    ]


@pytest.mark.parametrize(
    ("change", "why"), [("nurture--bbbb-1", "over, by ops (nurture--bbbb-1)"), ("", "over, by ops")]
)
def test_a_journey_that_was_stopped_says_by_whom_and_why(change: str, why: str) -> None:
    ended = {"outcome": "stopped", "ended_at": "2031-03-07T21:45:00.000Z"}
    row = PARKED | ended | {"stopped": {"reason": "over", "by": "ops", "change": change}}
    assert shown(row)[-1] == ("2031-03-07T16:45:00-05:00", "end", "journey ended: stopped", why)


def test_what_a_full_contact_could_not_take_is_named_with_the_way_out() -> None:
    [entry] = timeline("c-1", Items(PROFILE, LEFT_OUT), default_zone=SHANGHAI)
    assert entry.title == "identified not kept whole"
    assert entry.detail.startswith(
        "left out attributes.long, tags.vip, …: the contact holds 250,000 bytes already; remove "
    )


def test_an_address_that_nothing_proved_is_named_apart_from_what_had_no_room() -> None:
    row = LEFT_OUT | {"left_out": ["unproven.email", "attributes.long"], "left_out_in_all": 2}
    [entry] = timeline("c-1", Items(PROFILE, row), default_zone=SHANGHAI)
    first, second = entry.detail.split("; ")[:2]
    assert first == "left out email: a write key changes no address that is known"
    assert "left out attributes.long: the contact holds" in entry.detail
    assert second.startswith("send it with a server key")


def test_the_entry_says_what_was_drawn_for_the_contact() -> None:
    enrolment = {
        "sk": "enrolment#open#n-1",
        "journey": "nurture",
        "enrolled_at": "2031-03-04T04:30:00.000Z",
        "splits": {"tone": "warm", "offer": "gift"},
        "held_out": True,
    }
    entries = timeline("c-1", Items(PROFILE, ROUTED, enrolment), default_zone=SHANGHAI)
    (entered,) = [each for each in entries if each.title == "journey entered"]
    assert entered.detail == "by registered; offer: gift, tone: warm, in the hold-out"
