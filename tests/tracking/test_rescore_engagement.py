"""Openings and clicks are judged again: events, profiles, and what a run leaves alone."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from tests.fakes.world import CONTACT, START, World, event
from waypost.assembly import assemble
from waypost.clock import parse_instant
from waypost.contacts.profile import Contact
from waypost.errors import InvalidInput
from waypost.events.history import RecordedEvent
from waypost.tracking.rescore_engagement import SLICES, RescoreEngagement, rescored
from waypost.tracking.verdict import VERSION
from waypost.tracking.visit import Act, Network, Visit

NOW = parse_instant(START)
READER = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15"


@pytest.fixture
def world() -> World:
    world = World()
    world.have_contact()
    return world


def visit(
    kind: str,
    *,
    days: float = 3,
    seconds: float = 0,
    agent: str = READER,
    network: Network = "other",
    message: str = "m-1",
    trapped: bool = False,
    **properties: Any,
) -> Any:
    """An event of a visit so many days ago, as the links report it."""
    act: Act = "opened" if kind in {"message_opened", "message_prefetched"} else "clicked"
    at = NOW - timedelta(days=days) + timedelta(seconds=seconds)
    seen = Visit(act=act, user_agent=agent, network=network, seconds=600, trapped=trapped).to_dict()
    about = {"channel": "email", "message_key": message, "verdict": "nothing_against_it", "visit": seen}
    return event(kind, at, f"e-{message}-{kind}-{days}-{seconds}", **about | properties)


def run(world: World) -> dict[str, int]:
    """The whole operation, slice by slice; what it counted."""
    service = assemble.rescore_engagement(world.ports)
    totals: dict[str, int] = {}
    name = f"run-{len(world.effects.log)}"
    for number in range(SLICES):
        answer = service.rescore({"run": name, "slice": number}, remaining=lambda: 900_000)
        while not answer["done"]:
            answer = service.rescore(answer, remaining=lambda: 900_000)
        for key, count in answer["counts"].items():
            totals[key] = totals.get(key, 0) + count
    return totals


def test_a_run_may_take_fewer_slices_and_reads_the_same(world: World) -> None:
    world.route(visit("message_clicked", agent="Barracuda Sentinel"))
    service = assemble.rescore_engagement(world.ports)
    answers = [service.rescore({"run": "r", "slice": each, "of": 2}, remaining=lambda: 900_000) for each in range(2)]
    assert sum(answer["counts"]["changed"] for answer in answers) == 1
    for wrong in ({"slice": 2, "of": 2}, {"slice": 0, "of": 0}, {"slice": 0, "of": SLICES + 1}):
        with pytest.raises(InvalidInput):
            service.rescore({"run": "r", **wrong}, remaining=lambda: 900_000)


def kinds(world: World) -> list[str]:
    return [each.type for each in world.history.since(CONTACT, NOW - timedelta(days=900))]


def test_a_click_that_the_rules_of_today_know_is_a_programs(world: World) -> None:
    world.route(visit("message_clicked", agent="Barracuda Sentinel"))
    world.route(visit("message_opened"))
    counts = run(world)
    assert counts == {"judged": 2, "changed": 1, "programs": 1, "readers": 0, "profiles": 1, "contacts": 1}
    scanned = next(each for each in world.history.since(CONTACT, NOW - timedelta(days=9)) if "Barr" in str(each))
    assert (scanned.type, scanned.properties["verdict"], scanned.properties["was"]) == (
        "message_scanned", "program", "message_clicked",
    )  # fmt: skip
    assert scanned.properties["verdict_version"] == VERSION
    assert scanned.properties["visit"]["user_agent"] == "Barracuda Sentinel"  # as it was seen
    seen = world.contacts[CONTACT].seen
    assert "message_clicked" not in seen
    assert seen["message_scanned"] == (date(2027, 2, 26), date(2027, 2, 26))
    assert seen["message_opened"] == (date(2027, 2, 26), date(2027, 2, 26))


def test_what_was_taken_for_a_program_becomes_a_readers(world: World) -> None:
    world.route(visit("message_prefetched", verdict="too_soon"))
    counts = run(world)
    assert (counts["readers"], counts["programs"]) == (1, 0)
    assert kinds(world) == ["message_opened"]
    assert "message_prefetched" not in world.contacts[CONTACT].seen


def test_the_first_clicks_of_a_scanner_are_known_when_the_rest_has_come(world: World) -> None:
    for second, name in enumerate(("one", "two", "three")):
        world.route(visit("message_clicked", seconds=second, link=name))
    world.route(visit("message_clicked", seconds=3_600, link="one"))  # the reader, an hour later
    world.route(visit("message_clicked", message="m-2", link="one"))
    run(world)
    assert kinds(world).count("message_scanned") == 3
    assert kinds(world).count("message_clicked") == 2


def test_who_follows_the_hidden_link_is_a_program_for_all_of_its_clicks(world: World) -> None:
    world.route(visit("message_clicked", link="one"))
    world.route(visit("message_scanned", seconds=40, verdict="honeypot", trapped=True))  # names no link
    run(world)
    assert kinds(world) == ["message_scanned", "message_scanned"]


def test_a_second_run_writes_nothing(world: World) -> None:
    for second, name in enumerate(("one", "two", "three")):
        world.route(visit("message_clicked", seconds=second, link=name))
    assert run(world)["changed"] == 3
    written = len(world.effects.log)
    counts = run(world)
    assert (counts["judged"], counts["changed"], counts["profiles"]) == (3, 0, 0)
    assert {"history.correct", "contacts.save"}.isdisjoint(world.effects.log[written:])


def test_what_happened_since_yesterday_waits(world: World) -> None:
    world.route(visit("message_clicked", days=0.5, agent="curl/8.0"))
    world.route(visit("message_clicked", days=5, agent="curl/8.0"))
    assert run(world)["changed"] == 1
    assert kinds(world) == ["message_scanned", "message_clicked"]
    assert world.contacts[CONTACT].seen["message_clicked"] == (date(2027, 2, 28), date(2027, 2, 28))
    world.clock.advance(hours=24)
    assert run(world)["changed"] == 1
    assert "message_clicked" not in world.contacts[CONTACT].seen


def test_what_no_link_of_ours_reported_keeps_its_type(world: World) -> None:
    world.route(event("message_opened", NOW - timedelta(days=3), "e-own", channel="email", message_key="m-1"))
    counts = run(world)
    assert (counts["judged"], counts["changed"], kinds(world)) == (0, 0, ["message_opened"])


def test_days_from_before_the_oldest_kept_event_stay(world: World) -> None:
    world.route(visit("message_clicked", agent="curl/8.0"))
    known = world.contacts[CONTACT]
    long_ago = date(2024, 5, 1)
    world.contacts.put(replace(known, seen={**known.seen, "message_clicked": (long_ago, date(2027, 2, 26))}))
    run(world)
    assert world.contacts[CONTACT].seen["message_clicked"] == (long_ago, long_ago)


def test_a_crash_between_events_and_profile_is_mended_by_the_next_run(world: World) -> None:
    world.route(visit("message_clicked", agent="curl/8.0"))
    service = assemble.rescore_engagement(world.ports)
    stale = world.contacts[CONTACT]
    service.rescore_contact(stale)
    world.contacts.put(replace(stale, version=world.contacts[CONTACT].version))  # as if the second write had not come
    assert "message_clicked" in world.contacts[CONTACT].seen
    counts = run(world)
    assert (counts["changed"], counts["profiles"]) == (0, 1)
    assert "message_clicked" not in world.contacts[CONTACT].seen


def test_another_writers_change_of_the_profile_is_kept(world: World) -> None:
    world.route(visit("message_clicked", agent="curl/8.0"))
    stale = world.contacts[CONTACT]
    world.route(event("order_placed", NOW, "e-order", profile={"city": "Shanghai"}))
    service: RescoreEngagement = assemble.rescore_engagement(world.ports)
    service.rescore_contact(stale)
    contact: Contact = world.contacts[CONTACT]
    assert contact.attributes["city"] == "Shanghai"
    assert {"order_placed", "message_scanned"} <= contact.seen.keys()
    assert "message_clicked" not in contact.seen


def test_a_contact_that_was_never_reached_costs_no_query(world: World) -> None:
    world.route(event("order_placed", NOW, "e-order"))
    service = replace(assemble.rescore_engagement(world.ports), history=None)  # type: ignore[arg-type]
    assert service.rescore_contact(world.contacts[CONTACT]) == {}


def test_the_order_of_the_events_does_not_matter() -> None:
    def recorded(at: datetime, link: str) -> RecordedEvent:
        seen = Visit(act="clicked", user_agent=READER, seconds=600).to_dict()
        return RecordedEvent(link, "message_clicked", at, at, {"message_key": "m", "link": link, "visit": seen})

    events: Sequence[RecordedEvent] = [recorded(NOW + timedelta(seconds=n), f"l{n}") for n in range(6)]
    one, other = ({each.event.id: each.becomes for each in rescored(some)} for some in (events, [*reversed(events)]))
    assert one == other == {f"l{n}": "message_scanned" for n in range(6)}


@pytest.mark.parametrize("slice_", [-1, SLICES, True, "1", None])
def test_a_slice_that_there_is_not_is_refused(world: World, slice_: Any) -> None:
    with pytest.raises(InvalidInput, match="expected a number"):
        assemble.rescore_engagement(world.ports).rescore({"run": "r", "slice": slice_}, remaining=lambda: 900_000)
