"""The nightly refresh on fakes: what it computes, what time changes, what it leaves alone, and what it survives."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.effects import Crash
from tests.fakes.world import START, World
from tests.metrics.night import ACTIVITY, RFM, Night
from tests.segments.kept_rules import lifecycle, saved, tag_system
from waypost.bulk.pages import BaseSize
from waypost.contacts.profile import with_tags
from waypost.errors import ConcurrentUpdate, InvalidInput
from waypost.events.history import RecordedEvent
from waypost.metrics.refresh import SLICES, RefreshSlice

QUIET = {"not": {"event": "order_placed", "within": "30d"}}
CHURN = [
    {"level": "high", "score": 90, "rule": {"all": [{"event": "order_placed"}, QUIET]}},
    {"level": "low", "score": 10, "rule": {"event": "order_placed"}},
]


@pytest.fixture
def night() -> Night:
    return Night(world=World(), metrics={"scores": ACTIVITY, "rfm": RFM, "churn_risk": CHURN})


def shop(night: Night) -> None:
    """Ten customers: the n-th has ordered n times, 100 each, last 11 - n days ago; and one who never did."""
    for number in range(1, 11):
        night.have(f"u-{number:02d}")
        for order in range(number):
            night.happens(f"u-{number:02d}", "order_placed", days=11 - number + order * 20, total=100)
    night.have("u-never")


def test_everybody_gets_the_metrics_that_are_declared(night: Night) -> None:
    shop(night)
    counts = night.run()
    assert (counts["contacts"], counts["measured"], counts["changed"], counts["failed"]) == (11, 11, 11, 0)
    assert night.metrics_of("u-10") == {
        "activity": 15.0,  # 10 orders, 20 days apart from yesterday on, those of the last 90 days: 10 · Σ 2^-(1+20k)/14
        "rfm_frequency": 10,
        "rfm_monetary": 1000.0,
        "rfm_r": 5,
        "rfm_f": 5,
        "rfm_m": 5,
        "rfm": "555",
        "rfm_segment": "champions",
        "churn_risk": "low",
        "churn_score": 10,
    }
    assert night.metrics_of("u-01")["rfm"] == "111"
    assert night.metrics_of("u-01")["rfm_segment"] == "others"
    assert night.metrics_of("u-05")["rfm"] == "333"


def test_who_never_ordered_has_a_score_and_no_rfm(night: Night) -> None:
    shop(night)
    night.run()
    assert night.metrics_of("u-never") == {"activity": 0.0}


def test_a_second_night_writes_only_what_has_changed(night: Night) -> None:
    shop(night)
    night.run()
    written = len(night.world.effects.log)
    counts = night.run()
    assert (counts["contacts"], counts["changed"], counts["measured"]) == (11, 0, 0)
    assert "contacts.save" not in night.world.effects.log[written:]


def test_the_next_day_the_scores_have_faded(night: Night) -> None:
    night.have("u-1")
    night.happens("u-1", "order_placed", total=100)
    night.run()
    assert night.metrics_of("u-1")["activity"] == 10.0
    night.world.clock.advance(days=14)
    assert night.run()["measured"] == 1
    assert night.metrics_of("u-1")["activity"] == 5.0


def test_an_order_that_arrives_late_counts_by_its_own_time(night: Night) -> None:
    night.have("u-1")
    night.happens("u-1", "order_placed", days=28, total=100)
    night.run()
    assert night.metrics_of("u-1") | {"rfm": ""} == {
        "activity": 2.5, "rfm_frequency": 1, "rfm_monetary": 100.0, "rfm_r": 1, "rfm_f": 1, "rfm_m": 1, "rfm": "",
        "rfm_segment": "others", "churn_risk": "low", "churn_score": 10,
    }  # fmt: skip


def test_only_orders_that_match_count(night: Night) -> None:
    night.metrics = {"rfm": {**RFM, "where": {"property": "currency", "equals": "CNY"}}}
    night.have("u-1")
    night.happens("u-1", "order_placed", total=100, currency="CNY")
    night.happens("u-1", "order_placed", total=999, currency="USD")
    night.run()
    assert night.metrics_of("u-1")["rfm_monetary"] == 100.0


def test_nobody_is_read_whose_profile_says_enough(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    shop(night)
    night.world.clock.advance(days=400)
    asked: list[str] = []
    since = night.world.history.since

    def watched(contact_id: str, *args: Any, **more: Any) -> list[RecordedEvent]:
        asked.append(contact_id)
        return since(contact_id, *args, **more)

    monkeypatch.setattr(night.world.history, "since", watched)
    night.run()
    assert asked == []
    assert night.metrics_of("u-10") == {"activity": 0.0, "churn_risk": "high", "churn_score": 90}


def test_a_profile_that_could_not_note_every_type_is_read(night: Night) -> None:
    night.have("u-1")
    night.happens("u-1", "order_placed", total=100)
    contact_id = next(iter(night.world.contacts.items))
    contact = night.world.contacts[contact_id]
    some_day = contact.created_at.date()
    forgotten = {f"type_{number}": (some_day, some_day) for number in range(500)}
    night.world.contacts.put(replace(contact, seen=forgotten))
    night.run()
    assert night.metrics_of("u-1")["rfm_frequency"] == 1


def test_a_persona_is_left_as_it_is_and_what_is_no_longer_declared_goes(night: Night) -> None:
    night.have("u-1", metrics={"persona": "night owls", "loyalty": 7})
    night.run()
    assert night.metrics_of("u-1") == {"persona": "night owls", "activity": 0.0}


def test_metrics_come_before_the_rules_that_read_them() -> None:
    rules = saved(busy={"metric": "activity", "at_least": 10})
    night = Night(world=World(segments=rules), metrics={"scores": ACTIVITY})
    contact_id = night.have("u-1")
    night.happens("u-1", "order_placed")
    counts = night.run()
    assert counts["segments_entered"] == 1
    assert "busy" in night.world.contacts[contact_id].segments
    night.world.clock.advance(days=30)
    assert night.run()["segments_left"] == 1
    emitted = [event.type for event in night.world.queue.events.values()]
    assert emitted.count("segment_entered") == emitted.count("segment_left") == 1


def test_time_takes_tags_moves_stages_and_says_so() -> None:
    dormant = {"all": [{"event": "logged_in"}, {"not": {"event": "logged_in", "within": "30d"}}]}
    stages = lifecycle(("asleep", ["awake"], dormant), ("awake", ["asleep"], {"event": "logged_in"}))
    world = World(tags=tag_system({"guest": 10 * 86400}, dormant_warning=dormant), lifecycle=stages)
    night = Night(world=world)
    contact_id = night.have("u-1")
    night.happens("u-1", "logged_in")
    world.contacts.put(with_tags(world.contacts[contact_id], add=["guest"], at=world.clock()))
    assert night.run()["changed"] == 1  # the end of the tag is noted
    assert world.contacts[contact_id].tag_expiries["guest"] == world.clock() + timedelta(days=10)
    assert world.contacts[contact_id].lifecycle == "awake"

    world.clock.advance(days=31)
    counts = night.run()
    assert (counts["tags_expired"], counts["tags_added"], counts["stages_changed"]) == (1, 1, 1)
    contact = world.contacts[contact_id]
    assert (contact.tags, contact.lifecycle) == (frozenset({"dormant-warning"}), "asleep")
    emitted = {
        (event.type, event.properties.get("tag"), event.properties.get("by")) for event in world.queue.events.values()
    }
    assert {("tag_removed", "guest", "expiry"), ("tag_added", "dormant-warning", "rule")} <= emitted
    assert ("lifecycle_changed", None, None) in emitted

    assert night.run()["changed"] == 0
    night.happens("u-1", "logged_in")
    assert (world.contacts[contact_id].tags, world.contacts[contact_id].lifecycle) == (frozenset(), "awake")


def test_nothing_declared_nothing_done() -> None:
    night = Night(world=World())
    night.have("u-1")
    assert night.plan()["slices"] == []
    assert night.world.effects.log == []


def test_a_base_is_cut_into_slices_by_its_size(night: Night) -> None:
    night.scan.counted = BaseSize(items=SLICES.items + 1, bytes=0)
    slices = night.plan()["slices"]
    assert [(each["slice"], each["of"]) for each in slices] == [(0, 2), (1, 2)]
    sizes = (0, 1, 25_000, 25_001, 100_000_000)
    assert [SLICES.slices(BaseSize(size, 0)) for size in sizes] == [1, 1, 1, 2, 400]


def test_all_slices_together_are_the_night(night: Night) -> None:
    shop(night)
    night.scan.counted = BaseSize(items=3 * SLICES.items, bytes=0)
    assert night.run()["contacts"] == 11
    assert [night.metrics_of(f"u-{number:02d}")["rfm"] for number in (1, 5, 10)] == ["111", "333", "555"]


def test_the_hour_is_for_segments_that_ask_for_it(night: Night) -> None:
    assert night.plan("hourly")["slices"] == []
    night.world.segments = saved("hourly", lately={"event": "logged_in", "within": "2h"})
    del night.world.index
    night.have("u-1")
    night.happens("u-1", "logged_in")
    night.world.clock.advance(hours=3)
    plan = night.plan("hourly")
    assert (len(plan["slices"]), plan["counted"]) == (1, False)
    counts = night.run("hourly")
    assert (counts["segments_left"], counts["measured"]) == (1, 0)


def test_a_refresh_of_no_known_kind_is_refused(night: Night) -> None:
    with pytest.raises(InvalidInput, match="expected daily or hourly, got 'weekly'"):
        night.plan("weekly")


def test_a_stale_profile_in_the_index_overwrites_nothing(night: Night) -> None:
    contact_id = night.have("u-1")
    night.scan.stale[contact_id] = night.world.contacts[contact_id]
    night.happens("u-1", "order_placed", total=100)
    assert night.run()["failed"] == 0
    contact = night.world.contacts[contact_id]
    assert "order_placed" in contact.seen
    assert contact.metrics["rfm_frequency"] == 1


def test_a_contact_that_cannot_be_refreshed_does_not_stop_the_others(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop(night)
    measure = night.measurer.metrics
    bad = sorted(night.world.contacts.items)[3]

    class Refuses:
        declaration = night.declaration

        def metrics(self, contact: Any, *args: Any, **more: Any) -> dict[str, Any]:
            if contact.contact_id == bad:
                raise InvalidInput("profile", "too large")
            return measure(contact, *args, **more)

    refresher = replace(night.refresh_contacts, measurer=Refuses())  # type: ignore[arg-type]
    [part] = night.plan()["slices"]
    end = night.to_the_end(refresher.refresh, part)
    assert (end["counts"]["contacts"], end["counts"]["failed"], end["counts"]["measured"]) == (11, 1, 10)
    assert end["failures"] == [{"contact_id": bad, "error": "InvalidInput"}]


def test_a_contact_that_others_change_all_the_time_is_left_for_a_retry(night: Night) -> None:
    contact_id = night.have("u-1")
    contacts = night.world.contacts

    def change() -> None:
        contacts.put(contacts[contact_id])
        contacts.before_save = change

    contacts.before_save = change
    with pytest.raises(ConcurrentUpdate):
        night.run()


@pytest.mark.parametrize("mode", ["before", "after"])
def test_a_crash_anywhere_is_mended_by_calling_again(mode: Any) -> None:
    def deployed() -> Night:
        world = World(
            tags=tag_system(dormant={"not": {"event": "order_placed", "within": "30d"}}),
            segments=saved(busy={"metric": "activity", "at_least": 1}),
        )
        night = Night(world=world, metrics={"scores": ACTIVITY, "rfm": RFM, "churn_risk": CHURN})
        for user in ("u-1", "u-2", "u-3"):
            night.have(user)
        night.happens("u-2", "order_placed", days=40, total=50)
        night.happens("u-3", "order_placed", days=1, total=70)
        world.clock.advance(days=1)
        return night

    whole = deployed()
    before = len(whole.world.effects.log)
    whole.run()
    writes = len(whole.world.effects.log)
    assert writes > before + 3
    for index in range(before, writes):
        night = deployed()
        night.world.effects.crash_at, night.world.effects.mode = index, mode
        with pytest.raises(Crash):
            night.run()
        night.run()
        assert {name: night.world.contacts[name].tags for name in night.world.contacts.items} == {
            name: whole.world.contacts[name].tags for name in whole.world.contacts.items
        }
        assert [night.metrics_of(user) for user in ("u-1", "u-2", "u-3")] == [
            whole.metrics_of(user) for user in ("u-1", "u-2", "u-3")
        ]
        assert set(night.world.queue.events) == set(whole.world.queue.events)


def test_a_slice_survives_its_way_through_the_machine() -> None:
    planned = {"run": "r", "at": START, "refresh": "daily", "slice": 1, "of": 2}
    ranked = planned | {"ranks": {"monetary": [1.0, 2.0]}}
    assert RefreshSlice.from_dict(planned).to_dict() == planned
    assert RefreshSlice.from_dict({**ranked, "done": False, "counts": {}}).to_dict() == ranked
